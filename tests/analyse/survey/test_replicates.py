"""Replicate weights and the jackknife of `copstats.estimate`: by hand, and where theory equates them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats import Design, ReplicateWeights, estimate
from copstats.analyse.survey.replicates import replication_of
from copstats.errors import EstimationError
from tests.reference.r_survey import CASES, DESIGNS, records_of

STRATA, PSUS, EACH = 3, 4, 5


def sample(seed: int = 5, strata: int = STRATA) -> pa.Table:
    """Strata of four PSUs of five records; the last stratum has one PSU more."""
    random = np.random.default_rng(seed)
    rows = [(h, i) for h in range(strata) for i in range(PSUS + (h == strata - 1)) for _ in range(EACH)]
    count = len(rows)
    return pa.table(
        {
            "h": [h for h, _ in rows],
            "i": [i for _, i in rows],
            "w": random.uniform(1, 9, count),
            "x": random.normal(50, 9, count),
            "y": random.integers(0, 2, count),
            "d": random.choice(["a", "b"], count),
            "population": [20 + h for h, _ in rows],
        }
    )


def with_replicates(data: pa.Table) -> tuple[pa.Table, list[str], list[float]]:
    """Leave out each PSU in turn, record by record: the weights that the closed form does without."""
    places = list(zip(data["h"].to_pylist(), data["i"].to_pylist(), strict=True))
    columns, rscales = [], []
    for h, i in dict.fromkeys(places):
        n = len({psu for stratum, psu in places if stratum == h})
        times = [n / (n - 1) if s == h else 1.0 for s, _ in places]
        times = [0.0 if place == (h, i) else t for place, t in zip(places, times, strict=True)]
        columns.append(f"r{len(columns)}")
        rscales.append((n - 1) / n)
        data = data.append_column(columns[-1], pa.array(data["w"].to_numpy() * times))
    return data, columns, rscales


FORMULAS = ("mean(x)", "proportion(d)", "ratio(x, y + 1)", "total(y)")


@pytest.mark.parametrize("mse", [True, False])
@pytest.mark.parametrize("by", [(), ("d",)])
def test_the_closed_form_is_the_jackknife_by_replicate_weights(mse: bool, by: tuple[str, ...]) -> None:
    data, columns, rscales = with_replicates(sample())
    replicates = ReplicateWeights(columns, "JKn", rscales=rscales, mse=mse)
    weighted = estimate(data, Design(weight="w", replicates=replicates), *FORMULAS, by=by)
    closed = Design(weight="w", strata="h", psu="i", jackknife="estimate" if mse else "mean")
    found = estimate(data, closed, *FORMULAS, by=by)
    np.testing.assert_allclose(found.estimate, weighted.estimate, rtol=1e-13)
    np.testing.assert_allclose(found.covariance, weighted.covariance, rtol=1e-9, atol=1e-14)
    if not by:
        np.testing.assert_array_equal(found.df, weighted.df)


@pytest.mark.parametrize("centre", ["estimate", "mean"])
@pytest.mark.parametrize("fpc", [None, "population"])
def test_the_jackknife_of_a_total_is_its_linearisation(centre: Any, fpc: str | None) -> None:
    """A total is linear: both are the same number. The mean of the replicates is the total itself."""
    data = sample()
    taylor = estimate(data, Design(weight="w", strata="h", psu="i", fpc=fpc), "total(x)", "count(d)")
    design = Design(weight="w", strata="h", psu="i", fpc=fpc, jackknife=centre)
    jackknife = estimate(data, design, "total(x)", "count(d)")
    np.testing.assert_allclose(jackknife.covariance, taylor.covariance, rtol=1e-11)
    np.testing.assert_array_equal(jackknife.df, taylor.df)


@pytest.mark.parametrize("single_psu", ["adjust", "remove", "certainty", "average"])
def test_a_psu_alone_counts_as_in_linearisation(single_psu: Any) -> None:
    data = sample()
    alone = data.filter(pa.array([h > 0 or i == 0 for h, i in zip(*_codes(data), strict=True)]))
    one = Design(weight="w", strata="h", psu="i", single_psu=single_psu)
    other = Design(weight="w", strata="h", psu="i", single_psu=single_psu, jackknife="estimate")
    first, second = (estimate(alone, design, "total(x)") for design in (one, other))
    np.testing.assert_allclose(second.covariance, first.covariance, rtol=1e-11)


def _codes(data: pa.Table) -> tuple[list[int], list[int]]:
    return data["h"].to_pylist(), data["i"].to_pylist()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([8, 32]))
def test_the_jackknife_of_a_mean_nears_its_linearisation(seed: int, strata: int) -> None:
    """The ratio of the variances is 1 + O(1/PSUs)."""
    data = sample(seed, strata)
    taylor, jackknife = (
        estimate(data, Design(weight="w", strata="h", psu="i", jackknife=centre), "mean(x)").covariance[0, 0]
        for centre in (None, "estimate")
    )
    assert abs(jackknife / taylor - 1) < 4 / (strata * PSUS)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "strata", "centre"),
    [
        ("rep_jkn_A", "stratum", "mean"),
        ("rep_jkn_A_mse", "stratum", "estimate"),
        ("rep_jkn_B", "stratum", "mean"),
        ("rep_jk1_A", None, "mean"),
    ],
)
def test_the_closed_form_gives_the_numbers_of_r(name: str, strata: str | None, centre: Any) -> None:
    records = records_of(name)
    psu = "psu" if strata else "stratum || '.' || psu"
    design = Design(weight="w", strata=strata, psu=psu, jackknife=centre)
    compared = 0
    for case, formula in (("mean", "mean({})"), ("mean_missing", "mean({})"), ("total", "total({})")):
        for result in CASES.get(f"{name}.{case}", {"results": []})["results"]:
            if result["stat"] not in ("est", "se") or result["term"] == "one":
                continue
            found = estimate(records, design, formula.format(result["term"]))
            value = {"est": found.estimate, "se": found.se}[result["stat"]][0]
            assert math.isclose(value, result["value"], rel_tol=1e-9, abs_tol=1e-12)
            compared += 1
    assert compared >= 4
    assert estimate(records, design, "mean(y_online)").df[0] == DESIGNS[name]["rep"]["degf"]


def test_calibrated_weights_have_a_smaller_jackknife() -> None:
    """Residuals are left out in turn: their linearised and jackknife variances of a total are the same."""
    from copstats import Calibration

    data = sample()
    calibration = Calibration("w", margins=[["d"]])
    variances = [
        estimate(
            data,
            Design(weight="w", strata="h", psu="i", calibration=calibration, jackknife=centre),
            "total(x)",
        ).covariance[0, 0]
        for centre in (None, "estimate")
    ]
    assert math.isclose(*variances, rel_tol=1e-11)
    plain = estimate(data, Design(weight="w", strata="h", psu="i"), "total(x)").covariance[0, 0]
    assert variances[0] < plain


@pytest.mark.parametrize(
    ("kind", "options", "scale"),
    [
        ("JK1", {}, 3 / 4),
        ("JK2", {}, 1),
        ("JKn", {"rscales": 0.5}, 1),
        ("BRR", {}, 1 / 4),
        ("Fay", {"rho": 0.5}, 1),
        ("bootstrap", {}, 1 / 3),
        ("successive-difference", {}, 1),
        ("other", {"scale": 2, "rscales": 1}, 2),
        ("BRR", {"scale": 7.5}, 7.5),
    ],
)
def test_factors_by_method(kind: Any, options: dict[str, Any], scale: float) -> None:
    """Four replicates; the values of R's ``svrepdesign``."""
    found = replication_of(ReplicateWeights(["a", "b", "c", "d"], kind, **options))
    assert math.isclose(found.scale, scale, rel_tol=1e-15)
    assert found.rscales.tolist() == [options.get("rscales", 1)] * 4


