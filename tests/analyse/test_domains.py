from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from copstats.analyse.domains import Axis, Disaggregation, common_age, domain_of
from copstats.analyse.plan import explain_sql
from copstats.analyse.wave import estimate_wave
from copstats.errors import UsageError
from copstats.framework.loader import Framework
from copstats.framework.manifest import SurveyManifest
from copstats.store.engine import memory_connection
from copstats.store.schemas import DIMENSIONS

Make = Callable[..., SurveyManifest]

CHILDREN = [
    # sex, age, area, quintile, disability, region; a missing code or a blank is no category.
    (1, 9, 1, 1, 0, "XA-B"),
    (2, 11, 2, 2, 1, "XA-B"),
    (3, 12, 3, 5, 0, "XA-A"),
    (-9, 14, 3, -8, -9, "-8"),
    (None, 17, None, 5, 1, None),
    (2, 18, 1, 3, 0, ""),
]


@pytest.fixture(scope="module")
def rows(framework: Framework, manifest: Make) -> list[dict[str, Any]]:
    names = ("sex", "age", "area", "ses_q", "disability", "adm1")
    records = [
        dict(zip(names, values, strict=True)) | {"own_phone": 1, "weight": 1.0, "stratum": "1", "psu": str(i)}
        for i, values in enumerate(CHILDREN)
    ]
    survey = manifest(population={"ages": {"max": 18}})
    result = estimate_wave(pa.Table.from_pylist(records), None, survey, None, framework, as_of_year=2026)
    return [row for row in result.to_pylist() if row["indicator"] == "ACC4"]


@pytest.mark.parametrize(
    ("disaggregation", "dimension", "expected"),
    [
        ("total", "sex", {"_T": 6}),
        ("sex", "sex", {"M": 1, "F": 2, "O": 1}),
        ("age", "age", {"Y9T11": 2, "Y12T14": 2, "Y15T17": 1}),
        ("residence", "residence", {"U": 3, "R": 2}),
        ("wealth_quintile", "wealth_quintile", {"Q1": 1, "Q2": 1, "Q3": 1, "Q5": 2}),
        ("disability", "disability", {"PWD": 3, "PD": 2}),
        ("region", "region", {"XA-A": 1, "XA-B": 2}),
        ("common_age", "age", {"Y9T17": 5}),
    ],
)
def test_categories_are_the_published_codes_and_a_missing_one_is_none(
    rows: list[dict[str, Any]], disaggregation: str, dimension: str, expected: dict[str, int]
) -> None:
    mine = [row for row in rows if row["disaggregation"] == disaggregation]
    assert {row[dimension]: row["n"] for row in mine} == expected
    for row in mine:
        assert all(row[name] == "_T" for name in DIMENSIONS if name != dimension)


def test_a_cross_of_two_dimensions(rows: list[dict[str, Any]]) -> None:
    cross = {(r["sex"], r["age"]): r["n"] for r in rows if r["disaggregation"] == "sex_age"}
    assert cross == {("M", "Y9T11"): 1, ("F", "Y9T11"): 1, ("O", "Y12T14"): 1}


def test_the_key_is_unique(rows: list[dict[str, Any]]) -> None:
    keys = Counter(tuple(row[name] for name in ("disaggregation", *DIMENSIONS)) for row in rows)
    assert max(keys.values()) == 1


def test_a_domains_number_leads_back_to_it() -> None:
    sex = Axis("sex", "dim_sex", "sex", ("M", "F"))
    region = Axis("region", "dim_region", "region", tuple(f"R{i}" for i in range(9999)))
    crossed = [Disaggregation("total"), Disaggregation("both", (sex, region))]
    assert domain_of(0, crossed).codes == {}
    assert domain_of(1 + 100 * 2 + 100 * 10_000 * 9999, crossed).codes == {"sex": "F", "region": "R9998"}


@pytest.mark.parametrize(
    ("indicator", "ages", "expected"),
    [
        ("ACC4", {"min": 9, "max": 17}, None),
        ("ACC4", {"min": 12, "max": 18, "bottom_coded": True, "top_coded": True}, "Y13T17"),
        ("ACC4", {"min": 12, "max": 17, "top_coded": True}, "Y12T16"),
        ("ACC4", {"min": 5, "max": 17}, "Y9T17"),
        ("ACC4", {"min": 9, "max": 16}, "Y9T16"),
        ("ACC4", {"min": 18, "max": 24}, None),
        # Its own universe keeps RCT3 to ages 12 to 17.
        ("RCT3", {"min": 9, "max": 17}, None),
        ("RCT3", {"min": 9, "max": 18, "bottom_coded": True, "top_coded": True}, None),
        ("RCT3", {"min": 13, "max": 17}, "Y13T17"),
        ("RCT3", {"min": 12, "max": 17, "bottom_coded": True}, "Y13T17"),
    ],
)
def test_common_ages(
    framework: Framework, manifest: Make, indicator: str, ages: dict[str, Any], expected: str | None
) -> None:
    band = common_age(framework.indicators[indicator], manifest(population={"ages": ages}))
    assert (band.code if band else None) == expected


def test_the_sql_that_is_printed_gives_the_numbers_that_are_returned(
    framework: Framework, manifest: Make
) -> None:
    child = pa.table(
        {
            "weight": [1.0, 2.0, 3.0, 1.5],
            "stratum": ["1", "1", "2", "2"],
            "psu": ["1", "2", "1", "2"],
            "age": [9, 13, 17, 14],
            "sex": [1, 2, 1, 2],
            "adm1": ["XA-1", "XA-2", "XA-1", "XA-1"],
            "own_phone": [1, 0, 1, -9],
        }
    )
    printed = explain_sql("ACC4", manifest(), framework, child.column_names)
    connection = memory_connection(threads=1)
    connection.register("child", child)
    *steps, last = [statement for statement in printed.split(";\n") if statement.strip()]
    for step in steps:
        connection.execute(step)

    def digits(value: float | None) -> str | None:  # the sums are taken in another order
        return None if value is None else f"{value:.12g}"

    by_hand = {
        (
            row["n"],
            digits(row["estimate"]),
            digits(row["variance"] ** 0.5) if row["psus"] > row["strata"] else None,
        )
        for row in connection.sql(last).to_arrow_table().to_pylist()
    }
    result = estimate_wave(child, None, manifest(), None, framework, as_of_year=2026).to_pylist()
    returned = {(r["n"], digits(r["estimate"]), digits(r["se"])) for r in result if r["indicator"] == "ACC4"}
    assert by_hand == returned
    assert "own_phone" in printed
    assert "rct_met" not in printed, "only what the indicator needs"


@pytest.mark.parametrize(("indicator", "code"), [("XXX9", "E007"), ("MED5", "E008")])
def test_there_is_nothing_to_print_for_an_indicator_that_is_not_estimated(
    framework: Framework, manifest: Make, indicator: str, code: str
) -> None:
    with pytest.raises(UsageError) as refused:
        explain_sql(indicator, manifest(), framework, ["weight", "stratum", "psu", "age"])
    assert refused.value.code == code
    assert indicator in refused.value.title
