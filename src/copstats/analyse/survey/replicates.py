"""Variance from replicate weights: how far the estimate moves when the sample is drawn anew in small ways.

  V = scale * sum_r rscales_r (theta_r - centre)^2

| Type | scale | rscales | Source |
|---|---|---|---|
| JK1, one PSU left out | (R - 1)/R | 1 | Wolter (2007), chapter 4 |
| JK2, one PSU of a pair left out | 1 | 1 | Wolter (2007), chapter 4 |
| JKn, one PSU of a stratum left out | 1 | must be named: (n_h - 1)/n_h | Wolter (2007), chapter 4 |
| BRR, balanced half-samples | 1/R | 1 | Wolter (2007), chapter 3 |
| Fay, half-samples that keep a share rho | 1/(R (1 - rho)^2) | 1 | Judkins (1990) |
| bootstrap | 1/(R - 1) | 1 | Rao and Wu (1988); Wolter (2007), chapter 5 |
| successive-difference | 4/R | 1 | Fay and Train (1995) |
| other | must be named | must be named | |

These are the values of R survey ``svrepdesign``, which guesses rscales of JKn from the weights. The centre is
the estimate (``mse``) or the mean of the replicates whose factor is not 0, as in its ``svrVar``.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
from scipy.special import logit

from copstats.analyse.survey.clusters import Clusters
from copstats.analyse.survey.columns import guarded
from copstats.analyse.survey.design import Design, ReplicateWeights
from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]

LEAST_REPLICATES = 2


@dataclass(frozen=True)
class Replication:
    """How a variance follows from replicated estimates.

    Attributes:
        scale: common factor.
        rscales: factor of each replicate.
        mse: the centre is the estimate, not the mean of the replicates.
    """

    scale: float
    rscales: Array
    mse: bool

    def covariance(self, estimate: Array, replicated: Array) -> Array:
        """Return the covariance matrix (k x k).

        Args:
            estimate: with the sampling weight (k).
            replicated: with each replicate weight (replicates x k); NaN where one has no record that counts.
        """
        deviation = self._deviations(estimate, replicated)
        covariance: Array = deviation.T @ deviation
        return covariance

    def variance(self, estimate: Array, replicated: Array) -> Array:
        """Return the diagonal of `covariance` (k)."""
        deviation = self._deviations(estimate, replicated)
        variance: Array = (deviation * deviation).sum(axis=0)
        return variance

    def logit_errors(self, estimate: Array, replicated: Array) -> Array:
        """Return standard errors of log-odds, times p(1 - p): what logit limits of proportions take (k).

        Each replicate is transformed, as R survey ``svyciprop(method = "logit")`` does with replicate
        weights; NaN where the estimate or that of a replicate is not between 0 and 1.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = np.where((estimate > 0) & (estimate < 1), estimate, np.nan)
            transformed = np.where((replicated > 0) & (replicated < 1), replicated, np.nan)
            variance = self.variance(logit(inside), logit(transformed))
            errors: Array = np.sqrt(variance) * inside * (1 - inside)
        return errors

    def _deviations(self, estimate: Array, replicated: Array) -> Array:
        used = self.rscales > 0
        centre = estimate if self.mse or not used.any() else replicated[used].mean(axis=0)
        deviation: Array = (replicated - centre) * np.sqrt(self.scale * self.rscales)[:, None]
        return deviation


