"""First stage: sums for every PSU and domain, of one block of records.

The engine reads the records and answers the predicates; the sums are products of the records with a matrix
that says in which cells each record lies. Each record is added in its turn, so that the sums are the same to
the last bit whatever the number of threads, and a PSU is never split between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from copstats.analyse.domains import Axis, Disaggregation
from copstats.analyse.records import Columns, Design, Floats, Integers, Records

RECORDS_TOGETHER = 16_384
"""Records of a piece of work: their sums stay in the processor's cache."""

_SPARSE = 16
"""With more possible codes than this for each row, those that occur are found by sorting."""

_CODES = 2**40
"""With more crossings than this they are numbered anew, so that their number fits an integer."""

_HEAVY = 0.6
"""Share of the largest weight from which weights are looked at first."""

Axes: TypeAlias = tuple[Axis, ...]
Counts: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Cells:
    """Sums by PSU and by the levels of some axes, in the order of the PSUs.

    Attributes:
        unit: position of the PSU in the design.
        record: position of one record of the cell.
        values: cells x ``Columns.values``.
        weights: cells x ``Columns.weights``.
        others: cells x ``Columns.others``.
        counts: cells x ``Columns.counts``; exact up to 16 million records a cell.
    """

    unit: Integers
    record: Integers
    values: Floats
    weights: Floats
    others: Floats
    counts: Counts


@dataclass(frozen=True)
class Crossings:
    """What no variance needs, and so not by PSU: by wave and the levels of all axes.

    Whatever the order of the records, counts and maxima are the same.

    Attributes:
        wave_no: of each crossing.
        record: position of one of its records.
        counts: crossings x all ``Columns``: the number of records that add something to each sum.
        largest: crossings x ``Columns.weights``: the largest weight that was added.
    """

    wave_no: Integers
    record: Integers
    counts: Counts
    largest: Floats


def levels_of(records: Records, axes: Axes, rows: slice | Integers = slice(None)) -> Integers:
    """Return the number of the level of crossed axes, for each of some records; see `level_axes`."""
    number = np.zeros(len(records.unit[rows]), np.int32)
    for axis, size in zip(axes, _sizes(records, axes), strict=True):
        number = number * size + records.levels[axis.column][rows]
    return number


def level_axes(records: Records, axes: Axes, level: Integers) -> list[Integers]:
    """Return the level on each axis of numbers that `levels_of` made; 0 is none."""
    out: list[Integers] = []
    for size in reversed(_sizes(records, axes)):
        level, on_axis = np.divmod(level, size)
        out.insert(0, on_axis)
    return out


def _sizes(records: Records, axes: Axes) -> list[int]:
    return [int(records.levels[axis.column].max(initial=0)) + 1 for axis in axes]


def cells_of(records: Records, disaggregations: Sequence[Disaggregation], threads: int = 1) -> list[Cells]:
    """Return the cells of each disaggregation: by PSU and the axes that vary within PSUs.

    Only axes that are not all part of a finer crossing are summed from the records, the others from the cells
    of the finer one.
    """
    varying = {axis for d in disaggregations for axis in d.axes if _varies(records, axis)}
    wanted = [tuple(axis for axis in d.axes if axis in varying) for d in disaggregations]
    by_size = sorted(dict.fromkeys(wanted), key=len, reverse=True)
    finest = [axes for axes in by_size if not any(set(axes) < set(other) for other in by_size)]
    found = dict(zip(finest, _summed(records, finest, threads), strict=True))
    for axes in by_size:
        if axes not in found:
            source = min((other for other in found if set(axes) < set(other)), key=len)
            found[axes] = _rolled(found[source], levels_of(records, axes, found[source].record))
    return [found[axes] for axes in wanted]


def _varies(records: Records, axis: Axis) -> bool:
    level, unit = records.levels[axis.column], records.unit
    return bool(np.any((level[1:] != level[:-1]) & (unit[1:] == unit[:-1])))


def _summed(records: Records, crossed: Sequence[Axes], threads: int) -> list[Cells]:
    """Return the cells of several crossings of axes, each from the records."""
    numbered = [_numbered(records.unit, levels_of(records, axes)) for axes in crossed]
    cells = [_empty(unit, record, records.columns) for unit, record, _ in numbered]
    numbers = [number for _, _, number in numbered]

    def piece(rows: slice) -> None:
        places = [slice(int(number[rows].min()), int(number[rows].max()) + 1) for number in numbers]
        ends = np.cumsum([place.stop - place.start for place in places])
        starts = [0, *ends[:-1]]
        shifts = [place.start - start for place, start in zip(places, starts, strict=True)]
        local = [number[rows] - shift for number, shift in zip(numbers, shifts, strict=True)]
        once = belonging(local, ends[-1], np.float32)
        weighted = belonging(local, ends[-1], np.float64, records.weight[rows])
        sums = {
            "values": weighted @ records.values[rows].astype(np.float64),
            "weights": weighted @ records.valid[rows].astype(np.float64),
            "others": weighted @ records.others[rows].astype(np.float64),
            "counts": once @ records.valid[rows].astype(np.float32),
        }
        for one, place, start, end in zip(cells, places, starts, ends, strict=True):
            for name, sum_of in sums.items():
                getattr(one, name)[place] = sum_of[start:end]

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(piece, pieces(records.unit, RECORDS_TOGETHER)))
    return cells


