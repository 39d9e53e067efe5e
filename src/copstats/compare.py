"""Comparisons of published values: between areas with ranks, between groups of a survey, between its rounds.

All functions read a release and nothing else, and give Arrow tables. Values are of comparability classes A
and B only; what is left out is listed with the reason.

    from copstats.compare import compare_areas
    found = compare_areas(Path("releases/2026-Q4"), "RCD4", sex="F")
    found.values, found.differences, found.left_out
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from copstats.disseminate import database
from copstats.disseminate.comparison import benjamini_hochberg, holm, rank_sets
from copstats.disseminate.comparison.multiplicity import Floats, p_values, rounding_variance
from copstats.errors import UsageError
from copstats.store.engine import published_connection
from copstats.store.schemas import DIMENSIONS

__all__ = [
    "GROUPED",
    "Comparison",
    "benjamini_hochberg",
    "compare_areas",
    "compare_groups",
    "compare_rounds",
    "holm",
]

GROUPED = ("sex", "age", "residence", "wealth_quintile", "disability")
"""Dimensions by which groups of one survey are compared."""

_NORMAL_95 = 1.959964
_NEWEST = """
SELECT
  v.ref_area, a.area, v.time_period, v.survey, v.unit_measure, v.value, v.se, v.ci_lower, v.ci_upper,
  v.obs_status, v.reason, v.comparability, v.comparability_reasons, v.source
FROM indicator_value AS v
LEFT JOIN area AS a ON a.ref_area = v.ref_area
WHERE v.indicator = $indicator AND v.standardised = $standardised AND {cell}
QUALIFY row_number() OVER (
  PARTITION BY v.ref_area ORDER BY v.value IS NULL, v.time_period DESC, v.comparability, v.survey, v.source
) = 1
ORDER BY v.value DESC NULLS LAST, v.ref_area
"""
_KEPT = "value IS NOT NULL AND se IS NOT NULL AND comparability IN ('A', 'B')"
_LEFT_OUT = f"""
SELECT
  ref_area, area, time_period, survey, comparability, comparability_reasons,
  CASE WHEN value IS NULL THEN coalesce(reason, 'unknown') WHEN se IS NULL THEN 'no_variance'
    ELSE 'not_comparable' END AS reason
FROM newest WHERE NOT coalesce({_KEPT}, FALSE) ORDER BY ref_area
"""  # noqa: S608 - a condition of this module

_GROUPS = """
SELECT * FROM group_difference
WHERE indicator = $indicator AND dimension = $dimension
QUALIFY time_period = max(time_period) OVER (PARTITION BY ref_area, survey)
ORDER BY ref_area, survey, len(group_a), group_a, len(group_b), group_b
"""
_ROUNDS = f"""
SELECT * FROM change
WHERE indicator = $indicator AND standardised = 'N'
  AND {" AND ".join(f"{name} = ${name}" for name in DIMENSIONS)}
