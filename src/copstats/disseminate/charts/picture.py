"""Charts as PNG for documents."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from html import escape

from copstats.disseminate.charts.model import Spec
from copstats.disseminate.charts.render import drawing, size

_FONTS = "Liberation Sans, Arial, Noto Sans, DejaVu Sans"
"""For Latin and Cyrillic letters; the converter brings the first along."""
_FONTS_OF = {
    "ar": "DejaVu Sans, Segoe UI, Tahoma, Noto Sans Arabic, Noto Naskh Arabic",
    "zh": "Noto Sans CJK SC, Noto Sans SC, Microsoft YaHei, PingFang SC, Noto Serif CJK SC, SimSun",
}
"""Those with Latin letters come first: a line is written in one font."""
_LETTERS = {
    "ar": re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]"),
    "zh": re.compile("[\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]"),
}
_SAMPLES = {"ar": "\u0639", "zh": "\u4e2d"}
_UNASSIGNED = "\U0003fffd"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def render_png(spec: Spec, scale: float = 2) -> bytes:
    """Draw a chart for a document: on white, ``scale`` pixels for each pixel of the style's width.

    The letters come from the fonts of this machine: bytes are the same wherever the same fonts are. Without a
    font for Arabic or Chinese, see ``letters_available``, empty boxes stand in place of the letters.
    """
    return _png(*size(spec), drawing(spec, _with_fonts), scale)


@cache
def letters_available(language: str) -> bool:
    """Whether this machine has a font for a language's letters, so that ``render_png`` can write them."""
    if language not in _SAMPLES:
        return True
    shown, missing = (
        _png(20, 20, f'<text x="2" y="15" font-size="13">{_in_fonts(language, letter)}</text>', 1)
        for letter in (_SAMPLES[language], _UNASSIGNED)
    )
    return shown != missing


def _png(width: float, height: float, drawn: str, scale: float) -> bytes:
    import vl_convert

    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
        f' viewBox="0 0 {width:g} {height:g}" font-family="{_FONTS}" color="#000000">'
        f'<rect width="{width:g}" height="{height:g}" fill="#FFFFFF"/>{drawn}</svg>'
    )
    return _packed(vl_convert.svg_to_png(svg, scale=scale))


def _with_fonts(line: str) -> str:
    """Name the fonts of Arabic and Chinese letters: the converter would take any that has the letter."""
    for language, letters in _LETTERS.items():
        if letters.search(line):
            return _in_fonts(language, escape(line))
    return escape(line)


def _in_fonts(language: str, content: str) -> str:
    return f'<tspan font-family="{_FONTS_OF[language]}, {_FONTS}">{content}</tspan>'


def _packed(png: bytes) -> bytes:
    """Compress the pixels better: the converter is made for speed, its files are three times as large."""
    chunks = list(_chunks(png))
    pixels = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    head = [chunk for chunk in chunks if chunk[0] not in {b"IDAT", b"IEND"}]
    parts = [*head, (b"IDAT", zlib.compress(pixels, 6)), (b"IEND", b"")]
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Return kind and content of each chunk of a PNG file (ISO/IEC 15948, section 5)."""
    start = len(_SIGNATURE)
    while start < len(png):
        (length,) = struct.unpack_from(">I", png, start)
        yield png[start + 4 : start + 8], png[start + 8 : start + 8 + length]
        start += 12 + length
