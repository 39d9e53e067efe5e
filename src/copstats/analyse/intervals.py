"""Confidence limits of proportions and means, for whole columns at a time.

What no method can say is NaN, and the caller gives the reason: an estimate, standard error or number of
degrees of freedom that is missing, or no degrees of freedom (0 or fewer). An infinite number of degrees of
freedom gives the normal distribution. A proportion of exactly 0 or 1 has a standard error of 0, from which
only the methods ``mean`` (an interval without width) and ``korn_graubard`` (the limits of Clopper and
Pearson) make limits.

Only ``scipy.special`` is used: ``scipy.stats`` takes long to import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, expit, logit, ndtri, stdtrit, xlogy

from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]

ProportionMethod = Literal["mean", "logit", "xlogit", "likelihood", "asin", "beta", "korn_graubard", "wilson"]
"""The methods of R survey ``svyciprop``, and the Korn-Graubard limits as NCHS caps them."""

LEVEL = 0.95

_BISECTIONS = 80
"""Halvings of an interval of log-odds: more than the digits of a double can tell apart."""


def t_quantile(df: Array, level: float = LEVEL) -> Array:
    """Return the two-sided quantile of Student's t; NaN where there are no degrees of freedom."""
    tail = (1 + level) / 2
    quantile: Array = stdtrit(np.where((df > 0) & np.isfinite(df), df, np.nan), tail)
    return np.where(df == np.inf, ndtri(tail), quantile)


def proportion_limits(
    method: ProportionMethod, p: Array, se: Array, n: Array, df: Array, *, level: float = LEVEL
) -> tuple[Array, Array]:
    """Return the limits of proportions by the method named.

    Args:
        method: ``logit`` and ``xlogit`` are one: R fits a logistic model for the first, with the same limits.
        p: proportions.
        se: their standard errors.
        n: numbers of records of the domain; only ``beta``, ``korn_graubard`` and ``likelihood`` use it.
        df: degrees of freedom of the design in the domain.
        level: of confidence.

    Raises:
        EstimationError: E060, there is no such method.
    """
    p, se, n, df = (np.asarray(of, dtype=np.float64) for of in (p, se, n, df))
    limits: dict[str, Callable[[], tuple[Array, Array]]] = {
        "mean": lambda: mean_limits(p, se, df, level),
        "logit": lambda: logit_limits(p, se, df, level),
        "xlogit": lambda: logit_limits(p, se, df, level),
        "likelihood": lambda: likelihood_limits(p, se, n, df, level),
        "asin": lambda: asin_limits(p, se, df, level),
        "beta": lambda: adjusted_beta_limits(p, se, n, df, level),
        "korn_graubard": lambda: korn_graubard_limits(p, se**2, n, df, level),
        "wilson": lambda: wilson_limits(p, se, df, level),
    }
    if method not in limits:
        raise EstimationError("E060", option=method, known=", ".join(limits))
    return limits[method]()


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


def asin_limits(p: Array, se: Array, df: Array, level: float = LEVEL) -> tuple[Array, Array]:
    """Return the limits on the scale of the arcsine of the square root, back as proportions; NaN at 0 and 1.

    Where a limit would pass the end of the scale it is 0 or 1 (R turns back there, to a wrong limit).

    Source: Freeman and Tukey (1950), Annals of Mathematical Statistics 21, 607-611; R survey
    ``svyciprop(method = "asin")``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where((p > 0) & (p < 1), p, np.nan)
        centre = np.arcsin(np.sqrt(inside))
        half = t_quantile(df, level) * se / (2 * np.sqrt(inside * (1 - inside)))
        lower, upper = (np.clip(centre + side * half, 0, np.pi / 2) for side in (-1, 1))
        return np.sin(lower) ** 2, np.sin(upper) ** 2


def wilson_limits(p: Array, se: Array, df: Array, level: float = LEVEL) -> tuple[Array, Array]:
    """Return Wilson's score limits for the effective size, with Student's t; NaN at 0 and 1.

    Source: Wilson (1927), Journal of the American Statistical Association 22, 209-212; for samples with a
    design Dean and Pagano (2015), Journal of Survey Statistics and Methodology 3, 484-503.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where((p > 0) & (p < 1), p, np.nan)
        share = t_quantile(df, level) ** 2 * se**2 / (inside * (1 - inside))
        half = np.sqrt(share * inside * (1 - inside) + share**2 / 4)
        return (inside + share / 2 - half) / (1 + share), (inside + share / 2 + half) / (1 + share)


def likelihood_limits(p: Array, se: Array, n: Array, df: Array, level: float = LEVEL) -> tuple[Array, Array]:
    """Return the limits where the working likelihood ratio, divided by its design effect, reaches t squared.

    The deviance is divided by its residual mean, n / (n - 1), as R does. R reads its limits from a line
    between
    points of the profile: its digits after the fourth are not those of the equation. NaN at 0 and 1.

    Source: Rao and Scott (1984), Annals of Statistics 12, 46-60; R survey ``svyciprop(method =
    "likelihood")``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where((p > 0) & (p < 1), p, np.nan)
        dispersion = np.where(n > 1, n / (n - 1), np.nan)
        target = (t_quantile(df, level) * se) ** 2 * dispersion / (2 * inside * (1 - inside))
        return _divergence_root(inside, target, -1.0), _divergence_root(inside, target, 1.0)


def _divergence_root(p: Array, target: Array, side: float) -> Array:
    """Return q beyond p on one side whose Kullback-Leibler divergence from p is the target, by bisection."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        entropy = xlogy(p, p) + xlogy(1 - p, 1 - p)
        near = logit(p)
        # Beyond p the divergence is at least the smaller share times the distance on the log-odds scale, less
        # 1.
        far = near + side * (target + 1) / np.minimum(p, 1 - p)
        for _ in range(_BISECTIONS):
            middle = (near + far) / 2
            # log(expit(x)) = -log(1 + exp(-x)), which keeps its digits far out.
            divergence = entropy + p * np.logaddexp(0, -middle) + (1 - p) * np.logaddexp(0, middle)
            beyond = divergence > target
            near, far = np.where(beyond, near, middle), np.where(beyond, middle, far)
    return np.where(np.isnan(target), np.nan, expit((near + far) / 2))


def effective_size(p: Array, variance: Array, n: Array) -> Array:
    """Return p(1-p)/variance, the size of a simple random sample of the same precision.

    Where the variance is 0 (no or only events) it is n. Not capped.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(variance == 0, n, p * (1 - p) / variance)


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


def adjusted_beta_limits(
    p: Array, se: Array, n: Array, df: Array, level: float = LEVEL
) -> tuple[Array, Array]:
    """Return the limits of Korn and Graubard as R has them: the size is not capped; NaN at 0 and 1.

    Source: Korn and Graubard (1998), Survey Methodology 24, 193-201; R survey ``svyciprop(method = "beta")``.
    """
    inside = np.where((p > 0) & (p < 1), p, np.nan)
    return beta_limits(inside, adjusted_size(effective_size(inside, se**2, n), n, df, level), level)


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
