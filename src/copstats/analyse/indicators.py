"""Indicators as SQL over a wave's records, and the reasons why one cannot be estimated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from copstats.analyse.cells import Measure
from copstats.analyse.domains import restricts_age
from copstats.framework.expressions import Predicate, Rendering, skip_column, skip_columns
from copstats.framework.loader import Framework, ParsedIndicator
from copstats.framework.manifest import SurveyManifest

ESTIMATED_STATISTICS = ("proportion", "mean", "median")


@dataclass(frozen=True)
class Absence:
    """Why an indicator is absent from a wave.

    Attributes:
        reason: ``no_parent_file``, ``universe`` (it speaks of all children, the survey of internet users),
            ``module_not_covered``, ``not_asked``, ``statistic_not_supported`` or ``no_eligible_records``.
        detail: names of modules or variables, sorted, joined by ``;``.
    """

    reason: str
    detail: str | None = None


@dataclass(frozen=True)
class Records:
    """The records of one kind, as their columns show them.

    Attributes:
        kind: ``child``, ``parent`` or ``dyad``.
        present: framework variables that the table holds.
        skips: column ``NAME__no`` -> SQL.
        age_floor: national age floor of sensitive items.
    """

    kind: str
    present: frozenset[str]
    skips: Mapping[str, str]
    age_floor: int | None = None

    @property
    def rendering(self) -> Rendering:
        """How predicates over these records are rendered."""
        skipped = frozenset(name for name in self.present if skip_column(name) in self.skips)
        return Rendering(present=self.present, skipped=skipped, age_floor=self.age_floor)


def records_of(
    framework: Framework,
    kind: str,
    columns: frozenset[str],
    manifest: SurveyManifest,
    indicators: Iterable[ParsedIndicator],
) -> Records:
    """Return the description of a table of child, parent or dyad records.

    Args:
        framework: variables and universes.
        kind: ``child``, ``parent`` or ``dyad``.
        columns: names of the table's columns; for dyads those of both tables.
        manifest: gives the national age floor.
        indicators: those for whose variables skips are needed.
    """
    universes: dict[str, Predicate] = {}
    if kind in ("parent", "dyad"):
        universes |= framework.universes_of("parent")
    if kind in ("child", "dyad"):
        universes |= framework.universes_of("child")
    present = columns & frozenset(framework.variables(kind))
    read = {name for i in indicators for name in i.variables}
    while more := {n for name in read & universes.keys() for n in universes[name].variables} - read:
        read |= more
    needed = {name: universe for name, universe in universes.items() if name in read}
    floor = manifest.population.age_floor
    return Records(kind, present, skip_columns(needed, present, age_floor=floor), floor)


def measure(indicator: ParsedIndicator, records: Records) -> Measure:
    """Return an indicator as SQL.

    The value is TRUE, FALSE or, for a mean or median, a number; NULL where the record is outside the
    denominator, or its answer is missing. A record of which an unknown answer leaves open whether it belongs
    to the denominator is counted as eligible without a valid answer: it adds to non-response. Children below
    the national age floor of sensitive items are outside an indicator that speaks of an age range of its own.
    """
    rendering = records.rendering
    conditions = [rendering.sql(indicator.universe), rendering.sql(indicator.denominator)]
    if records.age_floor is not None and restricts_age(indicator):
        conditions.append(f"age >= {records.age_floor}")
    inside = f"({' AND '.join(conditions)})"
    proportion = indicator.definition.statistic == "proportion"
    answer = _truth(indicator, rendering) if proportion else _number(indicator)
    return Measure(
        name=indicator.definition.code,
        value=f"CASE WHEN {inside} THEN {answer} END",
        eligible=f"coalesce({inside}, TRUE)",
        proportion=proportion,
    )


def is_median(indicator: ParsedIndicator) -> bool:
    """Return whether an indicator is the median of its answers, not their mean."""
    return indicator.definition.statistic == "median"


def _truth(indicator: ParsedIndicator, rendering: Rendering) -> str:
    """Return the numerator, with each member's own treatment of missing codes."""
    if indicator.numerator is not None:
        treated = replace(rendering, treatment=indicator.definition.missing)
        return f"({treated.sql(indicator.numerator)})"
    word = " OR " if indicator.definition.combine == "any" else " AND "
    return "(" + word.join(_truth(member, rendering) for member in indicator.members) + ")"


def _number(indicator: ParsedIndicator) -> str:
    variable = indicator.definition.numerator
    return f"CASE WHEN {variable} >= 0 THEN {variable} END"


def absence(
    indicator: ParsedIndicator,
    framework: Framework,
    manifest: SurveyManifest,
    records: Records,
) -> Absence | None:
    """Return why an indicator cannot be estimated, or None if it can.

    A variable that the table holds counts as covered, whatever the manifest says of its module.

    Args:
        indicator: the indicator.
        framework: modules of its variables.
        manifest: modules covered, variables not asked, universe of the survey.
        records: the records of its kind.
    """
    if indicator.definition.statistic not in ESTIMATED_STATISTICS:
        return Absence("statistic_not_supported", indicator.definition.statistic)
    if indicator.universe.always and manifest.population.universe == "internet_users":
        return Absence("universe")
    missing = _missing(indicator, framework, manifest, records)
    if not missing:
        return None
    uncovered = {module for module in missing.values() if module is not None}
    if uncovered:
        return Absence("module_not_covered", ";".join(sorted(uncovered)))
    return Absence("not_asked", ";".join(sorted(missing)))


def _missing(
    indicator: ParsedIndicator, framework: Framework, manifest: SurveyManifest, records: Records
) -> dict[str, str | None]:
    """Return missing variable -> its module where that is not covered, else None."""
    out: dict[str, str | None] = {}
    for name in indicator.variables:
        if name in records.present and name not in manifest.not_asked:
            continue
        kinds = ("child", "parent") if records.kind == "dyad" else (records.kind,)
        kind = next(k for k in kinds if name in framework.variables(k))
        module = framework.module_of(kind, name)
        covered = module.always or module.module in manifest.modules
        out[name] = None if covered else module.module
    return out
