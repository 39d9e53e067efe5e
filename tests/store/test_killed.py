"""What was acknowledged is there and what was half done is undone, wherever the process is killed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest

from copstats.store.files import STAGING
from copstats.store.home import FOLDERS, Home
from copstats.store.rows import State
from copstats.store.vintage import TABLES

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
SCRIPT = Path(__file__).with_name("killed.py")
LEAST_KILLS = 15
LEAST_STATES = 5


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("killed", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


killed = load(SCRIPT)
OLD, NEW = killed.OLD, killed.NEW


@pytest.fixture
def kill(home: Home, tmp_path: Path) -> Callable[[str], list[tuple[Path, bool]]]:
    """Kill an operation at every point; return the place of each try and whether it was acknowledged."""

    def run(operation: str) -> list[tuple[Path, bool]]:
        killed.template(home)
        folder = tmp_path / "killed"
        folder.mkdir()
        command = [sys.executable, str(SCRIPT), operation, str(home.path), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        tries = [
            (folder / str(n), (folder / str(n) / "acknowledged").exists())
            for n in range(1, int(done.stdout) + 2)
        ]
        assert len(tries) > LEAST_KILLS
        assert tries[-1][1]
        return tries

    return run


def opened(place: Path) -> Home:
    """Open the home, which undoes what is half done, and look that nothing of it is left."""
    home = Home.open(place / "home")
    assert [p for p in home.path.rglob("*") if p.name.startswith(STAGING)] == []
    return home


def both(outcomes: list[bool]) -> bool:
    """Say whether some kills came before and some after the step that counts: else little is shown."""
    return set(outcomes) == {True, False}


def test_sealing(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("seal"):
        home = opened(place)
        there = home.waves.exists(NEW)
        assert there or not acknowledged
        if not there:
            killed.seal(place)
        assert home.waves.records(NEW) == ("child", "parent")
        for submission_id, record in ((NEW, "child"), (NEW, "parent"), (OLD, "child")):
            assert home.waves.read(submission_id, record).read_all().equals(killed.CHILD)
        outcomes.append(there)
    assert both(outcomes)


def test_destroying(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("destroy"):
        home = opened(place)
        there = home.waves.exists(OLD)
        assert not (there and acknowledged)
        if there:
            assert home.waves.read(OLD, "child").read_all().equals(killed.CHILD)
            home.waves.destroy(OLD)
        assert list((home.path / "waves").iterdir()) == []
        outcomes.append(there)
    assert both(outcomes)


def test_withdrawing_a_record(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("withdraw"):
        home = opened(place)
        child = home.waves.read(OLD, "child").read_all()
        withdrawn = child.equals(killed.CHILD.slice(1))
        assert withdrawn or (child.equals(killed.CHILD) and not acknowledged)
        assert (home.waves.read_cells(OLD, "old") is None) == withdrawn
        assert [path.name for path in (home.path / "waves").iterdir()] == [OLD]
        outcomes.append(withdrawn)
    assert both(outcomes)


def test_adding_tombstones(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("entomb"):
        home = opened(place)
        held = home.tombstones.tokens(killed.WAVE)
        assert held == set(killed.TOKENS) or (held == {killed.TOKENS[0]} and not acknowledged)
        outcomes.append(len(held) > 1)
    assert both(outcomes)


def uploaded(home: Home, upload_id: str) -> bool:
    upload = home.quarantine.open(upload_id)
    return {name: upload.document(name) for name in upload.files} == killed.UPLOADED


def test_taking_an_upload_in(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("take_in"):
        home = opened(place)
        there = home.quarantine.receipt(killed.UPLOAD_NEW) is not None
        assert there or not acknowledged
        if not there:
            killed.take_in(place)
        assert all(uploaded(home, upload_id) for upload_id in (killed.UPLOAD, killed.UPLOAD_NEW))
        outcomes.append(there)
    assert both(outcomes)


def arrived(home: Home, upload_id: str) -> bytes:
    with home.inbox.open(upload_id) as stream:
        content: bytes = stream.read()
    return content


def test_a_segment_that_arrives(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    begun, outcomes = [], []
    second = b"s" * len(killed.FIRST)
    for place, acknowledged in kill("arrive"):
        home = opened(place)
        begun.append(home.inbox.has(killed.ARRIVES))
        whole = home.inbox.offset(killed.ARRIVING) == 2 * len(killed.FIRST)
        assert whole or not acknowledged
        assert arrived(home, killed.ARRIVING) == killed.FIRST + (second if whole else b"")
        if not whole:
            killed.send(home, killed.ARRIVING, len(killed.FIRST), second)
            assert arrived(home, killed.ARRIVING) == killed.FIRST + second
        outcomes.append(whole)
    assert both(begun)
    assert both(outcomes)


def test_destroying_an_upload(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("destroy_upload"):
        home = opened(place)
        receipt = home.quarantine.receipt(killed.UPLOAD)
        assert receipt is not None
        destroyed = receipt.destroyed is not None
        assert destroyed or not acknowledged
        assert destroyed or uploaded(home, killed.UPLOAD)
        assert (home.path / "quarantine" / killed.UPLOAD).exists() == (not destroyed)
        outcomes.append(destroyed)
    assert both(outcomes)


def test_replacing_cells(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("keep_cells"):
        home = opened(place)
        new, old = (home.waves.read_cells(OLD, name) for name in ("new", "old"))
        assert new is not None or not acknowledged
        assert new is None or old is None
        for tables in (new, old):
            assert all(table.equals(killed.CHILD) for table in (tables or {}).values())
        assert home.waves.read(OLD, "child").read_all().equals(killed.CHILD)
        home.waves.write_cells(OLD, "next", {"psu_design": killed.CHILD})
        assert (home.waves.read_cells(OLD, "next") or {}).keys() == {"psu_design"}
        outcomes.append(new is not None)
    assert both(outcomes)


def test_replacing_estimates(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("estimate"):
        home = opened(place)
        new = home.warehouse.has(OLD, "new")
        assert new or not acknowledged
        assert new != home.warehouse.has(OLD, "old")
        assert home.warehouse.read([OLD])["estimate"].to_pylist() == [2.0 if new else 1.0]
        assert len(list((home.path / "warehouse").glob("*.parquet"))) == 1
        outcomes.append(new)
    assert both(outcomes)


def test_publishing(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("publish"):
        home = opened(place)
        there = home.releases.labels() == ["2026-Q4"]
        assert there or not acknowledged
        if not there:
            killed.publish(place)
        found = {p.name: p.read_text() for p in home.releases.folder("2026-Q4").iterdir()}
        assert found == {"a.csv": "x" * 100, "b.csv": "x" * 100}
        outcomes.append(there)
    assert both(outcomes)


def test_publishing_a_vintage(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("publish_wave"):
        home = opened(place)
        out = "2027-Q1" in home.releases.labels()
        published = home.ledger.published(killed.WAVE)
        assert out or not acknowledged
        assert (published is not None) == out
        assert home.ledger.labels() == (["2027-Q1"] if out else [])
        for label in (*home.releases.labels(), *home.prepared.labels()):
            where = home.releases if out else home.prepared
            assert (where.folder(label) / "a.csv").read_text() == "x" * 100
        assert not (out and home.prepared.labels())
        if out:
            # Opening the home has confirmed it, so that the ledger knows it whatever becomes of the folder.
            shutil.rmtree(home.path / "releases/2027-Q1")
            assert home.ledger.carried("2027-Q1") == {killed.WAVE: 1}
        else:
            killed.publish_wave(place)
        assert len(list((home.path / "ledger").glob("*.parquet"))) == len(TABLES)
        assert home.ledger.content(killed.WAVE, 1) == killed.VINTAGE
        outcomes.append(out)
    assert both(outcomes)


def test_preparing_a_release_anew(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("prepare_anew"):
        home = opened(place)
        prepared = home.prepared.find("2027-Q2")
        outcomes.append("none" if prepared is None else prepared.made_from)
        assert prepared is None or prepared.not_before == killed.EMBARGO
        assert not acknowledged or outcomes[-1] == "new"
        killed.prepare_anew(place)
        assert home.prepared.is_whole(home.prepared.get("2027-Q2"))
    assert list(dict.fromkeys(outcomes)) == ["none", "old", "new"]
    assert outcomes == sorted(outcomes, key=["none", "old", "new"].index)


def test_the_audit_log(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("audit"):
        home = opened(place)
        there = home.audit.head().sequence == 2
        assert there or not acknowledged
        assert home.audit.verify() == []
        home.audit.append("submission.declined", NEW)
        assert home.audit.verify() == []
        outcomes.append(there)
    assert both(outcomes)


def test_the_first_key_of_a_country(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("first_key"):
        home = opened(place)
        there = "XBB" in home.keys.areas()
        assert there or not acknowledged
        assert home.keys.unwrap("XBB", home.keys.wrap("XBB", bytes(32))) == bytes(32)
        outcomes.append(there)
    assert both(outcomes)


def test_rotating_the_key_of_a_country(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes, resumed = [], set()

    def readable(home: Home) -> bool:
        cells = home.waves.read_cells(OLD, "old") or {}
        tables = [home.waves.read(OLD, "child").read_all(), cells["psu_design"]]
        estimate = home.warehouse.read([OLD])["estimate"].to_pylist()
        buried = home.tombstones.tokens(killed.WAVE) == {killed.TOKENS[0]}
        kept = buried and arrived(home, killed.ARRIVING) == killed.FIRST
        return all(t.equals(killed.CHILD) for t in tables) and estimate == [1.0] and kept

    for place, acknowledged in kill("rotate_keys"):
        home = opened(place)
        assert readable(home)
        files = tuple(sorted(path.name for path in (place / "home/keys").glob("XAA*.key")))
        finished = files == ("XAA.key", "XAA.wrapping.key")
        assert finished or not acknowledged
        present, *earlier = home.keys.key_ids("XAA")
        seals = [*(place / "home/waves").rglob("*.json"), *(place / "home/warehouse").glob("*.json")]
        state = (files, sum(present in seal.read_text() for seal in seals))
        # Each state of the disk is met many times; from one of each the rotation goes on.
        if not finished and state not in resumed:
            resumed.add(state)
            killed.rotate_keys(place)
            assert readable(home)
            assert uploaded(home, killed.UPLOAD)
            assert home.keys.key_ids("XAA") != earlier
            assert not (place / "home/keys/XAA.wrapping-next.key").exists()
        outcomes.append(finished)
    assert both(outcomes)
    # The wrapping key is there from the first sealing on: one state of the key files less.
    assert len(resumed) >= LEAST_STATES - 1


def test_the_registry(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    outcomes = []
    for place, acknowledged in kill("accept"):
        registry = opened(place).registry
        accepted = registry.get(NEW).state == State.ACCEPTED
        assert accepted or not acknowledged
        assert [s.id for s in registry.current_waves()] == [NEW if accepted else OLD]
        assert registry.get(OLD).state == (State.SUPERSEDED if accepted else State.ACCEPTED)
        assert (len(registry.decisions(OLD)), len(registry.decisions(NEW))) == (
            (2, 1) if accepted else (1, 0)
        )
        outcomes.append(accepted)
    assert both(outcomes)


def test_creating_a_home(kill: Callable[[str], list[tuple[Path, bool]]]) -> None:
    for place, _ in kill("create"):
        home = Home.open(place / "home", create=True)
        assert {p.name for p in home.path.iterdir()} == {*FOLDERS, "copstats.toml"}
        assert home.config.accept == "by_hand"
        home.waves.write(NEW, "XAA", {"child": pa.table({"age": [9]})})
