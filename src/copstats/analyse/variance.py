"""From records to estimates with their variance: the two stages in a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from copstats.analyse.blocks import Cells, cells_of, crossings_of, level_axes
from copstats.analyse.cells import Measure, answers_sql
from copstats.analyse.design import ONE_WAVE, SinglePsu, create_design
from copstats.analyse.domains import NO_DOMAIN, Disaggregation, number_of
from copstats.analyse.linearise import domains_of, second_stage
from copstats.analyse.records import Columns, Design, Floats, Integers, Records, read_design, read_records
from copstats.analyse.sql import render

MEASURES_PER_PASS = 20
"""More measures a pass cost memory (a row of sums for each PSU and domain), fewer cost time."""

_SQL_SINGLE = {"fail": "NULL", "remove": "0", "certainty": "0", "adjust": "1", "average": "NULL"}
_COUNTS = ("n", "events", "eligible", "psus", "strata")

KeepCells = Callable[[Design, Columns, Integers, Cells], None]
"""Takes the design, the names of the sums and, with the domains' numbers, the cells of a disaggregation."""


def variance_sql(measures: Sequence[Measure], single_psu: SinglePsu = "adjust") -> str:
    """Return what the second stage computes as a query over ``psu_cells`` and ``psu_design``."""
    return render(
        "variance",
        [measure.name for measure in measures],
        single=_SQL_SINGLE[single_psu],
        average="TRUE" if single_psu == "average" else "FALSE",
    )


def estimate_measures(
    connection: duckdb.DuckDBPyConnection,
    wave: str,
    design: str,
    measures: Sequence[Measure],
    disaggregations: Sequence[Disaggregation],
    *,
    skips: Mapping[str, str] | None = None,
    single_psu: SinglePsu = "adjust",
    wave_no: str = ONE_WAVE,
    keep: KeepCells | None = None,
) -> pa.Table:
    """Estimate means of measures in domains.

    Args:
        connection: holds what the queries name; with any number of threads the result is the same to the last
            bit.
        wave: query of the records, with ``weight``, ``stratum`` and ``psu``.
        design: what `copstats.analyse.design.design_sql` returned.
        measures: what is averaged.
        disaggregations: the domains.
        skips: see `copstats.analyse.cells.answers_sql`.
        single_psu: what a stratum with one PSU contributes.
        wave_no: SQL of the wave's number, where the records are those of several waves: one block of them.
        keep: is handed the sums by PSU of each disaggregation.

    Returns:
        One row a wave, domain and measure that has records: ``measure, n, events, eligible, sum_w,
        sum_w_eligible, psus, strata, largest_psu_share, largest_weight_share, estimate, mean_square,
        variance, domain, wave_no``.

    Raises:
        EstimationError: the records or the design do not support it (E002 to E006).
    """
    try:
        create_design(connection, design, single_psu=single_psu)
        psus = read_design(connection)
        rows = []
        for first in range(0, len(measures), MEASURES_PER_PASS):
            chunk = measures[first : first + MEASURES_PER_PASS]
            answers = answers_sql(wave, chunk, disaggregations, skips=skips, wave_no=wave_no)
            records = read_records(connection, answers, chunk, disaggregations)
            rows += _pass(
                records,
                psus,
                disaggregations,
                single_psu=single_psu,
                threads=_threads(connection),
                keep=keep,
            )
        order = [("wave_no", "ascending"), ("domain", "ascending"), ("measure", "ascending")]
        return pa.concat_tables(rows).sort_by(order)
    finally:
        connection.execute("DROP TABLE IF EXISTS psu_design")


def _pass(
    records: Records,
    design: Design,
    disaggregations: Sequence[Disaggregation],
    *,
    single_psu: SinglePsu,
    threads: int,
    keep: KeepCells | None,
) -> list[pa.Table]:
    """Return the rows of the measures that one reading of the records answers.

    Disaggregations are independent of each other, and each is one thread's.
    """
    columns = records.columns
    cells = cells_of(records, disaggregations, threads)
    crossings = crossings_of(records, design)

    def estimated(i: int) -> tuple[pa.Table, Integers]:
        domains = domains_of(records, disaggregations[i], cells[i], crossings, design)
        found = second_stage(cells[i], crossings, domains, design, columns, single_psu=single_psu)
        axes = level_axes(records, disaggregations[i].axes, domains.level)
        whole = np.logical_and.reduce([np.ones(len(domains.level), bool), *(axis > 0 for axis in axes)])
        numbers = np.where(whole, number_of(i, axes, len(whole)), NO_DOMAIN)
        table = _rows(found, numbers, domains.wave_no, columns.measures)
        return table.filter(pc.not_equal(table["domain"], NO_DOMAIN)), numbers[domains.of_cell]

    out = []
    with ThreadPoolExecutor(threads) as pool:
        for i, (table, domain_of_cell) in enumerate(pool.map(estimated, range(len(disaggregations)))):
            out.append(table)
            if keep is not None:
                keep(design, columns, domain_of_cell, cells[i])
    return out


def _rows(
    found: Mapping[str, Floats], numbers: Integers, wave_no: Integers, names: Sequence[str]
) -> pa.Table:
    table: dict[str, Any] = {"measure": pa.array(list(names) * len(numbers), pa.string())}
    for name, values in found.items():
        flat = values.ravel()
        table[name] = flat.astype(np.int64) if name in _COUNTS else pa.array(flat, mask=np.isnan(flat))
    table["domain"] = np.repeat(numbers, len(names))
    table["wave_no"] = np.repeat(wave_no, len(names))
    return pa.table(table)


def _threads(connection: duckdb.DuckDBPyConnection) -> int:
    ((found,),) = connection.execute("SELECT current_setting('threads')").fetchall()
    return int(found)
