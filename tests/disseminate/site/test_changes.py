from __future__ import annotations

import dataclasses
from pathlib import Path

import pyarrow as pa
import pytest
from lxml import html

from copstats.disseminate.official import MEASURE
from copstats.disseminate.published import Published
from copstats.disseminate.release_calendar import release_calendar
from copstats.disseminate.revisions import REVISION
from copstats.disseminate.site import write_site
from copstats.disseminate.site.pages import changes
from tests.disseminate.conftest import total
from tests.disseminate.site.reading import page, table, text

VICTIMS = "Child victims of offences"
REVISED = {
    **total(),
    "release_from": "2026-Q3",
    "release_to": "2026-Q4",
    "ref_area": "XAA",
    "indicator": "RCD4",
    "time_period": "2023",
    "survey": "COPS",
    "breakdown": "_T",
    "code": "_T",
    "standardised": "N",
    "unit_measure": "PCNT",
    "value_from": 30.0,
    "value_to": 31.0,
    "revision_reason": "new_version",
}
GONE = REVISED | {"ref_area": "CUB", "value_to": None, "revision_reason": "withheld"}
COUNTED = REVISED | {"indicator": "le_victims", "survey": "XAA_2025_HELPLINE", "time_period": "2025"}
EARLIER = REVISED | {"release_from": "2026-Q2", "release_to": "2026-Q3", "revision_reason": "definitions"}


@pytest.fixture(scope="module")
def changed(published: Published, tmp_path_factory: pytest.TempPathFactory) -> html.HtmlElement:
    rows = [REVISED, REVISED | {"sex": "F"}, GONE, EARLIER, COUNTED, COUNTED | {"code": "phone"}]
    indicators = published.tables["indicator"].to_pylist()
    indicators[0] |= {"deprecated_since": "2026-Q3", "replaced_by": "RCD4", "deprecation_reason": "Not asked"}
    for row in indicators:
        row["first_release"] = "2026-Q4" if row["indicator"] == "HLP5" else "2026-Q1"
    tables = {
        "revision": pa.Table.from_pylist(rows, schema=REVISION),
        "indicator": pa.Table.from_pylist(indicators, schema=published.tables["indicator"].schema),
        "measure": pa.Table.from_pylist([{"measure": "le_victims", "title": VICTIMS}], schema=MEASURE),
        "release_calendar": release_calendar("2026-Q4", 15, "09:00", "Europe/Zurich"),
    }
    folder = tmp_path_factory.mktemp("changes")
    write_site(folder, dataclasses.replace(published, tables={**published.tables, **tables}), ("en",))
    return page(folder / "site" / "en" / "changes.html")


def test_revisions_are_counted_by_country_and_reason(changed: html.HtmlElement) -> None:
    assert table(changed, "revised-now")[1:] == [
        ["2026-Q3 to 2026-Q4", "CUB", "The value is no longer shown", "1", "1"],
        [
            "2026-Q3 to 2026-Q4",
            "Aruvia (fictional)",
            "The statistics office sent a new version of its data",
            "2",
            "4",
        ],
    ]
    (before,) = table(changed, "revised-before")[1:]
    assert before[0] == "2026-Q2 to 2026-Q3"


def test_national_values_and_counts_stand_before_and_now(changed: html.HtmlElement) -> None:
    title = "Cyberbullying victimisation, all children"
    assert [row[:5] for row in table(changed, "revised-values")[1:]] == [
        ["CUB", title, "2023", "30", "not shown"],
        ["Aruvia (fictional)", title, "2023", "30", "31"],
        ["Aruvia (fictional)", VICTIMS, "2025", "30", "31"],
    ]


def test_a_country_without_a_page_is_no_link(changed: html.HtmlElement) -> None:
    addresses = changed.xpath("//a/@href")
    assert "areas/XAA.html" in addresses
    assert "areas/CUB.html" not in addresses


def test_an_indicator_that_goes_names_what_comes(changed: html.HtmlElement, published: Published) -> None:
    first = published.tables["indicator"]["title"][0].as_py()
    assert table(changed, "deprecated-table")[1:] == [
        [first, "2026-Q3", "Cyberbullying victimisation, all children", "Not asked"]
    ]


def test_new_indicators_are_named(changed: html.HtmlElement, site: Path) -> None:
    assert [text(one) for one in changed.xpath("//ul[@aria-labelledby='new']/li")] == [
        "Know the child helpline"
    ]
    assert not page(site / "en" / "changes.html").xpath("//*[@id='new']")  # all of a first release is new


def test_the_calendar_tells_day_and_time(changed: html.HtmlElement) -> None:
    rows = table(changed, "calendar-table")[1:]
    assert rows[0] == ["2026-Q4", "15 December 2026, 09:00 (UTC+0100)", "Released"]
    assert rows[1] == ["2027-Q1", "15 March 2027, 09:00 (UTC+0100)", "Planned"]


def test_a_release_without_these_tables_says_so(site: Path, published: Published) -> None:
    shown = text(page(site / "en" / "changes.html"))
    assert "No indicator is being given up." in shown
    (release,) = published.tables["release"].to_pylist()
    assert release["fingerprint"] in shown


def test_a_long_list_is_cut_and_says_so(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_ROWS", 1)
    revision = pa.Table.from_pylist([REVISED, GONE], schema=REVISION)
    write_site(
        tmp_path, dataclasses.replace(published, tables={**published.tables, "revision": revision}), ("en",)
    )
    document = page(tmp_path / "site" / "en" / "changes.html")
    assert len(table(document, "revised-values")) == 2
    assert "The table lists 1 of 2 values." in text(document)
    assert "../../csv/revision.csv" in document.xpath("//a/@href")
