"""Numbers 19 to 21 of the attacks, by way of the portal: hostile files, marked files, and a server killed.

One portal takes it all, as it would: offices send while the server is killed; what they had been told is kept
is there when it serves again. At the end hostile files are refused with their reasons (all of them:
test_hostile.py), the marked ones are taken in, and no mark is anywhere.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from copstats.project import project_root
from copstats.store.home import Home
from copstats.store.portal import PortalRegistry
from tests.attack.planted import KINDS, names_only, plant, scanner
from tests.portal.attacks.hostile import hostile, zipped
from tests.portal.conftest import PATIENT, Served, new_home, serve
from tests.portal.uploads.sending import begin, offset_of, patch, send, zip_of

pytestmark = pytest.mark.flows

SAMPLES = project_root() / "sample_data"
AREAS = ("XAA", "XBB", "XCC", "XFF")
MARKED = {"zipped": "XAA", "faulty": "XFF"}
"""Submissions with marks in every place: a sound one, and one with errors in marked cells."""
HOSTILE = ("bomb", "entities", "link", "mutated 0", "mutated 1")
PIECE, SENT_AT_ONCE = 50_000, 4


@dataclass
class Campaign:
    """What happened.

    Attributes:
        portal: the portal, after the server was started again; its processes write to one log.
        ids: name of what was sent -> id of the upload.
        expected: name of a hostile file -> codes of which one is expected.
        acknowledged: place of an upload -> bytes that the killed server had said it keeps.
        found: the same -> bytes that were there when it served again.
    """

    portal: Served
    ids: dict[str, str] = field(default_factory=dict)
    expected: dict[str, set[str]] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)

    def story(self, name: str, area: str = "XAA") -> dict[str, Any]:
        """What the office is told of something that it sent."""
        answer = self.portal.client(area).get(f"/api/submissions/{self.ids[name]}")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    folder = tmp_path_factory.mktemp("campaign")
    home = folder / "home"
    tokens, ids = with_offices(home)
    marked = packed(folder)
    with serve(home, tokens, ids, worker=False, limits=PATIENT) as portal:
        happened = Campaign(portal)
        kill_while_many_send(happened)
    with serve(home, tokens, ids, limits=PATIENT) as portal:
        happened.portal = portal
        for place in happened.acknowledged:
            area = place.rpartition("/")[2][:3]
            happened.found[place] = offset_of(portal.client(area), place)
        for name, area in MARKED.items():
            happened.ids[name] = send(portal.client(area), marked[name])
        for number in range(SENT_AT_ONCE):
            client = portal.client(AREAS[number % 4])
            happened.ids[f"cut {number}"] = send(client, many(number))
        (folder / "made").mkdir()
        made = hostile(folder / "made")
        for name in HOSTILE:
            content, happened.expected[name] = made[name]
            happened.ids[name] = send(portal.client("XAA"), content)
        wait_for_all(happened)
        yield happened
    shutil.rmtree(folder)


def with_offices(home: Path) -> tuple[dict[str, str], dict[str, str]]:
    tokens, ids = new_home(home)
    opened = Home.open(home)
    opened.change_settings(accept="without_errors")
    shutil.copy(SAMPLES / "areas.csv", home)
    for area in AREAS:
        tokens[area], made = PortalRegistry(opened.registry.database).create_token(
            "provider", area=area, holder=f"Office of {area}", days=1, now=dt.datetime.now(dt.UTC)
        )
        ids[area] = made.id
    return tokens, ids


def packed(folder: Path) -> dict[str, bytes]:
    """The marked submissions as zips."""
    inbox = folder / "marked"
    plant(SAMPLES / "submissions" / "XAA_2025_COPS_v01", inbox, *MARKED)
    files = {path.name: path.read_bytes() for path in (inbox / "faulty").iterdir()}
    return {"zipped": (inbox / "zipped.zip").read_bytes(), "faulty": zipped(files)}


def many(number: int) -> bytes:
    return zip_of(1_500_000, 1000 + number)


def kill_while_many_send(happened: Campaign) -> None:
    """Let several offices send at the same time, and kill the server when each has sent a part."""
    portal = happened.portal
    ready = threading.Barrier(SENT_AT_ONCE + 1, timeout=60)

    def office(number: int) -> None:
        client, content = portal.client(AREAS[number % 4]), many(number)
        place, at = begin(client, content).headers["location"], 0
        while at < len(content):
            try:
                answer = patch(client, place, at, content[at : at + PIECE])
            except httpx.TransportError:
                return
            assert answer.status_code == 204, answer.text
            happened.acknowledged[place] = at = int(answer.headers["upload-offset"])
            if at == PIECE * (1 + number):
                ready.wait()

    with ThreadPoolExecutor(SENT_AT_ONCE) as pool:
        sending = [pool.submit(office, number) for number in range(SENT_AT_ONCE)]
        ready.wait()
        os.kill(portal.process.pid, signal.SIGKILL)
        portal.process.wait()
        for one in sending:
            one.result(timeout=60)


def wait_for_all(happened: Campaign) -> None:
    client, until = happened.portal.client("operator"), time.monotonic() + 200
    waiting = set(happened.ids.values())
    while waiting:
        assert time.monotonic() < until, happened.portal.log.read_text("utf-8")[-2000:]
        time.sleep(0.3)
        states = {id_: client.get(f"/api/uploads/{id_}").json()["state"] for id_ in waiting}
        waiting = {id_ for id_, state in states.items() if state not in ("done", "refused")}


def test_what_was_acknowledged_is_there_after_the_server_was_killed(campaign: Campaign) -> None:
    assert len(campaign.acknowledged) == SENT_AT_ONCE
    assert all(0 < at < len(many(0)) for at in campaign.acknowledged.values())
    for place, at in campaign.acknowledged.items():
        # A segment may have been kept whose answer did not get through any more.
        assert campaign.found[place] - at in (0, PIECE), place
    for number in range(SENT_AT_ONCE):  # resumed, whole, of the announced hash; they hold no manifest
        told = campaign.story(f"cut {number}", AREAS[number % 4])
        assert (told["state"], told["upload"]["error"]) == ("refused", ["S102"])
        assert told["upload"]["completed_at"] is not None


def test_what_was_sent_is_taken_in_once(campaign: Campaign) -> None:
    assert campaign.story("zipped")["state"] == "accepted"
    assert campaign.story("faulty", "XFF")["state"] == "rejected"
    home = Home.open(campaign.portal.home)
    taken = [one.id for one in home.registry.submissions()]
    assert sorted(taken) == sorted(KINDS[name].id for name in MARKED)
    assert home.waves.open(KINDS["zipped"].id).read("child").read_all().num_rows > 200


def test_21_the_worker_refuses_hostile_files_with_their_reasons(campaign: Campaign) -> None:
    told = {name: campaign.story(name) for name in campaign.expected}
    outcomes = {name: (one["upload"]["state"], set(one["upload"]["error"])) for name, one in told.items()}
    named = {name: codes for name, codes in campaign.expected.items() if codes}
    wrong = {
        name: outcomes[name]
        for name, codes in named.items()
        if outcomes[name][0] != "refused" or not outcomes[name][1] or not outcomes[name][1] <= codes
    }
    assert wrong == {}
    for name in campaign.expected.keys() - named.keys():  # mutated: whatever it is, it came to an end
        assert outcomes[name][0] in ("refused", "done")
        assert (outcomes[name][0] == "done") == (not outcomes[name][1])
    for name in campaign.expected:
        errors = campaign.portal.client("XAA").get(f"/api/submissions/{campaign.ids[name]}/findings").json()
        assert all(one["title"] and one["hint"] for one in errors["errors"]), name
        assert "root:" not in str(errors)


def test_21_nothing_was_written_outside_and_the_processes_live_on(campaign: Campaign) -> None:
    beside = {path.name for path in campaign.portal.home.parent.iterdir()}
    assert beside == {"home", "home.log", "marked", "made"}
    assert not Path("/tmp/outside.txt").exists()  # noqa: S108 - where one of them points
    log = campaign.portal.log.read_text("utf-8")
    assert "the worker ended" not in log and "portal.faults" not in log and "Traceback" not in log
    health = campaign.portal.client().get("/health").json()
    assert (health["status"], health["worker"]) == ("ready", "ok")
    assert [path for path in (campaign.portal.home / "inbox").rglob("*.part")] == []


def test_20_no_mark_is_in_any_file_of_the_home_or_in_the_log(campaign: Campaign) -> None:
    home = campaign.portal.home
    names = {path.relative_to(home).parts[0] for path in home.rglob("*") if path.is_file()}
    assert {"prefect", "waves", "audit.log", "findings"} <= names
    looked = scanner()
    assert looked.folder(home) == {}
    assert looked.file(campaign.portal.log) == set()
    assert len(looked.folder(home.parent / "marked")) >= 3  # twin: it finds them in what was sent


def test_20_what_the_office_is_told_names_no_answer(campaign: Campaign) -> None:
    answer = campaign.portal.client("XFF").get(f"/api/submissions/{campaign.ids['faulty']}/findings")
    assert sum(one["severity"] == "error" for one in answer.json()["findings"]) >= 5
    assert names_only(scanner().text(answer.content)) == set()


def test_15_the_chain_of_the_log_holds_after_all_of_it(campaign: Campaign) -> None:
    home = Home.open(campaign.portal.home)
    assert home.audit.verify() == []
    refused = Counter(e["subject"] for e in home.audit.entries() if e["action"] == "upload.refused")
    expected = [name for name in campaign.expected if campaign.story(name)["upload"]["state"] == "refused"]
    assert all(refused[campaign.ids[name]] == 1 for name in expected)
