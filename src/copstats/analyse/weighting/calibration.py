"""Calibration: weights close to those before that meet known totals of categories and of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from copstats.analyse.weighting.diagnostics import Weighted, weighted
from copstats.analyse.weighting.margins import floats, matched_all, require, weights_of
from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]

Method = Literal["linear", "raking", "logit"]

SIZE = "1"
"""The name in ``totals`` that stands for the number of people."""

TOLERANCE = 1e-11
MOST_ITERATIONS = 100
_HALVINGS = 20


@dataclass(frozen=True)
class _Distance:
    """The factor as a function of the linear predictor u, and its derivative."""

    factor: Callable[[Array], Array]
    slope: Callable[[Array], Array]


@dataclass(frozen=True)
class _Stop:
    """When the search for a solution ends: close enough, or too long."""

    tolerance: float
    iterations: int


def calibrate(
    records: pa.Table,
    weight: str,
    margins: Sequence[pa.Table] = (),
    totals: Mapping[str, float] | None = None,
    *,
    method: Method = "linear",
    bounds: tuple[float, float] | None = None,
    tolerance: float = TOLERANCE,
    iterations: int = MOST_ITERATIONS,
) -> Weighted:
    """Calibrate weights to population totals.

    Args:
        records: respondents; n records and m totals take n x m numbers of memory.
        weight: column of the weight before.
        margins: population tables, each with its category columns, named as in the records, and ``total``.
        totals: population totals of number columns; ``"1"`` is the number of people.
        method: ``linear`` is the generalised regression estimator, whose weights can be negative without
            bounds; ``raking`` multiplies (with margins alone: as `rake`); ``logit`` stays between the bounds.
        bounds: least and greatest factor; linear and raking factors are cut there, with logit they approach
            it. Together with many totals there may be no solution.
        tolerance: largest difference from a total, relative to 1 + the total, at which to stop.
        iterations: Newton steps after which to give up.

    Raises:
        EstimationError: E060, unknown method; E061 to E065 or E070: weights, categories or totals that do not
            fit; E066, no solution found; E067, bounds that do not enclose 1.

    Source: Deville and Särndal (1992), Journal of the American Statistical Association 87, 376-382, section 2
    and cases 1, 2, 6 and 7.
    """
    before = weights_of(records, weight)
    distance = _distance(method, bounds)
    design, wanted = _auxiliaries(records, margins, totals or {}, before)
    if not len(wanted):
        return weighted(before, before)
    predictor, done, left = _newton(design, before, wanted, distance, _Stop(tolerance, iterations))
    factors = distance.factor(predictor)
    return weighted(
        before,
        before * factors,
        _population(margins, totals or {}),
        iterations=done,
        largest_difference=left,
        at_bounds=sum(int(np.isclose(factors, bound).sum()) for bound in bounds or ()),
    )


def _distance(method: Method, bounds: tuple[float, float] | None) -> _Distance:
    if method not in get_args(Method):
        raise EstimationError("E060", option=method, known=", ".join(get_args(Method)))
    low, high = bounds or (-np.inf, np.inf)
    if not low < 1 < high or (method == "logit" and bounds is None):
        raise EstimationError("E067", lower=str(low), upper=str(high))
    if method == "linear":
        return _Distance(
            lambda u: np.clip(1 + u, low, high), lambda u: ((1 + u > low) & (1 + u < high)).astype(float)
        )
    if method == "raking":
        return _Distance(
            lambda u: np.clip(_exp(u), low, high),
            lambda u: np.where((_exp(u) > low) & (_exp(u) < high), _exp(u), 0),
        )
    return _logit(low, high)


def _exp(u: Array) -> Array:
    # A Newton step that goes too far is halved: it must not overflow first.
    return np.exp(np.clip(u, -500, 500))


def _logit(low: float, high: float) -> _Distance:
    """Deville and Särndal's case 6: an S-shaped curve between the bounds, with slope 1 at factor 1."""
    rate = (high - low) / ((1 - low) * (high - 1))

    def position(u: Array) -> Array:
        # The curve as a share of the way from the lower to the upper bound.
        return 1 / (1 + (high - 1) / (1 - low) * _exp(-rate * u))

    def slope(u: Array) -> Array:
        share = position(u)
        return (high - low) * rate * share * (1 - share)

    return _Distance(lambda u: low + (high - low) * position(u), slope)


def _auxiliaries(
    records: pa.Table, margins: Sequence[pa.Table], totals: Mapping[str, float], weight: Array
) -> tuple[Array, Array]:
    """Return the calibration variables (records x totals) and the totals to meet."""
    columns: list[Array] = []
    wanted: list[float] = []
    for margin in matched_all(records, margins, weight):
        kept = np.flatnonzero(margin.totals > 0)
        columns.extend((margin.codes == category).astype(float) for category in kept)
        wanted.extend(margin.totals[kept])
    require(records, [name for name in totals if name != SIZE])
    for name, total in totals.items():
        values = np.ones(len(weight)) if name == SIZE else floats(records[name])
        if missing := int((~np.isfinite(values)).sum()):
            raise EstimationError("E062", column=name, count=missing)
        columns.append(values)
        wanted.append(float(total))
    return (np.column_stack(columns) if columns else np.empty((len(weight), 0))), np.array(wanted)


def _population(margins: Sequence[pa.Table], totals: Mapping[str, float]) -> float | None:
    if margins:
        return float(floats(margins[0]["total"]).sum())
    return totals.get(SIZE)


def _newton(
    design: Array, weight: Array, wanted: Array, distance: _Distance, stop: _Stop
) -> tuple[Array, int, float]:
    """Solve sum of weight x factor(x'b) x = wanted; return x'b, the steps, and the difference left."""
    # Columns of very different size (1 and an income) would spoil the solution of the linear equations.
    scale = np.maximum(np.abs(design).max(axis=0, initial=0), np.finfo(float).tiny)
    x, target = design / scale, wanted / scale

    def misfit(at: Array) -> Array:
        missing: Array = target - x.T @ (weight * distance.factor(x @ at))
        return missing

    def difference(missing: Array) -> float:
        return float((np.abs(missing * scale) / (1 + np.abs(wanted))).max())

    b = np.zeros(len(wanted))
    missing = misfit(b)
    for done in range(stop.iterations + 1):
        if difference(missing) <= stop.tolerance:
            return x @ b, done, difference(missing)
        slopes = (x * (weight * distance.slope(x @ b))[:, None]).T @ x
        step = np.linalg.pinv(slopes, hermitian=True) @ missing
        b, missing = _shorter(b, step, missing, misfit)
    raise EstimationError("E066", iterations=stop.iterations, difference=f"{difference(missing):.2g}")


def _shorter(b: Array, step: Array, missing: Array, misfit: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Return the end of the step; it is halved while it leads further away from the totals."""
    best, found = b, missing
    for halving in range(_HALVINGS):
        best = b + step / 2**halving
        found = misfit(best)
        if np.linalg.norm(found) < np.linalg.norm(missing):
            break
    return best, found
