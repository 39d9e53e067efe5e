"""Numbers and grid lines of the axis of values that runs above the rows."""

from __future__ import annotations

from collections.abc import Iterable

from copstats.disseminate.charts.frame import Frame
from copstats.disseminate.charts.places import Rows
from copstats.disseminate.charts.scale import Scale, round_scale
from copstats.language import Translations

AXIS = 24
"""Height of the numbers of an axis, in pixels."""
_STEP = 80
"""Pixels between two numbers of the axis, roughly."""


def value_scale(frame: Frame, numbers: Iterable[float]) -> Scale:
    """Return the axis of values for the room that names and notes of rows leave."""
    return round_scale(numbers, steps=max(2, int(frame.plot_width / _STEP)), zero=frame.style.zero)


def write_axis(frame: Frame, scale: Scale, rows: Rows, *, both: bool = False) -> None:
    """Put numbers above the plot, with ``both`` also below it, and a line through the rows at each."""
    words = Translations(frame.style.language)
    for tick in scale.ticks:
        x = scale.share(tick) * frame.plot_width
        text = words.number(tick, scale.decimals)
        for top, bottom in rows.strips:
            frame.add_guide(x, top, x, bottom)
        frame.add_number(x, -AXIS / 2, text)
        if both:
            frame.add_number(x, rows.height + AXIS / 2, text)
    if both:
        frame.footer += AXIS
