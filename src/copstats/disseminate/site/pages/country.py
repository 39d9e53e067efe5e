"""A page for every country, and the list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.compute as pc

from copstats.disseminate.charts import reading_aid
from copstats.disseminate.site.downloads import write_download
from copstats.disseminate.site.names import Names
from copstats.disseminate.site.page import Link, Page
from copstats.disseminate.site.pages import country_changes, country_gaps, country_official, country_sources
from copstats.disseminate.site.pages.arranging import by_domain
from copstats.disseminate.site.pages.country_rows import CountryRows, country_rows
from copstats.disseminate.site.reading import Content, Mean, Value
from copstats.framework.aggregation import WORLD, load_aggregation
from copstats.language import Translations

SECTION = "areas/index.html"


class Line(NamedTuple):
    """The newest value of an indicator beside the mean of the region, where they may be compared."""

    value: Value
    mean: Mean | None


class Listed(NamedTuple):
    """A country in the list of countries."""

    area: str
    values: int
    newest: str


@dataclass(frozen=True)
class _Countries:
    """What the pages of all languages are made from.

    Attributes:
        rows: what the release says of countries.
        region: country -> scheme and code of the group whose means stand beside its values.
        means: scheme and code of a group -> indicator -> mean of both sexes.
    """

    rows: CountryRows
    region: Mapping[str, tuple[str, str]]
    means: Mapping[tuple[str, str], Mapping[str, Mean]]


def pages(content: Content, words: Translations) -> Iterator[Page]:
    """Yield the list of countries and their pages."""
    countries = content.once(_countries)
    names = Names(content, words)
    title = words.text("Countries")
    listed = sorted(
        (_listed(area, countries) for area in content.areas), key=lambda one: names.area(one.area)
    )
    yield Page(SECTION, title, "country_list.html.jinja", {"listed": listed})
    for area in content.areas:
        yield _page(area, content, countries, names, words)


def write_data(folder: Path, content: Content) -> None:
    """Write ``area-AREA.csv`` with all cells of a country, for every one that has any."""
    cells = content.published.tables["indicator_value"]
    for area in content.areas:
        own = cells.filter(pc.equal(cells["ref_area"], area))
        if own.num_rows:
            write_download(folder, f"area-{area}", own)


def _page(area: str, content: Content, countries: _Countries, names: Names, words: Translations) -> Page:
    rows = countries.rows
    changes = rows.changes.get(area, ())
    context: dict[str, Any] = {
        "area": area,
        "region": countries.region.get(area),
        "reading_aid": reading_aid(words, weak=True, broken=True),
        **_profile(rows.profile.get(area, ()), area, content, countries),
        "gaps": country_gaps.tables(rows.gaps.get(area, ()), content, words),
        "changes": country_changes.tables(changes, names, words),
        "sources": country_sources.sources(area, rows, names, words),
        **country_official.parts(area, rows.official, names, words),
        "groups": [group for group in _groups(area, content) if group in set(content.area_groups)],
    }
    charts = country_changes.charts(changes, rows.trends.get(area, ()), names, words)
    parents = [Link(words.text("Countries"), SECTION)]
    path = f"areas/{area}.html"
    return Page(path, names.area(area), "country.html.jinja", context, SECTION, parents, charts)


def _profile(values: Sequence[Value], area: str, content: Content, countries: _Countries) -> dict[str, Any]:
    """Return the values that stand beside the region's by domain, and those for national use."""
    region = countries.region.get(area)
    means = countries.means.get(region, {}) if region else {}
    shown = [value for value in values if value.value is not None]
    national = [value for value in shown if value.comparability == "C"]
    beside = [Line(value, means.get(value.indicator)) for value in values if value not in national]
    return {
        "shown": len(shown),
        "years": sorted({value.time_period for value in shown}),
        "profile": by_domain(content, beside, lambda line: line.value.indicator),
        "national": by_domain(content, national, lambda value: value.indicator),
        "any_mean": any(line.mean is not None and line.mean.value is not None for line in beside),
    }


def _listed(area: str, countries: _Countries) -> Listed:
    shown = [value for value in countries.rows.profile.get(area, ()) if value.value is not None]
    return Listed(area, len(shown), max((value.time_period for value in shown), default=""))


def _countries(content: Content) -> _Countries:
    means: dict[tuple[str, str], dict[str, Mean]] = {}
    for of_indicator in content.means.values():
        for mean in of_indicator:
            if mean.sex == "_T":
                means.setdefault((mean.scheme, mean.area_group), {})[mean.indicator] = mean
    published = {
        group for group, of_group in means.items() if any(m.value is not None for m in of_group.values())
    }
    region = {}
    for area in content.areas:
        groups = [group for group in _groups(area, content) if group in means]
        if groups:
            region[area] = next((group for group in groups if group in published), groups[0])
    return _Countries(country_rows(content), region, means)


def _groups(area: str, content: Content) -> list[tuple[str, str]]:
    """Return the groups of a country: the framework's, then those that the publisher adds, then the world."""
    rules = load_aggregation(content.published.framework.id)
    own = content.published.areas[area].groups
    order = [scheme for scheme in rules.schemes if scheme != WORLD]
    schemes = [*(s for s in order if s in own), *(s for s in sorted(own) if s not in rules.schemes)]
    return [*((scheme, own[scheme]) for scheme in schemes), (WORLD, rules.world)]
