"""Measures the cells of many columns in two queries: what turns up anywhere, and the shares of forms."""

# ruff: noqa: S608 - the SQL is made of the predicates of this package

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from copstats.collect.identifiers.forms import ANYWHERE, CASED, LETTERED, PLAIN, SHARES, SIGNS
from copstats.store.engine import memory_connection

SKETCH = 1024
"""Smallest hashes that are kept of a column: its number of distinct cells is known within some 3 per cent."""
SAMPLE = 1500
"""Distinct cells of a column and chunk whose forms are looked at."""
LIST = 25
"""Longer lists of distinct cells are looked at without the most frequent of them."""
_CELLS = "cells"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Distinct:
    """Distinct cells of one column in one chunk.

    Attributes:
        column: number of the column.
        values: the cells as text.
        counts: how often each occurs.
    """

    column: int
    values: pa.Array
    counts: pa.Array

    def sample(self) -> Distinct:
        """Return at most `SAMPLE` of them, evenly spread."""
        if len(self.values) <= SAMPLE:
            return self
        places = pa.array(np.linspace(0, len(self.values) - 1, SAMPLE, dtype=np.int64))
        return Distinct(self.column, self.values.take(places), self.counts.take(places))


class Measures:
    """Runs the queries on a connection of its own, which reaches no file."""

    def __init__(self, born: tuple[int, int]) -> None:
        """Take the first and last year of birth that a child of the survey can have."""
        self._connection = memory_connection()
        self._born = {"born_from": born[0], "born_to": born[1]}

    def everywhere(self, cells: Sequence[Distinct]) -> Iterator[Row]:
        """Yield for each column: ``cells``, ``sketch`` and the number of cells of the forms `ANYWHERE`."""
        sql = f"""
WITH counted AS (
    SELECT column_no, sum(cells) AS cells, min(hash(value), {SKETCH}) AS sketch
    FROM {_CELLS} GROUP BY column_no
),
signs AS (
    SELECT * FROM {_CELLS} WHERE {SIGNS}
),{_described("signs")},
found AS (
    SELECT column_no, {_counted(ANYWHERE)}
    FROM described GROUP BY column_no
)
SELECT counted.*, {", ".join(f"coalesce({form}, 0) AS {form}" for form in ANYWHERE)}
FROM counted LEFT JOIN found USING (column_no) ORDER BY column_no"""
        return self._run(cells, sql, {})

    def shares(self, cells: Sequence[Distinct]) -> Iterator[Row]:
        """Yield for each column: ``cells``, ``lowest``, ``highest`` and the number of cells of each form."""
        number = "TRY_CAST(replace(value, ',', '.') AS DOUBLE)"
        sql = f"""
WITH{_described(_CELLS)}
SELECT column_no, sum(cells) AS cells, min({number}) AS lowest, max({number}) AS highest,
    {_counted(SHARES)}
FROM described GROUP BY column_no ORDER BY column_no"""
        return self._run([one.sample() for one in cells], sql, self._born)

    def _run(self, cells: Sequence[Distinct], sql: str, parameters: dict[str, int]) -> Iterator[Row]:
        if not cells:
            return
        self._connection.register(_CELLS, _table(cells))
        try:
            found = self._connection.execute(sql, parameters)
            names = [one[0] for one in found.description or ()]
            yield from (dict(zip(names, row, strict=True)) for row in found.fetchall())
        finally:
            self._connection.unregister(_CELLS)


def _described(cells: str) -> str:
    """Return the steps that give the predicates what they read."""
    return f"""
plain AS (
    SELECT column_no, cells, {PLAIN} AS value FROM {cells}
),
described AS (
    SELECT *, length(regexp_replace(value, '[^0-9]+', '', 'g')) AS digits,
        length(value) - length(replace(value, ' ', '')) + 1 AS words, {LETTERED} AS lettered, {CASED} AS cased
    FROM plain
)"""


def _counted(forms: Mapping[str, str]) -> str:
    counts = (f"coalesce(sum(cells) FILTER ({predicate}), 0) AS {name}" for name, predicate in forms.items())
    return ",\n    ".join(counts)


def _table(cells: Sequence[Distinct]) -> pa.Table:
    numbers = np.repeat([one.column for one in cells], [len(one.values) for one in cells])
    return pa.table(
        {
            "column_no": pa.array(numbers, pa.int64()),
            "value": pa.concat_arrays([one.values for one in cells]),
            "cells": pa.concat_arrays([one.counts for one in cells]),
        }
    )


def distinct(column: int, cells: Any) -> Distinct:
    """Return the distinct cells of a column of text, or of numbers as text, without those that are blank."""
    counted = pc.value_counts(cells.drop_null())
    counted = counted.combine_chunks() if isinstance(counted, pa.ChunkedArray) else counted
    values, counts = counted.field("values").cast(pa.string()), counted.field("counts")
    if len(values) > LIST:
        # "-7", "none" or "n/a" in half of the cells must not hide what the others hold.
        rare = pc.less_equal(counts, max(1, len(cells) // 10))
        values, counts = values.filter(rare), counts.filter(rare)
    return Distinct(column, values, counts)
