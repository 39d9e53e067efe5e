"""What a chart is made of: marks, series, bars and the style they are drawn in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from copstats.language import Translations

Spec = dict[str, Any]
"""A Vega-Lite specification with its data inside."""

_NARROW = 480
"""Pixels below which there is no room for names beside a plot."""


@dataclass(frozen=True)
class Mark:
    """One value of a row, with its 95 % interval.

    Attributes:
        label: name of the row; marks with the same label share a row.
        value: what is drawn as a point, in the unit of the axis.
        lower: lower end of the interval; None where there is none.
        upper: upper end of the interval; None where there is none.
        note: short text at the far end of the row, for example a year; of a row with several marks the first.
        weak: of low reliability; drawn hollow.
        group: what the mark stands for within its row, for example girls; its own colour and shape.
    """

    label: str
    value: float
    lower: float | None = None
    upper: float | None = None
    note: str = ""
    weak: bool = False
    group: str = ""


@dataclass(frozen=True)
class Point:
    """One value of a series.

    Attributes:
        year: when it was measured.
        value: in the unit of the axis.
        lower: lower end of the interval; None where there is none.
        upper: upper end of the interval; None where there is none.
        weak: of low reliability; drawn hollow.
        broken: not comparable with the point before it; no line joins them.
    """

    year: int
    value: float
    lower: float | None = None
    upper: float | None = None
    weak: bool = False
    broken: bool = False


@dataclass(frozen=True)
class Series:
    """Values of one country, group or indicator over the years.

    Attributes:
        label: name in the legend.
        points: in any order of years.
    """

    label: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Bar:
    """A count.

    Attributes:
        label: name of the row; bars with the same label stand behind each other in one row.
        value: at least 0.
        group: part of the row, for example a state; its own colour, named in the legend.
    """

    label: str
    value: float
    group: str = ""


@dataclass(frozen=True)
class Style:
    """How a chart is drawn.

    Attributes:
        language: BCP 47; of numbers and of the direction. In Arabic the axis runs from right to left and the
            names of rows stand at the right.
        width: of the whole picture, in pixels at scale 1. Below 480 the names stand above their rows, which
            suits a phone.
        axis_title: name and unit of the values.
        name: short, of letters, digits and hyphens, unique among the charts of a page; identifiers within
            the SVG start with it.
        title: short text alternative; without one the SVG is hidden from assistive technology.
        description: longer text alternative, for example the first and last row in words.
        zero: whether the axis of values starts at zero where no value is below it.
    """

    language: str = "en"
    width: int = 640
    axis_title: str = ""
    name: str = "chart"
    title: str = ""
    description: str = ""
    zero: bool = True

    @property
    def mirrored(self) -> bool:
        """Whether the language is written from right to left."""
        return Translations(self.language).direction == "rtl"

    @property
    def stacked(self) -> bool:
        """Whether names of rows stand above them and not beside them."""
        return self.width < _NARROW
