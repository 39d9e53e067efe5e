"""Counts and answers are taken as they are, or every fault is told with its column and row."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from copstats.collect.official import is_official
from copstats.errors import SubmissionErrors
from copstats.framework import load_areas, load_framework
from copstats.framework.counts import load_counts
from copstats.store.counts import COUNTS, POLICY_ANSWERS
from tests.official.material import AREAS, answers, counts, opened

SAMPLES = Path(__file__).parents[2] / "sample_data"
HEAD = "variable,period,sex,age,category,value"
QUARTERS = [f"hl_counselling,2025-Q{number},_T,_T,_T,{number}00" for number in range(1, 5)]


def cells(folder: Path, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in opened(folder).table.to_pylist()]


def faults(folder: Path) -> list[tuple[str, Any]]:
    """Code of each error, and the row that it names."""
    with pytest.raises(SubmissionErrors) as caught:
        opened(folder)
    for error in caught.value.errors:
        assert error.title and error.why and error.hint
    return [(error.code, error.params.get("row")) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("name", "schema", "rows"),
    [("XAA_2025_HELPLINE_v01", COUNTS, 391), ("XBB_2025_POLICY_v01", POLICY_ANSWERS, 33)],
)
def test_samples_are_taken(name: str, schema: Any, rows: int) -> None:
    from copstats.collect.official import open_official

    folder = SAMPLES / "official" / name
    areas = load_areas(SAMPLES / "areas.csv")
    taken = open_official(folder, areas=areas)
    assert is_official(folder) and taken.id == f"{name}_M"
    assert taken.table.schema.equals(schema) and taken.table.num_rows == rows


def test_a_survey_is_neither() -> None:
    assert not is_official(SAMPLES / "submissions" / "XAA_2025_COPS_v01")
    assert not is_official(SAMPLES)


def test_a_survey_is_refused(tmp_path: Path) -> None:
    assert faults(counts(tmp_path / "s", [HEAD], kind="survey")) == [("S371", None)]


def test_a_workbook_gives_the_same_counts_as_a_text(tmp_path: Path) -> None:
    """Excel hands over 2025 and 1200 as numbers."""
    text = counts(tmp_path / "a", ["variable,period,value", "ht_ncmec_in,2025,1200"])
    book = counts(tmp_path / "b", [], files={"path": "counts.xlsx"})
    sheet = openpyxl.Workbook()
    for line in (["variable", "period", "value"], ["ht_ncmec_in", 2025, 1200]):
        sheet.active.append(line)
    sheet.save(book / "counts.xlsx")
    assert opened(book).table.equals(opened(text).table)


def test_hash_does_not_depend_on_packing(tmp_path: Path) -> None:
    folder = counts(tmp_path / "s", [HEAD, *QUARTERS])
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    assert opened(Path(packed)).content_hash == opened(folder).content_hash


def test_four_quarters_make_a_year(tmp_path: Path) -> None:
    folder = counts(tmp_path / "s", [HEAD, *QUARTERS])
    assert ("2025", 1000) in cells(folder, "time_period", "value")
    fewer = counts(tmp_path / "t", [HEAD, *QUARTERS[:3]])
    assert len(cells(fewer, "time_period")) == 3


def test_a_year_is_no_more_than_its_quarters(tmp_path: Path) -> None:
    year = "hl_counselling,2025,_T,_T,_T,1001"
    assert faults(counts(tmp_path / "s", [HEAD, *QUARTERS, year])) == [("S366", 6)]
    assert ("2025", 1001) in cells(
        counts(tmp_path / "t", [HEAD, *QUARTERS[:3], year]), "time_period", "value"
    )


def test_a_group_that_lacks_a_quarter_leaves_the_year_out(tmp_path: Path) -> None:
    groups = [f"hl_counselling,2025-Q1,{sex},_T,_T,50" for sex in "FM"]
    assert len(cells(counts(tmp_path / "s", [HEAD, *QUARTERS, *groups]), "time_period")) == 6


def test_services_of_the_quarters_count_as_the_same(tmp_path: Path) -> None:
    lines = [f"hl_counselling,2025-Q{number},100,3,60,20" for number in range(1, 5)]
    head = "variable,period,value,services,largest,second"
    folder = counts(tmp_path / "s", [head, *lines])
    assert ("2025", 400, 3, 240, 80) in cells(folder, "time_period", "value", "services", "largest", "second")
    agreed = counts(tmp_path / "t", [head, *lines], services_agree=True)
    assert {row for row in cells(agreed, "services")} == {(None,)}


def test_what_is_protected(tmp_path: Path) -> None:
    lines = [
        "hl_hours,2025,_T,_T,_T,1",
        "hl_channels,2025,_T,_T,phone,1",
        "pop_child,2025,F,Y12T14,_T,1000",
        "le_recorded,2025,_T,_T,_T,30",
        "le_recorded,2025,_T,_T,0302,20",
        "le_recorded,2025,_T,_T,_U,10",
    ]
    found = dict(cells(counts(tmp_path / "s", [HEAD, *lines]), "variable", "protected"))
    assert found == {"hl_hours": False, "hl_channels": False, "pop_child": False, "le_recorded": True}


def test_separators_of_thousands(tmp_path: Path) -> None:
    lines = ["variable;period;value", "ht_ncmec_in;2024;1 234 567", "ht_ncmec_in;2025;89"]
    folder = counts(tmp_path / "s", lines, files={"thousands": " ", "delimiter": ";"})
    assert cells(folder, "value") == [(1_234_567,), (89,)]
    undeclared = counts(tmp_path / "t", lines, files={"delimiter": ";"})
    assert faults(undeclared) == [("S363", 2)]
    misplaced = counts(
        tmp_path / "u", [*lines[:1], "ht_ncmec_in;2024;12 34"], files={"thousands": " ", "delimiter": ";"}
    )
    assert faults(misplaced) == [("S363", 2)]


GOOD = "hl_counselling,2025-Q1,_T,_T,_T,100"


@pytest.mark.parametrize(
    ("line", "code", "row"),
    [
        ("hl_counseling,2025-Q1,_T,_T,_T,100", "S362", 3),
        ("hl_counselling,2025-Q5,_T,_T,_T,100", "S362", 3),
        ("ht_ncmec_in,2025-Q1,_T,_T,_T,100", "S362", 3),
        ("ed_schools_cop,2025,_T,_T,_T,100", "S362", 3),
        ("hl_counselling,2025-Q1,W,_T,_T,100", "S362", 3),
        ("hl_counselling,2025-Q1,_T,12-14,_T,100", "S362", 3),
        ("hl_counselling,2025-Q1,_T,_T,phone,100", "S362", 3),
        ("hl_contacts_total,2025-Q1,_T,_T,fax,100", "S362", 3),
        ("hl_contacts_total,2025-Q1,F,_T,_T,100", "S362", 3),
        ("le_recorded,2025,_T,_T,murder,100", "S362", 3),
        ("hl_counselling,2025-Q2,_T,_T,_T,-3", "S363", 3),
        ("hl_counselling,2025-Q2,_T,_T,_T,3.5", "S363", 3),
        ("hl_counselling,2025-Q2,_T,_T,_T,", "S363", 3),
        ("hl_hours,2025,_T,_T,_T,24", "S363", 3),
        (GOOD, "S364", 2),
        ("hl_counselling,2025-Q2,F,_T,_T,100", "S365", 3),
        ("hl_counselling,2025-Q1,F,_T,_T,90", "S366", 2),
        ("hl_counselling,2025,_T,_T,_T,90", "S366", 3),
        ("hl_online_violence,2025-Q1,_T,_T,_T,101", "S367", 2),
        ("hl_counselling,2026-Q1,_T,_T,_T,100", "S372", 3),
    ],
)
def test_a_wrong_row(tmp_path: Path, line: str, code: str, row: int) -> None:
    assert faults(counts(tmp_path / "s", [HEAD, GOOD, line])) == [(code, row)]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("100,,60,", "S368"),
        ("100,3,60,", "S368"),
        ("100,3,60,50", "S368"),
        ("100,3,20,60", "S368"),
        ("100,2,60,30", "S368"),
        ("100,1,90,", "S368"),
        ("100,0,,", "S368"),
    ],
)
def test_services_that_do_not_fit(tmp_path: Path, row: str, code: str) -> None:
    lines = ["variable,period,value,services,largest,second", f"hl_counselling,2025,{row}"]
    assert faults(counts(tmp_path / "s", lines)) == [(code, 2)]


def test_texts_are_published_and_hold_no_addresses(tmp_path: Path) -> None:
    lines = ["variable,period,value,deviation,status", "hl_counselling,2025,5,ask ann@example.org,final"]
    assert faults(counts(tmp_path / "s", lines)) == [("S369", 2)]
    lines[1] = "hl_counselling,2025,5,calls only,preliminary"
    assert faults(counts(tmp_path / "t", lines)) == [("S362", 2)]


def test_columns(tmp_path: Path) -> None:
    assert faults(counts(tmp_path / "s", ["variable,value", "hl_counselling,1"])) == [("S360", None)]
    assert faults(counts(tmp_path / "t", [f"{HEAD},name", f"{GOOD},x"])) == [("S361", None)]


def test_counts_of_other_countries_need_a_publication(tmp_path: Path) -> None:
    lines = ["area,variable,period,value", "KEN,ht_ncmec_in,2025,5", "NOR,ht_ncmec_in,2025,3"]
    assert faults(counts(tmp_path / "s", lines)) == [("S373", 3)]
    folder = counts(tmp_path / "t", lines, already_public="Annual report 2025, table 4")
    assert cells(folder, "ref_area", "value", "protected") == [
        ("001", 8, False),
        ("KEN", 5, False),
        ("NOR", 3, False),
    ]


def wide(**more: Any) -> dict[str, Any]:
    return {"wide": {"variable": "ht_ncmec_in", "area": "iso", "years": ["2024", "2025"]} | more}


def test_a_column_for_each_year(tmp_path: Path) -> None:
    lines = ["name,iso,2024,2025", "Kenya,KEN,5,", "Europe,EEE,1,2", "None,,10,20", "Norway,NOR,7,8"]
    says = {"already_public": "Annual report", "elsewhere": ["EEE"]}
    folder = counts(tmp_path / "s", lines, files=wide(), **says)
    assert cells(folder, "ref_area", "time_period", "value") == [
        *(("001", "2024", 23), ("001", "2025", 30), ("KEN", "2024", 5)),
        *(("NOR", "2024", 7), ("NOR", "2025", 8)),
    ]
    undeclared = counts(tmp_path / "t", lines, files=wide(), already_public="Annual report")
    assert faults(undeclared) == [("S362", 3)]
    twice = [*lines, "Kenya (again),KEN,1,1"]
    assert faults(counts(tmp_path / "u", twice, files=wide(), **says)) == [("S364", 2)]
    added = counts(tmp_path / "v", twice, files=wide(repeated="add"), **says)
    assert ("KEN", "2024", 6) in cells(added, "ref_area", "time_period", "value")
    assert faults(counts(tmp_path / "w", ["iso,2024", "KEN,1"], files=wide(), **says)) == [("S360", None)]


ITEMS = "item,answer,in_force,body,evidence"


@pytest.mark.parametrize(
    ("line", "code", "row"),
    [
        ("Q99,yes,,,", "S362", 3),
        ("Q02,maybe,,,", "S362", 3),
        ("Q02,,,,", "S362", 3),
        ("Q02,yes,19,,", "S363", 3),
        ("Q01,no,,,", "S364", 2),
        ("Q02,yes,,minister@example.org,", "S369", 3),
        ("Q02,yes,,,see the law", "S370", 3),
        ("Q02,yes,2027,,", "S372", 3),
    ],
)
def test_a_wrong_answer(tmp_path: Path, line: str, code: str, row: int) -> None:
    assert faults(answers(tmp_path / "s", [ITEMS, "Q01,yes,2020,Ministry,https://law.example/1", line])) == [
        (code, row)
    ]


def test_a_wrong_manifest(tmp_path: Path) -> None:
    wrong = answers(tmp_path / "s", [ITEMS], ref_area="ZZZ", framework="cop-1999", surname="x")
    assert sorted(code for code, _ in faults(wrong)) == ["S106", "S110", "S111"]
    assert faults(tmp_path) == [("S102", None)]


def test_every_variable_has_a_unit_and_periods() -> None:
    definitions, framework = load_counts("cop-2026"), load_framework()
    assert definitions.variables.keys() == framework.administrative.keys()
    assert AREAS.keys().isdisjoint({"001"})
