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

_FLAWS = """
SELECT
  count_if(weight IS NULL OR NOT (isfinite(weight) AND weight > 0)),
  count_if(stratum IS NULL OR psu IS NULL)
FROM ({records})
"""


def design_sql(sources: Sequence[str], *, with_fpc: bool = False) -> str:
    """Return the SQL that makes the table ``psu_design``.

    Its columns: ``unit`` (number of the PSU), ``stratum``, ``psu``, ``stratum_no``, ``psus`` (PSUs of the
    stratum in the wave), ``taken`` (share of the stratum's PSUs in the frame that were sampled; 0 where the
    frame's number is unknown), ``differs`` (the records disagree on the frame's number).

    Args:
        sources: tables or queries with ``stratum`` and ``psu``; together they hold all PSUs of the wave.
        with_fpc: whether the sources have ``fpc_psu``, the number of PSUs of the stratum in the frame.
    """
    frame = "CASE WHEN fpc_psu > 0 THEN fpc_psu END" if with_fpc else "NULL::DOUBLE"
    records = [f"SELECT stratum, psu, {frame} AS in_frame FROM {source}" for source in sources]  # noqa: S608
    return render("design", records="\n  UNION ALL\n  ".join(records))


def check_records(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    """Refuse records that no estimate may silently leave out.

    Args:
        connection: holds the source.
        source: table or query with ``weight``, ``stratum`` and ``psu``.

    Raises:
        EstimationError: E002, weights that are no positive number; E003, no stratum or PSU.
    """
    found = connection.execute(_FLAWS.format(records=f"FROM {source}")).fetchone() or (0, 0)
    for code, count in zip(("E002", "E003"), found, strict=True):
        if count:
            raise EstimationError(code, count=int(count))


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
    lonely, impossible = connection.execute(
        "SELECT count_if(psus = 1 AND taken < 1), count(DISTINCT stratum_no) FILTER (taken > 1 OR differs)"
        " FROM psu_design"
    ).fetchone() or (0, 0)
    if impossible:
        raise EstimationError("E006", count=int(impossible))
    if lonely and single_psu == "fail":
        raise EstimationError("E005", count=int(lonely))
