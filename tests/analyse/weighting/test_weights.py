from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.analyse.survey.covariance import taylor_covariance
from copstats.analyse.survey.design import Design
from copstats.analyse.survey.sample import Sample
from copstats.analyse.weighting.calibration import Method, calibrate
from copstats.analyse.weighting.classes import adjust_nonresponse
from copstats.analyse.weighting.diagnostics import Weighted, diagnose, diagnose_classes
from copstats.analyse.weighting.raking import post_stratify, rake
from copstats.analyse.weighting.residuals import residual_of
from copstats.analyse.weighting.trimming import trim
from copstats.errors import EstimationError

SEX = pa.table({"sex": ["f", "m"], "total": [480.0, 520.0]})
AREA = pa.table({"area": [1, 2, 3], "total": [500.0, 300.0, 200.0]})


def people(seed: int, n: int = 120) -> pa.Table:
    draw = np.random.default_rng(seed)
    sex, area = np.arange(n) % 2, np.arange(n) % 3 + 1
    return pa.table(
        {
            "sex": [("f", "m")[i] for i in sex],
            "area": area,
            "income": draw.lognormal(3, 1, n),
            "w": draw.uniform(2, 12, n),
        }
    )


def totals(records: pa.Table, found: Weighted, by: str) -> list[float]:
    table = records.append_column("after", found.weights).group_by(by).aggregate([("after", "sum")])
    sums: list[float] = table.sort_by(by)["after_sum"].to_pylist()
    return sums


def as_array(values: pa.DoubleArray) -> np.ndarray[Any, np.dtype[np.float64]]:
    return values.to_numpy(zero_copy_only=False)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(1e-4, 1e4))
def test_raking_reproduces_the_margins_whatever_the_size_of_base_weights(seed: int, scale: float) -> None:
    records = people(seed)
    found = rake(records, "w", [SEX, AREA])
    assert np.allclose(totals(records, found, "sex"), [480, 520], rtol=1e-10)
    assert np.allclose(totals(records, found, "area"), [500, 300, 200], rtol=1e-10)
    scaled = records.set_column(3, "w", pa.array(as_array(records["w"].combine_chunks()) * scale))
    again = rake(scaled, "w", [SEX, AREA])
    assert np.allclose(as_array(again.weights), as_array(found.weights), rtol=1e-9)
    assert found.diagnostics.population == 1000


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from(["linear", "raking", "logit"]))
def test_calibration_meets_totals_within_its_bounds(seed: int, method: Method) -> None:
    records = people(seed)
    base = rake(records, "w", [SEX, AREA])
    income = float(as_array(base.weights) @ as_array(records["income"].combine_chunks())) * 1.05
    raked = records.append_column("r", base.weights)
    found = calibrate(raked, "r", [SEX], {"income": income}, method=method, bounds=(0.3, 3))
    assert math.isclose(
        as_array(found.weights) @ as_array(records["income"].combine_chunks()), income, rel_tol=1e-9
    )
    assert np.allclose(totals(records, found, "sex"), [480, 520], rtol=1e-9)
    assert 0.3 <= min(as_array(found.factors)) <= max(as_array(found.factors)) <= 3


def test_calibration_to_the_number_of_people_by_hand() -> None:
    records = pa.table({"x": [1.0, 2.0, 3.0], "w": [10.0, 10.0, 10.0]})
    found = calibrate(records, "w", totals={"1": 60})
    assert as_array(found.weights).tolist() == pytest.approx([20, 20, 20])
    # Sum of w x = 60 to 66 and sum of w = 30 kept: factors 1 + b (x - 2) with 20 b = 6.
    found = calibrate(records, "w", totals={"1": 30, "x": 66})
    assert as_array(found.weights).tolist() == pytest.approx([7, 10, 13])


def test_bounds_that_are_too_narrow_are_refused() -> None:
    records = people(1)
    with pytest.raises(EstimationError) as refused:
        calibrate(records, "w", [SEX], bounds=(0.9, 1.1), method="linear", iterations=5)
    assert refused.value.code == "E066"


