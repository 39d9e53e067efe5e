"""The records of a sample in DuckDB, and the only thing that estimates need of them: totals by cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from copstats.analyse.survey.clusters import Clusters, number_clusters
from copstats.analyse.survey.columns import checked_expression, guarded
from copstats.analyse.survey.design import Design, ReplicateWeights
from copstats.analyse.survey.domains import Domains
from copstats.analyse.survey.replicates import (
    Replication,
    check_replicate_weights,
    jackknife_moves,
    jackknife_replication,
    replication_of,
)
from copstats.analyse.survey.source import register

Array = npt.NDArray[np.float64]

_DIGITS = 9
"""Decimals to which ratios of weights are the same: files hold rounded weights."""

_RANK = 1e-5
"""Relative size below which a direction of the replicate weights counts as none; as in R ``degf``."""


@dataclass(frozen=True)
class Totals:
    """Weighted totals of terms. With domains every array has one more axis, of domains, before the last.

    Attributes:
        by_cluster: clusters x terms; where weights are calibrated, of the residuals of the terms.
        grand: terms.
        counts: clusters x terms: records with a positive weight for which the term is not NULL.
        replicated: replicates x terms, where the sample has a replication.
    """

    by_cluster: Array
    grand: Array
    counts: npt.NDArray[np.int64]
    replicated: Array | None = None


class Sample:
    """Records of a survey with their place in the design.

    Attributes:
        connection: in-memory connection that holds the table ``records``: the columns of the data and
            ``copstats_weight``, ``copstats_unit`` (number of the cluster), ``copstats_record``.
        design: how the sample was drawn.
        clusters: where each cluster stands in the design.
        replication: how a variance follows from replicates; None for linearisation.
        residual_of: for calibrated weights: SQL of a term -> SQL of its residual from the calibration
            variables (Deville and Särndal 1992); it is applied before totals by cluster are taken.
    """

    def __init__(self, data: Any, design: Design) -> None:
        """Read the data and number the clusters.

        Args:
            data: DuckDB relation, pair of a connection and the name of a table, Arrow table, record batch
                reader or dataset, pandas or polars frame.
            design: how the sample was drawn.

        Raises:
            EstimationError: E002, E003, E005, E006: the design does not fit the records; E013, E025 to E028:
                its replicates cannot be used; E031 to E037: the data or the names in the design cannot.
        """
        self.connection: duckdb.DuckDBPyConnection = register(data)
        self.design = design
        self.clusters: Clusters = number_clusters(self.connection, design)
        self.replication: Replication | None = self._replication()
        self.residual_of: Callable[[str], str] | None = _residuals(self.connection, design)

    def check(self, expression: str) -> str:
        """Return an expression over the records; refuse one that cannot be computed (E031, E032)."""
        return checked_expression(self.connection, "records", expression)

    def totals(self, terms: Sequence[str], domains: Domains | None = None) -> Totals:
        """Return weighted totals of terms.

        Args:
            terms: SQL expressions over ``records``, numbers or truth values, without the weight; NULL adds
                nothing.
            domains: parts of the population to take apart; the whole if not given.
        """
        parts = domains or Domains.whole()
        sums, counts = self._by_cluster(terms, parts)
        grand = sums.sum(axis=0)
        if self.residual_of is not None:
            sums = self._residual_sums(self.residual_of, terms, parts)
        replicated = None
        if self.design.replicates is not None:
            replicated = self._replicated(self.design.replicates, terms, parts)
        elif self.replication is not None:
            replicated = grand + jackknife_moves(sums, self.clusters)
        if domains is not None:
            return Totals(sums, grand, counts, replicated)
        flat = replicated[:, 0] if replicated is not None else None
        return Totals(sums[:, 0], grand[0], counts[:, 0], flat)

    def replicate_ranks(self, domains: Domains | None = None) -> Array:
        """Return the rank of the replicate weights in each domain: one more than R's ``degf``.

        Records of a PSU share the ratios of replicate to sampling weight, hence few distinct rows.
        """
        replicates, parts = self.design.replicates or ReplicateWeights(()), domains or Domains.whole()
        base = "copstats_weight" if replicates.combined else "1"
        ratios = [
            f"round({self.check(column)}::DOUBLE / {base}, {_DIGITS}) AS ratio_{r}"
            for r, column in enumerate(replicates.columns)
        ]
        query = f"""
            SELECT DISTINCT {parts.number} AS copstats_domain, {", ".join(ratios)}
            FROM records
            WHERE copstats_weight <> 0 AND coalesce({parts.where}, FALSE) AND copstats_domain IS NOT NULL
        """  # noqa: S608
        with guarded():
            found = self.connection.sql(query).fetchnumpy()
        rows = parts.positions(found.pop("copstats_domain"))
        matrix = np.stack([np.asarray(ratio, dtype=float) for ratio in found.values()], axis=1)
        ranks = [np.linalg.matrix_rank(matrix[rows == d], rtol=_RANK) for d in range(len(parts.codes))]
        return np.array(ranks, dtype=float)

    def _replication(self) -> Replication | None:
        if (replicates := self.design.replicates) is None:
            return jackknife_replication(self.clusters, self.design) if self.design.jackknife else None
        found = replication_of(replicates)
        check_replicate_weights(self.connection, "records", [self.check(c) for c in replicates.columns])
        return found

    def _cells(
        self, keys: Sequence[str], terms: Sequence[str], aggregates: Sequence[str], parts: Domains
    ) -> dict[str, npt.NDArray[Any]]:
        """Group the records by domain and keys: one pass over the columns that the terms name."""
        names = [f"({term})::DOUBLE AS term_{i}" for i, term in enumerate(terms)]
        query = f"""
            WITH terms AS (
              SELECT *, {parts.number} AS copstats_domain, {", ".join(names)}
              FROM records
              WHERE copstats_weight <> 0 AND coalesce({parts.where}, FALSE)
            )
            SELECT {", ".join(["copstats_domain", *keys, *aggregates])}
            FROM terms
            WHERE copstats_domain IS NOT NULL
            GROUP BY {", ".join(["copstats_domain", *keys])}
        """  # noqa: S608
        with guarded():
            cells: dict[str, npt.NDArray[Any]] = self.connection.sql(query).fetchnumpy()
        return cells

    def _by_cluster(self, terms: Sequence[str], parts: Domains) -> tuple[Array, npt.NDArray[np.int64]]:
        aggregates = [
            aggregate
            for i in range(len(terms))
            for aggregate in (
                f"coalesce(sum(copstats_weight * term_{i}), 0) AS sum_{i}",
                f"count(term_{i}) AS count_{i}",
            )
        ]
        cells = self._cells(["copstats_unit"], terms, aggregates, parts)
        shape = (self.clusters.count, len(parts.codes), len(terms))
        sums, counts = np.zeros(shape), np.zeros(shape, np.int64)
        rows = cells["copstats_unit"], parts.positions(cells["copstats_domain"])
        for i in range(len(terms)):
            sums[*rows, i] = cells[f"sum_{i}"]
            counts[*rows, i] = cells[f"count_{i}"]
        return sums, counts

    def _residual_sums(
        self, residual_of: Callable[[str], str], terms: Sequence[str], parts: Domains
    ) -> Array:
        """Sums of residuals: outside a domain a term is 0, but its residual is not."""
        restricted = [
            residual_of(
                f"CASE WHEN ({parts.where}) AND {parts.number} = {code} THEN ({term})::DOUBLE ELSE 0 END"
            )
            for code in parts.codes
            for term in terms
        ]
        sums, _ = self._by_cluster(restricted, Domains.whole())
        return sums.reshape(self.clusters.count, len(parts.codes), len(terms))

    def _replicated(self, replicates: ReplicateWeights, terms: Sequence[str], parts: Domains) -> Array:
        weights = [
            column if replicates.combined else f"(copstats_weight * {column})"
            for column in map(self.check, replicates.columns)
        ]
        aggregates = [
            f"coalesce(sum({weight} * term_{i}), 0) AS sum_{r}_{i}"
            for r, weight in enumerate(weights)
            for i in range(len(terms))
        ]
        cells = self._cells([], terms, aggregates, parts)
        totals = np.zeros((len(weights), len(parts.codes), len(terms)))
        rows = parts.positions(cells["copstats_domain"])
        for r in range(len(weights)):
            for i in range(len(terms)):
                totals[r, rows, i] = cells[f"sum_{r}_{i}"]
        return totals


def _residuals(connection: duckdb.DuckDBPyConnection, design: Design) -> Callable[[str], str] | None:
    if (calibration := design.calibration) is None:
        return None
    from copstats.analyse.weighting.residuals import residual_of

    def checked(expression: str) -> str:
        return checked_expression(connection, "records", expression)

    return residual_of(
        connection,
        checked(calibration.base_weight),
        [[checked(column) for column in columns] for columns in calibration.margins],
        [checked(number) for number in calibration.numbers],
    )
