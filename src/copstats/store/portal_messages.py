"""Verbs on the messages between the offices of the countries and the receiving side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields

from sqlalchemy import RowMapping, func, insert, select, update

from copstats.errors import PortalError
from copstats.store.database import Database
from copstats.store.portal_tables import message

LONGEST = 4000
"""Characters of a message."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message.

    Attributes:
        number: counted over all countries.
        area: ISO 3166-1 alpha-3: of the country that sent or gets it.
        submission_id: which it is about; None for a general one.
        from_area: whether the country sent it.
        token_id: of the sender.
        holder: name of the sender.
        text: plain.
        at: when it was sent.
        read_at: when the other side first saw it; None while it has not.
    """

    number: int
    area: str
    submission_id: str | None
    from_area: bool
    token_id: str
    holder: str
    text: str
    at: dt.datetime
    read_at: dt.datetime | None


class MessageRegistry:
    """Messages in the registry's database. Each verb is one transaction, like those of the registry."""

    def __init__(self, database: Database) -> None:
        """Use the table that the registry made in its database."""
        self._database = database

    def send(
        self,
        area: str,
        text: str,
        *,
        submission_id: str | None,
        from_area: bool,
        token_id: str,
        holder: str,
        now: dt.datetime,
    ) -> int:
        """Keep a message; return its number.

        Args:
            area: ISO 3166-1 alpha-3.
            text: plain, at most `LONGEST` characters.
            submission_id: which it is about, one of this area; None for a general one.
            from_area: whether the country sends it.
            token_id: of the sender.
            holder: name of the sender.
            now: the time.

        Raises:
            PortalError: P322 (422), the text is empty or too long.
        """
        words = text.replace("\r\n", "\n").strip()
        if not 0 < len(words) <= LONGEST:
            raise PortalError("P322", status=422, most=LONGEST)
        row = {
            "area": area,
            "submission_id": submission_id,
            "from_area": int(from_area),
            "token_id": token_id,
            "holder": holder,
            "text": words,
            "at": now,
        }
        with self._database.writing() as connection:
            number = connection.execute(insert(message).values(row).returning(message.c.number))
            return int(number.scalar_one())

    def messages(self, area: str, submission_id: str | None = None) -> list[Message]:
        """Return the messages of a country (about one submission), the oldest first."""
        query = select(message).where(message.c.area == area).order_by(message.c.number)
        if submission_id is not None:
            query = query.where(message.c.submission_id == submission_id)
        with self._database.reading() as connection:
            return [_message_of(row) for row in connection.execute(query).mappings()]

    def unread(self, *, from_area: bool) -> Mapping[str, int]:
        """Return area -> number of messages that the other side has not seen; only where there are any.

        Args:
            from_area: those that the countries sent, or those that they got.
        """
        query = (
            select(message.c.area, func.count())
            .where(message.c.from_area == int(from_area), message.c.read_at.is_(None))
            .group_by(message.c.area)
        )
        with self._database.reading() as connection:
            return {area: int(count) for area, count in connection.execute(query)}

    def mark_read(
        self, area: str, *, from_area: bool, now: dt.datetime, submission_id: str | None = None
    ) -> None:
        """Note that the other side has seen the messages of a country (about one submission)."""
        unseen = update(message).where(
            message.c.area == area, message.c.from_area == int(from_area), message.c.read_at.is_(None)
        )
        if submission_id is not None:
            unseen = unseen.where(message.c.submission_id == submission_id)
        with self._database.writing() as connection:
            connection.execute(unseen.values(read_at=now))


def _message_of(row: RowMapping) -> Message:
    values = {one.name: row[one.name] for one in fields(Message)}
    return Message(**{**values, "from_area": bool(values["from_area"])})
