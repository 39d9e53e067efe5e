"""Differences of published values: tests for many of them, ranks, and the release's tables of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import studentized_range, t

from copstats.disclose import load_profile
from copstats.disseminate.comparison import benjamini_hochberg, change, group_difference, holm, rank_sets
from copstats.disseminate.comparison.multiplicity import p_values, rounding_variance
from copstats.disseminate.comparison.ranks import critical_value
from tests.disseminate.differences import group, group_errors, pair, round_pairs

PS = (0.01, 0.02, 0.03, 0.04, 0.05, 0.0004, 0.7, 0.02, np.nan)


def test_adjusted_p_values_are_those_of_r() -> None:
    """R 4, p.adjust(p, "holm") and p.adjust(p, "BH")."""
    by_holm = (0.07, 0.12, 0.12, 0.12, 0.12, 0.0032, 0.7, 0.12, np.nan)
    by_bh = (0.04, 0.04, 0.048, 0.05333333333, 0.05714285714, 0.0032, 0.7, 0.04, np.nan)
    np.testing.assert_allclose(holm(PS), by_holm, rtol=1e-9)
    np.testing.assert_allclose(benjamini_hochberg(PS), by_bh, rtol=1e-9)


@given(st.lists(st.floats(0, 1), max_size=12), st.randoms())
def test_adjusting_keeps_order_and_never_helps(p: list[float], random: Any) -> None:
    for adjust in (holm, benjamini_hochberg):
        out = adjust(p)
        assert len(out) == len(p) and all(np.asarray(p) <= out + 1e-15) and all(out <= 1)
        assert all(np.diff(out[np.argsort(p, kind="stable")]) >= 0)
        turned = random.sample(range(len(p)), len(p))
        np.testing.assert_array_equal(adjust(np.array(p)[turned]), out[turned])
    assert all(benjamini_hochberg(p) <= holm(p) + 1e-15)


def test_p_values_follow_student_and_the_normal_distribution() -> None:
    np.testing.assert_allclose(p_values(np.array([2.0]), np.array([1.0]), 10), 2 * t.sf(2, 10), rtol=1e-12)
    np.testing.assert_allclose(p_values(np.array([-1.959964]), np.array([1.0])), 0.05, rtol=1e-6)
    assert p_values(np.array([0.0, 1.0]), np.array([0.0, 0.0])).tolist() == [1.0, 0.0]


def test_the_step_of_rounding_is_read_off_the_value() -> None:
    found = rounding_variance(np.array([24.0, 24.5, 24.6, 0.1, np.nan]))
    np.testing.assert_allclose(found, [1 / 12, 0.25 / 12, 0.01 / 12, 0.01 / 12, np.nan])


@pytest.mark.parametrize(
    ("count", "level", "of_range"),
    [
        (2, 0.95, 2.7718076),
        (3, 0.95, 3.3144932),
        (10, 0.95, 4.4741245),
        (50, 0.95, 5.6460262),
        (5, 0.9, 3.4782806),
    ],
)
def test_the_critical_value_is_that_of_the_studentised_range(
    count: int, level: float, of_range: float
) -> None:
    """R 4, qtukey(level, count, Inf); and scipy's own."""
    assert critical_value(count, level) * np.sqrt(2) == pytest.approx(of_range, abs=1e-6)
    assert critical_value(count, level) * np.sqrt(2) == pytest.approx(
        studentized_range.ppf(level, count, np.inf), rel=1e-6
    )


def test_a_rank_set_counts_what_is_surely_above_and_below() -> None:
    found = rank_sets(np.array([60.0, 31.0, 30.0, 29.0, 5.0]), np.full(5, 1.0))
    assert found.rank.tolist() == [1, 2, 3, 4, 5]
    assert found.best.tolist() == [1, 2, 2, 2, 5] and found.worst.tolist() == [1, 4, 4, 4, 5]
    tied = rank_sets(np.array([30.0, 30.0]), np.array([0.0, 0.0]))
    assert (tied.rank.tolist(), tied.best.tolist(), tied.worst.tolist()) == ([1, 1], [1, 1], [2, 2])
    assert rank_sets(np.array([30.0]), np.array([1.0])).worst.tolist() == [1]


TRUTHS = {
    "all alike, equal errors": (np.full(12, 30.0), np.full(12, 2.0)),
    "spread, unequal errors": (np.linspace(10, 40, 12), np.linspace(0.8, 3.5, 12)),
    "two groups": (np.repeat([20.0, 26.0], 6), np.tile([1.0, 2.5], 6)),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_rank_sets_hold_their_level(name: str) -> None:
    """In 4,000 rounds of surveys, published as whole per cents with errors in tenths."""
    truth, se = TRUTHS[name]
    random, rounds = np.random.default_rng(20261121), 4000
    # The true rank of a tie is any place that the tie takes; the set has to hold its best one.
    best = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    worst = (truth[None, :] >= truth[:, None]).sum(axis=1)
    held, width = 0, 0.0
    for _ in range(rounds):
        published = np.round(random.normal(truth, se))
        errors = np.sqrt(np.round(se, 1) ** 2 + rounding_variance(published))
        found = rank_sets(published, errors)
        held += bool(np.all((found.best <= best) & (worst <= found.worst)))
        width += float(np.mean(found.worst - found.best)) / rounds
    # Three standard errors of a share of 0.95 below it.
    assert held / rounds >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / rounds)
    # Nor is it held by saying nothing: for estimates all alike the critical value is exact.
    assert held / rounds <= 0.975 if name.startswith("all alike") else width < 9.5  # of 11


