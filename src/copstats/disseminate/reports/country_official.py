"""Counts of services and answers on the national framework in the feedback note of a country."""

from __future__ import annotations

from collections.abc import Sequence

from copstats.disseminate.reports.document import Block, Paragraph, Section, Table
from copstats.disseminate.reports.frame import DASH, Frame
from copstats.disseminate.site.pages import country_official
from copstats.disseminate.site.pages.country_official import Measure, Pillar
from copstats.disseminate.site.pages.country_rows import CountRow, ScoreRow, official_rows


def official(frame: Frame, area: str) -> list[Section]:
    """Return the chapters on the newest counts and answers of a country; none where it has none."""
    text = frame.text
    parts = country_official.parts(area, official_rows(frame.facts.content), frame.names, frame.words)
    found: list[tuple[str, list[Block]]] = [
        (text("Counts of services"), _counts(frame, parts["services"])),
        (text("National framework"), _answers(frame, parts["pillars"], parts["score"])),
    ]
    return [Section(title, blocks) for title, blocks in found if blocks]


def _counts(frame: Frame, services: Sequence[tuple[str, Sequence[Measure]]]) -> list[Block]:
    if not services:
        return []
    reasons = [of.row.reason for _, measures in services for one in measures for of in one.counts]
    legend = frame.legend(reasons)
    return [
        Paragraph(frame.text("A contact is not a child, and a report is not a case.")),
        *(_service(frame, title, measures) for title, measures in services),
        *([Paragraph(legend, quiet=True)] if legend else []),
    ]


def _service(frame: Frame, title: str, measures: Sequence[Measure]) -> Table:
    text = frame.text
    head = [
        text("Count"),
        text("Of whom"),
        text("Newest period"),
        text("Figure"),
        text("Departs from the definition"),
    ]
    lines = [
        [f"{one.title} ({one.unit})", of.group, one.period, _figure(frame, of.row), of.row.deviation or ""]
        for one in measures
        for of in one.counts
    ]
    caption = text("Newest figures: {service}", service=title)
    return Table(caption, head, lines, frozenset({1, 2, 4}), widths=(0.32, 0.2, 0.12, 0.18, 0.18))


def _figure(frame: Frame, row: CountRow) -> str:
    """Return a figure, or the sign of the reason why there is none."""
    figure = frame.sign(row.reason) if row.value is None else frame.names.number(row.value)
    return f"{figure} ({frame.text('provisional')})" if row.obs_status == "P" else figure


def _answers(frame: Frame, pillars: Sequence[Pillar], score: ScoreRow | None) -> list[Block]:
    if not pillars:
        return []
    text = frame.text
    scored = [(one.title, one.score) for one in pillars] + [(text("All items"), score)]
    scores = Table(
        text("Score by pillar"),
        [text("Pillar"), text("Score, 0 to 100"), text("Items answered")],
        [[title, *_score(frame, row)] for title, row in scored if row],
        widths=(0.5, 0.25, 0.25),
    )
    head = {
        "question": text("Item"),
        "answer": text("Answer"),
        "in_force": text("In force since"),
        "body": text("Responsible body"),
        "evidence": text("Evidence"),
    }
    answers = Table(
        text("Answers"),
        list(head.values()),
        [[getattr(one, name) for name in head] for pillar in pillars for one in pillar.answers],
        frozenset({1, 3, 4}),
        widths=(0.4, 0.12, 0.1, 0.18, 0.2),
    )
    return [scores, answers]


def _score(frame: Frame, row: ScoreRow) -> list[str]:
    answered = frame.text("{count} of {all}", count=frame.count(row.answered), all=frame.count(row.items))
    return [DASH if row.score is None else frame.names.number(row.score), answered]
