from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.analyse.survey.design import Design
from copstats.analyse.survey.distribution import Distribution, QuantileRule
from copstats.analyse.survey.domains import form_domains
from copstats.analyse.survey.quantiles import QuantileInterval, Quantiles, quantiles
from copstats.analyse.survey.sample import Sample
from copstats.errors import EstimationError

RULES: tuple[QuantileRule, ...] = ("math", "school", "hf3", "hf4", "hf5", "hf6", "hf7", "hf8", "hf9")
NUMPY = {
    "math": "inverted_cdf",
    "school": "averaged_inverted_cdf",
    "hf4": "interpolated_inverted_cdf",
    "hf5": "hazen",
    "hf6": "weibull",
    "hf7": "linear",
    "hf8": "median_unbiased",
    "hf9": "normal_unbiased",
}
"""Names that numpy has for the definitions of Hyndman and Fan, without weights."""

DESIGNS = {
    "apistrat": Design(weight="pw", strata="stype", fpc="fpc"),
    "apiclus1": Design(weight="pw", psu="dnum", fpc="fpc"),
    "apisrs": Design(weight="pw", fpc="fpc"),
}


def distribution(values: list[float], weights: list[float]) -> Distribution:
    """Distinct values with the weights of their records."""
    distinct = sorted(set(values))
    of = [[w for v, w in zip(values, weights, strict=True) if v == value] for value in distinct]
    return Distribution(
        np.array(distinct),
        np.array([sum(found) for found in of]),
        np.array([found[0] for found in of]),
        np.array([found[-1] for found in of]),
    )


@pytest.mark.parametrize("rule", NUMPY)
@given(values=st.lists(st.integers(0, 30), min_size=1, max_size=25), share=st.sampled_from([0.13, 0.5, 0.77]))
def test_with_equal_weights_the_definitions_are_those_of_numpy(
    rule: QuantileRule, values: list[int], share: float
) -> None:
    found = distribution([float(v) for v in values], [2.5] * len(values)).quantiles(np.array([share]), rule)
    expected = np.quantile(np.array(values, float), share, method=NUMPY[rule])
    assert math.isclose(found[0], expected, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("rule", RULES)
@given(
    records=st.lists(st.tuples(st.integers(0, 9), st.floats(0.1, 50)), min_size=1, max_size=30),
    shares=st.lists(st.floats(0, 1), min_size=2, max_size=8),
)
def test_quantiles_do_not_fall_when_the_share_grows(
    rule: QuantileRule, records: list[tuple[int, float]], shares: list[float]
) -> None:
    values, weights = [float(v) for v, _ in records], [w for _, w in records]
    found = distribution(values, weights).quantiles(np.array(sorted(shares)), rule)
    assert (np.diff(found) >= -1e-9).all()
    assert min(values) <= found[0]
    assert found[-1] <= max(values)


@pytest.mark.parametrize("interval", ["mean", "xlogit", "beta", "asin", "score"])
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_interval_contains_the_estimate(interval: QuantileInterval, seed: int) -> None:
    draw = np.random.default_rng(seed)
    data = pa.table(
        {"y": draw.integers(0, 40, 60), "w": draw.uniform(1, 9, 60), "psu": draw.integers(0, 12, 60)}
    )
    found = quantiles(Sample(data, Design(weight="w", psu="psu")), "y", [0.3, 0.5], interval=interval)
    known = ~np.isnan(found.lower) & ~np.isnan(found.upper)
    assert (found.lower <= found.estimate)[known].all()
    assert (found.estimate <= found.upper)[known].all()
    notes = found.table["note"].to_pylist()
    assert [note == "" for note in notes] == known.ravel().tolist()


def test_what_does_not_exist_has_a_reason() -> None:
    data = pa.table({"y": [1.0, 2.0, None, None], "g": ["a", "a", "b", "b"]})
    sample = Sample(data, Design(psu="g"))
    found = quantiles(sample, "y", [0.5], form_domains(sample.connection, ["g"]))
    assert found.table["estimate"].to_pylist() == [1.0, None]
    assert found.table["note"].to_pylist() == ["no_degrees_of_freedom", "no_valid_answers"]


@pytest.mark.parametrize(("shares", "rule", "code"), [([1.5], "math", "E072"), ([0.5], "hf10", "E060")])
def test_calls_that_make_no_sense_are_refused(shares: list[float], rule: QuantileRule, code: str) -> None:
    with pytest.raises(EstimationError) as refused:
        quantiles(Sample(pa.table({"y": [1, 2]}), Design()), "y", shares, rule=rule)
    assert refused.value.code == code


def of_reference(
    shared: Path, name: str, rule: QuantileRule = "math", interval: QuantileInterval = "mean"
) -> tuple[Quantiles, dict[tuple[float, str], float]]:
    folder = shared / "reference" / "estimation"
    cases = json.loads((folder / "reference.json").read_text("utf-8"))["cases"]
    (case,) = [case for case in cases if case["id"] == name]
    wanted = {(float(r["term"].split("@")[1]), r["stat"]): r["value"] for r in case["results"]}
    data = pyarrow.csv.read_csv(folder / "data" / f"{case['design']}.csv")
    sample = Sample(data, DESIGNS[case["design"]])
    shares = sorted({share for share, _ in wanted})
    return quantiles(sample, "api00", shares, rule=rule, interval=interval), wanted


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "rule", "interval"),
    [
        ("apistrat.quantile", "math", "mean"),
        ("apistrat.quantile_hf7", "hf7", "mean"),
        ("apistrat.quantile_hf2", "hf2", "mean"),
        ("apiclus1.quantile", "math", "mean"),
        ("apiclus1.quantile_xlogit", "math", "xlogit"),
    ],
)
def test_quantiles_agree_with_svyquantile(
    shared: Path, name: str, rule: QuantileRule, interval: QuantileInterval
) -> None:
    found, wanted = of_reference(shared, name, rule, interval)
    for i, share in enumerate(found.shares):
        figures = {"est": found.estimate, "se": found.se, "ci_lower": found.lower, "ci_upper": found.upper}
        for stat, values in figures.items():
            assert math.isclose(values[0, i], wanted[share, stat], rel_tol=1e-9), (share, stat)


@pytest.mark.reference
def test_a_share_that_falls_between_two_records_is_not_left_to_rounding(shared: Path) -> None:
    """20 of 200 equal weights are 0.1 exactly; R takes the 21st value, because its sums are not exact."""
    found, wanted = of_reference(shared, "apisrs.quantile")
    data = pyarrow.csv.read_csv(shared / "reference" / "estimation" / "data" / "apisrs.csv")
    ordered = sorted(data["api00"].to_pylist())
    assert found.estimate[0].tolist() == [ordered[int(200 * share) - 1] for share in found.shares]
    assert [wanted[0.1, "est"], wanted[0.9, "est"]] == [ordered[20], ordered[180]]


@pytest.mark.reference
def test_score_limits_are_those_of_r_or_the_next_value(shared: Path) -> None:
    """R looks for the limits by halving, ends beside an observed value and may take the one before it."""
    found, wanted = of_reference(shared, "apiclus1.quantile_score", interval="score")
    data = pyarrow.csv.read_csv(shared / "reference" / "estimation" / "data" / "apiclus1.csv")
    distinct = sorted(set(data["api00"].to_pylist()))
    for i, share in enumerate(found.shares):
        for values, stat in ((found.lower, "ci_lower"), (found.upper, "ci_upper")):
            steps = distinct.index(values[0, i]) - distinct.index(wanted[share, stat])
            assert steps in (0, 1), (share, stat)
