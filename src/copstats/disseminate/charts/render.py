"""Draws specifications as SVG with the converter of Vega that needs no browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from typing import Any

from copstats.disseminate.charts.model import Spec
from copstats.disseminate.charts.theme import LINE, SIZE, TEXT

VEGA_LITE = "6.4"
_ANCHORS = {"left": "", "center": ' text-anchor="middle"', "right": ' text-anchor="end"'}
_BASELINE = round(0.35 * SIZE, 2)
"""Pixels from the middle of a line of letters down to its baseline."""
_DRAWN = re.compile(r"<g .*</g>", re.DOTALL)
_UNUSED = re.compile(
    r' (?:font-family|pointer-events|aria-[a-z]+|role|class)="[^"]*"|<path class="(?:back|fore)ground"[^>]*/>'
)
_RIGHT_TO_LEFT_ISOLATE, _POP_ISOLATE = "\u2067", "\u2069"


def render_svg(specs: Sequence[Spec]) -> list[str]:
    """Draw charts for a page: an ``svg`` element each, in the same order.

    The bytes depend on the specification alone: not on the fonts of this machine nor on other charts. There
    is no script, no style attribute and no address in them. The root has ``class="chart"``, with
    ``chart-narrow`` where names stand above rows, a ``viewBox`` and ``width="100%"``; where the style has a
    title, also ``role="img"`` and ``aria-labelledby``, else ``aria-hidden="true"``. Text takes the colour and
    the font of the page.
    """
    return [_page_svg(spec) for spec in specs]


@cache
def javascript_bundle() -> str:
    """Return one script that sets ``window.vegaEmbed``, ``vega`` and ``vegaLite``.

    With the option ``ast: true`` of ``vegaEmbed`` expressions are interpreted: a page needs no
    ``unsafe-eval``. Give it also ``actions: false``, ``defaultStyle: false`` and ``tooltip: false`` (or a
    tooltip with ``disableDefaultStyle``), so that it adds no links and no style element.
    """
    import vl_convert

    return vl_convert.javascript_bundle(
        "window.vegaEmbed=vegaEmbed;window.vega=vega;window.vegaLite=vegaLite;", vl_version=VEGA_LITE
    )


def _page_svg(spec: Spec) -> str:
    width, height = size(spec)
    about = spec["usermeta"]
    kind = "chart chart-narrow" if about["narrow"] else "chart"
    named = [part for part in ("title", "description") if about[part]]
    tags = {"title": "title", "description": "desc"}
    texts = "".join(
        f'<{tags[part]} id="{escape(about["name"])}-{tags[part]}">{escape(about[part])}</{tags[part]}>'
        for part in named
    )
    labelled = " ".join(f"{escape(about['name'])}-{tags[part]}" for part in named)
    access = f'role="img" aria-labelledby="{labelled}"' if named else 'aria-hidden="true"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{kind}" viewBox="0 0 {width:g} {height:g}"'
        f' width="100%" direction="ltr" {access}>{texts}{drawing(spec, escape)}</svg>'
    )


def size(spec: Spec) -> tuple[float, float]:
    """Return width and height of the whole picture, in pixels."""
    around = spec["padding"]
    width = spec["width"] + around["left"] + around["right"]
    return round(width, 2), round(spec["height"] + around["top"] + around["bottom"], 2)


def drawing(spec: Spec, line_of: Callable[[str], str]) -> str:
    """Let Vega draw the marks, and write the texts, which it would measure letter by letter.

    Args:
        spec: of the chart.
        line_of: turns a line of text into the content of an element.
    """
    import vl_convert

    marks = [layer for layer in spec["layer"] if layer["mark"]["type"] != "text"]
    texts = [layer for layer in spec["layer"] if layer["mark"]["type"] == "text"]
    drawn = ""
    if marks:
        bare = {name: part for name, part in spec.items() if name != "usermeta"} | {"layer": marks}
        svg = vl_convert.vegalite_to_svg(
            json.dumps(bare, allow_nan=False), vl_version=VEGA_LITE, allowed_base_urls=[]
        )
        found = _DRAWN.search(svg)
        drawn = _UNUSED.sub("", found.group() if found else "")
    around = spec["padding"]
    moved = (
        f'<g transform="translate({around["left"]:g},{around["top"]:g})" fill="{TEXT}" font-size="{SIZE}">'
    )
    isolated = spec["usermeta"]["direction"] == "rtl"
    return drawn + moved + "".join(_texts(layer, line_of, isolated=isolated) for layer in texts) + "</g>"


def _texts(layer: dict[str, Any], line_of: Callable[[str], str], *, isolated: bool) -> str:
    """Write the texts of a layer; in a right-to-left language each is a paragraph of that direction."""
    anchor = _ANCHORS[layer["mark"]["align"]]
    before, after = (_RIGHT_TO_LEFT_ISOLATE, _POP_ISOLATE) if isolated else ("", "")
    return "".join(
        f'<text x="{row["x"]:g}" y="{round(row["y"] + _BASELINE + LINE * number, 2):g}"{anchor}>'
        f"{before}{line_of(line)}{after}</text>"
        for row in layer["data"]["values"]
        for number, line in enumerate(row["text"])
    )
