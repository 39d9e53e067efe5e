"""Aggregates of countries: regions and other groups, weighted by their children."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import pyarrow as pa

from copstats.disclose.profile import DisclosureProfile
from copstats.framework import Area, Framework, ParsedIndicator
from copstats.framework.aggregation import WORLD, AggregationRules, load_aggregation
from copstats.framework.denominators import Basis, Denominators
from copstats.framework.standard_population import BOTH_SEXES, SEXES
from copstats.store.engine import memory_connection
from copstats.store.schemas import DIMENSIONS

AGGREGATE_VALUE = pa.schema(
    {
        **dict.fromkeys(("scheme", "area_group", "label", "indicator", "time_period", "sex"), pa.string()),
        "unit_measure": pa.string(),
        **dict.fromkeys(("value", "se", "ci_lower", "ci_upper", "country_mean"), pa.float64()),
        **dict.fromkeys(("areas", "countries"), pa.int64()),
        "coverage": pa.float64(),
        **dict.fromkeys(("weighted_by", "earliest_period", "latest_period"), pa.string()),
        "population_year": pa.int32(),
        **dict.fromkeys(("obs_status", "reason", "comparability", "comparability_reasons"), pa.string()),
    }
)
"""One row a group of areas, indicator and sex of which at least one country has a comparable value."""

AGGREGATE_MEMBER = pa.schema(
    {
        **dict.fromkeys(("scheme", "area_group", "indicator", "sex", "ref_area"), pa.string()),
        **dict.fromkeys(("time_period", "survey", "source"), pa.string()),
        **dict.fromkeys(("value", "se", "children", "share"), pa.float64()),
        **dict.fromkeys(("comparability", "comparability_reasons"), pa.string()),
    }
)
"""One row a country behind an aggregate that has a value."""

_FILTER = "net_3m"
"""The variable whose filter makes internet users the reference population."""
_TOPIC = pa.schema(
    {
        **dict.fromkeys(("indicator", "basis"), pa.string()),
        **dict.fromkeys(("age_minimum", "age_maximum"), pa.int32()),
    }
)
_GROUP = pa.schema(dict.fromkeys(("scheme", "area_group", "label", "ref_area"), pa.string()))
_PERSONS = pa.schema(
    {
        **dict.fromkeys(("ref_area", "sex", "basis"), pa.string()),
        **dict.fromkeys(("age_minimum", "age_maximum"), pa.int32()),
        "persons": pa.float64(),
    }
)
_KEY = ("scheme", "area_group", "indicator", "sex")


@dataclass(frozen=True)
class Aggregates:
    """Two tables of a release.

    Attributes:
        values: schema ``AGGREGATE_VALUE``, ordered by group, indicator and sex.
        members: schema ``AGGREGATE_MEMBER``, in the same order, then by area.
    """

    values: pa.Table
    members: pa.Table


def aggregates(
    values: pa.Table,
    framework: Framework,
    profile: DisclosureProfile,
    areas: Mapping[str, Area],
    denominators: Denominators,
    *,
    year: int,
) -> Aggregates:
    """Return the values of groups of areas, and the countries behind them.

    The value of a group is the mean of the newest comparable values (class A or B) of its countries, each
    weighted by the children of whom the indicator speaks. Samples of countries are independent and numbers of
    children count as known, so that the variance is the sum of the squared shares times the variances.
    Everything follows from published values.

    Args:
        values: schema ``INDICATOR_VALUE``, as published.
        framework: indicators and rules of aggregation.
        profile: gives the status that each reason has.
        areas: by code; with their groups, and all of them as the world.
        denominators: children of every area; those of the newest year not after the release count.
        year: of the release.
    """
    rules = load_aggregation(framework.id)
    topics = [topic for topic in map(_topic, framework.indicators.values()) if topic is not None]
    population_year = denominators.newest_year(year)
    persons = _persons(areas, topics, denominators, population_year)
    with memory_connection(threads=1) as connection:
        connection.register("indicator_value", values)
        connection.register("topic", pa.Table.from_pylist(topics, _TOPIC))
        connection.register("area_group", pa.Table.from_pylist(list(_groups(areas, rules)), _GROUP))
        connection.register("denominator", pa.Table.from_pylist(list(persons), _PERSONS))
        connection.register("reason_status", _reasons(profile))
        connection.execute(_steps(rules, year, population_year))
        found = connection.table("aggregate").order(", ".join(_KEY)).to_arrow_table()
        members = connection.table("aggregate_member").order(f"{', '.join(_KEY)}, ref_area").to_arrow_table()
    return Aggregates(found.cast(AGGREGATE_VALUE), members.cast(AGGREGATE_MEMBER))


def _topic(parsed: ParsedIndicator) -> dict[str, Any] | None:
    """Return whom a proportion speaks of; None where no reference table counts them.

    Only all children of some ages and all internet users among them are counted: nobody knows how many
    children of a country were upset by something online.
    """
    definition = parsed.definition
    counted = parsed.universe.variables | parsed.denominator.variables
    if definition.statistic != "proportion" or definition.record != "child" or counted - {_FILTER, "age"}:
        return None
    basis: Basis = "internet_users" if _FILTER in counted else "population"
    ages = {"age_minimum": definition.ages.minimum, "age_maximum": definition.ages.maximum}
    return {"indicator": definition.code, "basis": basis, **ages}


def _groups(areas: Mapping[str, Area], rules: AggregationRules) -> Iterator[dict[str, str]]:
    for area in areas.values():
        for scheme, group in ((WORLD, rules.world), *area.groups.items()):
            label = rules.label(scheme, group)
            yield {"scheme": scheme, "area_group": group, "label": label, "ref_area": area.code}


def _persons(
    areas: Iterable[str], topics: Iterable[Mapping[str, Any]], denominators: Denominators, year: int | None
) -> Iterator[dict[str, Any]]:
    """Yield a row an area, kind of denominator and sex; without a number where it is not known."""
    kinds = {(topic["basis"], topic["age_minimum"], topic["age_maximum"]) for topic in topics}
    for area in areas:
        for basis, low, high in sorted(kinds):
            for sex in (BOTH_SEXES, *SEXES):
                row = {"basis": basis, "age_minimum": low, "age_maximum": high, "ref_area": area, "sex": sex}
                if year is not None:
                    row["persons"] = denominators.persons(area, year, (low, high), sex=sex, basis=basis)
                yield row


def _reasons(profile: DisclosureProfile) -> pa.Table:
    rows = [{"code": code, "obs_status": reason.obs_status} for code, reason in profile.reasons.items()]
    return pa.Table.from_pylist(rows)


def _steps(rules: AggregationRules, year: int, population_year: int | None) -> str:
    others = [name for name in DIMENSIONS if name != "sex"]
    return Template(Path(__file__).with_name("aggregates.sql").read_text("utf-8")).substitute(
        others_total=" AND ".join(f"{name} = '_T'" for name in others),
        year=str(year),
        population_year="NULL" if population_year is None else str(population_year),
        oldest=repr(int(rules.oldest.value)),
        minimum_countries=repr(rules.minimum_countries.value),
        minimum_coverage=repr(rules.minimum_coverage.value),
    )
