"""Reads the columns of a file that a plan names, and no others: as texts, numbers and categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from copstats.collect.documents import nearest
from copstats.collect.national import RECORD_NO, TABLE, NationalColumns
from copstats.collect.package import Folder
from copstats.collect.readers import SourceColumn, SourceHead, open_file
from copstats.errors import SubmissionError, SubmissionErrors
from copstats.framework.weighting_plan import Outcome, Reading
from copstats.store.engine import memory_connection


@dataclass(frozen=True)
class Wanted:
    """A column that is wanted.

    Attributes:
        name: as the plan writes it; upper and lower case are told apart only where they must be.
        number: as a number; else as the text of a code, where 1 and 1.0 are the same.
        where: line of the plan that names it.
    """

    name: str
    number: bool
    where: str


@dataclass(frozen=True)
class Held:
    """The columns that were wanted.

    Attributes:
        table: one column for each, in the order in which they were wanted, named ``v0``, ``v1`` and so on.
        header_rows: rows of the file above the first record.
        outcomes: the codes of the plan, written as those of the file are.
    """

    table: pa.Table
    header_rows: int
    outcomes: tuple[frozenset[str], ...]

    def column(self, position: int) -> pa.ChunkedArray:
        """Return a column by its place among those that were wanted."""
        return self.table[f"v{position}"]


def read_columns(
    path: Path,
    reading: Reading,
    wanted: Sequence[Wanted],
    outcomes: Sequence[Sequence[Outcome]] = (),
    where: str = "",
) -> Held:
    """Read columns of a file, whatever its format, in a limited subprocess.

    Args:
        path: the file.
        reading: how it is to be read.
        wanted: the columns.
        outcomes: lists of codes to be written as those of the file.
        where: line that names the file; by default the file itself.

    Raises:
        SubmissionError: codes S120 to S157, the file cannot be read.
        SubmissionErrors: S185, columns that it lacks.
    """
    source = Folder(path.parent).data_file(path.name, where or path.name)
    with open_file(source, reading.of(path.name)) as stream:
        columns = NationalColumns(stream.head)
        query = _query(columns, stream.head, wanted)
        chunks, first = [], 1
        for chunk in stream.chunks():
            chunks.append(columns.table(chunk, first))
            first += chunk.num_rows
        with memory_connection(threads=1) as connection:
            connection.register(TABLE, pa.concat_tables(chunks))
            table = connection.sql(query).to_arrow_table()
        codes = tuple(frozenset(columns.code_text(code) for code in listed) for listed in outcomes)
        return Held(table, stream.head.header_rows, codes)


def _query(columns: NationalColumns, head: SourceHead, wanted: Sequence[Wanted]) -> str:
    described = {column.name: column for column in head.columns}
    faults, listed = [], []
    for position, one in enumerate(wanted):
        found = columns.lookup(one.name)
        if found is None:
            known = nearest(one.name, head.schema.names)
            faults.append(
                SubmissionError("S185", where=one.where, file=head.name, column=one.name, known=known)
            )
        else:
            value = _number(columns, described[found]) if one.number else _code(columns, found)
            listed.append(f"{value} AS v{position}")
    if faults:
        raise SubmissionErrors(faults)
    return f"""
        WITH source AS ({columns.step()})
        SELECT {", ".join(listed)}
        FROM source
        ORDER BY {RECORD_NO}
    """  # noqa: S608


def _code(columns: NationalColumns, name: str) -> str:
    return columns.code(name) if columns.is_text(name) else columns.text(name)


def _number(columns: NationalColumns, column: SourceColumn) -> str:
    """Return a column as a number; what the file declares as missing is no number."""
    number = columns.number(column.name)
    numbers = [value for value in column.missing_values if not isinstance(value, str)]
    ranges = [(value, value) for value in numbers] + list(column.missing_ranges)
    declared = [
        f"{number} BETWEEN '{low!r}'::DOUBLE AND '{high!r}'::DOUBLE"
        for low, high in ((float(low), float(high)) for low, high in ranges)
    ]
    return f"CASE WHEN NOT ({' OR '.join(declared)}) THEN {number} END" if declared else number


def ordered(codes: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return codes as whole numbers if all are, so that 10 comes after 9; else unchanged."""
    try:
        numbers = pc.cast(codes, pa.int64())
    except pa.ArrowInvalid:
        return codes
    same = pc.equal(pc.cast(numbers, pa.string()), codes)
    return numbers if pc.all(same).as_py() in (True, None) else codes
