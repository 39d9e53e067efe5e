"""Verbs on the uploads that the registry knows: what arrives, what waits for the check, what came of it.

receiving -> complete -> checking -> done, or refused from any of the first three. The bytes are elsewhere
(:mod:`copstats.store.inbox`), and so is what an error says of a file: here stand codes alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from copstats.errors import PortalError
from copstats.store.database import Database
from copstats.store.inbox import new_upload_id
from copstats.store.portal_tables import upload

Kind = Literal["sealed", "raw"]
UploadState = Literal["receiving", "complete", "checking", "refused", "done"]
UPLOAD_STATES: tuple[UploadState, ...] = get_args(UploadState)
_ATTEMPTS = "attempts"


@dataclass(frozen=True, kw_only=True)
class PortalUpload:
    """What the registry knows of an upload.

    Attributes:
        id: for example ``KEN_4f1c09aa5e3b77d2``.
        area: ISO 3166-1 alpha-3.
        token_id: with which it was begun.
        kind: a sealed file, or a raw zip.
        size: in bytes, as announced.
        sha256: of the content, as announced, hexadecimal.
        state: where it stands.
        error: codes of the errors for which it was refused.
        submission_id: what it was taken in as.
        progress: how often its check was begun.
        created_at: when it was begun.
        changed_at: when its state changed last.
        completed_at: when it was whole; the time of its receipt.
    """

    id: str
    area: str
    token_id: str
    kind: Kind
    size: int
    sha256: str
    state: UploadState
    error: Sequence[str] | None = None
    submission_id: str | None = None
    progress: dict[str, int] | None = field(default=None, repr=False)
    created_at: dt.datetime
    changed_at: dt.datetime
    completed_at: dt.datetime | None = None

    @property
    def attempts(self) -> int:
        """How often its check was begun."""
        return (self.progress or {}).get(_ATTEMPTS, 0)

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("refused", "done")


class UploadRegistry:
    """Uploads in the registry's database. Each verb is one transaction, like those of the registry."""

    def __init__(self, database: Database) -> None:
        """Use the table that the registry made in its database."""
        self._database = database

    def begin(
        self,
        area: str,
        token_id: str,
        kind: Kind,
        *,
        size: int,
        sha256: str,
        most_open: int,
        now: dt.datetime,
        upload_id: str = "",
    ) -> tuple[PortalUpload, bool]:
        """Enter an upload; the same content of the same area again gives the one that is there.

        One that was refused begins anew, under the id that it had.

        Args:
            area: ISO 3166-1 alpha-3.
            token_id: who sends it.
            kind: a sealed file, or a raw zip.
            size: in bytes.
            sha256: of the content, hexadecimal.
            most_open: how many uploads of the area may be unfinished.
            now: the time.
            upload_id: of what has come already; drawn if empty.

        Returns:
            The upload, and whether it begins now.

        Raises:
            PortalError: P204, too many are unfinished; P214, the same content is known with another size.
        """
        with self._database.writing() as connection:
            query = select(upload).where(upload.c.area == area, upload.c.sha256 == sha256).with_for_update()
            row = connection.execute(query).mappings().first()
            if row is not None and row["state"] != "refused":
                if (row["size"], row["kind"]) != (size, kind):
                    raise PortalError("P214", status=409, where=row["id"])
                return _upload_of(row), False
            unfinished = select(func.count()).where(upload.c.area == area, upload.c.state == "receiving")
            if connection.execute(unfinished).scalar_one() >= most_open:
                raise PortalError("P204", status=409, limit=most_open)
            begun = PortalUpload(
                id=upload_id or (row["id"] if row is not None else new_upload_id(area)),
                area=area,
                token_id=token_id,
                kind=kind,
                size=size,
                sha256=sha256,
                state="receiving",
                created_at=now,
                changed_at=now,
            )
            if row is None:
                connection.execute(insert(upload).values(_columns(begun)))
            else:
                connection.execute(update(upload).where(upload.c.id == row["id"]).values(_columns(begun)))
            return begun, True

    def knows(self, area: str, sha256: str) -> bool:
        """Say whether an area has sent, or sends, this content, and it was not refused."""
        query = select(upload.c.state).where(upload.c.area == area, upload.c.sha256 == sha256)
        with self._database.reading() as connection:
            return connection.execute(query).scalar() not in (None, "refused")

    def find(self, upload_id: str) -> PortalUpload | None:
        """Return an upload, or None."""
        with self._database.reading() as connection:
            return _find(connection, upload_id)

    def of_submission(self, submission_id: str) -> PortalUpload | None:
        """Return the upload that was last taken in as this submission, or None."""
        query = (
            select(upload)
            .where(upload.c.submission_id == submission_id)
            .order_by(upload.c.completed_at.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
            return _upload_of(row) if row else None

    def uploads(self, area: str | None = None, states: Iterable[UploadState] = ()) -> list[PortalUpload]:
        """Return the uploads (of one area, in these states), the oldest first."""
        query = select(upload).order_by(upload.c.created_at, upload.c.id)
        if area is not None:
            query = query.where(upload.c.area == area)
        if wanted := tuple(states):
            query = query.where(upload.c.state.in_(wanted))
        with self._database.reading() as connection:
            return [_upload_of(row) for row in connection.execute(query).mappings()]

    def ahead(self, found: PortalUpload) -> int:
        """Return how many uploads are checked before this one, which waits for it."""
        waiting = (upload.c.state == "complete") & (upload.c.completed_at < found.completed_at)
        query = select(func.count()).where(waiting | (upload.c.state == "checking"))
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def complete(self, upload_id: str, *, now: dt.datetime) -> PortalUpload:
        """Note that an upload is whole and its hash right; doing so again changes nothing."""
        values = {"state": "complete", "completed_at": now, "changed_at": now}
        return self._change(upload_id, ("receiving",), values)

    def claim(self, *, now: dt.datetime) -> PortalUpload | None:
        """Give the oldest upload that waits to the worker, or None; the attempt is counted."""
        with self._database.writing() as connection:
            query = (
                select(upload)
                .where(upload.c.state == "complete")
                .order_by(upload.c.completed_at, upload.c.id)
                .limit(1)
                .with_for_update()
            )
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            found = _upload_of(row)
            progress = {_ATTEMPTS: found.attempts + 1}
            values = {"state": "checking", "changed_at": now, "progress": progress}
            connection.execute(update(upload).where(upload.c.id == found.id).values(values))
            return _find(connection, found.id)

    def wait_again(
        self, upload_id: str | None = None, *, counts: bool = True, now: dt.datetime
    ) -> list[PortalUpload]:
        """Let an upload whose check came to no end wait again; without an id, all that are being checked.

        Args:
            upload_id: which one.
            counts: whether the attempt counts.
            now: the time.
        """
        found = [one for one in self.uploads(states=["checking"]) if upload_id in (None, one.id)]
        return [self._wait_again(one, counts, now) for one in found]

    def _wait_again(self, found: PortalUpload, counts: bool, now: dt.datetime) -> PortalUpload:
        progress = {_ATTEMPTS: found.attempts - (not counts)}
        values = {"state": "complete", "changed_at": now, "progress": progress}
        return self._change(found.id, ("checking",), values)

    def refuse(self, upload_id: str, codes: Sequence[str], *, now: dt.datetime) -> PortalUpload:
        """Note that an upload is not taken in, and why; what is final already stays as it is."""
        values = {"state": "refused", "error": list(codes), "changed_at": now}
        return self._change(upload_id, ("receiving", "complete", "checking"), values)

    def finish(self, upload_id: str, submission_id: str, *, now: dt.datetime) -> PortalUpload:
        """Note as what an upload was taken in; what is final already stays as it is."""
        values = {"state": "done", "submission_id": submission_id, "changed_at": now}
        return self._change(upload_id, ("complete", "checking"), values)

    def _change(self, upload_id: str, before: Sequence[UploadState], values: dict[str, Any]) -> PortalUpload:
        with self._database.writing() as connection:
            connection.execute(
                update(upload).where(upload.c.id == upload_id, upload.c.state.in_(before)).values(values)
            )
            found = _find(connection, upload_id)
        if found is None:
            raise PortalError("P201", status=404, where=upload_id)
        return found


def _find(connection: Connection, upload_id: str) -> PortalUpload | None:
    row = connection.execute(select(upload).where(upload.c.id == upload_id)).mappings().first()
    return _upload_of(row) if row else None


def _columns(found: PortalUpload) -> dict[str, object]:
    return {one.name: getattr(found, one.name) for one in fields(found)}


def _upload_of(row: RowMapping) -> PortalUpload:
    return PortalUpload(**{one.name: row[one.name] for one in fields(PortalUpload)})
