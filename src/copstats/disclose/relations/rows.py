"""A linear system written down row by row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.sparse import csr_array

from copstats.disclose.intervals import LinearSystem
from copstats.disclose.suppression.problem import ALWAYS, Problem

Sum: TypeAlias = dict[int, float]
"""Unknown -> coefficient."""


@dataclass(frozen=True)
class Need:
    """What the interval of a sum must have: a width, unless it holds all of ``spared``; in respondents."""

    width: float = 0.0
    spared: tuple[float, float] = (-math.inf, math.inf)


class Rows:
    """Unknowns, relations and sums to protect, with the true values of all of them."""

    def __init__(self) -> None:
        """Start empty."""
        self._upper: list[float] = []
        self._true: list[float] = []
        self._relations: list[tuple[Sum, float, float, int]] = []
        self._protected: list[tuple[Sum, Need]] = []

    def unknown(self, upper: float, true: float) -> int:
        """Return a new unknown between 0 and a limit."""
        self._upper.append(max(upper, true))
        self._true.append(true)
        return len(self._true) - 1

    def true(self, of: Sum) -> float:
        """Return the true value of a sum."""
        return sum(coefficient * self._true[unknown] for unknown, coefficient in of.items())

    def relate(self, of: Sum, lower: float, upper: float, cell: int = ALWAYS) -> None:
        """Add a relation; where the true value is beyond a limit, the limit gives way to it.

        That is a rounding error of the computer, or records that did not follow the questionnaire: who takes
        it for true is wrong by no more than these.
        """
        if of:
            true = self.true(of)
            self._relations.append((of, min(lower, true), max(upper, true), cell))

    def protect(self, of: Sum, need: Need) -> None:
        """Ask for a width of a sum's interval."""
        if of and need.width > 0:
            self._protected.append((of, need))

    def problem(self, costs: Mapping[int, float], withheld: Iterable[int]) -> Problem:
        """Return the whole problem.

        Args:
            costs: cell -> information lost with it; cells are numbered from 0.
            withheld: cells that are withheld from the start.
        """
        unknowns, needs = len(self._true), [need for _, need in self._protected]
        cells = max(costs, default=-1) + 1
        cost, out = np.full(cells, np.inf), np.zeros(cells, np.bool_)
        for cell, lost in costs.items():
            cost[cell] = lost
        out[list(withheld)] = True
        nothing = np.full(len(needs), -np.inf)
        return Problem(
            system=LinearSystem(
                rows=_matrix([of for of, *_ in self._relations], unknowns),
                row_lower=np.array([lower for _, lower, _, _ in self._relations], np.float64),
                row_upper=np.array([upper for _, _, upper, _ in self._relations], np.float64),
                lower=np.zeros(unknowns),
                upper=np.array(self._upper, np.float64),
            ),
            cell_of_row=np.array([cell for *_, cell in self._relations], np.int64),
            measured=_matrix([of for of, _ in self._protected], unknowns),
            value=np.array([self.true(of) for of, _ in self._protected], np.float64),
            below=nothing,
            above=nothing,
            width=np.array([need.width for need in needs], np.float64),
            spared=np.array([need.spared for need in needs], np.float64).reshape(-1, 2),
            costs=cost,
            withheld=out,
        )


def plus(*sums: Mapping[int, float], times: float = 1.0) -> Sum:
    """Return the first sum, and ``times`` the others."""
    total: Sum = dict(sums[0])
    for other in sums[1:]:
        for unknown, coefficient in other.items():
            total[unknown] = total.get(unknown, 0.0) + times * coefficient
    return total


def _matrix(sums: list[Sum], unknowns: int) -> csr_array:
    sizes = [len(of) for of in sums]
    columns = [unknown for of in sums for unknown in of]
    values = [coefficient for of in sums for coefficient in of.values()]
    starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    return csr_array((np.array(values, np.float64), columns, starts), shape=(len(sums), unknowns))
