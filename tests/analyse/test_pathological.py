"""Waves with every design that goes wrong: an estimate or a reason, never a silent NaN."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from copstats.analyse.wave import estimate_wave
from copstats.errors import EstimationError
from copstats.framework.loader import Framework
from copstats.framework.manifest import SurveyManifest

Make = Callable[..., SurveyManifest]
Row = dict[str, Any]


def child(i: int, **change: Any) -> Row:
    row = {
        "weight": 1.0 + i % 3,
        "stratum": str(i % 2),
        "psu": str(i % 6),
        "age": 9 + i % 9,
        "sex": 1 + i % 2,
        "residence": 1 + i % 2,
        "own_phone": int(i % 4 < 2),
    }
    return row | change


def children(n: int = 60, **change: Any) -> list[Row]:
    return [child(i, **change) for i in range(n)]


PATHOLOGICAL: dict[str, list[Row]] = {
    "one record": children(1),
    "one PSU": children(stratum="1", psu="1"),
    "one PSU in each stratum": [child(i, psu=str(i % 2)) for i in range(60)],
    "one PSU in one stratum": [child(i, psu="1" if i % 2 else str(i % 6)) for i in range(60)],
    "all weights equal": children(weight=1.0),
    "nobody": children(own_phone=0),
    "everybody": children(own_phone=1),
    "all answers missing": children(own_phone=-9),
    "all cells empty": children(own_phone=None),
    "nobody of one sex": children(sex=1),
    "one sex in one PSU": [child(i, sex=2 if i % 6 == 0 else 1) for i in range(60)],
    "answers in one PSU only": [child(i, own_phone=1 if i % 6 == 0 else -9) for i in range(60)],
    "not stratified": children(stratum="1"),
    "simple random": [child(i, stratum="1", psu=str(i)) for i in range(60)],
    "two records": [child(i, stratum="1", psu=str(i)) for i in range(2)],
    "taken whole": children(fpc_psu=3),
    "no sex": children(sex=None),
    "ages without a band": children(age=99),
    "weights far apart": [child(i, weight=10.0 ** (i % 9 - 4)) for i in range(60)],
}


def rows_of(records: list[Row], framework: Framework, survey: SurveyManifest) -> list[Row]:
    types = {"weight": pa.float64(), "stratum": pa.string(), "psu": pa.string()}
    schema = pa.schema([(name, types.get(name, pa.int64())) for name in records[0]])
    table = pa.Table.from_pylist(records, schema)
    found: list[Row] = estimate_wave(table, None, survey, None, framework, as_of_year=2026).to_pylist()
    return found


def assert_reasoned(row: Row) -> None:
    """What there is, is a number; what is missing has its reason in the same row."""
    for name, value in row.items():
        assert not (isinstance(value, float) and not math.isfinite(value)), name
    if row["state"] == "absent":
        assert row["absent_reason"]
        return
    if row["n"] == 0:
        assert row["se"] is row["ci_lower"] is row["ci_upper"] is None
        assert row["estimate"] is None
        return
    assert 0 <= row["estimate"] <= 1
    assert row["df"] == row["psus"] - row["strata"]
    if row["df"] <= 0:
        assert row["se"] is None
        assert row["ci_lower"] is None
    else:
        assert row["se"] >= 0
        assert 0 <= row["ci_lower"] <= row["estimate"] <= row["ci_upper"] <= 1


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_an_estimate_or_a_reason(name: str, framework: Framework, manifest: Make) -> None:
    rows = [r for r in rows_of(PATHOLOGICAL[name], framework, manifest()) if r["indicator"] == "ACC4"]
    assert rows
    for row in rows:
        assert_reasoned(row)


def total(name: str, framework: Framework, manifest: Make) -> Row:
    rows = rows_of(PATHOLOGICAL[name], framework, manifest())
    (row,) = (r for r in rows if (r["indicator"], r["disaggregation"]) == ("ACC4", "total"))
    return row


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("one record", {"n": 1, "estimate": 1.0, "df": 0, "se": None}),
        ("one PSU", {"n": 60, "df": 0, "se": None}),
        ("one PSU in each stratum", {"n": 60, "df": 0, "se": None}),
        ("nobody", {"estimate": 0.0, "se": 0.0, "ci_lower": 0.0}),
        ("everybody", {"estimate": 1.0, "se": 0.0, "ci_upper": 1.0}),
        ("all answers missing", {"n": 0, "estimate": None, "se": None, "eligible": 60}),
        ("answers in one PSU only", {"n": 10, "estimate": 1.0, "df": 0, "se": None}),
        ("taken whole", {"se": 0.0}),
        ("simple random", {"psus": 60, "strata": 1, "df": 59}),
        ("not stratified", {"psus": 6, "strata": 1, "df": 5}),
    ],
)
def test_what_the_answer_is(name: str, expected: Row, framework: Framework, manifest: Make) -> None:
    row = total(name, framework, manifest)
    assert {key: row[key] for key in expected} == expected


def test_a_domain_that_is_empty_has_no_row_and_the_others_keep_theirs(
    framework: Framework, manifest: Make
) -> None:
    rows = rows_of(PATHOLOGICAL["nobody of one sex"], framework, manifest())
    by_sex = [r for r in rows if (r["indicator"], r["disaggregation"]) == ("ACC4", "sex")]
    assert [r["n"] for r in by_sex] == [60]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"weight": 0.0}, "E002"),
        ({"weight": math.nan}, "E002"),
        ({"psu": None}, "E003"),
        ({"fpc_psu": 1}, "E006"),
    ],
)
def test_what_no_estimate_can_stand_on_is_refused(
    change: Row, code: str, framework: Framework, manifest: Make
) -> None:
    with pytest.raises(EstimationError) as refused:
        rows_of(children(**change), framework, manifest())
    assert refused.value.code == code
    assert refused.value.hint
