"""Attack 14: a child who was withdrawn comes back by resubmission, or is found in what is left."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from copstats import steps
from copstats.auditing import values_of
from copstats.errors import ConfidentialityError, CopstatsError
from copstats.language import translations
from copstats.project import project_root
from copstats.steps.sealing import Seals
from copstats.steps.withdrawal import (
    finish_withdrawals,
    request_withdrawal,
    withdraw_country,
    withdraw_identified,
    withdraw_requested,
    withdraw_submission,
)
from copstats.store.engine import published_connection
from copstats.store.home import Home
from copstats.store.keys import KeyStore
from copstats.store.parcel import open_parcel, write_parcel
from copstats.store.rows import State
from copstats.store.shredding import still_readable, wrapped_keys
from copstats.vintages import held_units

SAMPLES = project_root() / "sample_data"
SUBMISSION = SAMPLES / "submissions" / "XAA_2023_COPS_v01"
ID, WAVE = "XAA_2023_COPS_v01_M", "XAA_2023_COPS"
TODAY = dt.date(2026, 4, 1)
YEAR = 2026


@pytest.fixture(scope="module")
def child() -> str:
    """Identifier of one child, as the office's file has it."""
    lines = (SUBMISSION / "child.csv").read_text("utf-8").splitlines()
    return lines[7].split(",")[lines[0].split(",").index("child_id")]


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, KeyStore]:
    """A receiving side that has accepted and estimated a sealed wave, and its office."""
    folder = tmp_path_factory.mktemp("withdrawal")
    (folder / "office").mkdir(mode=0o700)
    office = KeyStore(folder / "office")
    office.create("XAA")
    office.create("XAA.national-signing")
    home = Home.open(folder / "home", create=True)
    home.change_settings(review_days=0, release_forms=())
    shutil.copy(SAMPLES / "areas.csv", home.path)
    home.keys.create("receiving")
    home.keys.registered.register(office.export_public("XAA"), TODAY)  # type: ignore[arg-type]
    seals = Seals(office, home.keys.export_public("receiving"), folder)  # type: ignore[arg-type]
    sealed = steps.seal(SUBMISSION, seals, areas=steps.area_table(SAMPLES / "areas.csv"))
    assert sealed.path is not None
    steps.ingest(home.path, sealed.path)
    steps.decide(home.path, ID, accept=True, who="test")
    steps.estimate(home.path, ID, as_of_year=YEAR)
    return home, office


@pytest.fixture
def home(accepted: tuple[Home, KeyStore], tmp_path: Path) -> Home:
    shutil.copytree(accepted[0].path, tmp_path / "home")
    return Home.open(tmp_path / "home")


@pytest.fixture
def request_file(accepted: tuple[Home, KeyStore], child: str, tmp_path: Path) -> Path:
    return request_withdrawal(accepted[1], WAVE, [f" {child} ", ""], tmp_path, TODAY)


