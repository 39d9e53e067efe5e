"""Titles and labels in the languages of the United Nations: table ``label``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from copstats.disseminate.codes import LISTS
from copstats.disseminate.rates import unit_of
from copstats.disseminate.sources import SourceRecord
from copstats.framework import Area, Framework
from copstats.framework.aggregation import load_aggregation
from copstats.framework.counts import load_counts
from copstats.framework.export.markup import Names, names
from copstats.framework.export.sdmx import CodeTable, code_tables, load_structure
from copstats.language import Translations

LABEL = pa.schema(dict.fromkeys(("kind", "code", "language", "text"), pa.string()))
REASONS = "comparability_reasons"
"""Column with several codes in one cell, which its component of the structure cannot bind to their list."""
_LIST_OF_REASONS = "CL_COMPARABILITY_REASON"

Texts = tuple[str, str, Names]
"""Kind, code, language -> text."""


def published_lists(framework: Framework, words: Sequence[Translations]) -> dict[str, Mapping[str, Names]]:
    """Return column -> code -> language -> label, columns by name, codes in order.

    Args:
        framework: gives the lists of the SDMX structure and what fills them.
        words: languages, English among them; a language without a translation is left out.
    """
    structure = load_structure(framework.id)
    tables: Mapping[str, CodeTable] = code_tables(framework, areas={}, indicators={}, words=words)
    found: dict[str, Mapping[str, Names]] = {
        component.column: tables[component.codelist].codes
        for component in structure.components.values()
        if component.column and component.codelist and tables[component.codelist].codes
    }
    for column, codes in LISTS.items():
        found[column] = {code: names(words, label) for code, label in codes.items()}
    found[REASONS] = tables[_LIST_OF_REASONS].codes
    return dict(sorted(found.items()))


def labels(
    framework: Framework,
    areas: Mapping[str, Area],
    sources: Iterable[SourceRecord],
    lists: Mapping[str, Mapping[str, Names]],
    words: Sequence[Translations],
) -> pa.Table:
    """Return one row a text and language, schema ``LABEL``, ordered by all columns.

    English stands there for every code, another language where there is a translation. The title of a survey
    stands in the languages in which its office gave it.
    """
    texts = (
        *_indicators(framework, words),
        *_areas(areas, words),
        *_groups(framework, areas, words),
        *_official(framework, words),
        *((kind, code, texts) for kind, codes in lists.items() for code, texts in codes.items()),
        *(("source", source.submission_id, source.manifest.title) for source in sources),
    )
    rows = sorted((kind, code, tag, text) for kind, code, by_tag in texts for tag, text in by_tag.items())
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)] or [[]] * len(LABEL.names)
    return pa.table(columns, schema=LABEL)


def _indicators(framework: Framework, words: Sequence[Translations]) -> Iterator[Texts]:
    for code, indicator in framework.indicators.items():
        definition = indicator.definition
        yield "indicator", code, names(words, definition.title)
        if definition.note:
            yield "indicator_note", code, names(words, definition.note)
        if definition.deprecated:
            yield "deprecation_reason", code, names(words, definition.deprecated.note)


def _areas(areas: Mapping[str, Area], words: Sequence[Translations]) -> Iterator[Texts]:
    for area in areas.values():
        yield "area", area.code, {each.language: each.area(area.code, area.name) for each in words}


def _groups(
    framework: Framework, areas: Mapping[str, Area], words: Sequence[Translations]
) -> Iterator[Texts]:
    rules = load_aggregation(framework.id)
    for scheme, entry in rules.schemes.items():
        yield "scheme", scheme, names(words, entry.title)
        for group, named in entry.groups.items():
            yield "area_group", f"{scheme}:{group}", names(words, named.label)
    own = {pair for area in areas.values() for pair in area.groups.items()}
    for scheme, group in sorted(own):
        if scheme not in rules.schemes or group not in rules.schemes[scheme].groups:
            yield "area_group", f"{scheme}:{group}", {"en": rules.label(scheme, group)}


def _official(framework: Framework, words: Sequence[Translations]) -> Iterator[Texts]:
    for name, variable in framework.administrative.items():
        yield "measure", name, names(words, variable.label)
    definitions = load_counts(framework.id)
    for code, derived in definitions.derived.items():
        yield "measure", code, names(words, derived.title)
    units = {code.upper(): unit.label for code, unit in definitions.units.items()}
    units |= {unit_of(rate, definitions): rate.label for rate in definitions.derived.values() if rate.is_rate}
    for code, label in units.items():
        yield "unit_measure", code, names(words, label)
    for name, categories in definitions.categories.items():
        yield "breakdown", name, names(words, categories.title)
        for code, label in categories.labels.items():
            yield "breakdown", f"{name}:{code}", names(words, label)
    for code, item in framework.policy.items():
        yield "item", code, names(words, item.item)
