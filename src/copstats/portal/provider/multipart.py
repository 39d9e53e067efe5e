"""A form with a file (RFC 7578), read as it streams in: the file is never whole in memory or on disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.message import Message

from copstats.errors import PortalError

_LARGEST_FIELD = 16 * 1024
_MOST_FIELDS = 20
_END, _LINE = b"--", b"\r\n"


class FormStream:
    """The fields that stand before the file, then the file.

    Args:
        content_type: header of the request.
        body: pieces of its body.

    Raises:
        PortalError: P116 (415), it is no such form; from every method P117, it is malformed.
    """

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        boundary = _parameter("content-type", content_type, "boundary")
        if not content_type.lower().startswith("multipart/form-data") or not boundary:
            raise PortalError("P116", status=415)
        self._mark = _LINE + _END + boundary.encode()
        self._body = body
        # The first boundary has no line before it.
        self._held = bytearray(_LINE)

    async def fields(self) -> dict[str, str]:
        """Return the fields before the file, which comes next."""
        await self._until(self._mark)
        found: dict[str, str] = {}
        while len(found) < _MOST_FIELDS and await self._until(_LINE) == b"":
            described = await self._until(_LINE + _LINE)
            where = _disposition(described.decode(errors="replace"))
            if _parameter("content-disposition", where, "filename") is not None:
                return found
            name = _parameter("content-disposition", where, "name") or ""
            found[name] = (await self._until(self._mark)).decode(errors="replace")
        raise PortalError("P117")

    async def file(self) -> AsyncIterator[bytes]:
        """Yield the content of the file in pieces; what stands behind it is left unread."""
        while (end := self._held.find(self._mark)) < 0:
            sure = max(len(self._held) - len(self._mark) + 1, 0)
            if sure:
                yield bytes(self._held[:sure])
                del self._held[:sure]
            await self._more()
        if end:
            yield bytes(self._held[:end])

    async def _until(self, mark: bytes) -> bytes:
        while (end := self._held.find(mark)) < 0:
            if len(self._held) > _LARGEST_FIELD:
                raise PortalError("P117")
            await self._more()
        found = bytes(self._held[:end])
        del self._held[: end + len(mark)]
        return found

    async def _more(self) -> None:
        try:
            self._held += await anext(self._body)
        except StopAsyncIteration:
            raise PortalError("P117") from None


def _disposition(headers: str) -> str:
    lines = (line.partition(":") for line in headers.split("\r\n"))
    return next((value for name, _, value in lines if name.strip().lower() == "content-disposition"), "")


def _parameter(header: str, value: str, name: str) -> str | None:
    message = Message()
    message[header] = value.strip().replace("\r", " ").replace("\n", " ")
    found = message.get_param(name, header=header)
    return found if isinstance(found, str) else None
