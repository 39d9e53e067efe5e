"""What charts have in common: the frame, and texts, legend and guides at places given in pixels.

Places of texts are worked out here and not by Vega, which would measure letters with the fonts of the
machine: the same release gives the same bytes everywhere, and drawing takes a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from copstats.disseminate.charts.letters import text_width, wrapped
from copstats.disseminate.charts.model import Spec, Style
from copstats.disseminate.charts.theme import COLOURS, FAINT, LINE, SHAPES, SIZE, SQUARE, TEXT, config

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
GAP = 10
"""Pixels between a text and what it names."""
_BESIDE = 18
"""Pixels beside the plot: half of the first and of the last number of an axis."""
_SYMBOL = 20
EDGE = 6
"""Pixels that stay free along the edges of a picture."""

Layer = dict[str, Any]


@dataclass(frozen=True)
class Text:
    """Lines of text at a place.

    Attributes:
        x: pixels from the left edge of the picture.
        y: of the middle of the first line, in pixels from its upper edge.
        lines: at least one.
        align: "left", "center" or "right" of the place.
    """

    x: float
    y: float
    lines: Sequence[str]
    align: str = "left"


@dataclass(frozen=True)
class Symbol:
    """A mark of the legend, as wide as a letter.

    Attributes:
        x: of its middle.
        y: of its middle.
        group: position in the order of groups.
        shape: position in the order of shapes.
    """

    x: float
    y: float
    group: int
    shape: int


@dataclass(frozen=True)
class Line:
    """A faint line that guides the eye; places as those of a text."""

    x: float
    y: float
    x2: float
    y2: float


@dataclass
class Frame:
    """A picture under construction; places are those of a left-to-right chart, mirrored at the end.

    Attributes:
        style: of the chart.
        left: room left of the plot, in pixels.
        right: room right of it.
        header: room above it.
        footer: room below it.
    """

    style: Style
    left: float = _BESIDE
    right: float = _BESIDE
    header: float = EDGE
    footer: float = EDGE
    texts: list[Text] = field(default_factory=list)
    symbols: list[Symbol] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def plot_width(self) -> float:
        """Width of the plot, in pixels."""
        return max(60, self.style.width - self.left - self.right)

    def add_heading(self, text: str) -> None:
        """Put a text above the plot, over the whole width; nothing where it is empty."""
        if text:
            lines = wrapped(text, SIZE, self.style.width - 2 * EDGE)
            self.texts.append(Text(EDGE, self.header + LINE / 2, lines))
            self.header += LINE * len(lines) + 4

    def add_legend(self, groups: Sequence[str], *, squares: bool = False) -> None:
        """Put symbols with the names of groups above the plot; nothing where there is but one.

        Args:
            groups: in the order of their colours.
            squares: whether all symbols are squares, as the parts of a bar are.
        """
        if len(groups) <= 1:
            return
        x, rows = float(EDGE), 1
        for position, group in enumerate(groups):
            lines = wrapped(group, SIZE, self.style.width - 2 * EDGE - _SYMBOL)
            wide = _SYMBOL + max(text_width(line, SIZE) for line in lines) + 2 * GAP
            if x > EDGE and x + wide > self.style.width:
                x, self.header, rows = EDGE, self.header + LINE * rows, 1
            y = self.header + LINE / 2
            self.symbols.append(Symbol(x + _SYMBOL / 2, y, position, SQUARE if squares else position))
            self.texts.append(Text(x + _SYMBOL, y, lines))
            x, rows = x + wide, max(rows, len(lines))
        self.header += LINE * rows + 4

    def add_number(self, x: float, y: float, text: str, align: str = "center") -> None:
        """Put a number of an axis; ``x`` and ``y`` are counted from the upper left corner of the plot."""
        self.texts.append(Text(self.left + x, self.header + y, [text], align))

    def add_guide(self, x: float, y: float, x2: float, y2: float) -> None:
        """Put a faint line behind the marks; places are counted from the upper left corner of the plot."""
        self.lines.append(Line(self.left + x, self.header + y, self.left + x2, self.header + y2))

    def spec(self, height: float, layers: Iterable[Layer]) -> Spec:
        """Return the specification; ``height`` is that of the plot."""
        mirrored = self.style.mirrored
        left, right = (self.right, self.left) if mirrored else (self.left, self.right)
        behind = [_line_layer(self)] if self.lines else []
        around = [_symbol_layer(self)] if self.symbols else []
        return {
            "$schema": SCHEMA,
            "usermeta": {
                "name": self.style.name,
                "title": self.style.title,
                "description": self.style.description,
                "direction": "rtl" if mirrored else "ltr",
                "narrow": self.style.stacked,
            },
            "background": "transparent",
            "width": round(self.plot_width, 2),
            "height": round(height, 2),
            "padding": {
                "left": round(left, 2),
                "right": round(right, 2),
                "top": round(self.header, 2),
                "bottom": round(self.footer, 2),
            },
            "autosize": {"type": "none"},
            "config": config(self.style.language),
            "layer": [*behind, *layers, *around, *_text_layers(self)],
        }

    def place(self, x: float) -> float:
        """Return a place counted from the picture's left edge as Vega counts it, from the plot's."""
        shown = self.plot_width - (x - self.left) if self.style.mirrored else x - self.left
        return round(shown, 2)


def group_colour(groups: int) -> dict[str, Any]:
    """Return the encoding of the field ``group`` as a colour, without Vega's own legend."""
    scale = {"domain": list(range(groups)), "range": [COLOURS[k % len(COLOURS)] for k in range(groups)]}
    return {"field": "group", "type": "nominal", "scale": scale, "legend": None}


