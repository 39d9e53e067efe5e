"""Finds every place at which a rule is broken, as a table without values."""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from copstats.process.compiled import CompiledRule, Judged, Parameter
from copstats.process.records import extended as extended_name
from copstats.process.records import is_derived

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
        # Digits as 9, letters as a, at most 12 characters; empty for an empty cell; NULL for tier B, for
        # cells that could not be read, and where no single cell is at fault.
        pa.field("masked_value", pa.string()),
        # Where rules.yaml holds the text: a rule class, or a rule written by hand.
        pa.field("message_key", pa.string(), nullable=False),
        # What the placeholders of the text need beside the variable, as a JSON object: label, column, count
        # of the rule's findings, and others that the rule knows.
        pa.field("params", pa.string(), nullable=False),
    ]
)
"""One row a broken rule and place; the rows of a rule stand together, by number of record."""

_MASKED = (
    r"regexp_replace(regexp_replace(regexp_replace(left(value, 12), '\p{N}', '9', 'g'),"
    r" '[\p{L}\p{M}]', 'a', 'g'), '[^9a -~]', '?', 'g')"
)


@dataclass(frozen=True)
class Found:
    """What the search found.

    Attributes:
        findings: see `FINDINGS`; of each rule at most as many as were asked for.
        counts: rule id -> number of findings, always exact; rules without any are left out.
        crashed: ids of the rules that the engine refused.
    """

    findings: pa.Table
    counts: Mapping[str, int]
    crashed: frozenset[str]

    @cached_property
    def shown(self) -> dict[str, int]:
        """Rule id -> number of rows in the table."""
        grouped = self.findings.group_by("rule").aggregate([([], "count_all")])
        return dict(zip(grouped["rule"].to_pylist(), grouped["count_all"].to_pylist(), strict=True))


def findings_sql(
    rules: Sequence[CompiledRule], extended: Mapping[str, str], at_most: int | None = None
) -> str:
    """Return the query whose rows (rule_no, record_no, masked_value) are the findings of row rules.

    Every rule is one branch of a UNION ALL: DuckDB reads for each only the columns that it names, which
    takes a fraction of what one scan of all columns with all predicates does.

    Args:
        rules: row rules; their positions are the rule numbers.
        extended: name -> SELECT of the extended tables.
        at_most: so many findings of each rule, and one more if there is one.
    """
    branches = "\n    UNION ALL\n".join(_branch(number, rule, at_most) for number, rule in enumerate(rules))
    return (
        f"{_with(extended)},\nbroken (rule_no, record_no, value) AS MATERIALIZED (\n{branches}\n),\n"
        f"masks AS (\n    SELECT value, {_MASKED} AS masked_value\n"
        "    FROM (SELECT DISTINCT value FROM broken)\n)\n"
        "SELECT rule_no, record_no, masked_value FROM broken LEFT JOIN masks USING (value)\n"
        "ORDER BY rule_no, record_no"
    )


def _branch(number: int, rule: CompiledRule, at_most: int | None) -> str:
    value = f"coalesce({rule.variable}::VARCHAR, '')" if _shown(rule) else "NULL::VARCHAR"
    select = f"SELECT {number}, record_no, {value} FROM {_source(rule)} WHERE {rule.violation}"
    return f"    {select}" if at_most is None else f"    ({select} ORDER BY record_no LIMIT {at_most + 1})"


def _source(rule: CompiledRule) -> str:
    """Return the plain table where it is enough: planning the extended one for each rule takes longer."""
    return extended_name(rule.record) if any(map(is_derived, rule.reads)) else rule.record


def _shown(rule: CompiledRule) -> bool:
    return rule.variable in rule.reads and not rule.withheld


def counts_sql(rules: Sequence[CompiledRule], extended: Mapping[str, str]) -> str:
    """Return the query whose rows (rule_no, findings) count the findings of row rules."""
    branches = "\nUNION ALL\n".join(
        f"SELECT {number} AS rule_no, count(*) AS findings FROM {_source(rule)} WHERE {rule.violation}"
        for number, rule in enumerate(rules)
    )
    return f"{_with(extended)}\n{branches}"


def places_sql(rules: Sequence[CompiledRule]) -> str:
    """Return the query whose rows (rule_no, record_no, params) are the findings of table rules."""
    branches = "\n    UNION ALL\n".join(_table_branch(number, rule) for number, rule in enumerate(rules))
    return f"SELECT rule_no, record_no, params FROM (\n{branches}\n)\nORDER BY ALL"


def _table_branch(number: int, rule: CompiledRule) -> str:
    params = ", ".join(f"'{name}', {name}" for name in rule.params)
    return (
        f"    SELECT {number} AS rule_no, record_no, json_object({params})::VARCHAR AS params"
        f" FROM (\n    {rule.violation}\n    )"
    )


def _with(extended: Mapping[str, str]) -> str:
    steps = [f"{name} AS NOT MATERIALIZED (\n    {select}\n)" for name, select in extended.items()]
    return "WITH " + ",\n".join(steps)


