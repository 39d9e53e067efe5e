"""Bounds on bodies: how large they are, and how long a client may let one wait."""

from __future__ import annotations

import asyncio
import re
import time

from starlette.types import Message, Receive, Scope

from copstats.errors import PortalError
from copstats.portal.security.answers import BodyRefused
from copstats.portal.settings import Limits, PortalSettings

_SEGMENT = re.compile(r"/api/uploads/[^/]+")
_FORM = re.compile(r"/[a-z]{2}/upload")
_FORM_OVERHEAD = 64 * 1024


def largest_body(scope: Scope, settings: PortalSettings) -> int:
    """Return the bytes that the body of a request may have.

    A segment of an upload and the upload form of a browser without JavaScript are streamed, so they may be
    larger than what is held in memory.
    """
    path = scope["path"]
    if scope["method"] == "PATCH" and _SEGMENT.fullmatch(path):
        return settings.limits.segment
    if scope["method"] == "POST" and _FORM.fullmatch(path):
        return settings.config.upload_megabytes * 1_000_000 + _FORM_OVERHEAD
    return settings.limits.body


def check_length(scope: Scope, largest: int) -> None:
    """Refuse a body whose announced length is too large, before it is read.

    One that announces its length in two ways is refused as well: a proxy in front could have believed the
    other (RFC 9112, 6.1).

    Raises:
        PortalError: P120 (413), or P117 (400) if the length is not clear.
    """
    headers = dict(scope["headers"])
    announced = headers.get(b"content-length", b"0")
    if not announced.isdigit() or (b"content-length" in headers and b"transfer-encoding" in headers):
        raise PortalError("P117", where="Content-Length")
    if int(announced) > largest:
        raise PortalError("P120", status=413, largest=largest)


def bounded(receive: Receive, largest: int, limits: Limits) -> Receive:
    """Return ``receive`` for a body of at most ``largest`` bytes that comes without long pauses.

    Raises:
        BodyRefused: from the returned function: P120 (413) too large; P121 (408) too slow.
    """
    came, whole, began = 0, False, time.monotonic()

    async def receive_bounded() -> Message:
        nonlocal came, whole
        if whole:
            return await receive()  # waits for the client to go away, for as long as the answer takes
        left = 2 * limits.body_time + came / limits.slowest - (time.monotonic() - began)
        try:
            async with asyncio.timeout(min(limits.body_time, left)):
                message = await receive()
        except TimeoutError:
            raise BodyRefused(PortalError("P121", status=408)) from None
        came += len(message.get("body", b""))
        whole = message["type"] == "http.request" and not message.get("more_body", False)
        if came > largest:
            raise BodyRefused(PortalError("P120", status=413, largest=largest))
        return message

    return receive_bounded
