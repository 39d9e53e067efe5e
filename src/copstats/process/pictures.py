"""Counts a file for the pictures of the local report: answers and gaps, weights, the design at a glance.

Everything is counted in the database engine; what leaves it are counts and sums, never a record's value. Even
the ends of the histogram are rounded, so that the largest weight does not stand in the report.
"""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import duckdb

from copstats.framework import Framework
from copstats.framework.definitions import RecordKind, Variable
from copstats.framework.expressions import DOES_NOT_KNOW, NOT_APPLICABLE, NOT_ASKED, REFUSED
from copstats.process.records import PSU, STRATUM, WEIGHTS, RecordTable

BARS = 30
"""A histogram has about so many bars at most."""
WIDE = 50
"""From this ratio of the largest to the smallest weight on the axis is logarithmic."""
_ALIKE = 1e-6
"""Weights that differ by less than this share are drawn as equal."""
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_HIGHEST = 308.0
"""Largest power of ten of a double."""
_LOG_STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


@dataclass(frozen=True)
class AnswerCounts:
    """How the cells of one variable are filled.

    Attributes:
        record: ``child`` or ``parent``.
        module: name of its module.
        variable: its name.
        label: its label.
        absent: whether the file lacks the variable; then nothing is counted.
        valid: cells with anything else than the following.
        skipped: -7, not applicable.
        unknown: -8, does not know.
        refused: -9, prefers not to say.
        not_asked: -1.
        blank: empty or unreadable cells.
    """

    record: RecordKind
    module: str
    variable: str
    label: str
    absent: bool = False
    valid: int = 0
    skipped: int = 0
    unknown: int = 0
    refused: int = 0
    not_asked: int = 0
    blank: int = 0


