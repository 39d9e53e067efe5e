"""Recodes of the crosswalk as SQL over the national columns.

A recode gives the framework value, or NULL for a value that it does not name. Whether the cell held anything
is kept beside it, so that an unnamed value can be told from a blank cell: neither is guessed at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from copstats.collect.crosswalk_checks import wanted_kind
from copstats.collect.expression_guard import parse_expression
from copstats.collect.national import NationalColumns, literal
from copstats.errors import SubmissionError
from copstats.framework.definitions import Variable
from copstats.framework.manifest import Mapping, RangeRecode

_LARGEST = 2**31 - 1
_NUMBER = re.compile(r"[+-]?[0-9]+([.][0-9]+)?")


@dataclass(frozen=True)
class Feed:
    """How a framework variable is filled.

    Attributes:
        value: SQL over the step ``source``; NULL where a cell is blank or cannot be read.
        filled: SQL that is TRUE where a national cell is not blank; None for a value that no cell gives.
        columns: national columns that it reads.
    """

    value: str
    filled: str | None = None
    columns: tuple[str, ...] = ()


def recoded(name: str, variable: Variable, mapping: Mapping, columns: NationalColumns, where: str) -> Feed:
    """Return how the crosswalk fills a variable.

    Args:
        name: the framework variable.
        variable: its definition.
        mapping: its entry in the crosswalk.
        columns: the national columns.
        where: line of the entry.

    Raises:
        SubmissionError: a column is not in the file, or no key of a map can occur in it.
    """
    if mapping.sql is not None:
        return _with_blank(_computed(name, variable, mapping.sql, columns, where), variable, mapping.blank)
    column = columns.find(mapping.source or name, where)
    if mapping.map is not None:
        value = _mapped(mapping.map, variable, column, columns, where)
    elif mapping.range is not None:
        value = _ranged(mapping.range, variable, columns.number(column))
    else:
        value = typed(variable, column, columns)
    feed = Feed(value=value, filled=columns.filled([column]), columns=(column,))
    return _with_blank(feed, variable, mapping.blank)


def copied(variable: Variable, column: str, columns: NationalColumns) -> Feed:
    """Return how a column fills a variable with its values as they stand."""
    return Feed(typed(variable, column, columns), columns.filled([column]), (column,))


def typed(variable: Variable, column: str, columns: NationalColumns) -> str:
    """Return SQL of a column in the type of a variable; NULL where a value is not of that type."""
    if wanted_kind(variable) == "text":
        return as_type(variable, columns.text(column))
    return as_type(variable, columns.number(column))


def as_type(variable: Variable, sql: str) -> str:
    """Return SQL of a number or text in the type of a variable."""
    match variable.type:
        case "string":
            return sql
        case "month":
            # The day is dropped here, so that it never enters the harmonised table.
            form = r"[0-9]{4}-(0[1-9]|1[0-2])(-[0-9]{2}(T.*)?)?"
            return f"CASE WHEN regexp_full_match({sql}, '{form}') THEN substr({sql}, 1, 7) END"
        case "number":
            return f"CASE WHEN isfinite(CAST({sql} AS DOUBLE)) THEN CAST({sql} AS DOUBLE) END"
        case _:
            whole = f"{sql} = trunc({sql}) AND abs({sql}) <= {_LARGEST}"
            return f"CASE WHEN {whole} THEN CAST({sql} AS INTEGER) END"


def constant(variable: Variable, value: str | int) -> Feed:
    """Return a value that is the same in every record."""
    return Feed(literal(str(value) if wanted_kind(variable) == "text" else value))


def _computed(name: str, variable: Variable, sql: str, columns: NationalColumns, where: str) -> Feed:
    expression = parse_expression(sql, wanted_kind(variable), where)
    found = {written: columns.find(written, where) for written in expression.columns}
    # TRY: an overflow in one record must not quote its value in an error, and is a value that cannot be read.
    result = f"TRY({expression.sql(_Found(found, columns))})"
    value = as_type(variable, columns.derive(f"{name} (expression)", result))
    used = tuple(dict.fromkeys(found.values()))
    return Feed(value=value, filled=columns.filled(used), columns=used)


class _Found:
    """National columns under the names that an expression calls them."""

    def __init__(self, found: dict[str, str], columns: NationalColumns) -> None:
        self._found = found
        self._columns = columns

    def raw(self, name: str) -> str:
        return self._columns.raw(self._found[name])

    def number(self, name: str) -> str:
        return self._columns.number(self._found[name])

    def text(self, name: str) -> str:
        return self._columns.text(self._found[name])


def _mapped(
    keys: dict[str | int | float, int | str],
    variable: Variable,
    column: str,
    columns: NationalColumns,
    where: str,
) -> str:
    if columns.is_text(column):
        cell = columns.code(column)
        arms = {literal(columns.code_text(key)): target for key, target in keys.items()}
    else:
        cell = columns.raw(column)
        numbers = {_number(key): target for key, target in keys.items()}
        arms = {literal(number): target for number, target in numbers.items() if number is not None}
        if not arms:
            raise SubmissionError("S163", where=where, column=column)
    words = " ".join(f"WHEN {key} THEN {constant(variable, target).value}" for key, target in arms.items())
    return f"CASE {cell} {words} END"


def _number(key: str | float) -> int | float | None:
    """Return a key as the number that it names, or None for text such as ``.a``."""
    if isinstance(key, str) and not _NUMBER.fullmatch(key.strip()):
        return None
    number = float(key)
    return int(number) if number.is_integer() else number


def _ranged(ranges: list[RangeRecode], variable: Variable, number: str) -> str:
    arms = []
    for one in ranges:
        bounds = [f"{number} >= {one.lower!r}"] if one.lower is not None else []
        bounds += [f"{number} <= {one.upper!r}"] if one.upper is not None else []
        code = constant(variable, one.code).value
        arms.append(f"WHEN {' AND '.join(bounds) or f'{number} IS NOT NULL'} THEN {code}")
    return f"CASE {' '.join(arms)} END"


def _with_blank(feed: Feed, variable: Variable, blank: int | None) -> Feed:
    if blank is None:
        return feed
    code = constant(variable, blank).value
    # An expression may give a blank cell a value of its own; that comes first.
    value = f"coalesce({feed.value}, CASE WHEN NOT {feed.filled} THEN {code} END)"
    return Feed(value=value, filled=feed.filled, columns=feed.columns)