def _empty(unit: Integers, record: Integers, columns: Columns) -> Cells:
    def sums(names: tuple[str, ...]) -> Floats:
        return np.empty((len(unit), len(names)))

    values, weights, others = sums(columns.values), sums(columns.weights), sums(columns.others)
    return Cells(unit, record, values, weights, others, np.empty(weights.shape, np.float32))


def crossings_of(records: Records, design: Design) -> Crossings:
    """Count the records, and find the largest weights, by wave and all levels."""
    wave = design.wave_no - design.wave_no.min(initial=0)
    number, size = wave[records.unit], int(wave.max(initial=0)) + 1
    for level in records.levels.values():
        here = int(level.max(initial=0)) + 1
        if size * here > _CODES:
            found, number = distinct(number)
            size = len(found)
        number, size = number * here + level, size * here
    found, number = distinct(number)
    record = np.empty(len(found), np.int64)
    record[number] = np.arange(len(number))
    parts = (records.values, records.valid, records.others)
    counts = np.zeros((len(found), sum(part.shape[1] for part in parts)), np.float32)
    together = max(RECORDS_TOGETHER, len(found))  # what is added up is never longer than what is counted
    for first in range(0, len(number), together):
        rows = slice(first, first + together)
        place = slice(int(number[rows].min()), int(number[rows].max()) + 1)
        crossed = belonging([number[rows] - place.start], place.stop - place.start, np.float32)
        counts[place] += np.hstack([crossed @ (part[rows] != 0).astype(np.float32) for part in parts])
    largest = _largest_weights(records, number, len(found))
    return Crossings(design.wave_no[records.unit[record]], record, counts, largest)


def _largest_weights(records: Records, number: Integers, size: int) -> Floats:
    """Return the largest weight of a valid answer by crossing; 0 where there is none.

    Most often it is one of the heaviest of all weights: the lighter ones are looked at only where it is not.
    """
    weight, out = records.weight, np.zeros((len(records.columns.weights), size))
    np.maximum.at(out[0], number, weight)
    for least in (_HEAVY, 0):
        lacking = (out == 0).any(axis=0)
        rows = np.flatnonzero(lacking[number] & (weight >= least * out[0][number]))
        for top, valid in zip(out[1:], records.valid[rows].T[1:], strict=True):
            np.maximum.at(top, number[rows], weight[rows] * valid)
    return out.T


def pieces(group: Integers, together: int) -> list[slice]:
    """Divide rows, sorted by group, into pieces of about so many rows; no group is split."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    wanted = np.arange(0, len(group), together)
    bounds = [int(b) for b in np.unique(starts[np.searchsorted(starts, wanted, side="right") - 1])]
    return [slice(a, b) for a, b in zip(bounds, [*bounds[1:], len(group)], strict=True)]


def distinct(code: Integers) -> tuple[Integers, Integers]:
    """Return the codes that occur, in order, and for each code its position among them."""
    size = int(code.max(initial=-1)) + 1
    if size > _SPARSE * len(code):
        found, position = np.unique(code, return_inverse=True)
        return found, position
    occurs = np.zeros(size, bool)
    occurs[code] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs, dtype=np.int32) - 1)[code]


def _numbered(unit: Integers, level: Integers) -> tuple[Integers, Integers, Integers]:
    """Number the cells that occur; return each one's PSU and one record, and each record's cell."""
    levels = int(level.max(initial=0)) + 1
    found, number = distinct(unit.astype(np.int64) * levels + level)
    record = np.empty(len(found), np.int64)
    record[number] = np.arange(len(unit))
    return found // levels, record, number


def _rolled(cells: Cells, level: Integers) -> Cells:
    """Return the cells of fewer axes; the level on these is given."""
    unit, some, number = _numbered(cells.unit, level)
    merged = belonging([number], len(unit), np.float64)
    return Cells(
        unit,
        cells.record[some],
        merged @ cells.values,
        merged @ cells.weights,
        merged @ cells.others,
        merged.astype(np.float32) @ cells.counts,
    )


def belonging(
    groups: Sequence[Integers], size: int, dtype: npt.DTypeLike, weight: Floats | None = None
) -> csc_array[Any]:
    """Return the matrix groups x rows that says to which groups each row belongs.

    Its product with rows x columns adds the rows to their groups, one after the other.

    Args:
        groups: the group of each row, in one or several groupings.
        size: number of groups.
        dtype: of the product.
        weight: what each row is multiplied with; 1 by default.
    """
    of_row = np.column_stack(groups).ravel() if len(groups) > 1 else groups[0]
    ends = np.arange(0, len(of_row) + 1, len(groups), dtype=np.int32)
    factor = np.ones(len(of_row), dtype) if weight is None else np.repeat(weight, len(groups))
    return csc_array((factor, of_row.astype(np.int32), ends), shape=(size, len(groups[0])))


def added(groups: Sequence[Integers], values: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """Return the product of `belonging` with values, rows x columns: their sums by group."""
    out: npt.NDArray[Any] = belonging(groups, size, values.dtype) @ values
    return out


def largest(group: Integers, values: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """Return the largest of each column in each group, 0 where it is empty: groups x columns."""
    order = np.argsort(group.astype(np.min_scalar_type(size)), kind="stable")
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    out = np.zeros((size, values.shape[1]), values.dtype)
    out[group[order[first]]] = np.maximum.reduceat(values.take(order, axis=0), first, axis=0)
    return out
