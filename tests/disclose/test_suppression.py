from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from copstats.disclose.suppression import Problem, suppress
from tests.disclose.tables import Table, crossed, gauss, pp_tab

Flags = npt.NDArray[np.bool_]


def interval(problem: Problem, withheld: Flags, number: int) -> tuple[float, float]:
    """The attacker's interval by scipy's own interface, from all relations that are in force."""
    system = problem.system
    in_force = (problem.cell_of_row < 0) | ~withheld[problem.cell_of_row]
    rows = system.rows.toarray()[in_force]
    above, below = np.isfinite(system.row_upper[in_force]), np.isfinite(system.row_lower[in_force])
    matrix = np.vstack([rows[above], -rows[below]])
    limits = np.concatenate([system.row_upper[in_force][above], -system.row_lower[in_force][below]])
    limits_of = zip(system.lower, system.upper, strict=True)
    bounds = [(low, None if np.isinf(high) else high) for low, high in limits_of]
    target = problem.measured[[number]].toarray()[0]
    least, most = (
        linprog(
            side * target, matrix if len(matrix) else None, limits if len(matrix) else None, bounds=bounds
        )
        for side in (1, -1)
    )
    assert least.status == 0 and most.status in (0, 3)
    return least.fun, np.inf if most.status else -most.fun


def is_protected(problem: Problem, withheld: Flags, number: int, tolerance: float = 1e-6) -> bool:
    least, most = interval(problem, withheld, number)
    value = problem.value[number]
    return bool(
        most - least >= problem.width[number] - tolerance
        and least <= value - problem.below[number] + tolerance
        and most >= value + problem.above[number] - tolerance
    )


def all_protected(problem: Problem, withheld: Flags) -> bool:
    return all(is_protected(problem, withheld, number) for number in range(len(problem.value)))


def test_a_lonely_cell_gets_company_in_both_directions() -> None:
    """In a table with margins one withheld cell needs a rectangle; the cheapest one is taken."""
    table = Table(crossed(3, 3), crossed(3, 3) @ np.array([2.0, 30, 9, 40, 50, 60, 7, 80, 8]))
    primary = np.zeros(16, bool)
    primary[5] = True
    problem = table.problem(primary, width=np.array([3.0]))
    found = suppress(problem)
    assert np.flatnonzero(found.withheld).tolist() == [5, 7, 13, 15]
    assert found.conceded == 0 and all_protected(problem, found.withheld)


def test_a_zero_hides_nothing() -> None:
    """The neighbours that cost least are zeros: withheld, they would leave the cell known exactly."""
    table = Table(crossed(3, 3), crossed(3, 3) @ np.array([2.0, 0, 9, 0, 0, 60, 7, 80, 8]))
    primary = np.zeros(16, bool)
    primary[5] = True
    problem = table.problem(primary, width=np.array([2.0]))
    found = suppress(problem)
    assert not (found.secondary & (table.values == 0)).any()
    assert all_protected(problem, found.withheld)


def test_two_singletons_do_not_protect_each_other() -> None:
    """Two withheld ones that add up to a published 2 may both be 1 only by the size of their intervals."""
    cells = np.array([[1.0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 0], [0, 0, 0, 1]])
    cells = np.vstack([cells, np.ones(4)])
    table = Table(cells, cells @ np.array([1.0, 1, 20, 30]))
    primary = np.array([False, True, True, False, False, False, False])
    problem = table.problem(primary, width=np.full(2, 3.0))
    assert not all_protected(problem, primary)
    found = suppress(problem)
    assert all_protected(problem, found.withheld) and found.secondary[0]


def test_cells_that_may_not_be_withheld_stay() -> None:
    table = Table(crossed(3, 3), crossed(3, 3) @ np.array([2.0, 30, 9, 40, 50, 60, 7, 80, 8]))
    primary = np.zeros(16, bool)
    primary[5] = True
    costs = 1.0 + table.values
    costs[[7, 13]] = np.inf
    problem = table.problem(primary, width=np.array([3.0]), costs=costs)
    found = suppress(problem)
    assert not found.withheld[[7, 13]].any() and all_protected(problem, found.withheld)


