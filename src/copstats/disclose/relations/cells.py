"""Cells of one indicator, and the elementary groups that they are made of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa

from copstats.disclose.relations.rows import Need
from copstats.disclose.sql import render
from copstats.store.schemas import DIMENSIONS

Codes: TypeAlias = frozenset[tuple[str, str]]
GroupKey: TypeAlias = tuple[frozenset[str], Codes]
"""Dimensions that are crossed, and the categories; a dimension without one has an unknown category."""

COMMON_AGE = "common_age"
TOTAL = "_T"
EVERYONE: GroupKey = (frozenset(), frozenset())

_NOISE = 1e-9


class ContradictoryCells(ValueError):
    """Cells do not add up: they are not of one set of records."""


@dataclass(frozen=True)
class Measured:
    """Numbers of a group of records: unweighted and weighted."""

    n: int
    events: int
    weight: float
    eligible: float
    answers: float

    def without(self, other: Measured) -> Measured:
        """Return the numbers of the records that are not in a part."""
        return Measured(
            self.n - other.n,
            self.events - other.events,
            self.weight - other.weight,
            self.eligible - other.eligible,
            self.answers - other.answers,
        )


@dataclass(frozen=True)
class Cell:
    """One cell as the attacker meets it; weights are scaled to respondents of the wave.

    Attributes:
        number: its place among the wave's rows.
        indicator: its code.
        common_age: whether it stands for the ages common to survey and indicator.
        codes: its categories.
        measured: true numbers.
        shown: least and largest share that its published form allows; None where it says nothing.
        protected: whether the rules withhold its figure, or code it, as a secret.
        minimum_n: valid answers that R1 asks for.
        minimum_events: answers of either kind that R2 asks for.
        cost: information that is lost with it.
    """

    number: int
    indicator: str
    common_age: bool
    codes: Codes
    measured: Measured
    shown: tuple[float, float] | None
    protected: bool
    minimum_n: float
    minimum_events: float
    cost: float

    @cached_property
    def dimensions(self) -> frozenset[str]:
        """Dimensions that the cell crosses."""
        return frozenset(name for name, _ in self.codes)

    def needed(self) -> Need:
        """Return what the interval of its answers must have (R10)."""
        if not self.protected:
            return Need()
        if self.shown is not None:
            return Need(self.minimum_events - 1)
        return Need(min(self.minimum_events, self.measured.n))

    def needed_of_rest(self, rest: Measured) -> Need:
        """Return what a group of records needs that follows by subtraction (R5, R10).

        With few answers of its own it is withheld (R1). With few of either kind it would be coded (R2):
        either its interval is as wide as the code, or it leaves open whether they are few. An attacker sees
        them weighted: there must be enough of them in weighted terms too.
        """
        events = self.minimum_events
        if rest.n < self.minimum_n:
            return Need(min(events, rest.n))
        weighted = rest.n * rest.answers / rest.weight if rest.weight > 0 else 0.0
        if min(rest.events, rest.n - rest.events, weighted, rest.n - weighted) >= events:
            return Need()
        return Need(events - 1, (rest.n - events, events))


def read_cells(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return what the cells of the table ``decided`` tell; medians and other units are among them.

    Args:
        connection: holds ``decided``, ``reason``, ``value_step`` and ``reliable``.
    """
    sql = render("cells", dimensions=", ".join(DIMENSIONS))
    return connection.sql(sql).to_arrow_table()


def cells_of(rows: Sequence[Mapping[str, Any]]) -> list[Cell]:
    """Return the cells of proportions of one wave; those without known numbers are left out.

    Weights are scaled so that they add up to the number of respondents. Where a weight is unknown, all cells
    of its indicator take equal weights.

    Args:
        rows: of one submission, as `read_cells` gives them.
    """
    known = {
        number: row
        for number, row in enumerate(rows)
        if row["statistic"] == "proportion" and row["n"] and _is_known(row)
    }
    unweighted = {row["indicator"] for row in known.values() if not row["weight"]}
    largest = max(known.values(), key=lambda row: row["n"], default=None)
    scale = largest["n"] / largest["weight"] if largest is not None and largest["weight"] else 1.0
    return [_cell(number, row, scale, row["indicator"] in unweighted) for number, row in known.items()]


