"""The findings as an Excel workbook: to sort, filter and hand out to those who correct the file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from copstats.framework.export.workbook import (
    FORMULA_SIGNS,
    Column,
    Value,
    add_page,
    add_table,
    content,
    new_sheet,
    new_workbook,
    put,
    write_header,
)
from copstats.language import Translations
from copstats.process.check import SEVERITIES, CheckResult, RuleMessage
from copstats.process.reports.content import silent
from copstats.process.reports.places import Place
from copstats.process.reports.texts import (
    ONE,
    SEVERITY_NAMES,
    STATE_NAMES,
    broken,
    level_name,
    next_step,
    reason_text,
    verdict,
)
from copstats.process.wording import names_of

AT_MOST = 30_000
"""So many findings stand in the workbook; more take long to write and to open, and nobody reads them."""
_SIGNS = (*FORMULA_SIGNS, "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters that a spreadsheet may take for a formula; the last four are the wide forms of = + - @."""


def workbook(
    result: CheckResult,
    words: Translations,
    places: Mapping[str, Place],
    *,
    at_most: int = AT_MOST,
) -> bytes:
    """Return the workbook with the sheets summary, findings, rules and rules that were not evaluated.

    Two calls give the same bytes. A text that a spreadsheet could take for a formula gets an apostrophe
    before it, which also holds when the sheet is saved as CSV.

    Args:
        result: what came of the check.
        words: language of the texts; its direction is that of the sheets.
        places: record kind -> how its data file is addressed.
        at_most: so many findings in all; each rule with few keeps all, those with many get the same number.
            The summary says how many there are.
    """
    book = new_workbook(words.text("Findings of a check"))
    limit = fair_limit([outcome.shown for outcome in result.outcomes], at_most)
    listed = sum(min(outcome.shown, limit) for outcome in result.outcomes)
    add_page(book, words.text("Summary"), map(safe, _summary(result, words, listed)), words)
    sheet = new_sheet(book, words.text("Findings"), words)
    columns = _finding_columns(words)
    for number, column in enumerate(columns):
        sheet.column_dimensions[chr(ord("A") + number)].width = column.width
    write_header(sheet, [column.title for column in columns])
    last = 1
    for last, row in enumerate(_finding_rows(result, words, places, at_most), start=2):
        for number, value in enumerate(row, start=1):
            put(sheet, last, number, value)
    sheet.auto_filter.ref = f"A1:{chr(ord('A') + len(columns) - 1)}{last}"
    add_table(book, words.text("Rules"), _rule_columns(words), _rule_rows(result, words), words)
    title, headings = words.text("Not evaluated"), _silent_columns(words)
    add_table(book, title, headings, _silent_rows(result, words), words)
    return content(book)


def safe(value: str) -> str:
    """Return a cell's content; a text that a spreadsheet could take for a formula gets an apostrophe."""
    return f"'{value}" if value.startswith(_SIGNS) else value


def _summary(result: CheckResult, words: Translations, listed: int) -> Iterator[str]:
    yield result.submission_id
    yield verdict(result, words)
    yield next_step(result, words)
    rules = broken(result)
    for severity in SEVERITIES:
        yield words.text(
            "{severity}: {count} (rules: {rules})",
            severity=words.text(SEVERITY_NAMES[severity]),
            count=words.number(result.severities[severity]),
            rules=words.number(rules[severity]),
        )
    for file, records in result.files.values():
        yield words.text("{file}, records: {count}", file=file, count=words.number(records))
    total = sum(result.severities.values())
    if listed < total:
        yield words.text(
            "This workbook lists {listed} of {count} findings. "
            "Put these right and check again to see the others.",
            listed=words.number(listed),
            count=words.number(total),
        )
    yield words.text("Record 1 is the first below the heading of the file.")
    yield words.text(
        "A masked value shows 9 for a digit and a for a letter; it is left out for sensitive questions."
    )
    yield words.text(
        "Keep this workbook where you keep the data file: record numbers lead to children's answers."
    )
    if words.notice:
        yield words.notice