@dataclass(frozen=True)
class Search:
    """Looks for the places at which rules are broken.

    Attributes:
        connection: holds the harmonised tables.
        extended: name -> SELECT of the extended tables.
        submission_id: stands in every finding.
        files: record kind -> name of its data file.
        at_most: so many findings of each rule are kept; None keeps all.
    """

    connection: duckdb.DuckDBPyConnection
    extended: Mapping[str, str]
    submission_id: str
    files: Mapping[str, str]
    at_most: int | None = None

    def find(self, rules: Sequence[CompiledRule], judged: Sequence[Judged] = ()) -> Found:
        """Return the findings of the rules that are ready: structure, records, tables, then aggregates.

        Args:
            rules: compiled rules.
            judged: what came of rules on aggregates.

        Raises:
            duckdb.InterruptException: the search was interrupted.
        """
        ready = [rule for rule in rules if rule.ready]
        found = [self._of_structure(rule) for rule in ready if rule.kind == "structure"]
        found.append(self._safely(self._of_records, [rule for rule in ready if rule.kind == "row"]))
        found.append(self._safely(self._of_tables, [rule for rule in ready if rule.kind == "table"]))
        found += [self._of_places(one.rule, [dict(place) for place in one.findings]) for one in judged]
        return _together(found)

    def _safely(self, run: Callable[[Sequence[CompiledRule]], Found], rules: Sequence[CompiledRule]) -> Found:
        """Run rules together; one that the engine refuses must not silence the others."""
        if not rules:
            return _NOTHING
        try:
            return run(rules)
        except duckdb.InterruptException:
            raise
        except duckdb.Error:  # its message could quote a value
            if len(rules) == 1:
                return replace(_NOTHING, crashed=frozenset({rules[0].id}))
        middle = len(rules) // 2
        return _together([self._safely(run, rules[:middle]), self._safely(run, rules[middle:])])

    def _of_structure(self, rule: CompiledRule) -> Found:
        places = [
            {"variable": place or None, "params": rule.place_params.get(place, {})} for place in rule.places
        ]
        return self._of_places(rule, places)

    def _of_tables(self, rules: Sequence[CompiledRule]) -> Found:
        places: list[list[dict[str, Any]]] = [[] for _ in rules]
        for number, record_no, params in self.connection.execute(places_sql(rules)).fetchall():
            places[number].append({"record_no": record_no, "params": json.loads(params)})
        return _together(self._of_places(rule, own) for rule, own in zip(rules, places, strict=True))

    def _of_places(self, rule: CompiledRule, places: Sequence[dict[str, Any]]) -> Found:
        about = self._about(rule)
        rows = [
            about | place | {"params": _params(rule, len(places), place.get("params", {}))}
            for place in places[: self.at_most]
        ]
        counts = {rule.id: len(places)} if places else {}
        return Found(pa.Table.from_pylist(rows, schema=FINDINGS), counts, frozenset())

    def _of_records(self, rules: Sequence[CompiledRule]) -> Found:
        query = findings_sql(rules, self.extended, self.at_most)
        broken = self.connection.sql(query).to_arrow_table()
        counts = np.bincount(broken["rule_no"].to_numpy(), minlength=len(rules))
        if self.at_most is not None and (over := np.flatnonzero(counts > self.at_most)).size:
            broken = broken.filter(pa.array(_place_in_run(counts) < self.at_most))
            exact = counts_sql([rules[number] for number in over.tolist()], self.extended)
            for number, count in self.connection.execute(exact).fetchall():
                counts[over[number]] = count
        described = pa.Table.from_pylist(
            [
                self._about(rule) | {"params": _params(rule, int(count))}
                for rule, count in zip(rules, counts, strict=True)
            ],
            schema=FINDINGS,
        )
        batches = [_described(described, batch) for batch in broken.to_batches()]
        found = {rule.id: int(count) for rule, count in zip(rules, counts, strict=True) if count}
        return Found(pa.Table.from_batches(batches, schema=FINDINGS), found, frozenset())

    def _about(self, rule: CompiledRule) -> dict[str, Any]:
        return {
            "submission_id": self.submission_id,
            "rule": rule.id,
            "rule_class": rule.rule_class,
            "level": rule.level,
            "severity": rule.severity,
            "file": self.files[rule.record],
            "record": rule.record,
            "variable": rule.variable,
            "message_key": rule.message_key,
        }


_NOTHING = Found(FINDINGS.empty_table(), {}, frozenset())


def _params(rule: CompiledRule, count: int, others: Mapping[str, Parameter] | None = None) -> str:
    named = {"label": rule.label, "column": rule.column, "count": count} | dict(others or {})
    return json.dumps(named, ensure_ascii=False)


def _place_in_run(counts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return 0, 1, 2, ... for the rows of each rule, which stand together."""
    starts: np.ndarray[Any, Any] = np.cumsum(counts) - counts
    place: np.ndarray[Any, Any] = np.arange(counts.sum()) - np.repeat(starts, counts)
    return place


def _described(rules: pa.Table, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Put what is said of its rule beside each finding."""
    about = rules.take(batch["rule_no"]).to_batches()[0]
    columns = {name: about[name] for name in FINDINGS.names}
    columns |= {"record_no": batch["record_no"], "masked_value": batch["masked_value"]}
    return pa.RecordBatch.from_pydict(columns, schema=FINDINGS)


def _together(found: Iterable[Found]) -> Found:
    parts = list(found)
    return Found(
        findings=pa.concat_tables(part.findings for part in parts),
        counts={rule: count for part in parts for rule, count in part.counts.items()},
        crashed=frozenset(rule for part in parts for rule in part.crashed),
    )
