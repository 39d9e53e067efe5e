"""Sends a file in segments and goes on where it stopped, for as long as the other side keeps what came."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from copstats.client.follow import refusals
from copstats.client.patience import Patience
from copstats.client.wire import Answer, Broken, Wire, plain, refusal
from copstats.errors import UsageError

Kind = Literal["sealed", "raw"]
SEGMENT = 4 * 2**20
_PIECE = 64 * 1024
_CREATED, _CONFLICT = 201, 409
_REFUSALS = frozenset({400, 401, 403, 404, 409, 410})
_OFFSET, _STATE = "upload-offset", "upload-state"
_ELSEWHERE = "P202"
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ZIP, _NAME_AT, _HEAD = b"PK\x03\x04", 30, b"seal.json"


@dataclass(frozen=True)
class Content:
    """A file that is to be sent.

    Attributes:
        path: of the file.
        kind: a sealed file, or a zip of a raw submission.
        size: in bytes.
        sha256: hexadecimal.
    """

    path: Path
    kind: Kind
    size: int
    sha256: str


@dataclass(frozen=True)
class Begun:
    """An upload that the portal knows.

    Attributes:
        id: for example ``KEN_4f1c09aa5e3b77d2``.
        state: where it stands; more bytes are taken in ``receiving`` alone.
        new: whether it begins now.
    """

    id: str
    state: str
    new: bool

    @property
    def path(self) -> str:
        """Path of the upload at the portal."""
        return f"/api/uploads/{self.id}"


def content_of(path: Path, kind: Kind | None) -> Content:
    """Look at a file and hash it: 1.5 s a GB.

    Args:
        path: of the file.
        kind: that it has to be; None for either.

    Raises:
        UsageError: U414, it is not sealed; U415, it is no zip of a raw submission; U426, it cannot be read.
    """
    try:
        with path.open("rb") as file:
            found = _kind_of(file.read(_NAME_AT + len(_HEAD)))
            if found is None or kind not in {None, found}:
                raise UsageError("U415" if kind == "raw" else "U414", where=path.name)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256")
            return Content(path, found, file.tell(), digest.hexdigest())
    except OSError:
        raise UsageError("U426", where=path.name) from None


def _kind_of(start: bytes) -> Kind | None:
    if not start.startswith(_ZIP):
        return None
    return "sealed" if start[_NAME_AT:] == _HEAD else "raw"


def begin(wire: Wire, patience: Patience, content: Content) -> Begun:
    """Announce a file; the same content again finds the upload that is there.

    Raises:
        UsageError: see :meth:`~copstats.client.wire.Wire.ask`.
        Retriable: T110, the portal is out of reach; T111, it has no room.
    """
    announced = {"size": content.size, "sha256": content.sha256, "kind": content.kind}
    body, headers = json.dumps(announced).encode(), {"Content-Type": "application/json"}
    answer = patience.repeat(lambda: wire.ask("POST", "/api/submissions", body, headers))
    upload, state = (plain(answer.content.get(part)) for part in ("id", "state"))
    if not _ID.fullmatch(upload) or not state:
        raise UsageError("U419", status=answer.status)
    return Begun(upload, state, new=answer.status == _CREATED)


@dataclass(frozen=True)
class Transfer:
    """The way of one file to the portal.

    Attributes:
        wire: to the portal.
        patience: how long a cut is borne.
        begun: the upload.
        content: the file.
        sent: told how many bytes have gone, from the start of the file on.
    """

    wire: Wire
    patience: Patience
    begun: Begun
    content: Content
    sent: Callable[[int], None]

    def run(self) -> None:
        """Send what the portal does not have yet.

        Raises:
            UsageError: U423, the file changed meanwhile; U426, it cannot be read; others see
                :meth:`~copstats.client.wire.Wire.ask`.
            Retriable: T110, the portal is out of reach; T111, it has no room.
        """
        try:
            file = self.content.path.open("rb")
        except OSError:
            raise UsageError("U426", where=self.content.path.name) from None
        with file:
            offset = self._kept()
            self.sent(offset)
            while offset < self.content.size:
                offset = self._advanced(_segment(file, offset, self.content), offset)
                self.sent(offset)
        if self.patience.repeat(self._head).headers[_STATE] == "receiving":
            # All bytes are there, but the portal was stopped before it compared them: an empty segment does.
            self.patience.repeat(lambda: self._patch(b"", offset))

    def _advanced(self, segment: bytes, offset: int) -> int:
        """Send a segment; return how much the portal has now, since a part of it may outlast a cut."""
        try:
            now = _offset_in(self._patch(segment, offset))
        except Broken as problem:
            self.patience.wait(problem.wait)
            now = self._kept()
        if now is None:
            now = self._kept()
            if now == offset:  # refused as the wrong place, and yet it is the right one
                self.patience.wait()
        if now > offset:
            self.patience.progress()
        return now

    def _patch(self, segment: bytes, offset: int) -> Answer:
        headers = {
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(len(segment)),
            "Upload-Offset": str(offset),
        }
        pieces = _pieces(segment, offset, self.sent)
        answer = self.wire.ask("PATCH", self.begun.path, pieces, headers, also=frozenset({_CONFLICT}))
        if answer.status == _CONFLICT and answer.content.get("code") != _ELSEWHERE:
            raise refusal(answer)
        return answer

    def _kept(self) -> int:
        answer = self.patience.repeat(self._head)
        if answer.headers[_STATE] == "refused":
            reasons = refusals(self.wire, self.patience, self.begun.id)
            raise next(iter(reasons), UsageError("U419", where=self.begun.id, status=answer.status))
        return int(answer.headers[_OFFSET])

    def _head(self) -> Answer:
        answer = self.wire.ask("HEAD", self.begun.path, also=_REFUSALS)
        if answer.status in _REFUSALS:
            self.wire.ask("GET", self.begun.path)  # the answer to HEAD has no body that could tell the reason
        if _offset_in(answer) is None or _STATE not in answer.headers:
            raise Broken  # cut within its headers
        return answer


def _pieces(segment: bytes, offset: int, sent: Callable[[int], None]) -> Iterator[bytes]:
    for start in range(0, len(segment), _PIECE):
        piece = segment[start : start + _PIECE]
        yield piece
        sent(offset + start + len(piece))


def _segment(file: BinaryIO, offset: int, content: Content) -> bytes:
    wanted = min(SEGMENT, content.size - offset)
    try:
        file.seek(offset)
        segment = file.read(wanted)
    except OSError:
        raise UsageError("U426", where=content.path.name) from None
    if len(segment) < wanted:
        raise UsageError("U423", where=content.path.name)
    return segment


def _offset_in(answer: Answer) -> int | None:
    said = answer.headers.get(_OFFSET, "")
    return int(said) if said.isdecimal() and answer.status != _CONFLICT else None
