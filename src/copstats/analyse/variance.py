"""Second stage: from PSU sums to estimates with their variance, and the two stages in a row.

Ratio estimator and Taylor linearisation with PSUs as ultimate clusters (Woodruff 1971; Binder 1983;
Lumley 2004), with the full design's number of PSUs in every domain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa

from copstats.analyse.cells import Measure, cells_sql, create_cells
from copstats.analyse.design import SinglePsu, check_records, create_design
from copstats.analyse.domains import Disaggregation
from copstats.analyse.sql import render

MEASURES_PER_PASS = 20
"""More measures a pass cost memory (a row of sums for each PSU and domain), fewer cost time."""

_SINGLE = {"fail": "NULL", "remove": "0", "certainty": "0", "adjust": "1", "average": "NULL"}


def variance_sql(measures: Sequence[Measure], single_psu: SinglePsu = "adjust") -> str:
    """Return the query of the second stage over ``psu_cells`` and ``psu_design``."""
    return render(
        "variance",
        [measure.name for measure in measures],
        single=_SINGLE[single_psu],
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
) -> pa.Table:
    """Estimate means of measures in domains.

    Args:
        connection: holds what the queries name; with one thread the result is the same to the last bit.
        wave: query of the records, with ``weight``, ``stratum`` and ``psu``.
        design: what `copstats.analyse.design.design_sql` returned.
        measures: what is averaged.
        disaggregations: the domains.
        skips: see `copstats.analyse.cells.cells_sql`.
        single_psu: what a stratum with one PSU contributes.

    Returns:
        One row a measure and domain that has records: ``measure, n, events, eligible, sum_w, sum_w_eligible,
        psus, strata, largest_psu_share, largest_weight_share, estimate, mean_square, variance, domain``.

    Raises:
        EstimationError: the records or the design do not support it (E002 to E006).
    """
    try:
        check_records(connection, f"({wave})")
        create_design(connection, design, single_psu=single_psu)
        passes = []
        for first in range(0, len(measures), MEASURES_PER_PASS):
            chunk = measures[first : first + MEASURES_PER_PASS]
            create_cells(connection, cells_sql(wave, chunk, disaggregations, skips=skips))
            passes.append(connection.sql(variance_sql(chunk, single_psu)).to_arrow_table())
        return pa.concat_tables(passes)
    finally:
        connection.execute("DROP TABLE IF EXISTS psu_cells")
        connection.execute("DROP TABLE IF EXISTS psu_design")
