from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lxml import html

from copstats.disseminate.official import (
    ADMINISTRATIVE_VALUE,
    BREAKDOWN,
    MEASURE,
    POLICY_ANSWER,
    POLICY_SCORE,
)
from copstats.disseminate.published import Published
from copstats.disseminate.site import write_site
from copstats.disseminate.site.pages.arranging import extent
from copstats.store.engine import published_connection
from tests.disseminate.site.reading import page, table, text


@pytest.fixture(scope="module")
def aruvia(site: Path) -> html.HtmlElement:
    return page(site / "en" / "areas" / "XAA.html")


def test_the_list_counts_values_and_names_the_newest_year(site: Path, release: Path) -> None:
    with published_connection(release / "copstats.duckdb") as connection:
        known = connection.sql(
            """
            SELECT area, count(DISTINCT indicator)::VARCHAR, max(time_period)
            FROM latest_value JOIN area USING (ref_area)
            WHERE disaggregation = 'total' AND standardised = 'N'
            GROUP BY area ORDER BY area
            """
        ).fetchall()
    rows = table(page(site / "en" / "areas" / "index.html"), "countries")
    assert [tuple(row) for row in rows[1:]] == known


def test_the_profile_shows_what_the_database_shows(aruvia: html.HtmlElement, release: Path) -> None:
    with published_connection(release / "copstats.duckdb") as connection:
        known = connection.sql(
            "SELECT title, value, ci_lower, ci_upper FROM country_profile('XAA') WHERE value IS NOT NULL"
        ).fetchall()
    shown = {row[0]: row for row in table(aruvia, "profile-table")}
    assert known
    for title, value, lower, upper in known:
        assert float(shown[title][1].removesuffix(" U")) == value
        assert [float(part) for part in shown[title][2].split(" to ")] == [lower, upper]


def test_a_withheld_value_says_why(aruvia: html.HtmlElement) -> None:
    (row,) = [row for row in table(aruvia, "profile-table") if row[0] == "Unwanted sexual requests"]
    assert row[1] == "Too few valid answers"


def test_a_value_of_class_c_stands_apart_from_those_beside_means(site: Path) -> None:
    document = page(site / "en" / "areas" / "XCC.html")
    national = {row[0]: row for row in table(document, "national-table")}
    assert national["Cyberbullying victimisation, all children"][1] == "55"
    assert national["Cyberbullying victimisation, all children"][5] == "Wording of the question"
    beside = [row[0] for row in table(document, "profile-table")]
    assert "Cyberbullying victimisation, all children" not in beside


def test_a_drawn_value_lies_where_its_number_says(aruvia: html.HtmlElement) -> None:
    rows = aruvia.xpath("//table[caption/@id='profile-table']//tr[td//svg]")
    assert rows
    for row in rows:
        value = float(text(row.xpath("td")[0]).removesuffix(" U"))
        (dot,) = row.xpath(".//*[local-name()='circle']")
        assert float(dot.get("cx")) == pytest.approx(4 + 2 * value, abs=0.05)


def test_the_difference_of_girls_and_boys_is_that_of_the_table(
    aruvia: html.HtmlElement, release: Path
) -> None:
    with published_connection(release / "copstats.duckdb") as connection:
        known = connection.sql(
            """
            SELECT value_a, value_b, difference, ci_lower, ci_upper
            FROM group_difference
            WHERE ref_area = 'XAA' AND dimension = 'sex' AND difference IS NOT NULL
            """
        ).fetchall()
    shown = [
        [float(part) for part in (*row[1:4], *row[4].split(" to "))]
        for row in table(aruvia, "gap-sex-table")[1:]
        if len(row) > 1
    ]
    assert [tuple(row) for row in shown] == known


def test_changes_stand_with_their_interval_and_their_chart(aruvia: html.HtmlElement) -> None:
    rows = {row[0]: row for row in table(aruvia, "change-table-1")[1:]}
    changed = rows["Cyberbullying victimisation, all children"]
    assert changed[1:4] == ["31", "24.6", "-6.4"]
    assert aruvia.xpath("//figure//*[local-name()='svg']")
    assert "The two rounds" not in text(aruvia)


def test_the_source_says_what_the_manifest_says(aruvia: html.HtmlElement) -> None:
    shown = text(aruvia.xpath("//article[@aria-labelledby='source-1']")[0])
    for fact in (
        "Statistics office",
        "1 March 2026 to 30 April 2026",
        "Schools",
        "Probability sample, documented",
    ):
        assert fact in shown
    assert "not stated" in shown


