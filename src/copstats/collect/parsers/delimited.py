"""CSV: every cell is text, and nothing is guessed but the delimiter, from a header that leaves no doubt."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from copstats.collect.parsers.common import Column, Parsed, ReadProblem, Request, assemble

DELIMITERS = (",", ";", "\t")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def parse(content: bytes, request: Request) -> Parsed:
    """Return the table of a CSV file; ``NA`` stays text and zeros in front stay.

    Raises:
        ReadProblem: encoding, quotes, delimiter or a row with more or fewer cells than the header.
    """
    text = decoded(content, request.encoding)
    if text.count('"') % 2:
        raise ReadProblem("S151")
    header = _header(text)
    delimiter = request.delimiter or _delimiter(header)
    ended = text if text.endswith(("\n", "\r")) else text + "\n"
    table = _rows(ended.encode("utf-8"), delimiter, header.count(delimiter) + 1)
    names = [str(cell).strip() for cell in table.slice(0, 1).to_pylist()[0].values()]
    return assemble([Column(name) for name in names], table.slice(1).columns)


def decoded(content: bytes, encoding: str | None) -> str:
    """Return the text of a file: in the declared encoding, else strictly UTF-8; a byte order mark is dropped.

    Raises:
        ReadProblem: the bytes are not of that encoding.
    """
    try:
        text = content.decode(encoding or "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise ReadProblem("S142", line=line, encoding=encoding or "UTF-8") from None
    if "\0" in text:
        raise ReadProblem("S142", line=text[: text.index("\0")].count("\n") + 1, encoding=encoding or "UTF-8")
    return text


def _header(text: str) -> str:
    """Return the first record without what stands in quotes; a quoted name may hold a line end."""
    for line in _QUOTED.sub("", text[:1_000_000]).splitlines():
        if line.strip():
            return line
    return ""


def _delimiter(header: str) -> str:
    found = [delimiter for delimiter in DELIMITERS if delimiter in header]
    if len(found) != 1:
        raise ReadProblem("S146", found=len(found))
    return found[0]


def _rows(content: bytes, delimiter: str, width: int) -> Any:
    """Return all rows, the header among them, as columns of text."""
    ragged: list[int] = []

    def refuse(row: Any) -> str:
        ragged.append(row.number)
        return "error"

    try:
        table = pacsv.read_csv(
            pa.BufferReader(content),
            # One block: rows keep their numbers, and a long cell never straddles two blocks.
            read_options=pacsv.ReadOptions(
                use_threads=False, block_size=len(content) + 1, autogenerate_column_names=True
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={f"f{i}": pa.string() for i in range(width)}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        if ragged:
            raise ReadProblem("S145", row=ragged[0]) from None
        raise ReadProblem("S140") from None
    return table
