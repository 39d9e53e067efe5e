"""The flows on Prefect's embedded server: ids in, states out, nothing of the data in what Prefect keeps."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.flows

SECRET = "CANARYzuleika7f3a"

RUN = """
import json, sys
from pathlib import Path
from copstats.runner import run_flow
home, inbox = Path(sys.argv[1]), sys.argv[2]
intake = run_flow("intake", home=home, inbox=inbox)
estimation = run_flow("estimation", home=home, as_of_year=2026)
print(json.dumps({"intake": intake, "estimation": estimation}))
"""


@pytest.fixture(scope="module")
def sample(root: Path) -> Path:
    return root / "sample_data" / "submissions" / "XAA_2023_COPS_v01"


@pytest.fixture(scope="module")
def run(
    sample: Path, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, dict[str, str]], Path]:
    """Take in a sound, a faulty and an unreadable submission, each with the canary in it, and estimate."""
    from copstats.store import Home

    folder = tmp_path_factory.mktemp("flows")
    home, inbox = folder / "home", folder / "inbox"
    Home.open(home, create=True).set_acceptance("without_errors")
    shutil.copyfile(root / "sample_data" / "areas.csv", home / "areas.csv")
    for name in ("a_unreadable", "b_faulty", "c_sound"):
        shutil.copytree(sample, inbox / name)
        lines = (inbox / name / "child.csv").read_text("utf-8").splitlines()
        marked = [lines[0] + ",teacher_name"] + [f"{line},{SECRET}" for line in lines[1:]]
        header = lines[0].split(",")
        first = marked[1].split(",")
        first[header.index("child_id")] = SECRET
        marked[1] = ",".join(first)
        if name == "a_unreadable":
            marked[7] += f",{SECRET}"
        if name == "b_faulty":
            cells = marked[5].split(",")
            cells[header.index("age")] = SECRET
            marked[5] = ",".join(cells)
            manifest = inbox / name / "manifest.yaml"
            manifest.write_text(manifest.read_text("utf-8").replace("version: 1", "version: 2"), "utf-8")
        (inbox / name / "child.csv").write_text("\n".join(marked) + "\n", "utf-8")
    command = [sys.executable, "-c", RUN, str(home), str(inbox)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (home / "said.txt").write_text(done.stdout + done.stderr, "utf-8")
    return json.loads(done.stdout.splitlines()[-1]), home


def test_a_submission_that_fails_does_not_stop_the_others(
    run: tuple[dict[str, dict[str, str]], Path],
) -> None:
    outcome, _ = run
    assert outcome["intake"]["a_unreadable"].startswith("failed S")
    assert outcome["intake"]["b_faulty"] == "rejected"
    assert outcome["intake"]["c_sound"] == "accepted"
    assert outcome["estimation"] == {"XAA_2023_COPS_v01_M": "estimated"}


def test_nothing_of_the_data_is_in_any_file_of_the_home_or_of_prefect(
    run: tuple[dict[str, dict[str, str]], Path], sample: Path
) -> None:
    _, home = run
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.name.startswith("prefect.db") for path in files)
    header, _, record, *_ = sample.joinpath("child.csv").read_text("utf-8").splitlines()
    raw_id = record.split(",")[header.split(",").index("child_id")].encode()
    assert len(raw_id) >= 6
    for path in files:
        content = path.read_bytes()
        decoded = b"".join(_decoded(content))
        for needle in (SECRET.encode(), SECRET.encode("utf-16-le"), b"teacher_name", raw_id):
            assert needle not in content, path.name
            assert needle not in decoded, path.name


def _decoded(content: bytes) -> list[bytes]:
    """Return what stands base64-encoded in a file: Prefect would keep pickles so."""
    flat = content.replace(b"\\n", b"").replace(b"\n", b"")
    texts = (text[: len(text) // 4 * 4] for text in re.findall(rb"[A-Za-z0-9+/]{24,}", flat))
    return [base64.b64decode(text) for text in texts]


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
            query = "SELECT expected_start_time FROM flow_run WHERE state_type = 'SCHEDULED'"
            dates = [dt.datetime.fromisoformat(row[0]) for row in connection.execute(query)]
            if dates:
                return [(date.year, date.month, date.day) for date in dates]
    return []
