"""Finds every place at which a rule is broken, as a table without values."""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from copstats.process.records import extended as extended_name
from copstats.process.rules import CompiledRule

FINDINGS = pa.schema(
    [
        pa.field("submission_id", pa.string(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("rule_class", pa.string(), nullable=False),
        pa.field("level", pa.int32(), nullable=False),
        pa.field("severity", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
        # Kind of record, and its number in the file (from 1, header not counted); NULL for the whole file.
        pa.field("record", pa.string(), nullable=False),
        pa.field("record_no", pa.int64()),
        pa.field("variable", pa.string()),
        # Form of the value: digits as 9, letters as a, at most 12 characters; empty for an empty cell; NULL
        # for tier B, for cells that could not be read, and where no single cell is at fault.
        pa.field("shape", pa.string()),
        # Parameters of the message (label, national column), as a JSON object.
        pa.field("params", pa.string(), nullable=False),
    ]
)
"""One row a broken rule and place."""

_RULES = "copstats_rules"
_SHAPE = (
    r"regexp_replace(regexp_replace(regexp_replace(left(value, 12), '\p{N}', '9', 'g'),"
    r" '[\p{L}\p{M}]', 'a', 'g'), '[^9a -~]', '?', 'g')"
)


_RULES_SCHEMA = pa.schema(
    [
        pa.field("rule_no", pa.int32()),
        pa.field("shown", pa.bool_()),
        *(
            FINDINGS.field(name)
            for name in FINDINGS.names
            if name not in ("submission_id", "record_no", "shape")
        ),
    ]
)


def counts_sql(rules: Sequence[CompiledRule], extended: Mapping[str, str]) -> str:
    """Return a query whose one row holds the numbers of findings of some rules, in their order.

    Args:
        rules: row rules of one table, which are decided in one scan; or table rules.
        extended: name -> SELECT of the extended tables.
    """
    counts = ",\n    ".join(_count(rule) for rule in rules)
    source = "" if rules[0].kind == "table" else f"\nFROM {_source(rules[0])}"
    return f"{_with(extended)}\nSELECT {counts}{source}"


def findings_sql(rules: Sequence[CompiledRule], extended: Mapping[str, str]) -> str:
    """Return the query whose rows are all findings of some rules, in their order.

    Every rule is one branch of a UNION ALL: DuckDB reads for each only the columns that it names. The
    table ``copstats_rules`` describes the rules by their number.

    Args:
        rules: row and table rules.
        extended: name -> SELECT of the extended tables.
    """
    branches = "\n    UNION ALL\n".join(_branch(number, rule) for number, rule in enumerate(rules))
    return (
        f"{_with(extended)},\nbroken (rule_no, record_no, value) AS (\n{branches}\n)\n"
        "SELECT $submission AS submission_id, rule, rule_class, level, severity, file, record, record_no,\n"
        f"    variable, CASE WHEN shown THEN coalesce({_SHAPE}, '') END AS shape, params\n"
        f"FROM broken JOIN {_RULES} USING (rule_no)\n"
        "ORDER BY rule_no, record_no"
    )


def _with(extended: Mapping[str, str]) -> str:
    steps = [f"{name} AS NOT MATERIALIZED (\n    {select}\n)" for name, select in extended.items()]
    return "WITH " + ",\n".join(steps)


def _source(rule: CompiledRule) -> str:
    return "" if rule.kind == "table" else extended_name(rule.record)


def _count(rule: CompiledRule) -> str:
    if rule.kind == "table":
        return f"(SELECT count(*) FROM (\n    {rule.violation}\n    ))"
    return f"count_if({rule.violation})"


def _branch(number: int, rule: CompiledRule) -> str:
    if rule.kind == "table":
        return f"    SELECT {number}, record_no, NULL FROM (\n    {rule.violation}\n    )"
    value = rule.variable if rule.variable in rule.reads else "NULL"
    return f"    SELECT {number}, record_no, {value}::VARCHAR FROM {_source(rule)} WHERE {rule.violation}"


@dataclass(frozen=True)
class Search:
    """Looks for the places at which rules are broken.

    Attributes:
        connection: holds the harmonised tables.
        extended: name -> SELECT of the extended tables.
        submission_id: stands in every finding.
        files: record kind -> name of its data file.
    """

    connection: duckdb.DuckDBPyConnection
    extended: Mapping[str, str]
    submission_id: str
    files: Mapping[str, str]

    def find(self, rules: Sequence[CompiledRule]) -> tuple[pa.Table, frozenset[str]]:
        """Return the findings of all rules that are ready, and the ids of the rules that could not be run."""
        ready = [rule for rule in rules if rule.ready]
        tables = [self._of_structure([rule for rule in ready if rule.kind == "structure"])]
        run = [rule for rule in ready if rule.kind != "structure"]
        failed: set[str] = set()
        try:
            tables.append(self._of_records(run))
        except duckdb.Error:
            # One rule that the engine refuses must not silence the others; its message could quote a value.
            for rule in run:
                try:
                    tables.append(self._of_records([rule]))
                except duckdb.Error:
                    failed.add(rule.id)
        return pa.concat_tables(tables), frozenset(failed)

    def _of_structure(self, rules: Sequence[CompiledRule]) -> pa.Table:
        rows = [
            {"submission_id": self.submission_id, **self._about(rule), "variable": place or None}
            for rule in rules
            for place in rule.places
        ]
        return pa.Table.from_pylist(rows, schema=FINDINGS)

    def _of_records(self, rules: Sequence[CompiledRule]) -> pa.Table:
        broken = self._broken(rules)
        if not broken:
            return FINDINGS.empty_table()
        described = [
            {"rule_no": number, "shown": _shown(rule), **self._about(rule)}
            for number, rule in enumerate(broken)
        ]
        self.connection.register(_RULES, pa.Table.from_pylist(described, schema=_RULES_SCHEMA))
        try:
            query = findings_sql(broken, self.extended)
            found = self.connection.sql(query, params={"submission": self.submission_id})
            return found.to_arrow_table().cast(FINDINGS)
        finally:
            self.connection.unregister(_RULES)

    def _broken(self, rules: Sequence[CompiledRule]) -> list[CompiledRule]:
        """Return the rules that are broken. Most hold: only the others need a branch of their own."""
        counts: dict[str, int] = {}
        for source in ("", *self.extended):
            alike = [rule for rule in rules if _source(rule) == source]
            if alike:
                row = self.connection.execute(counts_sql(alike, self.extended)).fetchall()[0]
                counts |= zip((rule.id for rule in alike), row, strict=True)
        return [rule for rule in rules if counts[rule.id]]

    def _about(self, rule: CompiledRule) -> dict[str, Any]:
        return {
            "rule": rule.id,
            "rule_class": rule.rule_class,
            "level": rule.level,
            "severity": rule.severity,
            "file": self.files[rule.record],
            "record": rule.record,
            "variable": rule.variable,
            "params": json.dumps({"label": rule.label, "column": rule.column}, ensure_ascii=False),
        }


def _shown(rule: CompiledRule) -> bool:
    one_cell = rule.kind == "row" and rule.variable in rule.reads
    return one_cell and not rule.withheld


def counts(findings: pa.Table) -> dict[str, int]:
    """Return rule id -> number of findings."""
    grouped = findings.group_by("rule").aggregate([([], "count_all")])
    return dict(zip(grouped["rule"].to_pylist(), grouped["count_all"].to_pylist(), strict=True))


def first_records(findings: pa.Table, rule: str, at_most: int = 5) -> list[int]:
    """Return the numbers of the first records that break a rule."""
    places = findings.filter(pc.equal(findings["rule"], rule))["record_no"].drop_null()
    return [int(number) for number in places.slice(0, at_most).to_pylist()]
