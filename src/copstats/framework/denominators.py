"""Denominators: children and internet-using children by area, year, sex and age, loaded by the operator."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from copstats.errors import DefinitionError

POPULATION_REFERENCE = pa.schema(
    [
        pa.field("ref_area", pa.string(), nullable=False),
        pa.field("year", pa.int32(), nullable=False),
        # Identifier of CL_SEX: M, F, or _T for both.
        pa.field("sex", pa.string(), nullable=False),
        # Completed years; both ends included.
        pa.field("age_minimum", pa.int32(), nullable=False),
        pa.field("age_maximum", pa.int32(), nullable=False),
        pa.field("population", pa.float64(), nullable=False),
        # Those of them who used the internet in the last three months.
        pa.field("internet_users", pa.float64()),
        pa.field("source", pa.string(), nullable=False),
        pa.field("vintage", pa.string(), nullable=False),
    ]
)
"""Reference populations of a release: persons by area, year, sex and age."""

Basis = Literal["population", "internet_users"]
"""Column of `POPULATION_REFERENCE` that counts whom an indicator speaks of."""

_COLUMNS = {"area": "ref_area", "age_min": "age_minimum", "age_max": "age_maximum"}
"""Names of the file that are others in the table."""
_SEXES = ("M", "F", "_T")
_LARGEST_INTEGER = 9999
"""Of years and ages."""


@dataclass(frozen=True)
class _Row:
    low: int
    high: int
    persons: Mapping[Basis, float | None]


@dataclass(frozen=True)
class Denominators:
    """Numbers of persons by area, year, sex and age.

    Attributes:
        table: schema ``POPULATION_REFERENCE``.
    """

    table: pa.Table

    @cached_property
    def _rows(self) -> dict[tuple[str, int, str], list[_Row]]:
        out = defaultdict(list)
        for row in self.table.to_pylist():
            persons: dict[Basis, float | None] = {
                "population": row["population"],
                "internet_users": row["internet_users"],
            }
            key = (row["ref_area"], row["year"], row["sex"])
            out[key].append(_Row(row["age_minimum"], row["age_maximum"], persons))
        return dict(out)

    def newest_year(self, not_after: int) -> int | None:
        """Return the newest year of the table that is not after another; None if there is none."""
        years = self.table["year"].unique().to_pylist()
        return max((year for year in years if year <= not_after), default=None)

    def persons(
        self,
        area: str,
        year: int,
        ages: tuple[int, int],
        *,
        sex: str = "_T",
        basis: Basis = "population",
    ) -> float | None:
        """Return how many persons of some ages an area has; None if the table does not say.

        One row of exactly these ages counts; else rows that follow each other without a gap are added up.
        Both sexes together are the rows ``_T``; where there are none, girls and boys are added up.

        Args:
            area: ISO 3166-1 alpha-3.
            year: of the population.
            ages: completed years, both ends included.
            sex: ``M``, ``F`` or ``_T``.
            basis: who is counted.
        """
        found = _tiled(self._rows.get((area, year, sex), []), ages, basis)
        if found is None and sex == "_T":
            parts = [self.persons(area, year, ages, sex=one, basis=basis) for one in ("M", "F")]
            known = [part for part in parts if part is not None]
            return math.fsum(known) if len(known) == len(parts) else None
        return found


def read_denominators(path: Path, areas: Collection[str]) -> Denominators:
    """Read ``denominators.csv``: UTF-8, one row an area, year, sex and age range.

    Columns: ``area`` (ISO 3166-1 alpha-3), ``year``, ``sex`` (``M``, ``F``, ``_T``), ``age_min``, ``age_max``
    (completed years, both included), ``population`` and, if known, ``internet_users`` (persons, no
    separators of thousands), ``source`` (who published the number) and ``vintage`` (which edition).

    Args:
        path: of the file.
        areas: codes that are known.

    Raises:
        DefinitionError: D220 a column is missing; D221 a cell cannot be read; D222 an area is unknown; D223 a
            number is given twice; names the line.
    """
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        named = reader.fieldnames or ()
        needed = [name for name in _in_file() if name != "internet_users"]
        if lacking := [name for name in needed if name not in named]:
            raise DefinitionError("D220", where=path.name, columns=", ".join(lacking))
        numbered = [(_row(row, f"{path.name}:{reader.line_num}"), reader.line_num) for row in reader]
    _refuse_unknown(numbered, areas, path.name)
    _refuse_twice(numbered, path.name)
    rows = [row for row, _ in numbered]
    return Denominators(pa.Table.from_pylist(rows, POPULATION_REFERENCE).sort_by(_order()))


def no_denominators() -> Denominators:
    """Return the denominators of a home that has none."""
    return Denominators(POPULATION_REFERENCE.empty_table())


def _tiled(rows: Sequence[_Row], ages: tuple[int, int], basis: Basis) -> float | None:
    """Return the sum over rows that cover the ages once, the widest of those that begin at an age first."""
    start, parts = ages[0], []
    while start <= ages[1]:
        here = [row for row in rows if row.low == start and row.high <= ages[1]]
        if not here:
            return None
        row = max(here, key=lambda row: row.high)
        if (number := row.persons[basis]) is None:
            return None
        parts.append(number)
        start = row.high + 1
    return math.fsum(parts)


def _in_file() -> list[str]:
    names = {ours: theirs for theirs, ours in _COLUMNS.items()}
    return [names.get(name, name) for name in POPULATION_REFERENCE.names]


def _order() -> list[tuple[str, str]]:
    return [(name, "ascending") for name in POPULATION_REFERENCE.names[:5]]


def _row(row: Mapping[str, str | None], where: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for column in _in_file():
        field = POPULATION_REFERENCE.field(_COLUMNS.get(column, column))
        text = (row.get(column) or "").strip()
        try:
            out[field.name] = _value(text, field)
        except ValueError:
            raise DefinitionError("D221", where=where, column=column) from None
    if out["sex"] not in _SEXES:
        raise DefinitionError("D221", where=where, column="sex")
    if out["age_maximum"] < out["age_minimum"]:
        raise DefinitionError("D221", where=where, column="age_max")
    if (out["internet_users"] or 0) > out["population"]:
        raise DefinitionError("D221", where=where, column="internet_users")
    return out


def _value(text: str, field: pa.Field) -> str | int | float | None:
    if not text:
        if field.nullable:
            return None
        raise ValueError
    if field.type == pa.string():
        return text
    number = int(text) if field.type == pa.int32() else float(text)
    largest = _LARGEST_INTEGER if field.type == pa.int32() else math.inf
    if not math.isfinite(number) or not 0 <= number <= largest:
        raise ValueError
    return number


def _refuse_unknown(
    numbered: Iterable[tuple[Mapping[str, Any], int]], areas: Collection[str], name: str
) -> None:
    for row, line in numbered:
        if row["ref_area"] not in areas:
            raise DefinitionError("D222", where=f"{name}:{line}")


def _refuse_twice(numbered: Iterable[tuple[Mapping[str, Any], int]], name: str) -> None:
    seen: dict[tuple[Any, ...], int] = {}
    for row, line in numbered:
        key = tuple(row[column] for column in POPULATION_REFERENCE.names[:5])
        if (before := seen.setdefault(key, line)) != line:
            raise DefinitionError("D223", where=f"{name}:{line}", line=before)
