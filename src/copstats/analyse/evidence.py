"""What a wave shows of each criterion of comparability: from its manifest, its crosswalk and the estimate."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from copstats.analyse.domains import AgeBand, covered_ages, estimated_ages
from copstats.framework.definitions import Module
from copstats.framework.loader import Framework, ParsedIndicator
from copstats.framework.manifest import Crosswalk, SurveyManifest, Wording


@dataclass(frozen=True)
class Fact:
    """What a wave shows of a criterion; ``value`` None: nothing is known."""

    value: str | float | None
    variant: str | None = None


@dataclass(frozen=True)
class Evidence:
    """All that the facts of one indicator in one wave are read from.

    Attributes:
        indicator: of the value.
        manifest: of the wave.
        crosswalk: of the wave; None where names, codes and wording are the framework's.
        framework: that the wave follows.
        as_of_year: year of the release.
        nonresponse: share of the eligible without a valid answer; None where there is no estimate.
        ages: of the cell, where it is one of an age band that the survey covers; None for all ages. Such a
            value stands beside others of the same band only, whatever ages the surveys had.
    """

    indicator: ParsedIndicator
    manifest: SurveyManifest
    crosswalk: Crosswalk | None
    framework: Framework
    as_of_year: int
    nonresponse: float | None
    ages: AgeBand | None = None

    @property
    def measures(self) -> list[str]:
        """Questions behind the indicator, sorted."""
        variables = self.framework.variables("dyad")
        return sorted(name for name in self.indicator.variables if variables[name].role == "measure")

    @property
    def sensitive(self) -> bool:
        """Whether one of the questions is sensitive."""
        variables = self.framework.variables("dyad")
        return any(variables[name].sensitivity in ("sensitive", "highly_sensitive") for name in self.measures)

    def wordings(self) -> dict[str, Wording | None]:
        """Return measure -> its declared national wording, for those that a crosswalk maps."""
        if self.crosswalk is None:
            return {}
        mapped = {**self.crosswalk.parent, **self.crosswalk.child}
        return {name: mapped[name].wording for name in self.measures if name in mapped}

    def recalls(self) -> dict[str, str | None]:
        """Return measure -> recall period of the national question; None where nobody declared it."""
        wordings = self.wordings()

        def recall(name: str) -> str | None:
            wording = wordings.get(name)
            if wording is None:
                return None if name in wordings else self.framework_recall(name)
            return wording.recall or self.framework_recall(name)

        return {name: recall(name) for name in self.measures}

    def framework_recall(self, measure: str) -> str:
        """Return the recall period that the framework asks for."""
        return self.framework.variables("dyad")[measure].recall or self.indicator.definition.recall


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
    if evidence.ages is not None:
        yield Fact(0.0)
        return
    reference = evidence.indicator.definition.ages
    covered = covered_ages(evidence.indicator, evidence.manifest)
    wanted = set(range(reference.minimum, reference.maximum + 1))
    missing = wanted - set(range(covered.minimum, covered.maximum + 1))
    beyond = estimated_ages(evidence.indicator, evidence.manifest) - wanted
    yield Fact(float(len(missing) + len(beyond)))


def _universe(evidence: Evidence) -> Iterable[Fact]:
    yield Fact("same")
    for wording in evidence.wordings().values():
        if wording is None:
            yield Fact(None)
        elif wording.asked_of == "everyone":
            yield Fact("asked_of_everyone")


def _recall(evidence: Evidence) -> Iterable[Fact]:
    for name, national in evidence.recalls().items():
        if national is None:
            yield Fact(None)
        else:
            yield Fact(recall_share(national, evidence.framework_recall(name)))


def _wording(evidence: Evidence) -> Iterable[Fact]:
    for wording in evidence.wordings().values():
        yield Fact(wording.kind if wording else None)


def _scale(evidence: Evidence) -> Iterable[Fact]:
    for wording in evidence.wordings().values():
        yield Fact(wording.scale if wording else None)


def _mode(evidence: Evidence) -> Iterable[Fact]:
    mode = evidence.manifest.mode
    yield Fact(None if mode == "unknown" else mode)


def _completeness(evidence: Evidence) -> Iterable[Fact]:
    """Share of the core questions that were asked, of each module behind the indicator."""
    manifest = evidence.manifest
    for module in _modules(evidence):
        core = [name for name, v in module.variables.items() if v.role == "measure" and v.status == "core"]
        asked = [name for name in core if name not in manifest.not_asked]
        if not (module.always or module.module in manifest.modules):
            yield Fact("not_declared")
        elif core:
            yield Fact(len(asked) / len(core))


def _modules(evidence: Evidence) -> Iterator[Module]:
    """Yield the modules of the questions that are counted, not those of the filters before them."""
    counted, record = _counted(evidence.indicator), evidence.indicator.definition.record
    for module in evidence.framework.modules.values():
        if record in (module.record, "dyad") and counted & module.variables.keys():
            yield module


def _counted(indicator: ParsedIndicator) -> frozenset[str]:
    own = frozenset[str]() if indicator.numerator is None else indicator.numerator.variables
    return own.union(*(_counted(member) for member in indicator.members))


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
    manifest = evidence.manifest
    yield Fact(float(evidence.as_of_year - min(manifest.reference_year, manifest.fieldwork.end.year)))


def _translation(evidence: Evidence) -> Iterable[Fact]:
    translation = evidence.manifest.translation
    known = translation is not None and translation.method != "unknown"
    yield Fact(translation.method if translation and known else None)


FACTS: dict[str, Callable[[Evidence], Iterable[Fact]]] = {
    "sampling": _sampling,
    "coverage": _coverage,
    "age_band": _age_band,
    "universe": _universe,
    "recall": _recall,
    "wording": _wording,
    "scale": _scale,
    "mode": _mode,
    "completeness": _completeness,
    "response": _response,
    "weights": _weights,
    "item_nonresponse": _item_nonresponse,
    "age_of_data": _age_of_data,
    "translation": _translation,
}
"""Criterion -> what a wave shows of it; a criterion of several questions has a fact for each."""

_PERIOD = re.compile(r"(\d+) *(day|week|month|year)s?\b")
_MONTHS = {"day": 12 / 365.25, "week": 12 * 7 / 365.25, "month": 1.0, "year": 12.0}
_LOOSE_YEAR = re.compile(r"\b(past|last|school|calendar)? *year\b")


def recall_share(first: str, second: str) -> str | float:
    """Return ``identical``, ``different`` (no period to compare), or the shorter period over the longer."""
    one, other = first.strip().casefold(), second.strip().casefold()
    if one == other:
        return "identical"
    lengths = _months(one), _months(other)
    if lengths[0] is None or lengths[1] is None:
        return "different"
    share = min(lengths[0], lengths[1]) / max(lengths[0], lengths[1])
    exact = _PERIOD.search(one) and _PERIOD.search(other)
    return "identical" if exact and share == 1 else share


def _months(recall: str) -> float | None:
    if found := _PERIOD.search(recall):
        return int(found[1]) * _MONTHS[found[2]]
    return 12.0 if _LOOSE_YEAR.search(recall) else None
