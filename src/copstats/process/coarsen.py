"""Makes quasi-identifiers coarser before a file leaves the country, as the framework's entries say.

There are three ways: a month becomes the first one of its quarter, a number above a limit becomes the limit,
rare categories are merged into one (Templ 2017, Statistical Disclosure Control for Microdata, chapter 4:
global recoding and top coding). A date of birth has no entry: the framework knows the completed age alone,
and no other column passes the door (`copstats.process.pseudonymise.allowed_columns`).
"""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Template
from typing import Literal

import duckdb

from copstats.framework import Framework
from copstats.framework.definitions import Coarsening, Merging, RecordKind
from copstats.language import N_, Translations
from copstats.process.file_risk import EXPANDED
from copstats.process.makers.weights import usable
from copstats.process.records import WEIGHTS, Harmonised

How = Literal["dropped", "quarter", "top_code", "merged", "population_unknown", "overlap_not_permitted"]
_MONTH = r"\d{4}-(0[1-9]|1[0-2])"

IN_WORDS: Mapping[How, str] = {
    "dropped": N_("{variable}: does not leave the country. Records: {count}."),
    "quarter": N_("{variable}: the month became the first one of its quarter. Records changed: {count}."),
    "top_code": N_("{variable}: the largest numbers became one. Records changed: {count}."),
    "merged": N_("{variable}: rare categories became one. Records changed: {count}."),
    "population_unknown": N_(
        "{variable}: the weights do not add up to a population, so that only the number of records decided "
        "which categories are rare."
    ),
    "overlap_not_permitted": N_(
        "{variable}: the samples of two rounds overlap, but the manifest records no permission to link them "
        "(ethics, panel_linkage), so that labels and pseudonyms are of this round alone."
    ),
}


@dataclass(frozen=True)
class Note:
    """What was done to a variable; it names no value.

    Attributes:
        record: kind of record.
        variable: its name.
        how: in which way.
        records: number of records changed.
    """

    record: RecordKind
    variable: str
    how: How
    records: int = 0

    def in_words(self, words: Translations) -> str:
        """Say it in a sentence."""
        return words.text(IN_WORDS[self.how], variable=self.variable, count=words.number(self.records))


@dataclass(frozen=True)
class Coarsened:
    """How the columns of the harmonised tables are to be read.

    Attributes:
        columns: record kind -> column -> SQL expression that takes its place.
        parameters: values that are bound to the expressions.
        notes: what they change.
    """

    columns: Mapping[RecordKind, Mapping[str, str]] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


def coarsen(connection: duckdb.DuckDBPyConnection, harmonised: Harmonised, framework: Framework) -> Coarsened:
    """Decide how each variable with an entry ``coarsen`` is made coarser; the tables stay as they are.

    Args:
        connection: holds the tables ``child`` and, if delivered, ``parent``.
        harmonised: which variables each table holds.
        framework: says how.
    """
    columns: dict[RecordKind, dict[str, str]] = {}
    parameters: dict[str, object] = {}
    notes: list[Note] = []
    for record, held in harmonised.records.items():
        columns[record] = {}
        for name, variable in framework.variables(record).items():
            if variable.coarsen is not None and name in held.variables:
                way = _way(connection, framework, record, name, variable.coarsen)
                columns[record][name] = way.sql
                parameters |= way.parameters
                notes += _notes(connection, record, name, way)
    return Coarsened(columns, parameters, tuple(notes))


@dataclass(frozen=True)
class _Way:
    how: How
    sql: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    population_unknown: bool = False


def _way(
    connection: duckdb.DuckDBPyConnection,
    framework: Framework,
    record: RecordKind,
    name: str,
    coarsening: Coarsening,
) -> _Way:
    missing = ", ".join(f"'{code}'" for code in framework.head.missing)
    if coarsening.merge_below is not None:
        return _merging(connection, record, name, coarsening.merge_below, missing)
    if coarsening.top_code is not None:
        limit = coarsening.top_code
        return _Way("top_code", f"CASE WHEN {name} > {limit} THEN {limit} ELSE {name} END")
    return _Way("quarter", _quarter(name, missing))


def _notes(connection: duckdb.DuckDBPyConnection, record: RecordKind, name: str, way: _Way) -> Iterator[Note]:
    sql = f"SELECT count(*) FROM {record} WHERE {name} IS DISTINCT FROM {way.sql}"
    changed = connection.execute(sql, dict(way.parameters)).fetchall()[0][0]
    if way.population_unknown:
        yield Note(record, name, "population_unknown")
    if changed:
        yield Note(record, name, way.how, changed)


def _merging(
    connection: duckdb.DuckDBPyConnection, record: RecordKind, name: str, rule: Merging, missing: str
) -> _Way:
    parts = {
        "record": record,
        "column": name,
        "weight": WEIGHTS[record],
        "usable": usable(WEIGHTS[record]),
        "answered": f"{name}::VARCHAR NOT IN ({missing})",
        "into": "$into",
        "records": str(rule.records or 0),
        "share": str(rule.share or 0),
        "population": str(rule.population or 0),
        "expanded": str(EXPANDED),
    }
    sizes = connection.execute(Template(_text()).substitute(parts), {"into": rule.into}).fetchall()
    kind = "INTEGER" if isinstance(rule.into, int) else "VARCHAR"
    rare, into = f"{record}_{name}_rare", f"{record}_{name}_into"
    return _Way(
        "merged",
        f"CASE WHEN list_contains(${rare}::{kind}[], {name}) THEN ${into}::{kind} ELSE {name} END",
        {rare: [category for category, merged, _ in sizes if merged], into: rule.into},
        population_unknown=bool(rule.population and sizes) and not sizes[0][2],
    )


def _quarter(month: str, missing: str) -> str:
    """Return SQL of the first month of a quarter; what is neither month nor missing code becomes NULL."""
    first = f"printf('%s-%02d', left({month}, 4), (TRY_CAST(right({month}, 2) AS INTEGER) - 1) // 3 * 3 + 1)"
    return (
        f"CASE WHEN regexp_full_match({month}, '{_MONTH}') THEN {first} "
        f"WHEN {month} IN ({missing}) THEN {month} END"
    )


@cache
def _text() -> str:
    return Path(__file__).with_name("coarsen.sql").read_text("utf-8")
