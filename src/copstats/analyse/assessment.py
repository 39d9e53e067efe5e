"""Which indicators a survey can feed, and what class of comparability they can reach, before any estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from copstats.analyse.comparability import (
    Class,
    Criterion,
    Evidence,
    comparability,
    load_criteria,
)
from copstats.analyse.indicators import ESTIMATED_STATISTICS, Absence, Records, absence
from copstats.framework import Framework, ParsedIndicator
from copstats.framework.manifest import Crosswalk, SurveyManifest

State = Literal["computable", "possible", "absent"]
_FROM_DATA = "item_nonresponse"
"""The criterion that only estimates can show."""
_UNKNOWN = "_unknown"


@dataclass(frozen=True)
class Holdings:
    """Framework variables that a survey has, by record kind; a kind without a file is left out.

    Attributes:
        certain: that the documents or the columns show.
        possible: that it may have: likely proposals, and optional variables of which only data can tell.
    """

    certain: Mapping[str, frozenset[str]]
    possible: Mapping[str, frozenset[str]]

    def of(self, kind: str) -> tuple[frozenset[str], frozenset[str]] | None:
        """Return the certain and the possible variables of ``child``, ``parent`` or ``dyad`` records."""
        kinds = ("child", "parent") if kind == "dyad" else (kind,)
        if any(one not in self.certain for one in kinds):
            return None
        certain = frozenset[str]().union(*(self.certain[one] for one in kinds))
        return certain, frozenset[str]().union(
            *(self.possible.get(one, frozenset()) for one in kinds)
        ) - certain


@dataclass(frozen=True)
class Prospect:
    """Comparability before estimation.

    Attributes:
        documented: class if nothing more is documented; what is not known counts as the criteria say.
        best: class if all that is not known turns out well.
        reasons: criteria that are known and not A.
        unknown: criteria of which the documents say nothing.
    """

    documented: Class
    best: Class
    reasons: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Outlook:
    """What becomes of one indicator.

    Attributes:
        indicator: code.
        title: of the indicator.
        record: ``child``, ``parent`` or ``dyad``.
        state: ``computable``; ``possible``: with the variables in ``needs``; ``absent``.
        needs: possible variables that it rests on, sorted.
        missing: variables that the survey does not have, sorted.
        absence: why it is absent.
        prospect: comparability; None for an absent indicator, or without a manifest.
    """

    indicator: str
    title: str
    record: str
    state: State
    needs: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    absence: Absence | None = None
    prospect: Prospect | None = None


def outlooks(
    framework: Framework,
    holdings: Holdings,
    manifest: SurveyManifest | None,
    crosswalk: Crosswalk | None,
    *,
    as_of_year: int,
) -> list[Outlook]:
    """Return the outlook of every indicator of the catalogue, by code.

    Args:
        framework: indicators and criteria.
        holdings: variables that the survey has or may have.
        manifest: of the survey; None where only a data file is known: no class is given then.
        crosswalk: of the survey, with an entry for each possible variable of another name.
        as_of_year: year against which the age of the data is judged.
    """
    survey = _Survey(framework, holdings, manifest, crosswalk, as_of_year)
    return [_outlook(indicator, survey) for indicator in framework.indicators.values()]


@dataclass(frozen=True)
class _Survey:
    """What all indicators are held against."""

    framework: Framework
    holdings: Holdings
    manifest: SurveyManifest | None
    crosswalk: Crosswalk | None
    as_of_year: int


def _outlook(indicator: ParsedIndicator, survey: _Survey) -> Outlook:
    definition, manifest = indicator.definition, survey.manifest
    code, title, kind = definition.code, definition.title, definition.record
    held = survey.holdings.of(kind)
    if held is None:
        return Outlook(code, title, kind, "absent", absence=Absence("no_parent_file"))
    certain, possible = held
    not_asked = frozenset(manifest.not_asked) if manifest is not None else frozenset()
    missing = tuple(sorted(indicator.variables - ((certain | possible) - not_asked)))
    why = _absence(indicator, survey, Records(kind, certain | possible, {}), missing)
    if why is not None:
        return Outlook(code, title, kind, "absent", missing=missing, absence=why)
    needs = tuple(sorted(indicator.variables & possible))
    prospect = None
    if manifest is not None:
        evidence = Evidence(
            indicator, manifest, survey.crosswalk, survey.framework, survey.as_of_year, nonresponse=None
        )
        prospect = _prospect(evidence)
    return Outlook(code, title, kind, "possible" if needs else "computable", needs=needs, prospect=prospect)


def _absence(
    indicator: ParsedIndicator, survey: _Survey, records: Records, missing: tuple[str, ...]
) -> Absence | None:
    if survey.manifest is not None:
        return absence(indicator, survey.framework, survey.manifest, records)
    if indicator.definition.statistic not in ESTIMATED_STATISTICS:
        return Absence("statistic_not_supported", indicator.definition.statistic)
    return Absence("not_in_file", ";".join(missing)) if missing else None


def _prospect(evidence: Evidence) -> Prospect:
    criteria = dict(load_criteria(evidence.framework.id))
    criteria.pop(_FROM_DATA)
    documented = comparability(evidence, criteria)
    best = comparability(evidence, {name: _favourable(one) for name, one in criteria.items()})
    found = documented.reasons.split(";") if documented.reasons else []
    return Prospect(
        documented=documented.grade,
        best=best.grade,
        reasons=tuple(reason for reason in found if not reason.endswith(_UNKNOWN)),
        unknown=tuple(r.removesuffix(_UNKNOWN) for r in found if r.endswith(_UNKNOWN)),
    )


def _favourable(criterion: Criterion) -> Criterion:
    """Return a criterion under which what is not known is as good as can be."""
    return msgspec.structs.replace(criterion, unknown="A")
