"""A page for every indicator, and the list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.compute as pc

from copstats.disseminate.charts import Mark, Spec, Style, interval_chart, reading_aid
from copstats.disseminate.site.downloads import write_download
from copstats.disseminate.site.names import DOMAINS, Names
from copstats.disseminate.site.page import Link, Page
from copstats.disseminate.site.reading import Content, Difference, Mean, Value
from copstats.framework.export.codebook_content import codebook
from copstats.framework.export.codebook_entries import IndicatorEntry
from copstats.framework.export.selection import select
from copstats.language import Translations

INDEX = "indicators/index.html"
CHART = "countries"
NARROW = 360
"""Pixels of a chart for a phone."""
_PAIRS = {
    "sex": ("F", "M"),
    "residence": ("U", "R"),
    "wealth_quintile": ("Q5", "Q1"),
    "disability": ("PD", "PWD"),
}
"""Dimension -> the two groups whose difference stands beside the values."""
_BROKEN_DOWN = ("sex", "age", "residence", "wealth_quintile", "disability")


@dataclass(frozen=True)
class Countries:
    """Newest values of the countries, by how they may be used.

    Attributes:
        comparable: of classes A and B, highest first.
        national: of class C, by name: they are not ranked.
        absent: without a value, by name.
    """

    comparable: Sequence[Value]
    national: Sequence[Value]
    absent: Sequence[Value]


@dataclass(frozen=True)
class GroupRow:
    """A country in a table of groups: a cell for every group, None where the survey does not have it."""

    total: Value
    cells: Sequence[Value | None]
    difference: Difference | None


@dataclass(frozen=True)
class GroupTable:
    """Values of countries by the groups of one dimension.

    Attributes:
        dimension: column of ``indicator_value``.
        groups: codes, in the order of the columns.
        pair: first and second group of the difference; None where there is none.
        comparable: rows of countries of classes A and B, by name.
        national: rows of those of class C.
    """

    dimension: str
    groups: Sequence[str]
    pair: tuple[str, str] | None
    comparable: Sequence[GroupRow]
    national: Sequence[GroupRow]


def pages(content: Content, words: Translations) -> Iterator[Page]:
    """Yield the list of indicators and the page of each."""
    names = Names(content, words)
    listed = {"domains": by_domain(content, words), "counts": counts(content)}
    yield Page(INDEX, words.text("Indicators"), "indicators.html.jinja", listed, section=INDEX)
    for entry in codebook(select(content.published.framework, None), words).indicators:
        yield _page(content, words, names, entry)


def write_data(site: Path, content: Content) -> None:
    """Write ``data/CODE.csv``, every published cell of an indicator, for each of them."""
    cells = content.published.tables["indicator_value"]
    for code in content.published.framework.indicators:
        write_download(site, code, cells.filter(pc.equal(cells["indicator"], code)))


def countries(values: Sequence[Value], names: Names) -> Countries:
    """Return newest values of an indicator by how they may be used."""
    by_name = sorted(values, key=lambda value: (names.area(value.ref_area), value.ref_area))
    shown = [value for value in by_name if value.value is not None]
    return Countries(
        comparable=sorted((v for v in shown if v.comparability in ("A", "B")), key=lambda v: -(v.value or 0)),
        national=[v for v in shown if v.comparability not in ("A", "B")],
        absent=[v for v in by_name if v.value is None],
    )


def by_domain(content: Content, words: Translations) -> dict[str, dict[str, str]]:
    """Return domain -> indicator -> title, in the order of the domains; each has an indicator."""
    domains: dict[str, dict[str, str]] = {domain: {} for domain in DOMAINS}
    for code, parsed in content.published.framework.indicators.items():
        listed = domains.setdefault(parsed.definition.domain, {})
        listed[code] = words.text(parsed.definition.title)
    return {domain: listed for domain, listed in domains.items() if listed}


def counts(content: Content) -> dict[str, dict[str, int]]:
    """Return indicator -> class -> number of countries whose newest value is of the class."""
    out = {}
    for code in content.published.framework.indicators:
        values = content.newest.get(code, [])
        shown = [value.comparability for value in values if value.value is not None]
        out[code] = {grade: shown.count(grade) for grade in ("A", "B", "C")}
    return out


def _page(content: Content, words: Translations, names: Names, entry: IndicatorEntry) -> Page:
    definition = content.published.framework.indicators[entry.code].definition
    values = content.newest.get(entry.code, [])
    shown = countries(values, names)
    unit = names.unit(values[0].unit_measure) if values else entry.unit
    return Page(
        path=f"indicators/{entry.code}.html",
        title=f"{entry.code} {entry.title}",
        template="indicator.html.jinja",
        context={
            "entry": entry,
            "definition": definition,
            "deprecated": definition.deprecated,
            "countries": shown,
            "tables": list(_tables(content, entry.code, values, names)),
            "aid": reading_aid(words, weak=any(value.obs_status == "U" for value in shown.comparable)),
            "means": _means(content.means.get(entry.code, [])),
            "changes": content.changes.get(entry.code, []),
            "unit": unit,
            "areas": frozenset(content.areas),
        },
        section=INDEX,
        parents=[Link(words.text("Indicators"), INDEX)],
        charts=_charts(shown.comparable, entry, unit, words, names),
    )


def _means(rows: Sequence[Mean]) -> list[Mean]:
    """Return means of both sexes together, those with a value first."""
    return sorted((row for row in rows if row.sex == "_T"), key=lambda row: row.value is None)


def _charts(
    values: Sequence[Value], entry: IndicatorEntry, unit: str, words: Translations, names: Names
) -> dict[str, Spec]:
    """Return the chart of the countries, for a wide screen and for a phone; none without values."""
    if not values:
        return {}
    marks = [
        Mark(
            label=names.area(value.ref_area),
            value=value.value or 0.0,
            lower=value.ci_lower,
            upper=value.ci_upper,
            note=value.time_period,
            weak=value.obs_status == "U",
        )
        for value in values
    ]
    style = Style(
        language=words.language,
        axis_title=unit,
        name=CHART,
        title=words.text("{title}, by country", title=entry.title),
        description=words.text("The table below the chart has the same figures."),
    )
    narrow = replace(style, name=f"{CHART}-narrow", width=NARROW)
    return {one.name: interval_chart(marks, one) for one in (style, narrow)}


def _tables(content: Content, indicator: str, values: Sequence[Value], names: Names) -> Iterator[GroupTable]:
    """Yield a table for every dimension by which a value is published."""
    totals = sorted(values, key=lambda value: (names.area(value.ref_area), value.ref_area))
    cells = {
        (cell.ref_area, dimension, code): cell
        for cell in content.groups.get(indicator, [])
        for dimension in _BROKEN_DOWN
        if (code := getattr(cell, dimension)) != "_T"
    }
    differences = {
        (d.source, d.dimension, d.group_a, d.group_b): d for d in content.differences.get(indicator, [])
    }
    for dimension in _BROKEN_DOWN:
        present = {code for _, of, code in cells if of == dimension}
        if not present:
            continue
        groups = [code for code in content.codes[dimension] if code in present]
        pair = _pair(dimension, groups, differences)
        rows = [
            GroupRow(
                total,
                [cells.get((total.ref_area, dimension, group)) for group in groups],
                differences.get((total.source, dimension, *pair)) if pair else None,
            )
            for total in totals
            if any((total.ref_area, dimension, group) in cells for group in groups)
        ]
        yield GroupTable(
            dimension,
            groups,
            pair,
            comparable=[row for row in rows if _grade(row) != "C"],
            national=[row for row in rows if _grade(row) == "C"],
        )


def _pair(
    dimension: str, groups: Sequence[str], differences: Mapping[tuple[str, str, str, str], Difference]
) -> tuple[str, str] | None:
    """Return the two groups of the difference, in the order in which the release has them."""
    pair = set(_PAIRS.get(dimension, ()))
    found = {(a, b) for _, of, a, b in differences if of == dimension and {a, b} == pair}
    return min(found) if found and pair <= set(groups) else None


def _grade(row: GroupRow) -> str | None:
    return max((cell.comparability or "" for cell in row.cells if cell), default=None)
