"""Administrative and policy statistics of a release: counts, rates, answers, scores.

Rates, ratios and scores are computed from published figures, so that they tell nothing more. None is ever
combined with a value of a survey.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from copstats.disclose import DisclosureProfile
from copstats.disclose.objections import without_objected
from copstats.disseminate.rates import derived_values, unit_of
from copstats.framework import Framework
from copstats.framework.counts import FACTS, CountDefinitions, load_counts
from copstats.framework.denominators import Denominators
from copstats.framework.official import AdministrativeManifest, OfficialManifest
from copstats.store.counts import PROTECTED_COUNTS
from copstats.store.engine import memory_connection

ADMINISTRATIVE_VALUE = pa.schema(
    {
        **dict.fromkeys(
            ("ref_area", "measure", "time_period", "sex", "age", "breakdown", "code"), pa.string()
        ),
        "unit_measure": pa.string(),
        **dict.fromkeys(("value", "denominator"), pa.float64()),
        **dict.fromkeys(("obs_status", "obs_conf", "reason", "deviation", "source"), pa.string()),
    }
)
MEASURE = pa.schema(
    dict.fromkeys(
        ("measure", "title", "service", "kind", "unit_measure", "unit", "numerator", "denominator", "note"),
        pa.string(),
    )
)
BREAKDOWN = pa.schema(dict.fromkeys(("breakdown", "code", "label"), pa.string()))
POLICY_ANSWER = pa.schema(
    {
        **dict.fromkeys(("ref_area", "time_period", "item", "pillar", "question", "answer"), pa.string()),
        "in_force": pa.int32(),
        **dict.fromkeys(("body", "evidence", "source"), pa.string()),
    }
)
POLICY_SCORE = pa.schema(
    {
        **dict.fromkeys(("ref_area", "time_period", "pillar"), pa.string()),
        "score": pa.float64(),
        **dict.fromkeys(("items", "answered", "not_applicable"), pa.int32()),
        "source": pa.string(),
    }
)
OFFICIAL_SOURCE = pa.schema(
    {
        **dict.fromkeys(("source", "ref_area", "kind", "collection", "time_period"), pa.string()),
        "version": pa.int32(),
        **dict.fromkeys(("title", "organisation", "already_public", "content_hash"), pa.string()),
    }
)
SCHEMAS = {
    "administrative_value": ADMINISTRATIVE_VALUE,
    "measure": MEASURE,
    "breakdown": BREAKDOWN,
    "policy_answer": POLICY_ANSWER,
    "policy_score": POLICY_SCORE,
    "official_source": OFFICIAL_SOURCE,
}

_SAID = ("administrative_value", "policy_answer", "policy_score")
"""Tables with what a release says of a submission."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class OfficialTables:
    """Administrative and policy statistics of a release.

    Attributes:
        tables: name -> table, for every name of ``SCHEMAS``.
        inputs: submission -> hash of its content.
        said: submission -> SHA-256 of what the release would say of it if no country objected.
    """

    tables: Mapping[str, pa.Table] = field(
        default_factory=lambda: {name: schema.empty_table() for name, schema in SCHEMAS.items()}
    )
    inputs: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)


def official_tables(
    counts: pa.Table,
    answers: pa.Table,
    sources: Sequence[tuple[OfficialManifest, str]],
    *,
    framework: Framework,
    profile: DisclosureProfile,
    denominators: Denominators,
    objected: Collection[str] = (),
) -> OfficialTables:
    """Return the tables of a release.

    Args:
        counts: what the gate let through, schema ``PROTECTED_COUNTS``.
        answers: schema ``POLICY_ANSWERS``.
        sources: manifest and hash of each submission; those without a row are left out.
        framework: gives variables and items.
        profile: gives the step of rounding and the reasons.
        denominators: children by area, year, sex and age; where they do not say, figures of the variables
            ``pop_child`` and ``pop_users_all`` count.
        objected: submissions that their country objects to: counts are withheld, answers left out.
    """
    made = partial(_tables, sources=sources, framework=framework, profile=profile, denominators=denominators)
    everything = made(counts, answers)
    said = _digests(everything.tables)
    if not objected:
        return replace(everything, said=said)
    withheld = without_objected(counts, dict.fromkeys(objected, ()), profile, concept="variable")
    left_out = pc.is_in(answers["submission_id"], pa.array(objected, pa.string()))
    return replace(made(withheld, answers.filter(pc.invert(left_out))), said=said)


def _tables(
    counts: pa.Table,
    answers: pa.Table,
    *,
    sources: Sequence[tuple[OfficialManifest, str]],
    framework: Framework,
    profile: DisclosureProfile,
    denominators: Denominators,
) -> OfficialTables:
    definitions = load_counts(framework.id)
    with_rows = {*counts["source"].to_pylist(), *answers["submission_id"].to_pylist()}
    known = [(manifest, digest) for manifest, digest in sources if manifest.submission_id in with_rows]
    values = [*_counts(counts, definitions), *derived_values(counts, definitions, profile, denominators)]
    tables = {
        "administrative_value": _ordered(values, ADMINISTRATIVE_VALUE),
        "measure": _ordered(_measures(framework, definitions), MEASURE),
        "breakdown": _table(_breakdowns(definitions), BREAKDOWN),
        "policy_answer": _policy(answers, framework, _ANSWERS).cast(POLICY_ANSWER),
        "policy_score": _policy(answers, framework, _SCORES).cast(POLICY_SCORE),
        "official_source": _ordered((_source(*one) for one in known), OFFICIAL_SOURCE),
    }
    return OfficialTables(tables, {manifest.submission_id: digest for manifest, digest in known})


