"""Tells a terminal and programs what came of a check; names, counts and record numbers, never a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copstats.framework import Framework
from copstats.language import N_, Translations
from copstats.process.check import SEVERITIES, CheckResult, RuleMessage
from copstats.process.reports.content import Group, groups, silent
from copstats.process.reports.texts import (
    ENGLISH,
    NOT_CHECKED,
    STATE_NAMES,
    broken,
    level_name,
    reason_text,
    verdict,
)

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

__all__ = ["as_json", "groups", "render_terminal", "verdict"]

_STYLES = {"error": "bold red", "warning": "bold yellow", "information": "bold cyan"}
_TITLES = {"error": N_("ERROR"), "warning": N_("WARNING"), "information": N_("NOTE")}
_COUNTED = {
    "error": N_("errors; rules broken: {count}"),
    "warning": N_("warnings; rules broken: {count}"),
    "information": N_("notes; rules concerned: {count}"),
}
_NAMED = 8
"""So many names stand in a list."""
_BRIEF = 6
"""So many further groups are told in one line each."""


def render_terminal(
    result: CheckResult,
    framework: Framework,
    words: Translations = ENGLISH,
    *,
    room: int = 15,
    written: Sequence[Path] = (),
) -> RenderableType:
    """Return the report for a terminal, about one screen: verdict, counts, the gravest findings, the others.

    Args:
        result: what came of the check.
        framework: named in the heading.
        words: language of the texts.
        room: so many lines are for findings told in full, the gravest first; others have a line each.
        written: reports that were written; the first is named.
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
        Padding(_summary(result, words), (0, 0, 0, 2)),
    ]
    if found:
        lines.append(_Findings(found, result, words, room))
    lines += [Text(line, style="dim") for line in _foot(result, words, written)]
    return Lines(*lines)


def _summary(result: CheckResult, words: Translations) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    table.add_column()
    rules = broken(result)
    for severity in SEVERITIES:
        if rules[severity]:
            text = words.text(_COUNTED[severity], count=words.number(rules[severity]))
            table.add_row(words.number(result.severities[severity]), Text(text, style=_STYLES[severity]))
    for state, reasons in _quiet(result, words):
        table.add_row(words.number(result.states[state]), Text(reasons, style="dim", overflow="ellipsis"))
    return table


def _quiet(result: CheckResult, words: Translations) -> Iterator[tuple[str, str]]:
    """Yield the states in which a rule says nothing of the data, with the most frequent reason in words."""
    if result.states["passed"]:
        yield "passed", words.text("rules passed")
    if result.states["crashed"]:
        yield "crashed", words.text("rules crashed; please report this")
    texts = {
        "blocked": N_("rules have to wait: {reasons}"),
        "not_supported": N_("rules cannot be judged: {reasons}"),
        "not_applicable": N_("rules do not apply: {reasons}"),
    }
    for one in silent(result, words):
        if one.state in texts:
            yield one.state, words.text(texts.pop(one.state), reasons=one.reason)


@dataclass(frozen=True)
class _Findings:
    """Groups of messages: in full as long as there is room, then with a line each."""

    groups: Sequence[Group]
    result: CheckResult
    words: Translations
    room: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        left = self.room
        for number, group in enumerate(self.groups):
            told = _told(group, self.result, self.words)
            left -= 1 + len(console.render_lines(told, options, pad=False))
            yield ""
            if number and left < 0:
                yield _brief(self.groups[number:], self.words)
                return
            yield told


def _told(group: Group, result: CheckResult, words: Translations) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=8, no_wrap=True)
    table.add_column()
    first = group.first
    title = Text(words.text(_TITLES[group.severity]), style=_STYLES[group.severity])
    table.add_row(title, Text(first.what, style="bold"))
    table.add_row(Text("  " + words.text("to do"), style="dim"), first.fix)
    if where := _where(first, result, words):
        table.add_row(Text("  " + words.text(N_("where")), style="dim"), Text(where, style="dim"))
    if also := _also(group.messages[1:], words):
        table.add_row(Text("  " + words.text(N_("also")), style="dim"), also)
    return table


def _brief(found: Sequence[Group], words: Translations) -> RenderableType:
    """Return a line for each group that is not told in full."""
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=8, no_wrap=True)
    table.add_column()
    for group in found[:_BRIEF]:
        title = Text(words.text(_TITLES[group.severity]), style=_STYLES[group.severity])
        table.add_row(title, Text(group.first.what, no_wrap=True, overflow="ellipsis"))
    if len(found) > _BRIEF:
        table.add_row("", words.text("More kinds of findings: {count}", count=len(found) - _BRIEF))
    return table


def _foot(result: CheckResult, words: Translations, written: Sequence[Path]) -> Iterator[str]:
    if any(message.records for message in result.messages(words)):
        yield ""
        yield words.text("Records are counted from 1, without the header line.")
    if written:
        yield words.text("All findings, with reasons: {path}", path=written[0])
    elif result.states["failed"]:
        yield words.text("All findings: --report FOLDER, or --json.")
    if words.notice:
        yield words.notice


def _where(message: RuleMessage, result: CheckResult, words: Translations) -> str:
    rule, count = message.outcome.rule, message.outcome.count
    place, _ = result.files[rule.record]
    if rule.column and rule.column != rule.variable:
        place = words.text("{file}, column {column}", file=place, column=rule.column)
    if not message.records:
        names = [name for name in rule.places if name]
        return place if rule.variable or not names else f"{place}: {_listed(names, words)}"
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


def as_json(result: CheckResult, words: Translations = ENGLISH, *, findings: bool = True) -> dict[str, Any]:
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
        "messages": [_message(message, words) for message in result.messages(words)],
        "not_checked": [
            {
                "rule": outcome.rule.id,
                "state": outcome.state,
                "state_text": words.text(STATE_NAMES[outcome.state]),
                "reason": reason_text(outcome.reason, words),
            }
            for outcome in result.outcomes
            if outcome.state in NOT_CHECKED
        ],
    }
    return out | {"findings": list(result.rows())} if findings else out


def _gate(result: CheckResult) -> str:
    if result.gate is None:
        return "not_run"
    if result.disagreements:
        return "differs"
    return "passed" if result.sound else "failed"


def _message(message: RuleMessage, words: Translations) -> dict[str, Any]:
    rule = message.outcome.rule
    return {
        "rule": rule.id,
        "severity": rule.severity,
        "level": rule.level,
        "level_text": level_name(rule.level, words),
        "record": rule.record,
        "variable": rule.variable,
        "column": rule.column,
        "count": message.outcome.count,
        "listed": message.outcome.shown,
        "what": message.what,
        "why": message.why,
        "fix": message.fix,
        "first_records": list(message.records),
    }
