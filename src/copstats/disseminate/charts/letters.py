"""How wide a text is, without a font: so that a chart is laid out alike on every machine."""

from __future__ import annotations

import re
import unicodedata

_BLANKS = " \t\r\n"
_SPACES = re.compile(f"[{_BLANKS}]+")
"""Where a line may be broken: not at the spaces within a French or Russian number."""
_NARROW = frozenset("fijlrtI.,;:'\u2019|!()[]/ -\u00a0\u202f")
_WIDE = frozenset("mwMW@%—…" + "мшщжюыШЩЖЮЫФМ")
_CYRILLIC = "\u0400"
"""Letters from here on are wider on average, also Arabic ones in some fonts."""
_SLACK = 1.06
"""Fonts differ: the widths below are those of a font of middling width."""


def text_width(text: str, size: float) -> float:
    """Estimate the width of a text in pixels.

    Args:
        text: one line.
        size: of the letters, in pixels.
    """
    return _SLACK * size * sum(map(_letter_width, text))


def wrapped(text: str, size: float, room: float) -> list[str]:
    """Break a text into lines that fit; only a word longer than a line is broken within.

    Args:
        text: without line breaks.
        size: of the letters, in pixels.
        room: greatest width of a line, in pixels.

    Returns:
        At least one line; Chinese is broken between any two characters.
    """
    lines = [""]
    for piece in _pieces(text, size, room):
        if lines[-1] and text_width(lines[-1] + piece.rstrip(_BLANKS), size) > room:
            lines.append("")
        lines[-1] += piece
    return [line.strip(_BLANKS) for line in lines if line.strip(_BLANKS)] or [""]


def _pieces(text: str, size: float, room: float) -> list[str]:
    """Return what may not be broken: words with the space behind them, ideographs, parts of long words."""
    pieces: list[str] = []
    for word in _SPACES.split(text.strip(_BLANKS)):
        piece = ""
        for letter in word:
            full = piece and text_width(piece + letter, size) > room
            if piece and (full or _may_break(piece[-1], letter)):
                pieces.append(piece)
                piece = ""
            piece += letter
        pieces.append(piece + " ")
    return pieces


def _may_break(before: str, after: str) -> bool:
    """Whether a line may end between two letters: at an ideograph, but no bracket or stop is left alone."""
    if not (_is_ideograph(before) or _is_ideograph(after)):
        return False
    return not unicodedata.category(after).startswith("P") and unicodedata.category(before) != "Ps"


def _is_ideograph(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def _letter_width(letter: str) -> float:
    """Return a letter's width as a share of its size."""
    if letter in _NARROW:
        return 0.33
    if letter in _WIDE:
        return 0.88
    if _is_ideograph(letter):
        return 1.0
    if unicodedata.category(letter) in {"Mn", "Cf", "Me"}:
        return 0.0
    if letter >= _CYRILLIC:
        return 0.7 if letter.isupper() else 0.63
    return 0.67 if letter.isupper() else 0.57
