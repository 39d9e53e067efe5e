"""Runs one operation again and again and kills it with SIGKILL one call later each time.

``python killed.py OPERATION TEMPLATE FOLDER``: for n = 1, 2, ... a forked process copies the home
``TEMPLATE`` to ``FOLDER/n/home`` (the operation ``create`` starts without one) and is killed just before the
n-th call that changes something on the disk. The file ``FOLDER/n/acknowledged`` says that the operation
returned. Ends when it runs through, and writes how many times it killed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import os
import shutil
import signal
import sys
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow as pa

from copstats.store.config import HomeConfig
from copstats.store.home import Home
from copstats.store.prepared import Prepared
from copstats.store.registry import Registry
from copstats.store.rotation import rotate_wrapping
from copstats.store.rows import NewSubmission, State
from copstats.store.schemas import ATTACKER, ESTIMATES, INDICATOR_VALUE
from copstats.store.vintage import Content

CHANGING = {"open", "mkdir", "chmod", "write", "flush", "close", "fsync", "truncate", "flock"} | {
    *("rename", "replace", "unlink", "rmdir", "execute", "executemany", "commit"),
}
OWNERS = {"posix", "fcntl", "io", "_io", "sqlite3"}
OLD, NEW = "XAA_2026_COPS_v01_M", "XAA_2026_COPS_v02_M"
WAVE, UPLOAD, UPLOAD_NEW = "XAA_2026_COPS", "XAA_upload1", "XAA_upload2"
UPLOADED = {"manifest.yaml": b"x" * 100, "child.csv": b"y" * 100_000}
ARRIVING, ARRIVES, FIRST = "XAA_0123456789abcdef", "XAA_fedcba9876543210", b"f" * 70_000
TOKENS = [f"{n:032x}" for n in range(3)]
EMBARGO = dt.datetime(2027, 7, 15, 12, tzinfo=dt.UTC)


# Made before the processes fork: the first table from Python values loads a whole library.
CHILD = pa.table({"child_id": [f"c{n}" for n in range(100)], "age": list(range(100))})


def estimates(value: float) -> pa.Table:
    texts = {f.name: "_T" for f in ESTIMATES if f.type == pa.string() and not f.nullable}
    counts = {f.name: 30 for f in ESTIMATES if f.type == pa.int64() and not f.nullable}
    row = {**texts, **counts, "submission_id": OLD, "reference_year": 2026, "estimate": value}
    return pa.Table.from_pylist([row], schema=ESTIMATES)


ESTIMATES_OLD, ESTIMATES_NEW = estimates(1.0), estimates(2.0)
VINTAGE = Content(INDICATOR_VALUE.empty_table(), ATTACKER.empty_table())


def submission(version: int) -> NewSubmission:
    return NewSubmission(
        id=f"XAA_2026_COPS_v{version:02d}_M",
        ref_area="XAA",
        survey="COPS",
        reference_year=2026,
        version=version,
        wave="XAA_2026_COPS",
        kind="survey",
        framework="cop-2026",
        framework_fingerprint="f",
        content_hash=str(version),
        manifest={},
        crosswalk={},
        variables={},
        records={},
    )


def create(place: Path) -> None:
    Home.open(place / "home", create=True)


def seal(place: Path) -> None:
    Home.open(place / "home").waves.write(NEW, "XAA", {"child": CHILD, "parent": CHILD})


def destroy(place: Path) -> None:
    Home.open(place / "home").waves.destroy(OLD)


def unopened(place: Path) -> Home:
    """Return the home without opening it, which would only repeat the kill points of other operations."""
    return Home(place / "home", HomeConfig(layout=1))


def withdraw(place: Path) -> None:
    unopened(place).waves.write(OLD, "XAA", {"child": CHILD.slice(1)}, replace=True)


def entomb(place: Path) -> None:
    unopened(place).tombstones.add(WAVE, TOKENS)


def take_in(place: Path) -> None:
    put(unopened(place), UPLOAD_NEW)


def destroy_upload(place: Path) -> None:
    unopened(place).quarantine.destroy(UPLOAD, "accepted")


def arrive(place: Path) -> None:
    home = unopened(place)
    home.inbox.create(ARRIVES, 10, at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    send(home, ARRIVING, len(FIRST), b"s" * 70_000)


def send(home: Home, upload_id: str, offset: int, content: bytes) -> None:
    with contextlib.closing(home.inbox.segment(upload_id, offset)) as segment:
        segment.write(content)
        segment.keep()


def put(home: Home, upload_id: str) -> None:
    files = {name: partial(io.BytesIO, content) for name, content in UPLOADED.items()}
    home.quarantine.put("XAA", files, upload_id=upload_id)


def keep_cells(place: Path) -> None:
    Home.open(place / "home").waves.write_cells(OLD, "new", {"psu_design": CHILD, "psu_cells": CHILD})


def estimate(place: Path) -> None:
    Home.open(place / "home").warehouse.write(OLD, "new", ESTIMATES_NEW)


def publish(place: Path) -> None:
    with Home.open(place / "home").releases.staging("2026-Q4") as draft:
        for name in ("a.csv", "b.csv"):
            (draft.folder / name).write_text("x" * 100)
        draft.publish()


def publish_wave(place: Path) -> None:
    home = unopened(place)
    number = home.ledger.propose(WAVE, VINTAGE, submission_id=OLD, fingerprint="new")
    with home.prepared.staging("2027-Q1") as draft:
        (draft.folder / "a.csv").write_text("x" * 100)
        home.ledger.prepare("2027-Q1", {WAVE: number})
        draft.publish()
    vintages = {WAVE: number}
    home.prepared.note(
        Prepared(label="2027-Q1", made_from="new", fingerprint="new", manifest="m", vintages=vintages, new={})
    )
    home.prepared.approve("2027-Q1", by="test")
    home.prepared.publish("2027-Q1")
    home.ledger.confirm("2027-Q1", {WAVE: number})


def prepare_anew(place: Path) -> None:
    home = unopened(place)
    for content in ("old", "new"):
        with home.prepared.staging("2027-Q2") as draft:
            (draft.folder / "MANIFEST.json").write_text(content)
            draft.publish()
        note = Prepared(
            label="2027-Q2",
            made_from=content,
            fingerprint=content,
            manifest=hashlib.sha256(content.encode()).hexdigest(),
            vintages={},
            new={},
            not_before=EMBARGO,
        )
        home.prepared.note(note)


def audit(place: Path) -> None:
    Home.open(place / "home").audit.append("submission.accepted", NEW)


def first_key(place: Path) -> None:
    Home.open(place / "home").keys.wrap("XBB", bytes(32))


def rotate_keys(place: Path) -> None:
    home = unopened(place)
    rotate_wrapping(home, home.keys, "XAA")


def accept(place: Path) -> None:
    # The registry itself: opening a home first would only repeat the kill points of the other operations.
    Registry.sqlite(place / "home/registry.sqlite").decide(NEW, State.ACCEPTED, who="reviewer")


OPERATIONS = {
    f.__name__: f
    for f in (
        *(create, seal, destroy, withdraw, entomb, take_in, destroy_upload, keep_cells, estimate),
        *(publish, publish_wave, prepare_anew, audit, first_key, rotate_keys, accept, arrive),
    )
}


def template(home: Home) -> None:
    """Fill the home in which every operation starts."""
    home.waves.write(OLD, "XAA", {"child": CHILD})
    home.waves.write_cells(OLD, "old", {"psu_design": CHILD})
    home.tombstones.add(WAVE, TOKENS[:1])
    put(home, UPLOAD)
    home.inbox.create(ARRIVING, 2 * len(FIRST), at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    send(home, ARRIVING, 0, FIRST)
    home.warehouse.write(OLD, "old", ESTIMATES_OLD)
    home.audit.append("submission.accepted", OLD)
    for version in (1, 2):
        home.registry.register(submission(version), State.WAITING)
    home.registry.decide(OLD, State.ACCEPTED, who="reviewer")


def kill_before(call: int) -> None:
    """Arm the process: it kills itself before the given call."""
    calls = 0

    def watch(frame: FrameType, happening: str, argument: Any) -> None:
        nonlocal calls
        if happening == "c_call" and argument.__name__ in CHANGING:
            owners = {argument.__module__, type(argument.__self__).__module__}
            calls += bool(owners & OWNERS)
            if calls == call:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


def run(operation: str, place: Path, call: int) -> None:
    kill_before(call)
    OPERATIONS[operation](place)
    sys.setprofile(None)
    (place / "acknowledged").write_text("yes")


def main(operation: str, home: Path, folder: Path) -> None:
    call, killed = 0, True
    while killed:
        call += 1
        place = folder / str(call)
        place.mkdir()
        if operation != "create":
            shutil.copytree(home, place / "home")
        process = os.fork()
        if process == 0:
            try:
                run(operation, place, call)
            finally:
                os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(process, 0)[1])
    sys.stdout.write(f"{call - 1}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
