"""Named profiles: what the practice of a producer adds to the disclosure profile of a framework."""

from __future__ import annotations

from msgspec import structs

from copstats.errors import DefinitionError
from copstats.framework.disclosure import DisclosureProfile, NamedProfile, Threshold
from copstats.framework.located import Located
from copstats.framework.typed import typed

_LARGER_IS_STRICTER = frozenset(
    {"minimum_n", "low_reliability_n", "minimum_events", "minimum_psus", "minimum_effective_n"}
)


def read_named(located: Located) -> NamedProfile:
    """Return a named profile.

    Raises:
        DefinitionError: D002, or R018 where its name is not that of its file.
    """
    profile = typed(located, NamedProfile)
    if profile.id != located.path.stem:
        raise DefinitionError("R018", where=located.where("id"), name=profile.id)
    return profile


def merged(base: DisclosureProfile, named: NamedProfile, located: Located) -> DisclosureProfile:
    """Return the base with the thresholds of a named profile in the place of its own.

    A tier that the named profile leaves out keeps the base's number.

    Args:
        base: profile of the framework.
        named: what adds to it.
        located: the file of the named profile, to name the line.

    Raises:
        DefinitionError: R017, a threshold is looser than the base's.
    """
    thresholds = {}
    for name, threshold in named.thresholds.given():
        own: Threshold | None = getattr(base.thresholds, name)
        held = own.tiers if own else {}
        for tier, number in threshold.tiers.items():
            if tier in held and _is_looser(name, number, held[tier]):
                where = located.where("thresholds", name, "tiers")
                raise DefinitionError("R017", where=where, tier=tier, threshold=name)
        thresholds[name] = structs.replace(threshold, tiers=held | threshold.tiers)
    return structs.replace(
        base,
        id=f"{base.id}+{named.id}",
        version=f"{base.version}+{named.version}",
        title=f"{base.title}; {named.title}",
        thresholds=structs.replace(base.thresholds, **thresholds),
    )


def _is_looser(name: str, number: float, base: float) -> bool:
    return number < base if name in _LARGER_IS_STRICTER else number > base