def earlier_digests(releases: Iterable[Path]) -> set[str]:
    """Return the hashes of what releases say of each submission, see `OfficialTables`.

    Args:
        releases: their folders.
    """
    found = set()
    for folder in releases:
        files = {name: folder / "parquet" / f"{name}.parquet" for name in _SAID}
        tables = {name: pq.read_table(path) for name, path in files.items() if path.is_file()}
        found |= {*_digests(tables).values()}
    return found


def earlier_counts(releases: Iterable[Path]) -> pa.Table:
    """Return the counts that releases show, schema ``PROTECTED_COUNTS``; the gate has to reckon with them.

    Args:
        releases: their folders.
    """
    files = [folder / "parquet" / "administrative_value.parquet" for folder in releases]
    tables = [pq.read_table(file) for file in files if file.is_file()]
    rows = [
        {**row, "variable": row["measure"], "value": int(row["value"])}
        for table in tables
        for row in table.filter(pc.is_valid(table["value"])).to_pylist()
        if row["denominator"] is None
    ]
    return pa.Table.from_pylist(rows, schema=PROTECTED_COUNTS)


def _digests(tables: Mapping[str, pa.Table]) -> dict[str, str]:
    """Return submission -> SHA-256 of its rows; their order is that of the release."""
    found = defaultdict[str, Any](hashlib.sha256)
    for name in _SAID:
        for row in tables[name].to_pylist() if name in tables else ():
            found[row["source"]].update(json.dumps(row).encode())
    return {source: digest.hexdigest() for source, digest in found.items()}


def _table(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema)


def _ordered(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    keys = [name for name in schema.names if schema.field(name).type == pa.string()]
    return _table(rows, schema).sort_by([(name, "ascending") for name in keys])


def _counts(counts: pa.Table, definitions: CountDefinitions) -> Iterable[Row]:
    for row in counts.to_pylist():
        unit = definitions.variables[row["variable"]].unit.upper()
        yield {**row, "measure": row["variable"], "unit_measure": unit, "denominator": None}


def _measures(framework: Framework, definitions: CountDefinitions) -> Iterable[Row]:
    for name, variable in framework.administrative.items():
        unit = definitions.variables[name].unit
        yield {
            "measure": name,
            "title": variable.label,
            "service": variable.source,
            "kind": "fact" if variable.type in FACTS else "count",
            "unit_measure": unit.upper(),
            "unit": definitions.units[unit].label,
        }
    for code, derived in definitions.derived.items():
        yield {
            "measure": code,
            "title": derived.title,
            "service": framework.administrative[derived.numerator].source,
            "kind": "rate" if derived.is_rate else "ratio",
            "unit_measure": unit_of(derived, definitions),
            "unit": derived.label,
            "numerator": derived.numerator,
            "denominator": derived.denominator,
            "note": derived.note,
        }


def _breakdowns(definitions: CountDefinitions) -> Iterable[Row]:
    for name, categories in definitions.categories.items():
        for code, label in categories.labels.items():
            yield {"breakdown": name, "code": code, "label": label}


def _source(manifest: OfficialManifest, digest: str) -> Row:
    administrative = manifest if isinstance(manifest, AdministrativeManifest) else None
    return {
        "source": manifest.submission_id,
        "ref_area": manifest.ref_area,
        "kind": manifest.kind,
        "collection": manifest.collection,
        "time_period": str(manifest.reference_year),
        "version": manifest.version,
        "title": manifest.title.get("en") or next(iter(manifest.title.values()), None),
        "organisation": manifest.contact.organisation,
        "already_public": administrative.already_public if administrative else None,
        "content_hash": digest,
    }


_ANSWERS = """
    SELECT
        ref_area, time_period, item, pillar, question, answer, in_force, body, evidence,
        submission_id AS source
    FROM answers JOIN items USING (item)
    ORDER BY ref_area, time_period, source, item
"""
# Yes 1, partial 0.5, no 0; the unweighted mean of the items that apply and were answered.
_SCORES = """
    WITH
    marked AS (
        SELECT *, CASE answer WHEN 'yes' THEN 1.0 WHEN 'partial' THEN 0.5 WHEN 'no' THEN 0.0 END AS mark
        FROM (SELECT DISTINCT ref_area, time_period, submission_id FROM answers)
        CROSS JOIN items
        LEFT JOIN answers USING (submission_id, ref_area, time_period, item)
    )
    SELECT
        ref_area, time_period, coalesce(pillar, '_T') AS pillar,
        round(100 * avg(mark), 1) AS score,
        count(*) AS items,
        count(mark) AS answered,
        count_if(coalesce(answer, '') = 'not_applicable') AS not_applicable,
        submission_id AS source
    FROM marked
    GROUP BY GROUPING SETS (
        (ref_area, time_period, submission_id), (ref_area, time_period, submission_id, pillar)
    )
    ORDER BY ref_area, time_period, source, pillar
"""


def _policy(answers: pa.Table, framework: Framework, query: str) -> pa.Table:
    items = [
        {"item": code, "pillar": item.pillar, "question": item.item}
        for code, item in framework.policy.items()
    ]
    schema = pa.schema(dict.fromkeys(("item", "pillar", "question"), pa.string()))
    with memory_connection(threads=1) as connection:
        connection.register("answers", answers)
        connection.register("items", pa.Table.from_pylist(items, schema=schema))
        return connection.sql(query).to_arrow_table()
