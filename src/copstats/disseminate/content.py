"""The tables that stand beside the values: indicators, areas, sources, codes and their labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from copstats.disclose import DisclosureProfile
from copstats.disseminate.labels import REASONS, labels, published_lists
from copstats.disseminate.sources import SourceRecord
from copstats.framework import Area, Framework
from copstats.framework.export.markup import Names, wordings
from copstats.framework.located import Located
from copstats.project import project_root

Row = Mapping[str, Any]

INDICATOR = pa.schema(
    {
        **dict.fromkeys(
            ("indicator", "title", "domain", "statistic", "unit", "record", "universe", "denominator"),
            pa.string(),
        ),
        **dict.fromkeys(("numerator", "members", "combine", "recall"), pa.string()),
        **dict.fromkeys(("age_minimum", "age_maximum"), pa.int32()),
        **dict.fromkeys(("tier", "reference", "note"), pa.string()),
        **dict.fromkeys(("deprecated_since", "replaced_by", "deprecation_reason"), pa.string()),
    }
)
AREA = pa.schema(dict.fromkeys(("ref_area", "area"), pa.string()))
AREA_GROUP = pa.schema(dict.fromkeys(("scheme", "area_group", "ref_area"), pa.string()))
SOURCE = pa.schema(
    {
        **dict.fromkeys(("source", "ref_area", "survey", "time_period"), pa.string()),
        "version": pa.int32(),
        **dict.fromkeys(("title", "organisation"), pa.string()),
        **dict.fromkeys(("fieldwork_start", "fieldwork_end"), pa.date32()),
        **dict.fromkeys(("age_minimum", "age_maximum"), pa.int32()),
        **dict.fromkeys(("bottom_coded", "top_coded"), pa.bool_()),
        **dict.fromkeys(("universe", "setting", "coverage", "excluded", "sampling", "mode"), pa.string()),
        **dict.fromkeys(("response_rate", "coverage_share"), pa.float64()),
        **dict.fromkeys(
            ("weight_method", "child_records", "parent_records", "content_hash", "custody"), pa.string()
        ),
        **dict.fromkeys(("modules", "not_asked"), pa.string()),
    }
)
CODELIST = pa.schema({**dict.fromkeys(("codelist", "code", "label"), pa.string()), "rank": pa.int32()})
COMPARABILITY = pa.schema(dict.fromkeys(("code", "criterion", "label", "evidence"), pa.string()))


def content(
    framework: Framework,
    profile: DisclosureProfile,
    areas: Mapping[str, Area],
    sources: Sequence[SourceRecord],
) -> dict[str, pa.Table]:
    """Return table name -> table of everything that explains the values; rows in a fixed order."""
    words = wordings(framework.id)
    lists = published_lists(framework, words)
    return {
        "indicator": _table(_indicators(framework), INDICATOR),
        "area": _table(({"ref_area": a.code, "area": a.name} for a in _sorted(areas)), AREA),
        "area_group": _table(_groups(areas), AREA_GROUP),
        "source": _table((_source(record, profile) for record in sources), SOURCE),
        "codelist": _table(_codes(lists), CODELIST),
        "label": labels(framework, areas, sources, lists, words),
        "comparability": _table(_criteria(framework, lists[REASONS]), COMPARABILITY),
    }


def _table(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema)


def _sorted(areas: Mapping[str, Area]) -> list[Area]:
    return [areas[code] for code in sorted(areas)]


def _indicators(framework: Framework) -> Iterable[Row]:
    for code, parsed in framework.indicators.items():
        definition = parsed.definition
        named = {name: getattr(definition, name, None) for name in INDICATOR.names}
        deprecated = definition.deprecated
        yield named | {
            "indicator": code,
            "members": " ".join(definition.members) or None,
            "age_minimum": definition.ages.minimum,
            "age_maximum": definition.ages.maximum,
            "reference": "; ".join(definition.reference) or None,
            "deprecated_since": deprecated.since if deprecated else None,
            "replaced_by": deprecated.replaced_by if deprecated else None,
            "deprecation_reason": deprecated.note if deprecated else None,
        }


def _groups(areas: Mapping[str, Area]) -> Iterable[Row]:
    rows = [(scheme, group, area.code) for area in areas.values() for scheme, group in area.groups.items()]
    return (dict(zip(AREA_GROUP.names, row, strict=True)) for row in sorted(rows))


def _source(record: SourceRecord, profile: DisclosureProfile) -> Row:
    of = record.manifest
    named = {name: getattr(of, name, None) for name in SOURCE.names}
    return named | {
        "source": record.submission_id,
        "time_period": str(of.reference_year),
        "title": of.title.get("en") or next(iter(of.title.values()), None),
        "organisation": of.contact.organisation,
        "fieldwork_start": of.fieldwork.start,
        "fieldwork_end": of.fieldwork.end,
        "age_minimum": of.population.ages.min,
        "age_maximum": of.population.ages.max,
        "bottom_coded": of.population.ages.bottom_coded,
        "top_coded": of.population.ages.top_coded,
        "universe": of.population.universe,
        "setting": of.population.setting,
        "coverage": of.population.coverage,
        "excluded": of.population.excluded,
        "response_rate": of.response_rate.overall if of.response_rate else None,
        "child_records": _band(record.records.get("child"), profile),
        "parent_records": _band(record.records.get("parent"), profile),
        "content_hash": record.content_hash,
        "custody": record.custody,
        "modules": " ".join(of.modules) or None,
        "not_asked": " ".join(of.not_asked) or None,
    }


def _band(count: int | None, profile: DisclosureProfile) -> str | None:
    reached = [b.code for b in profile.n_bands.bands if count is not None and count >= b.lower]
    return reached[-1] if reached else None


def _codes(lists: Mapping[str, Mapping[str, Names]]) -> Iterable[Row]:
    for column, codes in lists.items():
        for rank, (code, texts) in enumerate(codes.items(), 1):
            yield {"codelist": column, "code": code, "label": texts["en"], "rank": rank}


class _Criterion(msgspec.Struct, frozen=True):
    title: str
    evidence: str


def _criteria(framework: Framework, reasons: Mapping[str, Names]) -> Iterable[Row]:
    path = project_root() / "schemas" / framework.id / "comparability.yaml"
    criteria = msgspec.convert(Located(path).data, dict[str, _Criterion])
    for code, texts in reasons.items():
        criterion = criteria[code.removesuffix("_unknown")]
        yield {
            "code": code,
            "criterion": criterion.title,
            "label": texts["en"],
            "evidence": criterion.evidence,
        }