def test_a_survey_is_named_in_the_language_of_the_page_if_its_office_did(site: Path) -> None:
    assert "Survey of children online" in text(page(site / "ar" / "areas" / "XAA.html"))


def test_all_cells_of_a_country_can_be_taken(site: Path, published: Published) -> None:
    with (site / "data" / "area-XAA.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    areas = published.tables["indicator_value"]["ref_area"].to_pylist()
    assert len(rows) == areas.count("XAA")
    assert {row["ref_area"] for row in rows} == {"XAA"}


@pytest.mark.parametrize(
    ("limits", "reach"), [([], 10), ([None], 10), ([-3.0, 9.9], 10), ([-41.0], 50), ([20.0], 20)]
)
def test_the_axis_of_differences_holds_all_limits(limits: list[float | None], reach: float) -> None:
    assert extent(limits) == reach


HOSTILE = '<script>alert("1")</script> & l\'enfant عربي'


def _with(published: Published, **tables: tuple[pa.Schema, list[dict[str, Any]]]) -> Published:
    made = {name: pa.Table.from_pylist(rows, schema=schema) for name, (schema, rows) in tables.items()}
    return dataclasses.replace(published, tables={**published.tables, **made})


@pytest.fixture(scope="module")
def official(published: Published, tmp_path_factory: pytest.TempPathFactory) -> html.HtmlElement:
    """The page of a country with counts and answers."""
    count = {"ref_area": "XBB", "measure": "hl_contacts_total", "sex": "_T", "age": "_T", "breakdown": "_T"}
    count |= {
        "code": "_T",
        "unit_measure": "CONTACT",
        "obs_status": "A",
        "obs_conf": "F",
        "time_period": "2025",
    }
    answer = {"ref_area": "XBB", "time_period": "2025", "pillar": "Governance", "question": HOSTILE}
    score = {"ref_area": "XBB", "time_period": "2025", "pillar": "Governance", "items": 5, "answered": 2}
    release = _with(
        published,
        administrative_value=(
            ADMINISTRATIVE_VALUE,
            [
                count | {"value": 1000.0, "deviation": HOSTILE},
                count | {"value": 900.0, "time_period": "2024"},
                count | {"sex": "F", "value": None, "obs_status": "Q", "reason": "count"},
                count | {"age": "Y_GE18", "value": 35.0, "obs_status": "P"},
            ],
        ),
        measure=(
            MEASURE,
            [
                {"measure": "hl_contacts_total", "title": "Contacts", "service": "helpline", "kind": "count"}
                | {"unit_measure": "CONTACT", "unit": "Contacts"}
            ],
        ),
        breakdown=(BREAKDOWN, []),
        policy_answer=(
            POLICY_ANSWER,
            [
                answer
                | {"item": "Q01", "answer": "yes", "in_force": 2021, "evidence": "https://law.example/1"},
                answer
                | {"item": "Q02", "answer": "partial", "body": HOSTILE, "evidence": "javascript:alert(1)"},
            ],
        ),
        policy_score=(
            POLICY_SCORE,
            [
                score | {"score": 75.0, "not_applicable": 0},
                score | {"pillar": "_T", "score": None, "answered": 0, "not_applicable": 5},
            ],
        ),
    )
    folder = tmp_path_factory.mktemp("official")
    write_site(folder, release, ("en",))
    return page(folder / "site" / "en" / "areas" / "XBB.html")


def test_counts_are_of_the_newest_period_and_say_what_they_are(official: html.HtmlElement) -> None:
    assert table(official, "service-table-1")[2:] == [
        ["All", "1,000", HOSTILE],
        ["Age 18 and older", "35 provisional", ""],
        ["Female", "A small count, or one from which a small count could be worked out", ""],
    ]
    assert "A contact is not a child, and a report is not a case." in text(official)


def test_answers_and_scores_stand_beside_each_other(official: html.HtmlElement) -> None:
    assert table(official, "scores")[1:] == [
        ["Governance", "75", "2 of 5"],
        ["All items", "no item applies", "0 of 5"],
    ]
    first, second = table(official, "answers")[2:]
    assert first == [HOSTILE, "Yes", "2021", "", "https://law.example/1"]
    assert second == [HOSTILE, "In part", "", HOSTILE, "javascript:alert(1)"]


def test_only_addresses_of_the_web_are_links_and_no_text_is_markup(official: html.HtmlElement) -> None:
    addresses = official.xpath("//a/@href")
    assert "https://law.example/1" in addresses
    assert not [address for address in addresses if address.startswith("javascript")]
    assert not official.xpath("//main//script")