@pytest.mark.parametrize(
    ("change", "margin", "code"),
    [
        ({"w": [1.0, None, 1.0]}, SEX, "E061"),
        ({"w": [1.0, -1.0, 1.0]}, SEX, "E061"),
        ({"sex": ["f", "m", None]}, SEX, "E062"),
        ({"sex": ["f", "m", "x"]}, SEX, "E062"),
        ({"sex": ["f", "f", "f"]}, SEX, "E064"),
        ({}, pa.table({"sex": ["f", "m"]}), "E063"),
        ({}, pa.table({"sex": ["f", "m", "m"], "total": [1, 2, 3]}), "E063"),
        ({}, pa.table({"sex": ["f", "m"], "total": [1, None]}), "E063"),
        ({}, pa.table({"gender": ["f", "m"], "total": [1, 2]}), "E070"),
    ],
)
def test_population_tables_that_do_not_fit_are_refused(
    change: dict[str, Any], margin: pa.Table, code: str
) -> None:
    records = pa.table({"sex": ["f", "m", "f"], "w": [1.0, 1.0, 1.0]} | change)
    with pytest.raises(EstimationError) as refused:
        post_stratify(records, "w", margin)
    assert refused.value.code == code


def test_population_tables_with_different_totals_are_refused() -> None:
    with pytest.raises(EstimationError) as refused:
        rake(people(1), "w", [SEX, pa.table({"area": [1, 2, 3], "total": [500, 300, 201]})])
    assert refused.value.code == "E065"


def test_crossed_categories_and_numbers_as_text() -> None:
    records = pa.table({"sex": ["f", "m", "f", "m"], "area": [1, 1, 2, 2], "w": [1.0, 2.0, 3.0, 4.0]})
    margin = pa.table({"sex": ["m", "f", "f", "m"], "area": ["2", "2", "1", "1"], "total": [40, 30, 10, 20]})
    assert as_array(post_stratify(records, "w", margin).weights).tolist() == [10, 20, 30, 40]


def units(counts: dict[tuple[str, int], tuple[int, int]]) -> pa.Table:
    """(region, school) -> respondents and others, each with weight 1."""
    rows = [
        {"region": region, "school": school, "answered": i < yes, "w": 1.0}
        for (region, school), (yes, no) in counts.items()
        for i in range(yes + no)
    ]
    return pa.Table.from_pylist(rows)


def test_respondents_carry_the_weight_of_their_class() -> None:
    records = units({("a", 1): (40, 10), ("a", 2): (20, 20)})
    found = adjust_nonresponse(records, "w", ["region", "school"], "answered")
    assert sorted(set(as_array(found.weights).tolist())) == [0, 1.25, 2]
    assert found.diagnostics.sum_after == pytest.approx(90)
    assert found.diagnostics.merged_classes == 0


def test_a_small_class_joins_the_neighbour_with_which_it_shares_most() -> None:
    records = units({("a", 1): (60, 0), ("b", 1): (5, 5), ("b", 2): (45, 45), ("c", 1): (30, 0)})
    found = adjust_nonresponse(records, "w", ["region", "school"], "answered")
    assert found.classes is not None
    assert found.classes["class_no"].to_pylist() == [1, 2, 2, 3]
    assert found.classes["factor"].to_pylist() == [1, 2, 2, 1]


def test_a_class_without_respondents_and_a_missing_value_are_classes_too() -> None:
    rows = [{"region": None, "answered": False, "w": 3.0}] * 5 + [
        {"region": "a", "answered": True, "w": 1.0}
    ] * 25
    found = adjust_nonresponse(pa.Table.from_pylist(rows), "w", ["region"], "answered")
    assert found.diagnostics.merged_classes == 1
    assert found.diagnostics.sum_after == pytest.approx(40)


@pytest.mark.parametrize(("answered", "code"), [([True, None], "E068"), ([False, False], "E069")])
def test_outcomes_that_cannot_be_used_are_refused(answered: list[bool | None], code: str) -> None:
    records = pa.table({"answered": pa.array(answered, pa.bool_()), "w": [1.0, 1.0]})
    with pytest.raises(EstimationError) as refused:
        adjust_nonresponse(records, "w", [], "answered")
    assert refused.value.code == code


