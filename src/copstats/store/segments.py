"""The segments of an upload: encrypted files, one behind the other, that are read as one seekable stream.

Each is named after the place that it takes, ``000000004194304-1048576.9f2c....part``: where it begins, how
many bytes it holds, and what was drawn for it. The first and the last are part of what it is bound to.
"""

from __future__ import annotations

import bisect
import io
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from copstats.errors import ConfidentialityError, PortalError
from copstats.store.sealed_stream import CHUNK, Seekable, StreamWriter, TooLarge

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_NAME = re.compile(r"(\d{15})-(\d{1,15})\.([0-9a-f]{32})\.part")


class Part(NamedTuple):
    """A segment that is kept.

    Attributes:
        offset: where it begins in the whole.
        size: bytes of its content.
        token: drawn for it.
        path: of the encrypted file.
    """

    offset: int
    size: int
    token: str
    path: Path

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.offset + self.size


def part_name(offset: int, size: int, token: str) -> str:
    """Return the name of a segment's file."""
    return f"{offset:015d}-{size}.{token}.part"


def parts_in(folder: Path) -> list[Part]:
    """Return the segments of an upload in their order.

    Raises:
        ConfidentialityError: C005, one is missing between others.
    """
    found = sorted(
        Part(int(match[1]), int(match[2]), match[3], path)
        for path in folder.iterdir()
        if (match := _NAME.fullmatch(path.name))
    )
    end = 0
    for part in found:
        if part.offset != end:
            raise ConfidentialityError("C005", where=folder.name)
        end = part.end
    return found


@dataclass
class Segment:
    """A segment that is arriving; what is not kept is gone when it is closed.

    Attributes:
        upload_id: of the upload.
        offset: where it begins.
    """

    upload_id: str
    offset: int
    _writer: StreamWriter = field(repr=False)
    _keep: Callable[[int], None] = field(repr=False)
    _open: ExitStack = field(repr=False)

    def write(self, piece: bytes) -> None:
        """Encrypt bytes onto the disk.

        Raises:
            PortalError: P203, the upload would be larger than announced.
        """
        try:
            self._writer.write(piece)
        except TooLarge:
            raise PortalError("P203", status=413, where=self.upload_id) from None

    def keep(self) -> int:
        """Put what was written in its place; return the offset behind it.

        Raises:
            PortalError: P202, another request has sent this place meanwhile; P201, the upload is gone.
        """
        if self._writer.size:
            self._keep(self._writer.finish().size)
        return self.offset + self._writer.size

    def close(self) -> None:
        """Let go of it; what was not kept is removed."""
        self._open.close()


def joined(parts: Sequence[Part], opener: Callable[[Part], io.BufferedReader]) -> io.BufferedReader:
    """Return segments as one stream, to be closed by the caller.

    Args:
        parts: in their order, without gaps.
        opener: opens one as a seekable stream of its content.

    Raises:
        ConfidentialityError: C005, while reading: one holds less than its name says.
    """
    return io.BufferedReader(_Joined(parts, opener), CHUNK)


class _Joined(Seekable):
    """The content of the segments; holds the one open that was read last."""

    def __init__(self, parts: Sequence[Part], opener: Callable[[Part], io.BufferedReader]) -> None:
        super().__init__(parts[-1].end if parts else 0)
        self._parts = parts
        self._opener = opener
        self._starts = [part.offset for part in parts]
        self._held: tuple[int, io.BufferedReader] | None = None

    def readinto(self, buffer: WriteableBuffer) -> int:
        room = memoryview(buffer).cast("B")
        if self._at >= self._size:
            return 0
        number = bisect.bisect_right(self._starts, self._at) - 1
        stream = self._opened(number)
        stream.seek(self._at - self._starts[number])
        piece = stream.read1(min(len(room), self._parts[number].end - self._at))
        if not piece:
            raise ConfidentialityError("C005", where=self._parts[number].path.parent.name)
        room[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        self._let_go()
        super().close()

    def _opened(self, number: int) -> io.BufferedReader:
        if self._held is None or self._held[0] != number:
            self._let_go()
            self._held = (number, self._opener(self._parts[number]))
        return self._held[1]

    def _let_go(self) -> None:
        if self._held is not None:
            self._held[1].close()
            self._held = None
