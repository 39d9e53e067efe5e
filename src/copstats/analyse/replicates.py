"""Variance of a wave's estimates from replicate weights that the country delivers.

Every replicate weight gives each estimate once more, and their spread is the variance (Wolter 2007). The
weights are summed once for each measure, over the cells of all dimensions crossed and the answer; sums of
domains are sums of these few cells, whatever the number of disaggregations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csc_array

from copstats.analyse.cells import Measure
from copstats.analyse.domains import NO_DOMAIN, Disaggregation, axes_of, number_of
from copstats.analyse.records import Floats, Integers, Truths
from copstats.analyse.replicate_ranks import Ratios
from copstats.analyse.sql import indented, render
from copstats.analyse.survey.design import ReplicateType, ReplicateWeights
from copstats.analyse.survey.replicates import Replication, check_replicate_weights, replication_of
from copstats.analyse.variance import MEASURES_PER_PASS, KeepCells, estimate_measures
from copstats.errors import EstimationError
from copstats.framework import manifest as survey

SERIES = "repw"
"""The framework's series of replicate weights: ``repw_001``, ``repw_002``, ..."""

_TYPES: dict[str, ReplicateType] = {"SDR": "successive-difference"}


def is_replicate_weight(name: str) -> bool:
    """Return whether a column of the records belongs to the series of replicate weights."""
    return name.startswith(f"{SERIES}_")


def replicates_of(manifest: survey.ReplicateWeights, columns: Iterable[str]) -> ReplicateWeights:
    """Return the replicate weights of a wave, as the manifest describes them.

    Args:
        manifest: ``design.replicate_weights``.
        columns: of the harmonised records, in which the series holds ratios of replicate weight to weight.

    Raises:
        EstimationError: E012, columns are missing or not named; E025 to E028, factors that do not fit.
    """
    names = [f"{SERIES}_{number:03d}" for number in range(1, len(manifest.columns) + 1)]
    found = set(filter(is_replicate_weight, columns))
    if found != set(names):
        raise EstimationError("E012", found=len(found), wanted=len(names))
    replicates = ReplicateWeights(
        names,
        type=_TYPES.get(manifest.type, manifest.type),  # type: ignore[arg-type]
        scale=manifest.scale,
        rscales=manifest.rscales,
        rho=manifest.rho or 0.0,
        mse=manifest.mse,
        combined=False,
    )
    replication_of(replicates)
    return replicates


def estimate_measures_replicated(
    connection: duckdb.DuckDBPyConnection,
    wave: str,
    design: str,
    measures: Sequence[Measure],
    disaggregations: Sequence[Disaggregation],
    *,
    replicates: ReplicateWeights,
    skips: Mapping[str, str] | None = None,
    keep: KeepCells | None = None,
) -> pa.Table:
    """Estimate means of measures in domains, with the variance of replicate weights.

    Args:
        connection: holds what the queries name.
        wave: query of the records, with ``weight``, ``stratum``, ``psu`` and the replicate weights.
        design: what `copstats.analyse.design.design_sql` returned; its PSUs are counted and have no part in
            the variance.
        measures: what is averaged.
        disaggregations: the domains.
        replicates: columns of the replicate weights; their ``df``, if it is named, holds in every domain.
        skips: see `copstats.analyse.cells.answers_sql`.
        keep: see `copstats.analyse.variance.estimate_measures`.

    Returns:
        The columns of `copstats.analyse.variance.estimate_measures` and ``logit_variance`` (of log-odds,
        times p(1 - p) squared, for logit limits; NULL where a replicate is 0 or 1) and ``df``, see
        `_degrees_of_freedom`. The variance is NULL where a replicate leaves no valid answer.

    Raises:
        EstimationError: the records, the design or the replicate weights do not support it (E002, E003, E006,
            E013, E025 to E028).
    """
    replication = replication_of(replicates)
    rows = estimate_measures(connection, wave, design, measures, disaggregations, skips=skips, keep=keep)
    check_replicate_weights(connection, f"({wave})", list(replicates.columns))
    weights = _weights(connection, wave, replicates)
    cube = _cube(connection, wave, disaggregations)
    found: list[pa.Table] = []
    valid: dict[str, Truths] = {}
    for first in range(0, len(measures), MEASURES_PER_PASS):
        chunk = measures[first : first + MEASURES_PER_PASS]
        values = [f"({measure.value})::DOUBLE AS y_{measure.name}" for measure in chunk]
        answers = connection.sql(_query(wave, values, skips)).to_arrow_table()
        for measure in chunk:
            y = answers[f"y_{measure.name}"].fill_null(np.nan).to_numpy()
            valid[measure.name] = ~np.isnan(y)
            found.append(_variances(_sums(y, measure, cube, weights), measure, cube, replication))
    rows = _joined(rows, pa.concat_tables(found))
    if replicates.df is not None:
        return rows.append_column("df", pa.array([int(replicates.df)] * len(rows), pa.int64()))
    return rows.append_column("df", pa.array(_degrees_of_freedom(rows, cube, valid, weights)))