def replication_of(replicates: ReplicateWeights) -> Replication:
    """Return the factors of replicate weights, as named or as the method has them.

    Raises:
        EstimationError: E025, factors that are missing or not one for each replicate; E026, a rho that does
            not suit the type; E027, factors that are negative or no numbers; E028, fewer than two replicates.
    """
    count, rho = len(replicates.columns), replicates.rho
    if count < LEAST_REPLICATES:
        raise EstimationError("E028", count=count, wanted=LEAST_REPLICATES)
    # Without its rho Fay's method gives, in silence, standard errors that are too small by that share.
    if not (0 < rho < 1 if replicates.type == "Fay" else rho == 0):
        raise EstimationError("E026", type=replicates.type, rho=f"{rho:g}")
    by_method = {
        "JK1": (count - 1) / count,
        "JK2": 1.0,
        "JKn": 1.0,
        "BRR": 1 / count,
        "Fay": 1 / (count * (1 - rho) ** 2),
        "bootstrap": 1 / (count - 1),
        "successive-difference": 4 / count,
    }
    scale = by_method.get(replicates.type) if replicates.scale is None else replicates.scale
    # The strata of JKn differ in size: no factor would suit all replicates.
    missing = replicates.rscales is None and replicates.type in ("JKn", "other")
    rscales = np.asarray(1.0 if replicates.rscales is None else replicates.rscales, dtype=float)
    if scale is None or missing or rscales.size not in (1, count):
        raise EstimationError("E025", type=replicates.type, count=int(rscales.size), wanted=count)
    wrong = np.count_nonzero(~(np.isfinite(rscales) & (rscales >= 0))) + (not 0 < scale < np.inf)
    if wrong:
        raise EstimationError("E027", count=int(wrong))
    return Replication(float(scale), np.broadcast_to(rscales, (count,)), replicates.mse)


def check_replicate_weights(connection: duckdb.DuckDBPyConnection, records: str, weights: list[str]) -> None:
    """Refuse replicate weights that are missing or infinite; sums would leave such records out in silence.

    Args:
        connection: holds the records.
        records: name of a table, or a query in parentheses.
        weights: SQL of the replicate weights.

    Raises:
        EstimationError: E013, such records.
    """
    finite = " AND ".join(f"coalesce(isfinite(({weight})::DOUBLE), FALSE)" for weight in weights)
    with guarded():
        ((count,),) = connection.sql(f"SELECT count_if(NOT ({finite})) FROM {records}").fetchall()  # noqa: S608
    if count:
        raise EstimationError("E013", count=int(count))


def jackknife_replication(clusters: Clusters, design: Design) -> Replication:
    """Return the factors of the jackknife that leaves out each PSU in turn: (1 - f_h)(n_h - 1)/n_h.

    With one stratum this is JK1, with several JKn. A PSU alone in its stratum has the part that
    ``single_psu`` gives it, over the strata of the full sample.

    Raises:
        EstimationError: E028, the sample is one PSU.
    """
    if len(clusters.stratum) < LEAST_REPLICATES:
        raise EstimationError("E028", count=len(clusters.stratum), wanted=LEAST_REPLICATES)
    n, taken = clusters.psus, clusters.taken
    rscales = (1 - taken) * np.maximum(n - 1, 1) / n
    single = (n == 1) & (taken < 1)
    if design.single_psu != "adjust":
        rscales = np.where(single, 0, rscales)
    if design.single_psu == "average" and not single.all():
        rscales = rscales * len(n) / np.count_nonzero(~single)
    return Replication(1.0, rscales[clusters.stratum], design.jackknife == "estimate")


def jackknife_moves(by_cluster: Array, clusters: Clusters) -> Array:
    """Return how far totals move when each PSU is left out in turn: no replicate weight is made.

    The others of the stratum take its place: T_(hi) = T - T_h + n_h/(n_h - 1) (T_h - t_hi), hence
    T_(hi) - T = -n_h/(n_h - 1) (t_hi - mean t_h). A PSU alone in its stratum is measured from the mean of
    all PSUs, as ``single_psu="adjust"`` has it.

    Source: Wolter (2007), chapter 4.

    Args:
        by_cluster: totals of clusters (clusters x ...).
        clusters: the sample as drawn.

    Returns:
        PSUs x ...
    """
    by_psu = clusters.by_psu(by_cluster)
    n = clusters.psus.reshape(-1, *[1] * (by_psu.ndim - 1))
    centre = np.where(n > 1, clusters.by_stratum(by_psu) / n, by_psu.mean(axis=0))
    moves: Array = -(n / np.maximum(n - 1, 1))[clusters.stratum] * (by_psu - centre[clusters.stratum])
    return moves
