"""The worker is killed in the middle of taking something in: the next one goes on, nothing is there twice."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from copstats.project import project_root
from copstats.store.home import Home
from tests.portal.attacks.test_campaign import with_offices
from tests.portal.conftest import PATIENT, Served, serve
from tests.portal.uploads.sending import send
from tests.portal.uploads.test_intake import packed, story

pytestmark = [
    pytest.mark.flows,
    pytest.mark.nightly,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the worker by /proc"),
]
SUBMISSION = project_root() / "sample_data" / "submissions" / "XAA_2025_COPS_v01"
ID = "XAA_2025_COPS_v01_M"
MOMENTS: dict[str, Callable[[Home, str], bool]] = {
    "claimed": lambda home, id_: not list((home.path / "quarantine").glob("XAA*")),
    "in the quarantine": lambda home, id_: bool(list((home.path / "quarantine").glob("XAA*"))),
    "sealed": lambda home, id_: bool(list((home.path / "waves").glob(f"{ID}*"))),
    "in the log": lambda home, id_: any(one["subject"] == ID for one in home.audit.entries()),
}
"""What can be seen of the work from outside when the worker is killed."""


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_was_being_taken_in_is_taken_in_once(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "home"
    tokens, ids = with_offices(path)
    home = Home.open(path)
    with serve(path, tokens, ids, limits=PATIENT) as portal:
        upload_id = send(portal.client("XAA"), packed(SUBMISSION))
        until = time.monotonic() + 150
        while state_of(portal, upload_id) == "complete" or not MOMENTS[moment](home, upload_id):
            assert time.monotonic() < until, portal.log.read_text("utf-8")[-2000:]
            time.sleep(0.02)
        before = state_of(portal, upload_id)
        os.kill(worker_of(portal), signal.SIGKILL)
        while state_of(portal, upload_id) not in ("done", "refused"):
            assert time.monotonic() < until + 150, portal.log.read_text("utf-8")[-2000:]
            time.sleep(0.2)
        assert before == "checking"
        assert story(portal, upload_id)["state"] == "accepted"
    assert "the worker ended with status -9" in portal.log.read_text("utf-8")
    assert [one.id for one in home.registry.submissions()] == [ID]
    assert home.waves.open(ID).read("child").read_all().num_rows > 1000
    assert home.audit.verify() == []
    entries = Counter(one["action"] for one in home.audit.entries() if one["subject"] == ID)
    assert entries["submission.accepted"] == 1
    # An entry is made before its deed, which is begun again after a kill between the two.
    assert entries["submission.sealed"] <= (2 if moment == "in the log" else 1)


def state_of(portal: Served, upload_id: str) -> str:
    return str(portal.client("XAA").get(f"/api/uploads/{upload_id}").json()["state"])


def worker_of(portal: Served) -> int:
    """The process id of the worker that the server has started."""
    process = Path("/proc") / str(portal.process.pid) / "task"
    children = [int(child) for path in process.glob("*/children") for child in path.read_text().split()]
    (found,) = [pid for pid in children if b"portal.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return found
