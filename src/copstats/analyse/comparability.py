"""Comparability of an indicator's value: class A, B or C, and why.

The criteria stand in ``schemas/<framework>/comparability.yaml``; what a wave shows of each is read from its
manifest, its crosswalk and the estimate. The class is that of the worst criterion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from copstats.analyse.domains import covered_ages, estimated_ages
from copstats.errors import DefinitionError
from copstats.framework.definitions import Definition
from copstats.framework.loader import DEFAULT_FRAMEWORK, Framework, ParsedIndicator
from copstats.framework.located import Located
from copstats.framework.manifest import Crosswalk, SurveyManifest, Wording
from copstats.project import project_root

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
class Fact:
    """What a wave shows of a criterion; ``value`` None: nothing is known."""

    value: str | float | None
    variant: str | None = None


@dataclass(frozen=True)
class Verdict:
    """Class and reasons, for example ``B`` and ``coverage;recall_unknown``."""

    grade: Class
    reasons: str


@dataclass(frozen=True)
class Evidence:
    """All that the facts of one indicator in one wave are read from."""

    indicator: ParsedIndicator
    manifest: SurveyManifest
    crosswalk: Crosswalk | None
    framework: Framework
    as_of_year: int
    nonresponse: float | None

    def wordings(self) -> dict[str, Wording | None]:
        """Return measure -> its declared national wording, for those that a crosswalk maps."""
        if self.crosswalk is None:
            return {}
        mapped = {**self.crosswalk.parent, **self.crosswalk.child}
        variables = self.framework.variables("dyad")
        return {
            name: mapped[name].wording
            for name in sorted(self.indicator.variables)
            if name in mapped and variables[name].role == "measure"
        }


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
    if wrong := criteria.keys() ^ _FACTS.keys():
        raise DefinitionError("D002", where=located.where(), problem=f"criteria {sorted(wrong)}")
    return criteria


def comparability(evidence: Evidence, criteria: Mapping[str, Criterion]) -> Verdict:
    """Return the class of an indicator's value and the reasons why it is not A.

    A reason is the criterion's name, or ``NAME_unknown`` where nothing is known of it.
    """
    worst: Class = "A"
    reasons: set[str] = set()
    for name, criterion in criteria.items():
        if criterion.applies_to == "sensitive" and not _sensitive(evidence):
            continue
        for fact in _FACTS[name](evidence):
            grade = _grade(criterion, fact)
            if grade != "A":
                reasons.add(f"{name}_unknown" if fact.value is None else name)
            worst = max(worst, grade)
    return Verdict(worst, ";".join(sorted(reasons)))


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


def _sensitive(evidence: Evidence) -> bool:
    variables = evidence.framework.variables("dyad")
    return any(
        variables[name].role == "measure" and variables[name].sensitivity in ("sensitive", "highly_sensitive")
        for name in evidence.indicator.variables
    )


def _sampling(evidence: Evidence) -> Iterable[Fact]:
    yield Fact(evidence.manifest.sampling)


def _coverage(evidence: Evidence) -> Iterable[Fact]:
    population = evidence.manifest.population
    yield Fact(evidence.manifest.coverage_share)
    if population.setting == "school":
        yield Fact("school")
    if population.coverage == "subnational":
        yield Fact("subnational")


def _age_band(evidence: Evidence) -> Iterable[Fact]:
    """Single years of age that only the indicator or only the estimate covers."""
    reference = evidence.indicator.definition.ages
    covered = covered_ages(evidence.indicator, evidence.manifest)
    wanted = set(range(reference.minimum, reference.maximum + 1))
    missing = wanted - set(range(covered.minimum, covered.maximum + 1))
    beyond = estimated_ages(evidence.indicator, evidence.manifest) - wanted
    yield Fact(float(len(missing) + len(beyond)))


def _universe(evidence: Evidence) -> Iterable[Fact]:
    yield Fact("same")
    for wording in evidence.wordings().values():
        if wording is not None and wording.asked_of == "everyone":
            yield Fact("asked_of_everyone")


def _recall(evidence: Evidence) -> Iterable[Fact]:
    variables = evidence.framework.variables("dyad")
    for name, wording in evidence.wordings().items():
        if wording is None:
            yield Fact(None)
        elif wording.recall is not None:
            framework = variables[name].recall or evidence.indicator.definition.recall
            yield Fact(_recall_share(wording.recall, framework))


def _wording(evidence: Evidence) -> Iterable[Fact]:
    for wording in evidence.wordings().values():
        yield Fact(wording.kind if wording else None)


def _scale(evidence: Evidence) -> Iterable[Fact]:
    for wording in evidence.wordings().values():
        yield Fact(wording.scale if wording else None)


def _mode(evidence: Evidence) -> Iterable[Fact]:
    mode = evidence.manifest.mode
    yield Fact(None if mode == "unknown" else mode)


def _response(evidence: Evidence) -> Iterable[Fact]:
    rate = evidence.manifest.response_rate
    if rate is None:
        yield Fact(None)
    else:
        yield Fact(rate.overall, "nonresponse_study" if rate.nonresponse_study else None)


def _weights(evidence: Evidence) -> Iterable[Fact]:
    design = evidence.manifest.design
    yield Fact("weight_and_design" if design.stratum or design.psu else "weight_only")


def _item_nonresponse(evidence: Evidence) -> Iterable[Fact]:
    yield Fact(evidence.nonresponse)


def _age_of_data(evidence: Evidence) -> Iterable[Fact]:
    yield Fact(float(evidence.as_of_year - evidence.manifest.reference_year))


def _translation(evidence: Evidence) -> Iterable[Fact]:
    translation = evidence.manifest.translation
    known = translation is not None and translation.method != "unknown"
    yield Fact(translation.method if translation and known else None)


_FACTS: dict[str, Callable[[Evidence], Iterable[Fact]]] = {
    "sampling": _sampling,
    "coverage": _coverage,
    "age_band": _age_band,
    "universe": _universe,
    "recall": _recall,
    "wording": _wording,
    "scale": _scale,
    "mode": _mode,
    "response": _response,
    "weights": _weights,
    "item_nonresponse": _item_nonresponse,
    "age_of_data": _age_of_data,
    "translation": _translation,
}

_PERIOD = re.compile(r"(\d+) *(day|week|month|year)s?\b")
_MONTHS = {"day": 12 / 365.25, "week": 12 * 7 / 365.25, "month": 1.0, "year": 12.0}
_LOOSE_YEAR = re.compile(r"\b(past|last|school|calendar)? *year\b")


def _recall_share(national: str, framework: str) -> str | float:
    """Return ``identical``, ``different`` (no period to compare), or shorter period over longer."""
    ours, theirs = national.strip().casefold(), framework.strip().casefold()
    if ours == theirs:
        return "identical"
    lengths = _months(ours), _months(theirs)
    if lengths[0] is None or lengths[1] is None:
        return "different"
    share = min(lengths[0], lengths[1]) / max(lengths[0], lengths[1])
    exact = _PERIOD.search(ours) and _PERIOD.search(theirs)
    return "identical" if exact and share == 1 else share


def _months(recall: str) -> float | None:
    if found := _PERIOD.search(recall):
        return int(found[1]) * _MONTHS[found[2]]
    return 12.0 if _LOOSE_YEAR.search(recall) else None
