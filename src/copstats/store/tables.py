"""Tables of the registry (SQLAlchemy Core): what is known of submissions, never what is in them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class UtcTime(TypeDecorator[dt.datetime]):
    """A point in time: stored in UTC, returned with its zone, also by SQLite, which keeps none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Turn a time with a zone to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone is ambiguous")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> dt.datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        found: dt.datetime = value
        return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)


metadata = MetaData()

submission = Table(
    "submission",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("ref_area", String(3), nullable=False),
    Column("survey", String(12), nullable=False),
    Column("reference_year", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("wave", String(32), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("framework", String(32), nullable=False),
    Column("framework_fingerprint", String(64), nullable=False),
    Column("content_hash", String(64), nullable=False, index=True),
    Column("manifest", JSON, nullable=False),
    Column("crosswalk", JSON, nullable=False),
    Column("variables", JSON, nullable=False),
    Column("records", JSON, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("received_at", UtcTime, nullable=False),
    Column("decided_at", UtcTime),
)
_accepted = submission.c.state == "accepted"
Index(
    "ix_submission_one_accepted_a_wave",
    submission.c.wave,
    unique=True,
    sqlite_where=_accepted,
    postgresql_where=_accepted,
)

finding_count = Table(
    "finding_count",
    metadata,
    Column("submission_id", ForeignKey("submission.id"), primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("severity", String(16), primary_key=True),
    Column("count", Integer, nullable=False),
)

check_summary = Table(
    "check_summary",
    metadata,
    Column("submission_id", ForeignKey("submission.id"), primary_key=True),
    Column("content", Text, nullable=False),
)

provenance = Table(
    "provenance",
    metadata,
    Column("submission_id", ForeignKey("submission.id"), primary_key=True),
    Column("content", JSON, nullable=False),
)

decision = Table(
    "decision",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("submission_id", ForeignKey("submission.id"), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)

estimate_run = Table(
    "estimate_run",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("submission_id", ForeignKey("submission.id"), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_estimate_run_submission", "submission_id", "number"),
)

release = Table(
    "release",
    metadata,
    Column("label", String(40), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("manifest_sha256", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
)

review = Table(
    "review",
    metadata,
    Column("wave", String(32), primary_key=True),
    Column("values_hash", String(64), primary_key=True),
    Column("label", String(40), nullable=False, index=True),
    Column("submission_id", String(64), nullable=False),
    Column("ref_area", String(3), nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("closes_at", UtcTime, nullable=False),
    Column("answer", String(16), nullable=False),
    Column("indicators", JSON, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("answered_at", UtcTime),
)
