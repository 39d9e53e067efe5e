"""Reads pages as a reader sees them."""

from __future__ import annotations

from pathlib import Path

from lxml import html


def page(path: Path) -> html.HtmlElement:
    return html.document_fromstring(path.read_bytes())


def text(element: html.HtmlElement) -> str:
    """Return the text of an element in one line, with a space between its parts."""
    return " ".join(" ".join(element.itertext()).split())


def table(document: html.HtmlElement, caption: str) -> list[list[str]]:
    """Return the rows of the table whose caption has an id: the texts of their cells, headings included."""
    (found,) = document.xpath(f"//caption[@id='{caption}']/..")
    return [[text(cell) for cell in row.xpath("th|td")] for row in found.xpath(".//tr")]
