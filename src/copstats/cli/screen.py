"""The terminal: words and progress go to standard error, results to standard output."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from rich.console import Console
from rich.markup import escape

PROGRESS = logging.getLogger("copstats.progress")
"""Steps report here what they do; the command line shows it."""


class Screen(Console):
    """A console that does not colour or wrap where nobody looks."""

    plain = staticmethod(escape)


@cache
def stderr() -> Screen:
    """Return the console for words and progress."""
    return Screen(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


@cache
def stdout() -> Screen:
    """Return the console for results."""
    return Screen(highlight=False)


class _Lines(logging.Handler):
    def __init__(self, started: float) -> None:
        super().__init__(logging.INFO)
        self.started = started

    def emit(self, record: logging.LogRecord) -> None:
        seconds = time.monotonic() - self.started
        stderr().print(f"[dim]{seconds:6.1f} s[/]  {escape(record.getMessage())}")


@contextmanager
def progress(first: str) -> Iterator[None]:
    """Show what the steps report, with the seconds since the start; the first line appears at once."""
    handler = _Lines(time.monotonic())
    PROGRESS.setLevel(logging.INFO)
    PROGRESS.propagate = False
    PROGRESS.addHandler(handler)
    try:
        PROGRESS.info(first)
        yield
    finally:
        PROGRESS.removeHandler(handler)
