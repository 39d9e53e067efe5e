"""Tests of differences, and p-values adjusted for how many of them are looked at together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, stdtr

Floats: TypeAlias = npt.NDArray[np.float64]
Adjustment: TypeAlias = Callable[[Floats, int], Floats]
"""Sorted p-values and their number to adjusted ones, in the same order."""

_STEPS = (1.0, 0.5)
_FINEST = 0.1


def holm(p: npt.ArrayLike) -> Floats:
    """Return p-values adjusted by Holm's step-down method.

    Those of at most 0.05 hold together: the chance that any of them is wrong is at most 5 %, however the
    tests depend on each other (Holm 1979, Scandinavian Journal of Statistics 6). NaN stays NaN and does not
    count.
    """
    return _adjusted(p, lambda ordered, m: np.maximum.accumulate(ordered * np.arange(m, 0, -1)))


def benjamini_hochberg(p: npt.ArrayLike) -> Floats:
    """Return p-values adjusted by the step-up method of Benjamini and Hochberg.

    Of those of at most 0.05, at most 5 % are expected to be wrong; for tests that are independent or depend
    positively (Benjamini and Hochberg 1995, Journal of the Royal Statistical Society B 57). NaN stays NaN.
    """

    def step_up(ordered: Floats, m: int) -> Floats:
        scaled = ordered * m / np.arange(1, m + 1)
        lowest: Floats = np.minimum.accumulate(scaled[::-1])[::-1]
        return lowest

    return _adjusted(p, step_up)


def p_values(difference: Floats, se: Floats, df: npt.ArrayLike = np.inf) -> Floats:
    """Return two-sided p-values by Student's t; by the normal distribution where ``df`` is infinite.

    Where both are 0 there is no difference to be tested: 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(difference) / se
    t = np.where((difference == 0) & (se == 0), 0.0, t)
    degrees = np.broadcast_to(np.asarray(df, float), t.shape)
    p: Floats = 2 * np.where(np.isinf(degrees), ndtr(-t), stdtr(np.minimum(degrees, 1e9), -t))
    return p


def rounding_variance(values: Floats) -> Floats:
    """Return the variance that rounding may have added: that of a uniform error, step squared by 12.

    A step is read off the value: a whole number is taken as rounded to whole per cents, a half to halves, any
    other to tenths. That is never too small a step for the steps of the disclosure profile.
    """
    step = np.full(np.shape(values), _FINEST)
    for coarser in reversed(_STEPS):
        whole = np.isclose(values / coarser, np.round(values / coarser), rtol=0, atol=1e-6)
        step = np.where(whole, coarser, step)
    variance: Floats = np.where(np.isnan(values), np.nan, step**2 / 12)
    return variance


def _adjusted(p: npt.ArrayLike, method: Adjustment) -> Floats:
    given = np.asarray(p, float)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    out = np.full(given.shape, np.nan)
    out[order] = np.minimum(method(given[order], len(order)), 1.0)
    return out
