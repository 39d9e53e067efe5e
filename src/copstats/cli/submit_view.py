"""What ``copstats submit`` shows: how far the upload is, where the submission stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from copstats.store.portal_states import STATES

if TYPE_CHECKING:
    from copstats.client.follow import Story
    from copstats.language import Translations

_SHOWN_FROM = 2.0
"""Seconds of a pause from which on it is told."""
_STEP = 10
"""Per cent between two lines where no bar can be drawn."""


@contextmanager
def uploading(size: int, words: Translations) -> Iterator[Callable[[int], None]]:
    """Show how many bytes have gone, how fast, and how long it will take; yields what is to be told.

    Args:
        size: of the file.
        words: language of the texts.
    """
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as Speed

    from copstats.cli.screen import stderr

    screen = stderr()
    if not screen.is_terminal:
        yield _lines(size, words)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        Speed(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen) as progress:
        task = progress.add_task(words.text("Sending"), total=size)
        yield lambda done: progress.update(task, completed=done)


def _lines(size: int, words: Translations) -> Callable[[int], None]:
    from copstats.cli.screen import PROGRESS

    told = 0

    def tell(done: int) -> None:
        nonlocal told
        share = 100 * done // size
        if share < told + _STEP and share < 100:  # noqa: PLR2004 - per cent
            return
        if share > told:
            told = share
            PROGRESS.info(words.text("Sent: {share} %", share=words.number(share)))

    return tell


def told_pause(words: Translations) -> Callable[[float], None]:
    """Return what tells that the portal does not answer and when it is tried again."""
    from copstats.cli.screen import PROGRESS

    def tell(seconds: float) -> None:
        if seconds >= _SHOWN_FROM:
            shown = words.number(round(seconds))
            PROGRESS.info(words.text("The connection broke. Next attempt in {seconds} s.", seconds=shown))

    return tell


def state_line(story: Story, words: Translations) -> str:
    """Return where something stands, in one line."""
    state = words.text(STATES[story.state]) if story.state in STATES else story.state
    if story.ahead:
        return words.text("{state}; before it are: {count}", state=state, count=words.number(story.ahead))
    return state


def counts_line(story: Story, words: Translations) -> str:
    """Return the numbers of findings, in one line."""
    numbers = {severity: words.number(count) for severity, count in story.findings.items()}
    return words.text(
        "Findings: errors {errors}, warnings {warnings}, notes {notes}",
        errors=numbers["error"],
        warnings=numbers["warning"],
        notes=numbers["information"],
    )
