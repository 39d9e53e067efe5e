"""Data as an analyst holds them, brought into an in-memory DuckDB connection."""

from __future__ import annotations

from collections import Counter
from typing import Any

import duckdb
import pyarrow as pa

from copstats.errors import EstimationError
from copstats.store.engine import memory_connection


def register(data: Any) -> duckdb.DuckDBPyConnection:
    """Return a new connection with the data as the view ``source``.

    The connection has one thread, so that sums are the same to the last bit in every run, and reaches no
    file.

    Args:
        data: DuckDB relation, pair of a connection and the name of a table, Arrow table, record batch reader
            or dataset, pandas or polars frame.

    Raises:
        EstimationError: E024, names that differ in capitals only; E034, nothing that DuckDB can read.
    """
    connection = memory_connection(threads=1)
    try:
        table = _readable(data)
        connection.register("source", table)
    except (duckdb.Error, TypeError, AttributeError):
        raise EstimationError("E034", kind=type(data).__name__) from None
    _check_names(table)
    return connection


def _readable(data: Any) -> Any:
    """Relations belong to another connection and cross over as Arrow; a reader can be read only once."""
    if isinstance(data, tuple):
        connection, table = data
        data = connection.table(table)
    if isinstance(data, duckdb.DuckDBPyRelation):
        return data.to_arrow_table()
    return data.read_all() if isinstance(data, pa.RecordBatchReader) else data


def _check_names(table: Any) -> None:
    """Refuse names that SQL would take for one another: DuckDB would rename the second in silence."""
    schema = getattr(table, "schema", None)
    columns = getattr(table, "columns", ()) if schema is None else getattr(schema, "names", ())
    names = [str(name) for name in columns]
    seen = Counter(name.casefold() for name in names)
    if doubled := [name for name in names if seen[name.casefold()] > 1]:
        raise EstimationError("E024", columns=", ".join(doubled))
