"""CSV: every cell is text, and nothing is guessed but the delimiter, from a header that leaves no doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from copstats.collect.parsers.common import Column, Input, Parsed, ReadProblem, Request, check_names
from copstats.collect.parsers.decoding import Decoded

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = (",", ";", "\t")
BLOCK = 4 * 2**20
"""Blocks of this size are parsed fastest."""
LONG_BLOCK = 64 * 2**20
"""For files with records longer than a block; what is longer still is no record."""
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_RECORD = re.compile(r'(?:[^"\r\n]+|"(?:[^"]|"")*"|")+')


def parse(source: Input, request: Request) -> Parsed:
    """Return the table of a CSV file, in chunks; ``NA`` stays text and zeros in front stay.

    Raises:
        ReadProblem: encoding, quotes, delimiter or a row with more or fewer cells than the header.
    """
    text = Decoded(source, request.encoding)
    header = _RECORD.search(text.ahead().lstrip())
    record = header.group() if header else ""
    delimiter = request.delimiter or _delimiter(_QUOTED.sub("", record))
    batches = _batches(text, delimiter, record)
    first = next(batches)
    names = [str(cell).strip() for cell in first.slice(0, 1).to_pylist()[0].values()]
    check_names(names)
    columns = [Column(name, position) for position, name in enumerate(names, start=1)]
    return Parsed(columns, _chunks(first.slice(1), batches, names), header_rows=1)


def _delimiter(header: str) -> str:
    found = [delimiter for delimiter in DELIMITERS if delimiter in header]
    if len(found) != 1:
        raise ReadProblem("S146", found=len(found))
    return found[0]


def _chunks(first: Any, batches: Iterator[Any], names: list[str]) -> Iterator[pa.Table]:
    import pyarrow as pa

    from copstats.collect.parsers.arrays import stripped

    while True:
        if first.num_rows:
            arrays = [stripped(array.cast(pa.string())) for array in first.columns]
            yield pa.Table.from_arrays(arrays, names=names)
        following = next(batches, None)
        if following is None:
            return
        first = following


def _batches(text: Decoded, delimiter: str, header: str) -> Iterator[Any]:
    """Yield all rows, the header among them, as columns of text."""
    # After the look at encoding and header, which most files that are refused do not pass.
    import pyarrow as pa
    import pyarrow.csv as pacsv

    ragged: list[int] = []

    def refuse(row: Any) -> str:
        ragged.append(row.number)
        return "error"

    block = BLOCK if len(header) < BLOCK // 16 else LONG_BLOCK
    widest = header.count(delimiter) + 1
    try:
        yield from pacsv.open_csv(
            text,
            read_options=pacsv.ReadOptions(
                use_threads=False, block_size=block, autogenerate_column_names=True
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={f"f{i}": pa.string() for i in range(widest)},
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except (pa.ArrowException, ReadProblem):
        text.drain()
        raise (ReadProblem("S145", row=ragged[0]) if ragged else ReadProblem("S140")) from None
    text.drain()
