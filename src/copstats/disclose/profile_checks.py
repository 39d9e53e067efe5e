"""What no disclosure profile may leave open: a cell would pass without protection."""

from __future__ import annotations

from copstats.errors import DefinitionError
from copstats.framework.disclosure import TIERS, DisclosureProfile
from copstats.framework.located import Located

REQUIRED_REASONS = (
    *("n", "psus", "dominance", "low", "high", "crossing", "no_variance", "unknown"),
    *("unreliable", "secondary"),
)
"""Reasons that the gate gives; those of absent indicators stand beside them."""
_ROUNDS_EVENLY = 1e-9


def refuse_unsafe(profile: DisclosureProfile, located: Located) -> None:
    """Stop at the first part of a profile that would let a cell pass unprotected or unexplained.

    Args:
        profile: as it was read.
        located: the file, to name the line.

    Raises:
        DefinitionError: R011 to R015.
    """
    _refuse_missing_tiers(profile, located)
    _refuse_overlapping_codes(profile, located)
    _refuse_gaps_in_bands(profile, located)
    if missing := set(REQUIRED_REASONS) - profile.reasons.keys():
        raise DefinitionError("R014", where=located.where("reasons"), reasons=", ".join(sorted(missing)))


def _refuse_missing_tiers(profile: DisclosureProfile, located: Located) -> None:
    """A tier without a threshold or a step would pass unprotected or unrounded."""
    for name, threshold in profile.thresholds.given():
        if threshold.tiers.keys() != set(TIERS):
            raise DefinitionError("R011", where=located.where("thresholds", name, "tiers"))
    for unit, published in profile.units.items():
        for kind in ("value", "error"):
            steps = getattr(published, kind).steps
            where = located.where("units", unit, kind, "steps")
            if steps.keys() != set(TIERS) or any(0 not in steps[tier] for tier in TIERS):
                raise DefinitionError("R011", where=where)
            used = [step for tier in TIERS for step in steps[tier].values()]
            if any(abs(1 / step - round(1 / step)) > _ROUNDS_EVENLY for step in used):
                raise DefinitionError("R012", where=where)


def _refuse_overlapping_codes(profile: DisclosureProfile, located: Located) -> None:
    """No cell may be both low and high: that would say that it is nearly empty of both answers."""
    for tier in TIERS:
        events, n = profile.thresholds.minimum_events.tiers[tier], profile.thresholds.minimum_n.tiers[tier]
        if n < 2 * events:
            raise DefinitionError("R013", where=located.where("thresholds", "minimum_n"))


def _refuse_gaps_in_bands(profile: DisclosureProfile, located: Located) -> None:
    lower = [band.lower for band in profile.n_bands.bands]
    upper = [band.upper for band in profile.nonresponse_bands.bands]
    smallest = min(profile.thresholds.minimum_n.tiers.values())
    for name, ends, complete in (
        ("n_bands", lower, bool(lower) and lower[0] <= smallest),
        ("nonresponse_bands", upper, bool(upper) and upper[-1] == 1),
    ):
        if not complete or sorted(set(ends)) != ends:
            raise DefinitionError("R015", where=located.where(name, "bands"))
