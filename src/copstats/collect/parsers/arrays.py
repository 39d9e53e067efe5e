"""One meaning of text, number and blank in all formats.

Every column leaves as DOUBLE, BIGINT or text. Text is stripped of white space at both ends; a blank cell is
NULL; dates are ISO text; a column that mixes numbers and text is text, with whole numbers written as 1.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from copstats.collect.parsers.common import rows_of_chunk


def table_of(names: Sequence[str], arrays: Sequence[Any]) -> pa.Table:
    """Return columns as a table of the three types, without any metadata."""
    return pa.Table.from_arrays([normal(array) for array in arrays], names=list(names))


def slices(table: pa.Table) -> Iterator[pa.Table]:
    """Yield a table in chunks."""
    rows = rows_of_chunk(table.num_columns)
    for first in range(0, table.num_rows, rows):
        yield table.slice(first, rows)


def typed(cells: Sequence[Any], decimal: str) -> pa.Array:
    """Return Python values as one array: numbers if all are, else text."""
    values = [None if cell == "" else cell for cell in cells]
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {int, float}:
        return pa.array(values, pa.float64() if float in kinds or not kinds else pa.int64())
    return text_array(values, decimal)


def text_array(values: Sequence[Any], decimal: str) -> pa.Array:
    """Return Python values as an array of text."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {str}:
        return pa.array(values, pa.string())
    if bool in kinds:  # True and 1 are one key of a dictionary, but not one text.
        return pa.array([None if value is None else as_text(value, decimal) for value in values], pa.string())
    texts = {value: as_text(value, decimal) for value in set(values) if value is not None}
    return pa.array(list(map(texts.get, values)), pa.string())


def as_text(value: Any, decimal: str) -> str:
    """Return a cell as text, in the same words whatever the format of the file."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value).replace(".", decimal)
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def normal(array: Any) -> Any:
    """Return an array as DOUBLE, BIGINT or stripped text."""
    kind = array.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = array.cast(pa.float64())
        return pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    if pa.types.is_integer(kind):
        return array.cast(pa.float64(), safe=False) if kind == pa.uint64() else array.cast(pa.int64())
    return stripped(array.cast(pa.string()))


def stripped(texts: Any) -> Any:
    """Return texts without white space at both ends; what is empty then is NULL."""
    bare = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(bare, ""), pa.scalar(None, pa.string()), bare)
