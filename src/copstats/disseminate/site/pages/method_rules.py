"""The rules of the framework as the method pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec

from copstats.disclose import DisclosureProfile
from copstats.disseminate.codes import LISTS
from copstats.disseminate.site.names import Names
from copstats.framework.located import Located
from copstats.language import N_, Translations
from copstats.project import project_root

LEVELS = {
    **LISTS["sampling"],
    **LISTS["mode"],
    "school": N_("Reached in schools"),
    "subnational": N_("A part of the country"),
    "same": N_("Asked of those of whom the indicator speaks"),
    "asked_of_everyone": N_("Asked of everyone"),
    "identical": N_("The same"),
    "adapted": N_("Adapted"),
    "different": N_("Different"),
    "collapsible": N_("Answers can be put together into the framework's"),
    "weight_and_design": N_("Weights and design variables"),
    "weight_only": N_("Weights only"),
    "not_declared": N_("Not delivered as a module of the framework"),
    "not_needed": N_("No translation needed"),
    "team_review": N_("Reviewed by a team"),
    "back_translation": N_("Translated back"),
}
"""Level of a criterion of comparability -> what it means."""
VARIANTS = {"nonresponse_study": N_("at least {limit} with a study of those who did not take part")}
"""Variant of a criterion's bounds -> when it holds."""
CLASSES = ("A", "B", "C")


class Criterion(msgspec.Struct, frozen=True):
    """An entry of ``comparability.yaml``."""

    title: str
    evidence: str
    source: list[str]
    levels: dict[str, str] = {}
    at_least: dict[str, float] = {}
    at_most: dict[str, float] = {}
    variants: dict[str, dict[str, float]] = {}
    applies_to: str | None = None


class Graded(NamedTuple):
    """A criterion in words: what earns each class, where the fact comes from, and its sources."""

    title: str
    classes: Sequence[Sequence[str]]
    evidence: str
    sources: Sequence[str]
    sensitive: bool


class RuleRow(NamedTuple):
    """A rule of disclosure control with its numbers, by tier where they differ."""

    rule: str
    text: str
    numbers: Sequence[str]
    source: str


class ReasonRow(NamedTuple):
    """Why a cell shows no figure; ``missing`` where no figure exists."""

    label: str
    rule: str
    missing: bool


@cache
def criteria(version: str) -> Mapping[str, Criterion]:
    """Return the criteria of comparability of a framework version."""
    path = project_root() / "schemas" / version / "comparability.yaml"
    return msgspec.convert(Located(path).data, dict[str, Criterion])


def graded(version: str, names: Names, words: Translations) -> list[Graded]:
    """Return the criteria in words."""
    return [
        Graded(
            title=words.text(one.title),
            classes=[_earning(one, grade, names, words) for grade in CLASSES],
            evidence=words.text(one.evidence),
            sources=one.source,
            sensitive=one.applies_to is not None,
        )
        for one in criteria(version).values()
    ]


def _earning(criterion: Criterion, grade: str, names: Names, words: Translations) -> list[str]:
    """Return what gives a value this class by one criterion."""
    out = [
        words.text(LEVELS[level]) if level in LEVELS else level
        for level, given in criterion.levels.items()
        if given == grade
    ]
    for bounds, texts in (
        (criterion.at_least, (N_("at least {limit}"), N_("less than {limit}"))),
        (criterion.at_most, (N_("at most {limit}"), N_("more than {limit}"))),
    ):
        if (found := _bounded(bounds, grade)) is not None:
            limit, past = found
            out.append(words.text(texts[past], limit=_bound(limit, bounds, names, words)))
    for variant, bounds in criterion.variants.items():
        if grade in bounds and bounds[grade] != criterion.at_least.get(grade):
            out.append(words.text(VARIANTS[variant], limit=_bound(bounds[grade], bounds, names, words)))
    return out


def _bounded(bounds: Mapping[str, float], grade: str) -> tuple[float, bool] | None:
    """Return the limit of a class, and whether the class lies past it; None where the scale gives none."""
    number = CLASSES.index(grade)
    before = CLASSES[number - 1] if number else ""
    # A bound of zero takes all that the class before leaves.
    if grade in bounds and (bounds[grade] > 0 or before not in bounds):
        return bounds[grade], False
    if before in bounds and (grade in bounds or bounds[before] > 0 or len(bounds) == 1):
        return bounds[before], True
    return None


def _bound(limit: float, bounds: Mapping[str, float], names: Names, words: Translations) -> str:
    """Return a bound as a share in per cent, or as a number where all bounds are whole."""
    if all(float(bound).is_integer() for bound in bounds.values()):
        return names.number(limit)
    return words.text("{share} %", share=names.number(100 * limit, 0))


def thresholds(profile: DisclosureProfile, names: Names, words: Translations) -> list[RuleRow]:
    """Return the rules on single cells."""
    return [
        RuleRow(
            one.rule,
            _plain(one.text, words),
            [_number(one.tiers[tier], names) for tier in one.tiers],
            one.source,
        )
        for _, one in profile.thresholds.given()
    ]


def relations(profile: DisclosureProfile, words: Translations) -> list[RuleRow]:
    """Return the rules on what follows from several cells together."""
    found = (getattr(profile.relations, name) for name in profile.relations.__struct_fields__)
    return [RuleRow(one.rule, _plain(one.text, words), (), one.source) for one in found]


def limits(profile: DisclosureProfile, names: Names, words: Translations) -> list[RuleRow]:
    """Return the rules on whole surveys and on counts of services."""
    found = (getattr(profile.limits, name) for name in profile.limits.__struct_fields__)
    return [
        RuleRow(one.rule, _plain(one.text, words), [_number(one.value, names)], one.source) for one in found
    ]


def rounding(profile: DisclosureProfile, words: Translations) -> list[RuleRow]:
    """Return the rules by which figures are rounded and bands are formed."""
    found: list[Any] = [part for unit in profile.units.values() for part in (unit.value, unit.error)]
    found += [profile.n_bands, profile.nonresponse_bands]
    return [RuleRow(one.rule, _plain(one.text, words), (), one.source) for one in found]


def reasons(profile: DisclosureProfile, words: Translations) -> list[ReasonRow]:
    """Return why cells show no figure."""
    return [
        ReasonRow(words.text(one.label), one.rule or "", one.obs_status in ("L", "M"))
        for one in profile.reasons.values()
    ]


def _plain(text: str, words: Translations) -> str:
    """Return the text of a rule without the marks of code."""
    return words.text(text).replace("`", "")


def _number(value: float, names: Names) -> str:
    digits = f"{value:g}".partition(".")[2]
    return names.number(value, len(digits))
