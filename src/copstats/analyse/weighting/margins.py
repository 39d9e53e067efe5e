"""Population tables: totals by category, and the category of every record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

TOTAL = "total"
"""The column of a population table that holds the number of people; every other column is a category."""

SAME_TOTAL = 1e-6
"""Relative difference between the sums of two population tables that is put down to rounding."""


@dataclass(frozen=True)
class Margin:
    """A population table that the records have been matched with.

    Attributes:
        name: columns of the categories, joined by ``x``.
        totals: population of each category.
        codes: row of the table for each record.
    """

    name: str
    totals: Array
    codes: Codes


def matched(records: pa.Table, margin: pa.Table, weight: Array) -> Margin:
    """Match the records with the rows of a population table.

    Args:
        records: they have the category columns of the table under the same names.
        margin: one or more category columns and ``total``.
        weight: of the records.

    Raises:
        EstimationError: E062, E063, E064 or E070; see the catalogue.
    """
    columns = [name for name in margin.column_names if name != TOTAL]
    name = " x ".join(columns)
    totals = _totals(margin, columns, name)
    require(records, columns)
    mixed, table_mixed = _mixed(records, margin, columns)
    if len(np.unique(table_mixed)) < len(table_mixed):
        raise EstimationError("E063", column=name, problem="a category stands twice")
    codes = _positions(mixed, table_mixed)
    if unknown := int((codes < 0).sum()):
        raise EstimationError("E062", column=name, count=unknown)
    if unmatched := int(((carried(codes, weight, len(totals)) > 0) != (totals > 0)).sum()):
        raise EstimationError("E064", column=name, count=unmatched)
    return Margin(name, totals, codes)


def matched_all(records: pa.Table, margins: Sequence[pa.Table], weight: Array) -> list[Margin]:
    """Match the records with several population tables, which must have the same total.

    Raises:
        EstimationError: as `matched`, or E065.
    """
    found = [matched(records, margin, weight) for margin in margins]
    for other in found[1:]:
        if not math.isclose(other.totals.sum(), found[0].totals.sum(), rel_tol=SAME_TOTAL):
            raise EstimationError("E065", first=found[0].name, second=other.name)
    return found


def require(records: pa.Table, columns: Sequence[str]) -> None:
    """Refuse records that lack a column.

    Raises:
        EstimationError: E070.
    """
    if lacking := [name for name in columns if name not in records.column_names]:
        raise EstimationError("E070", columns=", ".join(lacking))


def weights_of(records: pa.Table, weight: str) -> Array:
    """Return the weights of the records.

    Raises:
        EstimationError: E061, a weight that is missing, negative or no finite number; E070, no such column.
    """
    require(records, [weight])
    values = floats(records[weight])
    if flawed := int((~(np.isfinite(values) & (values >= 0))).sum()):
        raise EstimationError("E061", column=weight, count=flawed)
    return values


def carried(codes: Codes, weight: Array, count: int) -> Array:
    """Return the sum of weights of each code from 0 to ``count`` - 1."""
    return np.bincount(codes, weight, count).astype(np.float64)


def floats(column: pa.ChunkedArray) -> Array:
    """Return a column as numbers; what is missing or no number is NaN."""
    try:
        values: Array = pc.cast(column, pa.float64()).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return np.full(len(column), np.nan)
    return values


def _totals(margin: pa.Table, columns: Sequence[str], name: str) -> Array:
    if not columns or TOTAL not in margin.column_names or not len(margin):
        raise EstimationError("E063", column=name or "?", problem="it lacks categories or the totals")
    totals = floats(margin[TOTAL])
    if not (np.isfinite(totals) & (totals >= 0)).all():
        raise EstimationError("E063", column=name, problem="a total is missing, negative or not a number")
    return totals


def _mixed(records: pa.Table, margin: pa.Table, columns: Sequence[str]) -> tuple[Codes, Codes]:
    """Return one number for each combination of categories, in records and table; -1 is unknown."""
    mixed = np.zeros(len(records), np.int64)
    table_mixed = np.zeros(len(margin), np.int64)
    for column in columns:
        values, categories = comparable(records[column], margin[column])
        known = pc.unique(categories).drop_null()
        code, table_code = (_index(of, known) for of in (values, categories))
        mixed = np.where((mixed < 0) | (code < 0), -1, mixed * len(known) + code)
        table_mixed = table_mixed * len(known) + table_code
    return mixed, table_mixed


def comparable(first: pa.ChunkedArray, second: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return two columns in the same type: as whole numbers if both are, else as text."""
    if pa.types.is_integer(first.type) and pa.types.is_integer(second.type):
        return pc.cast(first, pa.int64()), pc.cast(second, pa.int64())
    return pc.cast(first, pa.string()), pc.cast(second, pa.string())


def _index(values: pa.ChunkedArray, known: pa.Array) -> Codes:
    found = pc.index_in(values, value_set=known)
    codes: Codes = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    return codes


def _positions(values: Codes, among: Codes) -> Codes:
    """Return where each value stands among others; -1 where it does not."""
    order = np.argsort(among)
    place = np.minimum(np.searchsorted(among[order], values), len(among) - 1)
    return np.where(among[order][place] == values, order[place], -1)
