"""Comparability of an indicator's value: class A, B or C, and why.

The criteria stand in ``schemas/<framework>/comparability.yaml``; what a wave shows of each is read from its
manifest, its crosswalk and the estimate. The class is that of the worst criterion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from copstats.analyse.domains import AgeBand, covered_ages, estimated_ages
from copstats.analyse.evidence import FACTS, Evidence, Fact, recall_share
from copstats.errors import DefinitionError
from copstats.framework.definitions import Definition
from copstats.framework.loader import DEFAULT_FRAMEWORK
from copstats.framework.located import Located
from copstats.project import project_root

__all__ = [
    "Class",
    "Criterion",
    "Evidence",
    "Fact",
    "Judged",
    "Thresholds",
    "Verdict",
    "comparability",
    "judged",
    "load_criteria",
    "pair_comparability",
    "shared_ages",
]

Class = Literal["A", "B", "C"]


class Thresholds(Definition, frozen=True, kw_only=True, rename={"a": "A", "b": "B"}):
    """Bounds of class A and of class B; beyond the latter it is C. No bound: the class cannot be reached."""

    a: float | None = None
    b: float | None = None


class Criterion(Definition, frozen=True, kw_only=True):
    """One criterion of comparability."""

    title: str
    evidence: str
    """Where the fact is taken from."""
    applies_to: Literal["all", "sensitive"] = "all"
    """``sensitive``: indicators with a variable whose sensitivity is at least ``sensitive``."""
    levels: dict[str, Class] = msgspec.field(default_factory=dict)
    at_least: Thresholds | None = None
    at_most: Thresholds | None = None
    variants: dict[str, Thresholds] = msgspec.field(default_factory=dict)
    """Thresholds that replace the common ones in a named circumstance."""
    unknown: Literal["B", "C"] = "B"
    source: list[str]


@dataclass(frozen=True)
class Verdict:
    """Class and reasons, for example ``B`` and ``coverage;recall_unknown``."""

    grade: Class
    reasons: str


@dataclass(frozen=True)
class Judged:
    """One criterion of one value.

    Attributes:
        criterion: its name.
        grade: class of the worst fact; A where the indicator has none.
        facts: what the wave shows.
        reasons: codes of what is not A: the criterion's name, or ``NAME_unknown`` where nothing is known.
    """

    criterion: str
    grade: Class
    facts: tuple[Fact, ...]
    reasons: frozenset[str]


@cache
def load_criteria(version: str = DEFAULT_FRAMEWORK, root: Path | None = None) -> dict[str, Criterion]:
    """Read ``comparability.yaml`` of a framework version.

    Raises:
        DefinitionError: D001 to D003, the file is malformed, or a criterion is unknown or missing.
    """
    located = Located((root or project_root()) / "schemas" / version / "comparability.yaml")
    try:
        criteria = msgspec.convert(located.data, dict[str, Criterion])
    except msgspec.ValidationError as problem:
        raise DefinitionError("D002", where=located.where(), problem=str(problem)) from None
    if wrong := criteria.keys() ^ FACTS.keys():
        raise DefinitionError("D002", where=located.where(), problem=f"criteria {sorted(wrong)}")
    return criteria


def comparability(evidence: Evidence, criteria: Mapping[str, Criterion]) -> Verdict:
    """Return the class of an indicator's value and the reasons why it is not A.

    A reason is the criterion's name, or ``NAME_unknown`` where nothing is known of it.
    """
    return _verdict(judged(evidence, criteria))


def judged(evidence: Evidence, criteria: Mapping[str, Criterion]) -> list[Judged]:
    """Return the criteria that apply to an indicator's value, in their order, each with its facts."""
    return [
        _judged(name, criterion, tuple(FACTS[name](evidence)))
        for name, criterion in criteria.items()
        if criterion.applies_to == "all" or evidence.sensitive
    ]


def pair_comparability(first: Evidence, second: Evidence, criteria: Mapping[str, Criterion]) -> Verdict:
    """Return the class in which two values of one indicator may be compared, and why it is not A.

    It is the class of the worse value, or a lower one where the two differ from each other by more than
    either from the framework: in recall period, or in ages. Two surveys of different ages share the band of
    `shared_ages`; with it as ``ages`` of both, the values on that band are judged.

    Args:
        first: of one value.
        second: of the other: another country, or another round.
        criteria: of the framework.
    """
    between = {"recall": _recalls_between(first, second), "age_band": _ages_between(first, second)}
    found = [_judged(name, criteria[name], facts) for name, facts in between.items() if name in criteria]
    return _verdict([*judged(first, criteria), *judged(second, criteria), *found])


def shared_ages(first: Evidence, second: Evidence) -> AgeBand | None:
    """Return the ages that both surveys cover and the indicator speaks of; None if there are none."""
    bands = [covered_ages(one.indicator, one.manifest) for one in (first, second)]
    bands.append(AgeBand(first.indicator.definition.ages.minimum, first.indicator.definition.ages.maximum))
    shared = AgeBand(max(band.minimum for band in bands), min(band.maximum for band in bands))
    return shared if shared.minimum <= shared.maximum else None


def _recalls_between(first: Evidence, second: Evidence) -> tuple[Fact, ...]:
    pairs = zip(first.recalls().values(), second.recalls().values(), strict=True)
    return tuple(
        Fact(recall_share(one, other)) for one, other in pairs if one is not None and other is not None
    )


def _ages_between(first: Evidence, second: Evidence) -> tuple[Fact, ...]:
    if first.ages is not None and first.ages == second.ages:
        return (Fact(0.0),)
    one, other = (
        frozenset(range(e.ages.minimum, e.ages.maximum + 1))
        if e.ages is not None
        else estimated_ages(e.indicator, e.manifest)
        for e in (first, second)
    )
    return (Fact(float(len(one ^ other))),)


def _judged(name: str, criterion: Criterion, facts: tuple[Fact, ...]) -> Judged:
    grades = [(_grade(criterion, fact), fact) for fact in facts]
    below = (fact for grade, fact in grades if grade != "A")
    reasons = frozenset(f"{name}_unknown" if fact.value is None else name for fact in below)
    return Judged(name, max((grade for grade, _ in grades), default="A"), facts, reasons)


def _verdict(found: Iterable[Judged]) -> Verdict:
    criteria = list(found)
    reasons = {reason for one in criteria for reason in one.reasons}
    return Verdict(max((one.grade for one in criteria), default="A"), ";".join(sorted(reasons)))


def _grade(criterion: Criterion, fact: Fact) -> Class:
    if fact.value is None:
        return criterion.unknown
    if isinstance(fact.value, str):
        return criterion.levels[fact.value]
    if criterion.at_least is not None:
        return _by_bounds(-fact.value, criterion.variants.get(fact.variant or "", criterion.at_least), -1)
    return _by_bounds(fact.value, criterion.at_most or Thresholds(), 1)


def _by_bounds(value: float, bounds: Thresholds, sign: int) -> Class:
    if bounds.a is not None and value <= sign * bounds.a:
        return "A"
    return "B" if bounds.b is not None and value <= sign * bounds.b else "C"
