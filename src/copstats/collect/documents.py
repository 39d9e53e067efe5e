"""Reads ``manifest.yaml`` and ``crosswalk.yaml``, and holds each entry against its JSON Schema."""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from copstats.errors import DefinitionError, SubmissionError
from copstats.framework.jsonschema import json_schema
from copstats.framework.located import Located

MAX_BYTES = 2_000_000
NAMES_SHOWN = 12

_YAML_CODES = {"D001": "S103", "D003": "S104"}
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a group of entries",
    "null": "nothing",
}
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "not empty",
    "maxLength": "at most {} characters",
    "format": "a date such as 2026-03-31",
}
Key = str | int | float
Place = tuple[Key, ...]


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known names for a hint, those that look like ``name`` first."""
    names = sorted(known)
    alike = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    ordered = alike + [other for other in names if other not in alike]
    more = ", ..." if len(ordered) > NAMES_SHOWN else ""
    return (", ".join(ordered[:NAMES_SHOWN]) + more) or "-"


class Document:
    """One YAML document of a submission.

    Attributes:
        name: file name, for messages.
        content: its bytes.
        data: mappings, lists and scalars as they stand.
    """

    def __init__(self, name: str, content: bytes) -> None:
        """Parse the document.

        Raises:
            SubmissionError: the text is too long, not UTF-8, not YAML, or has a key twice.
        """
        self.name = name
        self.content = content
        if len(content) > MAX_BYTES:
            raise SubmissionError("S108", where=name, limit=MAX_BYTES)
        try:
            self._located = Located(Path(name), content=content)
        except DefinitionError as problem:
            code = _YAML_CODES[problem.code]
            raise SubmissionError(code, where=problem.where, **problem.params) from None
        self.data: Any = self._located.data

    def where(self, *keys: Key) -> str:
        """Return ``file:line`` of an entry, or of the nearest entry above it."""
        return self._located.where(*keys)  # type: ignore[arg-type]

    def get(self, *keys: Key) -> Any:
        """Return the entry, or None if there is none."""
        data = self.data
        for key in keys:
            if not isinstance(data, dict) or key not in data:
                return None
            data = data[key]
        return data

    def text(self, *keys: Key) -> str | None:
        """Return the entry if it is text."""
        value = self.get(*keys)
        return value if isinstance(value, str) else None

    def names(self, *keys: Key) -> list[str]:
        """Return the texts of a list."""
        value = self.get(*keys)
        return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []

    def fingerprint(self) -> str:
        """Return the sha256 of what the document says; order of keys and comments do not matter."""
        canonical = json.dumps(_canonical(self.data), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def errors(self, schema: str) -> list[SubmissionError]:
        """Return everything in which the document departs from a JSON Schema, in the order of its lines."""
        found: dict[tuple[str, str, str], SubmissionError] = {}
        for error in _validator(schema).iter_errors(_plain(self.data)):
            for relevant in _relevant(error):
                for one in self._told(relevant):
                    found.setdefault((one.code, one.where, str(one.params)), one)
        return sorted(found.values(), key=_line)

    def _told(self, error: Any) -> Iterator[SubmissionError]:
        place = self._place(error.absolute_path)
        if error.validator == "required":
            for key in error.validator_value:
                if key not in error.instance:
                    yield SubmissionError("S105", where=self.where(*place), key=_dotted((*place, key)))
        elif error.validator == "additionalProperties":
            known = error.schema["properties"]
            for key in error.instance.keys() - known.keys():
                yield SubmissionError(
                    "S106",
                    where=self.where(*place, *self._place([*error.absolute_path, key])[-1:]),
                    key=_dotted((*place, key)),
                    known=nearest(key, known),
                )
        else:
            if "propertyNames" in error.absolute_schema_path:
                place = (*place, error.instance)
            yield SubmissionError(
                "S107", where=self.where(*place), key=_dotted(place) or self.name, expected=_expected(error)
            )

    def _place(self, path: Iterable[Any]) -> Place:
        """Return a path of the validated copy as keys of the document (numbers were texts there)."""
        place: list[Key] = []
        data: Any = self.data
        for key in path:
            own = key
            if isinstance(data, dict) and key not in data:
                own = next((k for k in data if str(k) == key), key)
            place.append(own)
            data = data.get(own) if isinstance(data, dict) else data[own]
        return tuple(place)


def _plain(value: Any) -> Any:
    """Return the document as JSON would hold it: keys and dates as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def _canonical(value: Any) -> Any:
    """Return the document with keys that keep their kind: 1 and "1" stay two keys."""
    if isinstance(value, Mapping):
        return {json.dumps(_canonical(key)): _canonical(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_canonical(entry) for entry in value]
    return value.isoformat() if isinstance(value, dt.date) else value


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json_schema(schema), format_checker=FormatChecker(["date"]))


def _relevant(error: ValidationError) -> Iterator[ValidationError]:
    """Yield, of an entry that may have several forms, the errors in the form that was meant."""
    if error.validator != "anyOf":
        yield error
        return
    forms: dict[Any, list[ValidationError]] = {}
    for inner in error.context or []:
        forms.setdefault(inner.schema_path[0], []).append(inner)
    for form in forms.values():
        if not any(inner.validator == "type" and not inner.relative_path for inner in form):
            for inner in form:
                yield from _relevant(inner)
            return
    yield error


def _expected(error: Any) -> str:
    """Say in words what an entry should be."""
    rule = error.validator_value
    match error.validator:
        case "type":
            return _TYPES[rule]
        case "anyOf":
            return " or ".join(dict.fromkeys(_TYPES[form.get("type", "object")] for form in rule))
        case "enum":
            return "one of " + ", ".join("true" if choice is True else str(choice) for choice in rule)
        case "pattern":
            return f"{error.schema.get('description', 'text')}, in the form {rule}"
        case kind:
            return _LIMITS.get(str(kind), "{}").format(rule)


def _dotted(place: Iterable[Key]) -> str:
    return ".".join(map(str, place))


def _line(error: SubmissionError) -> tuple[int, str]:
    _, _, line = error.where.partition(":")
    return int(line or 0), error.code
