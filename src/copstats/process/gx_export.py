"""The framework's rules as Great Expectations suites that anybody can run, without copstats.

Two suites a record kind: what Great Expectations expects of single columns runs on every engine; skip logic
and rules across variables are queries and need a SQL engine (``unexpected_rows_expectation``).
"""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copstats.framework import Framework
from copstats.framework import manifest as says
from copstats.framework.definitions import RecordKind
from copstats.language import Translations, translations
from copstats.process.compiled import CompiledRule
from copstats.process.records import RecordTable, record_tables
from copstats.process.rules import compile_rules

_OF_A_SURVEY = (
    "age_outside_population",
    "area_mismatch",
    "parent_without_child",
    "record_too_empty",
    "straight_lining",
    "unread",
)
"""Rule classes that need a manifest, another file, the reader's flags, or functions of DuckDB."""


@dataclass(frozen=True)
class _Planned:
    """A file that holds every variable of the chosen modules."""

    variables: Collection[str]
    source_file: str
    rows: int = 1
    not_taken_over: Collection[str] = ()
    suspects: tuple[()] = ()
    sealed: bool = False
    traces: tuple[()] = ()

    @property
    def source_columns(self) -> Mapping[str, str]:
        return {name: name for name in self.variables}


@dataclass(frozen=True)
class _Files:
    records: Mapping[RecordKind, _Planned]


def write_gx(
    framework: Framework, target: Path, *, language: str = "en", modules: Sequence[str] | None = None
) -> list[Path]:
    """Write ``RECORD.columns.json`` and ``RECORD.queries.json`` for every record kind that the modules hold.

    A suite is read with ``great_expectations.ExpectationSuite(**json.load(file))``. Every expectation has the
    rule's id in ``meta`` and its severity; its description says what is wrong.

    Args:
        framework: the framework version.
        target: folder; it is made if it is not there.
        language: of the descriptions.
        modules: names of modules; all by default. Keys and design variables are always there.
    """
    words = translations(language, framework.id)
    manifest = _neutral_manifest(framework)
    files = _Files(
        {kind: _Planned(names, f"{kind}.csv") for kind, names in _chosen(framework, modules).items()}
    )
    rules = [
        rule
        for rule in compile_rules(framework, manifest, files, None)
        if rule.ready and rule.kind == "row" and rule.rule_class not in _OF_A_SURVEY
    ]
    tables = record_tables(framework, manifest, files, None)
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, table in tables.items():
        own = [rule for rule in rules if rule.record == kind]
        parts = {
            "columns": [(rule, _native(rule)) for rule in own if rule.native is not None],
            "queries": [(rule, _query(rule, table)) for rule in own if rule.native is None],
        }
        for part, expectations in parts.items():
            suite = {
                "name": f"{framework.id} {kind} {part}",
                "meta": {"framework": framework.id, "version": framework.head.version},
                "notes": words.text(framework.head.notice),
                "expectations": [made | _about(rule, words) for rule, made in expectations],
            }
            path = target / f"{kind}.{part}.json"
            path.write_text(json.dumps(suite, ensure_ascii=False, indent=1) + "\n", "utf-8")
            written.append(path)
    return written


def _about(rule: CompiledRule, words: Translations) -> dict[str, Any]:
    names = {name: saying(words) for name, saying in rule.told.items()}
    names |= {"variable": rule.variable or "", "label": words.text(rule.label), "count": "N"}
    return {
        "meta": {"rule": rule.id, "rule_class": rule.rule_class},
        "severity": _SEVERITY[rule.severity],
        "description": words.text(rule.message.what, **names),
    }


_SEVERITY = {"error": "critical", "warning": "warning", "information": "info"}


def _native(rule: CompiledRule) -> dict[str, Any]:
    from copstats.process.gate import expectation

    configured = expectation(rule).configuration.to_json_dict()
    return {"type": configured["type"], "kwargs": configured["kwargs"]}


def _query(rule: CompiledRule, table: RecordTable) -> dict[str, Any]:
    needed = {name for name in rule.reads if name in table.skip}
    steps, source = [], "{batch}"
    for number, layer in enumerate(_layers(table.skip, needed), start=1):
        columns = ", ".join(f"{table.skip[name]} AS {name}" for name in layer)
        steps.append(f"step{number} AS (SELECT *, {columns} FROM {source})")
        source = f"step{number}"
    start = f"WITH {', '.join(steps)} " if steps else ""
    violation = re.sub(r" AND NOT \w+__unread", "", rule.violation)  # no reader, no flag of what it read
    query = f"{start}SELECT * FROM {source} WHERE {violation}"
    return {"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}}


def _layers(skip: Mapping[str, str], needed: set[str]) -> list[list[str]]:
    """Return the skip columns that are needed, each layer after those that it reads."""
    reads = {name: {other for other in skip if other != name and other in sql} for name, sql in skip.items()}
    depth: dict[str, int] = {}

    def visit(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max((visit(other) for other in reads[name]), default=0)
        return depth[name]

    for name in needed:
        visit(name)
    deepest = max(depth.values(), default=0)
    return [[name for name in skip if depth.get(name) == level] for level in range(1, deepest + 1)]


def _chosen(framework: Framework, modules: Sequence[str] | None) -> dict[RecordKind, list[str]]:
    chosen: dict[RecordKind, list[str]] = {}
    for module in framework.modules.values():
        if modules is None or module.module in modules:
            chosen.setdefault(module.record, [])
    for module in framework.modules.values():
        if module.record in chosen and (modules is None or module.always or module.module in modules):
            chosen[module.record] += [name for name, v in module.variables.items() if not v.series]
    return chosen


def _neutral_manifest(framework: Framework) -> says.SurveyManifest:
    ages = framework.head.ages
    day = dt.date(2000, 1, 1)
    return says.SurveyManifest(
        kind="survey",
        framework=framework.id,
        ref_area="ZZZ",
        survey="ANY",
        reference_year=2000,
        version=1,
        title={},
        fieldwork=says.Fieldwork(start=day, end=day),
        population=says.Population(
            ages=says.SurveyAges(min=ages.accepted_minimum, max=ages.accepted_maximum),
            universe="all_children",
            setting="household",
            coverage="national",
        ),
        design=says.SurveyDesign(weight="weight", stratum="stratum", psu="psu"),
        sampling="probability_documented",
        mode="unknown",
        modules=list(framework.modules),
        ethics=says.Ethics(review=None, consent="none"),
        dissemination=says.Dissemination(consent=False),
        files=says.DataFiles(child=says.DataFile(path="child.csv")),
        contact=says.Contact(organisation=""),
    )
