"""The acceptance gate: a Great Expectations suite that is generated from the compiled rules.

Great Expectations judges; it shows nothing. It runs in an ephemeral context with the result format
``BOOLEAN_ONLY``, because its other formats, its validation store and its pages hold values that failed.
"""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import duckdb

from copstats.framework import Framework
from copstats.process.compiled import CompiledRule
from copstats.process.conditions import Between, InSet, Matches, Native, NotNull, Unique
from copstats.process.records import extended

if TYPE_CHECKING:
    import great_expectations as gx
    import pandas as pd
    from great_expectations.expectations.expectation import Expectation

Part = Literal["child", "parent", "counts"]
"""What a suite looks at: the records of a file, or the counts of rules on tables and columns."""
Mode = Literal["records", "counts"]
"""Whether rules with a native expectation are judged on the records, or like all others by their counts."""
MOST_RECORDS = 100_000
"""In larger files the suite judges counts."""
PARTS: tuple[Part, ...] = ("child", "parent", "counts")
_SEVERITY = {"error": "critical", "warning": "warning", "information": "info"}


def gx_suite(
    rules: Iterable[CompiledRule],
    framework: Framework,
    part: Part,
    *,
    counted: bool = False,
    mode: Mode = "records",
) -> gx.ExpectationSuite:
    """Return the suite of one part of a submission.

    Every expectation carries its rule id in ``meta``, the rule's severity, and as description what is wrong.

    Args:
        rules: compiled rules; those that are not ready are left out.
        framework: names the suite.
        part: ``child`` and ``parent`` look at the records; ``counts`` at one row with a column for each rule.
        counted: whether rules without a native expectation stand in the part ``counts``.
        mode: ``counts`` puts all rules there.
    """
    gx = _great_expectations()
    expectations = [
        expectation(rule, counted and part == "counts")
        for rule in rules
        if rule.ready and _part(rule, counted, mode) == part
    ]
    return gx.ExpectationSuite(name=f"{framework.id} {part}", expectations=expectations)


def mode_for(records: int) -> Mode:
    """Return how a file of so many records is judged."""
    return "records" if records <= MOST_RECORDS else "counts"


def run_gate(
    connection: duckdb.DuckDBPyConnection,
    rules: Sequence[CompiledRule],
    tables: Mapping[str, str],
    framework: Framework,
    *,
    counted: Mapping[str, int] | None = None,
    mode: Mode = "records",
) -> dict[str, bool]:
    """Return rule id -> whether the suite holds it fulfilled, for every rule that is ready.

    A rule on which Great Expectations fails is not fulfilled: the gate stays shut. Rules that have a native
    expectation are judged on the records. The others would be decided by the predicate that made the
    findings, at several times the cost; with ``counted`` their numbers of findings are judged instead.

    Args:
        connection: holds the harmonised tables.
        rules: compiled rules.
        tables: name -> SELECT of the extended tables.
        framework: names the suites.
        counted: rule id -> number of findings, for rules that have any.
        mode: ``counts`` judges the rules with a native expectation by ``counted`` too.
    """
    results = validate(connection, rules, tables, framework, "BOOLEAN_ONLY", counted, mode)
    return {result.expectation_config.meta["rule"]: bool(result.success) for result in results}


def validate(  # noqa: PLR0917 - as run_gate
    connection: duckdb.DuckDBPyConnection,
    rules: Sequence[CompiledRule],
    tables: Mapping[str, str],
    framework: Framework,
    result_format: str,
    counted: Mapping[str, int] | None = None,
    mode: Mode = "records",
) -> list[Any]:
    """Return the validation results of all suites; see `run_gate`.

    Any format but ``BOOLEAN_ONLY`` shows values and belongs in tests with made-up data only.
    """
    _great_expectations()
    results: list[Any] = []
    known = counted is not None
    with _silenced():
        for part in PARTS:
            judged = [rule for rule in rules if rule.ready and _part(rule, known, mode) == part]
            suite = gx_suite(judged, framework, part, counted=known, mode=mode)
            if suite.expectations:
                if part == "counts" and counted is not None:
                    frame = _counts_frame(judged, counted)
                else:
                    frame = _frame(connection, judged, tables, part)
                batch = _batches(part).get_batch(batch_parameters={"dataframe": frame})
                results += batch.validate(suite, result_format=result_format).results
    return results


def prepare() -> None:
    """Import Great Expectations and make its context, so that the first submission need not wait for them."""
    _context()


@cache
def _great_expectations() -> Any:
    # Read at import. The versions that copstats allows send nothing; this holds should one ever do so again.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations

    logging.captureWarnings(False)  # it sends the warnings of the whole process to the log
    return great_expectations