def _query(wave: str, columns: Sequence[str], skips: Mapping[str, str] | None = None) -> str:
    return render(
        "replicates",
        wave=wave,
        skips="".join(f",\n    {sql} AS {name}" for name, sql in (skips or {}).items()),
        columns=indented(columns, 2),
    )


def _weights(connection: duckdb.DuckDBPyConnection, wave: str, replicates: ReplicateWeights) -> Floats:
    """Return the weight and the replicate weights of the records: records x (1 + replicates)."""
    base = "" if replicates.combined else "weight * "
    weights = [f"({base}{column})::DOUBLE AS w_{r}" for r, column in enumerate(replicates.columns, 1)]
    query = _query(wave, ["weight::DOUBLE AS w_0", *weights])
    table = connection.sql(query).to_arrow_table()
    out = np.empty((table.num_rows, table.num_columns))
    for position, column in enumerate(table.columns):
        out[:, position] = column.to_numpy()
    return out


@dataclass(frozen=True)
class _Cube:
    """The cells of all dimensions crossed, as far as they occur.

    Attributes:
        of_record: the cell of each record.
        domains: number of every domain -> its cells.
        psu: of each record, numbered.
        count: of cells.
    """

    of_record: Integers
    domains: Mapping[int, Integers]
    psu: Integers
    count: int

    def records(self, domain: int) -> Truths:
        """Return whether each record belongs to a domain."""
        member = np.zeros(self.count, bool)
        member[self.domains[domain]] = True
        return member[self.of_record]


def _cube(
    connection: duckdb.DuckDBPyConnection, wave: str, disaggregations: Sequence[Disaggregation]
) -> _Cube:
    axes = axes_of(disaggregations)
    columns = [f"coalesce({axis.level}, 0)::BIGINT AS {axis.column}" for axis in axes]
    psu = "stratum::VARCHAR || chr(31) || psu::VARCHAR AS psu"
    table = connection.sql(_query(wave, [*columns, psu])).to_arrow_table()
    code = np.zeros(table.num_rows, np.int64)
    for axis in axes:
        # Renumbered after each axis: the product of all sizes may pass the largest integer.
        level = table[axis.column].to_numpy()
        _, code = np.unique(code * np.int64(level.max(initial=0) + 1) + level, return_inverse=True)
    count = int(code.max(initial=-1)) + 1
    example = np.empty(count, np.int64)
    example[code] = np.arange(len(code))
    domains: dict[int, Integers] = {}
    for which, disaggregation in enumerate(disaggregations):
        levels = [table[axis.column].to_numpy()[example] for axis in disaggregation.axes]
        whole = np.logical_and.reduce([np.ones(count, bool), *(level > 0 for level in levels)])
        number = np.where(whole, number_of(which, levels, count), NO_DOMAIN)
        domains |= {int(one): np.flatnonzero(number == one) for one in np.unique(number)}
    domains.pop(NO_DOMAIN, None)
    units = table["psu"].combine_chunks().dictionary_encode().indices.to_numpy()
    return _Cube(code, domains, units, count)


