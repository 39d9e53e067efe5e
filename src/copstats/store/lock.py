"""A lock between processes, held by the operating system: it ends with the process, however that ends."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from copstats.errors import Retriable

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_PAUSE = 0.02


class FileLock:
    """An exclusive lock on a small file beside what it protects.

    Not re-entrant: a second lock on the same file, also in the same process, has to wait. The file stays
    behind; its presence means nothing.
    """

    def __init__(self, path: Path, *, wait: float = 0.0) -> None:
        """Prepare a lock.

        Args:
            path: the lock file; its folder must exist.
            wait: seconds to wait for the present holder before giving up.
        """
        self.path = path
        self.wait = wait
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False if another holder keeps it for longer than ``wait``."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        give_up = time.monotonic() + self.wait
        while True:
            try:
                _try_lock(descriptor)
            except OSError:
                if time.monotonic() >= give_up:
                    os.close(descriptor)
                    return False
                time.sleep(_PAUSE)
            else:
                self._descriptor = descriptor
                return True

    def release(self) -> None:
        """Give the lock back; nothing happens if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> FileLock:
        """Take the lock.

        Raises:
            Retriable: T001, another holder keeps it.
        """
        if not self.acquire():
            raise Retriable("T001", where=self.path.name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
