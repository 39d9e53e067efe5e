"""Estimates against values that other organisations published, worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from copstats.errors import DefinitionError
from copstats.framework import Framework
from copstats.language import translations
from copstats.process.check import CheckResult, check
from copstats.process.external import EXTERNAL, read_external
from copstats.process.surroundings import Surroundings
from tests.process.material import Submission, manifest

HEAD = "ref_area,year,indicator,value,se,source\n"


def row(
    value: float,
    se: float | None = None,
    *,
    year: int = 2026,
    source: str = "MICS",
    area: str = "KEN",
    indicator: str = "ACC1",
) -> dict[str, Any]:
    return dict(zip(EXTERNAL.names, (area, year, indicator, value, se, source), strict=True))


def external(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=EXTERNAL)


def own(estimate: float, se: float | None = None) -> pa.Table:
    schema = pa.schema([("indicator", pa.string()), ("estimate", pa.float64()), ("se", pa.float64())])
    return pa.Table.from_pylist([{"indicator": "ACC1", "estimate": estimate, "se": se}], schema=schema)


def checked(small: Framework, rows: int, **material: Any) -> CheckResult:
    children = [
        {"child_id": f"K{n}", "stratum": "S", "psu": f"P{n % 20}", "weight": 1.0, "age": 10, "sex": 1}
        for n in range(rows)
    ]
    columns = ("child_id", "stratum", "psu", "weight", "age", "sex")
    made = Submission().add(small, "child", children, columns=columns)
    around = Surroundings(**material)
    return check(made.connection, made, "X", small, manifest(), None, gate=False, surroundings=around)


def said(small: Framework, rows: int = 40, **material: Any) -> dict[str, str]:
    """Rule id -> state with its reason, or what is wrong."""
    result = checked(small, rows, **material)
    told = {m.outcome.rule.id: m.what for m in result.messages()}
    return {
        o.rule.id: told.get(o.rule.id) or f"{o.state} {o.reason}".strip()
        for o in result.outcomes
        if o.rule.level == 5
    }


# Standard errors of 3 and 4 make one of 5 for the difference: it differs from 10 on.
@pytest.mark.parametrize(
    ("now", "published", "far"),
    [
        ((60.0, 3.0), (50.0, 4.0), False),
        ((60.1, 3.0), (50.0, 4.0), True),
        ((39.9, 3.0), (50.0, 4.0), True),
        ((55.0, None), (50.0, None), False),
        ((55.1, None), (50.0, None), True),
        ((55.1, 1.0), (50.0, None), True),
        ((55.1, 3.0), (50.0, None), False),
        ((55.1, None), (50.0, 3.0), False),
        # Significant, yet small.
        ((54.0, 0.1), (50.0, 0.1), False),
        # As binary numbers these two are more than 5 apart.
        ((8.3, None), (3.3, None), False),
    ],
)
def test_an_estimate_that_differs_from_a_published_value_is_told(
    small: Framework, now: tuple[float, float | None], published: tuple[float, float | None], far: bool
) -> None:
    text = f"Indicator ACC1 is {now[0]:g}; another source gives {published[0]:g} (MICS, 2026)."
    found = said(small, own_estimates=own(*now), external=external(row(*published)))
    assert found == {"external_far:ACC1": text if far else "passed"}


@pytest.mark.parametrize(
    ("rows", "year", "source"),
    [
        ([row(1, year=2023), row(2, year=2025), row(3, year=2022)], 2025, "MICS"),
        ([row(1, year=2025), row(2, year=2027)], 2027, "MICS"),
        ([row(1, source="DHS"), row(2)], 2026, "DHS"),
        ([row(1, year=2020), row(2, year=2021)], 2021, "MICS"),
        ([row(1, area="UGA"), row(2, indicator="ACC2"), row(3, year=2024)], 2024, "MICS"),
    ],
    ids=["nearest", "later of two", "first of a year", "five years", "area and indicator"],
)
def test_of_several_values_the_nearest_year_is_taken(
    small: Framework, rows: list[dict[str, Any]], year: int, source: str
) -> None:
    (text,) = said(small, own_estimates=own(90.0), external=external(*rows)).values()
    assert text.endswith(f"({source}, {year}).")


def test_without_a_value_or_an_estimate_the_rule_is_not_supported(small: Framework) -> None:
    nothing = "not_supported no_external_values"
    assert said(small, own_estimates=own(50.0)) == {"external_far:child": nothing}
    for other in (row(1, area="UGA"), row(1, year=2020), row(1, year=2032), row(1, indicator="ACC2")):
        found = said(small, own_estimates=own(50.0), external=external(other))
        assert found == {"external_far:ACC1": nothing}
    assert said(small, external=external(row(1))) == {"external_far:child": "not_supported no_own_estimates"}
    assert said(small, 0, external=external(row(1))) == {"external_far:child": "blocked no_records"}


def test_the_difference_is_information_only(small: Framework) -> None:
    result = checked(small, 40, own_estimates=own(90.0), external=external(row(1.0)))
    (message,) = (m for m in result.messages(translations("fr")) if m.outcome.rule.level == 5)
    assert message.outcome.rule.severity == "information"
    assert "90" in message.what


def test_values_published_elsewhere_are_read(tmp_path: Path) -> None:
    path = tmp_path / "external.csv"
    lines = "NAM,2026,ACC1,61.5,,Enquête DHS\nNAM,2026,ACC1,60,1.25,MICS\n"
    path.write_text("\ufeff" + HEAD + lines, "utf-8")
    table = read_external(path)
    assert table.schema == EXTERNAL
    assert table.to_pylist() == [
        row(61.5, None, source="Enquête DHS", area="NAM"),
        row(60.0, 1.25, source="MICS", area="NAM"),
    ]


@pytest.mark.parametrize(
    ("text", "code", "where", "says"),
    [
        ("ref_area,year\n", "D213", "e.csv", "indicator, value, se, source"),
        (HEAD + "KEN,2026,ACC1,1 000,,x\n", "D214", "e.csv:2", "value"),
        (HEAD + 'KEN,2026,ACC1,"61,5",,x\n', "D214", "e.csv:2", "value"),
        (HEAD + "KEN,2026,ACC1,nan,,x\n", "D214", "e.csv:2", "value"),
        (HEAD + "KEN,2026,ACC1,inf,,x\n", "D214", "e.csv:2", "value"),
        (HEAD + "KEN,2026,ACC1,-1,,x\n", "D214", "e.csv:2", "value"),
        (HEAD + "KEN,2026,ACC1,,,x\n", "D214", "e.csv:2", "value"),
        (HEAD + "KEN,2026,ACC1,1,-1,x\n", "D214", "e.csv:2", "se"),
        (HEAD + "KEN,2026,ACC1,1,,x\nKEN,20266,ACC1,1,,x\n", "D214", "e.csv:3", "year"),
        (HEAD + "KEN,2026,,1,,x\n", "D214", "e.csv:2", "indicator"),
        (HEAD + "KEN,2026,ACC1,1\n", "D214", "e.csv:2", "source"),
        (HEAD + "KEN,2026,ACC1,1,,x\nKEN,2026,ACC1,2,,x\n", "D215", "e.csv", "ACC1: KEN, 2026, x"),
    ],
)
def test_a_faulty_table_is_refused(tmp_path: Path, text: str, code: str, where: str, says: str) -> None:
    path = tmp_path / "e.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(DefinitionError) as error:
        read_external(path)
    assert (error.value.code, error.value.where) == (code, where)
    assert says in error.value.title
