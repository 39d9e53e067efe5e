"""The folder of reports: what stands in each file, what must not, and the same bytes every time."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from copstats.framework import Framework
from copstats.language import LANGUAGES, translations
from copstats.process.reports import Place, write_reports
from copstats.process.reports.content import Spot, entries
from copstats.process.reports.places import letters
from copstats.process.reports.sheets import fair_limit, safe, workbook
from tests.process.reporting import CANARY, ID, NATIONAL, PLACES, checked, children, faulty, written

NAMES = ["report.html", "findings.xlsx", "validation-report.json", "README.txt"]
VOID = {"meta", "link", "br", "img", "input", "hr", "rect", "line"}


@pytest.fixture(scope="module")
def files(small: Framework, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return written(small, tmp_path_factory.mktemp("reports"))


class Page(HTMLParser):
    """Reads a page: elements that are open, anchors, texts; complains of what is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.headings: list[int] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.targets.append(value)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def page(files: dict[str, bytes]) -> Page:
    return Page(files["report.html"].decode())


def test_the_page_is_well_formed_and_its_anchors_exist_once(page: Page) -> None:
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    labelled = [
        ref for _, name, value in page.attributes if name == "aria-labelledby" for ref in value.split()
    ]
    assert {target.removeprefix("#") for target in page.targets} | set(labelled) <= set(page.ids)
    assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
    assert page.headings.count(1) == 1


def test_the_page_asks_nothing_of_elsewhere_and_runs_no_script(files: dict[str, bytes], page: Page) -> None:
    html = files["report.html"].decode()
    assert all(target.startswith("#") for target in page.targets)
    assert not re.search(r"<(script|link|img|iframe|object|base)\b|https?:|//|@import|url\(|\bon\w+=", html)


def test_the_page_tells_verdict_findings_and_places(page: Page) -> None:
    for said in (
        "Not yet accepted. Required rules that are not met: 6.",
        "What happens next: Correct the data file",
        "Records with a code in sex (Sex) that its code list does not hold: 1.",
        "Why it matters",
        "Write the value, or a missing code that it takes",
        "'Données 2026'!AA12",
        "'Données 2026'!F37",
        "and more: 10",
        "33.3 %",
        "the file does not hold the variable",
        "Kish effect",
        "Distribution of the weights",
    ):
        assert said in page.text, said


def test_column_names_are_shown_as_text(files: dict[str, bytes], small: Framework) -> None:
    result = checked(small, children(), not_taken_over=("<b onclick=1>", "a&b"))
    folder_page = Page(_page(result, small))
    assert "<b onclick=1>" in folder_page.text
    assert not any(name == "onclick" for _, name, _ in folder_page.attributes)


def _page(result: Any, framework: Framework, language: str = "en") -> str:
    from copstats.process.reports.page import page as made

    return made(result, framework, translations(language), {}, None)


@pytest.mark.parametrize("name", NAMES)
def test_no_value_of_a_cell_stands_in_a_report(files: dict[str, bytes], name: str) -> None:
    content = files[name]
    if name.endswith(".xlsx"):
        sheets = load_workbook(io.BytesIO(content)).worksheets
        content = repr([[c.value for row in sheet for c in row] for sheet in sheets]).encode()
    for value in (CANARY, "424242", "424,242", "CANARY", "K00001"):
        assert value.encode() not in content


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_same_check_gives_the_same_bytes(small: Framework, tmp_path: Path, language: str) -> None:
    first = written(small, tmp_path / "a", language, summary=b"{}")
    second = written(small, tmp_path / "b", language, summary=b"{}")
    assert first == second
    assert list(first) == [*NAMES[:3], "summary.json", "README.txt"]


def test_a_summary_of_an_earlier_check_does_not_stay(small: Framework, tmp_path: Path) -> None:
    written(small, tmp_path, summary=b"{}")
    readme = written(small, tmp_path)["README.txt"].decode()
    assert not (tmp_path / "summary.json").exists()
    assert "None of these files may leave your office." in readme


def test_the_note_says_which_file_may_leave(small: Framework, tmp_path: Path) -> None:
    readme = written(small, tmp_path, summary=b'{"schema": "s"}')["README.txt"].decode()
    keep, _, leave = readme.partition("This file may leave your office:")
    assert all(name in keep and name not in leave for name in NAMES[:3])
    assert "summary.json" in leave
    assert (tmp_path / "summary.json").read_bytes() == b'{"schema": "s"}'


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_has_its_direction(small: Framework, language: str) -> None:
    html = _page(checked(small, faulty()), small, language)
    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in html
    assert Page(html).open == []


