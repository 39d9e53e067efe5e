"""Verbs on approvals: who has said what of a submission or a release that waits."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import Literal

from sqlalchemy import RowMapping, insert, select

from copstats.errors import PortalError
from copstats.store.database import Database
from copstats.store.portal_tables import approval, token

LONGEST = 4000
"""Characters of a reason."""

Verdict = Literal["approved", "declined"]


@dataclass(frozen=True, kw_only=True)
class Approval:
    """What one person said of a submission or a prepared release.

    Attributes:
        subject: id of the submission; label of the release.
        content_hash: of exactly what was looked at; of a release, the SHA-256 of its manifest.
        token_id: with which it was said.
        holder: who said it.
        verdict: ``approved`` or ``declined``.
        reason: in words; without data of persons.
        at: when it was said.
    """

    subject: str
    content_hash: str
    token_id: str
    holder: str
    verdict: Verdict
    reason: str
    at: dt.datetime


class ApprovalRegistry:
    """Approvals in the registry's database. Each verb is one transaction, like those of the registry."""

    def __init__(self, database: Database) -> None:
        """Use the table that the registry made in its database."""
        self._database = database

    def enter(self, said: Approval) -> bool:
        """Enter what somebody said; return whether it is new. The first word of a token stands."""
        present = select(approval.c.number).where(
            approval.c.subject == said.subject,
            approval.c.content_hash == said.content_hash,
            approval.c.token_id == said.token_id,
        )
        with self._database.writing() as connection:
            if connection.execute(present).first() is not None:
                return False
            values = {one.name: getattr(said, one.name) for one in fields(Approval)}
            connection.execute(insert(approval).values(values))
            return True

    def approvals(self, subject: str, content_hash: str | None = None) -> list[Approval]:
        """Return what was said of a subject (of exactly this content), the oldest first.

        Words said with a token that was revoked since do not count and are left out.
        """
        query = (
            select(approval)
            .join(token, token.c.id == approval.c.token_id)
            .where(approval.c.subject == subject, token.c.revoked_at.is_(None))
            .order_by(approval.c.number)
        )
        if content_hash is not None:
            query = query.where(approval.c.content_hash == content_hash)
        with self._database.reading() as connection:
            return [_approval_of(row) for row in connection.execute(query).mappings()]


def checked_reason(text: str) -> str:
    """Return a reason without blanks around it.

    Raises:
        PortalError: P301 (422), it is empty or longer than 4000 characters.
    """
    written = text.replace("\r\n", "\n").strip()
    if not 0 < len(written) <= LONGEST or "\0" in written:
        raise PortalError("P301", status=422, most=LONGEST)
    return written


def _approval_of(row: RowMapping) -> Approval:
    return Approval(**{one.name: row[one.name] for one in fields(Approval)})