def test_the_variance_is_the_sum_of_the_definition() -> None:
    moved = np.array([[1.0], [4.0], [9.0]])
    rscales = [1.0, 0.5, 0.0]
    for mse, wanted in ((True, 2 * (1 * 1 + 0.5 * 4)), (False, 2 * (1 * 2.25 + 0.5 * 2.25))):
        weights = ReplicateWeights(["a", "b", "c"], "other", scale=2, rscales=rscales, mse=mse)
        assert replication_of(weights).variance(np.array([2.0]), moved)[0] == pytest.approx(wanted)
        assert replication_of(weights).covariance(np.array([2.0]), moved)[0, 0] == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [
        ("JKn", {}, "E025"),
        ("other", {"rscales": 1}, "E025"),
        ("BRR", {"rscales": [1.0, 1.0]}, "E025"),
        ("half-samples", {}, "E025"),
        ("Fay", {}, "E026"),
        ("Fay", {"rho": 1.0}, "E026"),
        ("JK1", {"rho": 0.3}, "E026"),
        ("JK1", {"scale": 0.0}, "E027"),
        ("JK1", {"rscales": math.nan}, "E027"),
        ("JK1", {"rscales": [1.0, 1.0, -1.0]}, "E027"),
    ],
)
def test_factors_that_do_not_fit_are_refused(kind: Any, options: dict[str, Any], code: str) -> None:
    with pytest.raises(EstimationError) as refused:
        replication_of(ReplicateWeights(["a", "b", "c"], kind, **options))
    assert refused.value.code == code
    assert refused.value.hint


def refusal(data: pa.Table, **design: Any) -> str:
    with pytest.raises(EstimationError) as refused:
        estimate(data, Design(weight="w", **design), "mean(y)")
    return str(refused.value.code)


def test_what_cannot_be_replicated_is_refused() -> None:
    data, columns, rscales = with_replicates(sample())
    for value in (None, math.inf, math.nan):
        weights = data[columns[0]].to_pylist()
        weights[0] = value
        broken = data.set_column(data.schema.get_field_index(columns[0]), columns[0], pa.array(weights))
        replicates = ReplicateWeights(columns, "JKn", rscales=rscales)
        assert refusal(broken, replicates=replicates) == "E013"
    assert refusal(data, replicates=ReplicateWeights(columns[:1], "JK1")) == "E028"
    assert refusal(data, psu="1", jackknife="mean") == "E028"
    assert refusal(data, replicates=ReplicateWeights(["r99", "r0"], "JK1")) == "E031"
    assert refusal(data, strata="w", psu="i", jackknife="mean", single_psu="fail") == "E005"
    with pytest.raises(EstimationError) as refused:
        Design(jackknife="mean", replicates=ReplicateWeights(columns, "JK1"))
    assert refused.value.code == "E029"


def test_a_replicate_without_answers_is_noted() -> None:
    """Only one PSU answers: without it there is no estimate, and R would leave that replicate out."""
    data = sample()
    only = "CASE WHEN h = 0 AND i = 0 THEN x END"
    design = Design(weight="w", strata="h", psu="i", jackknife="estimate")
    (row,) = estimate(data, design, f"mean({only})", df=9).table.to_pylist()
    assert (row["se"], row["note"]) == (None, "replicate_without_answers")
