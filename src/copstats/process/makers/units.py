"""Rules on primary sampling units, strata and doubled records.

The design is looked at in the file of children: that of parents has the same, of part of the sample.
"""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

from copstats.framework.definitions import Variable
from copstats.process.conditions import Condition, NotApplicable, Outcome
from copstats.process.records import KEYS, PSU, STRATUM, RecordTable

FPC = "fpc_psu"
LARGE_PSU = 10
"""A PSU with more than so many times the records of the median PSU is large; our choice."""

# A PSU is one in its stratum: real files number PSUs anew in every stratum.
_UNITS = (
    "SELECT {stratum}, {psu}, count(*) AS records, min(record_no) AS first,\n"
    "        count(*) OVER (PARTITION BY {psu}) AS strata,\n"
    "        row_number() OVER (PARTITION BY {psu} ORDER BY count(*) DESC, min(record_no)) AS place\n"
    "        FROM {record} WHERE {stratum} IS NOT NULL AND {psu} IS NOT NULL GROUP BY {stratum}, {psu}"
)


def psu_in_two_strata(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """Few PSU codes stand in several strata; the first record outside the code's largest stratum is shown."""
    if table.record != "child" or name != PSU:
        return None
    return _of_units(
        table,
        f"SELECT first AS record_no FROM units WHERE place > 1 AND (SELECT {_recurring(table)} FROM units)",
    )


def psu_numbered_in_strata(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """Many PSU codes stand in several strata: PSUs are numbered within strata."""
    if table.record != "child" or name != PSU:
        return None
    return _of_units(table, f"SELECT NULL::BIGINT AS record_no FROM units HAVING NOT ({_recurring(table)})")


def psu_of_one(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """Most PSUs hold one record, as where the code of the household stands in place of that of the PSU."""
    if table.record != "child" or name != PSU:
        return None
    share = table.framework.rules.classes["psu_of_one"].share
    return _of_units(
        table,
        f"SELECT NULL::BIGINT AS record_no FROM units HAVING count_if(records = 1) > {share} * count(*)",
    )


def psu_large(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A PSU holds many times the records of the others; its first record is shown."""
    if table.record != "child" or name != PSU:
        return None
    return _of_units(
        table,
        "SELECT first AS record_no FROM units"
        f" WHERE records > {LARGE_PSU} * (SELECT median(records) FROM units)",
    )


def stratum_constant(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """All records are of one stratum although the manifest names a column for it."""
    if table.record != "child" or name != STRATUM:
        return None
    if name not in table.held.source_columns:
        return NotApplicable("filled_in")
    sql = (
        f"SELECT NULL::BIGINT AS record_no FROM {table.record}\n"
        f"    HAVING count({name}) > 1 AND min({name}) = max({name})"
    )
    return Condition(sql, (name,), table=True)


def fpc_too_small(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """The frame is said to hold fewer PSUs in a stratum than the sample does; its first record is shown."""
    if name != FPC:
        return None
    sql = (
        f"SELECT min(record_no) AS record_no FROM {table.record}\n"
        f"    WHERE {STRATUM} IS NOT NULL AND {name} > 0\n"
        f"    GROUP BY {STRATUM} HAVING min({name}) < count(DISTINCT {PSU})"
    )
    return Condition(sql, (name, STRATUM, PSU), needs=frozenset({STRATUM, PSU}), table=True)


def doubled_record(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A record without a key of its own is the same in every cell as an earlier one, which is not shown."""
    if name != KEYS[table.record]:
        return None
    if name in table.held.source_columns:
        return NotApplicable("own_key")
    columns = sorted(column for column in table.present if column in table.held.source_columns)
    if len(columns) < (table.framework.rules.classes["doubled_record"].minimum or 0):
        return NotApplicable("few_variables")
    sql = (
        f"WITH hashed AS (SELECT record_no, hash({', '.join(columns)}) AS content FROM {table.record}),\n"
        "    doubled AS (SELECT content, min(record_no) AS first FROM hashed\n"
        "        GROUP BY content HAVING count(*) > 1)\n"
        "    SELECT record_no FROM hashed JOIN doubled USING (content) WHERE record_no > first"
    )
    return Condition(sql, tuple(columns), table=True)


def _recurring(table: RecordTable) -> str:
    share = table.framework.rules.classes["psu_in_two_strata"].share
    return f"count(DISTINCT {PSU}) FILTER (WHERE strata > 1) <= {share} * count(DISTINCT {PSU})"


def _of_units(table: RecordTable, select: str) -> Outcome:
    if PSU not in table.held.source_columns:
        return NotApplicable("filled_in")
    units = _UNITS.format(stratum=STRATUM, psu=PSU, record=table.record)
    sql = f"WITH units AS (\n        {units})\n    {select}"
    return Condition(sql, (PSU, STRATUM), needs=frozenset({STRATUM}), table=True)
