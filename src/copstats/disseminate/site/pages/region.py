"""A page for every group of areas with a mean, and the list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from copstats.disseminate.site.names import Names
from copstats.disseminate.site.page import Link, Page
from copstats.disseminate.site.pages.arranging import by_domain
from copstats.disseminate.site.reading import Content, Mean
from copstats.framework.aggregation import WORLD, AggregationRules, load_aggregation
from copstats.language import N_, Translations

SECTION = "regions/index.html"
WEIGHTS = {"population": N_("children"), "internet_users": N_("children who use the internet")}
"""``weighted_by`` -> whose numbers weigh the countries."""

Group = tuple[str, str]


class Member(NamedTuple):
    """A country behind a mean of both sexes."""

    scheme: str
    area_group: str
    indicator: str
    ref_area: str
    time_period: str
    value: float
    share: float
    comparability: str


class Line(NamedTuple):
    """Means of an indicator: of both sexes, of girls, of boys, and the countries behind the first."""

    indicator: str
    both: Mean
    girls: Mean | None
    boys: Mean | None
    members: Sequence[Member]


class Listed(NamedTuple):
    """A group in the list of groups."""

    scheme: str
    group: str
    means: int
    indicators: int


@dataclass(frozen=True)
class _Regions:
    """Means by group, then by indicator and sex; the countries behind them; and all areas of a group."""

    means: Mapping[Group, Mapping[tuple[str, str], Mean]]
    members: Mapping[Group, Mapping[str, Sequence[Member]]]
    areas: Mapping[Group, Sequence[str]]


def pages(content: Content, words: Translations) -> Iterator[Page]:
    """Yield the list of groups and their pages."""
    regions = content.once(_regions)
    names = Names(content, words)
    rules = load_aggregation(content.published.framework.id)
    groups = sorted(content.area_groups, key=lambda group: _order(group, rules))
    listed = [
        (scheme, [_listed(group, regions) for group in of_scheme])
        for scheme, of_scheme in groupby(groups, key=lambda group: group[0])
    ]
    yield Page(SECTION, words.text("Regions"), "region_list.html.jinja", {"listed": listed})
    parents = [Link(words.text("Regions"), SECTION)]
    for scheme, group in groups:
        context = {"scheme": scheme, "rules": rules} | _context((scheme, group), content, regions, words)
        title = names.group(scheme, group)
        yield Page(f"regions/{scheme}-{group}.html", title, "region.html.jinja", context, SECTION, parents)


def _order(group: Group, rules: AggregationRules) -> tuple[int, str, str]:
    """Return the place of a group: the world, the framework's schemes, then those that the publisher adds."""
    schemes = list(rules.schemes)
    return (schemes.index(group[0]) if group[0] in schemes else len(schemes), *group)


def _listed(group: Group, regions: _Regions) -> Listed:
    both = [mean for (_, sex), mean in regions.means[group].items() if sex == "_T"]
    return Listed(*group, sum(mean.value is not None for mean in both), len(both))


def _context(group: Group, content: Content, regions: _Regions, words: Translations) -> dict[str, Any]:
    means, members = regions.means[group], regions.members.get(group, {})
    lines = [
        Line(
            indicator,
            mean,
            means.get((indicator, "F")),
            means.get((indicator, "M")),
            members.get(indicator, ()),
        )
        for (indicator, sex), mean in means.items()
        if sex == "_T"
    ]
    without: dict[str, list[str]] = {}
    for line in lines:
        if line.both.value is None:
            without.setdefault(line.both.reason or "", []).append(line.indicator)
    paged = set(content.areas)
    areas = regions.areas.get(group, ())
    return {
        "profile": by_domain(
            content, (ln for ln in lines if ln.both.value is not None), lambda ln: ln.indicator
        ),
        "without": sorted(without.items()),
        "areas": len(areas),
        "surveyed": [area for area in areas if area in paged],
        "weights": {code: words.text(text) for code, text in WEIGHTS.items()},
    }


def _regions(content: Content) -> _Regions:
    means: dict[Group, dict[tuple[str, str], Mean]] = {}
    for of_indicator in content.means.values():
        for mean in of_indicator:
            means.setdefault((mean.scheme, mean.area_group), {})[mean.indicator, mean.sex] = mean
    members: dict[Group, dict[str, list[Member]]] = {}
    query = (
        "FROM aggregate_member WHERE sex = '_T' ORDER BY scheme, area_group, indicator, share DESC, ref_area"
    )
    for member in content.rows(query, Member):
        of_group = members.setdefault((member.scheme, member.area_group), {})
        of_group.setdefault(member.indicator, []).append(member)
    rules = load_aggregation(content.published.framework.id)
    published = content.published.areas
    areas: dict[Group, list[str]] = {(WORLD, rules.world): sorted(published)}
    for code in sorted(published):
        for scheme, group in published[code].groups.items():
            areas.setdefault((scheme, group), []).append(code)
    return _Regions(means, members, areas)
