"""Makes the condition of each generated rule class for a variable."""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from copstats.framework.definitions import Variable
from copstats.framework.expressions import (
    DOES_NOT_KNOW,
    NOT_APPLICABLE,
    NOT_ASKED,
    REFUSED,
    Rendering,
    skip_column,
)
from copstats.process.conditions import (
    Between,
    Condition,
    InSet,
    Matches,
    Native,
    NotApplicable,
    NotNull,
    Outcome,
    Unique,
)
from copstats.process.decidable import can_be
from copstats.process.records import (
    AGE,
    AREA,
    CHILD_KEY,
    KEYS,
    LINKED,
    PSU,
    STRATUM,
    WEIGHTS,
    RecordTable,
)

FREQUENCY = "CL_FREQ"
"""Code list of the questions on how often."""
ENUMERABLE = 200
"""An integer range of at most this many values is handed to the suite as a set."""
MONTH = r"[0-9]{4}-(0[1-9]|1[0-2])"
Maker = Callable[[RecordTable, str, Variable], Outcome]


def literal(value: int | float | str | bool) -> str:
    """Return a SQL literal."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value).upper() if isinstance(value, bool) else repr(value)


def _listed(values: Iterable[int | str]) -> str:
    return ", ".join(literal(value) for value in values)


def blank(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A cell is empty; weights have a rule of their own."""
    if name == WEIGHTS[table.record]:
        return None
    if name not in table.held.source_columns:
        return NotApplicable("filled_in")
    return Condition(f"{name} IS NULL AND NOT {name}__unread", (name, f"{name}__unread"))


