"""Parquet: the columns only. Metadata and unused categories can name persons and are left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from copstats.collect.parsers.arrays import table_of
from copstats.collect.parsers.common import (
    Column,
    Input,
    Parsed,
    ReadProblem,
    Request,
    Trace,
    check_names,
    rows_of_chunk,
)

_OF_THE_FORMAT = (b"ARROW:schema", b"PARQUET:field_id", b"pandas")


def parse(source: Input, request: Request) -> Parsed:
    """Return the table of a Parquet file, in chunks.

    Raises:
        ReadProblem: the file is damaged, or a column is a list, a structure or binary.
    """
    try:
        file = pq.ParquetFile(source.file())
        schema = file.schema_arrow
    except (pa.ArrowException, OSError):
        raise ReadProblem("S140") from None
    names = [name.strip() for name in schema.names]
    check_names(names)
    for field in schema:
        _check(field)
    columns = [Column(name, position) for position, name in enumerate(names, start=1)]
    traces = list(_metadata(schema))
    return Parsed(columns, _chunks(file, names, traces), traces)


def _chunks(file: pq.ParquetFile, names: list[str], traces: list[Trace]) -> Iterator[pa.Table]:
    categories = {i: _Categories() for i, f in enumerate(file.schema_arrow) if pa.types.is_dictionary(f.type)}
    try:
        dates = _columns_of_dates(file)
        for batch in _batches(file, None):
            for position, seen in categories.items():
                seen.look(batch.column(position))
            arrays = [_plain(array, dates=i in dates) for i, array in enumerate(batch.columns)]
            yield table_of(names, arrays)
    except (pa.ArrowException, OSError):
        raise ReadProblem("S140") from None
    for position, seen in categories.items():
        if seen.unused:
            traces.append(Trace("unused_category", names[position], seen.unused))


def _batches(file: pq.ParquetFile, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    rows = rows_of_chunk(len(columns or file.schema_arrow.names))
    return iter(file.iter_batches(batch_size=rows, columns=columns, use_threads=False))


def _check(field: pa.Field) -> None:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise ReadProblem("S149", column=field.name)


def _columns_of_dates(file: pq.ParquetFile) -> set[int]:
    """Return the positions of timestamps that are midnights throughout: such a column holds dates."""
    schema = file.schema_arrow
    stamps = {f.name: i for i, f in enumerate(schema) if pa.types.is_timestamp(f.type)}
    dates = dict(stamps)
    for batch in _batches(file, list(stamps)) if stamps else ():
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            seconds = array.cast(pa.timestamp("s"), safe=False)
            midnight = pc.floor_temporal(seconds, unit="day")
            if not pc.all(pc.equal(midnight, seconds), min_count=0).as_py():
                dates.pop(name, None)
    return set(dates.values())


def _plain(array: Any, *, dates: bool) -> Any:
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _plain(array.cast(kind.value_type), dates=dates)
    if pa.types.is_boolean(kind):
        return pc.if_else(array, "TRUE", "FALSE")
    if pa.types.is_timestamp(kind):
        seconds = array.cast(pa.timestamp("s"), safe=False)
        text = "%Y-%m-%d" if dates else "%Y-%m-%dT%H:%M:%S"
        return pc.strftime(seconds, format=text)
    return array


class _Categories:
    """Counts categories that stand in the file though no record has them: they can be names left behind."""

    def __init__(self) -> None:
        self._known: set[Any] = set()
        self._used: set[Any] = set()

    def look(self, array: pa.DictionaryArray) -> None:
        self._known.update(array.dictionary.to_pylist())
        used = pc.unique(array.indices).drop_null()
        self._used.update(array.dictionary.take(used).to_pylist())

    @property
    def unused(self) -> int:
        """Number of categories that no record has."""
        return len(self._known - self._used)


def _metadata(schema: pa.Schema) -> Iterator[Trace]:
    """Yield the key-value metadata of the file and of its columns, but for what describes the format."""
    for place, metadata in [("", schema.metadata), *((field.name, field.metadata) for field in schema)]:
        keys = [key for key in metadata or {} if key not in _OF_THE_FORMAT]
        if keys:
            yield Trace("metadata", place, len(keys))
