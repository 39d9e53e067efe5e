"""Runs the Prefect flows of ``flows/`` in process: the only module of the package that knows Prefect."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from copstats.errors import FlowStopped, Retriable, UsageError
from copstats.project import project_root

FLOWS = (
    *("intake", "intake_upload", "estimation", "publication", "release_calendar", "due_release"),
    "pipeline",
)
_FILES = {"intake_upload": "intake", "due_release": "release_calendar"}
"""Files of the flows that are not called like them."""

_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
}


HOURLY = "5 * * * *"
"""When it is looked whether an embargo or a review is over, or a release was missed."""
_PATIENCE = 120
"""Seconds that a server may take to start."""


def run_flow(name: str, *, home: Path, **ids: str | int) -> Any:
    """Run one flow to its end in this process and return its result.

    Without a configured Prefect server an embedded one starts; that takes 10 to 30 seconds the first time.

    Args:
        name: one of `FLOWS`.
        home: the home folder; Prefect keeps its own state in ``home/prefect`` unless PREFECT_HOME is set.
        ids: identifiers and labels, never data: Prefect stores parameters in clear.

    Raises:
        UsageError: Prefect is not installed (``pip install 'copstats[flows]'``).
        FlowStopped: a step that the whole flow depends on failed.
    """
    flow = _load(name, home)
    try:
        return flow(home=str(home), **ids)
    except Exception as failure:
        reason = str(failure) if type(failure).__name__ == "StepFailed" else type(failure).__name__
    raise FlowStopped("F001", flow=name, reason=reason)


def serve_schedule(*, home: Path, cron: str, zone: str) -> None:
    """Serve the release calendar in this process until interrupted.

    What was missed while no process ran is made up for first. Without a configured Prefect server
    (PREFECT_API_URL) one is started on the loopback interface and stopped at the end: the embedded server of
    `run_flow` keeps no calendar.

    Args:
        home: the home folder that the scheduled flows work on.
        cron: when the quarter's release is due.
        zone: time zone of that, an IANA name.

    Raises:
        Retriable: the server did not answer within two minutes (T101).
    """
    _prepare(home)
    with _server():
        flows = {name: _load(name, home) for name in ("publication", "release_calendar")}
        from prefect import serve
        from prefect.client.schemas.schedules import CronSchedule

        with suppress(FlowStopped):  # its notice was given; the next hour tries again
            run_flow("release_calendar", home=home)
        calendar = {"publication": cron, "release_calendar": HOURLY}
        deployments = [
            flow.to_deployment(
                name=name.replace("_", "-"),
                parameters={"home": str(home)},
                schedules=[CronSchedule(cron=calendar[name], timezone=zone)],
                concurrency_limit=1,
            )
            for name, flow in flows.items()
        ]
        serve(*deployments, pause_on_shutdown=False, print_starting_message=False)


@contextmanager
def _server() -> Iterator[None]:
    """Run a Prefect server on a free port of the loopback interface, unless one is configured."""
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
    try:
        _wait_for(f"{os.environ['PREFECT_API_URL']}/health", process)
        yield
    finally:
        del os.environ["PREFECT_API_URL"]
        process.terminate()
        process.wait(timeout=30)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own server, on loopback
                return
        except OSError:
            time.sleep(0.5)
    raise Retriable("T101", seconds=_PATIENCE)


def _prepare(home: Path) -> None:
    for key, value in _QUIET.items():
        os.environ.setdefault(key, value)
    os.environ.setdefault("PREFECT_HOME", str(home / "prefect"))


def _load(name: str, home: Path) -> Any:
    if name not in FLOWS:
        raise ValueError(name)
    _prepare(home)
    try:
        from prefect.flows import load_flow_from_entrypoint
    except ModuleNotFoundError:
        raise UsageError("U101") from None
    file = project_root() / "flows" / f"{_FILES.get(name, name)}.py"
    return load_flow_from_entrypoint(f"{file}:{name}")
