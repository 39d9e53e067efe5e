"""Tells people and machines what came of a check; names, counts and record numbers, never a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from copstats.framework import Framework
from copstats.process.check import SEVERITIES, CheckResult, RuleMessage
from copstats.process.rules import HAND, REASONS

if TYPE_CHECKING:
    from rich.console import RenderableType

_STYLES = {"error": "bold red", "warning": "bold yellow", "information": "bold cyan"}
_TITLES = {"error": "ERROR", "warning": "WARNING", "information": "NOTE"}
_PLURALS = {
    "error": ("error", "errors"),
    "warning": ("warning", "warnings"),
    "information": ("note", "notes"),
}
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


def verdict(result: CheckResult) -> str:
    """Return the outcome of the check in one sentence."""
    errors = sum(message.outcome.rule.severity == "error" for message in result.messages())
    warnings = result.severities["warning"]
    notice = " Please look at the warnings below." if warnings else ""
    if errors:
        unmet = "1 required rule is" if errors == 1 else f"{errors} required rules are"
        return f"Not yet accepted: {unmet} not met. What to do stands below."
    if not result.sound:
        return "Not yet accepted: some rules could not be checked; see below."
    if result.gate is None:
        return f"No errors found. The acceptance suite was not run.{notice}"
    if result.disagreements:
        named = ", ".join(result.disagreements[:3])
        return f"Not accepted: two independent checks differ on {named}. This is a fault of the program."
    return f"Accepted: the submission meets the framework.{notice}"


def render_terminal(result: CheckResult, framework: Framework, *, at_most: int = 6) -> RenderableType:
    """Return the report for a terminal: verdict, counts, then what to do, the gravest first.

    Args:
        result: what came of the check.
        framework: named in the heading.
        at_most: so many groups of messages are told; the others are counted.
    """
    from rich.console import Group as Lines
    from rich.padding import Padding
    from rich.text import Text

    found = groups(result.messages())
    files = "; ".join(f"{name}: {rows:,} records" for name, rows in result.files.values())
    style = "bold green" if result.accepted else "bold red" if not result.sound else "bold"
    lines: list[RenderableType] = [
        Text.assemble((result.submission_id, "bold"), f" against {framework.id} {framework.head.version}"),
        Text(files, style="dim"),
        Text(),
        Text(verdict(result), style=style),
        Padding(_summary(result), (1, 0, 0, 2)),
    ]
    for group in found[:at_most]:
        lines += [Text(), _told(group, result)]
    if len(found) > at_most:
        rest = f"... and {len(found) - at_most} more kinds of findings; --json lists them all."
        lines += [Text(), Text(rest, style="bold")]
    if any(group.first.records for group in found[:at_most]):
        lines += [Text(), Text("Records are counted from 1, without the header line.", style="dim")]
    return Lines(*lines)


def _summary(result: CheckResult) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    table.add_column()
    broken = Counter(message.outcome.rule.severity for message in result.messages())
    for severity in SEVERITIES:
        if broken[severity]:
            one, many = _PLURALS[severity]
            number = result.severities[severity]
            rules = "1 rule" if broken[severity] == 1 else f"{broken[severity]} rules"
            word = Text(one if number == 1 else many, style=_STYLES[severity])
            table.add_row(f"{number:,}", Text.assemble(word, f" ({rules})"))
    for state, reasons in _quiet(result):
        table.add_row(f"{result.states[state]:,}", Text(reasons, style="dim"))
    return table


def _quiet(result: CheckResult) -> Iterator[tuple[str, str]]:
    """Yield the states in which a rule says nothing of the data, with their reasons in words."""
    states = result.states
    if states["passed"]:
        yield "passed", "rules passed"
    if states["could_not_run"]:
        yield "could_not_run", "rules could not be run; please report this"
    for state, words in (("blocked", "rules have to wait"), ("not_applicable", "rules do not apply")):
        reasons = Counter(o.rule.reason for o in result.outcomes if o.state == state)
        if reasons:
            reason = REASONS[reasons.most_common(1)[0][0]]
            others = ", and other reasons" if len(reasons) > 1 else ""
            yield state, f"{words}: {reason}{others}"


def _told(group: Group, result: CheckResult) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(width=8, no_wrap=True)
    table.add_column()
    first = group.first
    table.add_row(
        Text(_TITLES[group.severity], style=_STYLES[group.severity]), Text(first.what, style="bold")
    )
    table.add_row(Text("  why", style="dim"), first.why)
    table.add_row(Text("  to do", style="dim"), first.fix)
    if where := _where(first, result):
        table.add_row(Text("  where", style="dim"), Text(where, style="dim"))
    if also := _also(group.messages[1:]):
        table.add_row(Text("  also", style="dim"), also)
    return table


def _where(message: RuleMessage, result: CheckResult) -> str:
    rule, count = message.outcome.rule, message.outcome.count
    name, _ = result.files[rule.record]
    column = f", column {rule.column}" if rule.column and rule.column != rule.variable else ""
    if not message.records:
        return f"{name}{column}" if rule.variable else f"{name}: {_listed(rule.places)}"
    numbers = ", ".join(map(str, message.records))
    rest = count - len(message.records)
    more = f" and {rest:,} more" if rest > 0 else ""
    return f"{name}{column}, record{'s' if count > 1 else ''} {numbers}{more}"


def _also(messages: Sequence[RuleMessage]) -> str:
    """Name the other variables of a group, with their numbers of records where they have any."""
    named = []
    for message in messages:
        rule = message.outcome.rule
        number = f" ({message.outcome.count:,})" if message.records else ""
        named.append(f"{rule.variable or rule.record}{number}")
    return _listed(named)


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def as_json(result: CheckResult, *, findings: bool = True) -> dict[str, Any]:
    """Return the result as plain objects for ``--json``.

    Args:
        result: what came of the check.
        findings: whether every single finding is listed too.
    """
    out: dict[str, Any] = {
        "submission": result.submission_id,
        "accepted": result.accepted,
        "verdict": verdict(result),
        "gate": _gate(result),
        "files": {record: {"name": name, "records": rows} for record, (name, rows) in result.files.items()},
        "findings_by_severity": result.severities,
        "rules_by_state": result.states,
        "messages": [_message(message) for message in result.messages()],
        "not_checked": [
            {"rule": o.rule.id, "state": o.state, "reason": REASONS.get(o.rule.reason, "")}
            for o in result.outcomes
            if o.state in ("blocked", "could_not_run", "not_applicable")
        ],
    }
    return out | {"findings": list(result.rows())} if findings else out


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
