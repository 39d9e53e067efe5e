"""Domains of estimation: the framework's disaggregations as columns and numbers that SQL can group by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from copstats.framework.loader import Framework, ParsedIndicator
from copstats.framework.manifest import SurveyManifest

TOTAL = "_T"
COMMON_AGE = "common_age"
NO_DOMAIN = -1
"""The number of no domain: a level is missing."""

_SETS = 100
_LEVELS = 10_000
_MISSING_TEXTS = ("", "-1", "-7", "-8", "-9")


@dataclass(frozen=True)
class Axis:
    """A dimension as records are grouped by it.

    Attributes:
        dimension: published dimension, for example ``residence``.
        column: name of the column of levels.
        level: SQL of the level, 1, 2, ...; NULL for a record without a published category.
        codes: published code of each level.
    """

    dimension: str
    column: str
    level: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Disaggregation:
    """Axes that are crossed; none for the total."""

    name: str
    axes: tuple[Axis, ...] = ()


@dataclass(frozen=True)
class AgeBand:
    """Completed years of age, both ends included."""

    minimum: int
    maximum: int

    @property
    def code(self) -> str:
        """Published code, for example ``Y13T17``."""
        return f"Y{self.minimum}T{self.maximum}"

    @classmethod
    def of(cls, code: str) -> AgeBand:
        """Return the band of a published code."""
        low, high = code.removeprefix("Y").split("T")
        return cls(int(low), int(high))


@dataclass(frozen=True)
class Domain:
    """A cell of a disaggregation: the published code of each of its dimensions."""

    disaggregation: str
    codes: Mapping[str, str] = field(default_factory=dict)

    @property
    def ages(self) -> AgeBand | None:
        """The age band; None where the cell holds all ages."""
        code = self.codes.get("age")
        return None if code is None else AgeBand.of(code)


def axes_of(disaggregations: Sequence[Disaggregation]) -> list[Axis]:
    """Return the distinct axes, in order of appearance."""
    return list({axis.column: axis for d in disaggregations for axis in d.axes}.values())


def domain_number_sql(disaggregations: Sequence[Disaggregation]) -> str:
    """Return SQL of the number of a grouped row's domain; NULL where a level is missing.

    A record without a category stays in the total and in no category.
    """
    axes = axes_of(disaggregations)
    if not axes:
        return "0"
    branches = []
    for number, disaggregation in enumerate(disaggregations):
        mask, terms, factor = 0, [str(number)], _SETS
        for position, axis in enumerate(reversed(axes)):
            mask |= (axis not in disaggregation.axes) << position
        for axis in disaggregation.axes:
            terms.append(f"{factor} * {axis.column}")
            factor *= _LEVELS
        branches.append(f"WHEN {mask} THEN {' + '.join(terms)}")
    columns = ", ".join(axis.column for axis in axes)
    return f"CASE grouping({columns})\n      " + "\n      ".join(branches) + "\n    END"


def grouping_sets_sql(disaggregations: Sequence[Disaggregation]) -> str:
    """Return the list of grouping sets: the PSU, crossed with the axes of each disaggregation."""
    return ", ".join(
        "(" + ", ".join(["unit", *(axis.column for axis in d.axes)]) + ")" for d in disaggregations
    )


def number_of(which: int, levels: Sequence[npt.NDArray[np.integer[Any]]], size: int) -> npt.NDArray[np.int64]:
    """Return domain numbers as `domain_number_sql` makes them.

    Args:
        which: position of the disaggregation.
        levels: one array an axis.
        size: length of the arrays.
    """
    number, factor = np.full(size, which, np.int64), _SETS
    for level in levels:
        number += factor * level.astype(np.int64)
        factor *= _LEVELS
    return number


def number_sql(which: int, levels: Sequence[str]) -> str:
    """Return SQL of the number that `number_of` gives a record's domain; NULL where a level is missing.

    Args:
        which: position of the disaggregation.
        levels: SQL of the level on each of its axes.
    """
    terms, factor = [str(which)], _SETS
    for level in levels:
        terms.append(f"{factor} * {level}")
        factor *= _LEVELS
    return " + ".join(terms)


def disaggregation_of(number: int) -> int:
    """Return the position of a domain's disaggregation."""
    return number % _SETS


def domain_of(number: int, disaggregations: Sequence[Disaggregation]) -> Domain:
    """Return the domain of a number that `domain_number_sql` made."""
    levels, which = divmod(number, _SETS)
    codes = {}
    for axis in disaggregations[which].axes:
        levels, level = divmod(levels, _LEVELS)
        codes[axis.dimension] = axis.codes[level - 1]
    return Domain(disaggregations[which].name, codes)


