"""Charts with a row for each country, group or indicator: values with intervals, and pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from copstats.disseminate.charts.axes import AXIS, value_scale, write_axis
from copstats.disseminate.charts.frame import EDGE, Frame, Layer, Text, group_colour, group_shape, pixels
from copstats.disseminate.charts.letters import text_width, wrapped
from copstats.disseminate.charts.model import Mark, Spec, Style
from copstats.disseminate.charts.places import Rows, place_rows
from copstats.disseminate.charts.scale import Scale
from copstats.disseminate.charts.theme import FAINT, HOLLOW, LINE, SIZE, TEXT

Order = Literal["value", "given"]

_BETWEEN = 9
"""Pixels between the marks of one row."""
_LONG = 20
"""Rows from which the numbers stand below the plot too."""


def interval_chart(
    marks: Sequence[Mark],
    style: Style,
    reference: float | None = None,
    reference_label: str = "",
    order: Order = "value",
) -> Spec:
    """Draw values as points on horizontal lines, each with its interval.

    Args:
        marks: values; several of one label share a row, one for each group.
        style: language, size and texts.
        reference: value of a dashed line across all rows, for example a region's mean.
        reference_label: name of that line.
        order: "value" puts rows in falling order of their first mark, equal ones as given; "given" keeps
            the order of first appearance.

    Returns:
        A specification; an empty sequence of marks gives an empty frame.
    """
    rows = _rows(marks)
    if order == "value":
        rows.sort(key=lambda row: -row[0].value)
    return _chart(rows, _groups(marks), style, reference=reference, reference_label=reference_label)


def paired_chart(marks: Sequence[Mark], style: Style, order: Order = "value") -> Spec:
    """Draw two groups in each row, such as girls and boys, with a shaded distance between them.

    Args:
        marks: two groups at the most; a row with one of them only has no distance.
        style: language, size and texts.
        order: "value" puts rows in falling order of the distance between their marks.
    """
    rows = _rows(marks)
    if order == "value":
        rows.sort(key=lambda row: -abs(row[0].value - row[-1].value))
    return _chart(rows, _groups(marks), style, joined=True)


def _rows(marks: Sequence[Mark]) -> list[list[Mark]]:
    rows: dict[str, list[Mark]] = {}
    for mark in marks:
        rows.setdefault(mark.label, []).append(mark)
    return list(rows.values())


def _groups(marks: Sequence[Mark]) -> list[str]:
    return list(dict.fromkeys(mark.group for mark in marks))


def _chart(
    rows: Sequence[Sequence[Mark]],
    groups: Sequence[str],
    style: Style,
    *,
    joined: bool = False,
    reference: float | None = None,
    reference_label: str = "",
) -> Spec:
    frame = Frame(style)
    frame.add_heading(style.axis_title)
    frame.add_legend(groups)
    frame.header += AXIS + (LINE if reference is not None and reference_label else 0)
    thickness = LINE + _BETWEEN * max(0, len(groups) - 1)
    places = place_rows(frame, [row[0].label for row in rows], [row[0].note for row in rows], thickness)
    values = _values(rows, groups, places)
    numbers = [value[end] for value in values for end in ("value", "lower", "upper")] + [reference]
    scale = value_scale(frame, [number for number in numbers if number is not None])
    for centre in places.centres:
        frame.add_guide(0, centre, frame.plot_width, centre)
    layers: list[Layer] = []
    if rows:
        write_axis(frame, scale, places, both=len(rows) >= _LONG)
    if joined:
        layers.append(_distances(values, scale, style))
    if reference is not None:
        layers.append(_reference_line(reference, scale, style, places))
        _name_reference(frame, scale.share(reference) * frame.plot_width, reference_label)
    return frame.spec(places.height, [*layers, *_mark_layers(values, len(groups), scale, style)])


def _values(rows: Sequence[Sequence[Mark]], groups: Sequence[str], places: Rows) -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "y": round(centre + (groups.index(mark.group) - (len(groups) - 1) / 2) * _BETWEEN, 2),
            "value": mark.value,
            "lower": mark.lower,
            "upper": mark.upper,
            "group": groups.index(mark.group),
            "weak": mark.weak,
        }
        for row, (centre, marks) in enumerate(zip(places.centres, rows, strict=True))
        for mark in marks
    ]


def _distances(values: Sequence[dict[str, Any]], scale: Scale, style: Style) -> Layer:
    rows: dict[int, list[dict[str, Any]]] = {}
    for value in values:
        rows.setdefault(value["row"], []).append(value)
    distances = [
        {"x": first["value"], "y": first["y"], "x2": second["value"], "y2": second["y"]}
        for first, second, *_ in (row for row in rows.values() if len(row) > 1)
    ]
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    return {
        "data": {"values": distances},
        "mark": {"type": "rect", "color": TEXT, "opacity": FAINT},
        "encoding": pixels() | {"x": scale.encoding("x", mirrored=style.mirrored)} | ends,
    }


def _reference_line(reference: float, scale: Scale, style: Style, places: Rows) -> Layer:
    return {
        "data": {"values": [{"x": reference, "y": top, "y2": bottom} for top, bottom in places.strips]},
        "mark": {"type": "rule", "color": TEXT, "strokeWidth": 1.5, "strokeDash": [5, 4]},
        "encoding": pixels() | {"x": scale.encoding("x", mirrored=style.mirrored), "y2": {"field": "y2"}},
    }


def _name_reference(frame: Frame, place: float, label: str) -> None:
    """Put the name of the reference line above it, within the picture."""
    if not label:
        return
    room = frame.style.width - 2 * EDGE
    line = wrapped(label, SIZE, room)[0]
    half = text_width(line, SIZE) / 2
    middle = min(max(frame.left + place, EDGE + half), EDGE + room - half)
    frame.texts.append(Text(middle, frame.header - AXIS - LINE / 2, [line], "center"))


def _mark_layers(values: Sequence[dict[str, Any]], groups: int, scale: Scale, style: Style) -> list[Layer]:
    """Return intervals, then full and hollow points over them."""
    mirrored = style.mirrored
    layers: list[Layer] = [
        {
            "data": {"values": [value for value in values if None not in (value["lower"], value["upper"])]},
            "mark": {"type": "rule"},
            "encoding": pixels()
            | {"x": scale.encoding("lower", mirrored=mirrored), "x2": {"field": "upper"}}
            | {"color": group_colour(groups)},
        }
    ]
    for weak in (False, True):
        point = pixels() | {"x": scale.encoding("value", mirrored=mirrored), "shape": group_shape(groups)}
        colour = {"stroke": group_colour(groups)} | ({} if weak else {"fill": group_colour(groups)})
        layers.append(
            {
                "data": {"values": [value for value in values if value["weak"] is weak]},
                "mark": {"type": "point"} | ({"fill": HOLLOW} if weak else {}),
                "encoding": point | colour,
            }
        )
    return [layer for layer in layers if layer["data"]["values"]]
