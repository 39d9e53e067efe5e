"""The standard population: fixed shares of sex and age to which proportions are standardised."""

from __future__ import annotations

from copstats.framework.definitions import Indicator
from copstats.framework.model import Framework

BOTH_SEXES = "_T"
SEXES = ("F", "M")
"""Sexes of the standard population, in equal shares."""


def standard_shares(framework: Framework, indicator: Indicator, sex: str) -> dict[tuple[str, str], float]:
    """Return (sex, age band) -> share of the standard population, adding up to 1.

    The bands are those of the indicator's ages with the framework's weights; both sexes weigh the same. Empty
    where nothing can be standardised: a median, a table of sex and age that is not made, or ages that cut
    through a band.

    Args:
        framework: gives bands and weights.
        indicator: what is standardised.
        sex: ``F``, ``M`` or ``_T``.
    """
    tables = indicator.disaggregations
    made = framework.head.standard_disaggregations if tables is None else tables
    if indicator.statistic != "proportion" or "sex_age" not in made:
        return {}
    ages = indicator.ages
    bands = [b for b in framework.head.ages.bands if b.maximum >= ages.minimum and b.minimum <= ages.maximum]
    if any(b.minimum < ages.minimum or b.maximum > ages.maximum for b in bands):
        return {}
    sexes = SEXES if sex == BOTH_SEXES else (sex,)
    whole = sum(band.standard_weight for band in bands) * len(sexes)
    return {(one, band.code): band.standard_weight / whole for one in sexes for band in bands}
