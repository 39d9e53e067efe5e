"""Formulas such as ``mean(age)`` or ``ratio(hours, net_3m = 1)``: a name and SQL expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from copstats.errors import EstimationError

_START = re.compile(r"\s*([A-Za-z_]+)\s*\(")
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class Formula:
    """A formula, read.

    Attributes:
        text: as the user wrote it.
        name: of the statistic.
        arguments: SQL expressions, as written.
    """

    text: str
    name: str
    arguments: tuple[str, ...]


def read_formula(text: str) -> Formula:
    """Read a formula.

    Raises:
        EstimationError: E030, with the formula and a caret under the place that cannot be read.
    """
    start = _START.match(text)
    if start is None:
        raise _unreadable(text, len(text) - len(text.lstrip()), "a name and an opening parenthesis")
    arguments, end = _arguments(text, start.end())
    if rest := text[end:].strip():
        raise _unreadable(text, text.index(rest, end), "the end of the formula")
    for argument, place in arguments:
        if not argument:
            raise _unreadable(text, place, "a column or expression")
    return Formula(text.strip(), start[1].lower(), tuple(argument for argument, _ in arguments))


def _arguments(text: str, first: int) -> tuple[list[tuple[str, int]], int]:
    """Split at the commas that no parenthesis or quotation encloses; return arguments and where they end."""
    arguments, begin, depth, quote = [], first, 0, ""
    for place in range(first, len(text)):
        sign = text[place]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in _OPENING:
            depth += 1
        elif sign in _CLOSING and depth:
            depth -= 1
        elif sign in ",)" and not depth:
            arguments.append((text[begin:place].strip(), place))
            begin = place + 1
            if sign == ")":
                return arguments, begin
    raise _unreadable(text, len(text), "the closing quotation mark" if quote else "a closing parenthesis")


def _unreadable(text: str, place: int, wanted: str) -> EstimationError:
    return EstimationError("E030", formula=text, caret=" " * place + "^", wanted=wanted)
