"""The calendar of the flows; what they do with data is tested in `tests/attack/test_canaries.py`."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.flows


def test_the_deployments_name_flows_that_exist_and_a_quarterly_calendar(root: Path) -> None:
    declared = yaml.safe_load((root / "flows" / "prefect.yaml").read_text("utf-8"))
    for deployment in declared["deployments"]:
        path, _, function = deployment["entrypoint"].partition(":")
        assert f"def {function}(" in (root / path).read_text("utf-8")
    release = next(d for d in declared["deployments"] if d["name"] == "quarterly-release")
    (schedule,) = release["schedules"]
    assert re.fullmatch(r"\d+ \d+ \d+ (\d+,){3}\d+ \*", schedule["cron"])
    assert schedule["timezone"]


def test_the_calendar_is_kept_and_an_interrupt_ends_it(tmp_path: Path, root: Path) -> None:
    """`copstats schedule` has Prefect plan releases for the coming quarters."""
    from copstats.store import Home

    home = tmp_path / "home"
    Home.open(home, create=True)
    command = [sys.executable, "-m", "copstats", "schedule", "--home", str(home)]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        planned = _wait_for_runs(home / "prefect" / "prefect.db", process)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert planned
    assert {(month, day) for _, month, day in planned} <= {(3, 15), (6, 15), (9, 15), (12, 15)}
    assert "Traceback" not in said


def _wait_for_runs(database: Path, process: subprocess.Popen[str]) -> list[tuple[int, int, int]]:
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(1)
        if not database.exists():
            continue
        with contextlib.suppress(sqlite3.OperationalError), sqlite3.connect(database) as connection:
            query = (
                "SELECT r.expected_start_time FROM flow_run AS r "
                "JOIN deployment AS d ON r.deployment_id = d.id "
                "WHERE r.state_type = 'SCHEDULED' AND d.name = 'publication'"
            )
            dates = [dt.datetime.fromisoformat(row[0]) for row in connection.execute(query)]
            if dates:
                return [(date.year, date.month, date.day) for date in dates]
    return []
