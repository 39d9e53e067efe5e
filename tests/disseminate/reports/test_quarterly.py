"""What the quarterly report says, against the tables of the release."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from copstats.disseminate.published import Published
from copstats.disseminate.release_calendar import RELEASE_CALENDAR
from copstats.disseminate.reports import Report, feedback_note, quarterly_report
from copstats.disseminate.reports.advice import ADVICE
from copstats.disseminate.reports.document import Figure
from copstats.disseminate.reports.facts import Facts
from copstats.disseminate.reports.quality import response_band
from copstats.framework.located import Located
from copstats.project import project_root
from tests.disseminate.reports.reading import cells, drawn, everything, said, section, tables

CHAPTERS = [
    "Summary",
    "Submissions received",
    "Coverage by region",
    "New and revised values",
    "Selected results",
    "Capacity building and services",
    "Quality of the data",
    "Actions asked of members",
    "Next dates",
    "Annex: method",
    "Annex: table of values",
]


def test_chapters(report: Report) -> None:
    assert [part.title for part in report.sections] == CHAPTERS


def test_the_summary_has_five_sentences_whose_numbers_are_those_of_the_tables(
    report: Report, published: Published
) -> None:
    """By hand: newest national rows with a value are RCD4, ACC1 of XAA and RCD1 of three countries."""
    (sentences,) = [block.text for block in section(report, "Summary").blocks]
    assert sentences.count(". ") + sentences.endswith(".") == 5
    values = published.tables["indicator_value"]
    withheld = pc.sum(pc.equal(values["obs_status"], "Q")).as_py()
    all_cells = pc.sum(pc.equal(values["standardised"], "N")).as_py()
    assert f"withheld {100 * withheld / all_cells:.0f} % of all cells" in sentences
    assert "in 3 countries and areas" in sentences
    assert "number 4, of which 2 were accepted and 1 wait" in sentences


def test_submissions_are_counted_and_no_country_without_values_is_named(report: Report) -> None:
    part = section(report, "Submissions received")
    by_state = cells(tables(part)["Submissions by kind and state"])
    assert by_state["Accepted"] == ["2", "1", "3", "2"]
    assert by_state["Waiting for review"] == ["1", "0", "1", "1"]
    assert by_state["Total"] == ["4", "1", "5", "4"]
    assert "QQQ" not in everything(report)


def test_coverage(report: Report) -> None:
    """By hand: all three areas have values; children are known of two of them only."""
    coverage = cells(tables(section(report, "Coverage by region"))["Coverage by group of countries"])
    assert coverage["Africa"] == ["1", "1", "1", "100 %"]
    assert coverage["Americas"] == ["1", "1", "1", "100 %"]
    assert coverage["World"] == ["3", "3", "2", "not known"]


def test_a_chart_holds_classes_a_and_b_only(report: Report) -> None:
    part = section(report, "Risks: conduct")
    (figure,) = [block for block in part.blocks if isinstance(block, Figure)]
    assert "Aruvia" in drawn(figure) and "Belmora" in drawn(figure) and "Qasriya" not in drawn(figure)
    assert "values run from 13.1 to 20." in said(part)
    assert "of class C, not comparable: Qasriya (fictional)" in said(part)
    assert figure.description.startswith("Highest: Aruvia (fictional), 20.")


def test_the_annex_is_the_table_of_values(report: Report, published: Published) -> None:
    (of,) = tables(section(report, "Annex: table of values")).values()
    column = list(of.head).index("RCD1")
    shown = {row[0]: row[column] for row in of.rows}
    assert shown == {
        "Aruvia (fictional)": "20 B",
        "=Belmora, with a long name (fictional)": "13.1",
        "Qasriya (fictional)": "55.3 C",
    }
    withheld = {row[0]: row[list(of.head).index("RSK1")] for row in of.rows}
    assert withheld["Aruvia (fictional)"] not in {"", "0"}


def test_a_change_between_rounds(report: Report, published: Published) -> None:
    change = published.tables["change"].filter(pc.equal(published.tables["change"]["indicator"], "RCD1"))
    assert change["change"].to_pylist() == [-11.0]
    part = section(report, "New and revised values")
    assert "classes A and B: 1; changes whose 95 % interval leaves out zero: 1" in said(part)


def test_revisions_of_this_release_are_counted(published: Published) -> None:
    schema = published.tables["revision"].schema
    revised = [
        {"release_to": "2026-Q4", "ref_area": "XAA", "revision_reason": "new_version"},
        {"release_to": "2026-Q4", "ref_area": "XBB", "revision_reason": "new_version"},
        {"release_to": "2026-Q3", "ref_area": "XCC", "revision_reason": "withheld"},
    ]
    tables_ = {**published.tables, "revision": pa.Table.from_pylist(revised, schema)}
    of = replace(published, tables=tables_)
    part = section(quarterly_report(of, "en"), "New and revised values")
    assert cells(tables(part)["Revised values by reason"]) == {
        "The statistics office sent a new version of its data": ["2"]
    }
    own = section(feedback_note(of, "XAA", "en"), "Change since the last round")
    assert "Revised values: 1; countries and areas with any: 1" in said(own)


def test_counts_of_training(report: Report) -> None:
    part = section(report, "Capacity building and services")
    shown = cells(tables(part)["Capacity building: newest counts, with their period"])
    assert shown == {"Aruvia (fictional)": ["1,240 (2026)", "(s)"]}
    assert "A small count, or one from which a small count could be worked out" in said(part)


def test_classes_and_reasons(report: Report, published: Published) -> None:
    part = section(report, "Quality of the data")
    classes = cells(tables(part)["Newest national values by class of comparability"])
    newest = Facts(published).shown
    for name, grade in (
        ("A, comparable", "A"),
        ("B, comparable with caution", "B"),
        ("C, not comparable", "C"),
    ):
        assert classes[name][0] == str(sum(row.comparability == grade for row in newest))
    statuses = cells(tables(part)["Published cells by status"])
    rows = published.tables["indicator_value"]
    standard = rows.filter(pc.equal(rows["standardised"], "N"))
    assert statuses["Withheld by disclosure control"][0] == str(standard["obs_status"].to_pylist().count("Q"))


def test_standardised_cells_are_not_counted_again(published: Published) -> None:
    rows = published.tables["indicator_value"]
    at = rows.schema.get_field_index("standardised")
    again = rows.set_column(at, rows.schema.field(at), pa.array(["Y"] * rows.num_rows))
    twice = replace(
        published, tables={**published.tables, "indicator_value": pa.concat_tables([rows, again])}
    )
    assert Facts(twice).statuses == Facts(published).statuses
    assert Facts(twice).values == Facts(published).values


def test_actions_count_and_do_not_name(report: Report) -> None:
    part = said(section(report, "Actions asked of members"))
    assert "Submissions that wait for a review, 1" in part
    assert "no counts of services, 2" in part
    assert not any(name in part for name in ("Aruvia", "Belmora", "Qasriya"))


def test_every_criterion_has_advice() -> None:
    path = project_root() / "schemas" / "cop-2026" / "comparability.yaml"
    assert ADVICE.keys() == Located(path).data.keys()


def test_the_headline_of_a_domain_is_its_composite(published: Published) -> None:
    headlines = Facts(published).headlines
    assert (
        headlines["conduct"] == "RCD1" and headlines["contact"] == "RCT7" and headlines["composite"] == "RSK1"
    )
    assert len(headlines) == len({i.definition.domain for i in published.framework.indicators.values()})


@pytest.mark.parametrize(
    ("rate", "band"), [(None, None), (0.0, 0), (0.599, 0), (0.6, 1), (0.7, 2), (0.8, 3), (1.0, 3)]
)
def test_bands_of_response(rate: float | None, band: int | None) -> None:
    assert response_band(rate) == band


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_release_without_any_row(published: Published, language: str) -> None:
    kept = {"release", "population_reference"}
    empty = {name: rows if name in kept else rows.slice(0, 0) for name, rows in published.tables.items()}
    of = replace(published, tables=empty, received=None)
    report = quarterly_report(of, language)
    assert len(report.sections) == len(CHAPTERS) and not report.figures()
    assert not feedback_note(of, "XAA", language).figures()


def test_without_a_quarter_there_are_no_dates(published: Published) -> None:
    calendar = RELEASE_CALENDAR.empty_table()
    release = published.tables["release"]
    at = release.schema.get_field_index("quarter_end")
    untimed = release.set_column(at, "quarter_end", pa.nulls(1, pa.date32()))
    tables_ = {**published.tables, "release_calendar": calendar, "release": untimed}
    report = quarterly_report(replace(published, label="pilot", tables=tables_), "en")
    assert report.date is None
    assert "names no quarter" in said(section(report, "Next dates"))
