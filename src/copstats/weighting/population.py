"""The population tables of a plan, held against the respondents before any weight is computed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from copstats.analyse.weighting.margins import TOTAL, comparable
from copstats.errors import SubmissionError, SubmissionErrors
from copstats.framework.weighting_plan import PopulationTable
from copstats.weighting.columns import Held, Wanted, ordered, read_columns
from copstats.weighting.plan import Plan
from copstats.weighting.sample import RECORD, Sample, faulty

_SHOWN = 10
"""So many faulty rows of one table are listed."""


def population_tables(plan: Plan, respondents: Sample) -> list[pa.Table]:
    """Read the population tables of a plan.

    Args:
        plan: names the files, from its own folder.
        respondents: whose categories must stand in the tables, and the other way round.

    Returns:
        For each the category columns, under the names of the plan and sorted, and ``total``.

    Raises:
        SubmissionError: codes S120 to S157, a file cannot be read.
        SubmissionErrors: S185, S187 or S189 to S192, columns, categories or totals that do not fit.
    """
    found, faults = [], []
    for number, table in enumerate(plan.says.margins):
        held = _held(plan, number, table)
        of_table = list(_own_faults(table, held))
        of_table = of_table or list(
            _mismatches(table, plan.where("margins", number), held, respondents.records)
        )
        faults += of_table
        columns = {name: ordered(column) for name, column in _columns(table, held).items()}
        whole = pa.table({**columns, TOTAL: _totals(table, held)})
        found.append(whole.sort_by([(name, "ascending") for name in columns]))
    if faults:
        raise SubmissionErrors(faults)
    return found


def _held(plan: Plan, number: int, table: PopulationTable) -> Held:
    where = plan.where("margins", number)
    wanted = [Wanted(name, False, where) for name in table.columns]
    path = Path(plan.path.parent, table.file)
    wanted.append(Wanted(table.total, True, where))
    return read_columns(path, table.read, wanted, where=plan.where("margins", number, "file"))


def _columns(table: PopulationTable, held: Held) -> dict[str, pa.ChunkedArray]:
    return {name: held.column(position) for position, name in enumerate(table.columns)}


def _totals(table: PopulationTable, held: Held) -> pa.ChunkedArray:
    return held.column(len(table.columns))


def _own_faults(table: PopulationTable, held: Held) -> Iterator[SubmissionError]:
    """Yield what is wrong with the table alone, row by row."""
    values = _totals(table, held).to_numpy().astype(float)
    yield from _rows("S191", table, held.header_rows, ~(np.isfinite(values) & (values >= 0)))
    rows = list(zip(*(column.to_pylist() for column in _columns(table, held).values()), strict=True))
    seen: set[tuple[str | None, ...]] = set()
    flawed = np.zeros(len(rows), bool)
    for place, row in enumerate(rows):
        flawed[place] = None in row or row in seen
        seen.add(row)
    yield from _rows("S192", table, held.header_rows, flawed)


def _mismatches(
    table: PopulationTable, where: str, held: Held, records: pa.Table
) -> Iterator[SubmissionError]:
    """Yield where the categories of the respondents are not those of the table."""
    columns = _columns(table, held)
    own = {name: comparable(records[name], column)[0] for name, column in columns.items()}
    empty = [
        fault
        for name, values in own.items()
        for fault in _of_records("S187", where, name, values.is_null(), records)
    ]
    yield from empty
    if empty:
        return
    names = list(columns)
    present = pa.table({**own, RECORD: records[RECORD]})
    listed = pa.table({name: comparable(records[name], columns[name])[1] for name in names})
    lacking = present.join(listed, names, join_type="left anti").sort_by(RECORD)[RECORD]
    if len(lacking):
        yield SubmissionError(
            "S189",
            where=where,
            column=" x ".join(names),
            file=table.file,
            count=len(lacking),
            record=lacking[0].as_py(),
        )
    numbered = listed.append_column("row", pa.array(np.arange(len(listed))))
    numbered = numbered.filter(pc.greater(_totals(table, held), 0))
    unmet = np.zeros(len(listed), bool)
    unmet[numbered.join(present.select(names), names, join_type="left anti")["row"].to_numpy()] = True
    yield from _rows("S190", table, held.header_rows, unmet)


def _of_records(
    code: str, where: str, column: str, mask: pa.ChunkedArray, records: pa.Table
) -> Iterator[SubmissionError]:
    for fault in faulty(code, where, column, mask):
        record = records[RECORD][int(fault.params["record"]) - 1].as_py()
        yield SubmissionError(code, where=where, **{**fault.params, "record": record})


def _rows(
    code: str, table: PopulationTable, header_rows: int, flawed: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Iterator[SubmissionError]:
    for place in np.flatnonzero(flawed)[:_SHOWN]:
        yield SubmissionError(code, where=f"{table.file}:{int(place) + 1 + header_rows}")
