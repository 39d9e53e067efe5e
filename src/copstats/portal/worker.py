"""The process that takes uploads in, one after the other, and publishes what is approved, beside the server.

``python -m copstats.portal.worker --home H``. Killed at any moment, the next one takes up what it had begun.
It ends with its standard input, a pipe that the server holds open.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from copstats import steps
from copstats.errors import CopstatsError, FlowStopped
from copstats.runner import run_flow
from copstats.store.home import Home
from copstats.store.lock import FileLock

_LOG = logging.getLogger("copstats.portal.worker")
_PAUSE = 0.5
"""Seconds between two looks whether something waits."""
_LONG_PAUSE = 10.0
"""Seconds before it is tried again after what was not the file's fault."""
_TRIED_AGAIN = 3600.0
"""Seconds before it is tried again to publish a release: as often as the calendar does."""
_WAIT = 60.0
"""Seconds that an earlier worker may take to end."""


def work(home_path: Path, *, until_idle: bool = False) -> None:
    """Take in and publish what waits, and what comes; one process of a home at a time does.

    Args:
        home_path: the home folder.
        until_idle: end once nothing waits, instead of waiting for more.

    Raises:
        Retriable: T001, another worker is at work on this home.
    """
    home = Home.open(home_path)
    with FileLock(home.inbox.folder / ".worker.lock", wait=_WAIT):
        steps.take_up(home)
        steps.record_published(home)
        steps.prepare_gate()
        tried: dict[str, float] = {}
        while True:
            worked = [_take_in_next(home), _publish_next(home, tried)]
            if any(worked):
                continue
            if until_idle:
                return
            time.sleep(_PAUSE)


def _take_in_next(home: Home) -> bool:
    """Take in the upload that waits longest; return whether one did."""
    upload_id = steps.next_upload(home)
    if upload_id is not None:
        _take_in(home.path, upload_id)
    return upload_id is not None


def _publish_next(home: Home, tried: dict[str, float]) -> bool:
    """Publish a release that is approved and due; return whether one was.

    Args:
        home: open.
        tried: hash of the manifest -> when it was begun to publish that release.
    """
    limit = time.monotonic() - _TRIED_AGAIN
    due = [one for one in steps.approved_releases(home) if tried.get(one.manifest, limit) <= limit]
    for one in due[:1]:
        tried[one.manifest] = time.monotonic()
        try:
            _LOG.info("%s: %s", one.label, run_flow("due_release", home=home.path, label=one.label))
        except CopstatsError as error:
            _LOG.error("%s: %s", one.label, error.params.get("reason", error.code))
    return bool(due)


def _take_in(home_path: Path, upload_id: str) -> None:
    """Run the flow; what stops it stands in the registry, and what was not decided waits again."""
    try:
        _LOG.info("%s: %s", upload_id, run_flow("intake_upload", home=home_path, upload_id=upload_id))
        return
    except FlowStopped as stopped:
        reason = str(stopped.params["reason"])
        # A lock or storage that was not free, which is not the file's fault.
        counts = not reason.startswith("T")
    except CopstatsError as error:
        reason, counts = error.code, False
    except SystemExit:
        steps.put_back(Home.open(home_path), upload_id, counts=False)
        raise
    _LOG.error("%s: %s", upload_id, reason)
    steps.put_back(Home.open(home_path), upload_id, counts=counts)
    time.sleep(_PAUSE if counts else _LONG_PAUSE)


def main() -> None:
    """Read the command line, and work until told to stop."""
    parser = argparse.ArgumentParser(prog="copstats.portal.worker")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--until-idle", action="store_true", help="end once nothing waits")
    given = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    _LOG.setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, _stop)
    if not given.until_idle:
        threading.Thread(target=_end_with_input, daemon=True).start()
    work(given.home, until_idle=given.until_idle)


def _stop(number: int, _: FrameType | None) -> None:
    # An ordinary end: what this process started is stopped by those who registered for it.
    raise SystemExit(128 + number)


def _end_with_input() -> None:
    # Not through the file object, whose lock this thread would hold when the interpreter ends.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
