"""Estimates from several completed data sets, combined by Rubin's rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from copstats.analyse.survey.result import Estimates
from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]

LEAST_SETS = 2


def combine_imputations(estimates: Sequence[Estimates], *, complete_df: float = math.inf) -> Estimates:
    """Combine the estimates of multiply imputed data by Rubin's rules.

    The estimate is the mean; its variance T = W + (1 + 1/m) B, the mean W of the m variances and the variance
    B between the m estimates. Degrees of freedom follow Rubin (1987), section 3.3; with ``complete_df``
    Barnard and Rubin (1999), as R mitools ``MIcombine`` computes them.

    Args:
        estimates: of the same call on each completed data set.
        complete_df: degrees of freedom if nothing had been missing, such as PSUs minus strata.

    Returns:
        Estimates whose ``n`` is the smallest of the sets and whose design effects are gone.

    Raises:
        EstimationError: E022, fewer than two sets, or sets with other rows.
    """
    parts = _parts(estimates)
    first = estimates[0]
    return replace(
        first,
        estimate=np.mean([other.estimate for other in estimates], axis=0),
        covariance=parts.within + (1 + 1 / parts.count) * parts.between,
        n=np.min([other.n for other in estimates], axis=0),
        support=replace(first.support, fixed=parts.degrees_of_freedom(complete_df)),
        deff=None,
        logit_se=None,
        given=None,
        limits=tuple("number" if limits == "given" else limits for limits in first.limits),
    )


def missing_information(estimates: Sequence[Estimates], *, complete_df: float = math.inf) -> Array:
    """Return the share of information on each estimate that is missing: (r + 2/(df + 3))/(r + 1).

    r = (1 + 1/m) B / W is the increase of the variance that the missing answers cause. NaN where an estimate
    has no variance at all. Source: Rubin (1987), equation 3.1.10.

    Args:
        estimates: of the same call on each completed data set.
        complete_df: as in `combine_imputations`.

    Raises:
        EstimationError: E022, fewer than two sets, or sets with other rows.
    """
    parts = _parts(estimates)
    increase = parts.increase
    with np.errstate(divide="ignore", invalid="ignore"):
        share: Array = (increase + 2 / (parts.degrees_of_freedom(complete_df) + 3)) / (increase + 1)
    return np.where(np.isinf(increase), 1.0, share)


@dataclass(frozen=True)
class _Parts:
    """Covariance within data sets (mean) and between them (k x k), and the number of sets."""

    within: Array
    between: Array
    count: int

    @property
    def increase(self) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Array = (1 + 1 / self.count) * np.diag(self.between) / np.diag(self.within)
        return found

    def degrees_of_freedom(self, complete_df: float) -> Array:
        within, between = np.diag(self.within), np.diag(self.between)
        with np.errstate(divide="ignore", invalid="ignore"):
            df = (self.count - 1) * (1 + 1 / self.increase) ** 2
            if math.isfinite(complete_df):
                # Degrees of freedom of the answers that there are. Barnard and Rubin have (1 + 1/m) B here;
                # mitools leaves the factor out, which gives slightly more degrees of freedom.
                share = within / (within + between)
                observed = (complete_df + 1) / (complete_df + 3) * complete_df * share
                df = 1 / (1 / observed + 1 / df)
        # No spread at all: nothing is known to be missing.
        return np.where((within == 0) & (between == 0), complete_df, df)


def _parts(estimates: Sequence[Estimates]) -> _Parts:
    count = len(estimates)
    if count < LEAST_SETS or any(other.keys != estimates[0].keys for other in estimates):
        raise EstimationError("E022", count=count, wanted=LEAST_SETS)
    values = np.stack([other.estimate for other in estimates])
    deviation = values - values.mean(axis=0)
    within = np.mean([other.covariance for other in estimates], axis=0)
    return _Parts(within, deviation.T @ deviation / (count - 1), count)
