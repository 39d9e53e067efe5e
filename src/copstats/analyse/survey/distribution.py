"""Weighted distribution of a variable, and the definitions of its quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]

QuantileRule = Literal["math", "school", "hf1", "hf2", "hf3", "hf4", "hf5", "hf6", "hf7", "hf8", "hf9"]
"""Definitions of Hyndman and Fan, by their numbers; ``math`` is the first and ``school`` the second."""

SAME_SHARE = 1e-12
"""Cumulated shares that differ by less are one: sums of weights carry rounding errors."""

_CONTINUOUS: dict[str, tuple[float, float]] = {
    "hf4": (1, 0),
    "hf5": (1 / 2, 0),
    "hf6": (1, 1),
    "hf7": (0, -1),
    "hf8": (2 / 3, 1 / 3),
    "hf9": (5 / 8, 1 / 4),
}
"""A record stands at the share (before + a x own weight) / (all + b x weight of the last): rule -> a, b."""


@dataclass(frozen=True)
class Distribution:
    """Distinct values in ascending order, with the weights of their records.

    Attributes:
        values: distinct values.
        weights: sum of weights of each.
        first: weight of the first of the records with each value, in the order of the data.
        last: weight of the last of them.
    """

    values: Array
    weights: Array
    first: Array
    last: Array

    def quantiles(self, shares: Array, rule: QuantileRule = "math") -> Array:
        """Return quantiles; NaN where a share is NaN or outside 0 to 1, or where there is no value.

        Below the first and above the last step the first and the last value hold. (R's ``math`` returns the
        second record below the share of the first.)

        Args:
            shares: of the population.
            rule: ``math`` (``hf1``): the smallest value with at least that share at or below it; ``school``
                (``hf2``): the middle of two where a share falls between them; ``hf3``: the even one of the
                two;
                ``hf4`` to ``hf9``: straight lines between records. These depend on the order of the data, as
                    in R,
                where records of equal value and unequal weight stand at the end of a line.

        Raises:
            EstimationError: E060, there is no such rule.

        Source: Hyndman and Fan (1996), The American Statistician 50, 361-365; with weights R survey 4.5
        ``svyquantile``.
        """
        if rule not in get_args(QuantileRule):
            raise EstimationError("E060", option=rule, known=", ".join(get_args(QuantileRule)))
        possible = (shares >= 0) & (shares <= 1)
        if not len(self.values):
            return np.full(len(shares), np.nan)
        at = np.where(possible, shares, 0.5)
        found = self._on_lines(at, rule) if rule in _CONTINUOUS else self._on_steps(at, rule)
        return np.where(possible, found, np.nan)

    def _on_steps(self, shares: Array, rule: QuantileRule) -> Array:
        cumulated = np.cumsum(self.weights) / self.weights.sum()
        last = len(cumulated) - 1
        place = np.minimum(np.searchsorted(cumulated, shares - SAME_SHARE), last)
        following = np.minimum(place + 1, last)
        between = np.abs(cumulated[place] - shares) <= SAME_SHARE
        if rule in ("school", "hf2"):
            middle = (self.values[place] + self.values[following]) / 2
            return np.where(between, middle, self.values[place])
        if rule == "hf3":
            # Counted from 1 the even positions are the odd ones counted from 0.
            return self.values[np.where(between & (place % 2 == 0), following, place)]
        return self.values[place]

    def _on_lines(self, shares: Array, rule: QuantileRule) -> Array:
        own, end = _CONTINUOUS[rule]
        cumulated = np.cumsum(self.weights)
        before = cumulated - self.weights
        # Equal values are flat between the first and the last of their records.
        first = before + own * self.first
        final = cumulated - (1 - own) * self.last
        span = cumulated[-1] + end * self.last[-1]
        if span <= 0:
            return np.full(len(shares), self.values[0])
        knots = np.column_stack([first, final]).ravel() / span
        found: Array = np.interp(shares, knots, np.repeat(self.values, 2))
        return found
