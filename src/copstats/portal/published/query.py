"""Queries for data as SDMX REST writes them, read and turned into a filter over a published table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

import pyarrow.compute as pc
from pyarrow.compute import Expression

from copstats.errors import PortalError
from copstats.framework.structure import PERIOD, Component, Structure

_CODE = re.compile(r"[A-Za-z0-9_@$\-]+")
_FILTER = re.compile(r"c\[([A-Z][A-Z0-9_]*)\]")
_OPERATOR = re.compile(r"(eq|ne|lt|le|gt|ge|co|nc|sw|ew):(.*)", re.DOTALL)
_START = re.compile(r"(\d{4})(-(?:Q1|S1|T1|A1|W01|D001|M01|01(?:-01(?:T00:00:00)?)?))?")
_END = re.compile(r"(\d{4})(-(?:Q4|S2|T3|A1|W5[23]|D36[56]|M12|12(?:-31(?:T23:59:59)?)?))?")
_PERIOD = re.compile(r"\d{4}(-[0-9A-Z:T-]{1,20})?")
_LONGEST_VALUE = 200

Key = tuple[tuple[str, ...], ...]
"""A place a dimension, with the codes that it may have; none for any."""


@dataclass(frozen=True)
class Condition:
    """What a component has to be: one of several pairs of operator and value."""

    component: str
    any_of: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Selection:
    """What of a dataflow is asked for.

    Attributes:
        keys: each a place a dimension but the period, with the codes it may have or none for any; an
            observation fits one of them. Empty: all.
        conditions: that all hold besides.
    """

    keys: tuple[Key, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def expression(self, structure: Structure) -> Expression | None:
        """Return the filter over the published table; None if all is asked for.

        Raises:
            PortalError: P413 (400), a component is unknown or a value is no number where one is needed.
        """
        dimensions = [name for name, one in structure.dimensions.items() if one.type != PERIOD]
        keys = [_all(_key(key, dimensions, structure)) for key in self.keys]
        parts = [_condition(one, structure) for one in self.conditions]
        narrowing = [key for key in keys if key is not None]
        if narrowing and len(narrowing) == len(keys):
            parts.append(_any(narrowing))
        return _all(parts)


def read_key(key: str, structure: Structure, *, separator: str = "+") -> tuple[Key, ...]:
    """Read the key of a data query: codes of the dimensions in their order, with dots between them.

    Args:
        key: of SDMX REST 1.x, ``A.KEN+UGA.RCD4...``, where nothing stands for any code; or of 2.x,
            ``A.KEN.*,A.UGA.*``, where ``*`` does; ``all`` or ``*`` alone stand for everything.
        structure: of the dataflow.
        separator: between alternatives of one dimension; ``,`` separates whole keys of 2.x.

    Raises:
        PortalError: P413 (400), it has another number of dimensions or a character that no code has.
    """
    if key in ("", "all", "*"):
        return ()
    dimensions = len(structure.dimensions) - 1
    wholes = key.split(",") if separator == "," else [key]
    found = tuple(tuple(_alternatives(place) for place in whole.split(".")) for whole in wholes)
    if any(len(whole) != dimensions for whole in found):
        raise PortalError("P413", where="key")
    return found


def _alternatives(place: str) -> tuple[str, ...]:
    if place in ("", "*"):
        return ()
    codes = tuple(place.split("+"))
    if not all(_CODE.fullmatch(code) for code in codes):
        raise PortalError("P413", where="key")
    return codes


def read_periods(start: str, end: str, structure: Structure) -> Iterator[Condition]:
    """Read ``startPeriod`` and ``endPeriod``: years that lie wholly between them are asked for.

    Raises:
        PortalError: P413 (400), one of them is no period.
    """
    (period,) = (name for name, one in structure.dimensions.items() if one.type == PERIOD)
    for text, whole, inclusive, other in ((start, _START, "ge", "gt"), (end, _END, "le", "lt")):
        if text:
            if not _PERIOD.fullmatch(text):
                raise PortalError("P413", where="startPeriod" if text == start else "endPeriod")
            yield Condition(period, ((inclusive if whole.fullmatch(text) else other, text[:4]),))


def read_filters(parameters: Sequence[tuple[str, str]]) -> Iterator[Condition]:
    """Read the filters of SDMX REST 2.x: ``c[REF_AREA]=KEN,UGA``, ``c[TIME_PERIOD]=ge:2020+le:2024``.

    Raises:
        PortalError: P413 (400), one cannot be read.
    """
    for name, value in parameters:
        if not name.startswith("c["):
            continue
        found = _FILTER.fullmatch(name)
        if found is None or not value or len(value) > _LONGEST_VALUE * 20:
            raise PortalError("P413", where="c")
        for clause in re.split(r"[+ ](?=(?:eq|ne|lt|le|gt|ge|co|nc|sw|ew):)", value):
            yield Condition(found[1], tuple(_clause(clause)))


def _clause(clause: str) -> Iterator[tuple[str, str]]:
    operator = "eq"
    for part in clause.split(","):
        value = part
        if (named := _OPERATOR.fullmatch(part)) is not None:
            operator, value = named[1], named[2]
        if len(value) > _LONGEST_VALUE:
            raise PortalError("P413", where="c")
        yield operator, value


def _key(
    key: Sequence[tuple[str, ...]], dimensions: Sequence[str], structure: Structure
) -> list[Expression | None]:
    asked = zip(dimensions, key, strict=True)
    pairs = ((name, tuple(("eq", code) for code in codes)) for name, codes in asked if codes)
    return [_condition(Condition(name, any_of), structure) for name, any_of in pairs]


def _condition(condition: Condition, structure: Structure) -> Expression:
    component = structure.components.get(condition.component)
    if component is None:
        raise PortalError("P413", where="c")
    field = pc.scalar(component.constant) if component.column is None else pc.field(component.column)
    parts = [_compare(field, component, *pair) for pair in condition.any_of if pair[0] != "eq"]
    if equal := [_typed(component, value) for operator, value in condition.any_of if operator == "eq"]:
        parts.append(field.isin(equal))
    return _any(parts)


def _compare(field: Expression, component: Component, operator: str, value: str) -> Expression:
    if operator in ("co", "nc", "sw", "ew"):
        if component.type in ("Double", "Integer"):
            raise PortalError("P413", where="c")
        found = _TEXT[operator](field, value)
        return ~found if operator == "nc" else found
    return _ORDER[operator](field, _typed(component, value))


_TEXT: Mapping[str, Callable[..., Expression]] = {
    "co": pc.match_substring,
    "nc": pc.match_substring,
    "sw": pc.starts_with,
    "ew": pc.ends_with,
}
_ORDER: Mapping[str, Callable[..., Expression]] = {
    "ne": pc.not_equal,
    "lt": pc.less,
    "le": pc.less_equal,
    "gt": pc.greater,
    "ge": pc.greater_equal,
}


def _typed(component: Component, value: str) -> str | float:
    if component.type not in ("Double", "Integer"):
        return value
    try:
        return float(value)
    except ValueError:
        raise PortalError("P413", where="c") from None


def _all(parts: Sequence[Expression | None]) -> Expression | None:
    found = [part for part in parts if part is not None]
    return reduce(and_, found) if found else None


def _any(parts: Sequence[Expression]) -> Expression:
    return reduce(or_, parts)
