"""The only place that opens a DuckDB database."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb

LONGEST_TEXT = 4000
"""Bytes of the longest text that a published database may hold, see :func:`building_connection`."""

_LEAKING = ("fsst", "dict_fsst", "alp", "alprd", "chimp", "patas", "roaring", "zstd")
_NO_EXTENSIONS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
_SEALED = {**_NO_EXTENSIONS, "enable_external_access": "false"}


def memory_connection(
    *, threads: int | None = None, memory_limit: str | None = None
) -> duckdb.DuckDBPyConnection:
    """Return an in-memory connection that can neither reach a file nor spill to disk.

    Microdata are handed to it as Arrow tables (``connection.register``). With too little memory a query
    fails; it never writes a temporary file, because DuckDB spills in clear.

    Args:
        threads: 1 gives results that are identical to the last bit between runs.
        memory_limit: for example ``2GB``.
    """
    _leave_no_core()
    connection = duckdb.connect(":memory:", config={**_SEALED, "temp_directory": ""})
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET disabled_optimizers = 'grouping_sets'")
    if threads is not None:
        connection.execute(f"SET threads = {int(threads)}")
    if memory_limit is not None:
        connection.execute("SET memory_limit = $limit", {"limit": memory_limit})
    connection.execute("SET lock_configuration = true")
    return connection


@cache
def _leave_no_core() -> None:
    """Let the system write no image of this process's memory to disk if it crashes, where it can be told."""
    try:
        import resource
    except ImportError:  # Windows writes none by default.
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def published_connection(database: Path) -> duckdb.DuckDBPyConnection:
    """Open a released database read-only, without access to any other file, its configuration locked.

    Any number of connections may be open at once: they share one instance, hence the lock is set as it opens.
    """
    config = {**_SEALED, "lock_configuration": "true"}
    return duckdb.connect(str(database), read_only=True, config=config)


def building_connection(database: Path) -> duckdb.DuckDBPyConnection:
    """Create a database for publication and return the connection that fills it; it reaches no other file.

    What is written depends on the tables alone, and DuckDB 1.4 and later read it. DuckDB leaves parts of a
    block as they lay in memory, which may hold anything that the process has seen: FSST, ALP and Roaring
    segments always, other segments where they nearly fill a block, and texts of 4,096 bytes or more. Hence
    none of these, small row groups, and :data:`LONGEST_TEXT`. Found with DuckDB 2.0.0 by filling memory with
    marks before each write, and by comparing builds of separate processes.

    Args:
        database: must not exist; it is complete when the connection is closed.
    """
    connection = duckdb.connect(":memory:", config={**_NO_EXTENSIONS, "temp_directory": ""})
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET threads = 1")
    connection.execute(f"SET disabled_compression_methods = '{','.join(_LEAKING)}'")
    place = str(database).replace("'", "''")
    connection.execute(f"ATTACH '{place}' AS release (STORAGE_VERSION 'v1.2.0', ROW_GROUP_SIZE 2048)")
    connection.execute("USE release")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection
