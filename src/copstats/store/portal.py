"""Verbs on tokens and sessions of the portal.

A token and a session's id are 256 random bits. What is stored is their SHA-256 alone: with that much
randomness a slow, salted hash would add nothing, and whoever reads the registry can sign in with none of
them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import RowMapping, delete, insert, select, update

from copstats.errors import PortalError
from copstats.store.database import Database
from copstats.store.portal_tables import session, token

Role = Literal["provider", "reviewer", "operator", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
PREFIX = "cop_"
_SECRET = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
_BYTES = 32
_USE_NOTED_EVERY = dt.timedelta(minutes=1)
"""A session's last use is written at most this often: reading a page costs no forced write."""


@dataclass(frozen=True)
class Token:
    """What is known of a token; the token itself is not kept.

    Attributes:
        id: names it in lists and in the audit log.
        role: what it may do.
        area: of a provider (ISO 3166-1 alpha-3); None for other roles.
        holder: name of the person or office that it was made for.
        created_at: when it was made.
        expires_at: from when on it is refused.
        revoked_at: since when it is refused; None if it was not revoked.
    """

    id: str
    role: Role
    area: str | None
    holder: str
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None = None

    def valid(self, now: dt.datetime) -> bool:
        """Whether it opens the portal at this time."""
        return self.revoked_at is None and now < self.expires_at


class PortalRegistry:
    """Tokens and sessions. Each verb is one transaction, like those of the registry."""

    def __init__(self, database: Database) -> None:
        """Use the tables that the registry made in its database."""
        self._database = database

    def create_token(
        self, role: Role, *, area: str | None, holder: str, days: int, now: dt.datetime
    ) -> tuple[str, Token]:
        """Make a token; return it, to be shown once, and what is kept of it.

        Raises:
            PortalError: P101, a provider without an area, or an area with another role; P102, no holder.
        """
        if (role == "provider") != (area is not None):
            raise PortalError("P101", role=role)
        if not holder.strip():
            raise PortalError("P102")
        secret = PREFIX + secrets.token_urlsafe(_BYTES)
        made = Token(secrets.token_hex(4), role, area, holder.strip(), now, now + dt.timedelta(days=days))
        with self._database.writing() as connection:
            connection.execute(insert(token).values(digest=digest(secret), **_columns(made)))
        return secret, made

    def revoke_token(self, token_id: str, *, now: dt.datetime) -> Token:
        """Refuse a token from now on, and end its sessions; doing so again changes nothing.

        Raises:
            PortalError: P103, no such token.
        """
        with self._database.writing() as connection:
            connection.execute(
                update(token)
                .where(token.c.id == token_id, token.c.revoked_at.is_(None))
                .values(revoked_at=now)
            )
            connection.execute(delete(session).where(session.c.token_id == token_id))
            row = connection.execute(select(token).where(token.c.id == token_id)).mappings().first()
        if row is None:
            raise PortalError("P103", status=404, where=token_id)
        return _token_of(row)

    def tokens(self) -> list[Token]:
        """Return all tokens, the newest last."""
        query = select(token).order_by(token.c.created_at, token.c.id)
        with self._database.reading() as connection:
            return [_token_of(row) for row in connection.execute(query).mappings()]

    def token_of(self, secret: str, *, now: dt.datetime) -> Token | None:
        """Return what is known of a valid token; None if it is unknown, expired or revoked."""
        if not _SECRET.fullmatch(secret):
            return None
        query = select(token).where(token.c.digest == digest(secret))
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
        found = _token_of(row) if row else None
        return found if found and found.valid(now) else None

    def open_session(self, token_id: str, *, now: dt.datetime) -> str:
        """Begin a session; return its id, which stands in the cookie alone."""
        secret = secrets.token_urlsafe(_BYTES)
        row = {"digest": digest(secret), "token_id": token_id, "created_at": now, "used_at": now}
        with self._database.writing() as connection:
            connection.execute(insert(session).values(row))
        return secret

    def session_of(
        self, secret: str, *, now: dt.datetime, idle: dt.timedelta, longest: dt.timedelta
    ) -> Token | None:
        """Return whose session it is and note its use; None if it has ended.

        Args:
            secret: the session's id.
            now: the present time.
            idle: how long it lasts without use.
            longest: how long it lasts at most.
        """
        query = (
            select(token, session.c.created_at.label("opened_at"), session.c.used_at)
            .join_from(session, token)
            .where(session.c.digest == digest(secret))
        )
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None or now - row["used_at"] >= idle or now - row["opened_at"] >= longest:
            return None
        found = _token_of(row)
        if not found.valid(now):
            return None
        if now - row["used_at"] >= _USE_NOTED_EVERY:
            self._note_use(secret, now)
        return found

    def end_session(self, secret: str) -> None:
        """End a session; one that has ended already changes nothing."""
        with self._database.writing() as connection:
            connection.execute(delete(session).where(session.c.digest == digest(secret)))

    def expire_sessions(self, *, before: dt.datetime) -> int:
        """Remove the sessions that were not used since ``before``; return their number."""
        with self._database.writing() as connection:
            return connection.execute(delete(session).where(session.c.used_at < before)).rowcount

    def _note_use(self, secret: str, now: dt.datetime) -> None:
        with self._database.writing() as connection:
            connection.execute(update(session).where(session.c.digest == digest(secret)).values(used_at=now))


def digest(secret: str) -> str:
    """Return what is stored in the place of a token or a session's id (SHA-256, hexadecimal)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _columns(found: Token) -> dict[str, object]:
    return {name: getattr(found, name) for name in Token.__dataclass_fields__}


def _token_of(row: RowMapping) -> Token:
    return Token(**{name: row[name] for name in Token.__dataclass_fields__})