@pytest.fixture(scope="module")
def newer(accepted: tuple[Home, KeyStore], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same records once more, sealed as the second version of the wave."""
    home, office = accepted
    parcel = open_parcel(home.path.parent / f"{ID}.copsealed")
    signing = office.national_signing_key("XAA")
    parcel.verify(signing.public_key())
    second = "XAA_2023_COPS_v02_M"
    head = msgspec.structs.replace(
        parcel.head,
        submission_id=second,
        version=2,
        manifest=parcel.head.manifest | {"version": 2},
        summary=parcel.head.summary.replace(ID, second),
    )
    tables = parcel.tables(home.keys.receiving_identity())
    path = tmp_path_factory.mktemp("newer") / f"{second}.copsealed"
    write_parcel(path, head, tables, signing, home.keys.export_public("receiving"))  # type: ignore[arg-type]
    return path


def figures(release: Path, table: str) -> int:
    with published_connection(release / "copstats.duckdb") as connection:
        ((count,),) = connection.execute(f"SELECT count(se) FROM {table}").fetchall()
    return int(count)


def children(home: Home, submission_id: str = ID) -> list[str]:
    tokens: list[str] = home.waves.open(submission_id).read("child").read_all()["child_id"].to_pylist()
    return tokens


def test_the_request_names_nobody(request_file: Path, child: str) -> None:
    assert child.encode() not in request_file.read_bytes()


def test_the_record_is_gone_and_so_are_the_sums(home: Home, request_file: Path) -> None:
    before = children(home)
    estimates = home.warehouse.read([ID])
    done = withdraw_requested(home.path, request_file)
    assert (done.children, done.records) == (1, 1)
    after = children(home)
    assert len(after) == len(before) - 1
    gone = set(before) - set(after)
    assert gone == home.tombstones.tokens(WAVE)
    # the sums by PSU went with the wave, and the estimates are made again without the child
    assert not (home.path / "waves" / ID / "cells").exists()
    assert steps.estimate(home.path, ID, as_of_year=YEAR) == "estimated"
    again = home.warehouse.read([ID])
    assert max(again["n"].to_pylist()) == max(estimates["n"].to_pylist()) - 1
    # once more: nothing is left to do
    done = withdraw_requested(home.path, request_file)
    assert (done.children, done.records) == (0, 0)
    assert home.audit.verify() == []


def test_a_copy_of_the_wave_made_before_can_be_read_no_more(
    home: Home, request_file: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "backup"
    shutil.copytree(home.path / "waves", copy / "waves")
    wrapped = wrapped_keys(copy, ("waves",), ID)
    # the twin: with the key that was there, the copy is read
    assert still_readable(home.keys, "XAA", wrapped) == len(wrapped) > 1
    withdraw_requested(home.path, request_file)
    assert still_readable(Home.open(home.path).keys, "XAA", wrapped) == 0
    assert children(home)


@pytest.mark.parametrize("tombstones", [False, True], ids=["twin", "ours"])
def test_no_version_brings_the_child_back(
    home: Home, newer: Path, request_file: Path, tombstones: bool
) -> None:
    held = children(home)
    withdraw_requested(home.path, request_file)
    if not tombstones:
        home.tombstones.destroy(WAVE)
    assert steps.ingest(home.path, newer).state == "waiting"
    # the pseudonyms of a wave are the same in all versions: in the twin the child is back
    assert len(set(held) & set(children(home, "XAA_2023_COPS_v02_M"))) == len(held) - tombstones


def test_no_release_changes_for_a_withdrawal_alone(home: Home, request_file: Path) -> None:
    first = steps.publish(home.path, "2026-Q3", by="test")
    before = home.warehouse.read([ID])
    withdraw_requested(home.path, request_file)
    steps.estimate(home.path, ID, as_of_year=YEAR)
    # the twin: what would be published anew differs, and tells of the child
    assert not home.warehouse.read([ID])["n"].equals(before["n"])
    second = steps.publish(home.path, "2026-Q4", by="test")
    assert [(one.outcome, one.number) for one in second.settled] == [("held", 1)]
    assert held_units(second.settled, translations("en"))[0].startswith(WAVE)
    assert values_of(second.folder).equals(values_of(first.folder))
    # nor do errors of differences, which come from the present estimates: there are none of a held wave
    assert figures(first.folder, "group_difference") and not figures(second.folder, "group_difference")
    assert home.audit.verify() == []


def test_what_a_killed_withdrawal_left_is_finished_before_the_wave_is_used(
    home: Home, request_file: Path
) -> None:
    token = children(home)[3]
    home.tombstones.add(WAVE, [token])  # and here the process was killed
    assert token in children(home)
    assert steps.estimate(home.path, ID, as_of_year=YEAR) == "estimated"
    assert token not in children(home)
    assert finish_withdrawals(home, home.registry.get(ID)) == 0


def test_a_request_of_another_is_refused(home: Home, request_file: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.copwithdrawal"
    changed.write_bytes(request_file.read_bytes().replace(b"2026-04-01", b"2026-04-02"))
    with pytest.raises(ConfidentialityError) as caught:
        withdraw_requested(home.path, changed)
    assert caught.value.code == "C340"
    home.keys.registered.revoke("XAA", home.keys.registered.of("XAA")[0].fingerprint, TODAY)
    with pytest.raises(ConfidentialityError) as caught:
        withdraw_requested(home.path, request_file)
    assert caught.value.code == "C312"
    assert home.tombstones.count(WAVE) == 0


def test_who_is_who_is_known_to_one_side_alone(home: Home, child: str) -> None:
    """The receiving side holds the identifier by chance: without the office's key it finds nobody."""
    with pytest.raises(CopstatsError) as caught:
        withdraw_identified(home.path, WAVE, [child])
    assert caught.value.code == "U352"


def test_a_wave_that_came_raw_is_withdrawn_from_by_identifier(child: str, tmp_path: Path) -> None:
    home = Home.open(tmp_path / "raw", create=True)
    shutil.copy(SAMPLES / "areas.csv", home.path)
    steps.ingest(home.path, SUBMISSION)
    assert len(home.quarantine.uploads()) == 1
    done = withdraw_identified(home.path, WAVE, [child, "nobody"])
    assert done.records == 1
    assert home.quarantine.uploads() == []  # the raw file held the child too
    receipts = [home.quarantine.receipt(path.stem) for path in (home.path / "quarantine").glob("*.json")]
    assert [r.reason for r in receipts if r] == ["withdrawn"]


def test_a_submission_is_gone_in_every_copy(home: Home, tmp_path: Path) -> None:
    copy = tmp_path / "backup"
    shutil.copytree(home.path, copy)
    done = withdraw_submission(home.path, ID, who="test", reason="consent was not valid")
    assert done.data_keys > 1
    assert not home.waves.exists(ID)
    assert home.registry.get(ID).state == State.WITHDRAWN
    assert steps.waves_to_estimate(home.path) == []
    with pytest.raises(CopstatsError):
        home.warehouse.read([ID])
    # the files of the copy with the keys of today
    shutil.rmtree(copy / "keys")
    shutil.copytree(home.path / "keys", copy / "keys")
    with pytest.raises(ConfidentialityError) as caught:
        Home.open(copy).waves.open(ID).read("child").read_all()
    assert caught.value.code == "C004"


def test_figures_that_wait_for_publication_go_with_their_submission(home: Home) -> None:
    steps.publish(home.path, "2026-Q4", by="")
    assert home.prepared.labels() == ["2026-Q4"]
    withdraw_submission(home.path, ID, who="test", reason="test")
    assert home.prepared.labels() == []
    assert not [path for path in (home.path / "prepared").rglob("*.parquet")]


def test_a_withdrawal_that_was_killed_is_finished_by_the_next(home: Home, tmp_path: Path) -> None:
    wrapped = wrapped_keys(home.path, ("waves",), ID)
    # killed after the files were deleted, before the country's key was replaced
    home.audit.append("withdrawal.begun", WAVE)
    home.registry.withdraw(ID, who="test", reason="test")
    home.waves.destroy(ID)
    assert still_readable(home.keys, "XAA", wrapped)
    withdraw_submission(home.path, ID, who="test", reason="test")
    assert not still_readable(Home.open(home.path).keys, "XAA", wrapped)
    present = home.keys.key_id("XAA")
    assert withdraw_submission(home.path, ID, who="test", reason="test").data_keys == 0
    assert Home.open(home.path).keys.key_id("XAA") == present  # nothing was due


def test_a_country_whose_keys_went_first_is_cleared_away(home: Home) -> None:
    home.keys.destroy("XAA")  # and here the process was killed
    withdraw_country(home.path, "XAA", who="test", reason="test")
    assert not home.waves.exists(ID)
    assert home.registry.get(ID).state == State.WITHDRAWN
    with pytest.raises(ConfidentialityError) as caught:
        withdraw_country(home.path, "XAA", who="test", reason="test")
    assert caught.value.code == "C001"


def test_a_country_is_gone_in_every_copy(home: Home, tmp_path: Path) -> None:
    copy = tmp_path / "backup"
    shutil.copytree(home.path, copy)
    assert Home.open(copy).waves.open(ID).read("child").read_all().num_rows  # the twin
    withdraw_country(home.path, "XAA", who="test", reason="the agreement ended")
    assert "XAA" not in home.keys.areas()
    assert not [path for path in home.path.rglob("XAA_*") if path.suffix == ".parquet"]
    shutil.rmtree(copy / "keys")
    shutil.copytree(home.path / "keys", copy / "keys")
    for read in (
        lambda: Home.open(copy).waves.open(ID).read("child").read_all(),
        lambda: Home.open(copy).warehouse.read([ID]),
    ):
        with pytest.raises(ConfidentialityError) as caught:
            read()
        assert caught.value.code == "C001"
    parquet = next((copy / "waves").rglob("child.parquet"))
    with pytest.raises((OSError, pa.ArrowException)):
        pq.read_table(parquet)
    assert home.audit.verify() == []