@dataclass(frozen=True)
class Dimensions:
    """The framework's dimensions in a table of records.

    Attributes:
        framework: dimensions, code lists and age bands.
        record: ``child``, ``parent`` or ``dyad``.
        present: variables that the table holds.
        texts: text variable -> its values in order; each is a category as it stands.
    """

    framework: Framework
    record: str
    present: frozenset[str]
    texts: Mapping[str, Sequence[str]]

    def disaggregations(self, names: Collection[str]) -> list[Disaggregation]:
        """Return those of the named disaggregations that the table allows; the total comes first."""
        out = [Disaggregation("total")]
        for name, dimensions in self.framework.head.disaggregations.items():
            axes = [axis for d in dimensions if (axis := self._axis(d)) is not None]
            if name in names and axes and len(axes) == len(dimensions):
                out.append(Disaggregation(name, tuple(axes)))
        return out

    def _axis(self, name: str) -> Axis | None:
        dimension = self.framework.head.dimensions[name]
        variable = dimension.variable
        if variable is None or variable not in self.present:
            return None
        if dimension.by_band:
            return self._bands(name, variable)
        if variable in self.texts:
            level = f"(SELECT level FROM {variable}_levels WHERE code = {variable})"  # noqa: S608
            return Axis(name, f"dim_{name}", level, tuple(self.texts[variable]))
        return self._categories(name, variable)

    def _bands(self, name: str, variable: str) -> Axis:
        bands = self.framework.head.ages.bands
        whens = [
            f"WHEN {variable} BETWEEN {b.minimum} AND {b.maximum} THEN {i}" for i, b in enumerate(bands, 1)
        ]
        return Axis(name, f"dim_{name}", f"CASE {' '.join(whens)} END", tuple(b.code for b in bands))

    def _categories(self, name: str, variable: str) -> Axis | None:
        """Codes of one published category are one level; a code without one is none."""
        codes = self.framework.codes(self.framework.variables(self.record)[variable])
        published = {value: code.sdmx for value, code in codes.items() if code.sdmx is not None}
        order = list(dict.fromkeys(published.values()))
        whens = [f"WHEN {value} THEN {order.index(sdmx) + 1}" for value, sdmx in published.items()]
        if not whens:
            return None
        return Axis(name, f"dim_{name}", f"CASE {variable} {' '.join(whens)} END", tuple(order))


def text_dimensions(framework: Framework, record: str, present: frozenset[str]) -> list[str]:
    """Return the variables behind dimensions whose categories are the data's own, such as ``adm1``."""
    variables = framework.variables(record)
    names = [d.variable for d in framework.head.dimensions.values() if d.variable in present]
    return [name for name in names if name and variables[name].type == "string"]


def levels_sql(variable: str, source: str) -> str:
    """Return the SQL that makes the table of levels of a text variable: ``code, level``."""
    missing = ", ".join(f"'{text}'" for text in _MISSING_TEXTS)
    return (
        f"CREATE OR REPLACE TEMP TABLE {variable}_levels AS\n"
        f"SELECT {variable} AS code, row_number() OVER (ORDER BY {variable}) AS level\n"
        f"FROM {source} WHERE {variable} NOT IN ({missing}) GROUP BY {variable}"
    )


def restricts_age(indicator: ParsedIndicator) -> bool:
    """Return whether the indicator's own universe keeps to its ages."""
    return "age" in indicator.universe.variables | indicator.denominator.variables


def covered_ages(indicator: ParsedIndicator, manifest: SurveyManifest) -> AgeBand:
    """Return the ages of which every child could be sampled, was asked, and is told apart from other ages.

    A bottom-coded or top-coded age is not among them. The national age floor of sensitive items holds for
    indicators that speak of an age range of their own.
    """
    ages = manifest.population.ages
    low, high = ages.min + ages.bottom_coded, ages.max - ages.top_coded
    floor = manifest.population.age_floor
    return AgeBand(max(low, floor) if floor is not None and restricts_age(indicator) else low, high)


def estimated_ages(indicator: ParsedIndicator, manifest: SurveyManifest) -> frozenset[int]:
    """Return the age codes whose records enter the indicator's total, coded ends included."""
    ages = manifest.population.ages
    own = set(range(ages.min, ages.max + 1))
    if restricts_age(indicator):
        reference = indicator.definition.ages
        own &= set(range(max(reference.minimum, manifest.population.age_floor or 0), reference.maximum + 1))
    return frozenset(own)


def common_age(indicator: ParsedIndicator, manifest: SurveyManifest) -> AgeBand | None:
    """Return the ages that the survey covers and the indicator speaks of, if they need a domain of their own.

    None where the wave's total already has exactly the indicator's ages, or no age is common to both.
    """
    reference, covered = indicator.definition.ages, covered_ages(indicator, manifest)
    common = AgeBand(max(covered.minimum, reference.minimum), min(covered.maximum, reference.maximum))
    wanted = set(range(reference.minimum, reference.maximum + 1))
    same = wanted == estimated_ages(indicator, manifest) == set(range(common.minimum, common.maximum + 1))
    return None if same or common.minimum > common.maximum else common


def common_age_disaggregation(band: AgeBand) -> Disaggregation:
    """Return the disaggregation of one category: the common ages."""
    level = f"CASE WHEN age BETWEEN {band.minimum} AND {band.maximum} THEN 1 END"
    return Disaggregation(COMMON_AGE, (Axis("age", f"dim_{band.code}", level, (band.code,)),))


def fully_covered_category(domain: Domain, covered: AgeBand) -> bool:
    """Return whether a domain's age category holds no age that the survey covers in part or not at all."""
    ages = domain.ages
    return ages is None or (covered.minimum <= ages.minimum and ages.maximum <= covered.maximum)