def _is_known(row: Mapping[str, Any]) -> bool:
    return row["events"] is not None and row["share"] is not None and 0 <= row["share"] <= 1


def _cell(number: int, row: Mapping[str, Any], scale: float, equal: bool) -> Cell:
    weight = float(row["n"]) if equal else row["weight"] * scale
    eligible = row["eligible_weight"]
    shown = None if row["share_lower"] is None else (row["share_lower"], row["share_upper"])
    codes = frozenset((name, row[name]) for name in DIMENSIONS if row[name] != TOTAL)
    return Cell(
        number=number,
        indicator=row["indicator"],
        common_age=row["disaggregation"] == COMMON_AGE,
        codes=codes,
        measured=Measured(
            n=row["n"],
            events=row["events"],
            weight=weight,
            eligible=float("nan") if equal or eligible is None else max(eligible * scale, weight),
            answers=row["share"] * weight,
        ),
        shown=shown and (min(shown[0], row["share"]), max(shown[1], row["share"])),
        protected=row["protected"],
        minimum_n=row["minimum_n"],
        minimum_events=row["minimum_events"],
        cost=_cost(row, len(codes)),
    )


def _cost(row: Mapping[str, Any], crossed: int) -> float:
    """Information that a cell carries: more respondents, fewer dimensions, better reliability carry more.

    A national total is given up only where nothing else helps; a code says less than a figure.
    """
    by_table: float = 1e6 if not crossed else 30.0 if row["disaggregation"] == COMMON_AGE else 3.0 / crossed
    told = 1.0 if row["reliable"] else 0.5
    return float(by_table * (told if row["reason"] is None else 0.25) * math.sqrt(1.0 + row["n"]))


def groups_of(cells: Sequence[Cell]) -> dict[GroupKey, Measured]:
    """Return the elementary groups of an indicator's tables, those of unknown category included.

    Each largest cross of dimensions partitions the records; records whose category of a dimension is unknown
    are groups of their own (R5). Groups without valid answers are left out.

    Args:
        cells: of one indicator, without those of common ages.

    Raises:
        ContradictoryCells: the cells do not add up.
    """
    found: dict[GroupKey, Measured] = {}
    for cross in crosses_of(cells):
        within = sorted((c for c in cells if c.dimensions <= cross), key=lambda c: -len(c.codes))
        parts: dict[Codes, Measured] = {}
        for cell in within:
            rest = cell.measured
            for codes, part in parts.items():
                if codes > cell.codes:
                    rest = rest.without(part)
            parts[cell.codes] = _checked(rest, cell.measured)
        found |= {(cross, codes): part for codes, part in parts.items() if part.n}
    return found


def crosses_of(cells: Sequence[Cell]) -> list[frozenset[str]]:
    """Return the crosses of dimensions that no other cross holds, in order."""
    crosses = {cell.dimensions for cell in cells if cell.codes}
    largest = [one for one in crosses if not any(one < other for other in crosses)]
    return sorted(largest, key=sorted)


def members(cell: Cell, cross: frozenset[str], groups: Mapping[GroupKey, Measured]) -> Iterator[GroupKey]:
    """Yield the groups of one cross that a cell is made of."""
    return (key for key in groups if key[0] == cross and key[1] >= cell.codes)


def _checked(rest: Measured, whole: Measured) -> Measured:
    noise = _NOISE * max(1.0, whole.weight)
    if not rest.n and max(abs(rest.weight), abs(rest.answers)) <= noise:
        return rest
    if rest.n <= 0 or rest.weight < -noise or not -noise <= rest.answers <= rest.weight + noise:
        raise ContradictoryCells
    weight = max(rest.weight, 0.0)
    return Measured(
        rest.n, rest.events, weight, max(rest.eligible, weight), min(max(rest.answers, 0.0), weight)
    )
