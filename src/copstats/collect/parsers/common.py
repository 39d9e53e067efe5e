"""What the parsers of all formats share: what is asked, what is answered, and the input.

Nothing here loads a library, so that a file that is no survey file costs no more than the look that shows it.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    import pyarrow as pa

Value = str | float
_NUMBER = re.compile(r"\s*[+-]?[.]?\d")

CELLS = 2_000_000
"""Cells of a chunk: some tens of megabytes, whatever the number of columns."""
_BLOCK = 2**20


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
    """What a file says of one column; pairs stand for mappings, because JSON knows no numbers as keys.

    Attributes:
        name: as in the file.
        position: in the file, from 1.
        label: question or title.
        value_labels: pairs of value and label.
        missing_values: declared as user-missing.
        missing_ranges: pairs of lowest and highest value declared as user-missing.
    """

    name: str
    position: int
    label: str | None = None
    value_labels: list[tuple[Value, str]] = field(default_factory=list)
    missing_values: list[Value] = field(default_factory=list)
    missing_ranges: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Trace:
    """Something that a file carries beside its table, counted and never quoted."""

    kind: str
    place: str
    count: int


@dataclass(frozen=True)
class Parsed:
    """A table in chunks of one schema, and what its file says of it.

    Attributes:
        columns: of the table.
        chunks: of the table, read as they are asked for.
        traces: what else the file carries; complete when the last chunk was read.
        sheet: name of the sheet, for Excel.
        header_rows: rows above the first record, for formats with rows.
    """

    columns: list[Column]
    chunks: Iterator[pa.Table]
    traces: list[Trace] = field(default_factory=list)
    sheet: str | None = None
    header_rows: int = 0


class Input:
    """The bytes of the file, from a descriptor that may be a file or a pipe."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self._seekable: BinaryIO | None = stream if stream.seekable() else None

    def read(self, size: int = _BLOCK) -> bytes:
        """Return the next bytes of a file that is read from its beginning to its end."""
        block = self._stream.read(size)
        self._digest.update(block)
        return block

    def file(self) -> BinaryIO:
        """Return the input as a file in which one can go to and fro; a pipe is taken in whole."""
        if self._seekable is None:
            self._seekable = io.BytesIO(self._stream.read())
        return self._seekable

    def sha256(self) -> str:
        """Return the digest of the whole input, whichever way it was read."""
        if self._seekable is not None:
            self._seekable.seek(0)
            return hashlib.file_digest(cast("io.BufferedReader", self._seekable), "sha256").hexdigest()
        while self.read():
            pass
        return self._digest.hexdigest()


def is_record(names: Sequence[str]) -> bool:
    """Whether a first line is no header: with a number among its cells it is a child's record."""
    return any(_NUMBER.match(name) for name in names)


def check_names(names: Sequence[str]) -> None:
    """Refuse a header that leaves open which column is meant.

    Raises:
        ReadProblem: a column has no name, or two have the same.
    """
    seen: set[str] = set()
    for position, name in enumerate(names, start=1):
        if not name:
            raise ReadProblem("S144", position=position)
        if name in seen:
            raise ReadProblem("S143", column=f"#{position}" if is_record(names) else name)
        seen.add(name)


def rows_of_chunk(columns: int) -> int:
    """Return how many records a chunk holds."""
    return max(1, CELLS // max(1, columns))
