"""Ranks with confidence sets: which places an area may hold, all areas together.

A rank is a function of all differences. Its set counts the areas that are surely above and surely below, by
intervals for all pairwise differences that hold simultaneously (Mogstad, Romano, Shaikh and Wilhelm 2024,
Review of Economic Studies 91, section 3). Their critical value is here that of the studentised range, exact
for equal errors and too large rather than too small otherwise (Tukey 1953; Kramer 1956; proof: Hayter 1984,
Annals of Statistics 12): no random numbers, and the same set each time. Sets from the overlap of one interval
an area (Klein, Wright and Wieczorek 2020, Journal of the Royal Statistical Society C 69) are as a rule wider.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr

from copstats.disseminate.comparison.multiplicity import Floats

_POINTS = 200
_BEYOND = 9.0
"""Standard deviations beyond which the normal distribution has nothing that counts."""


@dataclass(frozen=True)
class RankSets:
    """Places by value, the largest first.

    Attributes:
        rank: place by the published values; equal values share the better place.
        best: best place in the confidence set.
        worst: worst place in it.
    """

    rank: npt.NDArray[np.int64]
    best: npt.NDArray[np.int64]
    worst: npt.NDArray[np.int64]


def rank_sets(value: Floats, se: Floats, level: float = 0.95) -> RankSets:
    """Return the ranks of independent estimates with their simultaneous confidence sets.

    With the given probability, or more, the true ranks of all of them lie in their sets.

    Args:
        value: estimates, one an area.
        se: their standard errors, rounding included.
        level: of confidence.
    """
    above = value[None, :] - value[:, None]
    margin = critical_value(len(value), level) * np.sqrt(se[:, None] ** 2 + se[None, :] ** 2)
    surely = np.abs(above) > margin
    return RankSets(
        rank=1 + (above > 0).sum(axis=1),
        best=1 + (surely & (above > 0)).sum(axis=1),
        worst=len(value) - (surely & (above < 0)).sum(axis=1),
    )


@cache
def critical_value(count: int, level: float) -> float:
    """Return how many standard errors all differences of so many estimates keep within, at this level."""
    if count <= 1:
        return 0.0
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    x, dx = points * _BEYOND, weights * _BEYOND
    density = np.exp(-x * x / 2) / np.sqrt(2 * np.pi)

    def excess(q: float) -> float:
        """Chance that the range of ``count`` standard normal variables is below q, less the level."""
        return float(count * (dx * density) @ (ndtr(x) - ndtr(x - q)) ** (count - 1)) - level

    return float(brentq(excess, 0.0, 2 * _BEYOND)) / float(np.sqrt(2))
