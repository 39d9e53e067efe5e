"""Runs the portal: uvicorn with time limits of its own, and a log that holds no secret."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from copstats.errors import PortalError
from copstats.portal.app import create_app
from copstats.portal.security.redaction import Redaction
from copstats.portal.settings import PortalSettings

_ENDING = b"connection: close\r\ncontent-length: 0\r\ncache-control: no-store\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\n" + _ENDING
_UNREADABLE = b"HTTP/1.1 400 Bad Request\r\n" + _ENDING
_BACKLOG = 512


def run(home: Path, settings: PortalSettings, *, ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve a home until the process is told to stop (SIGINT, SIGTERM); running requests may end.

    Args:
        home: the home folder.
        settings: how the portal is reached and what it bears.
        ready: called with the address once the portal listens.

    Raises:
        UsageError: the folder is no home or its settings are wrong.
        PortalError: P104 to P108, the settings would let tokens travel readably; P123, the port is taken.
    """
    app = create_app(home, settings)
    _log_to_stderr()
    listening = _listen(settings)
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    server = _Server(_config(app, settings), lambda: ready(f"http://{shown}:{port}"))
    server.on_stop = lambda: setattr(app.state.portal, "closing", True)
    asyncio.run(server.serve(sockets=[listening]))


def _config(app: Any, settings: PortalSettings) -> uvicorn.Config:
    limits = settings.limits
    return uvicorn.Config(
        app,
        http=type("Protocol", (_Protocol,), {"seconds": limits.header_time}),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=limits.connections,
        timeout_keep_alive=math.ceil(limits.body_time),
        timeout_graceful_shutdown=math.ceil(limits.shutdown),
        h11_max_incomplete_event_size=limits.header,
    )


def _listen(settings: PortalSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server(
            (settings.host, settings.port), family=family, backlog=_BACKLOG, reuse_port=False
        )
    except OSError:
        raise PortalError("P123", where=f"{settings.host}:{settings.port}") from None


class _Server(uvicorn.Server):
    """Says when it listens, and tells streams of events to end when it stops."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self.on_stop: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.on_stop()
        super().handle_exit(sig, frame)


class _Protocol(H11Protocol):
    """uvicorn's HTTP protocol with limits on what may be dripped: a header, and a body nobody reads any more.

    uvicorn bounds only the time between requests. A refused request's body is read and thrown away for a
    while, so that its sender gets the answer and no broken connection.
    """

    seconds: ClassVar[float]
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._due = self.loop.call_later(self.seconds, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        ours, theirs = self.conn.our_state, self.conn.their_state
        within_header = theirs is h11.IDLE and (self._due is not None or bool(self.conn.trailing_data[0]))
        if not within_header and not (ours is h11.DONE and theirs is h11.SEND_BODY):
            self._settle()
        elif self._due is None:
            self._due = self.loop.call_later(self.seconds, self._late)

    def send_400_response(self, msg: str) -> None:
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(_UNREADABLE)
        self.transport.close()

    def _settle(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _late(self) -> None:
        if not self.transport.is_closing():
            if self.conn.their_state is h11.IDLE:
                self.transport.write(_TOO_SLOW)
            self.transport.close()


def _log_to_stderr() -> None:
    """Send what the portal and uvicorn tell to standard error; a token never gets there."""
    handler = logging.StreamHandler(sys.stderr)
    lines = logging.Formatter("%(asctime)s.%(msecs)03dZ %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    lines.converter = time.gmtime
    handler.setFormatter(lines)
    handler.addFilter(Redaction())
    for name, level in (("copstats.portal", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
