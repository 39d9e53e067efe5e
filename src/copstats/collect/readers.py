"""Reads a data file of a submission through the limited subprocess, and believes nothing that comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import pyarrow as pa

from copstats.collect.package import DataSource
from copstats.collect.reader_channel import Channel, Limits, reading
from copstats.errors import SubmissionError
from copstats.framework.manifest import DataFile

LONGEST_PARAM = 1000
_CODES = frozenset(f"S{number}" for number in range(140, 160))
_TYPES = (pa.float64(), pa.int64(), pa.string())
_TEXT_FORMATS = ("CSV", "Excel")

Value = str | float
TraceKind = Literal[
    "author",
    "comment",
    "external_link",
    "file_label",
    "file_note",
    "hidden_sheet",
    "metadata",
    "unused_category",
    "unused_value_label",
]


@dataclass(frozen=True)
class SourceColumn:
    """A national column, as its file describes it.

    Attributes:
        name: as in the file.
        label: the question or title of the column.
        value_labels: value -> label.
        missing_values: values that the file declares as user-missing; they stay values of the table.
        missing_ranges: ranges of such values, both ends included.
        position: in the file, from 1; in a sheet, 1 is column A.
    """

    name: str
    label: str | None
    value_labels: Mapping[Value, str]
    missing_values: tuple[Value, ...]
    missing_ranges: tuple[tuple[float, float], ...]
    position: int = 0


@dataclass(frozen=True)
class Trace:
    """Something that a file carries beside its table and that could name persons.

    Attributes:
        kind: author, comment and link to another file of a workbook; label and note of a statistical file;
            hidden sheets; key-value metadata; categories and value labels that no record uses.
        place: the column or the part of the file; empty for the file itself.
        count: how many there are. What they say stays in the subprocess.
    """

    kind: TraceKind
    place: str
    count: int


@dataclass(frozen=True)
class SourceHead:
    """What is known of a data file before its records are read.

    Attributes:
        name: path as the manifest writes it.
        columns: what the file says of each column, in its order.
        schema: names and types of the columns: double, int64 or string.
        format: CSV, Excel, SPSS, Stata or Parquet.
        decimal: decimal mark of numbers that stand in text columns.
        thousands: sign between groups of three digits in such numbers, if the manifest declares one.
        sheet: name of the sheet, for Excel.
        header_rows: rows above the first record: record 1 stands in the row after them.
    """

    name: str
    columns: tuple[SourceColumn, ...]
    schema: pa.Schema
    format: str
    decimal: str
    thousands: str | None
    sheet: str | None
    header_rows: int


@dataclass(frozen=True)
class SourceFile:
    """A data file that was read as a whole.

    Attributes:
        name: path as the manifest writes it.
        table: all columns, as double, int64 or string; blank cells are NULL, text is stripped at both ends.
        columns: what the file says of each column, in its order.
        format: CSV, Excel, SPSS, Stata or Parquet.
        decimal: decimal mark of numbers that stand in text columns.
        thousands: as in `SourceHead`, with sheet and header_rows.
        traces: what the file carries beside the table.
    """

    name: str
    table: pa.Table
    columns: tuple[SourceColumn, ...]
    format: str
    decimal: str
    thousands: str | None = None
    sheet: str | None = None
    header_rows: int = 0
    traces: tuple[Trace, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return self.table.schema

    @property
    def records(self) -> int:
        """Number of records."""
        return int(self.table.num_rows)


class SourceStream:
    """A data file that is being read, chunk by chunk, so that it can be larger than memory.

    Attributes:
        head: what is known before the records.
        traces: what the file carries beside the table; known when the last chunk was read.
    """

    def __init__(self, source: DataSource, head: SourceHead, channel: Channel, batches: Any) -> None:
        self.head = head
        self.traces: tuple[Trace, ...] = ()
        self._source = source
        self._channel = channel
        self._batches = batches

    def chunks(self) -> Iterator[pa.Table]:
        """Yield all records in the order of the file; only the end shows that the file is whole.

        Raises:
            SubmissionError: the file is damaged further on, or changed while it was read (S155).
        """
        while (batch := self._next()) is not None:
            yield pa.Table.from_batches([batch]).replace_schema_metadata(None)
        with self._channel.believed():
            told = self._channel.line()
            _raise_told(self._source, told)
            self.traces = tuple(map(_trace, told["traces"]))
        if told.get("sha256") != self._source.sha256:
            raise SubmissionError("S155", where=self._source.name)

    def _next(self) -> pa.RecordBatch | None:
        with self._channel.believed():
            try:
                batch = self._batches.read_next_batch()
            except StopIteration:
                return None
            # Buffer by buffer: the subprocess may have been taken over.
            batch.validate(full=True)
            return batch


@contextmanager
def open_file(source: DataSource, says: DataFile, limits: Limits | None = None) -> Iterator[SourceStream]:
    """Open a data file in a subprocess that is limited in memory, time and files, and ends with the block.

    Args:
        source: the file.
        says: how the manifest says it is to be read.
        limits: of the subprocess; by default such that only a hostile file meets them.

    Raises:
        SubmissionError: codes S140 to S157, also while the chunks are read; names a column or row, never a
            value.
    """
    text = source.format in _TEXT_FORMATS
    decimal, thousands = (says.decimal, says.thousands) if text else (".", None)
    if thousands == decimal:
        raise SubmissionError("S157", where=source.name)
    request = {
        "format": source.format,
        "encoding": says.encoding,
        "decimal": decimal,
        "delimiter": says.delimiter,
        "sheet": says.sheet,
    }
    with reading(source, request, limits or Limits.of(source)) as channel:
        with channel.believed():
            told = channel.line()
            _raise_told(source, told)
            batches = pa.ipc.open_stream(channel)
            head = SourceHead(
                name=source.name,
                columns=tuple(map(_column, told["columns"])),
                schema=_checked(batches.schema.remove_metadata(), told),
                format=source.format,
                decimal=decimal,
                thousands=thousands,
                sheet=told["sheet"],
                header_rows=told["header_rows"],
            )
        yield SourceStream(source, head, channel, batches)


def read_file(source: DataSource, says: DataFile, limits: Limits | None = None) -> SourceFile:
    """Read a data file as a whole; arguments and errors as `open_file`."""
    with open_file(source, says, limits) as stream:
        table = pa.concat_tables(list(stream.chunks()))
        facts = {name: value for name, value in vars(stream.head).items() if name != "schema"}
        return SourceFile(**facts, table=table, traces=stream.traces)


def _raise_told(source: DataSource, told: dict[str, Any]) -> None:
    """Raise the error that the child names, if it is one that it may name."""
    if "code" not in told:
        return
    code, params = told["code"], told["params"]
    sound = all(
        isinstance(value, int) or (isinstance(value, str) and len(value) <= LONGEST_PARAM)
        for value in params.values()
    )
    if code not in _CODES or not sound:
        raise SubmissionError("S140", where=source.name)
    raise SubmissionError(code, where=source.name, **params)


def _checked(schema: pa.Schema, told: dict[str, Any]) -> pa.Schema:
    names = [one["name"] for one in told["columns"]]
    sheet, rows = told["sheet"], told["header_rows"]
    sound = (
        names == schema.names
        and len(set(names)) == len(names)
        and all(kind in _TYPES for kind in schema.types)
        and (sheet is None or isinstance(sheet, str))
        and rows in (0, 1)
    )
    if not sound:
        raise ValueError
    return schema


def _column(told: dict[str, Any]) -> SourceColumn:
    return SourceColumn(
        name=str(told["name"]),
        label=told["label"],
        value_labels={value: label for value, label in told["value_labels"]},
        missing_values=tuple(told["missing_values"]),
        missing_ranges=tuple((low, high) for low, high in told["missing_ranges"]),
        position=int(told["position"]),
    )


def _trace(told: dict[str, Any]) -> Trace:
    if told["kind"] not in get_args(TraceKind):
        raise ValueError
    return Trace(cast("TraceKind", told["kind"]), str(told["place"]), int(told["count"]))
