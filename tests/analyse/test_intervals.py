from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from copstats.analyse.intervals import (
    Array,
    adjusted_size,
    beta_limits,
    effective_size,
    korn_graubard_limits,
    logit_limits,
    mean_limits,
    t_quantile,
)


def one(value: float) -> Array:
    return np.array([float(value)])


@pytest.mark.parametrize(("df", "printed"), [(1, 12.706), (4, 2.776), (30, 2.042), (120, 1.980)])
def test_t_quantile_equals_printed_tables(df: int, printed: float) -> None:
    assert round(float(t_quantile(one(df))[0]), 3) == printed


def test_logit_limits_by_hand() -> None:
    # p = 0.5, se 0.05, df 4: log-odds 0, half width 2.776445105 * 0.05 / 0.25.
    half = 2.7764451051977987 * 0.05 / 0.25
    lower, upper = logit_limits(one(0.5), one(0.05), one(4))
    assert math.isclose(lower[0], 1 / (1 + math.exp(half)), rel_tol=1e-12)
    assert math.isclose(upper[0], 1 / (1 + math.exp(-half)), rel_tol=1e-12)


@given(st.integers(1, 60), st.integers(1, 60))
def test_beta_limits_of_a_simple_random_sample_are_those_of_clopper_and_pearson(
    events: int, others: int
) -> None:
    n = events + others
    exact = stats.binomtest(events, n).proportion_ci(0.95, method="exact")
    lower, upper = beta_limits(one(events / n), one(n))
    assert math.isclose(lower[0], exact.low, rel_tol=1e-7)
    assert math.isclose(upper[0], exact.high, rel_tol=1e-7)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_no_or_only_events(p: float) -> None:
    n, df = 437, 30
    assert np.isnan(logit_limits(one(p), one(0), one(df))).all()
    lower, upper = korn_graubard_limits(one(p), one(0), one(n), one(df))
    # Clopper and Pearson without events: 1 - 0.025^(1/n).
    width = 1 - 0.025 ** (1 / n)
    assert math.isclose(upper[0] - lower[0], width, rel_tol=1e-9)
    assert {lower[0], upper[0]} & {p}


def test_no_degrees_of_freedom_give_no_limits() -> None:
    for df in (0.0, -1.0, math.nan):
        assert np.isnan(mean_limits(one(3), one(1), one(df))).all()
        assert np.isnan(logit_limits(one(0.3), one(0.1), one(df))).all()
        assert np.isnan(korn_graubard_limits(one(0.3), one(0.01), one(50), one(df))).all()
        assert np.isnan(korn_graubard_limits(one(0), one(0), one(50), one(df))).all()


def test_the_effective_size_is_capped_at_the_number_of_answers_by_korn_graubard_only() -> None:
    p, variance, n, df = one(0.2), one(0.2 * 0.8 / 500), one(100), one(40)
    assert math.isclose(effective_size(p, variance, n)[0], 500)
    capped = korn_graubard_limits(p, variance, n, df)
    assert np.allclose(capped, beta_limits(p, n), rtol=1e-12)


def test_fewer_degrees_of_freedom_make_the_adjusted_size_smaller() -> None:
    sizes = [float(adjusted_size(one(100), one(101), one(df))[0]) for df in (2, 5, 20, 100)]
    assert sizes == sorted(sizes)
    assert math.isclose(sizes[-1], 100, rel_tol=1e-12)


@given(
    st.floats(0, 1),
    st.floats(1e-9, 0.05),
    st.integers(2, 5000),
    st.integers(1, 400),
)
def test_limits_of_proportions_lie_between_0_and_1_around_the_estimate(
    p: float, variance: float, n: int, df: int
) -> None:
    for lower, upper in (
        korn_graubard_limits(one(p), one(variance), one(n), one(df)),
        logit_limits(one(p), np.sqrt(one(variance)), one(df)),
    ):
        if not np.isnan(lower[0]):
            assert 0 <= lower[0] <= p + 1e-12
            assert p - 1e-12 <= upper[0] <= 1
