"""Confidence limits of proportions and means, for whole columns at a time.

Only ``scipy.special`` is used: ``scipy.stats`` takes long to import.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, expit, logit, stdtrit

Array = npt.NDArray[np.float64]

LEVEL = 0.95


def t_quantile(df: Array, level: float = LEVEL) -> Array:
    """Return the two-sided quantile of Student's t; NaN where there are no degrees of freedom."""
    quantile: Array = stdtrit(np.where(df > 0, df, np.nan), (1 + level) / 2)
    return quantile


def mean_limits(estimate: Array, se: Array, df: Array, level: float = LEVEL) -> tuple[Array, Array]:
    """Return estimate -+ t x standard error."""
    half = t_quantile(df, level) * se
    return estimate - half, estimate + half


def logit_limits(p: Array, se: Array, df: Array, level: float = LEVEL) -> tuple[Array, Array]:
    """Return the limits on the log-odds scale, back as proportions; NaN at 0 and 1.

    Source: Korn and Graubard (1999), Analysis of Health Surveys; R survey ``svyciprop(method = "logit")``.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        inside = (p > 0) & (p < 1)
        half = t_quantile(df, level) * se / np.where(inside, p * (1 - p), np.nan)
        centre = logit(np.where(inside, p, np.nan))
        return expit(centre - half), expit(centre + half)


def effective_size(p: Array, variance: Array, n: Array) -> Array:
    """Return p(1-p)/variance, the size of a simple random sample of the same precision.

    Where the variance is 0 (no or only events) it is n. Not capped.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(variance > 0, p * (1 - p) / variance, n)


def adjusted_size(n_effective: Array, n: Array, df: Array, level: float = LEVEL) -> Array:
    """Return the effective size times the squared ratio of t quantiles with n-1 and df degrees of freedom.

    Source: Korn and Graubard (1998), Survey Methodology 24, 193-201.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return n_effective * (t_quantile(n - 1, level) / t_quantile(df, level)) ** 2


def beta_limits(p: Array, size: Array, level: float = LEVEL) -> tuple[Array, Array]:
    """Return Clopper-Pearson limits for a proportion p of a sample of a size that need not be whole."""
    tail = (1 - level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        events, others = size * p, size * (1 - p)
        lower = np.where(p <= 0, 0.0, betaincinv(events, others + 1, tail))
        upper = np.where(p >= 1, 1.0, betaincinv(events + 1, others, 1 - tail))
    unknown = np.isnan(p) | np.isnan(size)
    return np.where(unknown, np.nan, lower), np.where(unknown, np.nan, upper)


def korn_graubard_limits(
    p: Array, variance: Array, n: Array, df: Array, level: float = LEVEL
) -> tuple[Array, Array]:
    """Return the limits of the NCHS presentation standards.

    The effective size is adjusted for the degrees of freedom and capped at n; without events, or with events
    only, it is n. NaN where there are no degrees of freedom.

    Source: Parker et al. (2017), Vital and Health Statistics 2(175).
    """
    with np.errstate(invalid="ignore"):
        size = np.minimum(n, adjusted_size(effective_size(p, variance, n), n, df, level))
        size = np.where((p <= 0) | (p >= 1), np.where(df > 0, n, np.nan), size)
    return beta_limits(p, size, level)
