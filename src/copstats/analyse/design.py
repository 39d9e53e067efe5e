"""The sample design of a wave: its PSUs, strata and sampling fractions, all of them, whoever answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import duckdb

from copstats.analyse.sql import render
from copstats.errors import EstimationError

SinglePsu = Literal["fail", "remove", "certainty", "adjust", "average"]
"""What a stratum with one PSU contributes to the variance; the options of R survey 4.5."""

DESIGN_COLUMNS = ("weight", "stratum", "psu")
ONE_WAVE = "0"
"""The number of the wave where the records are those of one wave."""


def design_sql(sources: Sequence[str], *, with_fpc: bool = False, wave_no: str = ONE_WAVE) -> str:
    """Return the SQL that makes the table ``psu_design``.

    Its columns: ``unit`` (number of the PSU, from 1), ``wave_no``, ``stratum``, ``psu``, ``stratum_no``,
    ``psus`` (PSUs of the stratum in the wave), ``taken`` (share of the stratum's PSUs in the frame that were
    sampled; 0 where the frame's number is unknown), ``differs`` (the records disagree on the frame's number).

    Args:
        sources: tables or queries with ``stratum`` and ``psu``; together they hold all PSUs of the wave.
        with_fpc: whether the sources have ``fpc_psu``, the number of PSUs of the stratum in the frame.
        wave_no: SQL of the wave's number, where the sources hold several waves.
    """
    frame = "CASE WHEN fpc_psu > 0 THEN fpc_psu END" if with_fpc else "NULL::DOUBLE"
    columns = f"{wave_no} AS wave_no, stratum, psu, {frame} AS in_frame"
    records = [f"SELECT {columns} FROM {source}" for source in sources]  # noqa: S608
    return render("design", records="\n  UNION ALL\n  ".join(records))


def create_design(
    connection: duckdb.DuckDBPyConnection, sql: str, *, single_psu: SinglePsu = "adjust"
) -> None:
    """Make the table ``psu_design`` and check that it supports a variance.

    Args:
        connection: holds the sources of the design.
        sql: what `design_sql` returned.
        single_psu: with ``fail`` a stratum with one PSU, unless it was taken whole, is refused.

    Raises:
        EstimationError: E004, unknown option; E005, a stratum with one PSU; E006, a frame that is smaller
            than the sample or differs within a stratum.
    """
    if single_psu not in get_args(SinglePsu):
        raise EstimationError("E004", option=single_psu, known=", ".join(get_args(SinglePsu)))
    connection.execute(sql)
    ((lonely, impossible),) = connection.execute(
        "SELECT count_if(psus = 1 AND taken < 1), count(DISTINCT stratum_no) FILTER (taken > 1 OR differs)"
        " FROM psu_design"
    ).fetchall()
    if impossible:
        raise EstimationError("E006", count=int(impossible))
    if lonely and single_psu == "fail":
        raise EstimationError("E005", count=int(lonely))
