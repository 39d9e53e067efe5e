"""A Frictionless data package: what CSV files of the framework must look like, for any tool that reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from copstats.framework.definitions import RecordKind
from copstats.framework.export.output import folder
from copstats.framework.export.selection import KEYS, Item, Selection, select
from copstats.framework.export.words import (
    RECORD,
    Phrases,
    code_labels,
    heading,
    missing_labels,
    notices,
)
from copstats.framework.model import Framework
from copstats.language import Translations, translations

DATAPACKAGE = "datapackage.json"
ENUMERABLE = 200
"""A range of at most so many whole numbers is listed, so that missing codes can stand beside it."""
_PROFILES = "https://datapackage.org/profiles/2.0"
_TYPES = {
    "code": "integer",
    "integer": "integer",
    "number": "number",
    "string": "string",
    "month": "yearmonth",
}


def write_datapackage(
    framework: Framework, target: Path, *, language: str = "en", modules: Sequence[str] | None = None
) -> list[Path]:
    """Write ``datapackage.json`` (Data Package 2.0) for ``child.csv`` and, with its modules, ``parent.csv``.

    It checks single files and the link of parents to children: types, codes, ranges, patterns, keys, blank
    cells, required columns. Universes and edit rules are beyond table schemas: ``copstats check`` holds data
    against these. Missing codes are values with labels, not ``missingValues``, because readers would turn
    those into empty cells. Columns may be in any order, other columns are ignored, and every column but those
    that no survey can do without may be absent. A file of an earlier export is replaced.

    Args:
        framework: the framework version.
        target: a folder, or a file whose name ends in ``.json``; the data files stand beside it.
        language: of titles, descriptions and labels (BCP 47).
        modules: see `copstats.framework.export.selection.select`; None for all.

    Returns:
        The file written.

    Raises:
        UsageError: U141, no such module; U120, no such language; U143, the folder is a file.
    """
    words = translations(language, framework.id)
    package = _package(select(framework, modules), words)
    if target.suffix.lower() == ".json":
        folder(target.parent)
        path = target
    else:
        path = folder(target) / DATAPACKAGE
    path.write_text(json.dumps(package, ensure_ascii=False, indent=2) + "\n", "utf-8", newline="\n")
    return [path]


def _package(selection: Selection, words: Translations) -> dict[str, Any]:
    framework = selection.framework
    return {
        "$schema": f"{_PROFILES}/datapackage.json",
        "name": framework.id,
        "title": heading(framework, words),
        "description": "\n\n".join(notices(framework, words)),
        "version": framework.head.version,
        "resources": [_resource(selection, record, words) for record in selection.records],
    }


def _resource(selection: Selection, record: RecordKind, words: Translations) -> dict[str, Any]:
    return {
        "$schema": f"{_PROFILES}/dataresource.json",
        "name": record,
        "title": words.text(RECORD[record]),
        "path": f"{record}.csv",
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": _schema(selection, record, words),
    }


def _schema(selection: Selection, record: RecordKind, words: Translations) -> dict[str, Any]:
    phrases = Phrases(selection.framework, selection.framework.variables(record), words)
    schema: dict[str, Any] = {
        "$schema": f"{_PROFILES}/tableschema.json",
        "fieldsMatch": "partial",
        # A blank cell is no value of any type, so that it is an error in every column.
        "missingValues": [],
        "primaryKey": [KEYS[record]],
        "fields": [
            _field(selection, item, phrases) for item in selection.of(record) if not item.variable.series
        ],
    }
    if record == "parent":
        child = KEYS["child"]
        schema["foreignKeys"] = [{"fields": [child], "reference": {"resource": "child", "fields": [child]}}]
    return schema


def _field(selection: Selection, item: Item, phrases: Phrases) -> dict[str, Any]:
    variable, words = item.variable, phrases.words
    labels = code_labels(selection.framework, variable, words)
    labels |= missing_labels(selection.framework, selection.missing_codes(item), words)
    field: dict[str, Any] = {
        "name": item.name,
        "title": words.text(variable.label),
        "description": " ".join(_description(item, phrases)),
        "type": _TYPES[variable.type],
        "constraints": _constraints(selection, item),
    }
    if labels:
        field["categories"] = [{"value": code, "label": label} for code, label in labels.items()]
    if variable.universe:
        field["copstats:universe"] = variable.universe
    return {key: value for key, value in field.items() if value}


def _description(item: Item, phrases: Phrases) -> Iterator[str]:
    words = phrases.words
    if item.variable.definition:
        yield words.text(item.variable.definition)
    if item.universe is not None:
        yield words.text("Asked of: {universe}.", universe=phrases.universe(item.universe))
    if item.variable.recall:
        yield words.text("Recall period: {period}.", period=words.text(item.variable.recall))


def _constraints(selection: Selection, item: Item) -> dict[str, Any]:
    variable = item.variable
    found: dict[str, Any] = {"required": True} if variable.status == "required" else {}
    missing = selection.missing_codes(item)
    if variable.type == "code":
        return found | {"enum": [*selection.framework.codes(variable), *missing]}
    if variable.type == "string":
        return found | {"minLength": 1} | ({"pattern": variable.pattern} if variable.pattern else {})
    low, high = variable.minimum, variable.maximum
    if variable.type == "integer" and low is not None and high is not None and high - low < ENUMERABLE:
        return found | {"enum": [*range(int(low), int(high) + 1), *missing]}
    # Missing codes lie below every answer: a range that lets them pass is wider than that of the answers.
    if low is not None:
        found["minimum"] = min([low, *missing])
    if high is not None:
        found["maximum"] = high
    return found