@dataclass(frozen=True)
class WeightBars:
    """Histogram of the weights that are positive and finite.

    Attributes:
        edges: limits of the bars, one more than there are bars; rounded outwards at both ends.
        counts: records in each bar; its lower limit belongs to it.
        logarithmic: whether the bars are equally wide on a logarithmic axis.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    logarithmic: bool


@dataclass(frozen=True)
class DesignFigures:
    """The sample of one record kind at a glance.

    Attributes:
        record: ``child`` or ``parent``.
        records: number of records.
        strata: number of strata; None if the file has no stratum.
        psus: number of primary sampling units, each counted within its stratum; None if the file has none.
        kish: n * sum(w^2) / (sum w)^2 = 1 + CV^2 of the weights, the factor by which unequal weights alone
            raise a variance (Kish 1965, Survey Sampling, section 11.7); None without a positive weight.
    """

    record: RecordKind
    records: int
    strata: int | None
    psus: int | None
    kish: float | None


@dataclass(frozen=True)
class Pictures:
    """Counts behind the pictures of a report.

    Attributes:
        answers: every variable that is expected, in the order of the questionnaire.
        weights: record kind -> histogram, where there is a positive weight.
        designs: one for each record kind.
    """

    answers: tuple[AnswerCounts, ...]
    weights: Mapping[RecordKind, WeightBars]
    designs: tuple[DesignFigures, ...]


def pictures(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[RecordKind, RecordTable], framework: Framework
) -> Pictures:
    """Count what the pictures of a report show.

    Args:
        connection: holds the harmonised tables under the names of their record kinds.
        tables: see `copstats.process.records.record_tables`.
        framework: modules and labels.
    """
    answers: list[AnswerCounts] = []
    weights: dict[RecordKind, WeightBars] = {}
    designs = []
    for kind, table in tables.items():
        answers += _answers(connection, table, framework)
        designs.append(_design(connection, table))
        if WEIGHTS[kind] in table.present and (bars := _weights(connection, kind)) is not None:
            weights[kind] = bars
    return Pictures(tuple(answers), weights, tuple(designs))


def _answers(
    connection: duckdb.DuckDBPyConnection, table: RecordTable, framework: Framework
) -> Iterator[AnswerCounts]:
    variables = {name: v for name, v in table.expected.items() if not v.series}
    held = [name for name in variables if name in table.present]
    counted: dict[str, tuple[int, ...]] = {}
    if held:
        # A branch for each variable reads one column; one SELECT with all counts is several times slower.
        query = "\nUNION ALL ".join(_counts(table.record, name, variables[name]) for name in held)
        counted = {name: tuple(numbers) for name, *numbers in connection.execute(query).fetchall()}
    for name, variable in variables.items():
        module = framework.module_of(table.record, name).module
        if name not in counted:
            yield AnswerCounts(table.record, module, name, variable.label, absent=True)
            continue
        yield AnswerCounts(
            table.record,
            module,
            name,
            variable.label,
            False,
            table.held.rows - sum(counted[name]),
            *counted[name],
        )


def _counts(record: str, name: str, variable: Variable) -> str:
    """Return the query of a row: name, skipped, unknown, refused, not asked, blank."""
    no_code = variable.type in ("string", "month") or variable.role in ("identifier", "design")
    codes = (NOT_APPLICABLE, DOES_NOT_KNOW, REFUSED, NOT_ASKED)
    counts = ["0" if no_code else f"count_if({name} = {code})" for code in codes]
    return f"SELECT '{name}', {', '.join(counts)}, count_if({name} IS NULL) FROM {record}"


def _design(connection: duckdb.DuckDBPyConnection, table: RecordTable) -> DesignFigures:
    strata = f"count(DISTINCT {STRATUM})" if STRATUM in table.present else "NULL"
    nested = f"({STRATUM}, {PSU})" if STRATUM in table.present else PSU
    psus = f"count(DISTINCT {nested}) FILTER ({PSU} IS NOT NULL)" if PSU in table.present else "NULL"
    kish = "NULL"
    weight = WEIGHTS[table.record]
    usable = ""
    if weight in table.present:
        usable = f"{weight} > 0 AND isfinite({weight})"
        largest = f"(SELECT max({weight}) FROM {table.record} WHERE {usable})"
        share = f"({weight} / {largest})"
        kish = f"count(*) FILTER ({usable}) * fsum({share} * {share}) FILTER ({usable})"
        kish += f" / pow(fsum({share}) FILTER ({usable}), 2)"
    row = connection.execute(f"SELECT {strata}, {psus}, {kish} FROM {table.record}").fetchall()[0]
    return DesignFigures(table.record, table.held.rows, *row)


def _weights(connection: duckdb.DuckDBPyConnection, record: RecordKind) -> WeightBars | None:
    weight = WEIGHTS[record]
    usable = f"{weight} > 0 AND isfinite({weight})"
    query = f"SELECT min({weight}), max({weight}) FROM {record} WHERE {usable}"
    smallest, largest = connection.execute(query).fetchall()[0]
    if smallest is None:
        return None
    logarithmic = largest / smallest > WIDE
    edges = _decades(smallest, largest) if logarithmic else _round_edges(smallest, largest)
    below = ["0", *(f"count_if({weight} < {limit!r})" for limit in edges[1:-1]), "count(*)"]
    query = f"SELECT {', '.join(below)} FROM {record} WHERE {usable}"
    cumulated = connection.execute(query).fetchall()[0]
    counts = tuple(upper - lower for lower, upper in pairwise(cumulated))
    return WeightBars(edges, counts, logarithmic)


def _round_edges(smallest: float, largest: float) -> tuple[float, ...]:
    """Return limits at round numbers; the last lies above the largest."""
    span = largest - smallest
    if span < _ALIKE * largest:
        span = largest
    magnitude = 10.0 ** math.floor(math.log10(span / BARS))
    step = next(s * magnitude for s in _STEPS if span / (s * magnitude) <= BARS)
    first, last = math.floor(smallest / step), math.floor(largest / step) + 1
    return tuple(float(f"{number * step:.12g}") for number in range(first, last + 1))


def _decades(smallest: float, largest: float) -> tuple[float, ...]:
    """Return limits that are equally wide on a logarithmic axis; the last lies above the largest."""
    low, high = math.log10(smallest), math.log10(largest)
    step = next(s for s in _LOG_STEPS if (high - low) / s <= BARS)
    first, last = math.floor(low / step), math.floor(high / step) + 1
    return tuple(10.0 ** min(number * step, _HIGHEST) for number in range(first, last + 1))