ORDER BY ref_area, survey, time_period_from
"""  # noqa: S608 - names of columns


@dataclass(frozen=True)
class Comparison:
    """Areas held against each other.

    Attributes:
        values: the newest value of each area, highest first: ``ref_area, area, time_period, survey,
            unit_measure, value, se, ci_lower, ci_upper, obs_status, comparability, comparability_reasons,
            source, rank, rank_best, rank_worst``. With 95 % confidence the ranks of all of them lie between
            the last two.
        differences: all pairs, the higher value first: ``ref_area_a, ref_area_b, time_period_a,
            time_period_b, difference, se, ci_lower, ci_upper, p, p_holm, p_bh, comparability``. Limits are of
            95 % for each pair by itself; adjusted p-values take all pairs of the table into account.
        left_out: areas without a value that may be compared: ``ref_area, area, time_period, survey,
            comparability, comparability_reasons, reason``: ``not_comparable`` for class C, else why there is
            no value.
    """

    values: pa.Table
    differences: pa.Table
    left_out: pa.Table


def compare_areas(
    release: Path,
    indicator: str,
    *,
    areas: Collection[str] = (),
    standardised: bool = False,
    level: float = 0.95,
    **cell: str,
) -> Comparison:
    """Compare the newest values of areas: differences, and ranks with their confidence set.

    Surveys of two countries are independent samples. Standard errors are the published ones together with
    what rounding adds; tests and limits go by the normal distribution: degrees of freedom are not published.

    Args:
        release: folder of a release, or its ``copstats.duckdb``.
        indicator: code.
        areas: codes; all by default.
        standardised: whether to compare age-standardised values.
        level: of the confidence set of ranks.
        **cell: dimension -> code, for example ``sex="F"``; totals otherwise.

    Raises:
        UsageError: U180, U181, unknown indicator or area; U183, a median; U184, no such dimension; U185,
            there is no release.
    """
    codes = _codes(cell)
    query = _NEWEST.format(cell=" AND ".join(f"v.{name} = ${name}" for name in DIMENSIONS))
    with _opened(release) as connection:
        _refuse_unknown(connection, indicator, areas)
        parameters = codes | {"indicator": indicator, "standardised": "Y" if standardised else "N"}
        newest = _of_areas(connection.sql(query, params=parameters).to_arrow_table(), areas)
        connection.register("newest", newest)
        kept = connection.sql(f"SELECT * EXCLUDE reason FROM newest WHERE {_KEPT}").to_arrow_table()  # noqa: S608
        left_out = connection.sql(_LEFT_OUT).to_arrow_table()
    value, variance = _floats(kept["value"]), _floats(kept["se"]) ** 2
    variance = variance + rounding_variance(value)
    ranks = rank_sets(value, np.sqrt(variance), level)
    columns = {"rank": ranks.rank, "rank_best": ranks.best, "rank_worst": ranks.worst}
    for name, column in columns.items():
        kept = kept.append_column(name, pa.array(column, pa.int64()))
    return Comparison(kept, _differences(kept, value, variance), left_out)


def compare_groups(release: Path, indicator: str, by: str, *, areas: Collection[str] = ()) -> pa.Table:
    """Return the differences between groups of each survey's newest round, the first less the second.

    Args:
        release: folder of a release, or its ``copstats.duckdb``.
        indicator: code.
        by: dimension, one of ``GROUPED``.
        areas: codes; all by default.

    Returns:
        The rows of the release's table ``group_difference`` with ``p_holm`` and ``p_bh``, adjusted for all
        rows with a difference.

    Raises:
        UsageError: U180, U181, U183, U185, as `compare_areas`; U182, the release is older than the table;
            U184, no such groups.
    """
    if by not in GROUPED:
        raise UsageError("U184", dimension=by, known=", ".join(GROUPED))
    return _of_table(release, _GROUPS, indicator, areas, {"dimension": by})


def compare_rounds(release: Path, indicator: str, *, areas: Collection[str] = (), **cell: str) -> pa.Table:
    """Return the change of values between consecutive rounds of a survey, the later less the earlier.

    Args:
        release: folder of a release, or its ``copstats.duckdb``.
        indicator: code.
        areas: codes; all by default.
        **cell: dimension -> code, for example ``age="Y13T15"``; totals otherwise.

    Returns:
        The rows of the release's table ``change`` for this cell, of values that are not standardised, with
        ``p_holm`` and ``p_bh``, adjusted for all rows with a change.

    Raises:
        UsageError: U180, U181, U183 to U185, as `compare_areas`; U182, the release is older than the table.
    """
    return _of_table(release, _ROUNDS, indicator, areas, _codes(cell))


def _codes(cell: Mapping[str, str]) -> dict[str, str]:
    """Return the code of each dimension: what is asked for, else the total."""
    if unknown := sorted(cell.keys() - set(DIMENSIONS)):
        raise UsageError("U184", dimension=", ".join(unknown), known=", ".join(DIMENSIONS))
    return {**dict.fromkeys(DIMENSIONS, "_T"), **cell}


def _of_table(
    release: Path, query: str, indicator: str, areas: Collection[str], parameters: Mapping[str, str]
) -> pa.Table:
    with _opened(release) as connection:
        _refuse_unknown(connection, indicator, areas)
        try:
            rows = connection.sql(query, params={"indicator": indicator, **parameters}).to_arrow_table()
        except duckdb.CatalogException:
            raise UsageError("U182") from None
    rows = _of_areas(rows, areas)
    p = _floats(rows["p"])
    for name, adjusted in (("p_holm", holm(p)), ("p_bh", benjamini_hochberg(p))):
        rows = rows.append_column(name, pa.array(adjusted, pa.float64(), mask=np.isnan(adjusted)))
    return rows


def _opened(release: Path) -> duckdb.DuckDBPyConnection:
    place = release / database.NAME if release.is_dir() else release
    if not place.is_file():
        raise UsageError("U185", release=release.name)
    return published_connection(place)


def _refuse_unknown(connection: duckdb.DuckDBPyConnection, indicator: str, areas: Collection[str]) -> None:
    query = "SELECT statistic FROM indicator WHERE indicator = $1"
    known = connection.execute(query, [indicator]).fetchall()
    if not known:
        raise UsageError("U180", indicator=indicator)
    if known == [("median",)]:
        raise UsageError("U183", indicator=indicator)
    present = {area for (area,) in connection.sql("SELECT DISTINCT ref_area FROM source").fetchall()}
    if unknown := sorted(set(areas) - present):
        raise UsageError("U181", areas=", ".join(unknown))


def _of_areas(rows: pa.Table, areas: Collection[str]) -> pa.Table:
    return rows.filter(pc.is_in(rows["ref_area"], pa.array(sorted(areas), pa.string()))) if areas else rows


def _differences(kept: pa.Table, value: Floats, variance: Floats) -> pa.Table:
    """Return all pairs of rows, each with those below it."""
    first, second = np.triu_indices(len(value), 1)
    difference = np.round(value[first] - value[second], 1)
    se = np.sqrt(variance[first] + variance[second])
    p = p_values(difference, se)
    a, b = kept.take(pa.array(first)), kept.take(pa.array(second))
    columns: dict[str, Any] = {
        "ref_area_a": a["ref_area"],
        "ref_area_b": b["ref_area"],
        "time_period_a": a["time_period"],
        "time_period_b": b["time_period"],
        "difference": difference,
        "se": np.round(se, 2),
        "ci_lower": np.floor((difference - _NORMAL_95 * se) * 10) / 10,
        "ci_upper": np.ceil((difference + _NORMAL_95 * se) * 10) / 10,
        "p": p,
        "p_holm": holm(p),
        "p_bh": benjamini_hochberg(p),
        "comparability": pc.if_else(
            pc.equal(a["comparability"], b["comparability"]), a["comparability"], "B"
        ),
    }
    return pa.table(columns)


def _floats(column: pa.ChunkedArray) -> Floats:
    values: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values