def group_shape(groups: int) -> dict[str, Any]:
    """Return the encoding of the field ``group`` as a shape, without Vega's own legend."""
    scale = {"domain": list(range(groups)), "range": [SHAPES[k % len(SHAPES)] for k in range(groups)]}
    return {"field": "group", "type": "nominal", "scale": scale, "legend": None}


def _line_layer(frame: Frame) -> Layer:
    values = [
        {
            "x": frame.place(line.x),
            "y": round(line.y - frame.header, 2),
            "x2": frame.place(line.x2),
            "y2": round(line.y2 - frame.header, 2),
        }
        for line in frame.lines
    ]
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    return {
        "data": {"values": values},
        "mark": {"type": "rule", "color": TEXT, "opacity": FAINT, "strokeWidth": 1},
        "encoding": pixels() | ends,
    }


def _symbol_layer(frame: Frame) -> Layer:
    values = [
        {
            "x": frame.place(symbol.x),
            "y": round(symbol.y - frame.header, 2),
            "group": symbol.group,
            "shape": SHAPES[symbol.shape % len(SHAPES)],
        }
        for symbol in frame.symbols
    ]
    shape = {"field": "shape", "type": "nominal", "scale": None}
    return {
        "data": {"values": values},
        "mark": {"type": "point"},
        "encoding": pixels() | {"color": group_colour(len(frame.symbols)), "shape": shape},
    }


def _text_layers(frame: Frame) -> list[Layer]:
    """Return a layer for each alignment, since it is a property of a layer's mark."""
    layers = []
    for align, opposite in (("left", "right"), ("right", "left"), ("center", "center")):
        values = [
            {"x": frame.place(text.x), "y": round(text.y - frame.header, 2), "text": list(text.lines)}
            for text in frame.texts
            if text.align == align
        ]
        if values:
            layers.append(
                {
                    "data": {"values": values},
                    "mark": {"type": "text", "align": opposite if frame.style.mirrored else align},
                    "encoding": pixels() | {"text": {"field": "text"}},
                }
            )
    return layers


def pixels() -> dict[str, Any]:
    """Return the encoding of the fields ``x`` and ``y`` as pixels from the upper left corner of the plot."""
    return {
        "x": {"field": "x", "type": "quantitative", "scale": None},
        "y": {"field": "y", "type": "quantitative", "scale": None},
    }