def _finding_columns(words: Translations) -> list[Column]:
    return [
        Column(words.text("Severity"), 12),
        Column(words.text("Rule"), 24),
        Column(words.text("Level"), 7),
        Column(words.text("File"), 18),
        Column(words.text("Record"), 9),
        Column(words.text("Cell"), 14),
        Column(words.text("Variable"), 18),
        Column(words.text("Label"), 30),
        Column(words.text("Your column"), 18),
        Column(words.text("Masked value"), 14),
        Column(words.text("What"), 70),
        Column(words.text("How to put it right"), 90),
    ]


def _finding_rows(
    result: CheckResult, words: Translations, places: Mapping[str, Place], at_most: int
) -> Iterator[tuple[Value, ...]]:
    limit = fair_limit([outcome.shown for outcome in result.outcomes], at_most)
    for message in result.messages(words):
        place = places.get(message.outcome.rule.record, Place())
        yield from _rows_of(message, result, words, place, limit)


def fair_limit(counts: Sequence[int], at_most: int) -> int:
    """Return how many findings of each rule may be listed so that all together are not too many.

    Args:
        counts: findings of each rule.
        at_most: in all.
    """
    left = at_most
    ordered = sorted(count for count in counts if count)
    for number, count in enumerate(ordered):
        rules = len(ordered) - number
        if count * rules > left:
            return left // rules
        left -= count
    return at_most


def _rows_of(
    message: RuleMessage, result: CheckResult, words: Translations, place: Place, at_most: int
) -> Iterator[tuple[Value, ...]]:
    """Yield the findings of one rule; where they differ in more than the record, each has its own words."""
    outcome, rule = message.outcome, message.outcome.rule
    severity, label = words.text(ONE[rule.severity]), safe(words.text(rule.label) if rule.label else "")
    file = safe(result.files[rule.record][0])
    what, fix = safe(message.what), safe(message.fix)
    found = result.findings_of(rule.id).slice(0, at_most)
    for row in found.select(["record_no", "variable", "masked_value", "params"]).to_pylist():
        if rule.kind != "row":
            names = names_of(rule, row["variable"], json.loads(row["params"]), outcome.count, words)
            what = safe(words.text(rule.message.what, **names))
            fix = safe(words.text(rule.message.fix, **names))
        variable = row["variable"] or ""
        column = rule.column or (variable if rule.variable is None else "")
        yield (
            severity,
            rule.message_key,
            rule.level,
            file,
            row["record_no"],
            safe(place.address(column, row["record_no"])),
            safe(variable if rule.variable else ""),
            label,
            safe(column),
            safe(row["masked_value"] or ""),
            what,
            fix,
        )


def _rule_columns(words: Translations) -> list[Column]:
    return [
        Column(words.text("Rule"), 34),
        Column(words.text("Severity"), 12),
        Column(words.text("Level"), 36),
        Column(words.text("Record"), 10),
        Column(words.text("Variable"), 18),
        Column(words.text("State"), 18),
        Column(words.text("Findings"), 11),
        Column(words.text("Reason"), 60),
    ]


def _rule_rows(result: CheckResult, words: Translations) -> Iterator[tuple[Value, ...]]:
    for outcome in result.outcomes:
        rule = outcome.rule
        yield (
            safe(rule.id),
            words.text(ONE[rule.severity]),
            level_name(rule.level, words),
            rule.record,
            rule.variable,
            words.text(STATE_NAMES[outcome.state]),
            outcome.count,
            reason_text(outcome.reason, words),
        )


def _silent_columns(words: Translations) -> list[Column]:
    titles = (words.text("State"), words.text("Reason"), words.text("Rule"))
    return [Column(title, width) for title, width in zip(titles, (20, 70, 40), strict=True)]


def _silent_rows(result: CheckResult, words: Translations) -> Iterator[tuple[Value, ...]]:
    for one in silent(result, words):
        for rule in one.rules:
            yield words.text(STATE_NAMES[one.state]), one.reason, safe(rule)
