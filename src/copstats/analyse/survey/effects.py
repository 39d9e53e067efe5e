"""Design effects: how much larger the variance is than that of a simple random sample of the same size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from copstats.analyse.survey.domains import Domains
from copstats.analyse.survey.sample import Sample
from copstats.analyse.survey.statistics import Statistic

Array = npt.NDArray[np.float64]

DesignEffect = Literal["without", "replace"]
"""The simple random sample to compare with: drawn without replacement, or with."""


def design_effects(
    sample: Sample,
    domains: Domains,
    statistics: Sequence[Statistic],
    variances: Array,
    rule: DesignEffect,
) -> Array:
    """Return the design effect of means, proportions, totals and counts; NaN for others.

    The variance of y in the population is estimated from weighted squares around the mean of the domain.
    Without replacement the sum of weights is taken as the size of the population, which says nothing where
    weights are scaled to the sample.

    Source: Kish (1965), section 8.2; R survey ``svymean(deff = TRUE)``.

    Args:
        sample: the records.
        domains: of the estimates.
        statistics: in the order of the estimates.
        variances: of the estimates, statistic by statistic, domain by domain; NaN where there is none.
        rule: which simple random sample to compare with.
    """
    effects, first = [], 0
    for statistic in statistics:
        last = first + len(domains.labels) * len(statistic.categories)
        rows = slice(first, last)
        shape = len(domains.labels), len(statistic.categories)
        if statistic.spread:
            simple = _simple_variances(sample, domains, statistic, rule)
            with np.errstate(divide="ignore", invalid="ignore"):
                effects.append((variances[rows].reshape(shape) / simple).ravel())
        else:
            effects.append(np.full(last - first, np.nan))
        first = last
    return np.concatenate(effects)


def _simple_variances(sample: Sample, domains: Domains, statistic: Statistic, rule: DesignEffect) -> Array:
    """Variances under simple random sampling, domains x categories."""
    values = [f"({y})::DOUBLE" for y in statistic.spread]
    ones = [f"CASE WHEN {y} IS NOT NULL THEN 1 END" for y in values]
    sums = sample.totals([*values, *ones], domains)
    count = len(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = sums.grand[:, count:]
        n = sums.counts.sum(axis=0)[:, count:].astype(float)
        centre = sums.grand[:, :count] / weight
        around = [_squares(y, domains, centre[:, i]) for i, y in enumerate(values)]
        # A second pass around the mean: the difference of two large sums of squares would lose digits.
        spread = sample.totals(around, domains).grand / weight * n / (n - 1)
        simple = spread / n
        if rule == "without":
            simple = simple * (weight - n) / weight
    simple = np.where(simple > 0, simple, np.nan)
    return simple * weight**2 if statistic.limits == "number" else simple


def _squares(y: str, domains: Domains, centres: Array) -> str:
    """SQL of the squared distance of y from the mean of its domain."""
    listed = ", ".join(
        f"{code}: {centre!r}::DOUBLE"
        for code, centre in zip(domains.codes, map(float, centres), strict=True)
        if math.isfinite(centre)
    )
    return f"power({y} - (MAP {{{listed}}})[{domains.number}], 2)"
