from __future__ import annotations

import csv
import dataclasses
import re
from pathlib import Path

import msgspec
import pytest
from lxml import html

from copstats.disseminate.published import Published
from copstats.disseminate.site import write_site
from copstats.framework.definitions import Deprecation
from copstats.store.engine import published_connection
from tests.disseminate.site.reading import page, table, text


@pytest.fixture(scope="module")
def rcd4(site: Path) -> html.HtmlElement:
    return page(site / "en" / "indicators" / "RCD4.html")


def test_comparable_countries_are_those_that_the_database_ranks(
    rcd4: html.HtmlElement, release: Path
) -> None:
    with published_connection(release / "copstats.duckdb") as connection:
        ranked = connection.sql(
            "SELECT area, value, time_period, comparability FROM compare('RCD4')"
        ).fetchall()
    assert len(ranked) == 2
    rows = table(rcd4, "countries-table")
    first = rows.index(["Comparable: classes A and B, highest first"]) + 1
    shown = [(row[0], float(row[1]), row[3], row[7][0]) for row in rows[first : first + 2]]
    assert shown == ranked
    assert rows[first + 2] == ["Not comparable: class C, by name"]


def test_a_value_of_class_c_stands_apart_with_its_reason(rcd4: html.HtmlElement) -> None:
    rows = table(rcd4, "countries-table")
    (apart,) = rows[rows.index(["Not comparable: class C, by name"]) + 1 :]
    assert (apart[0], apart[1], apart[7]) == ("Qasriya (fictional)", "55", "C Wording of the question")
    assert "Qasriya" not in "".join(
        svg.text_content() for svg in rcd4.xpath("//figure//*[local-name()='svg']")
    )


def test_the_newest_round_counts(rcd4: html.HtmlElement) -> None:
    (row,) = [row for row in table(rcd4, "countries-table") if row[0] == "Aruvia (fictional)"]
    assert (row[1], row[3]) == ("24.6", "2026")


def test_a_withheld_value_says_why(site: Path) -> None:
    rows = table(page(site / "en" / "indicators" / "RCT3.html"), "countries-table")
    withheld = [row[1] for row in rows[rows.index(["Without a value, by name"]) + 1 :]]
    assert withheld == ["Too few valid answers"] * 3


def test_no_cell_of_a_value_is_empty(site: Path) -> None:
    for path in (site / "en" / "indicators").glob("[A-Z]*.html"):
        for cells in page(path).xpath("//table[@class='groups']//td"):
            assert text(cells), path.name
        for row in page(path).xpath("//caption[@id='countries-table']/..//tbody/tr[td]"):
            assert text(row.findall("td")[0]), path.name


def test_low_reliability_is_marked(site: Path) -> None:
    marks = page(site / "en" / "indicators" / "RSK1.html").xpath("//abbr[@class='weak']")
    assert {(mark.text, mark.get("title")) for mark in marks} == {("U", "Low reliability")}


def test_groups_stand_beside_their_published_difference(rcd4: html.HtmlElement, release: Path) -> None:
    head, *rows = table(rcd4, "groups-sex")
    assert head == ["Country", "Male", "Female", "Difference: Female less Male"]
    (row,) = [row for row in rows if row[0] == "Aruvia (fictional) 2026"]
    with published_connection(release / "copstats.duckdb") as connection:
        (found,) = connection.sql(
            "SELECT value_b, value_a, difference FROM group_difference "
            "WHERE indicator = 'RCD4' AND source LIKE 'XAA_2026%' AND dimension = 'sex'"
        ).fetchall()
    assert tuple(float(cell.split()[0]) for cell in row[1:]) == found


def test_no_difference_of_class_c_is_shown(rcd4: html.HtmlElement) -> None:
    (row,) = [row for row in table(rcd4, "groups-sex") if row[0].startswith("Qasriya")]
    assert row[3] == "no difference is shown of class C"


def test_the_definition_stands_in_words_and_as_predicate(
    rcd4: html.HtmlElement, published: Published
) -> None:
    facts = {text(fact.find("dt")): text(fact.find("dd")) for fact in rcd4.xpath("//dl[@class='facts']/div")}
    assert facts["Reference population"] == "Everyone"
    assert facts["Counted"].endswith("Yes rcd_cybervic = 1")
    assert (facts["Ages"], facts["Recall period"], facts["Disclosure tier"]) == ("9 to 17", "12 months", "A")


def test_the_sql_of_the_page_runs(rcd4: html.HtmlElement, release: Path) -> None:
    (listing,) = rcd4.xpath("//pre")
    queries = [query for query in listing.text_content().split(";") if query.strip()]
    with published_connection(release / "copstats.duckdb") as connection:
        rows = [len(connection.sql(query).fetchall()) for query in queries]
    assert rows[0] == 2 and rows[1] == 2 and rows[2] > 10


def test_the_download_has_every_cell(site: Path, release: Path) -> None:
    with (site / "data" / "RCD4.csv").open(encoding="utf-8", newline="") as lines:
        mine = list(csv.DictReader(lines))
    with (release / "csv" / "indicator_value.csv").open(encoding="utf-8", newline="") as lines:
        assert mine == [row for row in csv.DictReader(lines) if row["indicator"] == "RCD4"]


def test_arabic_keeps_latin_digits_and_the_order_of_columns(site: Path) -> None:
    document = page(site / "ar" / "indicators" / "RCD4.html")
    rows = [row for row in table(document, "countries-table") if len(row) == 8]
    assert rows[-1][1] == "55"
    assert not re.search("[\u0660-\u0669\u06f0-\u06f9]", document.text_content())


def test_a_deprecated_indicator_says_what_to_use(published: Published, tmp_path: Path) -> None:
    framework = published.framework
    parsed = framework.indicators["RCD4"]
    left = Deprecation(since="2026-Q4", replaced_by="RCD1", note="Asked <differently> now.")
    definition = msgspec.structs.replace(parsed.definition, deprecated=left)
    indicators = dict(framework.indicators) | {"RCD4": dataclasses.replace(parsed, definition=definition)}
    changed = dataclasses.replace(published, framework=dataclasses.replace(framework, indicators=indicators))
    write_site(tmp_path, changed, ("en",))
    (banner,) = page(tmp_path / "site" / "en" / "indicators" / "RCD4.html").xpath("//div[@class='notice']")
    assert text(banner) == (
        "This indicator is deprecated since 2026-Q4. Asked <differently> now. "
        "In its place: RCD1 Cyberbullying victimisation"
    )
    assert banner.xpath(".//a/@href") == ["RCD1.html"]
    listed = {
        row[0]: row[1] for row in table(page(tmp_path / "site" / "en" / "index.html"), "by-domain") if row[1:]
    }
    assert [code for code, title in listed.items() if "Deprecated" in title] == ["RCD4"]
