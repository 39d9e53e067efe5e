"""Parquet: the columns only. Metadata and unused categories can name persons and are left behind."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from copstats.collect.parsers.common import Column, Parsed, ReadProblem, Request, assemble


def parse(content: bytes, request: Request) -> Parsed:
    """Return the table of a Parquet file.

    Raises:
        ReadProblem: the file is damaged, or a column is a list, a structure or binary.
    """
    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    except (pa.ArrowException, OSError):
        raise ReadProblem("S140") from None
    columns = [Column(name.strip()) for name in table.column_names]
    arrays = [_plain(array, name) for array, name in zip(table.columns, table.column_names, strict=True)]
    return assemble(columns, arrays)


def _plain(array: Any, name: str) -> Any:
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _plain(array.cast(kind.value_type), name)
    if pa.types.is_boolean(kind):
        return pc.if_else(array, "TRUE", "FALSE")
    if pa.types.is_timestamp(kind):
        return _timestamp(array)
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise ReadProblem("S149", column=name)
    return array


def _timestamp(array: Any) -> Any:
    """Return ISO text; a column of midnights is a column of dates."""
    seconds = array.cast(pa.timestamp("s"), safe=False)
    days = seconds.cast(pa.date32(), safe=False)
    midnights = pc.all(pc.equal(days.cast(pa.timestamp("s")), seconds)).as_py()
    return days.cast(pa.string()) if midnights else pc.strftime(seconds, format="%Y-%m-%dT%H:%M:%S")
