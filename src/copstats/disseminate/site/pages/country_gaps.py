"""Differences between groups of children in a country."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from copstats.disseminate.site.pages.arranging import by_domain, extent
from copstats.disseminate.site.pages.country_rows import GapRow
from copstats.disseminate.site.pages.country_texts import GAPS
from copstats.disseminate.site.reading import Content
from copstats.language import Translations


class GapTable(NamedTuple):
    """One dimension: differences by domain, their largest limit, and the indicators without one by reason."""

    dimension: str
    title: str
    first: str
    second: str
    domains: Sequence[tuple[str, Sequence[GapRow]]]
    extent: float
    without: Sequence[tuple[str, Sequence[str]]]


def tables(rows: Sequence[GapRow], content: Content, words: Translations) -> list[GapTable]:
    """Return a table for each dimension that a country has groups of."""
    out = []
    for dimension, texts in GAPS.items():
        of_dimension = [row for row in rows if row.dimension == dimension]
        shown = [row for row in of_dimension if row.difference is not None]
        if of_dimension:
            title, first, second = map(words.text, texts)
            domains = by_domain(content, shown, lambda row: row.indicator)
            reach = extent([limit for row in shown for limit in (row.ci_lower, row.ci_upper)])
            without = _without(of_dimension)
            out.append(GapTable(dimension, title, first, second, domains, reach, without))
    return out


def _without(rows: Sequence[GapRow]) -> list[tuple[str, list[str]]]:
    """Return reason -> indicators of the rows that show no difference."""
    out: dict[str, list[str]] = {}
    for row in rows:
        if row.difference is None:
            out.setdefault(row.reason or "", []).append(row.indicator)
    return sorted(out.items())
