"""What an office reads of a check and of its values before a release, over the home of the demo."""

from __future__ import annotations

import csv
import io
import re

import pyarrow.parquet as pq
import pytest
from lxml import html

from copstats.steps.review import objections
from copstats.store.home import Home
from tests.portal.conftest import Served, csrf_of
from tests.portal.pages.conftest import COUNTED, PREPARED, REJECTED, VALUES

pytestmark = pytest.mark.flows


def test_every_broken_rule_is_told_in_the_language_of_the_office(full_portal: Served) -> None:
    counted = Home.open(full_portal.home).registry.findings(REJECTED)
    browser = full_portal.browser("XFF", "fr")
    page = html.fromstring(browser.get(f"/fr/submissions/{REJECTED}/findings").text)
    shown = page.xpath("//article//dd[last()]/code/text()")
    assert sorted(shown) == sorted(one.rule for one in counted)
    severities = page.xpath("//main//section/@aria-labelledby")
    assert severities == ["error", "warning", "information"]
    titles = [" ".join(title.text_content().split()) for title in page.xpath("//article/h3")]
    english = html.fromstring(browser.get(f"/en/submissions/{REJECTED}/findings").text)
    assert not {" ".join(title.text_content().split()) for title in english.xpath("//article/h3")} & set(
        titles
    )


def test_the_findings_as_a_table_are_those_of_the_page_and_no_cell_is_a_formula(full_portal: Served) -> None:
    answer = full_portal.browser("XFF").get(f"/en/submissions/{REJECTED}/findings.csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="findings-{REJECTED}-en.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    counted = {one.rule: one.count for one in Home.open(full_portal.home).registry.findings(REJECTED)}
    assert {row["rule"]: int(row["count"]) for row in rows} == counted
    assert all(re.fullmatch(r"[0-9 ]*", row["records"]) for row in rows)
    assert any(row["records"] for row in rows)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_an_office_is_told_what_to_do_next_and_not_what_is_done(full_portal: Served) -> None:
    def tasks(area: str) -> list[str]:
        page = html.fromstring(full_portal.browser(area).get("/en/country").text)
        return page.xpath("//ul[@class='tasks']//a/@href")

    assert f"/en/values/{PREPARED}" in tasks("XAA")
    assert not [path for path in tasks("XFF") if REJECTED in path]  # its second version was accepted
    versions = full_portal.browser("XFF").get(f"/en/submissions/{REJECTED}").text
    assert "XFF_2025_COPS_v02_M" in versions


def test_a_country_sees_the_values_that_would_be_published_of_it_and_no_others(full_portal: Served) -> None:
    browser = full_portal.browser("XAA")
    answer = browser.get(f"/en/values/{PREPARED}/values")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    released = pq.read_table(
        full_portal.home / "releases/2026-Q4/parquet/indicator_value.parquet"
    ).to_pylist()
    mine = [one for one in released if one["ref_area"] == "XAA"]
    assert len(rows) == len(mine) and {row["ref_area"] for row in rows} == {"XAA"}
    page = html.fromstring(browser.get(f"/en/values/{PREPARED}").text)
    named = {*(one["indicator"] for one in mine), COUNTED}
    assert {f"indicator-{name}" for name in named} == set(page.xpath("//input[@type='checkbox']/@name"))
    shown = [
        [cell.text_content() for cell in row] for row in page.xpath("//tr[contains(., 'Child victims')]")
    ]
    assert [row[1:4] for row in shown] == [
        ["All", "2025", "45"],
        ["Female", "2025", "(s)"],
        ["Male", "2025", "(s)"],
    ]
    assert "A small count, or one from which a small count could be worked out" in page.text_content()
    counted = browser.get(f"/en/values/{PREPARED}/counts")
    assert [row["value"] for row in csv.DictReader(io.StringIO(counted.text)) if row["sex"] == "_T"][
        -1
    ] == "45"
    assert browser.get(f"/en/values/{PREPARED}/answers").status_code == 404  # there are none
    assert browser.get(f"/en/values/{PREPARED}/docx").content.startswith(b"PK")
    assert browser.get(f"/en/values/{PREPARED}/exe").status_code == 404
    for label in (PREPARED, "2026-Q4", "..%2f..%2fkeys"):
        assert full_portal.browser("XFF").get(f"/en/values/{label}").status_code == 404


def test_an_office_objects_with_a_reason_and_may_confirm_later(full_portal: Served) -> None:
    browser = full_portal.browser("XAA")
    address, csrf = f"/en/values/{PREPARED}", csrf_of(browser)
    home = Home.open(full_portal.home)

    def answer() -> tuple[str, tuple[str, ...], str, str]:
        (one,) = (review for review in home.registry.reviews(PREPARED) if review.values_hash == VALUES)
        return one.answer, one.indicators, one.reason, one.who

    for form in ({"answer": "object"}, {"answer": "object", "reason": " "}, {}):
        assert browser.post(address, data={"csrf": csrf, **form}).status_code == 422
    assert browser.post(address, data={"answer": "confirm"}).status_code == 403
    assert answer()[0] == "waiting"
    objection = {
        "answer": "object",
        "reason": "Weights of 2024",
        "indicator-RCD4": "1",
        "indicator-ACC1": "1",
    }
    assert browser.post(address, data={"csrf": csrf, **objection}).status_code == 303
    assert answer() == ("objected", ("ACC1", "RCD4"), "Weights of 2024", "Office of XAA")
    unknown = browser.post(
        address, data={"csrf": csrf, "answer": "object", "reason": "x", "indicator-NO": "1"}
    )
    assert (unknown.status_code, "U392" in unknown.text) == (409, True)
    assert "Weights of 2024" in browser.get("/en/values").text
    counts = {"answer": "object", "reason": "Twice counted", f"indicator-{COUNTED}": "1"}
    assert browser.post(address, data={"csrf": csrf, **counts}).status_code == 303
    assert answer()[0] == "confirmed"  # of the survey it named nothing
    assert {one.wave: one.reason for one in objections(home)} == {COUNTED: "Twice counted"}
    assert browser.post(address, data={"csrf": csrf, "answer": "confirm"}).status_code == 303
    assert answer() == ("confirmed", (), "", "Office of XAA")
    said = [
        (entry["action"], entry["facts"]["by"])
        for entry in home.audit.entries()
        if entry["subject"] == COUNTED and entry["action"] in ("review.objected", "review.confirmed")
    ]
    given = ("review.confirmed", "review.objected", "review.confirmed")
    assert said == [(one, full_portal.ids["XAA"]) for one in given]
