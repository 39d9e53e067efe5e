"""Aggregates of countries: the example worked by hand in the documents, and what makes one absent."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.disclose import load_profile
from copstats.disseminate.aggregates import Aggregates, aggregates
from copstats.framework import Area, load_framework
from copstats.framework.denominators import POPULATION_REFERENCE, Denominators
from copstats.store.schemas import INDICATOR_VALUE
from tests.analyse.test_contrasts import Sample, reference
from tests.disseminate.conftest import DENOMINATORS
from tests.disseminate.test_costs import published

CODES = ("XAA", "XBB", "XCC", "XDD", "XEE", "XFF", "XGG")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "aggregates.md"


def areas(codes: tuple[str, ...] = CODES, **groups: str) -> dict[str, Area]:
    return {code: Area(code, code, groups) for code in codes}


def persons(numbers: dict[str, float | None], **changed: Any) -> Denominators:
    """Children of 9 to 17 years; None leaves the area out."""
    plain = {
        "year": 2025,
        "sex": "_T",
        "age_minimum": 9,
        "age_maximum": 17,
        "source": "WPP",
        "vintage": "2024",
    }
    rows = [
        plain | {"ref_area": area, "population": number} | changed
        for area, number in numbers.items()
        if number is not None
    ]
    return Denominators(pa.Table.from_pylist(rows, POPULATION_REFERENCE))


def value(area: str, number: float, se: float = 1.0, **changed: Any) -> dict[str, Any]:
    plain = {"se": se, "comparability": "A", "comparability_reasons": "", "source": f"{area}_2026_COPS_v01_M"}
    return published(**plain | {"ref_area": area, "value": number} | changed)


def of_world(cells: list[dict[str, Any]], children: Denominators, **more: Any) -> Aggregates:
    return aggregates(
        pa.Table.from_pylist(cells, INDICATOR_VALUE),
        load_framework(),
        load_profile(),
        more.get("areas", areas()),
        children,
        year=more.get("year", 2026),
    )


def only(cells: list[dict[str, Any]], children: Denominators, **more: Any) -> dict[str, Any]:
    (row,) = of_world(cells, children, **more).values.to_pylist()
    return row


EQUAL = persons(dict.fromkeys(CODES, 100.0))
FIVE = [value(code, 10.0 * number) for number, code in enumerate(CODES[:5], 1)]


def test_the_example_worked_by_hand_in_the_documents() -> None:
    page = PAGE.read_text("utf-8").partition("### Worked by hand")[2].partition("## Denominators")[0]
    table = [[part.strip() for part in row.split("|")[1:-1]] for row in re.findall(r"^\| X.*$", page, re.M)]
    cells = [
        value(area, float(figure), float(se), comparability=grade)
        for area, _, figure, se, grade in table
        if figure
    ]
    found = only(cells, persons({area: 1e6 * float(children) for area, children, *_ in table}))
    names = ("coverage", "value", "se", "ci_lower", "ci_upper", "country_mean", "comparability")
    assert [str(found[name]) for name in names] == re.findall(r"\*\*([^*]+)\*\*", page)
    assert (found["areas"], found["countries"], found["reason"]) == (6, 5, None)


def test_the_rules_are_those_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    assert "`minimum_countries` 5" in page
    assert "`minimum_coverage` 0.5" in page
    assert "at most 5 years before" in page


def test_too_few_countries_give_none() -> None:
    row = only(FIVE[:4], persons(dict.fromkeys(CODES[:4], 100.0) | dict.fromkeys(CODES[4:], 1.0)))
    assert (row["reason"], row["value"], row["se"], row["obs_status"]) == ("few_countries", None, None, "M")
    assert row["countries"] == 4


def test_countries_with_too_few_of_the_children_give_none() -> None:
    most_elsewhere = dict.fromkeys(CODES[:5], 100.0) | {"XFF": 300.0, "XGG": 200.0}
    assert only(FIVE, persons(most_elsewhere))["value"] == 30.0, "just half"
    row = only(FIVE, persons(most_elsewhere | {"XGG": 201.0}))
    assert (row["reason"], row["value"]) == ("low_coverage", None)
    assert row["coverage"] == pytest.approx(500 / 1001, abs=5e-4)


def test_an_area_of_unknown_population_leaves_no_coverage() -> None:
    row = only(FIVE, persons(dict.fromkeys(CODES[:6], 100.0)))
    assert (row["reason"], row["coverage"], row["value"]) == ("population_unknown", None, None)
    assert only(FIVE, persons({}))["population_year"] is None


def test_only_recent_comparable_national_values_count() -> None:
    old, young = {"time_period": "2020"}, {"time_period": "2027"}
    others: list[dict[str, Any]] = [
        value("XFF", 90.0, comparability="C"),
        value("XFF", 90.0, **old),
        value("XFF", 90.0, **young),
        value("XFF", 90.0, standardised="Y"),
        value("XFF", 90.0, age="Y9T11"),
        value("XFF", 90.0, residence="U"),
        value("XFF", 90.0) | {"value": None, "obs_status": "Q", "reason": "n"},
    ]
    assert only(FIVE + others, EQUAL)["countries"] == 5
    row = only([*FIVE, value("XFF", 90.0, time_period="2021")], EQUAL)
    assert (row["countries"], row["earliest_period"], row["latest_period"]) == (6, "2021", "2026")


def test_of_several_surveys_the_newest_and_then_the_most_comparable_counts() -> None:
    several = [
        value("XFF", 60.0, time_period="2025", comparability="B", survey="OTHER"),
        value("XFF", 61.0, time_period="2025"),
        value("XFF", 62.0, time_period="2024"),
    ]
    found = of_world(FIVE + several, EQUAL).members.to_pylist()
    assert [(row["value"], row["time_period"]) for row in found if row["ref_area"] == "XFF"] == [
        (61.0, "2025")
    ]


def test_where_nobody_lives_there_is_no_country() -> None:
    row = only([*FIVE, value("XGG", 99.0)], persons(dict.fromkeys(CODES[:6], 100.0) | {"XGG": 0.0}))
    assert (row["areas"], row["countries"], row["value"]) == (6, 5, 30.0)


def test_internet_users_weigh_what_speaks_of_internet_users() -> None:
    numbers = {code: 100.0 for code in CODES}
    children = persons(numbers, internet_users=50.0)
    speaking = [cell | {"indicator": "RCN2"} for cell in FIVE]
    assert only(speaking, children)["weighted_by"] == "internet_users"
    assert only(FIVE, children)["weighted_by"] == "population"
    assert only(speaking, EQUAL)["reason"] == "population_unknown"


def test_what_no_table_counts_has_no_aggregate() -> None:
    for code in ("HLP1", "HRM2", "MED4", "MED5", "MED6", "ACC5"):
        assert of_world([cell | {"indicator": code} for cell in FIVE], EQUAL).values.num_rows == 0


def test_girls_are_weighed_by_girls() -> None:
    girls = [cell | {"sex": "F"} for cell in FIVE]
    assert only(girls, EQUAL)["reason"] == "population_unknown"
    row = only(girls, persons(dict.fromkeys(CODES, 7.0), sex="F"))
    assert (row["sex"], row["value"]) == ("F", 30.0)


def test_groups_are_the_columns_of_the_table_of_areas() -> None:
    of = areas(CODES[:5], itu_region="AFR", ldc="1", own="coast") | areas(CODES[5:], itu_region="EUR")
    found = of_world(FIVE, EQUAL, areas=of).values.to_pylist()
    labels = {(row["scheme"], row["area_group"]): row["label"] for row in found}
    assert labels == {
        ("itu_region", "AFR"): "Africa",
        ("ldc", "1"): "Least developed countries",
        ("own", "coast"): "coast",
        ("world", "001"): "World",
    }


def test_classes_and_reasons_of_the_members_stand_at_the_aggregate() -> None:
    worse = [value("XAA", 10.0, comparability="B", comparability_reasons="recall;mode_unknown")]
    worse += [value("XBB", 10.0, comparability="B", comparability_reasons="coverage;recall"), *FIVE[2:]]
    row = only(worse, EQUAL)
    assert (row["comparability"], row["comparability_reasons"]) == ("B", "coverage;mode_unknown;recall")


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.tuples(st.integers(0, 1000), st.integers(0, 60), st.integers(1, 10**7)), min_size=5, max_size=7
    )
)
def test_a_mean_lies_among_its_members_and_its_error_is_no_larger_than_theirs(
    of: list[tuple[int, int, int]],
) -> None:
    cells = [value(code, v / 10, se / 10) for code, (v, se, _) in zip(CODES, of, strict=False)]
    children = dict.fromkeys(CODES, 0.0) | {c: float(n) for c, (*_, n) in zip(CODES, of, strict=False)}
    found = of_world(cells, persons(children))
    (row,), members = found.values.to_pylist(), found.members.to_pylist()
    values = [v / 10 for v, *_ in of]
    assert min(values) <= row["value"] <= max(values)
    assert row["se"] <= max(se for _, se, _ in of) / 10
    assert 0 <= row["ci_lower"] <= row["value"] <= row["ci_upper"] <= 100
    total = sum(n for *_, n in of)
    exact = sum(n * v / 10 for v, _, n in of) / total
    assert row["value"] == pytest.approx(exact, abs=0.0501)
    assert math.fsum(m["share"] for m in members) == pytest.approx(1, abs=1e-3)


@pytest.mark.reference
def test_a_mean_of_countries_is_that_of_r_survey(shared: Path) -> None:
    """Three countries of the reference data, and two of one child each."""
    folder = shared / "reference" / "estimation"
    designs, cases = reference(folder)
    sample = Sample(folder, designs["copABC"], {"y": "y_online"}, ("country",))
    each = sample.estimates(*(sample.term("y", country=code) for code in ("AAA", "BBB", "CCC")))
    errors = 100 * np.sqrt(np.diag(each.covariance))
    cells = [value(c, v, e) for c, v, e in zip(CODES, 100 * each.value, errors, strict=False)]
    millions = dict(zip(CODES, (5.2e6, 1.7e6, 0.6e6, 1.0, 1.0, 0.0, 0.0), strict=True))
    row = only([*cells, value("XDD", 50.0), value("XEE", 50.0)], persons(millions))
    region = {r["stat"]: r["value"] for r in cases["copABC.regional_popweighted"]["results"]}
    assert row["value"] == pytest.approx(100 * region["est"], abs=0.051)
    assert row["se"] == pytest.approx(100 * region["se"], abs=0.051)


def test_a_release_has_the_groups_their_members_and_the_denominators(release: Path) -> None:
    with duckdb.connect(str(release / "copstats.duckdb"), read_only=True) as connection:
        stored = connection.sql("FROM population_reference").to_arrow_table()
        groups = connection.sql(
            "SELECT scheme, area_group, countries, reason FROM aggregate_value"
            " WHERE indicator = 'RCD4' AND sex = '_T' ORDER BY ALL"
        ).fetchall()
    assert stored.cast(POPULATION_REFERENCE) == DENOMINATORS.table
    assert [row for row in groups if row[0] in ("itu_region", "world") and row[1] != "AMS"] == [
        ("itu_region", "AFR", 1, "few_countries"),
        ("world", "001", 2, "population_unknown"),
    ]
