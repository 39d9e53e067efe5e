"""Tiers of disclosure control: an indicator is as sensitive as what it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from copstats.framework.definitions import Variable
from copstats.framework.expressions import Predicate
from copstats.framework.model import ParsedIndicator


def more_sensitive_sources(
    indicator: ParsedIndicator, variables: Mapping[str, Variable], universes: Mapping[str, Predicate]
) -> list[str]:
    """Return the variables and members of tier B of an indicator of tier A, by name; none if it is of tier B.

    A variable that is asked only of those who answered another in some way tells that answer: filters count,
    and their filters.

    Args:
        indicator: with its members parsed.
        variables: of all records.
        universes: variable -> who is asked.
    """
    if indicator.definition.tier == "B":
        return []
    members = {member.definition.code for member in indicator.members if member.definition.tier == "B"}
    read = _with_filters(indicator.variables, universes)
    return sorted(members | {name for name in read if variables[name].tier == "B"})


def _with_filters(names: Iterable[str], universes: Mapping[str, Predicate]) -> set[str]:
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += universes[name].variables if name in universes else ()
    return reached
