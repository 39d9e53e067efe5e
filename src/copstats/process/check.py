"""Checks a harmonised submission: every rule has an outcome, every broken place is a finding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any, Literal

import duckdb
import pyarrow as pa

from copstats.framework import Framework
from copstats.framework import manifest as says
from copstats.framework.definitions import Severity
from copstats.language import Translations, translations
from copstats.process.findings import Search, counts, first_records
from copstats.process.records import Harmonised, extended_tables, record_tables
from copstats.process.rules import CompiledRule, compile_rules

State = Literal["passed", "failed", "blocked", "could_not_run", "not_applicable"]
_ENGLISH = translations("en")
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "information")


@dataclass(frozen=True)
class Outcome:
    """What came of one rule.

    Attributes:
        rule: the compiled rule.
        state: ``passed``, ``failed``, ``blocked``, ``could_not_run`` or ``not_applicable``.
        count: number of findings.
    """

    rule: CompiledRule
    state: State
    count: int = 0


@dataclass(frozen=True)
class RuleMessage:
    """A failed rule in words; holds names and counts, never a value.

    Attributes:
        outcome: the rule and its count.
        what: what is wrong.
        why: why it matters.
        fix: how to put it right.
        records: numbers of the first records concerned.
    """

    outcome: Outcome
    what: str
    why: str
    fix: str
    records: tuple[int, ...]


@dataclass(frozen=True)
class CheckResult:
    """Result of a check.

    Attributes:
        submission_id: the submission.
        files: record kind -> (name of the data file, number of records).
        outcomes: one for every rule.
        findings: a row for every broken place; see `copstats.process.findings.FINDINGS`.
        gate: rule id -> whether the acceptance suite holds it fulfilled; None if the gate did not run.
    """

    submission_id: str
    files: dict[str, tuple[str, int]]
    outcomes: tuple[Outcome, ...]
    findings: pa.Table
    gate: dict[str, bool] | None

    @cached_property
    def severities(self) -> dict[str, int]:
        """Severity -> number of findings."""
        found: dict[str, int] = dict.fromkeys(SEVERITIES, 0)
        for outcome in self.outcomes:
            found[outcome.rule.severity] += outcome.count
        return found

    @cached_property
    def states(self) -> dict[str, int]:
        """State -> number of rules."""
        states: dict[str, int] = dict.fromkeys(
            ("passed", "failed", "blocked", "could_not_run", "not_applicable"), 0
        )
        for outcome in self.outcomes:
            states[outcome.state] += 1
        return states

    @property
    def sound(self) -> bool:
        """Whether every error rule that applies was run and none failed."""
        return not any(
            outcome.state in ("failed", "blocked", "could_not_run")
            for outcome in self.outcomes
            if outcome.rule.severity == "error"
        )

    @property
    def disagreements(self) -> tuple[str, ...]:
        """Rules on which the acceptance suite and the findings differ, or that the suite could not judge."""
        if self.gate is None:
            return ()
        judged = (outcome for outcome in self.outcomes if outcome.state in ("passed", "failed"))
        return tuple(
            outcome.rule.id
            for outcome in judged
            if self.gate.get(outcome.rule.id) is not (outcome.state == "passed")
        )

    @property
    def accepted(self) -> bool:
        """Whether the submission meets the framework: sound, and the acceptance suite ran and agrees."""
        return self.sound and self.gate is not None and not self.disagreements

    def messages(self, words: Translations = _ENGLISH) -> tuple[RuleMessage, ...]:
        """Return every failed rule in words: errors first, what concerns columns first, then by number."""

        def urgency(outcome: Outcome) -> tuple[int, int, int]:
            rule = outcome.rule
            return SEVERITIES.index(rule.severity), rule.level, -outcome.count

        failed = sorted((o for o in self.outcomes if o.state == "failed"), key=urgency)
        return tuple(self._message(outcome, words) for outcome in failed)

    def _message(self, outcome: Outcome, words: Translations) -> RuleMessage:
        rule, message = outcome.rule, outcome.rule.message
        names = {
            "variable": rule.variable or _named(rule),
            "label": words.text(rule.label) if rule.label else "",
            "column": rule.column or rule.variable or "",
            "count": words.number(outcome.count),
        }
        return RuleMessage(
            outcome=outcome,
            what=words.text(message.what, **names),
            why=words.text(message.why, **names),
            fix=words.text(message.fix, **names),
            records=tuple(first_records(self.findings, rule.id)),
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the findings as plain objects, with the parameters of the message unpacked."""
        for row in self.findings.to_pylist():
            yield row | {"params": json.loads(row["params"])}


def check(  # noqa: PLR0917
    connection: duckdb.DuckDBPyConnection,
    harmonised: Harmonised,
    submission_id: str,
    framework: Framework,
    manifest: says.SurveyManifest,
    crosswalk: says.Crosswalk | None,
    *,
    gate: bool = True,
) -> CheckResult:
    """Check the harmonised tables of a submission against the framework.

    Args:
        connection: holds the tables ``child`` and, if delivered, ``parent``.
        harmonised: what the tables hold and where it came from.
        submission_id: for example ``KEN_2026_COPS_v01_M``; stands in every finding.
        framework: the framework version that the manifest names.
        manifest: the submission's manifest.
        crosswalk: its crosswalk, if it has one.
        gate: whether to run the acceptance suite too; importing Great Expectations takes some seconds.

    Raises:
        DefinitionError: the rule book and the rules that are implemented differ.
    """
    rules = compile_rules(framework, manifest, harmonised, crosswalk)
    extended = extended_tables(record_tables(framework, manifest, harmonised, crosswalk))
    files = {
        str(kind): (PurePath(record.source_file).name, record.rows)
        for kind, record in harmonised.records.items()
    }
    names = {kind: name for kind, (name, _) in files.items()}
    findings, not_run = Search(connection, extended, submission_id, names).find(rules)
    verdicts: dict[str, bool] | None = None
    if gate:
        from copstats.process.gate import run_gate

        run = [rule for rule in rules if rule.id not in not_run]
        verdicts = run_gate(connection, run, extended, framework, counted=counts(findings))
    return CheckResult(
        submission_id=submission_id,
        files=files,
        outcomes=tuple(_outcomes(rules, counts(findings), not_run)),
        findings=findings,
        gate=verdicts,
    )


def _named(rule: CompiledRule) -> str:
    first, others = rule.places[0], len(rule.places) - 1
    return f"{first} (+{others})" if others else first


def _outcomes(
    rules: tuple[CompiledRule, ...], found: dict[str, int], not_run: frozenset[str]
) -> Iterator[Outcome]:
    for rule in rules:
        count = found.get(rule.id, 0)
        if rule.state != "ready":
            yield Outcome(rule, rule.state)
        elif rule.id in not_run:
            yield Outcome(rule, "could_not_run")
        else:
            yield Outcome(rule, "failed" if count else "passed", count)
