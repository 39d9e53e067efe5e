"""A block of records as arrays, in the order of their PSUs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from copstats.analyse.cells import Measure
from copstats.analyse.domains import Disaggregation, axes_of
from copstats.errors import EstimationError

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.integer[Any]]
Truths: TypeAlias = npt.NDArray[np.bool_]
Matrix: TypeAlias = npt.NDArray[Any]

_ROWS_TOGETHER = 16_384
"""Rows written side by side at a time: they stay in the processor's cache."""

_UNITS = """
SELECT unit - 1 AS unit, position
FROM (SELECT wave_no, stratum, psu, row_number() OVER () - 1 AS position FROM ({answers}))
JOIN psu_design USING (wave_no, stratum, psu)
"""
_ANSWERS = "SELECT * EXCLUDE (wave_no, stratum, psu) FROM ({answers})"


@dataclass(frozen=True)
class Columns:
    """Which sum stands in which column.

    Attributes:
        complete: measures that every record answers; they share the weight ``w`` and the number ``n``.
        gaps: measures that some records do not answer; they have ``w_M`` and ``n_M`` of their own.
        restricted: measures for which not every record is eligible.
        squares: measures with values other than 0 and 1.
    """

    complete: tuple[str, ...]
    gaps: tuple[str, ...]
    restricted: tuple[str, ...]
    squares: tuple[str, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """All measures, in the order of their columns."""
        return self.complete + self.gaps

    @property
    def values(self) -> tuple[str, ...]:
        """Names of the sums of weight times value."""
        return tuple(f"wy_{name}" for name in self.measures)

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the sums of weights of valid answers."""
        return ("w", *(f"w_{name}" for name in self.gaps))

    @property
    def counts(self) -> tuple[str, ...]:
        """Names of the numbers of valid answers."""
        return ("n", *(f"n_{name}" for name in self.gaps))

    @property
    def others(self) -> tuple[str, ...]:
        """Names of the sums of weights of eligible records, and of weight times squared value."""
        eligible = (f"we_{name}" for name in self.restricted)
        return (*eligible, *(f"wyy_{name}" for name in self.squares))


@dataclass(frozen=True)
class _Answer:
    """The answers to one measure.

    Attributes:
        name: of the measure.
        value: 0 where there is no valid answer.
        valid: whether there is one; None where all are.
        eligible: whether the record is not known to be outside the denominator; None where all are not.
        binary: whether all values are 0 or 1, so that they are their own squares.
    """

    name: str
    value: npt.NDArray[Any]
    valid: Truths | None
    eligible: Truths | None
    binary: bool


@dataclass(frozen=True)
class Design:
    """The table ``psu_design`` as arrays, one entry a PSU in the order of ``unit``."""

    wave_no: Integers
    stratum_no: Integers
    psus: Floats
    taken: Floats


@dataclass(frozen=True)
class Records:
    """Records sorted by PSU, those of one PSU in the order in which they stand.

    Attributes:
        unit: position of the PSU in the design, ascending.
        weight: positive.
        levels: column of an axis -> its level, 0 where the record has no published category.
        columns: which sums the answers need.
        values: records x ``columns.values``: the answers, 0 where there is no valid one.
        valid: records x ``columns.weights``: 1 where there is a valid one.
        others: records x ``columns.others``.
    """

    unit: Integers
    weight: Floats
    levels: Mapping[str, Integers]
    columns: Columns
    values: Matrix
    valid: Matrix
    others: Matrix


def read_design(connection: duckdb.DuckDBPyConnection) -> Design:
    """Return the table ``psu_design``."""
    table = connection.sql(
        "SELECT wave_no::BIGINT, stratum_no::BIGINT, psus, taken FROM psu_design ORDER BY unit"
    ).to_arrow_table()
    wave_no, stratum_no, psus, taken = (column.to_numpy() for column in table.columns)
    return Design(wave_no, stratum_no, psus, taken)


def read_records(
    connection: duckdb.DuckDBPyConnection,
    answers: str,
    measures: Sequence[Measure],
    disaggregations: Sequence[Disaggregation],
) -> Records:
    """Return what a query of answers selects, with the PSU's number in ``psu_design``.

    A query without aggregation gives its rows in the order of the table, however many threads share it; the
    join does not, and so brings the position along.

    Args:
        connection: holds what the query names, and ``psu_design``.
        answers: what `copstats.analyse.cells.answers_sql` returned.
        measures: those of the query.
        disaggregations: those of the query.

    Raises:
        EstimationError: E002, weights that are no positive number; E003, no stratum or PSU.
    """
    table = connection.sql(_ANSWERS.format(answers=answers)).to_arrow_table().combine_chunks()
    found = connection.sql(_UNITS.format(answers=answers)).to_arrow_table()
    _refuse_flaws(table["w"], placed=found.num_rows)
    unit = np.empty(found.num_rows, np.int32)
    unit[found["position"].to_numpy()] = found["unit"].to_numpy()
    weight = table["w"].to_numpy()
    levels = {
        a.column: _filled(table[a.column]).astype(np.int32, copy=False) for a in axes_of(disaggregations)
    }
    columns, *matrices = _matrices([_answer(measure, table) for measure in measures])
    if not np.all(unit[1:] >= unit[:-1]):
        order = np.argsort(unit, kind="stable")
        unit, weight, *matrices = (array[order] for array in (unit, weight, *matrices))
        levels = {column: level[order] for column, level in levels.items()}
    return Records(unit, weight, levels, columns, *matrices)


def _refuse_flaws(weight: pa.ChunkedArray, placed: int) -> None:
    """Refuse records that no estimate may silently leave out."""
    w = weight.fill_null(np.nan).to_numpy()
    faulty = len(w) - int(np.count_nonzero(np.isfinite(w) & (w > 0)))
    for code, count in (("E002", faulty), ("E003", len(w) - placed)):
        if count:
            raise EstimationError(code, count=count)


def _answer(measure: Measure, table: pa.Table) -> _Answer:
    column = table[f"y_{measure.name}"]
    valid = pc.is_valid(column).to_numpy() if column.null_count else None
    value = _filled(column)
    binary = bool(np.all((value == 0) | (value == 1)))
    eligible = None
    if measure.restricted and pc.all(table[f"e_{measure.name}"]).as_py() is False:
        eligible = table[f"e_{measure.name}"].to_numpy()
    value = value.astype(np.int8, copy=False) if binary else value
    return _Answer(measure.name, value, valid, eligible, binary)


def _matrices(answers: Sequence[_Answer]) -> tuple[Columns, Matrix, Matrix, Matrix]:
    """Return the columns that the answers need, and values, validity and the others as `Records` has them."""
    answers = sorted(answers, key=lambda answer: answer.valid is not None)
    gaps = [answer for answer in answers if answer.valid is not None]
    restricted = [answer for answer in answers if answer.eligible is not None]
    squares = [answer for answer in answers if not answer.binary]
    columns = Columns(
        complete=tuple(answer.name for answer in answers if answer.valid is None),
        gaps=tuple(answer.name for answer in gaps),
        restricted=tuple(answer.name for answer in restricted),
        squares=tuple(answer.name for answer in squares),
    )
    size = len(answers[0].value)
    squared = [np.square(answer.value, dtype=np.float64) for answer in squares]
    return (
        columns,
        _matrix([answer.value for answer in answers], size),
        _matrix([np.ones(size, bool), *(answer.valid for answer in gaps)], size),
        _matrix([*(answer.eligible for answer in restricted), *squared], size),
    )


def _matrix(columns: Sequence[Any], size: int) -> Matrix:
    """Return columns side by side, in bytes where all are."""
    bytewise = all(column.dtype.itemsize == 1 for column in columns)
    out = np.empty((size, len(columns)), np.int8 if bytewise else np.float64)
    for first in range(0, size, _ROWS_TOGETHER):
        rows = slice(first, first + _ROWS_TOGETHER)
        for place, column in enumerate(columns):
            out[rows, place] = column[rows]
    return out


def _filled(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Return numbers, 0 where there is none; truth values become 0 and 1, decimals the nearest double."""
    if pa.types.is_boolean(column.type) or pa.types.is_null(column.type):
        column = column.cast(pa.int8())
    elif pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    values: npt.NDArray[Any] = (column.fill_null(0) if column.null_count else column).to_numpy()
    return values
