"""Rules on the answers of a record or to a question taken together."""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

from copstats.framework.definitions import Variable
from copstats.framework.expressions import DOES_NOT_KNOW, NOT_APPLICABLE, NOT_ASKED, REFUSED
from copstats.process.conditions import Condition, NotApplicable, Outcome
from copstats.process.records import KEYS, RecordTable

FREQUENCY = "CL_FREQ"
"""Code list of the questions on how often."""


def item_nonresponse(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """Too many of those who were asked do not know or prefer not to say."""
    if variable.role not in ("measure", "dimension") or variable.type in ("string", "month"):
        return None
    limit = table.framework.rules.classes["item_nonresponse"].share
    unanswered = f"{name} IN ({DOES_NOT_KNOW}, {REFUSED})"
    asked = f"{name} NOT IN ({NOT_APPLICABLE}, {NOT_ASKED})"
    sql = (
        f"SELECT NULL::BIGINT AS record_no FROM {table.record}\n"
        f"    HAVING count_if({unanswered}) > {limit} * count_if({asked})"
    )
    return Condition(sql, (name,), table=True)


def straight_lining(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """One answer to all questions on how often, other than the first category; shown at the record's key."""
    if name != KEYS[table.record]:
        return None
    asked = [n for n, v in _measures(table) if v.codelist == FREQUENCY]
    minimum = table.framework.rules.classes["straight_lining"].minimum or 0
    if len(asked) < minimum:
        return NotApplicable("variable_absent", frozenset({name}))
    answers = ", ".join(f"CASE WHEN {n} >= 0 THEN {n} END" for n in asked)
    answered = " + ".join(f"coalesce(({n} >= 0)::INT, 0)" for n in asked)
    return Condition(
        f"{answered} >= {minimum} AND least({answers}) > 1 AND least({answers}) = greatest({answers})",
        tuple(asked),
    )


def record_too_empty(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """Few of the questions that were asked have a valid answer; shown at the record's key."""
    if name != KEYS[table.record]:
        return None
    defined = table.framework.rules.classes["record_too_empty"]
    questions = [n for n, _ in _measures(table)]
    if len(questions) < (defined.minimum or 0):
        return NotApplicable("variable_absent", frozenset({name}))
    skipped = f"({NOT_APPLICABLE}, {NOT_ASKED})"
    asked = " + ".join(f"coalesce(({n} NOT IN {skipped})::INT, 1)" for n in questions)
    answered = " + ".join(f"coalesce(({n} >= 0)::INT, 0)" for n in questions)
    return Condition(
        f"{asked} >= {defined.minimum} AND {answered} < {defined.share} * ({asked})", tuple(questions)
    )


def _measures(table: RecordTable) -> list[tuple[str, Variable]]:
    """Return the questions with coded or whole-number answers that the file holds."""
    return [
        (name, variable)
        for name, variable in table.expected.items()
        if name in table.present and variable.role == "measure" and variable.type in ("code", "integer")
    ]
