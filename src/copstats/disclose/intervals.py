"""Feasibility intervals: what an attacker can say of a sum whose parts obey linear relations.

The attacker of cell suppression solves two linear programs for a withheld cell: its least and its largest
possible value over everything that agrees with what is published (Hundepool et al., Statistical Disclosure
Control, 2012, section 4.4.2). The programs of one system differ in their objective alone, so each starts from
the solution of the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import connected_components

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Side = Literal[1, -1]
"""1 asks for the least value, -1 for the largest."""

_TOLERANCE = 1e-9
_STATUS = highspy.HighsModelStatus
_WITHOUT_LIMIT = (_STATUS.kUnbounded, _STATUS.kUnboundedOrInfeasible)


class InfeasibleSystem(ValueError):
    """No values agree with all relations and limits: what is published contradicts itself."""


@dataclass(frozen=True)
class LinearSystem:
    """``row_lower <= rows @ x <= row_upper`` and ``lower <= x <= upper``; limits may be infinite.

    Attributes:
        rows: m x n, one row a relation.
        row_lower: m least values of the relations.
        row_upper: m largest values of the relations.
        lower: n least values of the unknowns.
        upper: n largest values of the unknowns.
    """

    rows: csr_array
    row_lower: Floats
    row_upper: Floats
    lower: Floats
    upper: Floats

    @cached_property
    def components(self) -> list[tuple[Indices, Indices]]:
        """Return (rows, unknowns) of each part that shares no relation with the others."""
        relations, unknowns = self.rows.shape
        together = vstack([self.rows, csr_array((unknowns, unknowns))], format="csr")
        square = csr_array(
            (together.data, together.indices + relations, together.indptr),
            shape=(relations + unknowns, relations + unknowns),
        )
        count, label = connected_components(square, directed=False)
        return [
            (members[members < relations], members[members >= relations] - relations)
            for members in _grouped(label, count)
        ]

    def part(self, rows: Indices, unknowns: Indices) -> LinearSystem:
        """Return the system of some rows in the unknowns that they speak of."""
        return LinearSystem(
            rows=self.rows[rows][:, unknowns],
            row_lower=self.row_lower[rows],
            row_upper=self.row_upper[rows],
            lower=self.lower[unknowns],
            upper=self.upper[unknowns],
        )


class Extremes:
    """The linear programs of one system, solved one after another from where the last one ended."""

    def __init__(self, system: LinearSystem) -> None:
        """Hand the system to the solver.

        Raises:
            InfeasibleSystem: nothing fulfils it.
        """
        self._unknowns = np.arange(system.rows.shape[1], dtype=np.int32)
        self._solver = _solver(system)
        self._solve(np.zeros(len(self._unknowns)))
        if self._solver.getModelStatus() != _STATUS.kOptimal:
            raise InfeasibleSystem(str(self._solver.getModelStatus()))

    def extreme(self, target: Floats, side: Side) -> float:
        """Return the least (``side`` 1) or largest (-1) value of ``target @ x``; infinite without a limit."""
        self._solve(side * target)
        status = self._solver.getModelStatus()
        if status in _WITHOUT_LIMIT:
            return -side * float("inf")
        if status != _STATUS.kOptimal:
            raise RuntimeError(f"the linear program ended with {status}")
        return side * float(self._solver.getInfo().objective_function_value)

    def point(self) -> Floats:
        """Return the unknowns at the last solution."""
        return np.asarray(self._solver.getSolution().col_value)

    def duals(self) -> Floats:
        """Return by how much the last extreme would move with the limits of each relation."""
        return np.asarray(self._solver.getSolution().row_dual)

    def limit_row(self, row: int, lower: float, upper: float) -> None:
        """Give one relation other limits; the next solution starts from the last one."""
        self._solver.changeRowBounds(row, lower, upper)

    def _solve(self, costs: Floats) -> None:
        self._solver.changeColsCost(len(self._unknowns), self._unknowns, costs)
        self._solver.run()
        if self._solver.getModelStatus() in (_STATUS.kOptimal, _STATUS.kInfeasible, *_WITHOUT_LIMIT):
            return
        self._solver.clearSolver()  # a start from scratch where the warm start led astray
        self._solver.run()


def feasible_intervals(system: LinearSystem, measured: csr_array) -> Floats:
    """Return the least and the largest value that each sum can have.

    A sum over several components has the sum of their limits: they do not constrain each other.

    Args:
        system: what is known: relations and limits in n unknowns.
        measured: k x n, one row a sum of unknowns.

    Returns:
        k x 2: least and largest value; infinite where nothing limits it.

    Raises:
        InfeasibleSystem: nothing agrees with what is known.
    """
    intervals = np.zeros((measured.shape[0], 2))
    for rows, unknowns in system.components:
        if not unknowns.size:
            _refuse_false(system.row_lower[rows], system.row_upper[rows])
            continue
        targets = csr_array(measured[:, unknowns])
        programs = Extremes(system.part(rows, unknowns))
        for target in np.flatnonzero(np.diff(targets.indptr)):
            dense = targets[[target]].toarray()[0]
            intervals[target] += programs.extreme(dense, 1), programs.extreme(dense, -1)
    return intervals


def _refuse_false(lower: Floats, upper: Floats) -> None:
    """A relation without an unknown says that nothing lies between its limits."""
    if (lower > _TOLERANCE).any() or (upper < -_TOLERANCE).any():
        raise InfeasibleSystem("a relation without an unknown")


def _solver(system: LinearSystem) -> Any:
    columns = system.rows.tocsc()
    program = highspy.HighsLp()
    program.num_row_, program.num_col_ = system.rows.shape
    program.col_cost_ = np.zeros(program.num_col_)
    program.col_lower_, program.col_upper_ = system.lower, system.upper
    program.row_lower_, program.row_upper_ = system.row_lower, system.row_upper
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_, program.a_matrix_.index_ = columns.indptr, columns.indices
    program.a_matrix_.value_ = columns.data
    solver = highspy.Highs()
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("presolve", "off"),
        ("solver", "simplex"),
        ("primal_feasibility_tolerance", _TOLERANCE),
        ("dual_feasibility_tolerance", _TOLERANCE),
    ):
        solver.setOptionValue(option, value)
    solver.passModel(program)
    return solver


def _grouped(label: npt.NDArray[np.int32], count: int) -> Iterator[Indices]:
    order = np.argsort(label, kind="stable")
    yield from np.split(order, np.searchsorted(label[order], np.arange(1, count)))
