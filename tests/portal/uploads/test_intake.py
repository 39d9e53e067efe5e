"""What arrived is taken in once, by its own country, and its office reads what was found."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from copstats import steps
from copstats.project import project_root
from copstats.steps.sealing import Seals
from copstats.store.home import Home
from copstats.store.keys import KeyStore
from copstats.store.portal import PortalRegistry
from copstats.store.portal_uploads import UploadRegistry
from tests.portal.conftest import PATIENT, Served, new_home, serve
from tests.portal.uploads.sending import send

SAMPLES = project_root() / "sample_data"
SUBMISSION = SAMPLES / "submissions" / "XAA_2023_COPS_v01"
HELPLINE = SAMPLES / "official" / "XAA_2025_HELPLINE_v01"
WRONG = "ZZCANARY"
FAULTY_ROWS = (3, 17, 200)


def packed(folder: Path, **changed: bytes) -> bytes:
    """A submission as a zip; `changed`: content of a data file, by its stem."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            entry = zipfile.ZipInfo(path.name)
            archive.writestr(entry, changed.get(path.stem, path.read_bytes()), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def faulty() -> bytes:
    """The sample with an impossible answer in some rows."""
    rows = list(csv.reader((SUBMISSION / "child.csv").read_text("utf-8").splitlines()))
    column = rows[0].index("sex")
    for number in FAULTY_ROWS:
        rows[number][column] = WRONG
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return packed(SUBMISSION, child=written.getvalue().encode())


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A portal for the country of the samples; the worker is called by the tests."""
    path = tmp_path_factory.mktemp("intake") / "home"
    tokens, ids = new_home(path)
    home = Home.open(path)
    shutil.copy(SAMPLES / "areas.csv", path)
    now = dt.datetime.now(dt.UTC)
    for area in ("XAA", "XBB"):
        secret, made = PortalRegistry(home.registry.database).create_token(
            "provider", area=area, holder=area, days=1, now=now
        )
        tokens[area], ids[area] = secret, made.id
    with serve(path, tokens, ids, worker=False, limits=PATIENT) as served:
        yield served


def checked(portal: Served, upload_id: str) -> str:
    """Claim the upload as the worker does, and take it in."""
    home = Home.open(portal.home)
    assert steps.next_upload(home) == upload_id
    return steps.ingest_uploaded(portal.home, upload_id)


def story(portal: Served, id_: str, who: str = "XAA") -> dict[str, object]:
    answer = portal.client(who).get(f"/api/submissions/{id_}")
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


def left_of(portal: Served, upload_id: str) -> list[Path]:
    return [path for path in portal.home.rglob("*.part") if upload_id in str(path)]


def findings(client: httpx.Client, id_: str, language: str) -> httpx.Response:
    return client.get(f"/api/submissions/{id_}/findings", params={"language": language})


def test_a_faulty_file_and_the_mended_one(portal: Served) -> None:
    client = portal.client("XAA")
    upload_id = send(client, faulty())
    assert checked(portal, upload_id) == "rejected"
    told = story(portal, upload_id)
    assert (told["id"], told["state"]) == ("XAA_2023_COPS_v01_M", "rejected")
    assert left_of(portal, upload_id) == []
    answers = {language: findings(client, upload_id, language) for language in ("en", "fr", "ar")}
    for language, answer in answers.items():
        assert answer.headers["content-language"] == language
        assert WRONG not in answer.text
        assert WRONG.lower() not in answer.text.lower()
    broken = {one["rule"]: one for one in answers["en"].json()["findings"]}
    rule = next(one for one in broken.values() if one["variables"] == ["sex"] and one["severity"] == "error")
    assert (rule["count"], rule["places"]) == (3, list(FAULTY_ROWS))
    french = {one["rule"]: one for one in answers["fr"].json()["findings"]}
    assert french.keys() == broken.keys()
    assert french[rule["rule"]]["title"] != rule["title"]
    assert all(one["title"] and one["why"] and one["fix"] for one in french.values())
    assert findings(client, upload_id, "xx").status_code == 422
    assert findings(portal.client("XBB"), "XAA_2023_COPS_v01_M", "en").status_code == 404
    kept = b"".join(path.read_bytes() for path in (portal.home / "findings").iterdir())
    assert rule["rule"].encode() not in kept

    mended = send(client, packed(SUBMISSION))
    assert checked(portal, mended) == "waiting"
    assert story(portal, "XAA_2023_COPS_v01_M")["state"] == "waiting"
    assert {one["severity"] for one in findings(client, mended, "en").json()["findings"]} <= {
        "warning",
        "information",
    }
    # once more, as after a kill between the last steps: nothing changes
    assert steps.ingest_uploaded(portal.home, mended) == "done"
    assert Home.open(portal.home).audit.verify() == []


def test_counts_are_taken_in_too(portal: Served) -> None:
    upload_id = send(portal.client("XAA"), packed(HELPLINE))
    assert checked(portal, upload_id) == "waiting"
    assert story(portal, upload_id)["id"] == "XAA_2025_HELPLINE_v01_M"


def test_a_sealed_file(portal: Served, tmp_path: Path) -> None:
    home = Home.open(portal.home)
    (tmp_path / "office").mkdir(mode=0o700)
    office = KeyStore(tmp_path / "office")
    for name in ("XAA", "XAA.national-signing"):
        office.create(name)
    home.keys.create("receiving")
    seals = Seals(office, home.keys.export_public("receiving"), tmp_path)  # type: ignore[arg-type]
    sealed = steps.seal(
        SAMPLES / "submissions" / "XAA_2025_COPS_v01", seals, areas=steps.area_table(SAMPLES / "areas.csv")
    )
    assert sealed.path is not None
    content = sealed.path.read_bytes()
    stranger = send(portal.client("XBB"), content, "sealed")
    assert checked(portal, stranger) == "refused P210"
    unknown = send(portal.client("XAA"), content, "sealed")
    with pytest.raises(Exception, match="C311"):
        checked(portal, unknown)
    told = findings(portal.client("XAA"), unknown, "fr").json()
    assert (told["state"], [one["code"] for one in told["errors"]]) == ("refused", ["C311"])
    home.keys.registered.register(office.export_public("XAA"), dt.date(2026, 4, 1))  # type: ignore[arg-type]
    again = send(portal.client("XAA"), content, "sealed")
    assert (again, checked(portal, again)) == (unknown, "waiting")
    found = findings(portal.client("XAA"), again, "en").json()["findings"]
    assert all(one["places"] == [] for one in found)
    assert [path for path in (portal.home / "inbox").rglob("*") if path.suffix == ".copsealed"] == []


def bomb() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.yaml", b"a" * 50_000_000)
    return content.getvalue()


def climbing() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("../../outside.txt", b"x")
    return content.getvalue()


def without_manifest() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("child.csv", b"x")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (bomb(), ["S132"]),
        (climbing(), ["S131"]),
        (without_manifest(), ["S102"]),
        (packed(SUBMISSION, manifest=b"ref_area: XAA\n"), None),
        (packed(SUBMISSION)[:20_000], ["S130"]),
        (packed(SAMPLES / "submissions" / "XBB_2025_COPS_v01"), ["P210"]),
    ],
    ids=["bomb", "climbing", "no manifest", "bare manifest", "cut", "another area"],
)
def test_what_cannot_be_read_is_refused_with_reasons(
    portal: Served, content: bytes, codes: list[str] | None
) -> None:
    client = portal.client("XAA")
    upload_id = send(client, content)
    assert checked(portal, upload_id).startswith("refused")
    assert left_of(portal, upload_id) == []
    told = findings(client, upload_id, "en").json()
    assert told["state"] == "refused"
    assert all(one["title"] and one["hint"] for one in told["errors"])
    if codes is None:
        assert len(told["errors"]) > 3
        assert {one["where"].partition(":")[0] for one in told["errors"]} == {"manifest.yaml"}
    else:
        assert [one["code"] for one in told["errors"]] == codes


def test_a_check_that_never_ends_does_not_stop_the_others(portal: Served) -> None:
    home = Home.open(portal.home)
    poison, other = (send(portal.client("XAA"), packed(HELPLINE, counts=b"%d" % n)) for n in (1, 2))
    for _ in range(5):
        assert steps.next_upload(home) == poison
        assert steps.take_up(home) == 2  # as after a kill
    assert steps.next_upload(home) == other
    assert UploadRegistry(home.registry.database).find(poison).error == ["P211"]  # type: ignore[union-attr]
    steps.ingest_uploaded(portal.home, other)


def test_what_is_old_goes(portal: Served) -> None:
    from copstats.steps.arriving import expire_arriving
    from tests.portal.uploads.sending import begin, patch

    client, content = portal.client("XAA"), packed(HELPLINE, counts=b"3")
    place = begin(client, content).headers["location"]
    patch(client, place, 0, content[:100])
    home, upload_id = Home.open(portal.home), place.rpartition("/")[2]
    now = dt.datetime.now(dt.UTC)
    with home.lock(wait=10):
        expire_arriving(home, now + dt.timedelta(days=home.config.quarantine_days - 1))
        assert home.inbox.offset(upload_id) == 100
        expire_arriving(home, now + dt.timedelta(days=home.config.quarantine_days + 1))
    assert left_of(portal, upload_id) == []
    assert client.get(place).json()["error"] == ["P215"]


@pytest.mark.flows
@pytest.mark.nightly
def test_the_worker_is_killed_in_the_middle_and_the_next_one_goes_on(tmp_path: Path, portal: Served) -> None:
    path = tmp_path / "home"
    shutil.copytree(portal.home, path)
    home = Home.open(path)
    uploads = UploadRegistry(home.registry.database)
    with serve(path, portal.tokens, portal.ids, worker=False, limits=PATIENT) as served:
        content = packed(SAMPLES / "submissions" / "XBB_2025_COPS_v01")
        upload_id = send(served.client("XBB"), content)
        command = [sys.executable, "-m", "copstats.portal.worker", "--home", str(path), "--until-idle"]
        worker = subprocess.Popen(command)
        until = time.monotonic() + 60
        while uploads.find(upload_id).state == "complete" and time.monotonic() < until:  # type: ignore[union-attr]
            time.sleep(0.1)
        time.sleep(3)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        assert uploads.find(upload_id).state == "checking"  # type: ignore[union-attr]
        subprocess.run(command, check=True, timeout=200)
        assert story(served, upload_id, "XBB")["state"] in ("waiting", "rejected")
        assert Home.open(path).audit.verify() == []