def _sums(y: Floats, measure: Measure, cube: _Cube, weights: Floats) -> Floats:
    """Return sums of the weights for each cell: cells x 2 x (1 + replicates).

    Of a proportion these are the weights of those with 0 and with 1, so that 0 and 1 come out exactly with
    every weight; of other means the weights of valid answers, and weights times values.
    """
    valid = ~np.isnan(y)
    group = cube.of_record * np.int64(3) + (np.where(valid, y, 2) if measure.proportion else valid)
    sums = _added(group, weights, 3 * cube.count).reshape(cube.count, 3, -1)
    if measure.proportion:
        return sums[:, :2]
    products = _added(cube.of_record, weights * np.where(valid, y, 0)[:, None], cube.count)
    return np.stack([sums[:, 1], products], axis=1)


def _added(group: npt.NDArray[Any], values: Floats, size: int) -> Floats:
    """Add rows to the group that each belongs to, one after the other, so that threads change no digit."""
    ends = np.arange(len(group) + 1, dtype=np.int32)
    belongs = csc_array((np.ones(len(group)), group.astype(np.int32), ends), shape=(size, len(group)))
    sums: Floats = belongs @ values
    return sums


def _variances(sums: Floats, measure: Measure, cube: _Cube, replication: Replication) -> pa.Table:
    """Return ``domain, measure, variance, logit_variance`` of a measure in all domains."""
    totals = np.array([sums[cells].sum(axis=0) for cells in cube.domains.values()])
    rest, own = totals.transpose(1, 2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        theta = own / (rest + own if measure.proportion else rest)
    logit = np.full(theta.shape[1], np.nan)
    if measure.proportion:
        logit = replication.logit_errors(theta[0], theta[1:]) ** 2
    return pa.table(
        {
            "domain": np.array(list(cube.domains), np.int64),
            "measure": [measure.name] * len(cube.domains),
            "variance": replication.variance(theta[0], theta[1:]),
            "logit_variance": logit,
        }
    )


def _joined(rows: pa.Table, variances: pa.Table) -> pa.Table:
    """Put the variances into the rows of the same domain and measure."""
    order = [("domain", "ascending"), ("measure", "ascending")]
    rows, variances = rows.sort_by(order), variances.sort_by(order)
    for key in ("domain", "measure"):
        assert rows[key].equals(variances[key]), key  # noqa: S101
    columns: dict[str, Any] = {name: rows[name] for name in rows.column_names}
    for name in ("variance", "logit_variance"):
        values = variances[name].to_numpy()
        columns[name] = pa.array(values, mask=np.isnan(values))
    return pa.table(columns)


def _degrees_of_freedom(
    rows: pa.Table, cube: _Cube, valid: Mapping[str, Truths], weights: Floats
) -> Integers:
    """Return the rank of the replicate weights of a domain minus 1, as R ``degf``, for every row.

    Where answers to a measure are confined to some of the domain's PSUs, and these are no more than the rank,
    it is the rank of the weights of those who answered.
    """
    ratios = Ratios(weights, cube.psu)
    figures = {domain: ratios.rank(cube.records(domain)) for domain in cube.domains}
    domain, measure = rows["domain"].to_pylist(), rows["measure"].to_pylist()
    rank: npt.NDArray[np.int64] = np.array([figures[d][0] for d in domain], np.int64)
    psus = np.array([figures[d][1] for d in domain], np.int64)
    answered = rows["psus"].to_numpy()
    for row in np.flatnonzero((answered < psus) & (answered <= rank)):
        rank[row], _ = ratios.rank(cube.records(domain[row]) & valid[measure[row]])
    return np.maximum(rank - 1, 0)