@cache
def _context() -> Any:
    from great_expectations.data_context.types.base import ProgressBarsConfig

    with _silenced():
        context = _great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


@cache
def _batches(part: Part) -> Any:
    source = _context().data_sources.add_pandas(part)
    return source.add_dataframe_asset(part).add_batch_definition_whole_dataframe(part)


@contextmanager
def _silenced() -> Iterator[None]:
    """Silence log and warnings: an expectation that fails logs a traceback, which can quote values."""
    logger = logging.getLogger("great_expectations")
    level, propagate = logger.level, logger.propagate
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        logger.propagate = propagate


def _part(rule: CompiledRule, counted: bool, mode: Mode) -> Part:
    if mode == "counts" or (counted and rule.kind == "row" and rule.native is None):
        return "counts"
    if rule.kind == "row" or rule.rule_class in ("no_records", "column_missing"):
        return "parent" if rule.record == "parent" else "child"
    return "counts"


def _frame(
    connection: duckdb.DuckDBPyConnection,
    rules: Sequence[CompiledRule],
    tables: Mapping[str, str],
    part: Part,
) -> pd.DataFrame:
    steps = ",\n".join(f"{name} AS ({select})" for name, select in tables.items())
    if part == "counts":
        columns = ",\n    ".join(f'({_count(rule)}) AS "{rule.id}"' for rule in rules)
        query = f"WITH {steps}\nSELECT {columns}"
    else:
        held = _types(connection, part)
        named = (rule.variable for rule in rules if rule.rule_class == "column_missing")
        looked_for = (name for name in named if name in held)
        read = dict.fromkeys((*(column for rule in rules for column in rule.reads), *looked_for))
        columns = ", ".join(["record_no", *(_finite(column, held.get(column)) for column in read)])
        query = f"WITH {steps}\nSELECT {columns} FROM {extended(part)}"
    frame: pd.DataFrame = connection.sql(query).to_arrow_table().to_pandas()
    return frame


def _counts_frame(rules: Sequence[CompiledRule], counted: Mapping[str, int]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({rule.id: [counted.get(rule.id, 0)] for rule in rules})


def _count(rule: CompiledRule) -> str:
    if rule.kind == "structure":
        return str(len(rule.places))
    return f"SELECT count(*) FROM ({rule.violation})"


def _types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.execute(f"DESCRIBE {table}").fetchall()}


def _finite(column: str, kind: str | None) -> str:
    """Return the column; in a number, NaN becomes infinite, because pandas takes NaN for a missing value."""
    if kind != "DOUBLE":
        return column
    return f"CASE WHEN isnan({column}) THEN 'inf'::DOUBLE ELSE {column} END AS {column}"


def expectation(rule: CompiledRule, counted: bool = False) -> Expectation:
    """Return the expectation of one rule; with ``counted``, on its number of findings."""
    import great_expectations.expectations as gxe

    about = {
        "meta": {"rule": rule.id, "rule_class": rule.rule_class},
        "severity": _SEVERITY[rule.severity],
        "description": rule.message.what,
    }
    if counted:
        return gxe.ExpectColumnMaxToBeBetween(column=rule.id, max_value=0, **about)
    if rule.rule_class == "no_records":
        return gxe.ExpectTableRowCountToBeBetween(min_value=1, **about)
    if rule.rule_class == "column_missing":
        return gxe.ExpectColumnToExist(column=rule.variable, **about)
    if rule.kind != "row":
        return gxe.ExpectColumnValuesToBeBetween(column=rule.id, max_value=0, **about)
    if rule.native is not None:
        return _native(rule.native, about)
    from copstats.process.expectation import ExpectRecordsToFulfilRule

    columns = [*rule.reads, "record_no"]
    return ExpectRecordsToFulfilRule(column_list=columns, violation=rule.violation, **about)


def _native(condition: Native, about: dict[str, Any]) -> Expectation:
    import great_expectations.expectations as gxe

    match condition:
        case InSet(column, values):
            return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=list(values), **about)
        case Between(column, lower, upper, strict):
            return gxe.ExpectColumnValuesToBeBetween(
                column=column, min_value=lower, max_value=upper, strict_min=strict, **about
            )
        case NotNull(column):
            return gxe.ExpectColumnValuesToNotBeNull(column=column, **about)
        case Unique(column):
            return gxe.ExpectColumnValuesToBeUnique(column=column, **about)
        case Matches(column, pattern):
            return gxe.ExpectColumnValuesToMatchRegex(column=column, regex=pattern, **about)
