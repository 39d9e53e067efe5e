"""Tail probabilities of sums of chi-squared variables: the reference distribution of quadratic forms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import fdtrc, ndtr

Array = npt.NDArray[np.float64]

_FLAT = 1e-4
"""Nearer to the mean the saddlepoint formula loses its digits."""


def saddlepoint_tail(value: float, weights: Array, df_error: float) -> float:
    """Return P(sum of weights x chi-squared > value x chi-squared with df_error / df_error), approximately.

    Close to the mean it is Satterthwaite's approximation. (R cuts df_error to a whole number.)

    Args:
        value: of the quadratic form.
        weights: of independent chi-squared variables with one degree of freedom; positive.
        df_error: degrees of freedom of the denominator.

    Source: Kuonen (1999), Biometrika 86, 929-935; Lumley and Scott (2013), Statistics & Probability Letters
    83.
    """
    found = lugannani_rice(*_difference(value, weights, df_error))
    if np.isnan(found):
        df = weights.sum() ** 2 / (weights**2).sum()
        found = float(fdtrc(df, df_error, value / weights.sum()))
    return found


def exact_tail(value: float, weights: Array, df_error: float) -> float:
    """Return the same probability by numerical inversion of the characteristic function.

    Source: Imhof (1961), Biometrika 48, 419-426.
    """
    from scipy.integrate import quad

    lam, count = _difference(value, weights, df_error)

    def integrand(u: float) -> float:
        angle = float((count * np.arctan(lam * u)).sum()) / 2
        return float(np.sin(angle) / (u * np.exp((count * np.log1p((lam * u) ** 2)).sum() / 4)))

    area, _ = quad(integrand, 0, np.inf, epsabs=1e-11, epsrel=1e-10, limit=1000)
    return float(np.clip(0.5 + area / np.pi, 0, 1))


def lugannani_rice(weights: Array, count: Array) -> float:
    """Return P(sum of weights x chi-squared > 0); NaN close to the mean, where the formula has no digits.

    Args:
        weights: positive and negative ones.
        count: degrees of freedom of each chi-squared variable.

    Source: Lugannani and Rice (1980), Advances in Applied Probability 12, 475-490.
    """
    lam = weights / weights.max()
    zeta = _saddlepoint(lam, count)
    if abs(zeta) < _FLAT:
        return float("nan")
    cumulant = -(count * np.log1p(-2 * zeta * lam)).sum() / 2
    curvature = 2 * (count * lam**2 / (1 - 2 * zeta * lam) ** 2).sum()
    w = np.sign(zeta) * np.sqrt(-2 * cumulant)
    v = zeta * np.sqrt(curvature)
    return float(ndtr(-(w + np.log(v / w) / w)))


def _difference(value: float, weights: Array, df_error: float) -> tuple[Array, Array]:
    """The numerator less the denominator times the value: its tail beyond 0 is the one wanted."""
    lam = np.append(weights, -value / df_error)
    return lam, np.append(np.ones(len(weights)), df_error)


def _saddlepoint(lam: Array, count: Array) -> float:
    """Solve sum of count lam / (1 - 2 zeta lam) = 0 by halving; it grows with zeta between the poles."""
    low, high = 1 / (2 * float(lam.min())), 1 / (2 * float(lam.max()))
    while low < (middle := (low + high) / 2) < high:
        if (count * lam / (1 - 2 * middle * lam)).sum() < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
