"""Reads back from an SVG where things are drawn, by another path than they were written."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

_MOVE = re.compile(r"translate\(([-0-9.e]+),([-0-9.e]+)\)")
_NUMBER = re.compile(r"-?[0-9.]+")
_ISOLATES = str.maketrans("", "", "\u2067\u2069")


@dataclass(frozen=True)
class Thing:
    """An element at its place in the picture."""

    kind: str
    x: float
    y: float
    text: str
    attributes: dict[str, str]

    @property
    def ends(self) -> tuple[float, float]:
        """Left and right end of a horizontal line."""
        x2 = self.x + float(self.attributes["x2"])
        return min(self.x, x2), max(self.x, x2)

    @property
    def heights(self) -> tuple[float, float]:
        """Upper and lower end of an upright line."""
        y2 = self.y + float(self.attributes["y2"])
        return min(self.y, y2), max(self.y, y2)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - made by the test itself


def things(svg: str) -> list[Thing]:
    """Return all elements with their places counted from the upper left corner of the picture."""
    return list(_walk(parsed(svg), 0.0, 0.0))


def texts(svg: str) -> list[Thing]:
    return [thing for thing in things(svg) if thing.kind == "text"]


def points(svg: str, *, hollow: bool | None = None) -> list[Thing]:
    """Return the marks of values, from top to bottom; ``hollow`` picks full or hollow ones."""
    found = [
        thing
        for thing in things(svg)
        if thing.kind == "path" and "translate" in thing.attributes["transform"]
    ]
    if hollow is not None:
        found = [thing for thing in found if (thing.attributes["fill"] == "#FFFFFF") is hollow]
    return sorted(found, key=lambda thing: thing.y)


def intervals(svg: str) -> list[Thing]:
    return [
        thing
        for thing in things(svg)
        if thing.kind == "line" and thing.attributes["stroke"] != "currentColor"
    ]


def axis(svg: str, *, upright: bool = False) -> tuple[float, float]:
    """Return origin and pixels of one unit, from the two numbers of the axis that are farthest apart."""
    numbers = [
        (float(thing.text), thing.y - 4.55 if upright else thing.x)
        for thing in texts(svg)
        if _NUMBER.fullmatch(thing.text)
        and (thing.attributes.get("text-anchor") == ("end" if upright else "middle"))
    ]
    (first, at), (last, end) = min(numbers), max(numbers)
    unit = (end - at) / (last - first)
    return at - first * unit, unit


def _walk(element: ET.Element, x: float, y: float) -> Iterator[Thing]:
    if moved := _MOVE.match(element.get("transform", "")):
        x, y = x + float(moved[1]), y + float(moved[2])
    kind = element.tag.rpartition("}")[2]
    at = (x + float(element.get("x", 0)), y + float(element.get("y", 0))) if kind == "text" else (x, y)
    yield Thing(kind, *at, (element.text or "").translate(_ISOLATES), {"transform": "", **element.attrib})
    for child in element:
        yield from _walk(child, x, y)
