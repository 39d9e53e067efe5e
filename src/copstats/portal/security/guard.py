"""What stands before the application: each request passes it, each answer carries its headers."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
import traceback
from pathlib import Path

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from copstats.errors import PortalError
from copstats.portal.context import Portal, words_of
from copstats.portal.published.measures import observe
from copstats.portal.security.answers import problem_answer
from copstats.portal.security.bodies import bounded, check_length, largest_body
from copstats.portal.security.clients import check_host, settle_client
from copstats.portal.security.rates import client_key
from copstats.portal.settings import SECURITY_HEADERS, STRICT_TRANSPORT

ACCESS = logging.getLogger("copstats.portal.access")
FAULTS = logging.getLogger("copstats.portal.faults")
_PUBLISHED = re.compile(r"/(releases|sdmx|assets|health)(/|$)")
_READING = 5
"""Reading published data, in many small ranges, may be so many times as frequent as other requests."""
_SEGMENTS = 10
"""Segments of uploads may be so many times as frequent: their number is bounded by their bytes."""
_SEND_SECONDS = 60.0
"""A client that takes no piece of an answer for so long has gone."""


class Guard:
    """ASGI middleware, outermost: request id, client, host, rates, bodies, headers, access log, faults."""

    def __init__(self, app: ASGIApp, portal: Portal) -> None:
        self.app = app
        self.portal = portal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the lifespan of the server passes through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, self.portal.settings.https)
        scope["copstats.request_id"] = answer.request_id
        began = time.perf_counter()
        try:
            await self._serve(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - began
            observe(scope, answer.status, seconds, answer.size)
            _log(scope, answer, seconds)

    async def _serve(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        scope.setdefault("state", {})["portal"] = self.portal
        settings = self.portal.settings
        try:
            settle_client(scope, settings)
            check_host(scope, settings)
            self._check_rate(scope)
            largest = largest_body(scope, settings)
            check_length(scope, largest)
            await self.app(scope, bounded(receive, largest, settings.limits), answer.send)
        except PortalError as refused:
            await self._refuse(scope, receive, answer, refused)
        except Exception as fault:  # its text could quote data: it goes nowhere
            FAULTS.error("%s %s at %s", answer.request_id, type(fault).__name__, _place(fault))
            if not answer.status:
                await self._refuse(scope, receive, answer, PortalError("P199", status=500))

    def _check_rate(self, scope: Scope) -> None:
        limits = self.portal.settings.limits
        kind, a_minute = "request", limits.requests
        if scope["method"] == "PATCH":
            kind, a_minute = "segment", limits.requests * _SEGMENTS
        elif scope["method"] in ("GET", "HEAD") and _PUBLISHED.match(scope["path"]):
            kind, a_minute = "read", limits.requests * _READING
        client = client_key(scope["client"][0] if scope.get("client") else "")
        if wait := self.portal.rates.take(kind, client, a_minute):
            raise PortalError("P115", status=429, seconds=wait)

    async def _refuse(self, scope: Scope, receive: Receive, answer: _Answer, error: PortalError) -> None:
        request = Request({**scope, "app": _Served(self.portal)})
        told = problem_answer(error, words_of(request))
        if b"expect" in dict(scope["headers"]):
            told.headers["connection"] = "close"  # the body that the client holds back will not be read
        await told(scope, receive, answer.send)


class _Served:
    """What stands for the application in a request that is refused before it."""

    def __init__(self, portal: Portal) -> None:
        self.state = self
        self.portal = portal


class _Answer:
    """Sends an answer with the headers that all have, and notes its status and size."""

    def __init__(self, send: Send, https: bool) -> None:
        self.request_id = secrets.token_hex(8)
        self.status = 0
        self.size = 0
        self._send = send
        self._https = https

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": self._headers(message.get("headers", []))}
        self.size += len(message.get("body", b""))
        async with asyncio.timeout(_SEND_SECONDS):
            await self._send(message)

    def _headers(self, present: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        own = {**SECURITY_HEADERS, "x-request-id": self.request_id}
        if self._https:
            own["strict-transport-security"] = STRICT_TRANSPORT
        names = {name.lower() for name, _ in present}
        added = [(name.encode(), value.encode()) for name, value in own.items()]
        return [*present, *(pair for pair in added if pair[0] not in names)]


def _log(scope: Scope, answer: _Answer, seconds: float) -> None:
    """Write the access log: the path without its query, in printable ASCII, and whose token asked."""
    identity = scope.get("state", {}).get("identity")
    path = scope.get("raw_path", b"").decode("ascii", "replace").partition("?")[0]
    ACCESS.info(
        "%s %s %s %s %s %d B %.0f ms %s",
        answer.request_id,
        client_key(scope["client"][0] if scope.get("client") else "-"),
        scope["method"],
        path[:300],
        answer.status or "cut",
        answer.size,
        seconds * 1000,
        identity.token_id if identity else "-",
    )


def _place(fault: Exception) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    own = [frame for frame in frames if "copstats" in frame.filename] or frames
    return f"{Path(own[-1].filename).name}:{own[-1].lineno} in {own[-1].name}"
