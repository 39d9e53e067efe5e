"""Holds a country's estimates against those of other countries (ESS level 3)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from copstats.process.compiled import Judged, Parameter
from copstats.process.figures import significant
from copstats.process.judging import decided, undecided
from copstats.process.records import RecordTable

FAR = "indicator_far"
ROBUST_Z = 3.5
"""A modified z-score beyond this is an outlier (Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers,
section 3.3)."""
_MAD_OF_NORMAL = 0.6745
"""Median absolute deviation of a standard normal variable, rounded as by Iglewicz and Hoaglin."""
COUNTRIES = 5
"""With fewer other countries the median says little; our choice."""
_STANDARD_ERRORS = 2


def judge_peers(table: RecordTable, own: pa.Table | None, others: pa.Table | None) -> Iterator[Judged]:
    """Yield one outcome for each indicator of the submission.

    Args:
        table: the file of children, on which the outcomes are told.
        own: the submission's estimates: ``indicator``, ``estimate``, ``se`` (NULL where it is not known);
            both tables are in the unit in which values are to be shown.
        others: those of other countries: ``indicator``, ``ref_area``, ``estimate``; one row a country.
    """
    if others is None:
        yield undecided(table, FAR, "no_estimates")
        return
    if own is None or own.num_rows == 0:
        yield undecided(table, FAR, "no_own_estimates")
        return
    area = table.manifest.ref_area
    known: dict[str, list[float]] = {}
    for row in others.to_pylist():
        if row["ref_area"] != area and row["estimate"] is not None:
            known.setdefault(row["indicator"], []).append(row["estimate"])
    for row in sorted(own.to_pylist(), key=lambda row: str(row["indicator"])):
        if row["estimate"] is not None:
            values = known.get(row["indicator"], [])
            yield _judge(table, row["indicator"], row["estimate"], row["se"] or 0.0, values)


def _judge(table: RecordTable, indicator: str, estimate: float, error: float, others: list[float]) -> Judged:
    if len(others) < COUNTRIES:
        return undecided(table, FAR, "few_countries", subject=indicator)
    median = float(np.median(others))
    deviation = float(np.median(np.abs(np.asarray(others) - median)))
    if deviation == 0:
        return undecided(table, FAR, "others_alike", subject=indicator)
    off = abs(estimate - median)
    far = _MAD_OF_NORMAL * off / deviation > ROBUST_Z and off > _STANDARD_ERRORS * error
    told: dict[str, Parameter] = {
        "indicator": indicator,
        "now": significant(estimate, 3) or 0.0,
        "median": significant(median, 3) or 0.0,
        "countries": len(others),
    }
    return decided(table, FAR, None, told if far else None, subject=indicator)
