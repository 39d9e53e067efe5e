"""Covariance of estimates from the totals of clusters.

Every estimate is a smooth function of totals. Its variance is that of the total of its linearised values
z = gradient x term (Woodruff 1971; Binder 1983; Särndal, Swensson and Wretman 1992, section 5.5), and that of
a total is the sum over stages of the variance between the clusters of a stage (Särndal, Swensson and Wretman
1992, result 4.3.1):

  V = sum_h (1 - n_h/N_h) n_h/(n_h - 1) sum_i (z_hi - mean z_h)^2                      PSUs within strata
    + sum_h n_h/N_h sum_i (1 - m_hi/M_hi) m_hi/(m_hi - 1) sum_j (z_hij - mean z_hi)^2  units within PSUs

n_h and m_hi are those of the full sample in every domain: PSUs without members of the domain are zeros.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from copstats.analyse.survey.clusters import Clusters
from copstats.analyse.survey.design import Design

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def taylor_covariance(z: Array, members: Flags, clusters: Clusters, design: Design) -> Array:
    """Return the covariance matrix of estimates (k x k).

    Args:
        z: linearised values, clusters x k, weights included.
        members: clusters x k: whether a cluster has a record that counts for the estimate.
        clusters: the sample as drawn.
        design: what strata with one PSU contribute.
    """
    by_psu = clusters.by_psu(z)
    present = clusters.by_psu(members.astype(float)) > 0
    between = _between_psus(by_psu, present, clusters, design)
    return between + _within_psus(z, by_psu, clusters, design) if clusters.second_stage else between


def _between_psus(z: Array, present: Flags, clusters: Clusters, design: Design) -> Array:
    """Variance of the first stage; PSUs x k."""
    n = clusters.psus
    single = (n == 1) & (clusters.taken < 1)
    scale = _scale(n, clusters.taken)
    centre = clusters.by_stratum(z) / n[:, None]
    # (stratum, estimate) pairs in which one PSU shows no variation; domains join in on demand.
    alone = np.broadcast_to(single[:, None], centre.shape)
    if design.single_psu_in_domain:
        alone = alone | (clusters.by_stratum(present.astype(float)) == 1)
    if design.single_psu == "adjust":
        centre = np.where(alone, _grand_mean(z, present, clusters), centre)
    elif design.single_psu in ("remove", "certainty"):
        scale = np.where(single, 0, scale)
    deviation = (z - centre[clusters.stratum]) * np.sqrt(scale)[clusters.stratum, None]
    if design.single_psu == "average":
        deviation = np.where(alone[clusters.stratum], 0, deviation)
        deviation = deviation * np.sqrt(_average_factor(present, alone, clusters))
    return deviation.T @ deviation


def _within_psus(z: Array, by_psu: Array, clusters: Clusters, design: Design) -> Array:
    """Variance of the second stage; clusters x k. It counts where PSUs were drawn from a known number."""
    m = clusters.ssus
    single = (m == 1) & (clusters.ssus_taken < 1)
    scale = _scale(m, clusters.ssus_taken) * clusters.taken[clusters.stratum]
    centre = by_psu / m[:, None]
    if design.single_psu == "adjust":
        centre = np.where(single[:, None], z.mean(axis=0), centre)
    else:
        scale = np.where(single, 0, scale)
    deviation = (z - centre[clusters.psu]) * np.sqrt(scale)[clusters.psu, None]
    return deviation.T @ deviation


def _grand_mean(z: Array, present: Flags, clusters: Clusters) -> Array:
    """Mean over the PSUs of all strata with members, as R survey 4.5 has it (k values)."""
    occupied = clusters.by_stratum(present.astype(float)) > 0
    psus = (occupied * clusters.psus[:, None]).sum(axis=0)
    mean: Array = z.sum(axis=0) / np.maximum(psus, 1)
    return mean


def _scale(sampled: Array, taken: Array) -> Array:
    """(1 - f) n/(n - 1), or 1 - f where n is 1."""
    return (1 - taken) * sampled / np.maximum(sampled - 1, 1)


def _average_factor(present: Flags, alone: Flags, clusters: Clusters) -> Array:
    """Strata with members, over those of them that show variation; NaN if there is none (k values)."""
    occupied = clusters.by_stratum(present.astype(float)) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = occupied.sum(axis=0) / (occupied & ~alone).sum(axis=0)
    return np.where(np.isfinite(factor), factor, np.nan)


def degrees_of_freedom(members: Flags, clusters: Clusters) -> tuple[Array, Array]:
    """Return numbers of PSUs and of strata with members; their difference is R's ``degf`` (k values each).

    Source: Korn and Graubard (1999), section 2.4.
    """
    present = clusters.by_psu(members.astype(float)) > 0
    strata = clusters.by_stratum(present.astype(float)) > 0
    return present.sum(axis=0).astype(float), strata.sum(axis=0).astype(float)
