"""Turns a YAML document into a definition, or says at which entry it fails."""

from __future__ import annotations

import copy
import re
from typing import Any, TypeVar, cast

import msgspec

from copstats.errors import DefinitionError
from copstats.framework.located import Located

T = TypeVar("T")


def typed(located: Located, kind: type[T]) -> T:
    """Return the document as the type that its JSON Schema describes.

    Raises:
        DefinitionError: D002, with file and line of the entry at fault.
    """
    try:
        return msgspec.convert(located.data, kind)
    except msgspec.ValidationError as problem:
        text, _, place = str(problem).partition(" - at `")
        at = _faulty_entry(place, located.data, kind, str(problem))
        raise DefinitionError("D002", where=located.where(*at), problem=text) from None


def _faulty_entry(place: str, data: Any, kind: Any, problem: str) -> list[str | int]:
    """Return the keys that lead to the entry at fault.

    msgspec writes ``$.variables[...].type``, where ``[...]`` is any key of a mapping, and
    ``key` in `$.variables`` for a key itself; which one it is shows when the document is converted again with
    the mapping reduced to one entry at a time.
    """
    above, _, below = place.rpartition("$")
    steps = re.findall(r"\[\.\.\.\]|\[[0-9]+\]|[^.\[\]`]+", below)
    if above.startswith("key"):
        steps.append("[...]")
    keys: list[str | int] = []
    for step in steps:
        if step == "[...]":
            keys.append(_key_at_fault(keys, data, kind, problem))
        else:
            keys.append(int(step[1:-1]) if step.startswith("[") else step)
    return keys


def _key_at_fault(above: list[str | int], data: Any, kind: Any, problem: str) -> str | int:
    mapping = _descend(data, above)
    for key in mapping:
        reduced = copy.deepcopy(data)
        target = _descend(reduced, above)
        for other in mapping:
            if other != key:
                del target[other]
        try:
            msgspec.convert(reduced, kind)
        except msgspec.ValidationError as again:
            if str(again) == problem:
                return cast("str | int", key)
    return "?"


def _descend(data: Any, keys: list[str | int]) -> Any:
    for key in keys:
        data = data[key]
    return data