def unread(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A cell holds something that no recode names or that is not of the variable's type."""
    if name not in table.held.source_columns:
        return NotApplicable("filled_in")
    flag = f"{name}__unread"
    return Condition(flag, (flag,), native=InSet(flag, (False,)))


def code_list(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A code is neither in the code list nor a permitted missing code."""
    if variable.type != "code" or not variable.codelist:
        return None
    allowed = (*table.framework.codes(variable), *table.missing_codes(name, variable))
    return Condition(f"{name} NOT IN ({_listed(allowed)})", (name,), native=InSet(name, allowed))


def value_range(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A number lies outside the range that the framework accepts."""
    if variable.type not in ("integer", "number") or name == WEIGHTS[table.record]:
        return None
    lower, upper = _bounds(table, name, variable)
    if lower is None and upper is None:
        return None
    missing = table.missing_codes(name, variable)
    ends = [f"{name} >= {lower:g}"] if lower is not None else []
    ends += [f"{name} <= {upper:g}"] if upper is not None else []
    inside = " AND ".join(ends)
    if missing:
        inside = f"({inside}) OR {name} IN ({_listed(missing)})"
    if variable.type == "number":
        inside = f"isfinite({name}) AND ({inside})"
    return Condition(f"NOT ({inside})", (name,), native=_native_range(name, variable, lower, upper, missing))


def _bounds(table: RecordTable, name: str, variable: Variable) -> tuple[float | None, float | None]:
    if name == AGE and table.record == "child":
        ages = table.framework.head.ages
        return ages.accepted_minimum, ages.accepted_maximum
    return variable.minimum, variable.maximum


def _native_range(
    name: str, variable: Variable, lower: float | None, upper: float | None, missing: tuple[int, ...]
) -> Native | None:
    if lower is None or upper is None:
        return None
    if variable.type == "integer" and upper - lower <= ENUMERABLE:
        return InSet(name, (*range(int(lower), int(upper) + 1), *missing))
    return None if missing else Between(name, lower, upper)


def pattern(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A text does not have the form that the framework asks for."""
    form = variable.pattern or (MONTH if variable.type == "month" else None)
    if variable.type not in ("string", "month") or form is None:
        return None
    return Condition(
        f"NOT regexp_full_match({name}, {literal(form)})", (name,), native=Matches(name, rf"^(?:{form})\Z")
    )


def key_unique(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A record key stands twice; every record that has it is shown."""
    if name != KEYS[table.record]:
        return None
    if name not in table.held.source_columns:
        return NotApplicable("filled_in")
    copies = f"SELECT {name} FROM {table.record} GROUP BY {name} HAVING count(*) > 1 AND {name} IS NOT NULL"
    return Condition(f"{name} IN ({copies})", (name,), native=Unique(name))


def weight_missing(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A record has no weight, or one that cannot be read."""
    if name != WEIGHTS[table.record]:
        return None
    return Condition(f"{name} IS NULL", (name,), native=NotNull(name))


def weight_positive(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A weight is zero, negative or not finite."""
    if name != WEIGHTS[table.record]:
        return None
    positive = Between(name, 0, sys.float_info.max, strict=True)
    return Condition(f"NOT ({name} > 0 AND isfinite({name}))", (name,), native=positive)


def weights_all_equal(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """All weights are the same number, as in a file whose weights were never computed."""
    if name != WEIGHTS[table.record]:
        return None
    sql = (
        f"SELECT NULL::BIGINT AS record_no FROM {table.record}\n"
        f"    HAVING count({name}) > 1 AND min({name}) = max({name})"
    )
    return Condition(sql, (name,), table=True)


def skip_ignored(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A child has an answer although the framework's filter leads past the question."""
    if (table.record, name) not in table.framework.universes:
        return None
    mapping = table.mappings.get(name)
    if mapping is not None and mapping.wording is not None and mapping.wording.asked_of == "everyone":
        return NotApplicable("asked_of_everyone")
    unasked = f"{name} NOT IN ({NOT_APPLICABLE}, {NOT_ASKED})"
    return _by_universe(table, name, unasked, asked=False)


def skip_unfounded(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A child was skipped although the question belongs to her."""
    codes = table.missing_codes(name, variable)
    if NOT_APPLICABLE not in codes or variable.type in ("string", "month") or variable.skipped_elsewhere:
        return None
    if (table.record, name) not in table.framework.universes:
        return Condition(f"{name} = {NOT_APPLICABLE}", (name,))
    return _by_universe(table, name, f"{name} = {NOT_APPLICABLE}", asked=True)


def _by_universe(table: RecordTable, name: str, answer: str, asked: bool) -> Outcome:
    universe = table.framework.universes[table.record, name]
    if not can_be(universe.tree, asked, table.present):
        return NotApplicable("filter_absent", universe.variables - table.present)
    skipped = frozenset(other for other in universe.variables if skip_column(other) in table.skip)
    rendering = Rendering(
        present=table.present, skipped=skipped, age_floor=table.manifest.population.age_floor
    )
    filters = sorted(universe.variables & table.present)
    return Condition(
        f"{answer} AND ({rendering.sql(universe)}) IS {literal(asked)}",
        (name, *filters, *(skip_column(other) for other in sorted(skipped))),
    )


def stratum_single_psu(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A stratum holds one PSU, so it adds no variance of its own; its first record is shown."""
    if name != STRATUM:
        return None
    sql = (
        f"SELECT min(record_no) AS record_no FROM {table.record}\n"
        f"    WHERE {STRATUM} IS NOT NULL GROUP BY {STRATUM} HAVING count(DISTINCT {PSU}) = 1"
    )
    return Condition(sql, (STRATUM, PSU), needs=frozenset({PSU}), table=True)


def parent_without_child(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A parent record points to a child that the child file does not hold."""
    if table.record != "parent" or name != CHILD_KEY:
        return None
    return Condition(f"NOT {LINKED}", (name, LINKED), native=InSet(LINKED, (True,)))


def area_mismatch(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A record names another country or area than the manifest."""
    if name != AREA:
        return None
    if name not in table.held.source_columns:
        return NotApplicable("filled_in")
    area = table.manifest.ref_area
    return Condition(f"{name} <> {literal(area)}", (name,), native=InSet(name, (area,)))


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


def age_outside_population(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """An age that the framework accepts but that the manifest's population does not hold."""
    if table.record != "child" or name != AGE:
        return None
    ages, accepted = table.manifest.population.ages, table.framework.head.ages
    return Condition(
        f"{name} BETWEEN {accepted.accepted_minimum} AND {accepted.accepted_maximum}"
        f" AND {name} NOT BETWEEN {ages.min} AND {ages.max}",
        (name,),
    )


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


MAKERS: dict[str, Maker] = {
    "blank": blank,
    "unread": unread,
    "code_list": code_list,
    "range": value_range,
    "pattern": pattern,
    "key_unique": key_unique,
    "weight_missing": weight_missing,
    "weight_positive": weight_positive,
    "weights_all_equal": weights_all_equal,
    "skip_ignored": skip_ignored,
    "skip_unfounded": skip_unfounded,
    "stratum_single_psu": stratum_single_psu,
    "parent_without_child": parent_without_child,
    "area_mismatch": area_mismatch,
    "straight_lining": straight_lining,
    "record_too_empty": record_too_empty,
    "item_nonresponse": item_nonresponse,
    "age_outside_population": age_outside_population,
}
"""Rule class -> what makes its condition for a variable."""
