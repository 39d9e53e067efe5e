"""What a methodologist looks at after weighting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Array = npt.NDArray[np.float64]

EXTREME = (3, 5, 10)
"""Weights above so many times the median are counted."""

QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


@dataclass(frozen=True)
class Diagnostics:
    """One set of weights, beside the one before it.

    Records with weight 0 (those who did not respond) are left out of every figure but ``records``.

    Attributes:
        records: number of records.
        weighted: number of records with a weight above 0.
        sum_before: sum of the weights before.
        sum_after: sum of the weights.
        population: size of the population known from elsewhere; None where no such number was used.
        mean: of the weights.
        minimum: the smallest weight.
        maximum: the largest.
        ratio: largest over smallest.
        variation: coefficient of variation of the weights, with divisor n.
        kish_effect: 1 + variation squared: by how much unequal weights alone raise the variance of a mean.
        effective_size: ``weighted`` over ``kish_effect``.
        factors: minimum, 5th, 25th, 50th, 75th and 95th percentile and maximum of the weight after over
            before.
        extreme: number of weights above 3, 5 and 10 times the median.
        trimmed: number of weights cut.
        trimmed_share: share of the sum of weights before trimming that was cut.
        iterations: rounds until all totals were met; 0 where nothing was iterated.
        largest_difference: relative difference from a total that is left, the largest.
        at_bounds: number of factors at a bound.
        merged_classes: number of weighting classes that were joined to another.

    Source: Kish (1965), Survey Sampling, section 11.7; Kish (1992), Journal of Official Statistics 8,
    183-200.
    """

    records: int
    weighted: int
    sum_before: float
    sum_after: float
    population: float | None
    mean: float
    minimum: float
    maximum: float
    ratio: float
    variation: float
    kish_effect: float
    effective_size: float
    factors: tuple[float, ...]
    extreme: tuple[int, ...]
    trimmed: int = 0
    trimmed_share: float = 0.0
    iterations: int = 0
    largest_difference: float = 0.0
    at_bounds: int = 0
    merged_classes: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return every figure by its name, the compound ones spread out, for a report or JSON."""
        out = asdict(self)
        for share, value in zip(QUANTILES, out.pop("factors"), strict=True):
            out[f"factor_p{share * 100:g}"] = value
        for times, count in zip(EXTREME, out.pop("extreme"), strict=True):
            out[f"above_{times}_medians"] = count
        return out


@dataclass(frozen=True)
class Weighted:
    """The result of a step of weighting.

    Attributes:
        weights: one for each record, in the order of the records; 0 for those who did not respond.
        factors: weight after over weight before.
        diagnostics: figures on both.
        classes: weighting classes with their factor, of the adjustment for non-response only.
    """

    weights: pa.DoubleArray
    factors: pa.DoubleArray
    diagnostics: Diagnostics
    classes: pa.Table | None = None


def weighted(
    before: Array,
    after: Array,
    population: float | None = None,
    classes: pa.Table | None = None,
    **figures: Any,
) -> Weighted:
    """Return weights with their factors and diagnostics.

    Args:
        before: weights before the step.
        after: weights after it.
        population: known size of the population.
        classes: see `Weighted`.
        **figures: of `Diagnostics` that only the step itself knows.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = np.where(before > 0, after / before, 0.0)
    found = diagnose(after, before=before, population=population)
    return Weighted(pa.array(after), pa.array(factors), replace(found, **figures), classes)


def diagnose(weights: Array, *, before: Array | None = None, population: float | None = None) -> Diagnostics:
    """Return the diagnostics of any set of weights, also of final weights given by a country.

    Args:
        weights: not negative; those that are 0 are counted and left aside.
        before: weights before the last step; without them the factors are 1.
        population: size of the population known from elsewhere.
    """
    before = weights if before is None else before
    used = weights > 0
    kept = weights[used]
    if not len(kept):
        kept = np.array([np.nan])
    variation = float(np.std(kept) / np.mean(kept))
    median = float(np.median(kept))
    factors = kept / before[used] if used.any() else kept
    return Diagnostics(
        records=len(weights),
        weighted=int(used.sum()),
        sum_before=float(before.sum()),
        sum_after=float(weights.sum()),
        population=population,
        mean=float(np.mean(kept)),
        minimum=float(kept.min()),
        maximum=float(kept.max()),
        ratio=float(kept.max() / kept.min()),
        variation=variation,
        kish_effect=1 + variation**2,
        effective_size=float(used.sum() / (1 + variation**2)),
        factors=tuple(float(value) for value in np.quantile(factors, QUANTILES)),
        extreme=tuple(int((kept > times * median).sum()) for times in EXTREME),
    )


def diagnose_classes(records: pa.Table, weights: pa.DoubleArray, by: Sequence[str]) -> pa.Table:
    """Return Kish's effect within every class of the records.

    Args:
        records: the records.
        weights: one for each.
        by: columns whose values make the classes.

    Returns:
        The columns of ``by``, and ``records, sum, kish_effect, effective_size``, sorted by class; records
        with weight 0 are left aside.
    """
    table = records.select(list(by)).append_column("w", weights).filter(pc.greater(weights, 0))
    table = table.append_column("ww", pc.multiply(table["w"], table["w"]))
    sums = table.group_by(list(by)).aggregate([("w", "count"), ("w", "sum"), ("ww", "sum")])
    sums = sums.sort_by([(name, "ascending") for name in by])
    size = pc.divide(pc.multiply(sums["w_sum"], sums["w_sum"]), sums["ww_sum"])
    return pa.table(
        {
            **{name: sums[name] for name in by},
            "records": sums["w_count"],
            "sum": sums["w_sum"],
            "kish_effect": pc.divide(pc.cast(sums["w_count"], pa.float64()), size),
            "effective_size": size,
        }
    )