def changes(values: pa.Table, *pairs: dict[str, Any]) -> list[dict[str, Any]]:
    return change(values, round_pairs(*pairs), load_profile()).to_pylist()


def national(rows: list[dict[str, Any]], indicator: str = "RCD4", sex: str = "_T") -> dict[str, Any]:
    (row,) = (row for row in rows if (row["indicator"], row["sex"], row["age"]) == (indicator, sex, "_T"))
    return row


def test_a_change_worked_by_hand(values: pa.Table) -> None:
    """31.0 to 24.6; error 1.745 points.

    31.0 may be a whole per cent: root of 1.745^2 + 1/12 + 0.01/12 is 1.7688, rounded up 1.8. With 112 degrees
    of freedom t is 1.98137: 6.4 plus and minus 3.566.
    """
    row = national(changes(values, pair()))
    assert (row["value_from"], row["value_to"], row["change"], row["se"]) == (31.0, 24.6, -6.4, 1.8)
    assert (row["ci_lower"], row["ci_upper"]) == (-10.0, -2.8)
    assert row["p"] == round(2 * t.sf(6.4 / 1.8, 112), 4)
    assert (row["samples"], row["comparability"], row["reason"]) == ("independent", "B", None)
    assert (row["time_period_from"], row["time_period_to"]) == ("2023", "2026")


def test_there_is_no_change_across_class_c(values: pa.Table) -> None:
    reasons = {"comparability": "C", "comparability_reasons": "recall"}
    row = national(changes(values, pair(**reasons)))
    assert (row["value_from"], row["value_to"]) == (31.0, 24.6)
    assert row["reason"] == "not_comparable" and row["comparability_reasons"] == "recall"
    assert [row[name] for name in ("change", "se", "ci_lower", "ci_upper", "p", "samples")] == [None] * 6


def test_a_withheld_value_leaves_no_change_and_says_why(values: pa.Table) -> None:
    rows = changes(values, pair(), pair(indicator="ACC1"), pair(indicator="RCT3"))
    assert [national(rows, code)["reason"] for code in ("ACC1", "RCT3")] == ["high", "n"]
    assert national(rows, "ACC1")["se"] is None
    # In neither round measured: nothing to be told.
    assert "HLP5" not in {row["indicator"] for row in rows}


def test_cells_that_nobody_judged_have_no_change(values: pa.Table) -> None:
    assert national(changes(values, pair()), sex="F")["reason"] == "unknown"
    assert national(changes(values, pair(se=None)))["reason"] == "no_variance"
    assert national(changes(values, pair(df=0)))["reason"] == "no_variance"
    assert changes(values) == []


def test_standardised_rounds_that_are_linked_have_errors_of_independent_ones(values: pa.Table) -> None:
    standard = values.set_column(
        values.column_names.index("standardised"), "standardised", pa.array(["Y"] * values.num_rows)
    )
    rows = changes(pa.concat_tables([values, standard.cast(values.schema)]), pair(samples="linked", se=0.005))
    by_kind = {row["standardised"]: row for row in rows if (row["indicator"], row["sex"]) == ("RCD4", "_T")}
    assert (by_kind["N"]["samples"], by_kind["N"]["se"]) == ("linked", 0.6)
    # Root of twice 1.2 squared, and the rounding, rounded up.
    assert (by_kind["Y"]["samples"], by_kind["Y"]["se"]) == ("assumed_independent", 1.8)


def test_errors_of_few_answers_have_their_coarser_step(values: pa.Table) -> None:
    """RSK1 has 50 to 99 answers: halves. Root of 1.745^2 + 2/12 is 1.792."""
    assert national(changes(values, pair(indicator="RSK1")), "RSK1")["se"] == 2.0


def test_a_difference_of_groups_worked_by_hand(values: pa.Table) -> None:
    """29 less 20; root of 1.91^2 + 2/12 is 1.9532, rounded up 2.0; t of 56 degrees of freedom is 2.00324."""
    found = group_difference(values, group_errors(group()), load_profile()).to_pylist()
    (row,) = found
    assert (row["value_a"], row["value_b"], row["difference"], row["se"]) == (29.0, 20.0, 9.0, 2.0)
    assert (row["ci_lower"], row["ci_upper"]) == (4.9, 13.1)
    assert (row["p"], row["samples"], row["reason"]) == (round(2 * t.sf(4.5, 56), 4), "covariance", None)


def test_no_groups_are_compared_in_class_c(values: pa.Table) -> None:
    errors = group_errors(group(submission_id="XCC_2026_COPS_v01_M"))
    (row,) = group_difference(values, errors, load_profile()).to_pylist()
    assert (row["reason"], row["difference"], row["se"]) == ("not_comparable", None, None)
