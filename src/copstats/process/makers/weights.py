"""Rules on the spread of the weights and on replicate weights."""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

from copstats.framework.definitions import Variable
from copstats.process.conditions import Condition, NotApplicable, Outcome
from copstats.process.records import STRATUM, WEIGHTS, RecordTable

LARGE = 4.5
"""A weight above so many medians is large: NAEP trims there, at 3.5 medians in public schools and at 4.5 in
private ones (National Center for Education Statistics, NAEP Technical Documentation, 2002-2008, Student
Weight Trimming). The looser one is taken, and the stratum's median: oversampling is no fault."""
KISH = 2.0
"""Kish effect above which the weights alone halve the sample; our choice."""
REPLICATE_RATIO = 2.0
"""The sum of a replicate weight is that of the full weight but for sampling error; our choice of a limit that
only another column, or factors in place of weights, can pass."""


def usable(weight: str) -> str:
    """Return the predicate that a weight is above zero and finite."""
    return f"{weight} > 0 AND isfinite({weight})"


def kish_effect(weight: str) -> str:
    """Return the aggregate 1 + CV^2 of the usable weights: n times the sum of squares by the squared sum.

    Source: Kish (1965), Survey Sampling, section 11.7. It is no design effect: clusters do not enter.
    """
    total, squares = f"sum({weight})", f"sum({weight} * {weight})"
    return f"count({weight}) * {squares} / ({total} * {total})"


def weight_large(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A weight is many times the median of its stratum."""
    if name != WEIGHTS[table.record]:
        return None
    sql = (
        f"WITH middle AS (SELECT {STRATUM}, median({name}) AS middle FROM {table.record}\n"
        f"        WHERE {usable(name)} GROUP BY {STRATUM})\n"
        f"    SELECT record_no FROM {table.record} JOIN middle USING ({STRATUM})\n"
        f"    WHERE isfinite({name}) AND {name} > {LARGE} * middle"
    )
    return Condition(sql, (name, STRATUM), needs=frozenset({STRATUM}), table=True)


def weight_spread(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """The weights differ so much that they cost more than half of the sample."""
    if name != WEIGHTS[table.record]:
        return None
    sql = (
        f"SELECT NULL::BIGINT AS record_no, round({kish_effect(name)}, 2) AS kish_effect\n"
        f"    FROM {table.record} WHERE {usable(name)} HAVING kish_effect > {KISH} AND isfinite(kish_effect)"
    )
    return Condition(sql, (name,), table=True, params=("kish_effect",))


def replicate_sum(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A replicate weight does not add up to about the sum of the full weight; a finding a column."""
    if not variable.series or variable.role != "design":
        return None
    weight, columns = WEIGHTS[table.record], _series(table, variable)
    if not columns or weight not in table.present:
        return NotApplicable("variable_absent", frozenset({name if not columns else weight}))
    if name != columns[0]:
        return None
    sums = ", ".join(f"sum({column}) FILTER (WHERE isfinite({column}))" for column in columns)
    sql = (
        "SELECT NULL::BIGINT AS record_no FROM (\n"
        f"        SELECT unnest([{sums}]) / sum({weight}) FILTER (WHERE {usable(weight)}) AS ratio\n"
        f"        FROM {table.record})\n"
        f"    WHERE ratio NOT BETWEEN {1 / REPLICATE_RATIO} AND {REPLICATE_RATIO}"
    )
    return Condition(sql, (weight, *columns), table=True)


def _series(table: RecordTable, variable: Variable) -> tuple[str, ...]:
    names = (name for name, known in table.expected.items() if known is variable)
    return next((table.series(name) for name in names), ())
