"""Chapter on the quality of the data: comparability, what was withheld, response, custody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from copstats.disseminate.charts import Bar
from copstats.disseminate.codes import LISTS
from copstats.disseminate.reports.document import Block, Paragraph, Section, Table
from copstats.disseminate.reports.facts import Source, frequent
from copstats.disseminate.reports.frame import Frame
from copstats.language import N_

CLASSES = {"A": N_("A, comparable"), "B": N_("B, comparable with caution"), "C": N_("C, not comparable")}
STATUSES = {
    "A": N_("Shown"),
    "U": N_("Shown, of low reliability"),
    "Q": N_("Withheld by disclosure control"),
    "L": N_("Not collected"),
    "M": N_("Cannot exist"),
}
CUSTODY = {
    "double": N_("Pseudonyms made by the country and replaced on receipt"),
    "single": N_("Pseudonyms made on receipt, from the raw file"),
}
RESPONSE_BOUNDS = (0.6, 0.7, 0.8)
"""The first two are the bounds of classes B and A in the criterion on response."""
_MOST_REASONS = 8


def quality(frame: Frame) -> Section:
    """Return the chapter."""
    text = frame.text
    parts = [
        Section(text("Comparability"), _comparability(frame)),
        Section(text("Disclosure control"), _disclosure(frame)),
        Section(text("Surveys"), _surveys(frame)),
    ]
    lead = text(
        "Every value carries a class of comparability with the definition of its indicator, and every cell "
        "without a value says why. Both are computed in the same way for all countries."
    )
    return Section(text("Quality of the data"), [Paragraph(lead)], parts)


def class_counts(frame: Frame) -> Counter[str]:
    """Return class -> newest national values of it."""
    return Counter(row.comparability or "C" for row in frame.facts.shown)


def _comparability(frame: Frame) -> list[Block]:
    text, facts = frame.text, frame.facts
    counts, whole = class_counts(frame), len(facts.shown)
    rows = [
        [
            text(label),
            frame.count(counts[code]),
            frame.share(counts[code], whole),
            frame.count(_areas(frame, code)),
        ]
        for code, label in CLASSES.items()
    ]
    head = [text("Class"), text("Values"), text("Share"), text("Countries and areas")]
    blocks: list[Block] = [
        Table(
            text("Newest national values by class of comparability"),
            head,
            rows,
            widths=(0.46, 0.18, 0.18, 0.18),
        )
    ]
    if facts.criteria:
        bars = [Bar(frame.criterion(code), number) for code, number in facts.criteria]
        caption = text("What keeps newest national values from class A, most frequent first")
        blocks.append(frame.bars("criteria", caption, bars[:_MOST_REASONS], text("Values")))
    return blocks


def _areas(frame: Frame, code: str) -> int:
    return len({row.ref_area for row in frame.facts.shown if row.comparability == code})


def _disclosure(frame: Frame) -> list[Block]:
    text, facts = frame.text, frame.facts
    whole = sum(facts.statuses.values())
    rows = [
        [text(label), frame.count(facts.statuses[code]), frame.share(facts.statuses[code], whole)]
        for code, label in STATUSES.items()
        if facts.statuses[code]
    ]
    blocks: list[Block] = [
        Table(text("Published cells by status"), [text("Status"), text("Cells"), text("Share")], rows)
    ]
    withheld = Counter[str]()
    for row in facts.withheld:
        withheld[row.reason] += row.cells
    if withheld:
        lines = [
            [frame.names.code("reason", code), frame.count(cells), frame.share(cells, withheld.total())]
            for code, cells in frequent(withheld.elements())
        ]
        head = [text("Reason"), text("Cells"), text("Share")]
        blocks.append(Table(text("Withheld cells by reason"), head, lines, widths=(0.64, 0.18, 0.18)))
    return blocks


def _surveys(frame: Frame) -> list[Block]:
    text, sources = frame.text, frame.facts.newest_sources
    groups = [
        (text("Overall response"), _response(frame, sources)),
        (text("Sample"), _coded(frame, sources, "sampling")),
        (text("Where children were reached"), _coded(frame, sources, "setting")),
        (text("Mode of data collection"), _coded(frame, sources, "mode")),
        (text("Custody of identities"), _coded(frame, sources, "custody")),
    ]
    rows = [[title if at == 0 else "", *row] for title, of in groups for at, row in enumerate(of)]
    head = [text("Fact"), text("As the manifest says"), text("Surveys")]
    caption = text("Newest survey of each country or area")
    return [Table(caption, head, rows, frozenset({1}), widths=(0.34, 0.5, 0.16))]


def _response(frame: Frame, sources: Iterable[Source]) -> list[list[str]]:
    counted = Counter(response_band(row.response_rate) for row in sources)
    edges = [f"{100 * bound:.0f}" for bound in RESPONSE_BOUNDS]
    labels = {
        0: frame.text("below {limit} %", limit=edges[0]),
        1: frame.text("{low} to under {high} %", low=edges[0], high=edges[1]),
        2: frame.text("{low} to under {high} %", low=edges[1], high=edges[2]),
        3: frame.text("{limit} % and more", limit=edges[2]),
        None: frame.text(NOT_STATED),
    }
    return [[label, frame.count(counted[band])] for band, label in labels.items() if counted[band]]


def response_band(rate: float | None) -> int | None:
    """Return the number of the band of a response rate, from 0; None where there is none."""
    return None if rate is None else sum(rate >= bound for bound in RESPONSE_BOUNDS)


def _coded(frame: Frame, sources: Iterable[Source], column: str) -> list[list[str]]:
    found = frequent(getattr(row, column) or "" for row in sources)
    return [[stated(frame, column, code), frame.count(number)] for code, number in found]


NOT_STATED = N_("not stated")
STATED = {**LISTS, "custody": CUSTODY}
"""Column of the table ``source`` -> code -> what it means."""


def stated(frame: Frame, column: str, code: str | None) -> str:
    """Return what a code of the table ``source`` means."""
    known = STATED[column].get(code or "")
    return frame.text(known or NOT_STATED)
