"""Tables of the portal (SQLAlchemy Core), beside those of the registry: who signs in, what is on its way."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from copstats.store.tables import UtcTime, metadata

__all__ = ["approval", "message", "metadata", "session", "token", "upload"]

token = Table(
    "token",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("area", String(3)),
    Column("role", String(16), nullable=False),
    Column("holder", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
)

session = Table(
    "session",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("token_id", ForeignKey("token.id"), nullable=False, index=True),
    Column("created_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, nullable=False),
)

upload = Table(
    "upload",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("area", String(3), nullable=False),
    Column("token_id", ForeignKey("token.id"), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("error", JSON),
    Column("submission_id", String(64), index=True),
    Column("progress", JSON),
    Column("created_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("completed_at", UtcTime),
    Index("ix_upload_one_a_content", "area", "sha256", unique=True),
)

message = Table(
    "message",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("area", String(3), nullable=False, index=True),
    Column("submission_id", String(64), index=True),
    Column("from_area", Integer, nullable=False),
    Column("token_id", ForeignKey("token.id"), nullable=False),
    Column("holder", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("read_at", UtcTime),
)

approval = Table(
    "approval",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("subject", String(64), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("token_id", ForeignKey("token.id"), nullable=False),
    Column("holder", Text, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_approval_one_a_token", "subject", "content_hash", "token_id", unique=True),
)
