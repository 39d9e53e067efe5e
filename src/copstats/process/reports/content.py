"""What every report says of the findings, in the reader's words: by severity, by rule, by variable."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from copstats.framework.definitions import Severity
from copstats.language import Translations
from copstats.process.check import CheckResult, Outcome, RuleMessage
from copstats.process.compiled import HAND, State
from copstats.process.reports.places import Place
from copstats.process.reports.texts import NOT_CHECKED, level_name, reason_text
from copstats.process.wording import names_of

SPOTS = 10
"""So many records of a rule are named."""
SENTENCES = 40
"""So many findings that are no records are told in a sentence of their own."""


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
    def severity(self) -> Severity:
        """Common severity of the messages."""
        return self.first.outcome.rule.severity

    @property
    def count(self) -> int:
        """Number of findings of all messages."""
        return sum(message.outcome.count for message in self.messages)


def groups(messages: Sequence[RuleMessage]) -> tuple[Group, ...]:
    """Return the messages by severity and rule class; a rule written by hand stands alone."""
    found: dict[tuple[str, str], list[RuleMessage]] = {}
    for message in messages:
        rule = message.outcome.rule
        subject = rule.id if rule.rule_class == HAND else rule.rule_class
        found.setdefault((rule.severity, subject), []).append(message)
    return tuple(Group(tuple(alike)) for alike in found.values())


@dataclass(frozen=True)
class Spot:
    """A record that breaks a rule.

    Attributes:
        record: its number in the file, from 1.
        address: its cell in an Excel sheet; empty for other files.
    """

    record: int
    address: str


@dataclass(frozen=True)
class Line:
    """What one rule found at one variable.

    Attributes:
        rule: its id.
        variable: empty for the file as a whole.
        label: of the variable, translated.
        column: national column; empty if there is none.
        file: name of the data file.
        count: number of findings.
        share: share of the records of the file; None where findings are not records.
        spots: the first records.
        names: columns of the file, where the rule speaks of columns.
        sentences: what is wrong, finding by finding, where the findings differ in more than the record; or
            how to put it right, where that differs from the first variable's.
        listed: number of findings that the list of findings holds.
    """

    rule: str
    variable: str
    label: str
    column: str
    file: str
    count: int
    share: float | None
    spots: tuple[Spot, ...]
    names: tuple[str, ...]
    sentences: tuple[str, ...]
    listed: int


@dataclass(frozen=True)
class Entry:
    """One kind of finding.

    Attributes:
        key: anchor on a page.
        name: rule class, or id of a rule written by hand.
        severity: ``error``, ``warning`` or ``information``.
        level: validation level in words.
        what: what is wrong, for the variable with most findings.
        why: why it matters.
        fix: how to put it right.
        count: number of findings.
        lines: one for each variable, the one with most findings first.
    """

    key: str
    name: str
    severity: Severity
    level: str
    what: str
    why: str
    fix: str
    count: int
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Silent:
    """Rules that say nothing about the data, for one reason.

    Attributes:
        state: why they say nothing.
        reason: in words; empty where there is none.
        rules: their ids.
    """

    state: State
    reason: str
    rules: tuple[str, ...]


def entries(result: CheckResult, places: Mapping[str, Place], words: Translations) -> tuple[Entry, ...]:
    """Return the findings by rule, errors first.

    Args:
        result: what came of the check.
        places: record kind -> how its file is addressed.
        words: language of the texts.
    """
    return tuple(_entry(group, result, places, words) for group in groups(result.messages(words)))


def _entry(group: Group, result: CheckResult, places: Mapping[str, Place], words: Translations) -> Entry:
    first, rule = group.first, group.first.outcome.rule
    return Entry(
        key=f"{rule.severity}-{rule.message_key}",
        name=rule.message_key,
        severity=rule.severity,
        level=level_name(rule.level, words),
        what=first.what,
        why=first.why,
        fix=first.fix,
        count=group.count,
        lines=tuple(
            _line(message, result, places, words, advised=message is not first) for message in group.messages
        ),
    )


def _line(
    message: RuleMessage,
    result: CheckResult,
    places: Mapping[str, Place],
    words: Translations,
    *,
    advised: bool,
) -> Line:
    """Tell one message; ``advised``: with its own way to put it right, where the entry tells another's."""
    outcome, rule = message.outcome, message.outcome.rule
    file, records = result.files[rule.record]
    found = result.findings_of(rule.id)
    numbers = found["record_no"].drop_null().slice(0, SPOTS).to_pylist()
    place = places.get(rule.record, Place())
    columns = tuple(name for name in rule.places if name) if rule.variable is None else ()
    return Line(
        rule=rule.id,
        variable=rule.variable or "",
        label=words.text(rule.label) if rule.label else "",
        column=rule.column,
        file=file,
        count=outcome.count,
        share=outcome.count / records if rule.kind == "row" and records else None,
        spots=tuple(Spot(number, place.address(rule.column, number)) for number in numbers),
        names=columns,
        sentences=(message.fix,) if advised and rule.told else _sentences(outcome, result, words),
        listed=outcome.shown,
    )


def _sentences(outcome: Outcome, result: CheckResult, words: Translations) -> tuple[str, ...]:
    """Tell each finding in a sentence, where they have parameters of their own and are several."""
    rule = outcome.rule
    own_words = rule.place_params or rule.params or rule.kind == "aggregate"
    if not own_words or outcome.count == 1:
        return ()
    found = result.findings_of(rule.id).select(["variable", "params"]).slice(0, SENTENCES).to_pylist()
    told = (names_of(rule, row["variable"], json.loads(row["params"]), outcome.count, words) for row in found)
    return tuple(words.text(rule.message.what, **names) for names in told)


def silent(result: CheckResult, words: Translations) -> tuple[Silent, ...]:
    """Return the rules that were not evaluated, by state and reason; the gravest state first."""
    found: dict[tuple[State, str], list[str]] = {}
    for outcome in result.outcomes:
        if outcome.state in NOT_CHECKED:
            found.setdefault((outcome.state, outcome.reason), []).append(outcome.rule.id)
    by_state = sorted(found.items(), key=lambda item: (NOT_CHECKED.index(item[0][0]), -len(item[1])))
    return tuple(Silent(state, reason_text(reason, words), tuple(r)) for (state, reason), r in by_state)