def test_what_relations_tell_alone_is_conceded() -> None:
    table = Table(np.array([[1.0, 1], [1, 0]]), np.array([9.0, 2]))
    primary = np.array([False, True])
    found = suppress(table.problem(primary, width=np.array([3.0]), costs=np.array([np.inf, 1.0])))
    assert found.conceded == 0 and not found.secondary.any()
    fixed = Table(np.array([[1.0], [1.0]]), np.array([2.0, 2]))
    problem = fixed.problem(primary, width=np.array([3.0]), costs=np.array([np.inf, 1.0]))
    assert suppress(problem).conceded == 1


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "at_most"),
    [("d1_maxN3", 8), ("d2_maxN3", 29), pytest.param("d3_maxN3", 470, marks=pytest.mark.nightly)],
)
def test_tables_of_gauss_suppression(shared: Path, name: str, at_most: int) -> None:
    """Every primary cell keeps three persons of uncertainty; GaussSuppression leaves 126 of d3 with less."""
    table, rows = gauss(shared, name)
    primary = np.array([row["primary"] == "TRUE" for row in rows])
    problem = table.problem(primary, width=np.full(primary.sum(), 3.0))
    assert not all_protected(problem, primary)
    found = suppress(problem)
    assert found.conceded == 0 and all_protected(problem, found.withheld)
    assert not (found.secondary & (table.values == 0)).any()
    assert found.withheld.sum() <= at_most


@pytest.mark.reference
def test_every_protection_level_of_tau_argus_is_met(shared: Path) -> None:
    problem = pp_tab(shared)
    assert len(problem.value) == 9
    assert not any(is_protected(problem, problem.withheld, number) for number in range(9))
    found = suppress(problem)
    assert found.conceded == 0 and all_protected(problem, found.withheld)
    assert found.withheld.sum() <= 15


@pytest.mark.reference
@pytest.mark.parametrize("name", ["pp", "d1_maxN3", "d2_maxN3"])
def test_nothing_withheld_is_superfluous(shared: Path, name: str) -> None:
    if name == "pp":
        problem = pp_tab(shared)
    else:
        table, rows = gauss(shared, name)
        primary = np.array([row["primary"] == "TRUE" for row in rows])
        problem = table.problem(primary, width=np.full(primary.sum(), 3.0))
    found = suppress(problem)
    for cell in np.flatnonzero(found.secondary):
        fewer = found.withheld.copy()
        fewer[cell] = False
        assert not all_protected(problem, fewer)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Invented tables of counts or of rounded shares of known weights."""
    sizes = draw(st.sampled_from([(2, 3), (3, 3), (4,), (3, 4), (2, 2, 2)]))
    cells = crossed(*sizes)
    inner = cells.shape[1]
    weights = np.array(draw(st.lists(st.floats(1, 60), min_size=inner, max_size=inner)))
    shares = np.array(
        draw(st.lists(st.sampled_from([0.0, 0.01, 0.1, 0.3, 0.9]), min_size=inner, max_size=inner))
    )
    true, whole = cells @ (weights * shares), cells @ weights
    step = draw(st.sampled_from([0.0, 0.001, 0.01, 0.1]))
    primary = whole < draw(st.sampled_from([20.0, 40.0]))
    lower, upper = np.maximum(true - step * whole, 0), np.minimum(true + step * whole, whole)
    width = np.minimum(5.0, whole)[primary]
    changed: dict[str, Any] = {"width": width, "costs": 1.0 + whole}
    problem = Table(cells, true).problem(primary, **changed)
    system = problem.system
    known = type(system)(csr_array(cells), lower, upper, np.zeros(inner), weights)
    return Problem(**{**problem.__dict__, "system": known})


@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_no_withheld_cell_is_narrower_than_its_protection(problem: Problem) -> None:
    found = suppress(problem)
    assert found.conceded == 0
    assert (found.withheld >= problem.withheld).all()
    assert all_protected(problem, found.withheld)
    for cell in np.flatnonzero(found.secondary):
        fewer = found.withheld.copy()
        fewer[cell] = False
        assert not all(is_protected(problem, fewer, n, 1e-9) for n in range(len(problem.value)))


@settings(max_examples=15, deadline=None)
@given(problem=problems())
def test_the_same_problem_gives_the_same_pattern(problem: Problem) -> None:
    assert (suppress(problem).withheld == suppress(problem).withheld).all()
