"""Connections to the registry's database: SQLite made durable, other databases as they are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, OperationalError

from copstats.errors import Retriable, UsageError

_WRITES = "writes"
_BUSY_SECONDS = 30


class Database:
    """Gives connections for reading and transactions for writing.

    Both raise Retriable (T002) while the database is locked or out of reach, UsageError (U006) if it is
    damaged.
    """

    def __init__(self, url: str) -> None:
        """Prepare the connection; ``url`` is one of SQLAlchemy's."""
        self._engine = _sqlite(url) if url.startswith("sqlite") else _server(url)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database."""
        with _translated(), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction, committed at the end of the block, rolled back if that raises."""
        with _translated(), self._engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection


def _server(url: str) -> Engine:
    # Parameters hold manifests: they stay out of logs and error texts.
    try:
        return create_engine(url, hide_parameters=True, pool_pre_ping=True)
    except (ArgumentError, ImportError):
        # The engine's message would quote the URL, which may hold a password.
        problem = "registry_url is no database URL, or its driver is not installed"
        raise UsageError("U004", where="copstats.toml", problem=problem) from None


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url, hide_parameters=True, poolclass=NullPool, connect_args={"timeout": _BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        # SQLAlchemy, not the driver, begins transactions; see "Serializable isolation / Transactional DDL"
        # there.
        connection.isolation_level = None
        for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that will write takes the write lock at once: upgrading later can fail without
        # waiting.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, IntegrityError):
        # Integrity: another process entered the same key between our look and our insert (PostgreSQL).
        raise Retriable("T002") from None
    except DatabaseError:
        raise UsageError("U006") from None
