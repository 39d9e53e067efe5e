"""Weighting-class adjustment for non-response: respondents carry the weight of the others of their class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from copstats.analyse.weighting.diagnostics import Weighted, weighted
from copstats.analyse.weighting.margins import require, weights_of
from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]

LEAST_RESPONDENTS = 20
GREATEST_FACTOR = 3.0


@dataclass(frozen=True)
class _Class:
    """Neighbouring combinations of the class columns, from the first to the last in sort order."""

    first: int
    last: int
    respondents: int
    weight: float
    responded: float

    @property
    def factor(self) -> float:
        return self.weight / self.responded if self.responded > 0 else np.inf

    def joined(self, other: _Class) -> _Class:
        return _Class(
            min(self.first, other.first),
            max(self.last, other.last),
            self.respondents + other.respondents,
            self.weight + other.weight,
            self.responded + other.responded,
        )


def adjust_nonresponse(
    records: pa.Table,
    weight: str,
    classes: Sequence[str],
    respondent: str,
    *,
    least_respondents: int = LEAST_RESPONDENTS,
    greatest_factor: float = GREATEST_FACTOR,
) -> Weighted:
    """Give the weight of those who did not respond to the respondents of the same class.

    Classes are the combinations of the class columns; a missing value is a category of its own. A class with
    too few respondents or too great a factor is joined, the smallest first, to one of its two neighbours in
    sort order: to that which shares more leading columns with it, and where both share as many, to that with
        fewer
    respondents. So name the columns from the most to the least important, and code ordered categories in
    order.

    Args:
        records: all sampled eligible units, respondents and others.
        weight: column of the base weight.
        classes: columns known for every unit; without any all units are one class.
        respondent: column that is true for respondents.
        least_respondents: a class has at least so many.
        greatest_factor: a factor is at most this, where joining can help.

    Returns:
        Weights, 0 for those who did not respond; their sum is that of the base weights. ``classes`` has one
        row for
        each combination: the class columns, ``class_no``, and of that class ``units, respondents, factor``.

    Raises:
        EstimationError: E061, a weight; E068, an outcome that is missing; E069, nobody responded; E070, a
            column that the records lack.

    Source: Oh and Scheuren (1983), Incomplete Data in Sample Surveys, volume 2, 143-184; Kalton and
    Flores-Cervantes (2003), Journal of Official Statistics 19, 81-97.
    """
    require(records, [*classes, respondent])
    before = weights_of(records, weight)
    responded = _responded(records, respondent)
    if not (before * responded).sum() > 0:
        raise EstimationError("E069")
    keys, cell_of = _cells(records, classes)
    units = np.bincount(cell_of, minlength=len(keys))
    found = _merged(_classes(cell_of, before, responded, len(keys)), keys, least_respondents, greatest_factor)
    class_of = np.repeat(np.arange(len(found)), [group.last - group.first + 1 for group in found])
    factor = np.array([group.factor for group in found])[class_of]
    table = keys.append_column("class_no", pa.array(class_of + 1))
    table = table.append_column("units", pa.array(np.bincount(class_of, units)[class_of].astype(np.int64)))
    respondents = np.array([group.respondents for group in found])[class_of]
    table = table.append_column("respondents", pa.array(respondents))
    table = table.append_column("factor", pa.array(factor))
    after = np.where(responded, before * factor[cell_of], 0.0)
    return weighted(before, after, classes=table, merged_classes=len(keys) - len(found))


def _responded(records: pa.Table, respondent: str) -> npt.NDArray[np.bool_]:
    column = records[respondent]
    if not (pa.types.is_boolean(column.type) or pa.types.is_integer(column.type)):
        raise EstimationError("E068", column=respondent, count=len(column))
    if column.null_count:
        raise EstimationError("E068", column=respondent, count=column.null_count)
    responded: npt.NDArray[np.bool_] = pc.cast(column, pa.bool_()).to_numpy()
    return responded


def _cells(records: pa.Table, classes: Sequence[str]) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """Return the combinations that occur, sorted, and the position of each record among them."""
    if not classes:
        return pa.table({"all": [True]}), np.zeros(len(records), np.int64)
    names = list(classes)
    numbered = records.select(names).append_column("copstats_row", pa.array(np.arange(len(records))))
    order = [(name, "ascending") for name in names]
    keys = numbered.group_by(names).aggregate([]).sort_by(order).select(names)
    # A join finds no partner for a missing value: ranks of categories stand in for the categories.
    ranks = np.zeros(len(records), np.int64)
    key_ranks = np.zeros(len(keys), np.int64)
    for name in names:
        levels = pc.unique(keys[name])
        rank, key_rank = (pc.index_in(of[name], value_set=levels).to_numpy() for of in (records, keys))
        ranks, key_ranks = ranks * len(levels) + rank, key_ranks * len(levels) + key_rank
    by_rank = np.argsort(key_ranks)
    return keys, by_rank[np.searchsorted(key_ranks[by_rank], ranks)]


def _classes(
    cell_of: npt.NDArray[np.int64], weight: Array, responded: npt.NDArray[np.bool_], count: int
) -> list[_Class]:
    respondents = np.bincount(cell_of, responded & (weight > 0), count).astype(int)
    weights = np.bincount(cell_of, weight, count)
    carried = np.bincount(cell_of, weight * responded, count)
    figures = zip(respondents, weights, carried, strict=True)
    return [_Class(i, i, int(n), float(w), float(r)) for i, (n, w, r) in enumerate(figures)]


def _merged(classes: list[_Class], keys: pa.Table, least: int, greatest: float) -> list[_Class]:
    """Join classes until all are large enough or one is left."""
    shared = _shared_columns(keys)
    groups = list(classes)
    while len(groups) > 1:
        small = [i for i, group in enumerate(groups) if group.respondents < least or group.factor > greatest]
        if not small:
            break
        place = min(small, key=lambda i: (groups[i].respondents, i))
        other = _neighbour(groups, place, shared)
        left = min(place, other)
        groups[left : left + 2] = [groups[place].joined(groups[other])]
    return groups


def _neighbour(groups: list[_Class], place: int, shared: npt.NDArray[np.int64]) -> int:
    group = groups[place]
    sides = []
    if place > 0:
        sides.append((-shared[group.first - 1], groups[place - 1].respondents, place - 1))
    if place + 1 < len(groups):
        sides.append((-shared[group.last], groups[place + 1].respondents, place + 1))
    return int(min(sides)[2])


def _shared_columns(keys: pa.Table) -> npt.NDArray[np.int64]:
    """Return for each combination how many leading columns it shares with the next one."""
    shared = np.zeros(max(len(keys) - 1, 0), np.int64)
    same = np.ones(len(shared), bool)
    for column in keys.columns:
        codes = pc.index_in(column, value_set=pc.unique(column)).to_numpy()
        same &= codes[1:] == codes[:-1]
        shared += same
    return shared
