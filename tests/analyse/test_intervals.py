from __future__ import annotations

import json
import math
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from copstats.analyse.intervals import (
    Array,
    ProportionMethod,
    adjusted_size,
    asin_limits,
    beta_limits,
    effective_size,
    korn_graubard_limits,
    likelihood_limits,
    logit_limits,
    mean_limits,
    proportion_limits,
    t_quantile,
    wilson_limits,
)
from copstats.errors import EstimationError


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


METHODS: tuple[ProportionMethod, ...] = get_args(ProportionMethod)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("p", [0.0, 1.0])
def test_only_two_methods_have_limits_without_variation(method: ProportionMethod, p: float) -> None:
    lower, upper = proportion_limits(method, one(p), one(0), one(50), one(20))
    if method == "mean":
        assert (lower[0], upper[0]) == (p, p)
    elif method == "korn_graubard":
        assert lower[0] <= p <= upper[0]
        assert lower[0] < upper[0]
    else:
        assert np.isnan([lower[0], upper[0]]).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("change", [{"df": 0.0}, {"df": math.nan}, {"p": math.nan}, {"se": math.nan}])
def test_what_is_missing_gives_no_limits(method: ProportionMethod, change: dict[str, float]) -> None:
    figures = {"p": 0.3, "se": 0.05, "n": 50.0, "df": 20.0} | change
    lower, upper = proportion_limits(method, *(one(figures[name]) for name in ("p", "se", "n", "df")))
    assert np.isnan([lower[0], upper[0]]).all()


@given(
    st.sampled_from(METHODS),
    st.floats(0.001, 0.999),
    st.floats(0.01, 1),
    st.integers(2, 5000),
    st.integers(2, 400),
)
def test_limits_enclose_the_estimate_and_mirror_when_answers_are_turned_round(
    method: ProportionMethod, p: float, share: float, n: int, df: int
) -> None:
    se = share * math.sqrt(p * (1 - p))
    lower, upper = proportion_limits(method, one(p), one(se), one(n), one(df))
    assert lower[0] <= p + 1e-12
    assert p - 1e-12 <= upper[0]
    if method != "mean":
        assert 0 <= lower[0] <= upper[0] <= 1
    other_lower, other_upper = proportion_limits(method, one(1 - p), one(se), one(n), one(df))
    assert math.isclose(1 - other_upper[0], lower[0], rel_tol=1e-6, abs_tol=1e-9)
    assert math.isclose(1 - other_lower[0], upper[0], rel_tol=1e-6, abs_tol=1e-9)


@given(st.integers(1, 60), st.integers(1, 60))
def test_wilson_limits_of_a_simple_random_sample_are_those_of_scipy(events: int, others: int) -> None:
    n = events + others
    p = events / n
    expected = stats.binomtest(events, n).proportion_ci(0.95, method="wilson")
    lower, upper = wilson_limits(one(p), one(math.sqrt(p * (1 - p) / n)), one(math.inf))
    assert math.isclose(lower[0], expected.low, rel_tol=1e-9)
    assert math.isclose(upper[0], expected.high, rel_tol=1e-9)


@given(st.floats(0.001, 0.999), st.floats(1e-4, 2), st.integers(3, 1000))
def test_likelihood_limits_solve_their_equation(p: float, share: float, n: int) -> None:
    se, t = share * math.sqrt(p * (1 - p)), 1.959963984540054
    target = t**2 * n / (n - 1) * se**2 / (2 * p * (1 - p))
    for q in likelihood_limits(one(p), one(se), one(n), one(math.inf)):
        if 1e-12 < q[0] < 1 - 1e-12:
            divergence = p * math.log(p / q[0]) + (1 - p) * math.log((1 - p) / (1 - q[0]))
            assert math.isclose(divergence, target, rel_tol=1e-4, abs_tol=1e-13)


def test_arcsine_limits_stop_at_the_ends() -> None:
    lower, upper = asin_limits(one(0.01), one(0.03), one(10))
    assert lower[0] == 0
    assert 0.01 < upper[0] < 1


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(EstimationError) as refused:
        proportion_limits("exact", one(0.3), one(0.1), one(9), one(9))  # type: ignore[arg-type]
    assert refused.value.code == "E060"


CLOSE = {"logit": 1e-6, "likelihood": 3e-5}
"""R fits the model of `logit` until it has converged, and reads `likelihood` from a line between points."""


@pytest.mark.reference
def test_limits_agree_with_svyciprop(shared: Path) -> None:
    cases = json.loads((shared / "reference" / "estimation" / "reference.json").read_text("utf-8"))["cases"]
    sizes = {"apistrat": 200, "apistrat_nofpc": 200, "apisrs": 200, "apiclus1": 183, "apiclus1_nofpc": 183}
    sizes |= {"apiclus2": 126, "apiclus2_wr": 126}
    compared = 0
    for case in cases:
        if case["design"] not in sizes or ".ciprop_" not in case["id"]:
            continue
        method = case["params"]["method"]
        wanted = {result["stat"]: result["value"] for result in case["results"]}
        # The estimate that R prints for a fitted model has fewer digits than the others.
        figures = (wanted["est"], wanted["se"], sizes[case["design"]], case["params"]["df"])
        lower, upper = proportion_limits(method, *map(one, figures))
        close = CLOSE.get(method, 1e-9)
        assert math.isclose(lower[0], wanted["ci_lower"], rel_tol=close), (case["id"], lower[0])
        assert math.isclose(upper[0], wanted["ci_upper"], rel_tol=close), (case["id"], upper[0])
        compared += 1
    assert compared == 42
