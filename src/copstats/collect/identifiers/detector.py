"""Looks at the national table, chunk by chunk, for columns that may identify a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from copstats.collect.identifiers.evidence import fits, from_values, in_labels, names_in_labels
from copstats.collect.identifiers.facts import Facts
from copstats.collect.identifiers.hints import Hints
from copstats.collect.identifiers.measure import SAMPLE, Distinct, Measures, distinct
from copstats.collect.readers import SourceColumn

Evidence = Literal["name", "label", "value_labels", "values"]
YOUNGEST, OLDEST = 5, 25
"""Ages at fieldwork by which a date is taken for a date of birth."""
NARROW = 1000
"""Whole numbers nearer to zero are codes or small counts; only which of them occur is noted."""
CELLS_OF_A_LOOK = 8_000_000
"""Cells that are looked at together."""
_LONGITUDES = 180
_LATITUDES = 90
_MOST = 0.7


@dataclass(frozen=True)
class Suspect:
    """A national column that may identify a person; holds no value.

    Attributes:
        column: its name in the file.
        kinds: what it seems to hold, the surest first: person_name, phone, ...
        evidence: what tells so: name, label, value_labels or values.
        share: share of the cells that are not blank and have the form, from 0.01 to 1; 1 where only the name
            or the label tells.
    """

    column: str
    kinds: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    share: float


class Detector:
    """Collects what the chunks of a table tell, and names the columns that may identify a person."""

    def __init__(self, columns: Sequence[SourceColumn], hints: Hints, *, fieldwork: int) -> None:
        """Prepare for a table.

        Args:
            columns: what the file says of its columns.
            hints: key words; see `load_hints`.
            fieldwork: year in which the children were interviewed.
        """
        self._columns = tuple(columns)
        self._hints = hints
        self._facts = [Facts() for _ in self._columns]
        self._waiting: list[pa.Table] = []
        self._measures = Measures((fieldwork - OLDEST, fieldwork - YOUNGEST))

    def look(self, table: pa.Table) -> None:
        """Take a chunk into account: all columns as text, double or int64; blank cells are NULL.

        Small chunks are put together first, because a query costs as much for few cells as for many.
        """
        self._waiting.append(table)
        if sum(len(one) for one in self._waiting) * len(self._columns) >= CELLS_OF_A_LOOK:
            self._look()

    def _look(self) -> None:
        if not self._waiting:
            return
        table = pa.concat_tables(self._waiting)
        self._waiting.clear()
        cells = []
        for number, (column, facts) in enumerate(zip(self._columns, self._facts, strict=True)):
            one = table.column(column.name)
            facts.cells += len(one) - one.null_count
            found = distinct(number, one) if pa.types.is_string(one.type) else _numbers(number, one, facts)
            if found is not None and len(found.values):
                cells.append(found)
        self._measure(cells, self._facts)

    def _measure(self, cells: Sequence[Distinct], facts: Sequence[Facts]) -> None:
        for row in self._measures.everywhere(cells):
            facts[row["column_no"]].add_everywhere(row)
        for row in self._measures.shares(cells):
            facts[row["column_no"]].add_shares(row)

    def suspects(self) -> tuple[Suspect, ...]:
        """Return the columns that may identify a person, in the order of the file."""
        self._look()
        labels = self._value_labels()
        places = self._coordinates()
        found = (
            self._judged(column, facts, labels[number], located=number in places)
            for number, (column, facts) in enumerate(zip(self._columns, self._facts, strict=True))
        )
        return tuple(suspect for suspect in found if suspect is not None)

    def _value_labels(self) -> list[Facts]:
        """Return what is known of the labels of each column's values, as if they were cells."""
        facts = [Facts() for _ in self._columns]
        cells = [
            distinct(number, pa.array([str(label) for label in column.value_labels.values()], pa.string()))
            for number, column in enumerate(self._columns)
            if column.value_labels
        ]
        self._measure(cells, facts)
        return facts

    def _coordinates(self) -> set[int]:
        """Return the columns that with their neighbour look like a latitude and a longitude."""
        return {
            number
            for first, second in pairwise(range(len(self._columns)))
            if _located(self._facts[first], self._facts[second])
            for number in (first, second)
        }

    def _judged(self, column: SourceColumn, facts: Facts, labels: Facts, *, located: bool) -> Suspect | None:
        told: dict[Evidence, dict[str, float]] = {"value_labels": in_labels(labels)}
        listing = names_in_labels(labels)
        if facts.distinct >= _ENOUGH or facts.told or listing:
            by_name = self._hints.of(column.name, name=True)
            by_label = self._hints.of(column.label or "")
            spoken = by_name | by_label
            told["name"] = dict.fromkeys(self._promised(by_name, spoken, facts), 1.0)
            told["label"] = dict.fromkeys(self._promised(by_label, spoken, facts), 1.0)
            if listing:
                told["value_labels"] |= dict.fromkeys(spoken & {"interviewer", "school"}, 1.0)
            values = from_values(facts) | ({"coordinate": facts.share("deep")} if located else {})
            seen = frozenset({*values, *told["name"], *told["label"]})
            kept = self._hints.kept(frozenset(values), spoken & seen)
            told["values"] = {kind: values[kind] for kind in sorted(kept)}
        return _suspect(column.name, told)

    def _promised(self, concepts: frozenset[str], spoken: frozenset[str], facts: Facts) -> Iterator[str]:
        """Yield the kinds that a name or a label promises and the cells can be."""
        for kind in sorted(self._hints.kept(concepts & KINDS, spoken)):
            if fits(kind, facts):
                yield kind


