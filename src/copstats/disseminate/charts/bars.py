"""Chart of counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from copstats.disseminate.charts.axes import AXIS, value_scale, write_axis
from copstats.disseminate.charts.frame import Frame, group_colour, pixels
from copstats.disseminate.charts.model import Bar, Spec, Style
from copstats.disseminate.charts.places import Rows, place_rows
from copstats.disseminate.charts.theme import HOLLOW
from copstats.language import Translations

_HALF = 8
"""Half the thickness of a bar, in pixels."""


def bar_chart(bars: Sequence[Bar], style: Style) -> Spec:
    """Draw counts as horizontal bars in the order given; the sum of each row stands at its far end."""
    words = Translations(style.language)
    rows: dict[str, list[Bar]] = {}
    for bar in bars:
        rows.setdefault(bar.label, []).append(bar)
    groups = list(dict.fromkeys(bar.group for bar in bars))
    totals = [sum(bar.value for bar in parts) for parts in rows.values()]
    frame = Frame(style)
    frame.add_heading(style.axis_title)
    frame.add_legend(groups, squares=True)
    frame.header += AXIS
    places = place_rows(frame, list(rows), [words.number(total) for total in totals], 2 * _HALF)
    scale = value_scale(frame, [0, *totals])
    if rows:
        write_axis(frame, scale, places)
    x = {"x": scale.encoding("lower", mirrored=style.mirrored), "x2": {"field": "upper"}}
    layer = {
        "data": {"values": _boxes(rows, groups, places)},
        # A white edge tells neighbouring parts apart in a grey print.
        "mark": {"type": "rect", "stroke": HOLLOW, "strokeWidth": 1},
        "encoding": pixels() | x | {"y2": {"field": "y2"}, "color": group_colour(len(groups))},
    }
    return frame.spec(places.height, [layer] if rows else [])


def _boxes(rows: Mapping[str, Sequence[Bar]], groups: Sequence[str], places: Rows) -> list[dict[str, Any]]:
    boxes = []
    for centre, parts in zip(places.centres, rows.values(), strict=True):
        end = 0.0
        for bar in sorted(parts, key=lambda bar: groups.index(bar.group)):
            box = {"lower": end, "upper": end + bar.value, "y": centre - _HALF, "y2": centre + _HALF}
            boxes.append(box | {"group": groups.index(bar.group)})
            end += bar.value
    return boxes
