"""How often and how long what broke is tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from copstats.client.wire import Broken
from copstats.errors import Retriable

_FIRST, _LONGEST = 0.2, 30.0
_Result = TypeVar("_Result")


class Patience:
    """Repeats what broke, with growing pauses, until it has taken too long without any progress."""

    def __init__(self, seconds: float, waiting: Callable[[float], None], where: str = "") -> None:
        """Begin.

        Args:
            seconds: after so long without progress it is given up.
            waiting: told each pause, in seconds.
            where: address of the portal, for the error.
        """
        self._seconds, self._waiting, self._where = seconds, waiting, where
        self.progress()

    def progress(self) -> None:
        """Begin the pauses anew: something arrived."""
        self._since, self._pause = time.monotonic(), _FIRST

    def wait(self, least: float = 0.0) -> None:
        """Pause before the next attempt, at least so many seconds.

        Raises:
            Retriable: T110, it has taken too long.
        """
        # Offices that were cut off together shall not all come back at the same moment.
        pause = max(least, self._pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        if time.monotonic() - self._since + pause > self._seconds:
            raise Retriable("T110", where=self._where, seconds=round(self._seconds))
        self._waiting(pause)
        time.sleep(pause)
        self._pause = min(self._pause * 2, _LONGEST)

    def repeat(self, work: Callable[[], _Result]) -> _Result:
        """Do a piece of work until it does not break; whether that is progress is for the caller to say.

        Raises:
            Retriable: T110, it broke for too long.
        """
        while True:
            try:
                return work()
            except Broken as problem:
                self.wait(problem.wait)
