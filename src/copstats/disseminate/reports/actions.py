"""Chapters on what members are asked to do, and on the next dates."""

from __future__ import annotations

import datetime as dt

from copstats.disseminate.codes import LISTS
from copstats.disseminate.reports.advice import advice
from copstats.disseminate.reports.document import Block, Bullets, Paragraph, Section, Table
from copstats.disseminate.reports.facts import REGIONS
from copstats.disseminate.reports.frame import Frame
from copstats.framework.aggregation import load_aggregation

_MOST_CRITERIA = 3
_MOST_MODULES = 5


def actions(frame: Frame) -> Section:
    """Return the chapter on actions: each follows from the figures of the release."""
    text = frame.text
    lead = text("Each request follows from the figures of this release. Countries are counted, not named.")
    found = [*_without_data(frame), *_modules(frame), *_official(frame), *_reviews(frame), *_aging(frame)]
    blocks: list[Block] = [Paragraph(lead), Bullets(found)] if found else [Paragraph(text("None."))]
    if frame.facts.criteria:
        blocks.append(_criteria(frame))
    return Section(text("Actions asked of members"), blocks)


def _without_data(frame: Frame) -> list[str]:
    lacking = frame.facts.without_values
    if not lacking:
        return []
    by_region = [
        frame.colon(frame.names.group(REGIONS, region), frame.count(number))
        for region, number in lacking.items()
    ]
    said = frame.text(
        "Countries without published values, {count}: plan a survey of children online, or deliver the data "
        "of one that was carried out.",
        count=frame.count(sum(lacking.values())),
    )
    return [said + " " + "; ".join(by_region) + "."]


def _modules(frame: Frame) -> list[str]:
    missing = frame.facts.modules_missing(frame.facts.values)
    modules = frame.facts.published.framework.modules
    return [
        frame.text(
            "Countries whose newest survey leaves out the module “{module}”, {count}: add it to the next "
            "round.",
            module=frame.text(modules[name].title),
            count=frame.count(len(areas)),
        )
        for name, areas in list(missing.items())[:_MOST_MODULES]
    ]


def _official(frame: Frame) -> list[str]:
    text, tables = frame.text, frame.facts.published.tables
    surveyed = set(frame.facts.countries)
    counted = set(tables["administrative_value"]["ref_area"].to_pylist())
    answered = set(tables["policy_answer"]["ref_area"].to_pylist())
    found = []
    if lacking := surveyed - counted:
        said = text(
            "Countries with values of a survey and no counts of services, {count}: deliver counts of "
            "helplines, hotlines, police, schools and training.",
            count=frame.count(len(lacking)),
        )
        found.append(said)
    if lacking := surveyed - answered:
        said = text(
            "Countries with values of a survey and no answers on national policy, {count}: answer the "
            "questionnaire.",
            count=frame.count(len(lacking)),
        )
        found.append(said)
    return found


def _reviews(frame: Frame) -> list[str]:
    waiting = [row for row in frame.facts.received or () if row["state"] == "waiting"]
    rejected = [row for row in frame.facts.received or () if row["state"] == "rejected"]
    found = []
    if waiting:
        said = frame.text(
            "Submissions that wait for a review, {count}: their countries look at the report of the check "
            "and answer questions of the reviewers.",
            count=frame.count(len(waiting)),
        )
        found.append(said)
    if rejected:
        said = frame.text(
            "Submissions that the check rejected, {count}: put right what the report names and send them "
            "again.",
            count=frame.count(len(rejected)),
        )
        found.append(said)
    return found


def _aging(frame: Frame) -> list[str]:
    """Tell of countries whose newest data no longer count in aggregates within a year."""
    if (end := frame.facts.quarter_end) is None:
        return []
    oldest = int(load_aggregation(frame.facts.published.framework.id).oldest.value)
    old = [row for row in frame.facts.newest_sources if end.year - int(row.time_period) >= oldest]
    if not old:
        return []
    said = frame.text(
        "Countries whose newest survey is {years} years old or older, {count}: it will not count in "
        "regional values next year; plan a new round.",
        years=oldest,
        count=frame.count(len(old)),
    )
    return [said]


def _criteria(frame: Frame) -> Table:
    text = frame.text
    rows = [
        [frame.criterion(code), advice(frame, code), frame.count(number)]
        for code, number in frame.facts.criteria[:_MOST_CRITERIA]
    ]
    head = [text("Criterion"), text("What meets it"), text("Values")]
    caption = text("Criteria that most often keep newest national values from class A")
    return Table(caption, head, rows, frozenset({1}), widths=(0.36, 0.5, 0.14))


def dates(frame: Frame) -> Section:
    """Return the chapter on the next dates, from the release calendar."""
    text = frame.text
    title = text("Next dates")
    if not frame.facts.content.has("release_calendar"):
        return Section(
            title,
            [Paragraph(text("The label of this release names no quarter; no further one is announced."))],
        )
    table = frame.facts.published.tables["release_calendar"]
    rows = [
        [row["label"], _due(frame, row["scheduled_at"]), text(LISTS["state"][row["state"]])]
        for row in table.to_pylist()
    ]
    head = [text("Release"), text("Due"), text("State")]
    return Section(title, [Table(text("Release calendar"), head, rows, frozenset({1, 2}))])


def _due(frame: Frame, at: str) -> str:
    when = dt.datetime.fromisoformat(at)
    return frame.text(
        "{date}, {time}", date=frame.words.date(when.date()), time=f"{when:%H:%M} {when.tzname()}"
    )
