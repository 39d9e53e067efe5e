"""Places of rows: their names, notes and middles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from copstats.disseminate.charts.frame import EDGE, GAP, Frame, Text
from copstats.disseminate.charts.letters import text_width, wrapped
from copstats.disseminate.charts.theme import LINE, SIZE

_LABEL_SHARE = 0.42
"""Greatest share of the width that the names of rows take."""
_NOTE_SHARE = 0.25
_ROW_PAD = 7


@dataclass(frozen=True)
class Rows:
    """Where rows are, in pixels from the top of the plot.

    Attributes:
        centres: of the marks of each row.
        height: of all rows together.
        strips: from and to where nothing but marks stands; lines of the grid are drawn there.
    """

    centres: Sequence[float]
    height: float
    strips: Sequence[tuple[float, float]]


def place_rows(frame: Frame, labels: Sequence[str], notes: Sequence[str], thickness: float) -> Rows:
    """Set the rooms beside the plot and put names and notes there; the header must be complete.

    Args:
        frame: of the chart.
        labels: name of each row.
        notes: text at the far end of each row; may be empty.
        thickness: of what is drawn in a row, in pixels.
    """
    width = frame.style.width
    beside = not frame.style.stacked
    label_room = width * _LABEL_SHARE if beside else width - 2 * EDGE
    note_lines = [wrapped(note, SIZE, width * _NOTE_SHARE) for note in notes]
    label_lines = [wrapped(label, SIZE, label_room) for label in labels]
    if beside:
        frame.left = EDGE + _widest(label_lines) + GAP
    if any(notes):
        frame.right = EDGE + _widest(note_lines) + GAP
    centres, strips, top = [], [], 0.0
    for label, note in zip(label_lines, note_lines, strict=True):
        above = 0 if beside else LINE * len(label)
        inner = max(thickness, LINE * len(note), LINE * len(label) if beside else 0)
        centre = top + _ROW_PAD / 2 + above + inner / 2
        _put(frame, label, centre if beside else top + _ROW_PAD / 2 + above / 2, beside=beside)
        if any(note):
            middle = frame.header + centre - LINE * (len(note) - 1) / 2
            frame.texts.append(Text(width - frame.right + GAP, middle, note))
        centres.append(round(centre, 2))
        strips.append((round(centre - inner / 2, 2), round(centre + inner / 2, 2)))
        top += _ROW_PAD + above + inner
    height = round(top, 2)
    return Rows(centres, height, [(0, height)] if beside else strips)


def _put(frame: Frame, lines: Sequence[str], middle: float, *, beside: bool) -> None:
    first = frame.header + middle - LINE * (len(lines) - 1) / 2
    if beside:
        frame.texts.append(Text(frame.left - GAP, first, lines, "right"))
    else:
        frame.texts.append(Text(EDGE, first, lines))


def _widest(texts: Sequence[Sequence[str]]) -> int:
    return math.ceil(max((text_width(line, SIZE) for lines in texts for line in lines), default=0.0))
