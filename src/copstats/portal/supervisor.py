"""Keeps the worker running: the process that takes uploads in, beside the server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

_LOG = logging.getLogger("copstats.portal.worker")
_MODULE = "copstats.portal.worker"
_PAUSE = (1.0, 60.0)
"""Seconds before a worker that died is started again: doubled each time, up to the second number."""
_SETTLED = 60.0
"""A worker that ran this long had started well: the next pause is the shortest again."""
_STOP_SECONDS = 15.0


class Supervisor:
    """Starts ``python -m copstats.portal.worker --home H`` and starts it again when it dies.

    The worker's standard input is a pipe that nothing is written to: it ends with this process, however that
    ends, and the worker with it.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: Process | None = None

    @property
    def alive(self) -> bool:
        """Whether the worker runs at this moment."""
        return self._process is not None and self._process.returncode is None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the worker running inside of the block."""
        task = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self._stop()

    async def _keep(self) -> None:
        pause = _PAUSE[0]
        while True:
            began = time.monotonic()
            command = (sys.executable, "-m", _MODULE, "--home", str(self._home))
            self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, start_new_session=True)
            status = await self._process.wait()
            _end_what_is_left(self._process.pid)
            pause = _PAUSE[0] if time.monotonic() - began > _SETTLED else pause
            _LOG.error("the worker ended with status %d; started again in %.0f s", status, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _PAUSE[1])

    async def _stop(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        _end_what_is_left(self._process.pid)


def _end_what_is_left(group: int) -> None:
    """End what a worker that was killed has started: the embedded server of the flows."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGTERM)
