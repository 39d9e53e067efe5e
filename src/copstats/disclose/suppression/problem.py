"""What is to be protected, and what may be withheld for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from copstats.disclose.intervals import Floats, Indices, LinearSystem

ALWAYS = -1
"""Stands for the cell of a relation that is known whatever is published."""


@dataclass(frozen=True)
class Problem:
    """Cells whose publication tells something, and sums of which it must not tell too much.

    A sum is protected where its feasibility interval is at least ``width`` long and reaches at least from
    ``value - below`` to ``value + above`` (the protection levels of Hundepool et al. 2012, section 4.3); or
    where it holds all of ``spared``: then it does not even show that there is something to protect.

    Attributes:
        system: all relations and limits; true values fulfil them.
        cell_of_row: m; the cell whose publication puts a relation in force, `ALWAYS` where nothing does.
        measured: k x n; the sums to protect.
        value: k true values of the sums.
        below: k lower protection levels.
        above: k upper protection levels.
        width: k least lengths of the intervals.
        spared: k x 2; -inf and inf where nothing spares a sum.
        costs: information that withholding each cell loses; infinite where it may not be withheld.
        withheld: the cells that are withheld from the start.
    """

    system: LinearSystem
    cell_of_row: Indices
    measured: csr_array
    value: Floats
    below: Floats
    above: Floats
    width: Floats
    spared: Floats
    costs: Floats
    withheld: npt.NDArray[np.bool_]

    def parts(self) -> list[Problem]:
        """Return the parts that share neither a relation nor a sum; cells keep their numbers.

        Parts without a sum to protect are left out.
        """
        rows = self.system.rows.shape[0]
        free = np.full(self.measured.shape[0], np.inf)
        joined = LinearSystem(
            rows=vstack([self.system.rows, self.measured], format="csr"),
            row_lower=np.concatenate([self.system.row_lower, -free]),
            row_upper=np.concatenate([self.system.row_upper, free]),
            lower=self.system.lower,
            upper=self.system.upper,
        )
        return [
            self._part(members[members < rows], unknowns, members[members >= rows] - rows)
            for members, unknowns in joined.components
            if members.size and members[-1] >= rows
        ]

    def _part(self, rows: Indices, unknowns: Indices, sums: Indices) -> Problem:
        return replace(
            self,
            system=self.system.part(rows, unknowns),
            cell_of_row=self.cell_of_row[rows],
            measured=csr_array(self.measured[sums][:, unknowns]),
            value=self.value[sums],
            below=self.below[sums],
            above=self.above[sums],
            width=self.width[sums],
            spared=self.spared[sums],
        )