_ENOUGH = 5
_VAGUE = frozenset({"near_unique", "long_number", "free_text"})
KINDS = frozenset(
    {"person_name", "phone", "email", "url_or_handle", "address", "postal_code", "coordinate", "national_id"}
    | {"bank_account", "ip_address", "device_id", "date_of_birth", "exact_time", "interviewer", "school"}
    | {"free_text"}
)
"""Kinds that a name or a label can promise; the cells alone also show ``long_number``, ``near_unique``."""


def _suspect(column: str, told: Mapping[Evidence, Mapping[str, float]]) -> Suspect | None:
    """Return the suspect that the evidence makes; the share comes from the cells where they tell."""
    shares: dict[str, float] = {}
    for source in reversed(get_args(Evidence)):
        for kind, share in told.get(source, {}).items():
            shares.setdefault(kind, share)
    if not shares:
        return None
    kinds = sorted(shares, key=lambda kind: (kind in _VAGUE, -shares[kind], kind))
    evidence = tuple(source for source in get_args(Evidence) if told.get(source))
    return Suspect(column, tuple(kinds), evidence, max(0.01, round(shares[kinds[0]], 2)))


def _numbers(number: int, column: Any, facts: Facts) -> Distinct | None:
    """Return the cells of a numeric column that are worth a look; codes and small counts are not."""
    values = column.drop_null().to_numpy()
    values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not len(values):
        return None
    lowest, highest = float(values.min()), float(values.max())
    facts.add_range(lowest, highest)
    whole = values.dtype.kind == "i" or bool(np.all(np.floor(values) == values))
    if whole and lowest > -NARROW and highest < NARROW:
        counts = np.bincount(values.astype(np.int64) + NARROW)
        facts.codes.update((np.flatnonzero(counts) - NARROW).tolist())
        return None
    if whole and max(-lowest, highest) < 2**63:
        return distinct(number, pa.array(values.astype(np.int64)))
    places = np.linspace(0, len(values) - 1, min(SAMPLE, len(values)), dtype=np.int64)
    return distinct(number, pc.cast(pa.array(values[places]), pa.string()))


def _located(first: Facts, second: Facts) -> bool:
    """Return whether two columns may be latitude and longitude, in either order.

    Both have four decimals or more and vary little for their size, or lie on both sides of zero: weights,
    which have as many decimals, are positive and vary widely.
    """
    pair = (first, second)
    if not all(one.varied and one.share("deep") >= _MOST for one in pair):
        return False
    reach = sorted(max(abs(one.lowest or 0), abs(one.highest or 0)) for one in pair)
    if reach[0] > _LATITUDES or reach[1] > _LONGITUDES or reach[1] < _ENOUGH:
        return False
    return all(_narrow(one) for one in pair)


def _narrow(facts: Facts) -> bool:
    lowest, highest = facts.lowest or 0.0, facts.highest or 0.0
    return lowest < 0 or highest - lowest < lowest
