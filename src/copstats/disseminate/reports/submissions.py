"""Chapters on what was received, and on how much of the world the release covers."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence

from copstats.disseminate.charts import Bar
from copstats.disseminate.reports.document import Block, Paragraph, Section, Table
from copstats.disseminate.reports.facts import REGIONS, Coverage
from copstats.disseminate.reports.frame import DASH, Frame
from copstats.framework.aggregation import WORLD
from copstats.language import N_

STATES = {
    "accepted": N_("Accepted"),
    "waiting": N_("Waiting for review"),
    "rejected": N_("Rejected by the check"),
    "declined": N_("Declined"),
    "superseded": N_("Replaced by a newer version"),
    "withdrawn": N_("Withdrawn by the country"),
}
KINDS = {
    "survey": N_("Surveys of children"),
    "administrative": N_("Administrative counts"),
    "policy": N_("Answers on national policy"),
}

_Rows = Sequence[Mapping[str, str]]


def submissions(frame: Frame) -> Section:
    """Return the chapter on submissions: counts by kind, state and region; no country is named."""
    text, rows = frame.text, frame.facts.received
    title = text("Submissions received")
    if rows is None:
        note = text(
            "The register of submissions is not part of this edition; the surveys behind the values are."
        )
        return Section(title, [Paragraph(note), *_published(frame)])
    in_quarter = frame.facts.received_now
    lead = text(
        "Submissions received in the quarter: {new}; since the register began: {all}. Countries appear by "
        "name only where values of theirs are published; here they are counted.",
        new=frame.count(len(in_quarter)),
        all=frame.count(len(rows)),
    )
    blocks: list[Block] = [Paragraph(lead)]
    if rows:
        blocks += [_by_state(frame, rows, in_quarter), _chart(frame, rows)]
    return Section(title, [*blocks, *_published(frame)])


def _by_state(frame: Frame, rows: _Rows, in_quarter: _Rows) -> Table:
    text = frame.text
    states = Counter((row["kind"], row["state"]) for row in rows)
    new = Counter(row["state"] for row in in_quarter)
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    found = [state for state in STATES if any(row["state"] == state for row in rows)]
    lines = [
        [
            text(STATES[state]),
            *(frame.count(states[kind, state]) for kind in kinds),
            frame.count(sum(states[kind, state] for kind in kinds)),
            frame.count(new[state]),
        ]
        for state in found
    ]
    total = [
        text("Total"),
        *(frame.count(sum(states[kind, state] for state in found)) for kind in kinds),
        frame.count(len(rows)),
        frame.count(len(in_quarter)),
    ]
    head = [text("State"), *(text(KINDS[kind]) for kind in kinds), text("All"), text("Of them this quarter")]
    return Table(text("Submissions by kind and state"), head, [*lines, total], strong=frozenset({len(lines)}))


def _chart(frame: Frame, rows: _Rows) -> Block:
    region_of = frame.facts.region_of
    counted = Counter((region_of.get(row["ref_area"], ""), row["state"]) for row in rows)
    bars = [
        Bar(_region(frame, region), counted[region, state], frame.text(STATES[state]))
        for region in sorted({region for region, _ in counted}, key=lambda code: (code == "", code))
        for state in STATES
        if counted[region, state]
    ]
    caption = frame.text("Submissions by region and state")
    return frame.bars("submissions", caption, bars, frame.text("Submissions"))


def _region(frame: Frame, code: str) -> str:
    return frame.names.group(REGIONS, code) if code else frame.text("No region")


def _published(frame: Frame) -> list[Block]:
    """Return the surveys that were carried out lately; their countries have published values."""
    recent = frame.facts.recent_sources
    if not recent:
        return []
    text = frame.text
    head = [text("Country or area"), text("Survey"), text("Year"), text("Data collection"), text("Children")]
    rows = [
        [
            frame.names.area(row.ref_area),
            row.survey,
            row.time_period,
            _dates(frame, row.fieldwork_start, row.fieldwork_end),
            frame.names.code("n_band", row.child_records or ""),
        ]
        for row in recent
    ]
    caption = text(
        "Published surveys whose data collection ended in the twelve months before the end of the quarter"
    )
    return [Table(caption, head, rows, frozenset({1, 2, 3}), widths=(0.26, 0.12, 0.1, 0.34, 0.18))]


def _dates(frame: Frame, *days: dt.date | None) -> str:
    shown = [frame.words.date(day) for day in days if day is not None]
    return f" {DASH} ".join(shown)


def coverage(frame: Frame) -> Section:
    """Return the chapter on coverage by region."""
    text, rows = frame.text, frame.facts.coverage
    head = [
        text("Group of countries"),
        text("Countries and areas"),
        text("With published values"),
        text("With values of class A or B"),
        text("Children who live there"),
    ]
    lines = [
        [
            frame.names.group(row.scheme, row.group),
            frame.count(row.areas),
            frame.count(row.with_values),
            frame.count(row.comparable),
            text("not known") if row.share is None else frame.share(row.share),
        ]
        for row in rows
    ]
    note = text(
        "The last column is the share of the group's children of ages {low} to {high} who live in countries "
        "and areas with published values. It is not known where the population of a member is not.",
        low=frame.facts.published.framework.head.ages.minimum,
        high=frame.facts.published.framework.head.ages.maximum,
    )
    caption = text("Coverage by group of countries")
    strong = frozenset(at for at, row in enumerate(rows) if row.scheme == WORLD)
    table = Table(caption, head, lines, strong=strong, widths=(0.36, 0.16, 0.16, 0.16, 0.16))
    return Section(
        text("Coverage by region"), [Paragraph(_lead(frame, rows)), table, Paragraph(note, quiet=True)]
    )


def _lead(frame: Frame, rows: Sequence[Coverage]) -> str:
    world = next(row for row in rows if row.scheme == WORLD)
    empty = [
        frame.names.group(row.scheme, row.group)
        for row in rows
        if row.scheme == REGIONS and not row.with_values
    ]
    lead = frame.text(
        "Countries and areas with published values: {countries} of {areas}.",
        countries=frame.count(world.with_values),
        areas=frame.count(world.areas),
    )
    if not empty:
        return lead
    return lead + " " + frame.text("Regions without any: {regions}.", regions=frame.words.listing(empty))
