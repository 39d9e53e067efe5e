"""SQL that a user writes: names and expressions checked before use, errors that quote no value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from copstats.errors import EstimationError

_UNKNOWN = re.compile(r'(?:Referenced (?:column|table)|column) "([^"]+)"', re.IGNORECASE)


def quoted(text: str, mark: str = '"') -> str:
    """Return a text as an SQL name, or as an SQL string with ``'``."""
    return mark + text.replace(mark, mark * 2) + mark


@contextmanager
def guarded() -> Iterator[None]:
    """Turn an error of the engine, whose text may quote a value, into one that names its kind only."""
    try:
        yield
    except duckdb.Error as error:
        raise EstimationError("E033", kind=type(error).__name__) from None


def checked_expression(connection: duckdb.DuckDBPyConnection, table: str, expression: str) -> str:
    """Return an expression over a table as SQL.

    A text that is the exact name of a column is that column, whatever signs it has.

    Args:
        connection: holds the table.
        table: name of the table or view.
        expression: name of a column, or an SQL expression.

    Raises:
        EstimationError: E031, unknown column; E032, not an expression.
    """
    columns = _columns(connection, table)
    if expression in columns:
        return quoted(expression)
    try:
        found = connection.sql(f"SELECT {expression} FROM {table} LIMIT 0").columns  # noqa: S608
        # An aggregate or window, which is not about one record, cannot stand within another aggregate.
        connection.sql(f"SELECT count(({expression})) FROM {table} LIMIT 0")  # noqa: S608
    except duckdb.BinderException as error:
        unknown = _UNKNOWN.search(str(error))
        if unknown is None:
            raise EstimationError("E032", expression=expression) from None
        name = unknown[1]
        near = difflib.get_close_matches(name, columns, n=3, cutoff=0.5) or columns[:10]
        raise EstimationError("E031", column=name, columns=", ".join(near)) from None
    except duckdb.Error:
        raise EstimationError("E032", expression=expression) from None
    if len(found) != 1:
        raise EstimationError("E032", expression=expression)
    return f"({expression})"


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    columns = connection.table(table).columns
    return [column for column in columns if not column.startswith("copstats_")]