@settings(max_examples=50)
@given(st.lists(st.floats(0.1, 100), min_size=5, max_size=60), st.floats(1.5, 8))
def test_trimming_keeps_the_sum_and_the_limit(weights: list[float], limit: float) -> None:
    records = pa.table({"w": weights})
    highest = limit * float(np.median(weights))
    if highest * len(weights) < sum(weights):
        with pytest.raises(EstimationError) as refused:
            trim(records, "w", limit=limit)
        assert refused.value.code == "E071"
        return
    found = trim(records, "w", limit=limit)
    assert found.diagnostics.sum_after == pytest.approx(sum(weights))
    assert found.diagnostics.maximum <= highest * (1 + 1e-9)


def test_diagnostics_by_hand() -> None:
    found = diagnose(np.array([1.0, 1, 1, 1, 6, 0]), population=12)
    assert (found.records, found.weighted, found.sum_after, found.ratio) == (6, 5, 10, 6)
    # Kish: n times the sum of squares over the squared sum.
    assert found.kish_effect == pytest.approx(5 * 40 / 100)
    assert found.effective_size == pytest.approx(2.5)
    assert found.extreme == (1, 1, 0)
    assert found.as_dict()["above_5_medians"] == 1


def test_diagnostics_by_class_by_hand() -> None:
    records = pa.table({"g": ["a", "a", "b", "b"]})
    found = diagnose_classes(records, pa.array([1.0, 3.0, 2.0, 2.0]), ["g"])
    assert found["kish_effect"].to_pylist() == pytest.approx([1.25, 1])
    assert found["effective_size"].to_pylist() == pytest.approx([1.6, 2])


# Compared with R survey 4.5 -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def api(shared: Path) -> tuple[pa.Table, list[pa.Table], pa.Table]:
    folder = shared / "reference" / "estimation" / "data"
    tables = [
        pyarrow.csv.read_csv(folder / f"apipop_{name}_margin.csv").rename_columns([column, "total"])
        for name, column in (("stype", "stype"), ("schwide", "sch_wide"))
    ]
    weights = pyarrow.csv.read_csv(folder / "apiclus1_calibrated_weights.csv")
    return pyarrow.csv.read_csv(folder / "apiclus1.csv"), tables, weights


@pytest.mark.reference
def test_weights_agree_with_r(api: tuple[pa.Table, list[pa.Table], pa.Table]) -> None:
    records, margins, expected = api
    found = {
        "w_post": post_stratify(records, "pw", margins[0]),
        "w_rake": rake(records, "pw", margins),
        "w_cal": calibrate(records, "pw", margins[:1], {"api99": 3914069}),
        "w_calraking": calibrate(records, "pw", margins, method="raking"),
    }
    for name, weights in found.items():
        assert np.allclose(as_array(weights.weights), expected[name].to_numpy(), rtol=1e-9), name


@pytest.mark.reference
def test_standard_errors_under_calibration_agree_with_r(
    api: tuple[pa.Table, list[pa.Table], pa.Table],
) -> None:
    records, margins, _ = api
    linear = calibrate(records, "pw", margins[:1], {"api99": 3914069})
    raked = rake(records, "pw", margins)
    cases = [(linear, [["stype"]], ["api99"], 3.441753116404808)]
    cases.append((raked, [["stype"], ["sch_wide"]], [], 23.703616887922493))
    for weights, categories, numbers, se in cases:
        data = records.append_column("calibrated", weights.weights)
        sample = Sample(data, Design(weight="calibrated", psu="dnum", fpc="fpc"))
        sample.residual_of = residual_of(sample.connection, "pw", categories, numbers)
        found = sample.totals(["api00", "1"])
        mean = found.grand[0] / found.grand[1]
        z = (found.by_cluster[:, :1] - mean * found.by_cluster[:, 1:]) / found.grand[1]
        variance = taylor_covariance(z, np.ones(z.shape, bool), sample.clusters, sample.design)
        assert math.isclose(math.sqrt(variance[0, 0]), se, rel_tol=1e-9)
