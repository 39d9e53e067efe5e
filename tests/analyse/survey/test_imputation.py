"""Rubin's rules on a table that can be computed by hand, and what they must give in the limits."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats import Design, Estimates, combine_imputations, estimate
from copstats.analyse.survey.imputation import missing_information
from copstats.errors import EstimationError

DESIGN = Design()


def completed(*answers: list[float]) -> list[Estimates]:
    """The mean of each completed data set, of a simple random sample."""
    return [estimate(pa.table({"y": values}), DESIGN, "mean(y)") for values in answers]


def test_rubins_rules_by_hand() -> None:
    """Means 2, 3, 4 of four records; s^2/n = 2/3, 2/3, 2/3; B = 1; m = 3."""
    parts = completed([1, 1, 3, 3], [2, 2, 4, 4], [3, 3, 5, 5])
    found = combine_imputations(parts)
    within, between, m = 1 / 3, 1.0, 3
    for part in parts:
        assert part.covariance[0, 0] == pytest.approx(within, rel=1e-15)
    total = within + (1 + 1 / m) * between
    assert found.estimate[0] == 3
    assert found.covariance[0, 0] == pytest.approx(total, rel=1e-14)
    r = (1 + 1 / m) * between / within
    df = (m - 1) * (1 + 1 / r) ** 2
    assert found.df[0] == pytest.approx(df, rel=1e-14)
    assert missing_information(parts)[0] == pytest.approx((r + 2 / (df + 3)) / (r + 1), rel=1e-14)


def test_limits_take_the_combined_degrees_of_freedom() -> None:
    """Not those of the samples, which have four records each."""
    found = combine_imputations(completed([1, 1, 3, 3], [2, 2, 4, 4], [3, 3, 5, 5]))
    (row,) = found.table.to_pylist()
    assert row["df"] == pytest.approx(3.125, rel=1e-14)
    half = (row["ci_upper"] - row["ci_lower"]) / 2
    assert half / row["se"] == pytest.approx(3.1126, rel=1e-3)  # between t(3) = 3.182 and t(4) = 2.776


def test_complete_data_bound_the_degrees_of_freedom() -> None:
    parts = completed([1, 1, 3, 3], [2, 2, 4, 4], [3, 3, 5, 5])
    assert combine_imputations(parts, complete_df=3).df[0] < combine_imputations(parts).df[0]
    same = completed([1, 1, 3, 3], [1, 1, 3, 3])
    assert math.isinf(combine_imputations(same).df[0])
    # Barnard and Rubin's (nu + 1)/(nu + 3) nu, where no information is missing.
    assert combine_imputations(same, complete_df=3).df[0] == pytest.approx(4 / 6 * 3, rel=1e-15)
    assert missing_information(same)[0] == 0


def test_no_spread_at_all_is_no_division_by_zero() -> None:
    same = completed([1, 1, 1], [1, 1, 1])
    found = combine_imputations(same, complete_df=2)
    assert (found.covariance[0, 0], found.df[0]) == (0, 2)
    apart = completed([1, 1, 1], [2, 2, 2])
    found = combine_imputations(apart)
    assert (found.covariance[0, 0], found.df[0]) == (1.5 * 0.5, 1)
    assert missing_information(apart)[0] == 1


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_combined_estimates_have_a_covariance(seed: int, sets: int) -> None:
    """The difference of two rows combined is the combination of the differences."""
    random = np.random.default_rng(seed)
    fixed = {"w": random.uniform(1, 3, 40), "i": np.arange(40) // 4, "d": ["a", "b"] * 20}
    parts = [
        estimate(
            pa.table(fixed | {"y": random.normal(10, 2, 40)}), Design(weight="w", psu="i"), "mean(y)", by="d"
        )
        for _ in range(sets)
    ]
    a, b = {"d": "a"}, {"d": "b"}
    together = combine_imputations(parts).difference(a, b)
    apart = combine_imputations([part.difference(a, b) for part in parts])
    np.testing.assert_allclose(together.estimate, apart.estimate, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(together.covariance, apart.covariance, rtol=1e-10)


def test_what_cannot_be_combined_is_refused() -> None:
    one = completed([1, 2, 3])
    other = [estimate(pa.table({"y": [1, 2]}), DESIGN, "total(y)")]
    for parts in ([], one, one + other):
        with pytest.raises(EstimationError) as refused:
            combine_imputations(parts)
        assert refused.value.code == "E022"
