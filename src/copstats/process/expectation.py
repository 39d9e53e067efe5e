"""The one expectation of our own: a record fulfils a rule whose predicate DuckDB evaluates.

Importing this module imports Great Expectations, which takes some seconds: `copstats.process.gate` does so
only when it runs.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, Literal

import duckdb
import pandas as pd
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import MulticolumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    MulticolumnMapMetricProvider,
    multicolumn_condition_partial,
)

from copstats.store.engine import memory_connection

METRIC = "multicolumn_values.framework_rule"


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    return memory_connection(threads=1)


class FrameworkRuleMetric(MulticolumnMapMetricProvider):  # type: ignore[misc]
    """Whether each record fulfils a rule."""

    condition_metric_name = METRIC
    condition_domain_keys = (
        "batch_id",
        "table",
        "column_list",
        "row_condition",
        "condition_parser",
        "ignore_row_if",
    )
    condition_value_keys = ("violation",)

    @multicolumn_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column_list: pd.DataFrame, violation: str, **_: Any) -> pd.Series:
        query = f"SELECT coalesce({violation}, FALSE) AS broken FROM record"  # noqa: S608
        connection = _engine()
        connection.register("record", column_list)
        try:
            broken = connection.execute(query).fetchnumpy()["broken"]
        finally:
            connection.unregister("record")
        return pd.Series(~broken.astype(bool), index=column_list.index)


class ExpectRecordsToFulfilRule(MulticolumnMapExpectation):  # type: ignore[misc]
    """Expect every record to fulfil a rule of the framework.

    Args:
        column_list: columns that the predicate reads, and ``record_no`` (a list of one is refused).
        violation: SQL predicate that is TRUE where a record breaks the rule.
    """

    violation: str
    ignore_row_if: Literal["all_values_are_missing", "any_value_is_missing", "never"] = "never"

    map_metric: ClassVar[str] = METRIC
    success_keys: ClassVar[tuple[str, ...]] = ("violation", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("column_list", "violation")
