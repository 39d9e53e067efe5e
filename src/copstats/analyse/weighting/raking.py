"""Raking and post-stratification: weights that reproduce the population by categories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from copstats.analyse.weighting.diagnostics import Weighted, weighted
from copstats.analyse.weighting.margins import Margin, carried, matched_all, weights_of
from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]

TOLERANCE = 1e-12
MOST_ITERATIONS = 2000


def post_stratify(records: pa.Table, weight: str, margin: pa.Table) -> Weighted:
    """Weight the records to one population table, exactly.

    Args:
        records: respondents.
        weight: column of the weight before.
        margin: category columns, named as in the records, and ``total``; crossed categories are several
            columns.

    Raises:
        EstimationError: E061 to E064 or E070: weights, categories or totals that do not fit.

    Source: Holt and Smith (1979), Journal of the Royal Statistical Society A 142, 33-46.
    """
    return rake(records, weight, [margin])


def rake(
    records: pa.Table,
    weight: str,
    margins: Sequence[pa.Table],
    *,
    tolerance: float = TOLERANCE,
    iterations: int = MOST_ITERATIONS,
) -> Weighted:
    """Weight the records to several population tables by iterative proportional fitting.

    Args:
        records: respondents.
        weight: column of the weight before.
        margins: population tables, each with its category columns, named as in the records, and ``total``.
        tolerance: largest relative difference from any total at which to stop.
        iterations: rounds over all tables after which to give up.

    Raises:
        EstimationError: E061 to E065 or E070: weights, categories or totals that do not fit; E066, it does
            not converge, as where an empty combination of categories makes the tables contradict the sample.

    Source: Deming and Stephan (1940), Annals of Mathematical Statistics 11, 427-444; Deville, Särndal and
    Sautory (1993), Journal of the American Statistical Association 88, 1013-1020.
    """
    before = weights_of(records, weight)
    found = matched_all(records, margins, before)
    if not found:
        return weighted(before, before)
    # All records of a combination of categories have the same factor: the rounds run over combinations.
    cells, cell_of = np.unique(
        np.column_stack([margin.codes for margin in found]), axis=0, return_inverse=True
    )
    cell_of = cell_of.reshape(-1)
    sums = carried(cell_of, before, len(cells))
    factors, rounds, left = _fit(sums, cells, found, tolerance, iterations)
    population = float(found[0].totals.sum())
    return weighted(before, before * factors[cell_of], population, iterations=rounds, largest_difference=left)


def _fit(
    sums: Array, cells: npt.NDArray[np.int64], margins: Sequence[Margin], tolerance: float, iterations: int
) -> tuple[Array, int, float]:
    """Return the factor of each combination, the rounds it took, and the largest difference left."""
    factors = np.ones(len(sums))
    left = np.inf
    for done in range(1, iterations + 1):
        for position, margin in enumerate(margins):
            codes = cells[:, position]
            factors *= _ratio(margin.totals, carried(codes, sums * factors, len(margin.totals)))[codes]
        left = max(
            _difference(carried(cells[:, position], sums * factors, len(margin.totals)), margin.totals)
            for position, margin in enumerate(margins)
        )
        if left <= tolerance:
            return factors, done, left
    raise EstimationError("E066", iterations=iterations, difference=f"{left:.2g}")


def _ratio(wanted: Array, found: Array) -> Array:
    return np.divide(wanted, found, out=np.ones_like(wanted), where=found > 0)


def _difference(found: Array, wanted: Array) -> float:
    return float(np.abs(_ratio(found, wanted) - 1).max())
