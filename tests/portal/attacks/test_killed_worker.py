"""The worker is killed while it takes something in or publishes: the next goes on, nothing is there twice."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from copstats import steps
from copstats.disseminate.verify import verify_release
from copstats.project import project_root
from copstats.steps.approval import approve_release
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
        while state_of(portal, upload_id) == "complete":
            assert time.monotonic() < until, portal.log.read_text("utf-8")[-2000:]
            time.sleep(0.02)
        worker = worker_of(portal)
        while not MOMENTS[moment](home, upload_id):
            assert time.monotonic() < until, portal.log.read_text("utf-8")[-2000:]
            time.sleep(0.001)
        os.kill(worker, signal.SIGKILL)
        before = state_of(portal, upload_id)
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
    with portal.client("XAA") as client:  # asked often: open connections are limited
        return str(client.get(f"/api/uploads/{upload_id}").json()["state"])


def worker_of(portal: Served) -> int:
    """The process id of the worker that the server has started."""
    process = Path("/proc") / str(portal.process.pid) / "task"
    children = [int(child) for path in process.glob("*/children") for child in path.read_text().split()]
    (found,) = [pid for pid in children if b"portal.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return found


def test_a_release_that_was_being_built_or_published_is_published_once(tmp_path: Path) -> None:
    path, label, now = tmp_path / "home", "2026-Q4", dt.datetime.now(dt.UTC)
    tokens, ids = with_offices(path)
    home = Home.open(path)
    home.change_settings(release_forms=())
    steps.ingest(path, SUBMISSION)
    steps.estimate(path, ID, as_of_year=2026)
    steps.publish(path, label, by="", now=now)
    shown = home.prepared.get(label).manifest
    with serve(path, tokens, ids, limits=PATIENT) as portal:
        approve_release(path, label, ids["operator"], manifest=shown)
        # What the office says changes the release: it is built anew, and killed meanwhile.
        steps.answer_review(path, label, "XAA", who="Office", indicators=["RCD4"], now=now)
        _until(portal, lambda: bool(list((path / "prepared").glob(".staging-*"))))
        os.kill(worker_of(portal), signal.SIGKILL)
        _until(portal, lambda: (found := home.prepared.find(label)) is not None and found.manifest != shown)
        assert home.releases.labels() == []
        approve_release(path, label, ids["operator"], manifest=home.prepared.get(label).manifest)
        _until(portal, lambda: label in home.releases.labels())
        os.kill(worker_of(portal), signal.SIGKILL)
        _until(portal, lambda: [one.label for one in home.registry.releases()] == [label])
    assert portal.log.read_text("utf-8").count("the worker ended with status -9") == 2
    assert verify_release(home.releases.folder(label)) == []
    assert (home.prepared.labels(), home.audit.verify()) == ([], [])
    done = Counter(one["action"] for one in home.audit.entries() if one["subject"] == label)
    assert done["release.approved"] == 2


def _until(portal: Served, seen: Callable[[], bool]) -> None:
    until = time.monotonic() + 200
    while not seen():
        assert time.monotonic() < until, portal.log.read_text("utf-8")[-2000:]
        time.sleep(0.005)