def test_the_sheets_can_be_opened_by_two_programs(files: dict[str, bytes]) -> None:
    content = files["findings.xlsx"]
    book = load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Summary", "Findings", "Rules", "Not evaluated"]
    sheet = book["Findings"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", f"A1:L{sheet.max_row}")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("Findings").to_python()
    assert rows == [[_as_read(cell.value) for cell in row] for row in sheet.iter_rows()]
    assert len(rows) - 1 == 1 + 1 + 1 + 1 + 1 + 20 + 1 + 3
    cells = {(row[1], row[4]): row for row in rows}
    assert cells["blank", 36][4:10] == [36.0, "'Données 2026'!F37", "sex", "Sex", "NAT_SEX", ""]


def _as_read(value: Any) -> Any:
    return "" if value is None else value


def test_no_cell_is_a_formula(files: dict[str, bytes]) -> None:
    book = load_workbook(io.BytesIO(files["findings.xlsx"]))
    cells = [cell for sheet in book for row in sheet for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert f"'{NATIONAL}" in texts
    assert "'+PLUS" in texts
    assert not any(text.startswith(("=", "+", "-", "@", "\t", "\r")) for text in texts)
    assert "'-9.9" in texts


@given(st.lists(st.integers(0, 50)), st.integers(1, 200))
def test_every_rule_gets_its_share_of_the_list(counts: list[int], at_most: int) -> None:
    limit = fair_limit(counts, at_most)
    assert sum(min(count, limit) for count in counts) <= at_most
    if sum(counts) > at_most:
        assert sum(min(count, limit + 1) for count in counts) > at_most
    else:
        assert all(count <= limit for count in counts)


@given(st.text())
def test_a_safe_text_never_begins_like_a_formula(text: str) -> None:
    made = str(safe(text))
    assert made in (text, f"'{text}")
    assert not made.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_sheets_run_from_right_to_left_in_arabic(small: Framework) -> None:
    content = workbook(checked(small, faulty()), translations("ar"), {})
    assert all(sheet.sheet_view.rightToLeft for sheet in load_workbook(io.BytesIO(content)))


def test_a_cap_is_stated(small: Framework) -> None:
    result = checked(small, faulty(), at_most=5)
    book = load_workbook(io.BytesIO(workbook(result, translations("en"), {}, at_most=9)))
    total = sum(result.severities.values())
    said = [row[0].value for row in book["Summary"]]
    listed = 9  # five rules have one finding; of the rule with 20 the check keeps 5, the workbook 4
    assert any(text.startswith(f"This workbook lists {listed} of {total} findings.") for text in said)
    assert book["Findings"].max_row == listed + 1
    assert "The list of findings holds 5 of 20." in Page(_page(result, small)).text


def report(files: dict[str, bytes]) -> list[dict[str, Any]]:
    return json.loads(files["validation-report.json"])  # type: ignore[no-any-return]


def test_the_validation_report_has_an_entry_for_every_rule(files: dict[str, bytes], small: Framework) -> None:
    outcomes = checked(small, faulty(), not_taken_over=(NATIONAL, "+PLUS", "PHONE")).outcomes
    entries = {entry["id"]: entry for entry in report(files)}
    assert set(entries) == {f"{ID}/{outcome.rule.id}" for outcome in outcomes}
    for outcome in outcomes:
        entry = entries[f"{ID}/{outcome.rule.id}"]
        assert entry["value"] == {"passed": "1", "failed": "0"}.get(outcome.state, "NA")
        assert entry["copstats"]["state"] == outcome.state
        assert entry["copstats"]["findings"] == outcome.count
    broken = entries[f"{ID}/code_list:sex"]
    assert broken["copstats"]["listed"] == [
        {"record": 1, "cell": "'Données 2026'!F2", "masked_value": "999999"}
    ]
    assert "masked_value" not in entries[f"{ID}/skip_ignored:met"]["copstats"]["listed"][0]


def test_the_validation_report_has_the_structure_of_the_standard(files: dict[str, bytes]) -> None:
    """What ESSnet ValidatIntegration 1.0.0 asks of a validation, written down from its report, section 4."""
    for entry in report(files):
        assert entry["type"] == "validation"
        assert isinstance(entry["id"], str)
        assert {"time", "actor"} <= entry["event"].keys()
        dt.datetime.fromisoformat(entry["event"]["time"])
        assert {"language", "expression", "severity"} <= entry["rule"].keys()
        assert entry["rule"]["severity"] in ("information", "warning", "error")
        assert all(isinstance(text, str) for text in entry["rule"].values())
        assert {"source", "target"} <= entry["data"].keys()
        assert all(isinstance(t, str) for key in ("source", "target") for t in entry["data"][key])
        assert entry["value"] in ("0", "1", "NA")
        extra = entry.keys() - {"id", "type", "event", "rule", "data", "value"}
        assert extra == {"copstats"}


@pytest.mark.reference
def test_the_validation_report_follows_the_published_schema(files: dict[str, bytes]) -> None:
    """The JSON Schema of github.com/data-cleaning/ValidatReport has no licence and so is not kept here."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "reference" / "ess" / "validation_report.json"
    path = Path(os.environ.get("COPSTATS_ESS_SCHEMA", beside))
    if not path.is_file():
        pytest.skip("no schema: set COPSTATS_ESS_SCHEMA to validation_report_1.0.0.json")
    # As published it lacks a comma after its empty id.
    text = re.sub(r'("id"\s*:\s*"")\s*\n', r"\1,\n", path.read_text("utf-8"))
    schema = {key: value for key, value in json.loads(text).items() if key != "id"}
    validator = Draft4Validator(schema)
    assert not list(validator.iter_errors(report(files)))
    spoilt = [report(files)[0] | {"value": "2"}]
    assert list(validator.iter_errors(spoilt))


def test_the_time_of_the_check_is_the_callers(small: Framework, tmp_path: Path) -> None:
    when = dt.datetime(2026, 11, 5, 9, 30, tzinfo=dt.UTC)
    files = written(small, tmp_path, time=when)
    assert {entry["event"]["time"] for entry in report(files)} == {"2026-11-05T09:30:00+00:00"}


def test_a_file_in_place_of_the_folder_is_refused(small: Framework, tmp_path: Path) -> None:
    from copstats.errors import UsageError

    (tmp_path / "x").write_text("")
    with pytest.raises(UsageError) as error:
        write_reports(checked(small, children()), small, translations("en"), tmp_path / "x")
    assert error.value.code == "U143"


def test_addresses() -> None:
    place = PLACES["child"]
    assert place.address("NAT_SEX", 36) == "'Données 2026'!F37"
    assert place.address("NAT_SEX, NAT_SCORE", 1) == "'Données 2026'!F2,AA2"
    assert place.address("NAT_SEX", None) == "'Données 2026'!F:F"
    assert place.address("", 4) == "'Données 2026'!5:5"
    assert place.address("", None) == ""
    assert Place("Sheet1", {"a, b": 3}).address("a, b", 36) == "Sheet1!C37"
    assert Place("L'école", {"a": 1}).address("a", 1) == "'L''école'!A2"
    assert Place("AB12", {"a": 1}).address("a", 1) == "'AB12'!A2"
    assert Place().address("a", 1) == ""


@given(st.integers(1, 16_384))
def test_letters_are_those_of_a_spreadsheet(number: int) -> None:
    from openpyxl.utils import get_column_letter

    assert letters(number) == get_column_letter(number)


def test_a_spoilt_cell_is_named_by_its_address(root: Path, tmp_path: Path) -> None:
    """A word is written into a cell with openpyxl; the check names that cell."""
    from copstats.collect.harmonise import harmonise
    from copstats.collect.submission import open_submission
    from copstats.framework import load_areas, load_framework
    from copstats.process.check import check
    from copstats.process.reports import places
    from copstats.store.engine import memory_connection

    folder = tmp_path / "XBB_2025_COPS_v01"
    shutil.copytree(root / "sample_data" / "submissions" / folder.name, folder)
    book = load_workbook(folder / "encuesta.xlsx")
    sheet = next(s for s in book if any(cell.value == "SEXO" for cell in s[1]))
    column = next(cell.column_letter for cell in sheet[1] if cell.value == "SEXO")
    sheet[f"{column}37"] = "zzz"
    book.save(folder / "encuesta.xlsx")
    areas = load_areas(root / "schemas" / "areas.csv", root / "sample_data" / "areas.csv")
    delivery = open_submission(folder, areas=areas)
    framework = load_framework()
    with memory_connection() as connection:
        made = harmonise(delivery, framework, connection)
        result = check(connection, made, ID, framework, delivery.manifest, delivery.crosswalk, gate=False)
    (entry,) = entries(result, places(made), translations("en"))[:1]
    assert entry.lines[0].spots == (Spot(36, f"{sheet.title}!{column}37"),)
