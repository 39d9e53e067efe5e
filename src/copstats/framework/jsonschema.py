"""Writes the JSON Schemas of ``schemas/json`` from the types of the framework (``make schemas``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from copstats.framework import (
    aggregation,
    counts,
    definitions,
    disclosure,
    manifest,
    official,
    structure,
    versions,
    weighting_plan,
)
from copstats.project import project_root

SCHEMAS: dict[str, tuple[str, Any]] = {
    "manifest": ("Manifest of a survey submission", manifest.SurveyManifest),
    "administrative_manifest": ("Manifest of administrative counts", official.AdministrativeManifest),
    "policy_manifest": ("Manifest of answers to the policy questionnaire", official.PolicyManifest),
    "crosswalk": ("Crosswalk from national columns and codes to the framework", manifest.Crosswalk),
    "framework": ("Head of a framework version", definitions.FrameworkHead),
    "codelists": ("Code lists", dict[str, definitions.CodeList]),
    "module": ("Module: a group of variables", definitions.Module),
    "rules": ("Edit rules", definitions.RuleBook),
    "indicator": ("Indicator", definitions.Indicator),
    "administrative": ("Administrative variables", dict[str, definitions.AdministrativeVariable]),
    "counts": ("What administrative variables count", counts.CountDefinitions),
    "changes": ("Changes since the version before", versions.Changes),
    "policy": ("Items of the policy questionnaire", dict[str, definitions.PolicyItem]),
    "disclosure": ("Disclosure profile", disclosure.DisclosureProfile),
    "named_profile": ("Named profile, which adds to a disclosure profile", disclosure.NamedProfile),
    "aggregation": ("Rules of aggregates of countries", aggregation.AggregationRules),
    "structure": ("SDMX structure of the published values", structure.Structure),
    "weighting": ("Plan of weighting, from base weights to final weights", weighting_plan.WeightingPlan),
}


def json_schema(name: str) -> dict[str, Any]:
    """Return one JSON Schema (draft 2020-12) by name."""
    title, kind = SCHEMAS[name]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return head | msgspec.json.schema(kind)


def write_schemas(folder: Path | None = None) -> list[Path]:
    """Write all JSON Schemas and return their paths."""
    target = folder or project_root() / "schemas" / "json"
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for name in SCHEMAS:
        path = target / f"{name}.schema.json"
        path.write_text(json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n", "utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    write_schemas()
