"""Trimming of extreme weights: optional, and always stated with the result."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from copstats.analyse.weighting.diagnostics import Weighted, weighted
from copstats.analyse.weighting.margins import weights_of
from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]


def trim(records: pa.Table, weight: str, *, limit: float) -> Weighted:
    """Cut weights above a multiple of their median and spread what was cut over the others.

    The sum stays the same: weights that are not cut grow by one factor, and those which thereby pass the
        limit are
    cut too. Totals that the weights were calibrated to are no longer met: calibrate again.

    Args:
        records: respondents.
        weight: column of the weight; those that are 0 stay 0.
        limit: times the median of the weights that are not 0.

    Raises:
        EstimationError: E061, a weight; E071, a limit that is not above 1, or so low that the sum
            cannot be kept.

    Source: Potter (1990), Proceedings of the Survey Research Methods Section, ASA, 225-230.
    """
    if not (np.isfinite(limit) and limit > 1):
        raise EstimationError("E071", limit=str(limit))
    before = weights_of(records, weight)
    if not (before > 0).any():
        return weighted(before, before)
    highest = limit * float(np.median(before[before > 0]))
    cut = before > highest
    if highest * float((before > 0).sum()) < float(before.sum()):
        raise EstimationError("E071", limit=str(limit))
    # Each round cuts more weights; not all can pass the limit, because their mean does not.
    while True:
        growth = (before.sum() - highest * cut.sum()) / before[~cut].sum()
        beyond = ~cut & (before * growth > highest)
        if not beyond.any():
            break
        cut |= beyond
    after = np.where(cut, highest, before * growth)
    lost = float(np.maximum(before - highest, 0).sum())
    return weighted(
        before, after, trimmed=int((before > highest).sum()), trimmed_share=lost / float(before.sum())
    )
