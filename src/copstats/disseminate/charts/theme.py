"""Colours, shapes and letters of all charts.

The colours are those of Okabe and Ito (2008, "Color Universal Design"), which readers with any common form of
colour blindness tell apart; purple is darkened and sky blue, orange and yellow are replaced, since they are
too pale for a thin line. Each has a contrast of at least 3:1 against white and against a nearly black page.
Groups also differ in shape, so that a print in grey is still read.
"""

from __future__ import annotations

from typing import Any

from copstats.language import Translations

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#B8628F", "#767676", "#8A6D00")
SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-down")
SQUARE = SHAPES.index("square")
TEXT = "currentColor"
"""Takes the colour of the page's text, also in dark mode and with forced colours."""
HOLLOW = "#FFFFFF"
FAINT = 0.15
"""Opacity of lines that only guide the eye."""

SIZE = 13
LINE = 17
"""Size of letters and distance of lines, in pixels."""


def config(language: str) -> dict[str, Any]:
    """Return the ``config`` part of a Vega-Lite specification, with the number format of a language."""
    # A million and a half shows both separators; Spanish writes none below five digits.
    sample = Translations(language).number(1_000_000.5, 1)
    return {
        "aria": False,
        "locale": {
            "number": {
                "decimal": sample[-2],
                "thousands": sample[1],
                "grouping": [3],
                "currency": ["", ""],
            }
        },
        "view": {"stroke": None},
        "range": {"category": list(COLOURS), "symbol": list(SHAPES)},
        "axis": {
            "domain": False,
            "ticks": False,
            "grid": True,
            "gridColor": TEXT,
            "gridOpacity": FAINT,
            "labelColor": TEXT,
            "labelFontSize": SIZE,
            "labelOverlap": False,
            "labelPadding": 6,
            "title": None,
        },
        "text": {"color": TEXT, "fontSize": SIZE, "lineHeight": LINE, "baseline": "middle"},
        "rule": {"strokeWidth": 2, "strokeCap": "round"},
        "line": {"strokeWidth": 2},
        "point": {"filled": True, "size": 70, "strokeWidth": 2, "opacity": 1},
    }
