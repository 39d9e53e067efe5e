"""Checks a harmonised submission: every rule has an outcome, every broken place is a finding."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, get_args

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from copstats.framework import Framework
from copstats.framework import manifest as says
from copstats.framework.definitions import Severity
from copstats.language import Translations, translations
from copstats.process.compiled import CompiledRule, Judged, State
from copstats.process.findings import Found, Search
from copstats.process.records import Harmonised, extended_tables, record_tables
from copstats.process.rules import compile_rules
from copstats.process.wording import names_of

if TYPE_CHECKING:
    from copstats.process.gate import Mode
    from copstats.process.surroundings import Surroundings

_ENGLISH = translations("en")
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "information")
_FIRST = 5
"""So many record numbers stand in a message."""


@dataclass(frozen=True)
class Outcome:
    """What came of one rule.

    Attributes:
        rule: the compiled rule.
        state: see `copstats.process.compiled.State`.
        count: number of findings, always exact.
        shown: how many of them stand in the table of findings; fewer than ``count`` where the cap bites.
        reason: key of `copstats.process.compiled.REASONS`; empty where it passed or failed.
    """

    rule: CompiledRule
    state: State
    count: int = 0
    shown: int = 0
    reason: str = ""


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
        gate_mode: whether the suite looked at the records again or, in a large file, at the counts alone.
    """

    submission_id: str
    files: dict[str, tuple[str, int]]
    outcomes: tuple[Outcome, ...]
    findings: pa.Table
    gate: dict[str, bool] | None
    gate_mode: Mode | None = None

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
        states: dict[str, int] = dict.fromkeys(get_args(State), 0)
        for outcome in self.outcomes:
            states[outcome.state] += 1
        return states

    @property
    def sound(self) -> bool:
        """Whether every error rule that applies was run and none failed."""
        return not any(
            outcome.state in ("failed", "blocked", "crashed")
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
        found = self.findings_of(rule.id)
        known = json.loads(found["params"][0].as_py()) if found.num_rows else {}
        names = names_of(rule, rule.variable or _named(rule), known, outcome.count, words)
        return RuleMessage(
            outcome=outcome,
            what=words.text(message.what, **names),
            why=words.text(message.why, **names),
            fix=words.text(message.fix, **names),
            records=tuple(found["record_no"].drop_null()[:_FIRST].to_pylist()),
        )

    def findings_of(self, rule: str) -> pa.Table:
        """Return the findings of one rule."""
        start, end = self._places.get(rule, (0, 0))
        return self.findings.slice(start, end - start)

    @cached_property
    def _places(self) -> dict[str, tuple[int, int]]:
        """Rule id -> where its findings start and end; they stand together."""
        runs = pc.run_end_encode(self.findings["rule"].combine_chunks())
        ends = runs.run_ends.to_pylist()
        return dict(zip(runs.values.to_pylist(), zip([0, *ends], ends, strict=False), strict=True))

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
    at_most: int | None = None,
    surroundings: Surroundings | None = None,
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
        at_most: so many findings of each rule are kept, the first by record; their number stays exact.
        surroundings: an earlier round, other countries, the population; None leaves out the rules on them.

    Raises:
        DefinitionError: the rule book and the rules that are implemented differ.
        KeyboardInterrupt: the user interrupted the check.
    """
    rules = compile_rules(framework, manifest, harmonised, crosswalk)
    tables = record_tables(framework, manifest, harmonised, crosswalk)
    extended = extended_tables(tables)
    files = {
        str(kind): (PurePath(record.source_file).name, record.rows)
        for kind, record in harmonised.records.items()
    }
    names = {kind: name for kind, (name, _) in files.items()}
    with _interruptible(connection):
        judged: Sequence[Judged] = ()
        if surroundings is not None:
            from copstats.process.surroundings import judge

            judged = judge(connection, tables, framework, manifest, surroundings)
        found = Search(connection, extended, submission_id, names, at_most).find(rules, judged)
        outcomes = (*_outcomes(rules, found), *_judged(judged, found))
        verdicts, mode = None, None
        if gate:
            from copstats.process.gate import mode_for, run_gate

            mode = mode_for(max(rows for _, rows in files.values()))
            run = [outcome.rule for outcome in outcomes if outcome.state in ("passed", "failed")]
            verdicts = run_gate(connection, run, extended, framework, counted=found.counts, mode=mode)
    return CheckResult(
        submission_id=submission_id,
        files=files,
        outcomes=outcomes,
        findings=found.findings,
        gate=verdicts,
        gate_mode=mode,
    )


@contextmanager
def _interruptible(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let Ctrl-C end a query at once: Python itself hears of the signal only when the engine comes back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, written = socket.socketpair()
    written.setblocking(False)
    before = signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        while number := heard.recv(1):
            if number[0] == signal.SIGINT:
                connection.interrupt()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield
    except (RuntimeError, duckdb.InterruptException) as error:
        # The engine notices some signals itself, and says so by an error without a class.
        if isinstance(error, RuntimeError) and str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from None
    finally:
        signal.set_wakeup_fd(before)
        written.close()
        listener.join()
        heard.close()


def _named(rule: CompiledRule) -> str:
    if not rule.places:
        return ""
    first, others = rule.places[0], len(rule.places) - 1
    return f"{first} (+{others})" if others else first


def _outcomes(rules: Sequence[CompiledRule], found: Found) -> Iterator[Outcome]:
    for rule in rules:
        if rule.state != "ready":
            yield Outcome(rule, rule.state, reason=rule.reason)
        elif rule.id in found.crashed:
            yield Outcome(rule, "crashed", reason="engine")
        else:
            yield _outcome(rule, "failed" if found.counts.get(rule.id) else "passed", found)


def _judged(judged: Sequence[Judged], found: Found) -> Iterator[Outcome]:
    for one in judged:
        yield _outcome(one.rule, one.state, found, one.reason)


def _outcome(rule: CompiledRule, state: State, found: Found, reason: str = "") -> Outcome:
    return Outcome(rule, state, found.counts.get(rule.id, 0), found.shown.get(rule.id, 0), reason)
