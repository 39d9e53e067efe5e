"""Combinations of estimates and their covariance: linear, smooth, and to a standard population."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]

_STEP = 1e-30


def function_and_gradient(function: Callable[[Any], Any], theta: Array) -> tuple[float, Array]:
    """Return a smooth function's value and its derivatives, exact to the last digits.

    A complex step has no difference of near numbers in it: f'(x) = Im f(x + ih) / h.
    Source: Squire and Trapp (1998), SIAM Review 40, 110-112.
    """
    steps = theta.astype(complex) + 1j * _STEP * np.eye(len(theta))
    with np.errstate(divide="ignore", invalid="ignore"):
        gradient = np.array([complex(function(step)).imag / _STEP for step in steps])
        value = float(np.real(function(theta)))
    return value, gradient


def combined(coefficients: Array, theta: Array) -> Array:
    """Return coefficients x estimates (k' values); estimates that do not enter may be missing."""
    entering: Array = np.where(coefficients != 0, coefficients * theta, 0.0)
    sums: Array = entering.sum(axis=1)
    return sums


def propagated(gradient: Array, covariance: Array) -> Array:
    """Return G V G' (k' x k'), the delta method; what does not enter a row may be missing.

    Source: Wolter (2007), section 6.2.
    """
    missing = np.isnan(covariance)
    known = gradient @ np.where(missing, 0, covariance) @ gradient.T
    entering = (gradient != 0).astype(float)
    touched = entering @ missing @ entering.T > 0
    return np.where(touched, np.nan, known)


def standardising(
    keys: Sequence[Mapping[str, str]], by: tuple[str, ...], weights: Mapping[Any, float]
) -> tuple[list[dict[str, str]], Array]:
    """Return the keys that remain and the coefficients of each (k' x k); shares add up to 1.

    Raises:
        EstimationError: E020, ``by`` is no column of the domains; E022, a level has no weight.
    """
    columns = list(keys[0]) if keys else []
    if not set(by) <= set(columns) - {"statistic", "variable", "category"}:
        raise EstimationError("E020", description=", ".join(by), columns=", ".join(columns))
    shares = {_level(level): weight / sum(weights.values()) for level, weight in weights.items()}
    groups: dict[tuple[tuple[str, str], ...], dict[tuple[str, ...], int]] = {}
    for row, key in enumerate(keys):
        rest = tuple((name, text) for name, text in key.items() if name not in by)
        groups.setdefault(rest, {})[tuple(key[name] for name in by)] = row
    coefficients = np.zeros((len(groups), len(keys)))
    for number, rows in enumerate(groups.values()):
        if strange := rows.keys() - shares.keys():
            raise EstimationError("E022", count=len(shares), wanted=len(shares) + len(strange))
        for level, row in rows.items():
            coefficients[number, row] = shares[level]
        if shares.keys() - rows.keys():
            # A level of the standard population that the domain lacks: the combination has no value.
            coefficients[number] = np.where(coefficients[number] != 0, np.nan, 0)
    return [dict(rest) for rest in groups], coefficients


def _level(level: Any) -> tuple[str, ...]:
    return tuple(map(str, level)) if isinstance(level, tuple) else (str(level),)
