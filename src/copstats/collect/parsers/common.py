"""What the parsers of all formats share: the request, the result, and one meaning of text, number and blank.

Every column leaves as DOUBLE, BIGINT or text. Text is stripped of white space at both ends; a blank cell is
NULL; dates are ISO text; a column that mixes numbers and text is text, with whole numbers written as 1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Value = str | float


class ReadProblem(Exception):
    """A file cannot be read; carries a code of the error catalogue and names or counts, never a value."""

    def __init__(self, code: str, **params: str | int) -> None:
        self.code = code
        self.params = params
        super().__init__(code)


@dataclass(frozen=True)
class Request:
    """What to read and how.

    Attributes:
        format: CSV, Excel, SPSS, Stata or Parquet.
        encoding: of the text, where the manifest declares one.
        decimal: decimal mark of numbers written as text.
        delimiter: of a CSV file, where the manifest declares one.
        sheet: of a workbook, where the manifest declares one.
    """

    format: str
    encoding: str | None = None
    decimal: str = "."
    delimiter: str | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class Column:
    """What a file says of one column; pairs stand for mappings, because JSON knows no numbers as keys."""

    name: str
    label: str | None = None
    value_labels: list[tuple[Value, str]] = field(default_factory=list)
    missing_values: list[Value] = field(default_factory=list)
    missing_ranges: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Parsed:
    """A table, and what its file says of the columns."""

    table: pa.Table
    columns: list[Column]


def assemble(columns: Sequence[Column], arrays: Sequence[Any]) -> Parsed:
    """Return the columns as a table without any metadata.

    Raises:
        ReadProblem: a column has no name, two have the same, or there is no record.
    """
    names = [column.name for column in columns]
    for position, name in enumerate(names, start=1):
        if not name:
            raise ReadProblem("S144", position=position)
        if names.index(name) < position - 1:
            raise ReadProblem("S143", column=name)
    table = pa.Table.from_arrays([_normal(array) for array in arrays], names=names)
    if table.num_rows == 0:
        raise ReadProblem("S147")
    return Parsed(table, list(columns))


def typed(cells: Sequence[Any], decimal: str) -> pa.Array:
    """Return Python values as one array: numbers if all are, else text."""
    values = [None if cell == "" else cell for cell in cells]
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {int, float}:
        return pa.array(values, pa.float64() if float in kinds or not kinds else pa.int64())
    if kinds <= {str}:
        return pa.array(values, pa.string())
    return pa.array([None if value is None else as_text(value, decimal) for value in values], pa.string())


def as_text(value: Any, decimal: str) -> str:
    """Return a cell as text, in the same words whatever the format of the file."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value).replace(".", decimal)
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def _normal(array: Any) -> Any:
    kind = array.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = array.cast(pa.float64())
        return pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    if pa.types.is_integer(kind):
        return array.cast(pa.float64(), safe=False) if kind == pa.uint64() else array.cast(pa.int64())
    text = pc.utf8_trim_whitespace(array.cast(pa.string()))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
