"""Chart of values over the years."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from copstats.disseminate.charts.axes import AXIS
from copstats.disseminate.charts.frame import EDGE, GAP, Frame, Layer, group_colour, group_shape
from copstats.disseminate.charts.letters import text_width
from copstats.disseminate.charts.model import Point, Series, Spec, Style
from copstats.disseminate.charts.scale import Scale, round_scale
from copstats.disseminate.charts.theme import HOLLOW, SIZE
from copstats.language import Translations

_HEIGHT = 220
_STEPS = 5
_BESIDE = 6
"""Pixels between the marks of one year."""
_YEAR_ROOM = 36


def trend_chart(series: Sequence[Series], style: Style) -> Spec:
    """Draw values by year with their intervals; a break in comparability breaks the line.

    Args:
        series: up to six, told apart by colour and shape.
        style: language, size and texts.
    """
    points = [point for one in series for point in one.points]
    numbers = [end for point in points for end in (point.value, point.lower, point.upper) if end is not None]
    scale = round_scale(numbers, steps=_STEPS, zero=style.zero)
    frame = Frame(style)
    frame.add_heading(style.axis_title)
    frame.add_legend([one.label for one in series])
    frame.header += GAP
    if not points:
        return frame.spec(_HEIGHT, [])
    years = sorted({point.year for point in points})
    _write_numbers(frame, scale)
    span = Scale(years[0] - 0.5, years[-1] + 0.5, 1)
    _write_years(frame, span, years)
    shift = _BESIDE * (span.highest - span.lowest) / frame.plot_width
    values = [
        value
        for group, one in enumerate(series)
        for value in _values(one.points, group, shift * (group - (len(series) - 1) / 2))
    ]
    return frame.spec(_HEIGHT, _layers(values, len(series), span, scale, style))


def _write_numbers(frame: Frame, scale: Scale) -> None:
    words = Translations(frame.style.language)
    texts = [words.number(tick, scale.decimals) for tick in scale.ticks]
    frame.left = EDGE + math.ceil(max(text_width(text, SIZE) for text in texts)) + GAP
    for tick, text in zip(scale.ticks, texts, strict=True):
        y = (1 - scale.share(tick)) * _HEIGHT
        frame.add_number(-GAP, y, text, "right")
        frame.add_guide(0, y, frame.plot_width, y)


def _write_years(frame: Frame, span: Scale, years: Sequence[int]) -> None:
    """Put the years below the plot; where they would overlap, only every second, third and so on."""
    frame.footer += AXIS
    last = float("inf")
    for year in reversed(years):
        x = span.share(year) * frame.plot_width
        if last - x >= _YEAR_ROOM:
            frame.add_number(x, _HEIGHT + AXIS / 2, str(year))
            last = x


def _values(points: Sequence[Point], group: int, shift: float) -> list[dict[str, Any]]:
    values, part = [], 0
    for point in sorted(points, key=lambda point: point.year):
        part += point.broken
        values.append(
            {
                "year": round(point.year + shift, 6),
                "value": point.value,
                "lower": point.lower,
                "upper": point.upper,
                "weak": point.weak,
                "part": part,
                "group": group,
            }
        )
    return values


def _layers(
    values: Sequence[dict[str, Any]], groups: int, span: Scale, scale: Scale, style: Style
) -> list[Layer]:
    """Return intervals, lines, then full and hollow points."""
    colour, shape = group_colour(groups), group_shape(groups)
    x = {"x": span.encoding("year", mirrored=style.mirrored)}
    y = {"y": scale.encoding("value")}
    layers: list[Layer] = [
        {
            "data": {"values": [value for value in values if None not in (value["lower"], value["upper"])]},
            "mark": {"type": "rule", "opacity": 0.6},
            "encoding": x | {"y": scale.encoding("lower"), "y2": {"field": "upper"}, "color": colour},
        },
        {
            "data": {"values": values},
            "mark": {"type": "line"},
            "encoding": x | y | {"color": colour, "detail": {"field": "part", "type": "nominal"}},
        },
    ]
    for weak in (False, True):
        fill = {} if weak else {"fill": colour}
        layers.append(
            {
                "data": {"values": [value for value in values if value["weak"] is weak]},
                "mark": {"type": "point"} | ({"fill": HOLLOW} if weak else {}),
                "encoding": x | y | {"stroke": colour, "shape": shape} | fill,
            }
        )
    return [layer for layer in layers if layer["data"]["values"]]
