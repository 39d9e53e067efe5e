"""The feedback note that a statistics office gets after each round: published things and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from copstats.disseminate.published import Published
from copstats.disseminate.reports import country_tables as tables
from copstats.disseminate.reports.actions import dates
from copstats.disseminate.reports.country_official import official
from copstats.disseminate.reports.document import Block, Bullets, Paragraph, Report, Section
from copstats.disseminate.reports.facts import Facts
from copstats.disseminate.reports.frame import Frame
from copstats.disseminate.reports.quarterly import dated, notices
from copstats.disseminate.reports.results import revisions
from copstats.disseminate.site.reading import Value
from copstats.language import translations


def feedback_note(published: Published, area: str, language: str) -> Report:
    """Return the note to the statistics office of a country.

    Everything in it is published, so that it may be passed on.

    Args:
        published: the release.
        area: ISO 3166-1 alpha-3; one of the release's areas.
        language: BCP 47.

    Raises:
        UsageError: U120, no such language.
    """
    facts = Facts(published)
    frame = Frame(facts, translations(language, published.framework.id))
    text, publisher = frame.text, published.publisher
    rows = [row for row in facts.values if row.ref_area == area]
    shown = [row for row in rows if row.value is not None]
    return Report(
        kind=text("Feedback to the statistics office"),
        title=text("{area}: what was published, and how to go on", area=frame.names.area(area)),
        subtitle=dated(frame),
        publisher=publisher.name,
        contact=publisher.contact,
        subject=text("Release {label}", label=facts.label),
        date=facts.quarter_end,
        notes=notices(frame),
        sections=[
            Section(text("What was published"), _published(frame, area, rows)),
            tables.indicators(frame, rows),
            Section(text("What would raise the class"), tables.raising(frame, shown)),
            Section(text("What was withheld, and why"), tables.withheld(frame, area, rows)),
            Section(text("Facts about the survey"), tables.survey(frame, area)),
            Section(text("Comparison with the region"), tables.region(frame, shown)),
            Section(
                text("Change since the last round"), [*tables.changes(frame, area), *revisions(frame, area)]
            ),
            *official(frame, area),
            Section(text("Before the next round"), _next_round(frame, area, rows)),
            dates(frame),
        ],
        words=frame.words,
    )


def _published(frame: Frame, area: str, rows: Sequence[Value]) -> list[Block]:
    text = frame.text
    shown = [row for row in rows if row.value is not None]
    if not rows:
        return [Paragraph(text("The release holds no value of a survey of this country."))]
    grades = [row.comparability or "C" for row in shown]
    said = text(
        "Indicators with a national value: {shown} of {all}; of class A, comparable: {a}; of class B, with "
        "caution: {b}; of class C, not comparable: {c}.",
        shown=frame.count(len(shown)),
        all=frame.count(len(frame.facts.published.framework.indicators)),
        a=frame.count(grades.count("A")),
        b=frame.count(grades.count("B")),
        c=frame.count(grades.count("C")),
    )
    names = [
        text(
            "{title} ({year}): submission {source}",
            title=row.title or row.survey,
            year=row.time_period,
            source=row.source,
        )
        for row in frame.facts.sources
        if row.ref_area == area
    ]
    return [Paragraph(said), Bullets(names)]


def _next_round(frame: Frame, area: str, rows: Sequence[Value]) -> list[Block]:
    """Return what to do; each item follows from a figure above."""
    text, facts = frame.text, frame.facts
    modules = facts.published.framework.modules
    items = [
        text("Add the module “{module}”: indicators need it.", module=text(modules[name].title))
        for name in facts.modules_missing(rows)
    ]
    if not_asked := [frame.names.indicator(row.indicator) for row in rows if row.reason == "not_asked"]:
        items.append(
            text(
                "Ask the questions that these indicators need: {names}.", names=frame.words.listing(not_asked)
            )
        )
    items += tables.sample(frame, area)
    items += tables.most_frequent_advice(frame, [row for row in rows if row.value is not None])
    if any(row.ref_area == area and row.custody == "single" for row in facts.newest_sources):
        items.append(
            text(
                "Seal the data before they leave the country: pseudonyms of your own protect children better."
            )
        )
    counted = facts.published.tables["administrative_value"]["ref_area"].to_pylist()
    if area not in counted:
        items.append(text("Deliver counts of helplines, hotlines, police, schools and training."))
    if area not in facts.published.tables["policy_answer"]["ref_area"].to_pylist():
        items.append(text("Answer the questionnaire on national policy."))
    return [Bullets(items)] if items else [Paragraph(text("Nothing is asked for."))]
