"""YAML read with the line of every entry, so that an error can name file and line."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from copstats.errors import DefinitionError

Place = tuple[str | int, ...]

_DEEPEST = 20
"""Definitions and manifests nest eight levels at most; the YAML library crashes at some ten thousand."""

_PLAIN = re.compile(
    r"(?P<null>null|~|)"
    r"|(?P<bool>true|false)"
    r"|(?P<int>[-+]?(?:0|[1-9][0-9]*))"
    r"|(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"|(?P<float>[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
)
"""Plain scalars of the YAML 1.2 core schema, and dates. ``Yes``, ``No``, ``NO``, ``08`` and ``NA`` stay text:
they are answers and codes in the files that we read."""


class Located:
    """A YAML document as plain objects, and the line on which each of its entries stands.

    Anchors, aliases and tags are refused: an uploaded file could use them to grow without end.

    Attributes:
        path: the file.
        data: mappings, lists and scalars.
    """

    def __init__(
        self, path: Path, error: type[DefinitionError] = DefinitionError, *, content: bytes | None = None
    ) -> None:
        """Read the file.

        Args:
            path: the file; UTF-8.
            error: class of the errors raised.
            content: bytes that are read in place of the file (a member of an archive).

        Raises:
            DefinitionError: it is not UTF-8 or not YAML (D001), or a key stands twice (D003).
        """
        self.path = path
        self._lines: dict[Place, int] = {}
        self._error = error
        self.data: Any = self._read(path.read_bytes() if content is None else content)

    def where(self, *at: str | int) -> str:
        """Return ``file:line`` of the entry, or of the nearest entry above it that exists."""
        place = at
        while place and place not in self._lines:
            place = place[:-1]
        return f"{self.path.name}:{self._lines.get(place, 1)}"

    def _read(self, content: bytes) -> Any:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise self._problem("it is not UTF-8 text") from None
        events = yaml.parse(text, Loader=yaml.CSafeLoader)
        try:
            return self._document(events)
        except yaml.YAMLError as problem:
            text = getattr(problem, "problem", None) or "it cannot be read"
            raise self._problem(text, getattr(problem, "problem_mark", None)) from None

    def _problem(self, problem: str, mark: Any = None) -> DefinitionError:
        where = f"{self.path.name}:{mark.line + 1}" if mark else self.path.name
        return self._error("D001", where=where, problem=problem)

    def _document(self, events: Iterator[Any]) -> Any:
        next(events)  # the start of the stream
        if isinstance(next(events), yaml.StreamEndEvent):
            return None
        data = self._value(next(events), events, ())
        next(events)  # the end of the document
        end = next(events)
        if not isinstance(end, yaml.StreamEndEvent):
            raise self._problem("it holds more than one document", end.start_mark)
        return data

    def _value(self, event: Any, events: Iterator[Any], at: Place) -> Any:
        self._lines.setdefault(at, _line(event))
        if len(at) > _DEEPEST:
            raise self._problem("it is nested too deeply", event.start_mark)
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise self._problem("anchors, aliases and tags are not read here", event.start_mark)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, at)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, at)
        return self._scalar(event)

    def _mapping(self, events: Iterator[Any], at: Place) -> dict[Any, Any]:
        out: dict[Any, Any] = {}
        event: Any
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._problem("a key is one word or number", event.start_mark)
            key = self._scalar(event)
            if key in out:
                place = f"{self.path.name}:{_line(event)}"
                raise self._error("D003", where=place, key=str(key))
            self._lines[(*at, key)] = _line(event)
            out[key] = self._value(next(events), events, (*at, key))
        return out

    def _sequence(self, events: Iterator[Any], at: Place) -> list[Any]:
        out: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            out.append(self._value(event, events, (*at, len(out))))
        return out

    def _scalar(self, event: Any) -> Any:
        plain = event.implicit[0] and _PLAIN.fullmatch(event.value)
        if not plain:
            return event.value
        try:
            return _READ[plain.lastgroup](event.value)
        except ValueError:
            raise self._problem("it holds a date that is not in the calendar", event.start_mark) from None


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


_READ: dict[str | None, Any] = {
    "null": lambda _: None,
    "bool": lambda text: text == "true",
    "int": int,
    "date": dt.date.fromisoformat,
    "float": float,
}
