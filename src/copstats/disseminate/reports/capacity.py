"""Chapter on capacity building and services, from administrative counts and answers on policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from copstats.disseminate.reports.document import Block, Paragraph, Section, Table
from copstats.disseminate.reports.frame import DASH, Frame

BUILDING = ("training", "education")
"""Services whose counts are shown by country; of other services the number of countries that report."""
SERVICES = (*BUILDING, "helpline", "hotline")


class Count(NamedTuple):
    """The newest national figure of a measure that is a count or a fact."""

    measure: str
    title: str
    service: str
    ref_area: str
    time_period: str
    value: float | None
    reason: str | None


# Whole years before quarters: a year is what countries can be held against each other by.
_COUNTS = """
SELECT v.measure, m.title, m.service, v.ref_area, v.time_period, v.value, v.reason
FROM administrative_value AS v
JOIN measure AS m USING (measure)
WHERE v.sex = '_T' AND v.age = '_T' AND v.code = '_T' AND m.kind = 'count'
QUALIFY row_number() OVER (
  PARTITION BY v.measure, v.ref_area
  ORDER BY v.value IS NULL, v.time_period LIKE '%Q%', v.time_period DESC, v.source
) = 1
ORDER BY v.measure, v.ref_area
"""
_SCORES = """
SELECT ref_area, time_period, score
FROM policy_score
WHERE pillar = '_T'
QUALIFY row_number() OVER (PARTITION BY ref_area ORDER BY time_period DESC, source) = 1
ORDER BY ref_area
"""


def counts(frame: Frame) -> list[Count]:
    """Return the newest national counts of the services that this chapter tells of."""
    rows = frame.facts.content.rows(_COUNTS, Count)
    return [row for row in rows if row.service in SERVICES]


def capacity(frame: Frame) -> Section:
    """Return the chapter."""
    text = frame.text
    found = counts(frame)
    blocks: list[Block] = []
    if found:
        blocks = [
            _reporting(frame, found),
            *_building(frame, [row for row in found if row.service in BUILDING]),
        ]
        note = text(
            "Contacts, referrals, reports and persons are different units; counts are rounded and are not "
            "added up across countries. Persons trained are counted once for each training."
        )
        blocks.append(Paragraph(note, quiet=True))
    else:
        blocks.append(
            Paragraph(text("No country has delivered counts of training, schools, helplines or hotlines."))
        )
    return Section(text("Capacity building and services"), [*blocks, *_policy(frame)])


def _reporting(frame: Frame, rows: Sequence[Count]) -> Table:
    text = frame.text
    lines = []
    for service in SERVICES:
        for measure in dict.fromkeys(row.measure for row in rows if row.service == service):
            of = [row for row in rows if row.measure == measure]
            shown = [row for row in of if row.value is not None]
            periods = sorted({row.time_period for row in shown})
            lines.append(
                [text(of[0].title), frame.count(len(shown)), frame.count(len(of) - len(shown)), *periods[-1:]]
            )
    head = [text("Count"), text("Countries with a figure"), text("Withheld"), text("Newest period")]
    whole = [[*line, DASH][: len(head)] for line in lines]
    return Table(
        text("Counts of services: countries that report"), head, whole, widths=(0.49, 0.17, 0.17, 0.17)
    )


def _building(frame: Frame, rows: Sequence[Count]) -> list[Block]:
    measures = {row.measure: row.title for row in sorted(rows, key=lambda row: BUILDING.index(row.service))}
    if not measures:
        return []
    text = frame.text
    by_cell = {(row.ref_area, row.measure): row for row in rows}
    lines = [
        [frame.names.area(area), *(_cell(frame, by_cell.get((area, measure))) for measure in measures)]
        for area in sorted({row.ref_area for row in rows}, key=frame.names.area)
    ]
    head = [text("Country or area"), *(text(title) for title in measures.values())]
    blocks: list[Block] = [Table(text("Capacity building: newest counts, with their period"), head, lines)]
    if legend := frame.legend([row.reason for row in rows]):
        blocks.append(Paragraph(legend, quiet=True))
    return blocks


def _cell(frame: Frame, row: Count | None) -> str:
    if row is None:
        return DASH
    if row.value is None:
        return frame.sign(row.reason)
    return f"{frame.names.number(row.value)} ({row.time_period})"


def _policy(frame: Frame) -> list[Block]:
    rows = frame.facts.content.table(_SCORES).to_pylist()
    if not rows:
        return []
    text = frame.text
    head = [text("Country or area"), text("Year"), text("Score, 0 to 100")]
    lines = [
        [frame.names.area(row["ref_area"]), row["time_period"], frame.names.number(row["score"], 1) or DASH]
        for row in rows
    ]
    note = text(
        "The score is the unweighted mean of the items of the questionnaire on national policy that apply "
        "and were answered: yes 100, partial 50, no 0. It is never combined with values of surveys."
    )
    table = Table(text("Answers on national policy"), head, lines, frozenset({1}))
    return [table, Paragraph(note, quiet=True)]
