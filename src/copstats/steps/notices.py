"""Tells the team what failed or waits for a person: by the program that the home's settings name."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from copstats.store.home import Home

_PATIENCE = 60
"""Seconds that the program may take."""


def tell(home_path: Path, event: str, subject: str, **facts: str) -> bool:
    """Give a notice to the program of ``notify_command`` on its standard input, as JSON, and log it.

    A program that fails stops nothing: the log says so.

    Args:
        home_path: the home folder.
        event: for example ``release.prepared`` or ``flow.failed``.
        subject: label or id.
        **facts: further labels, ids and codes; never data.

    Returns:
        Whether somebody was told.
    """
    home = Home.open(home_path)
    if not home.config.notify_command:
        return False
    notice = json.dumps({"event": event, "subject": subject, **facts}) + "\n"
    try:
        done = subprocess.run(
            list(home.config.notify_command),
            input=notice.encode(),
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
        told = done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        told = False
    home.audit.append("notice.given" if told else "notice.failed", subject, event=event)
    return told
