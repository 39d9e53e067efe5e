"""Small tables of codes and numbers as they were told: cells as text, faults with column and row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from copstats.collect.readers import SourceFile
from copstats.errors import SubmissionError

LONGEST = 500
"""Characters of a text that is published with a row."""
UNFIT_TEXT = f"len({{0}}) > {LONGEST} OR contains({{0}}, '@')"
"""SQL condition on a text: an address of electronic mail names a person as a rule."""


@dataclass(frozen=True)
class Check:
    """A condition that no row may fulfil.

    Attributes:
        code: of the error.
        condition: over the columns of ``told``, in SQL.
        column: that the error names; empty if its text names none.
    """

    code: str
    condition: str
    column: str = ""


def refuse_columns(file: SourceFile, required: Sequence[str], optional: Sequence[str]) -> None:
    """Stop if a file has other columns than it may have.

    Raises:
        SubmissionError: S360 or S361.
    """
    named = file.table.column_names
    if missing := [name for name in required if name not in named]:
        raise SubmissionError("S360", where=file.name, columns=", ".join(missing))
    if unknown := [name for name in named if name not in (*required, *optional)]:
        known = ", ".join((*required, *optional))
        raise SubmissionError("S361", where=file.name, columns=", ".join(unknown), known=known)


def as_text(file: SourceFile) -> pa.Table:
    """Return all columns as text, and ``row``: the row of the file, its header counted."""
    rows = range(1 + file.header_rows, file.records + file.header_rows + 1)
    texts = {name: _text(file.table[name]) for name in file.table.column_names}
    return pa.table({"row": pa.array(rows, pa.int64()), **texts})


def faults(
    connection: duckdb.DuckDBPyConnection, checks: Iterable[Check], place: str
) -> list[SubmissionError]:
    """Return an error for each check that rows of ``told`` fail, with their number and the first of them."""
    found = []
    for check in checks:
        query = f"SELECT count(*), min(row) FROM told WHERE {check.condition}"  # noqa: S608
        count, first = connection.sql(query).fetchall()[0]
        if count:
            named = {"column": check.column} if check.column else {}
            found.append(SubmissionError(check.code, where=place, count=count, row=first, **named))
    return found


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers of a workbook are written without a decimal point."""
    if pa.types.is_floating(column.type):
        whole = pa.compute.equal(column, pa.compute.floor(column))
        numbers = pa.compute.if_else(whole, column, None).cast(pa.int64(), safe=False)
        return pa.compute.coalesce(numbers.cast(pa.string()), column.cast(pa.string()))
    return column.cast(pa.string())
