"""How many children a domain needs so that its values may be published, by the disclosure profile.

The profile is read as plain data: this package must not know the one that applies it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copstats.errors import DefinitionError, UsageError
from copstats.framework.loader import DEFAULT_FRAMEWORK
from copstats.framework.located import Located
from copstats.project import project_root

FILE = "disclosure.yaml"
TIERS = ("A", "B")


@dataclass(frozen=True)
class Publishable:
    """What a domain needs before a share in it is published.

    Attributes:
        tier: of the disclosure profile.
        minimum_answers: valid answers below which nothing is published.
        reliable_answers: valid answers below which a value is marked as of low reliability.
        minimum_events: answers of either kind below which only `low` or `high` is published.
        minimum_psus: primary sampling units below which nothing is published.
        valid_answers: valid answers needed for both minima, at the expected prevalence.
        children: interviews needed.
    """

    tier: str
    minimum_answers: int
    reliable_answers: int
    minimum_events: int
    minimum_psus: int
    valid_answers: int
    children: int


def publishable(
    prevalence: float,
    *,
    base_share: float = 1.0,
    assurance: float | None = None,
    version: str = DEFAULT_FRAMEWORK,
    root: Path | None = None,
) -> tuple[Publishable, ...]:
    """Return, for each tier, what a domain needs so that its value may be published.

    Args:
        prevalence: expected share, above 0 and below 1.
        base_share: share of interviewed children who belong to the indicator's base and give a valid answer.
        assurance: probability with which the minimum of events is to be reached, counting answers as
            independent; None: it is reached on average, thus in about half of such samples. Answers of
            children in the same school or place are alike: somewhat more are needed than this says.
        version: framework version whose disclosure profile holds.
        root: folder that holds ``schemas/``; the project's own by default.

    Raises:
        UsageError: U150.
        DefinitionError: D001 to D003 or D016, the profile cannot be read or lacks a threshold.
    """
    open_interval = "more than 0 and less than 1"
    for name, value in (("prevalence", prevalence), ("assurance", assurance)):
        if value is not None and not 0 < value < 1:
            raise UsageError("U150", name=name, value=f"{value:g}", allowed=open_interval)
    if not 0 < base_share <= 1:
        allowed = "more than 0 and at most 1"
        raise UsageError("U150", name="base_share", value=f"{base_share:g}", allowed=allowed)
    path = (root or project_root()) / "schemas" / version / FILE
    if not path.is_file():
        raise DefinitionError("D016", where=f"{version}/{FILE}")
    profile = Located(path)
    rarer = min(prevalence, 1 - prevalence)
    out = []
    for tier in TIERS:
        events = _threshold(profile, "minimum_events", tier)
        answers = max(_threshold(profile, "minimum_n", tier), _answers_for(events, rarer, assurance))
        out.append(
            Publishable(
                tier=tier,
                minimum_answers=_threshold(profile, "minimum_n", tier),
                reliable_answers=_threshold(profile, "low_reliability_n", tier),
                minimum_events=events,
                minimum_psus=_threshold(profile, "minimum_psus", tier),
                valid_answers=answers,
                children=math.ceil(answers / base_share - 1e-9),
            )
        )
    return tuple(out)


def _threshold(profile: Located, name: str, tier: str) -> int:
    data: Any = profile.data
    for key in ("thresholds", name, "tiers", tier):
        data = data.get(key) if isinstance(data, dict) else None
    if not isinstance(data, int | float):
        problem = f"thresholds.{name}.tiers.{tier} is not a number"
        raise DefinitionError("D002", where=profile.where("thresholds", name), problem=problem)
    return math.ceil(data)


def _answers_for(events: int, share: float, assurance: float | None) -> int:
    """Return the smallest number of answers that holds so many events."""
    on_average = math.ceil(events / share - 1e-9)
    if assurance is None:
        return on_average
    from scipy.stats import binom

    low, high = events, on_average
    while binom.sf(events - 1, high, share) < assurance:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        if binom.sf(events - 1, middle, share) >= assurance:
            high = middle
        else:
            low = middle + 1
    return high
