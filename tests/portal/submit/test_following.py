"""`copstats submit --follow`: until the portal has checked what was sent."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
import time
from pathlib import Path

import pytest

from copstats.client.address import address_of
from copstats.client.follow import Story, follow
from copstats.client.patience import Patience
from copstats.client.wire import Wire
from copstats.errors import SubmissionError
from copstats.steps import arriving
from copstats.store.home import Home
from copstats.store.portal_uploads import UploadRegistry
from tests.portal.conftest import Served
from tests.portal.submit.conftest import Office


def refuse_checked(home_path: Path, upload: str) -> None:
    """Do what the worker does with a file that cannot be read, with pauses in which a client can look."""
    home = Home.open(home_path)
    uploads = UploadRegistry(home.registry.database)
    time.sleep(0.3)
    while (claimed := uploads.claim(now=dt.datetime.now(dt.UTC))) is not None:
        if claimed.id == upload:
            time.sleep(1.5)
            arriving.refuse(home, claimed, SubmissionError("S101", where="upload.zip"))
            return


def test_every_change_is_told_until_the_check_is_over(portal: Served, office: Office) -> None:
    file = office.file(20_000, 300)
    upload = office.submit(file, portal.url)[1]["upload"]
    wire = Wire(address_of(portal.url), portal.tokens["KEN"])
    worker = threading.Thread(target=refuse_checked, args=(portal.home, upload))
    worker.start()
    told = [one.state for one in follow(wire, Patience(5, lambda _: None), upload)]
    worker.join()
    wire.close()
    assert told == ["complete", "checking", "refused"]
    assert not Story("KEN_1", "checking").checked


@pytest.mark.nightly
def test_a_zip_that_is_no_submission_is_refused_with_the_reason(
    working_portal: Served, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPSTATS_TOKEN", working_portal.tokens["KEN"])
    status, told = office.submit(office.file(1000, 301), working_portal.url, "--follow")
    assert (status, told["state"], told["submission"]) == (2, "refused", None)
    assert told["errors"][0]["where"].startswith("S")
    assert "being checked" in office.words


@pytest.mark.nightly
def test_a_submission_is_followed_until_it_waits_for_a_decision(
    working_portal: Served, office: Office, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPSTATS_TOKEN", working_portal.tokens["KEN"])
    sample = office.folder / "sample"
    shutil.copytree(root / "sample_data" / "official" / "XAA_2025_HELPLINE_v01", sample)
    manifest = sample / "manifest.yaml"
    manifest.write_text(manifest.read_text("utf-8").replace("XAA", "KEN"), "utf-8")
    packed = Path(shutil.make_archive(str(office.folder / "official"), "zip", sample))
    status, told = office.submit(packed, working_portal.url, "--follow")
    assert (status, told["state"]) == (0, "waiting"), told
    assert told["submission"].startswith("KEN_2025_")
    assert set(told["findings"]) == {"error", "warning", "information"}
