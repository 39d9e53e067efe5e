"""Attacks on published test tables of cell suppression: twins of the gate's method fail, the method does not.

Numbers are those of the list of attacks in docs/disclosure.md.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from copstats.disclose.suppression import Problem, suppress
from copstats.disclose.suppression.elimination import proposed
from tests.disclose.tables import gauss, pp_tab

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
EXACT = 1e-6


def intervals(cells: csr_array, values: Floats, known: Flags, asked: csr_array) -> Floats:
    """Return the least and the largest value of sums of numbers that are not negative."""
    found = [
        [
            side * linprog(side * row, A_eq=cells[known], b_eq=values[known], method="highs").fun
            for side in (1, -1)
        ]
        for row in asked.toarray()
    ]
    return np.array(found)


def attacked(problem: Problem, withheld: Flags) -> Floats:
    system = problem.system
    return intervals(system.rows, system.row_lower, ~withheld[problem.cell_of_row], problem.measured)


def by_elimination(problem: Problem, *, zeros_first: bool) -> Flags:
    """Return what elimination alone withholds; to one that knows no zeros they are numbers like others."""
    system = problem.system
    if not zeros_first:
        lower, upper = (np.maximum(limits, 1.0) for limits in (system.row_lower, system.row_upper))
        system = replace(system, row_lower=lower, row_upper=upper)
    withheld = problem.withheld.copy()
    withheld[proposed(replace(problem, system=system))] = True
    return withheld


@pytest.mark.reference
def test_9_withheld_zeros_hide_nothing(shared: Path) -> None:
    """tau-ARGUS's table has zeros that cost nothing to withhold: the numbers beside them stay exact."""
    problem = pp_tab(shared)
    least, largest = attacked(problem, by_elimination(problem, zeros_first=False)).T
    assert (largest - least < EXACT).all()
    least, largest = attacked(problem, suppress(problem).withheld).T
    assert (least <= problem.value - problem.below + EXACT).all()
    assert (largest >= problem.value + problem.above - EXACT).all()


@pytest.mark.reference
@pytest.mark.nightly
def test_9_withheld_ones_do_not_hide_each_other(shared: Path) -> None:
    """Elimination does not see that numbers are not negative: cells that it thinks hidden are exact."""
    table, rows = gauss(shared, "d3_maxN3")
    primary = np.array([row["primary"] == "TRUE" for row in rows])
    problem = table.problem(primary, width=np.full(primary.sum(), 3.0))
    some = replace(problem, measured=csr_array(problem.measured[::4]))
    least, largest = attacked(some, by_elimination(problem, zeros_first=True)).T
    assert (largest - least < EXACT).any()
    least, largest = attacked(some, suppress(problem).withheld).T
    assert (largest - least >= 3 - EXACT).all()


@pytest.mark.reference
@pytest.mark.parametrize("name", ["d1", "d2", pytest.param("d3", marks=pytest.mark.nightly)])
def test_10_the_attacker_finds_what_another_program_finds(shared: Path, name: str) -> None:
    """Intervals of GaussSuppression with Rglpk for tables of counts (MIT licence)."""
    table, rows = gauss(shared, f"{name}_maxN3")
    known = np.array([row["suppressed"] == "FALSE" for row in rows])
    hidden = [k for k, row in enumerate(rows) if row["lo"] != "NA"]
    expected = [[float(rows[k]["lo"]), float(rows[k]["up"])] for k in hidden]
    cells = csr_array(table.cells)
    assert len(hidden) > 2
    np.testing.assert_allclose(intervals(cells, table.values, known, cells[hidden]), expected, atol=1e-6)
