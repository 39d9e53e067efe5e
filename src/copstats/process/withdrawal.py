"""Withdrawal: the records of a child, and those of her parents, are gone from the tables of a wave.

At the office the children are named by what the column ``child_id`` of the harmonised file holds, see
`identifiers`, and become tokens by `copstats.process.pseudonymise.token_of`. The receiving side makes its own
of them in the same way, finds the records by these, and keeps them as tombstones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from copstats.process.records import CHILD_KEY


def identifiers(lines: Iterable[str]) -> list[str]:
    """Return the identifiers of children that were typed or read from a file, as collecting reads a cell.

    They are to be written one a line, as in the data file: with all zeros in front, in the same upper and
    lower case, a number without a decimal point. Where a crosswalk makes ``child_id`` of several columns, as
    it makes it. White space at both ends goes, blank lines are left out, and each identifier is returned
    once, in the order of first mention. They never belong on a command line: other accounts can read it.
    """
    cells = pc.utf8_trim_whitespace(pa.array(list(lines), pa.string()))
    return [text for text in pc.unique(cells).to_pylist() if text]


def without(
    tables: Mapping[str, pa.Table | pa.RecordBatchReader], tokens: Collection[str]
) -> dict[str, pa.Table]:
    """Return the tables without the records of withdrawn children and the parent records linked to them.

    A parent record is linked by its own ``child_id``; one that names no child stays, and so do all records of
    a table without that column. The others keep their order.

    Args:
        tables: record kind -> records of a wave; streams are read to their end.
        tokens: of the withdrawn children, as the column ``child_id`` holds them.
    """
    withdrawn = pa.array(sorted(tokens), pa.string())
    return {record: _remaining(records, withdrawn) for record, records in tables.items()}


def count_held(child: pa.Table | pa.RecordBatchReader, tokens: Collection[str]) -> int:
    """Return how many of the children the child table holds; the others were never there, or are gone."""
    withdrawn = pa.array(sorted(tokens), pa.string())
    found = (pc.is_in(batch[CHILD_KEY], value_set=withdrawn) for batch in _batches(child))
    return sum(pc.sum(mask).as_py() or 0 for mask in found)


def _remaining(records: pa.Table | pa.RecordBatchReader, withdrawn: pa.Array) -> pa.Table:
    schema, batches = records.schema, _batches(records)
    if CHILD_KEY in schema.names:
        batches = (b.filter(pc.invert(pc.is_in(b[CHILD_KEY], value_set=withdrawn))) for b in batches)
    return pa.Table.from_batches(batches, schema)


def _batches(records: pa.Table | pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    if isinstance(records, pa.Table):
        yield from records.to_batches()
    else:
        yield from records
