"""The sampled persons: who responded, with which base weight and in which categories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from copstats.errors import EstimationError, SubmissionError, SubmissionErrors
from copstats.weighting.columns import Wanted, ordered, read_columns
from copstats.weighting.plan import Plan

BASE = "copstats base weight"
RESPONDED = "copstats responded"
RECORD = "copstats record"

Columns = Mapping[Wanted, pa.ChunkedArray]


@dataclass(frozen=True)
class Sample:
    """The eligible persons who were sampled, in the order of the file.

    Attributes:
        keys: the key columns, as text.
        records: `RECORD` (number in the file), `BASE`, `RESPONDED`, and the columns of classes, population
            tables and totals under the names of the plan.
        ineligible: number of records that were left aside.
    """

    keys: pa.Table
    records: pa.Table
    ineligible: int

    def respondents(self) -> Sample:
        """Return those who responded."""
        responded = self.records[RESPONDED]
        return Sample(self.keys.filter(responded), self.records.filter(responded), self.ineligible)


@dataclass(frozen=True)
class _Asked:
    """The columns that a plan names, by what they are for."""

    keys: tuple[Wanted, ...]
    base: Wanted
    outcome: Wanted | None
    categories: tuple[Wanted, ...]
    numbers: tuple[Wanted, ...]

    @property
    def all(self) -> list[Wanted]:
        outcome = [self.outcome] if self.outcome else []
        return [*self.keys, self.base, *outcome, *self.categories, *self.numbers]


def read_sample(path: Path, plan: Plan) -> Sample:
    """Read the data file of a plan.

    Raises:
        SubmissionError: codes S120 to S157, the file cannot be read.
        SubmissionErrors: S185 to S188, columns that it lacks or records that cannot be used.
        EstimationError: E069, nobody responded.
    """
    asked, respondent = _asked(plan), plan.says.respondent
    outcomes = [respondent.values, respondent.ineligible] if respondent else []
    held = read_columns(path, plan.says.file, asked.all, outcomes)
    columns = {one: held.column(position) for position, one in enumerate(asked.all)}
    everybody = pa.array(np.ones(len(held.table), bool))
    responded, eligible = everybody, everybody
    if asked.outcome is not None:
        among = [pa.array(sorted(codes), pa.string()) for codes in held.outcomes]
        responded, left_aside = (pc.is_in(columns[asked.outcome], codes) for codes in among)
        eligible = pc.invert(left_aside)
    if faults := list(_faults(asked, columns, eligible)):
        raise SubmissionErrors(faults)
    if not pc.any(pc.and_(responded, eligible)).as_py():
        raise EstimationError("E069", where=plan.where("respondent", "values"))
    records = {one.name: columns[one] for one in asked.numbers}
    records |= {one.name: ordered(columns[one]) for one in asked.categories}
    records |= {RECORD: pa.array(np.arange(1, len(everybody) + 1))}
    records |= {BASE: columns[asked.base], RESPONDED: responded}
    return Sample(
        _table({one.name: columns[one] for one in asked.keys}).filter(eligible),
        _table(records).filter(eligible),
        len(everybody) - int(pc.sum(eligible).as_py()),
    )


def _asked(plan: Plan) -> _Asked:
    says, outcome = plan.says, None
    if says.respondent is not None:
        outcome = Wanted(says.respondent.column, False, plan.where("respondent", "column"))
    return _Asked(
        keys=tuple(Wanted(name, False, plan.where("key")) for name in says.keys),
        base=Wanted(says.base_weight, True, plan.where("base_weight")),
        outcome=outcome,
        categories=tuple(Wanted(name, False, where) for name, where in _categories(plan).items()),
        numbers=tuple(Wanted(name, True, plan.where("totals", name)) for name in says.totals),
    )


def _categories(plan: Plan) -> dict[str, str]:
    """Return the columns of classes and population tables, and the line that names each first."""
    found = {name: plan.where("classes", number) for number, name in enumerate(plan.says.classes)}
    for number, table in enumerate(plan.says.margins):
        for position, name in enumerate(table.columns):
            found.setdefault(name, plan.where("margins", number, "columns", position))
    return found


def _faults(asked: _Asked, columns: Columns, eligible: pa.BooleanArray) -> Iterator[SubmissionError]:
    for one in (*asked.keys, *([asked.outcome] if asked.outcome else [])):
        yield from faulty("S187", one.where, one.name, pc.and_(columns[one].is_null(), eligible))
    weight = columns[asked.base]
    usable = pc.fill_null(pc.and_(pc.greater(weight, 0), pc.is_finite(weight)), False)
    unusable = pc.and_(pc.invert(usable), eligible)
    yield from faulty("S186", asked.base.where, asked.base.name, unusable)
    name = ", ".join(one.name for one in asked.keys)
    repeated = _repeated([columns[one] for one in asked.keys], eligible)
    yield from faulty("S188", asked.keys[0].where, name, repeated)


def faulty(code: str, where: str, column: str, mask: pa.ChunkedArray) -> Iterator[SubmissionError]:
    """Yield the error of a column if the mask, which has one value for each record, is true anywhere."""
    if count := pc.sum(mask).as_py():
        first = pc.index(mask, True).as_py() + 1
        yield SubmissionError(code, where=where, column=column, count=count, record=first)


def _repeated(keys: list[pa.ChunkedArray], eligible: pa.BooleanArray) -> pa.Array:
    """Return which eligible records have the whole key of an earlier one."""
    names = [f"k{number}" for number in range(len(keys))]
    table = pa.Table.from_arrays([*keys, pa.array(np.arange(len(eligible)))], names=[*names, "row"])
    firsts = table.filter(eligible).group_by(names, use_threads=False).aggregate([("row", "min")])["row_min"]
    filled = pc.invert(pc.is_null(keys[0]))
    for key in keys[1:]:
        filled = pc.and_(filled, pc.invert(pc.is_null(key)))
    first = np.zeros(len(eligible), bool)
    first[firsts.to_numpy()] = True
    return pc.and_(pc.and_(eligible, filled), pa.array(~first))


def _table(columns: Mapping[str, pa.ChunkedArray]) -> pa.Table:
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))
