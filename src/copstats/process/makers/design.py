"""Rules on weights, strata and primary sampling units."""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

import sys

from copstats.framework.definitions import Variable
from copstats.process.conditions import Between, Condition, NotNull, Outcome
from copstats.process.records import PSU, STRATUM, WEIGHTS, RecordTable


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


def stratum_single_psu(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A stratum holds one PSU, so it adds no variance of its own; its first record is shown."""
    if name != STRATUM:
        return None
    sql = (
        f"SELECT min(record_no) AS record_no FROM {table.record}\n"
        f"    WHERE {STRATUM} IS NOT NULL GROUP BY {STRATUM} HAVING count(DISTINCT {PSU}) = 1"
    )
    return Condition(sql, (STRATUM, PSU), needs=frozenset({PSU}), table=True)
