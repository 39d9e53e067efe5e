"""Tells people and machines what came of a check; names, counts and record numbers, never a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from copstats.framework import Framework
from copstats.language import N_, Translations, translations
from copstats.process.check import SEVERITIES, CheckResult, RuleMessage
from copstats.process.rules import HAND, REASONS

if TYPE_CHECKING:
    from rich.console import RenderableType

_STYLES = {"error": "bold red", "warning": "bold yellow", "information": "bold cyan"}
_TITLES = {"error": N_("ERROR"), "warning": N_("WARNING"), "information": N_("NOTE")}
_COUNTED = {
    "error": N_("errors; rules broken: {count}"),
    "warning": N_("warnings; rules broken: {count}"),
    "information": N_("notes; rules concerned: {count}"),
}
_ENGLISH = translations("en")
_NAMED = 8
"""So many names stand in a list."""


@dataclass(frozen=True)
class Group:
    """Messages of one rule class and severity: the first is told in full, the others are named.

    Attributes:
        messages: the one with most findings first.
    """

    messages: tuple[RuleMessage, ...]

    @property
    def first(self) -> RuleMessage:
        """The message that is told in full."""
        return self.messages[0]

    @property
    def severity(self) -> str:
        """Common severity of the messages."""
        return self.first.outcome.rule.severity


def groups(messages: Sequence[RuleMessage]) -> tuple[Group, ...]:
    """Return the messages by severity and rule class; a rule written by hand stands alone."""
    found: dict[tuple[str, str], list[RuleMessage]] = {}
    for message in messages:
        rule = message.outcome.rule
        subject = rule.id if rule.rule_class == HAND else rule.rule_class
        found.setdefault((rule.severity, subject), []).append(message)
    return tuple(Group(tuple(alike)) for alike in found.values())


def verdict(result: CheckResult, words: Translations = _ENGLISH) -> str:
    """Return the outcome of the check in a sentence or two."""
    errors = sum(message.outcome.rule.severity == "error" for message in result.messages())
    if errors:
        return words.text(
            "Not yet accepted. Required rules that are not met: {count}. What to do stands below.",
            count=errors,
        )
    if not result.sound:
        return words.text("Not yet accepted: some rules could not be checked; see below.")
    if result.disagreements:
        named = words.listing(result.disagreements[:3])
        text = "Not accepted: two independent checks differ on {rules}. This is a fault of the program."
        return words.text(text, rules=named)
    sentences = [words.text("Accepted: the submission meets the framework.")]
    if result.gate is None:
        sentences = [words.text("No errors found. The acceptance suite was not run.")]
    if result.severities["warning"]:
        sentences.append(words.text("Please look at the warnings below."))
    return " ".join(sentences)


def render_terminal(
    result: CheckResult, framework: Framework, words: Translations = _ENGLISH, *, at_most: int = 6
) -> RenderableType:
    """Return the report for a terminal: verdict, counts, then what to do, the gravest first.

    Args:
        result: what came of the check.
        framework: named in the heading.
        words: language of the texts.
        at_most: so many groups of messages are told; the others are counted.
    """
    from rich.console import Group as Lines
    from rich.padding import Padding
    from rich.text import Text

    found = groups(result.messages(words))
    files = "; ".join(
        words.text("{file}, records: {count}", file=name, count=words.number(rows))
        for name, rows in result.files.values()
    )
    style = "bold green" if result.accepted else "bold red" if not result.sound else "bold"
    lines: list[RenderableType] = [
        Text.assemble((result.submission_id, "bold"), f" | {framework.id} {framework.head.version}"),
        Text(files, style="dim"),
        Text(),
        Text(verdict(result, words), style=style),
        Padding(_summary(result, words), (1, 0, 0, 2)),
    ]
    for group in found[:at_most]:
        lines += [Text(), _told(group, result, words)]
    if len(found) > at_most:
        rest = words.text(
            "More kinds of findings: {count}; --json lists them all.", count=len(found) - at_most
        )
        lines += [Text(), Text(rest, style="bold")]
    if any(group.first.records for group in found[:at_most]):
        note = words.text("Records are counted from 1, without the header line.")
        lines += [Text(), Text(note, style="dim")]
    if words.notice:
        lines += [Text(words.notice, style="dim")]
    return Lines(*lines)


def _summary(result: CheckResult, words: Translations) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    table.add_column()
    broken = Counter(message.outcome.rule.severity for message in result.messages())
    for severity in SEVERITIES:
        if broken[severity]:
            text = words.text(_COUNTED[severity], count=broken[severity])
            table.add_row(words.number(result.severities[severity]), Text(text, style=_STYLES[severity]))
    for state, reasons in _quiet(result, words):
        table.add_row(words.number(result.states[state]), Text(reasons, style="dim"))
    return table


def _quiet(result: CheckResult, words: Translations) -> Iterator[tuple[str, str]]:
    """Yield the states in which a rule says nothing of the data, with their reasons in words."""
    if result.states["passed"]:
        yield "passed", words.text("rules passed")
    if result.states["could_not_run"]:
        yield "could_not_run", words.text("rules could not be run; please report this")
    texts = (
        ("blocked", N_("rules have to wait: {reasons}")),
        ("not_applicable", N_("rules do not apply: {reasons}")),
    )
    for state, text in texts:
        reasons = Counter(o.rule.reason for o in result.outcomes if o.state == state)
        if reasons:
            named = [words.text(REASONS[reason]) for reason, _ in reasons.most_common(2)]
            yield state, words.text(text, reasons="; ".join(named))


def _told(group: Group, result: CheckResult, words: Translations) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=8, no_wrap=True)
    table.add_column()
    first = group.first
    title = Text(words.text(_TITLES[group.severity]), style=_STYLES[group.severity])
    table.add_row(title, Text(first.what, style="bold"))
    table.add_row(Text("  " + words.text(N_("why")), style="dim"), first.why)
    table.add_row(Text("  " + words.text("to do"), style="dim"), first.fix)
    if where := _where(first, result, words):
        table.add_row(Text("  " + words.text(N_("where")), style="dim"), Text(where, style="dim"))
    if also := _also(group.messages[1:], words):
        table.add_row(Text("  " + words.text(N_("also")), style="dim"), also)
    return table


def _where(message: RuleMessage, result: CheckResult, words: Translations) -> str:
    rule, count = message.outcome.rule, message.outcome.count
    place, _ = result.files[rule.record]
    if rule.column and rule.column != rule.variable:
        place = words.text("{file}, column {column}", file=place, column=rule.column)
    if not message.records:
        return place if rule.variable else f"{place}: {_listed(rule.places, words)}"
    numbers = ", ".join(map(str, message.records))
    rest = count - len(message.records)
    if rest > 0:
        text = "{place}, records {numbers}; and more: {count}"
        return words.text(text, place=place, numbers=numbers, count=words.number(rest))
    return words.text("{place}, records {numbers}", place=place, numbers=numbers)


def _also(messages: Sequence[RuleMessage], words: Translations) -> str:
    """Name the other variables of a group, with their numbers of records where they have any."""
    named = []
    for message in messages:
        rule = message.outcome.rule
        number = f" ({words.number(message.outcome.count)})" if message.records else ""
        named.append(f"{rule.variable or rule.record}{number}")
    return _listed(named, words)


def _listed(names: Sequence[str], words: Translations) -> str:
    rest = len(names) - _NAMED
    listed = ", ".join(names[:_NAMED])
    return words.text("{names}; and more: {count}", names=listed, count=rest) if rest > 0 else listed


def as_json(result: CheckResult, words: Translations = _ENGLISH, *, findings: bool = True) -> dict[str, Any]:
    """Return the result as plain objects for ``--json``.

    Args:
        result: what came of the check.
        words: language of the texts.
        findings: whether every single finding is listed too.
    """
    out: dict[str, Any] = {
        "submission": result.submission_id,
        "accepted": result.accepted,
        "verdict": verdict(result, words),
        "gate": _gate(result),
        "files": {record: {"name": name, "records": rows} for record, (name, rows) in result.files.items()},
        "findings_by_severity": result.severities,
        "rules_by_state": result.states,
        "messages": [_message(message) for message in result.messages(words)],
        "not_checked": [
            {"rule": o.rule.id, "state": o.state, "reason": _reason(o.rule.reason, words)}
            for o in result.outcomes
            if o.state in ("blocked", "could_not_run", "not_applicable")
        ],
    }
    return out | {"findings": list(result.rows())} if findings else out


def _reason(reason: str, words: Translations) -> str:
    return words.text(REASONS[reason]) if reason in REASONS else ""


def _gate(result: CheckResult) -> str:
    if result.gate is None:
        return "not_run"
    if result.disagreements:
        return "differs"
    return "passed" if result.sound else "failed"


def _message(message: RuleMessage) -> dict[str, Any]:
    rule = message.outcome.rule
    return {
        "rule": rule.id,
        "severity": rule.severity,
        "level": rule.level,
        "record": rule.record,
        "variable": rule.variable,
        "column": rule.column,
        "count": message.outcome.count,
        "what": message.what,
        "why": message.why,
        "fix": message.fix,
        "first_records": list(message.records),
    }
