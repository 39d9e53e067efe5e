from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from copstats.analyse.survey.design import Design
from copstats.analyse.survey.independence import Independence, IndependenceStatistic, independence
from copstats.analyse.survey.mixtures import exact_tail, lugannani_rice, saddlepoint_tail
from copstats.analyse.survey.sample import Sample
from copstats.errors import EstimationError

STATISTICS: tuple[IndependenceStatistic, ...] = ("F", "Chisq", "Wald", "adjWald", "lincom", "saddlepoint")

DESIGNS = {
    "apistrat": Design(weight="pw", strata="stype", fpc="fpc"),
    "apiclus1": Design(weight="pw", psu="dnum", fpc="fpc"),
    "apiclus2": Design(psu=("dnum", "snum"), fpc=("fpc1", "fpc2")),
    "nhanes": Design(weight="WTMEC2YR", strata="SDMVSTRA", psu="SDMVPSU"),
}


def sample(seed: int, names: str = "abc") -> Sample:
    draw = np.random.default_rng(seed)
    data = {
        "x": [names[i] for i in draw.integers(0, 3, 200)],
        "y": draw.integers(0, 2, 200),
        "w": draw.uniform(1, 5, 200),
        "psu": draw.integers(0, 20, 200),
    }
    return Sample(pa.table(data), Design(weight="w", psu="psu"))


@pytest.mark.parametrize("statistic", STATISTICS)
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000), names=st.permutations(["a", "b", "c"]))
def test_names_of_categories_do_not_matter(
    statistic: IndependenceStatistic, seed: int, names: list[str]
) -> None:
    first = independence(sample(seed), "x", "y", statistic=statistic)
    other = independence(sample(seed, "".join(names)), "x", "y", statistic=statistic)
    turned = independence(sample(seed), "y", "x", statistic=statistic)
    for found in (other, turned):
        assert math.isclose(found.statistic, first.statistic, rel_tol=1e-7)
        assert math.isclose(found.p, first.p, rel_tol=1e-7, abs_tol=1e-12)


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000))
def test_of_a_simple_random_sample_the_statistic_is_that_of_pearson(seed: int) -> None:
    draw = np.random.default_rng(seed)
    x, y = draw.integers(0, 3, 300), draw.integers(0, 2, 300)
    table = np.array([[((x == i) & (y == j)).sum() for j in range(2)] for i in range(3)])
    assume((table > 0).all())
    found = independence(Sample(pa.table({"x": x, "y": y}), Design()), "x", "y", statistic="Chisq")
    assert math.isclose(
        found.statistic, stats.chi2_contingency(table, correction=False).statistic, rel_tol=1e-9
    )
    # Without a design the generalised design effects are close to 1.
    assert 0.7 < min(found.design_effects) <= max(found.design_effects) < 1.4


def test_without_degrees_of_freedom_there_is_a_reason_and_no_number() -> None:
    data = pa.table({"x": [1, 2, 1, 2], "y": [1, 1, 2, 2], "psu": [1, 1, 1, 1]})
    found = independence(Sample(data, Design(psu="psu")), "x", "y")
    assert found.note == "no_degrees_of_freedom"
    assert math.isnan(found.p)


def test_a_variable_that_does_not_vary_is_refused() -> None:
    with pytest.raises(EstimationError) as refused:
        independence(Sample(pa.table({"x": [1, 1, 1], "y": [1, 2, 1]}), Design()), "x", "y")
    assert refused.value.code == "E073"


@pytest.mark.parametrize(("df", "df_error"), [(1, 9.5), (4, 30.0)])
def test_tails_of_equal_weights_are_those_of_f(df: int, df_error: float) -> None:
    for value in (0.5, 1.0, 3.0):
        expected = stats.f.sf(value, df, df_error)
        weights = np.full(df, 2.0)
        assert math.isclose(exact_tail(2 * df * value, weights, df_error), expected, rel_tol=1e-6)
        assert math.isclose(saddlepoint_tail(2 * df * value, weights, df_error), expected, rel_tol=0.1)


def of_reference(
    shared: Path, name: str, statistic: IndependenceStatistic
) -> tuple[Independence, dict[str, float]]:
    folder = shared / "reference" / "estimation"
    cases = json.loads((folder / "reference.json").read_text("utf-8"))["cases"]
    (case,) = [case for case in cases if case["id"] == name]
    variables = re.search(r"~(\w+) \+ (\w+)", case["r_code"])
    assert variables is not None
    data = pyarrow.csv.read_csv(folder / "data" / f"{case['design']}.csv")
    found = independence(Sample(data, DESIGNS[case["design"]]), *variables.groups(), statistic=statistic)
    return found, {result["stat"]: result["value"] for result in case["results"]}


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "statistic"),
    [
        ("apiclus1.chisq_F", "F"),
        ("apistrat.chisq_F", "F"),
        ("apiclus2.chisq_F", "F"),
        ("nhanes.chisq_F", "F"),
        ("nhanes.chisq_Chisq", "Chisq"),
    ],
)
def test_tests_agree_with_svychisq(shared: Path, name: str, statistic: IndependenceStatistic) -> None:
    found, wanted = of_reference(shared, name, statistic)
    assert math.isclose(found.statistic, wanted["statistic"], rel_tol=1e-9)
    assert math.isclose(found.p, wanted["p_value"], rel_tol=1e-9)
    assert math.isclose(found.df, wanted.get("ndf", wanted.get("df", 0)), rel_tol=1e-9)


@pytest.mark.reference
def test_the_saddlepoint_is_that_of_r_but_for_whole_degrees_of_freedom(shared: Path) -> None:
    found, wanted = of_reference(shared, "apiclus1.chisq_saddlepoint", "saddlepoint")
    assert math.isclose(found.statistic, wanted["statistic"], rel_tol=1e-9)
    weights = np.array([*found.design_effects, -found.statistic / found.df_error])
    as_in_r = lugannani_rice(weights, np.array([1.0, 1.0, math.floor(found.df_error)]))
    assert math.isclose(as_in_r, wanted["p_value"], rel_tol=1e-9)
    exact, _ = of_reference(shared, "apiclus1.chisq_saddlepoint", "lincom")
    assert abs(found.p - exact.p) < abs(wanted["p_value"] - exact.p)
