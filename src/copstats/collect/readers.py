"""Reads a data file of a submission through the limited subprocess, and believes nothing that comes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

import copstats
from copstats.collect.package import DataSource
from copstats.errors import SubmissionError
from copstats.framework.manifest import DataFile

SECONDS = 600
MEMORY = 4 * 2**30
MEMORY_PER_BYTE = 40
CHUNK = 2**20
LONGEST_PARAM = 1000
_CODES = frozenset(f"S{number}" for number in range(140, 156))
_TYPES = (pa.float64(), pa.int64(), pa.string())
_COMMAND = ("-P", "-s", "-X", "utf8", "-m", "copstats.collect.reader_process")
_TEXT_FORMATS = ("CSV", "Excel")

Value = str | float


@dataclass(frozen=True)
class SourceColumn:
    """A national column, as its file describes it.

    Attributes:
        name: as in the file.
        label: the question or title of the column.
        value_labels: value -> label.
        missing_values: values that the file declares as user-missing; they stay values of the table.
        missing_ranges: ranges of such values, both ends included.
    """

    name: str
    label: str | None
    value_labels: Mapping[Value, str]
    missing_values: tuple[Value, ...]
    missing_ranges: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class SourceFile:
    """A data file that was read.

    Attributes:
        name: path as the manifest writes it.
        table: all columns, as double, int64 or string; blank cells are NULL, text is stripped at both ends.
        columns: what the file says of each column, in its order.
        format: CSV, Excel, SPSS, Stata or Parquet.
        decimal: decimal mark of numbers that stand in text columns.
    """

    name: str
    table: pa.Table
    columns: tuple[SourceColumn, ...]
    format: str
    decimal: str

    @property
    def records(self) -> int:
        """Number of records."""
        return int(self.table.num_rows)


def read_file(source: DataSource, says: DataFile) -> SourceFile:
    """Read a data file in a subprocess that is limited in memory, time and files.

    Args:
        source: the file.
        says: how the manifest says it is to be read.

    Raises:
        SubmissionError: codes S140 to S155; names a column or row, never a value.
    """
    decimal = says.decimal if source.format in _TEXT_FORMATS else "."
    memory = MEMORY + MEMORY_PER_BYTE * source.size
    request = {
        "format": source.format,
        "encoding": says.encoding,
        "decimal": decimal,
        "delimiter": says.delimiter,
        "sheet": says.sheet,
        "memory": memory,
    }
    head, stream = _ask(source, json.dumps(request), memory)
    try:
        told = json.loads(head)
        if "code" in told:
            raise _told(source, told)
        table = _received(stream)
        columns = _columns(table)
    except (ValueError, KeyError, TypeError, AttributeError, pa.ArrowException):
        raise SubmissionError("S140", where=source.name) from None
    if told.get("sha256") != source.sha256:
        raise SubmissionError("S155", where=source.name)
    return SourceFile(
        name=source.name,
        table=table.replace_schema_metadata(None),
        columns=columns,
        format=source.format,
        decimal=decimal,
    )


def _ask(source: DataSource, request: str, most: int) -> tuple[bytes, bytearray]:
    """Return the first line that the subprocess wrote and the rest, which is no longer than ``most``."""
    opened = source.path.open("rb") if source.path is not None else None
    with subprocess.Popen(
        [sys.executable, *_COMMAND, request],
        stdin=opened or subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    ) as process:
        if opened is not None:
            opened.close()
        expired = threading.Event()

        def stop() -> None:
            expired.set()
            process.kill()

        timer = threading.Timer(SECONDS, stop)
        feeder = threading.Thread(target=_feed, args=(process.stdin, source.content or b""))
        timer.start()
        feeder.start()
        try:
            head, stream = _listen(process.stdout, most)
        finally:
            process.kill()
            timer.cancel()
            feeder.join()
    if expired.is_set():
        raise SubmissionError("S141", where=source.name)
    return head, stream


def _listen(stream: IO[bytes] | None, most: int) -> tuple[bytes, bytearray]:
    received = bytearray()
    if stream is None:
        return b"", received
    head = stream.readline(CHUNK)
    while len(received) <= most and (chunk := stream.read(CHUNK)):
        received += chunk
    return head, received


def _feed(stream: IO[bytes] | None, content: bytes) -> None:
    if stream is None:
        return
    try:
        stream.write(content)
        stream.close()
    except OSError:  # The child ended before it had read everything; what it said tells why.
        return


def _environment() -> dict[str, str]:
    """Return the little that the child needs to find its modules: no credentials, no settings."""
    package = str(Path(copstats.__file__).parents[1])
    search = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    return {"PYTHONPATH": search, **kept}


def _told(source: DataSource, told: dict[str, Any]) -> SubmissionError:
    """Return the error that the child names, if it is one that it may name."""
    code, params = told["code"], told["params"]
    sound = all(
        isinstance(value, int) or (isinstance(value, str) and len(value) <= LONGEST_PARAM)
        for value in params.values()
    )
    if code not in _CODES or not sound:
        return SubmissionError("S140", where=source.name)
    return SubmissionError(code, where=source.name, **params)


def _received(stream: bytearray) -> pa.Table:
    """Return the table, checked buffer by buffer: the child may have been taken over."""
    table = pa.ipc.open_stream(pa.py_buffer(stream)).read_all()
    table.validate(full=True)
    if (
        any(field.type not in _TYPES for field in table.schema)
        or len(set(table.column_names)) < table.num_columns
    ):
        raise ValueError
    return table


def _columns(table: pa.Table) -> tuple[SourceColumn, ...]:
    told = json.loads(table.schema.metadata[b"columns"])
    if [one["name"] for one in told] != table.column_names:
        raise ValueError
    return tuple(
        SourceColumn(
            name=one["name"],
            label=one["label"],
            value_labels={value: label for value, label in one["value_labels"]},
            missing_values=tuple(one["missing_values"]),
            missing_ranges=tuple((low, high) for low, high in one["missing_ranges"]),
        )
        for one in told
    )
