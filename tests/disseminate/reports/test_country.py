"""What a country's note says."""

from __future__ import annotations

from dataclasses import replace

from copstats.disseminate.published import Published
from copstats.disseminate.reports import Report, feedback_note
from copstats.framework import Area
from tests.disseminate.reports.reading import cells, everything, said, section, tables


def test_no_other_country_is_named(note: Report) -> None:
    text = everything(note)
    assert "Aruvia" in text
    assert not any(name in text for name in ("Belmora", "Qasriya", "XBB", "XCC"))


def test_values_and_reasons(note: Report) -> None:
    shown = cells(tables(section(note, "Values by indicator"))["Newest national values"])
    assert shown["RCD1 Cyberbullying victimisation"] == [
        "2026",
        "20",
        "17 to 23",
        "B",
        "Recall period; Translation: nothing is known",
    ]
    not_asked = shown["HLP5 Know the child helpline"]
    assert not_asked[1] == "\u2013"
    assert not_asked[-1] == "The survey did not ask a question that it needs"


def test_what_would_raise_the_class(note: Report) -> None:
    (of,) = tables(section(note, "What would raise the class")).values()
    raised = {row[0]: row[1:] for row in of.rows}
    advice, values, alone = raised["Recall period"]
    assert advice == "Use the framework's recall period."
    assert int(values) >= 2 and alone == "0"
    assert "State it in the manifest" in raised["Translation: nothing is known"][0]


def test_what_was_withheld(note: Report, published: Published) -> None:
    by_reason = cells(
        tables(section(note, "What was withheld, and why"))[
            "Cells that disclosure control withheld, all rounds"
        ]
    )
    rows = [row for row in published.tables["suppression"].to_pylist() if row["ref_area"] == "XAA"]
    assert rows and sum(int(cell) for cell, _ in by_reason.values()) == sum(row["cells"] for row in rows)


def test_counts_of_services(note: Report) -> None:
    of = section(note, "Counts of services")
    assert {caption: cells(table) for caption, table in tables(of).items()} == {
        "Newest figures: Schools": {"ED_TEACHERS_TRAINED (Persons)": ["All", "2026", "(s)", ""]},
        "Newest figures: Training": {"TR_PERSONS (Persons)": ["All", "2026", "1,240", ""]},
    }
    assert "(s): A small count" in said(of)
    assert "National framework" not in [one.title for one in note.sections]  # there are no answers


def test_what_was_withheld_elsewhere_is_not_told(published: Published) -> None:
    note = feedback_note(published, "XBB", "en")
    assert said(section(note, "What was withheld, and why")) == "Disclosure control withheld nothing."


def test_facts_of_the_manifest(note: Report) -> None:
    facts = cells(tables(section(note, "Facts about the survey"))["Survey of 2026"])
    assert facts["Where children were reached"] == ["Schools"]
    assert facts["Overall response"] == ["not stated"]
    assert facts["Children in the file"] == ["1,000 to 2,499"]


def test_the_next_round_follows_from_what_was_found(note: Report) -> None:
    text = said(section(note, "Before the next round"))
    assert "Ask the questions that these indicators need: Know the child helpline." in text
    assert "Seal the data before they leave the country" in text
    assert "Answer the questionnaire on national policy." in text
    assert "Deliver counts" not in text


def test_a_country_without_values(published: Published) -> None:
    areas = {**published.areas, "XDD": Area("XDD", "Dalanesia (fictional)", {})}
    note = feedback_note(replace(published, areas=areas), "XDD", "fr")
    assert not note.figures()
