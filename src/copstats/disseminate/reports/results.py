"""Chapters on new and revised values, and on selected results."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow.compute as pc

from copstats.disseminate.charts import Mark
from copstats.disseminate.codes import LISTS
from copstats.disseminate.reports.document import Block, Paragraph, Section, Table
from copstats.disseminate.reports.facts import COMPARABLE, Change, frequent
from copstats.disseminate.reports.frame import DASH, Frame
from copstats.disseminate.site.reading import Mean, Value
from copstats.framework.aggregation import WORLD

MOST_MARKS = 24
"""Rows of a chart of changes; the clearest changes are shown."""
_FEWEST = 2
"""Countries without which a chart compares nothing."""


def new_values(frame: Frame) -> Section:
    """Return the chapter on new and revised values: revisions, and changes between rounds."""
    text = frame.text
    blocks = [*revisions(frame), *_changes(frame)]
    return Section(
        text("New and revised values"),
        blocks or [Paragraph(text("Nothing was revised, and no survey was repeated."))],
    )


def revisions(frame: Frame, area: str | None = None) -> list[Block]:
    """Return what the release says about revised values.

    Args:
        frame: facts and words.
        area: of one country alone; None: of all.
    """
    text = frame.text
    rows = frame.facts.published.tables["revision"].select(["release_to", "ref_area", "revision_reason"])
    rows = rows.filter(pc.equal(rows["release_to"], frame.facts.label))
    if area is not None:
        rows = rows.filter(pc.equal(rows["ref_area"], area))
    if not rows.num_rows:
        return [Paragraph(text("No value of an earlier release was revised."))]
    counted = frequent(rows["revision_reason"].to_pylist())
    lines = [[text(LISTS["revision_reason"][reason]), frame.count(cells)] for reason, cells in counted]
    lead = text(
        "Revised values: {cells}; countries and areas with any: {countries}. Table revision holds the old "
        "and the new value of each.",
        cells=frame.count(rows.num_rows),
        countries=frame.count(len(rows["ref_area"].unique())),
    )
    table = Table(text("Revised values by reason"), [text("Reason"), text("Values")], lines)
    return [Paragraph(lead), table]


def _changes(frame: Frame) -> list[Block]:
    headlines = set(frame.facts.headlines.values())
    known = [row for row in frame.facts.changes if row.indicator in headlines and row.change is not None]
    if not known:
        return []
    text = frame.text
    clear = [row for row in known if is_clear(row)]
    lead = text(
        "Changes between consecutive rounds of a survey, headline indicators, classes A and B: {all}; "
        "changes whose 95 % interval leaves out zero: {clear}. Where nothing changes, one in twenty does so "
        "by chance.",
        all=frame.count(len(known)),
        clear=frame.count(len(clear)),
    )
    shown = clearest(known)
    caption = text("Change between rounds, headline indicators, with 95 % intervals")
    marks = [
        Mark(_name(frame, row), row.change or 0, row.ci_lower, row.ci_upper, note=rounds(row))
        for row in shown
    ]
    axis = text("Change in percentage points")
    return [
        Paragraph(lead),
        *frame.intervals("changes", caption, marks, axis, (0.0, text("no change"))),
        *left_out(frame, len(known)),
    ]


def clearest(rows: Sequence[Change]) -> list[Change]:
    """Return the changes that a chart holds: the largest by their intervals."""
    return sorted(rows, key=lambda row: (-_clarity(row), row.ref_area, row.indicator))[:MOST_MARKS]


def left_out(frame: Frame, changes: int) -> list[Block]:
    """Say that a chart does not hold all changes, where that is so."""
    if changes <= MOST_MARKS:
        return []
    note = frame.text("Shown: the clearest {count}; table change holds all.", count=frame.count(MOST_MARKS))
    return [Paragraph(note, quiet=True)]


def _name(frame: Frame, row: Change) -> str:
    return frame.text(
        "{area}: {indicator}",
        area=frame.names.area(row.ref_area),
        indicator=frame.names.indicator(row.indicator),
    )


def rounds(row: Change) -> str:
    """Return the years of both rounds."""
    return f"{row.time_period_from}{DASH}{row.time_period_to}"


def is_clear(row: Change) -> bool:
    """Whether the interval of a change leaves out zero."""
    return (row.ci_lower or 0) > 0 or (row.ci_upper or 0) < 0


def _clarity(row: Change) -> float:
    half = ((row.ci_upper or 0) - (row.ci_lower or 0)) / 2
    return abs(row.change or 0) / half if half else 0.0


def selected(frame: Frame) -> Section:
    """Return the chapter with a chart for the headline indicator of each domain."""
    text = frame.text
    parts, empty = [], []
    for domain, indicator in frame.facts.headlines.items():
        rows = [row for row in frame.facts.newest(indicator) if row.value is not None]
        comparable = [row for row in rows if row.comparability in COMPARABLE]
        if len(comparable) < _FEWEST:
            empty.append(frame.names.indicator(indicator))
            continue
        apart = [row for row in rows if row.comparability not in COMPARABLE]
        parts.append(Section(frame.names.domain(domain), _result(frame, indicator, comparable, apart)))
    blocks: list[Block] = [
        Paragraph(
            text(
                "One indicator stands for each domain: its composite indicator, or the first of the domain. "
                "Charts hold the newest values of classes A and B with their 95 % intervals; values of "
                "class B are to be compared with caution, and so are those of low reliability (hollow)."
            )
        )
    ]
    if empty:
        note = text(
            "Without comparable values of two countries: {indicators}.", indicators=frame.words.listing(empty)
        )
        blocks.append(Paragraph(note))
    return Section(text("Selected results"), blocks, parts)


def _result(frame: Frame, indicator: str, rows: Sequence[Value], apart: Sequence[Value]) -> list[Block]:
    text, names = frame.text, frame.names
    definition = frame.facts.published.framework.indicators[indicator].definition
    title = names.indicator(indicator)
    marks = [
        Mark(
            names.area(row.ref_area),
            row.value or 0,
            row.ci_lower,
            row.ci_upper,
            note=f"{row.time_period} {row.comparability}",
            weak=row.obs_status == "U",
        )
        for row in rows
    ]
    mean = _mean(frame, indicator)
    reference = (mean.value or 0, names.group(mean.scheme, mean.area_group)) if mean else None
    axis = names.unit(rows[0].unit_measure)
    figures = frame.intervals(f"result-{indicator.lower()}", title, marks, axis, reference)
    values = sorted(row.value for row in rows if row.value is not None)
    lead = text(
        "{title} ({code}): countries and areas with a comparable value: {count}; values run from {low} to "
        "{high}.",
        title=title,
        code=indicator,
        count=frame.count(len(rows)),
        low=names.number(values[0]),
        high=names.number(values[-1]),
    )
    lead += " " + text("Recall period: {recall}.", recall=text(definition.recall))
    blocks: list[Block] = [Paragraph(lead), *figures]
    if apart:
        areas = frame.words.listing([names.area(row.ref_area) for row in apart])
        note = text("Not shown, as their values are of class C, not comparable: {areas}.", areas=areas)
        blocks.append(Paragraph(note, quiet=True))
    return blocks


def _mean(frame: Frame, indicator: str) -> Mean | None:
    """Return the mean over all areas, or else of a group that the publisher added; None without either."""
    known = [
        row
        for row in frame.facts.content.means.get(indicator, [])
        if row.sex == "_T" and row.value is not None
    ]
    for schemes in ({WORLD}, frame.facts.own_schemes):
        if found := [row for row in known if row.scheme in schemes]:
            return found[0]
    return None
