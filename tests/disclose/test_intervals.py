from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from copstats.disclose.intervals import InfeasibleSystem, LinearSystem, feasible_intervals
from tests.disclose.tables import gauss

INF = np.inf


def system(
    rows: list[list[float]], row_limits: list[tuple[float, float]], upper: list[float]
) -> LinearSystem:
    lower, most = (np.array(limits, float) for limits in zip(*row_limits, strict=True))
    return LinearSystem(csr_array(np.array(rows)), lower, most, np.zeros(len(upper)), np.array(upper))


@pytest.mark.reference
@pytest.mark.parametrize(
    "name",
    [
        "d1_maxN3",
        "d1_maxN3_rangeMin5",
        "d2_maxN3",
        "example1_maxN5_rangeMin4_linked",
        "magnitude1_dominance",
        pytest.param("d3_maxN3", marks=pytest.mark.nightly),
    ],
)
def test_agrees_with_gauss_suppression(shared: Path, name: str) -> None:
    """``lo`` and ``up`` of GaussSuppression 1.2.3 with Rglpk, for its own pattern of suppressed cells."""
    table, found = gauss(shared, name)
    published = np.array([row["suppressed"] != "TRUE" for row in found])
    asked = [i for i, row in enumerate(found) if row["lo"] != "NA"]
    expected = np.array([[float(found[i]["lo"]), float(found[i]["up"])] for i in asked])
    inner = table.cells.shape[1]
    known = LinearSystem(
        csr_array(table.cells[published]),
        table.values[published],
        table.values[published],
        np.zeros(inner),
        np.full(inner, INF),
    )
    assert len(asked) >= 3
    np.testing.assert_allclose(feasible_intervals(known, csr_array(table.cells[asked])), expected, atol=1e-9)


def test_a_table_by_hand() -> None:
    """Rows 5 and 6, columns 4 and 7: the first cell lies between 0 and 4, its neighbour between 1 and 5."""
    known = system(
        [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]],
        [(5, 5), (6, 6), (4, 4), (7, 7)],
        [INF] * 4,
    )
    found = feasible_intervals(known, csr_array(np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 1]])))
    assert found.tolist() == [[0, 4], [1, 5], [2, 10]]


def test_what_nothing_limits_is_infinite() -> None:
    known = system([[1, -1, 0]], [(0, 0)], [INF, INF, 3])
    found = feasible_intervals(known, csr_array(np.array([[1.0, 0, 0], [1, -1, 0], [0, 0, 1], [0, 0, 0]])))
    assert found.tolist() == [[0, INF], [0, 0], [0, 3], [0, 0]]


def test_a_sum_over_parts_that_share_no_relation_has_the_sum_of_their_limits() -> None:
    known = system([[1, 1, 0, 0], [0, 0, 1, 1]], [(5, 5), (2, 3)], [INF, INF, INF, 1])
    found = feasible_intervals(known, csr_array(np.array([[1.0, 0, 1, 0], [1, 1, 1, 1]])))
    assert found.tolist() == [[1, 8], [7, 8]]


def test_a_contradiction_is_told() -> None:
    with pytest.raises(InfeasibleSystem):
        feasible_intervals(system([[1, 1]], [(3, 4)], [1, 1]), csr_array(np.array([[1.0, 0]])))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_agrees_with_another_way_to_the_solver(data: st.DataObject) -> None:
    rows, unknowns = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 6))
    coefficients = st.sampled_from([-2.0, -1.0, 0.0, 0.0, 1.0, 1.0])
    matrix = np.array([[data.draw(coefficients) for _ in range(unknowns)] for _ in range(rows)])
    point = np.array([data.draw(st.integers(0, 9)) for _ in range(unknowns)], float)
    slack = np.array([data.draw(st.sampled_from([0.0, 0.5, 3.0])) for _ in range(rows)])
    upper = np.array([data.draw(st.sampled_from([9.0, 20.0, INF])) for _ in range(unknowns)])
    measured = np.array([[data.draw(coefficients) for _ in range(unknowns)] for _ in range(2)])
    true = matrix @ point
    known = LinearSystem(csr_array(matrix), true - slack, true + slack, np.zeros(unknowns), upper)
    both = np.vstack([matrix, -matrix]), np.concatenate([true + slack, slack - true])
    bounds = [(0, None if limit == INF else limit) for limit in upper]
    for target, (least, most) in zip(measured, feasible_intervals(known, csr_array(measured)), strict=True):
        for side, found in ((1, least), (-1, most)):
            # scipy's presolve calls some of these systems infeasible, although `point` fulfils them.
            solved = linprog(side * target, *both, bounds=bounds, options={"presolve": False})
            assert solved.status in (0, 3)
            assert found == (pytest.approx(side * solved.fun, abs=1e-6) if not solved.status else -side * INF)
