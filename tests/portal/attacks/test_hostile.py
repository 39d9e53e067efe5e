"""Number 21 of the attacks, by way of the portal: each file is refused with its reason and harms nothing."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import resource
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from copstats import steps
from copstats.project import project_root
from copstats.store.home import Home
from copstats.store.portal import PortalRegistry
from tests.portal.attacks.hostile import bomb, hostile, zipped
from tests.portal.conftest import PATIENT, Served, new_home, serve
from tests.portal.uploads.sending import begin, patch, send

MOST_MEMORY = 2**29
"""Bytes by which the memory of the checking process may grow while it takes all of them in."""


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A portal for the country of the samples; the test does the work of the worker."""
    path = tmp_path_factory.mktemp("hostile") / "home"
    tokens, ids = new_home(path)
    shutil.copy(project_root() / "sample_data" / "areas.csv", path)
    tokens["XAA"], made = PortalRegistry(Home.open(path).registry.database).create_token(
        "provider", area="XAA", holder="Office", days=1, now=dt.datetime.now(dt.UTC)
    )
    ids["XAA"] = made.id
    with serve(path, tokens, ids, worker=False, limits=PATIENT) as served:
        yield served


def test_21_every_hostile_file_is_refused_with_its_reason(portal: Served, tmp_path: Path) -> None:
    client, home = portal.client("XAA"), Home.open(portal.home)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    files = hostile(tmp_path)
    outcomes = {}
    for name, (content, _) in files.items():
        upload_id = send(client, content)
        assert steps.next_upload(home) == upload_id
        steps.ingest_uploaded(portal.home, upload_id)
        told = client.get(f"/api/submissions/{upload_id}/findings").json()
        outcomes[name] = (told["state"], {one["code"] for one in told["errors"]})
        assert all(one["title"] and one["hint"] for one in told["errors"]), name
        assert "root:" not in str(told)
    expected = {name: codes for name, (_, codes) in files.items() if codes}
    wrong = {
        name: (state, found)
        for name, (state, found) in outcomes.items()
        if name in expected and (state != "refused" or not found or not found <= expected[name])
    }
    assert wrong == {}
    for name in outcomes.keys() - expected.keys():  # mutated: it came to an end
        assert outcomes[name][0] in ("refused", "rejected"), name
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MOST_MEMORY
    assert {path.name for path in portal.home.parent.iterdir()} == {"home", "home.log"}
    assert not Path("/tmp/outside.txt").exists()  # noqa: S108 - where one of them points
    assert [path for path in (portal.home / "inbox").rglob("*.part")] == []
    assert home.audit.verify() == []


def test_21_files_that_are_not_of_their_kind_never_get_to_the_worker(portal: Served) -> None:
    client = portal.client("XAA")
    sealed_head = zipped({"seal.json": b"{}", "manifest.yaml": b"x"})
    for kind, content in (("sealed", bomb(1000)), ("raw", sealed_head), ("raw", gzip.compress(b"x" * 99))):
        place = begin(client, content, kind).headers["location"]
        answer = patch(client, place, 0, content)
        assert (answer.status_code, answer.json()["code"]) == (422, "P207")
        assert client.get(place).json()["state"] == "refused"


def test_21_the_same_files_do_harm_where_nobody_looks(tmp_path: Path) -> None:
    """Twin: they are what they are said to be."""
    made = {name: content for name, (content, _) in hostile(tmp_path).items()}
    for name in ("bomb", "bomb of data"):
        with zipfile.ZipFile(io.BytesIO(made[name])) as archive:
            largest = max(archive.infolist(), key=lambda one: one.file_size)
            assert len(archive.read(largest)) == 50_000_000 > 500 * len(made[name])
    with zipfile.ZipFile(io.BytesIO(made["packed csv"])) as archive:
        assert len(gzip.decompress(archive.read("child.csv.gz"))) == 50_000_000
    with zipfile.ZipFile(io.BytesIO(made["upwards"])) as archive:
        member = archive.namelist()[1]
        assert not (tmp_path / member).resolve().is_relative_to(tmp_path.resolve())
