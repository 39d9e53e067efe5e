"""The page on which a reader picks an indicator, groups and countries.

Its scripts read the published values of one indicator at a time and show what is chosen of them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from copstats.disseminate.charts import config, javascript_bundle
from copstats.disseminate.site.names import DOMAINS, Names
from copstats.disseminate.site.page import Page
from copstats.disseminate.site.pages.compare_texts import texts
from copstats.disseminate.site.reading import Content
from copstats.language import Translations

LIBRARY, LICENCE, STYLE = "vega.js", "vega-LICENSE.txt", "compare.css"
SCRIPTS = ("compare-rows.js", "compare-chart.js", "compare-show.js", "compare.js")
DIMENSIONS = ("sex", "age", "residence", "wealth_quintile", "disability")
"""Dimensions by one of which a reader can break a comparison down."""

_ASSETS = Path(__file__).resolve().parents[1] / "assets"
_LABELLED = ("reason", "reliability", "n_band", "unit_measure")
_MEANS = """
SELECT indicator, scheme, area_group, sex, value, ci_lower, ci_upper, countries, coverage, reason
FROM aggregate_value
ORDER BY ALL
"""


Option = tuple[str, str]
"""A code and its name."""


@dataclass(frozen=True)
class Region:
    """A group of areas: ``scheme:code``, its name, and the countries of the page that belong to it."""

    key: str
    name: str
    areas: Sequence[str]


@dataclass(frozen=True)
class Choices:
    """What the page offers, in the order in which it does.

    Attributes:
        domains: name of a domain, and its indicators.
        dimensions: dimension -> its name, and the groups of which anything is published.
        regions: name of a classification, and its groups.
        areas: countries.
    """

    domains: Sequence[tuple[str, Sequence[Option]]]
    dimensions: Mapping[str, tuple[str, Sequence[Option]]]
    regions: Sequence[tuple[str, Sequence[Region]]]
    areas: Sequence[Option]


def pages(content: Content, words: Translations) -> Iterator[Page]:
    """Yield the page, if there is anything to compare."""
    values = _values(content)
    if values.num_rows == 0:
        return
    names = Names(content, words)
    choices = Choices(
        domains=_domains(content, names, values),
        dimensions=_dimensions(content, names, values),
        regions=_regions(content, names, values),
        areas=_areas(names, values),
    )
    yield Page(
        "compare.html",
        words.text("Compare countries"),
        "compare.html.jinja",
        {"choices": choices, "content": _handed_over(content, names, words, choices)},
        section="compare.html",
        scripts=SCRIPTS,
    )


def write_files(folder: Path, content: Content) -> None:
    """Write what the page loads: scripts, the library that draws, and ``data/compare-CODE.js`` by indicator.

    A page that is opened from a folder may load a script but not read a file. Each calls
    ``copstats.receive(CODE, DATA)``, where ``DATA`` holds ``values`` and ``means``, column by column.

    Args:
        folder: of the site.
        content: the release.
    """
    values = _values(content)
    if values.num_rows == 0:
        return
    for name in (*SCRIPTS, STYLE, LICENCE):
        (folder / "assets" / name).write_bytes((_ASSETS / name).read_bytes())
    (folder / "assets" / LIBRARY).write_text(javascript_bundle(), "utf-8", newline="\n")
    means = _by_indicator(content.table(_MEANS))
    for code, rows in _by_indicator(values).items():
        data = {"values": rows, "means": means.get(code, {})}
        script = f'window.copstats.receive("{code}", {_json(data)});\n'
        (folder / "data" / f"compare-{code}.js").write_text(script, "utf-8", newline="\n")


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


# The pages of all languages and the scripts draw on the same rows.
@lru_cache(maxsize=1)
def _values(content: Content) -> pa.Table:
    return content.table(Path(__file__).with_name("compare.sql").read_text("utf-8"))


def _by_indicator(table: pa.Table) -> dict[str, dict[str, list[Any]]]:
    shown = table.drop_columns(["indicator"])
    return {
        code: shown.filter(pc.equal(table["indicator"], code)).to_pydict()
        for code in sorted(pc.unique(table["indicator"]).to_pylist())
    }


def _domains(content: Content, names: Names, values: pa.Table) -> list[tuple[str, list[Option]]]:
    known = content.published.framework.indicators
    of: dict[str, list[Option]] = defaultdict(list)
    for code in sorted(_present(values, "indicator")):
        of[known[code].definition.domain].append((code, names.indicator(code)))
    return [(names.domain(domain), of[domain]) for domain in _ordered(of, DOMAINS)]


def _dimensions(content: Content, names: Names, values: pa.Table) -> dict[str, tuple[str, list[Option]]]:
    out = {}
    for dimension in DIMENSIONS:
        codes = _ordered(_present(values, dimension) - {"_T"}, content.codes.get(dimension, {}))
        if codes:
            out[dimension] = (names.dimension(dimension), [(c, names.code(dimension, c)) for c in codes])
    return out


def _regions(content: Content, names: Names, values: pa.Table) -> list[tuple[str, list[Region]]]:
    shown = _present(values, "ref_area")
    members: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in content.table("SELECT scheme, area_group, ref_area FROM area_group ORDER BY ALL").to_pylist():
        if row["ref_area"] in shown:
            members[row["scheme"], row["area_group"]].append(row["ref_area"])
    out: dict[str, list[Region]] = defaultdict(list)
    for (scheme, group), areas in members.items():
        out[scheme].append(Region(f"{scheme}:{group}", names.group(scheme, group), areas))
    return [(names.scheme(scheme), groups) for scheme, groups in out.items()]


def _areas(names: Names, values: pa.Table) -> list[Option]:
    named = [(code, names.area(code)) for code in sorted(_present(values, "ref_area"))]
    return sorted(named, key=lambda area: area[1].casefold())


def _present(values: pa.Table, column: str) -> set[str]:
    return set(pc.unique(values[column]).to_pylist())


def _ordered(codes: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return codes in the order of those known; the others after them."""
    wanted, first = set(codes), list(known)
    return [*(code for code in first if code in wanted), *sorted(wanted.difference(first))]


def _handed_over(content: Content, names: Names, words: Translations, choices: Choices) -> Markup:
    """Return what the scripts need in the language of the page, as JSON for an attribute in single quotes."""
    said = {
        "language": words.language,
        "mirrored": words.direction == "rtl",
        "release": content.published.label,
        "indicators": {code: title for _, options in choices.domains for code, title in options},
        "areas": dict(choices.areas),
        "groups": {dimension: dict(options) for dimension, (_, options) in choices.dimensions.items()},
        "regions": {
            region.key: {"name": region.name, "areas": region.areas}
            for _, regions in choices.regions
            for region in regions
        },
        "labels": {
            column: {code: names.code(column, code) for code in content.codes.get(column, {})}
            for column in _LABELLED
        },
        "criteria": {code: names.reasons(code)[0] for code in content.codes["comparability_reasons"]},
        "texts": texts(words),
        "chart": config(words.language),
    }
    return htmlsafe_json_dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=False)
