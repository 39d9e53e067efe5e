"""Rules on one cell: read, filled, of its code list, range and form; and on the record key."""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

from functools import partial

from copstats.framework.definitions import Variable
from copstats.framework.expressions import NOT_APPLICABLE
from copstats.process.conditions import (
    Between,
    Condition,
    InSet,
    Matches,
    Native,
    NotApplicable,
    Outcome,
    Unique,
)
from copstats.process.makers.literals import listed, literal
from copstats.process.phrases import (
    as_it_is,
    expected,
    form,
    missing_codes,
    permitted_codes,
    permitted_range,
)
from copstats.process.records import AGE, AREA, CHILD_KEY, KEYS, LINKED, WEIGHTS, RecordTable

ENUMERABLE = 200
"""An integer range of at most this many values is handed to the suite as a set."""
MONTH = r"[0-9]{4}-(0[1-9]|1[0-2])"


def blank(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A cell is empty; weights have a rule of their own."""
    if name == WEIGHTS[table.record]:
        return None
    if name not in table.held.source_columns:
        return NotApplicable("filled_in")
    missing = partial(missing_codes, table.framework, _advised(table, name, variable))
    return Condition(
        f"{name} IS NULL AND NOT {name}__unread", (name, f"{name}__unread"), told={"missing": missing}
    )


def unread(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A cell holds something that no recode names or that is not of the variable's type."""
    if name not in table.held.source_columns:
        return NotApplicable("filled_in")
    flag = f"{name}__unread"
    advised = _advised(table, name, variable)
    told = {"expected": partial(expected, table.framework, variable, table.mappings.get(name), advised)}
    return Condition(flag, (flag,), native=InSet(flag, (False,)), told=told)


def code_list(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A code is neither in the code list nor a permitted missing code."""
    if variable.type != "code" or not variable.codelist:
        return None
    allowed = (*table.framework.codes(variable), *table.missing_codes(name, variable))
    told = {"permitted": partial(permitted_codes, table.framework, variable, _advised(table, name, variable))}
    return Condition(f"{name} NOT IN ({listed(allowed)})", (name,), native=InSet(name, allowed), told=told)


def _advised(table: RecordTable, name: str, variable: Variable) -> tuple[int, ...]:
    """Return the missing codes that a message may name: no skip where everybody is asked."""
    skippable = (table.record, name) in table.framework.universes or variable.skipped_elsewhere
    return tuple(code for code in table.missing_codes(name, variable) if code != NOT_APPLICABLE or skippable)


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
        inside = f"({inside}) OR {name} IN ({listed(missing)})"
    if variable.type == "number":
        inside = f"isfinite({name}) AND ({inside})"
    native = _native_range(name, variable, lower, upper, missing)
    told = {"permitted": partial(permitted_range, lower, upper, _advised(table, name, variable))}
    return Condition(f"NOT ({inside})", (name,), native=native, told=told)


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
    wanted = variable.pattern or (MONTH if variable.type == "month" else None)
    if variable.type not in ("string", "month") or wanted is None:
        return None
    return Condition(
        f"NOT regexp_full_match({name}, {literal(wanted)})",
        (name,),
        native=Matches(name, rf"^(?:{wanted})\Z"),
        told={"form": partial(form, variable)},
    )


def key_unique(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A record key stands twice; every record that has it is shown."""
    if name != KEYS[table.record]:
        return None
    if name not in table.held.source_columns:
        return NotApplicable("filled_in")
    copies = f"SELECT {name} FROM {table.record} GROUP BY {name} HAVING count(*) > 1 AND {name} IS NOT NULL"
    return Condition(f"{name} IN ({copies})", (name,), native=Unique(name))


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
    told = {"area": partial(as_it_is, area)}
    return Condition(f"{name} <> {literal(area)}", (name,), native=InSet(name, (area,)), told=told)


def age_outside_population(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """An age that the framework accepts but that the manifest's population does not hold."""
    if table.record != "child" or name != AGE:
        return None
    ages, accepted = table.manifest.population.ages, table.framework.head.ages
    return Condition(
        f"{name} BETWEEN {accepted.accepted_minimum} AND {accepted.accepted_maximum}"
        f" AND {name} NOT BETWEEN {ages.min} AND {ages.max}",
        (name,),
        told={"ages": partial(permitted_range, ages.min, ages.max, ())},
    )
