"""Number 23 of the attacks: no table that the portal gives out holds what a spreadsheet would execute."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import httpx
import pyarrow as pa
import pytest

from copstats.disseminate.files import write_csv_table
from copstats.portal.provider.findings import as_csv
from copstats.steps.findings import RuleFinding
from copstats.store.home import Home
from tests.portal.board.registered import register
from tests.portal.conftest import PATIENT, Served, csrf_of, new_home, serve

LIVE = ("=HYPERLINK(1)", "+1+cmd|' /C calc'!A0", "-2+3+cmd", "@SUM(1)", "\uff1d1+1", "\t=1", "\r=1")
EXECUTED = re.compile(r"[=+@\t\r\n\uff1d\uff0b\uff0d\uff20]|-(?!\d+(\.\d+)?$)")
"""A cell that begins so is more than a text or a number to a spreadsheet."""


def cells(content: bytes) -> list[str]:
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return [cell for row in rows for cell in row]


def live(found: list[str]) -> list[str]:
    return [cell for cell in found if EXECUTED.match(cell)]


def unprotected(texts: list[str]) -> bytes:
    """Twin: the table as the standard library writes it."""
    sink = io.StringIO()
    csv.writer(sink).writerows([text] for text in texts)
    return sink.getvalue().encode()


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A portal whose areas have names that are formulas."""
    home = tmp_path_factory.mktemp("poisoned") / "home"
    tokens, ids = new_home(home)
    rows = [f'X{letter}X,"{text}",AFR,002,,,,FIC' for letter, text in zip("ABCD", LIVE, strict=False)]
    head = "area,name,itu_region,m49_region,ldc,lldc,sids,demo_region"
    (home / "areas.csv").write_text("\n".join([head, *rows, ""]), "utf-8")
    for letter in "ABCD":
        register(home, f"X{letter}X")
    with serve(home, tokens, ids, worker=False, limits=PATIENT) as served:
        yield served


def test_23_the_twin_shows_that_the_search_finds_formulas() -> None:
    assert live(cells(unprotected(list(LIVE)))) == list(LIVE)
    assert live(["-1.5", "-", "text = 1", "'=1", ""]) == ["-"]


@pytest.mark.parametrize("text", LIVE)
def test_23_findings(text: str) -> None:
    finding = RuleFinding(
        rule=text,
        severity="error",
        level=1,
        record=text,
        variables=(text,),
        count=1,
        title=text,
        why=text,
        fix=text,
        places=(1,),
    )
    found = cells(as_csv([finding]))
    assert live(found) == []
    assert sum(text in cell for cell in found) == 5


def test_23_the_board(poisoned: Served) -> None:
    board = poisoned.browser("reviewer").get("/en/board.csv")
    assert board.headers["content-type"].startswith("text/csv")
    found = cells(board.content)
    assert {name for name in LIVE[:4] if f"'{name}" in found} == set(LIVE[:4])
    assert live(found) == []


def test_23_the_writer_of_values_before_a_release_keeps_numbers() -> None:
    columns = {"note": list(LIVE), "text": ["-1.5"] * len(LIVE), "estimate": [-1.5] * len(LIVE)}
    write_csv_table(sink := io.BytesIO(), pa.table(columns))
    found = cells(sink.getvalue())
    assert live(found) == []
    assert found.count("-1.5") == 2 * len(LIVE)


def test_23_windows(poisoned: Served) -> None:
    """What an operator types is a text in the file that others open."""
    browser = poisoned.browser("operator")
    form = {"area": "XAX", "opens": "2026-01-01", "closes": "2026-02-01", "csrf": csrf_of(browser)}
    for text in LIVE[:4]:
        answer = browser.post("/en/board/windows", data={**form, "title": text})
        assert answer.status_code < 500
    written = poisoned.home / "windows.csv"
    assert not written.exists() or live(cells(written.read_bytes())) == []


def test_23_the_log_is_no_table_and_shows_texts_as_texts(poisoned: Served) -> None:
    poisoned.client("operator").post("/api/messages?area=XAX", json={"text": "=1+1"})
    auditor: httpx.Client = poisoned.browser("auditor")
    page = auditor.get("/en/board/log")
    assert page.headers["content-type"].startswith("text/html")
    assert "portal.message" in page.text and "=1+1" not in page.text  # the log names it, without its text
    assert Home.open(poisoned.home).audit.verify() == []
    assert auditor.get("/en/board/log.csv").status_code == 404
