"""Number 17: once a country's keys are destroyed, nothing of it opens, in the home or in an old copy of it.

The twin deletes the files instead: the copy that somebody made before still opens.
"""

from __future__ import annotations

import datetime as dt
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from copstats.errors import ConfidentialityError, SubmissionError
from copstats.store.home import Home
from copstats.store.parcel import open_parcel
from copstats.store.parcel_payload import decrypt_tables
from copstats.store.rotation import rotate
from copstats.store.schemas import ESTIMATES
from tests.attack.parcels import sides
from tests.store.test_ledger import propose

WAVE, OTHER = "KEN_2026_COPS_v01_M", "UGA_2026_COPS_v01_M"
ANSWER = "zqkanari answer"
CHILD = pa.table({"child_id": [f"{n}" for n in range(50)], "answer": [ANSWER] * 50})


def estimates(submission_id: str) -> pa.Table:
    texts = {f.name: "_T" for f in ESTIMATES if f.type == pa.string() and not f.nullable}
    counts = {f.name: 30 for f in ESTIMATES if f.type == pa.int64() and not f.nullable}
    row = {**texts, **counts, "submission_id": submission_id, "reference_year": 2026, "state": "estimated"}
    return pa.Table.from_pylist([row], schema=ESTIMATES)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.open(tmp_path / "home", create=True)
    for wave in (WAVE, OTHER):
        home.waves.write(wave, wave[:3], {"child": CHILD, "parent": CHILD})
        home.waves.write_cells(wave, "f", {"sums": CHILD})
        home.warehouse.write(wave, "f", estimates(wave))
        home.quarantine.put(wave[:3], {"child.csv": lambda: io.BytesIO(ANSWER.encode())}, upload_id=wave)
        home.tombstones.add(wave.partition("_v")[0], ["0" * 32])
        propose(home, 24.6, submission_id=wave)
    return home


def copied(home: Home, place: Path, *, with_keys: bool) -> Home:
    """What a backup, or a thief, took: all files, or all but the keys."""
    shutil.copytree(home.path, place)
    if not with_keys:
        shutil.rmtree(place / "keys")
        (place / "keys").mkdir(mode=0o700)
    return Home.open(place)


READS: dict[str, Callable[[Home, str], object]] = {
    "child": lambda home, wave: home.waves.read(wave, "child").read_all(),
    "parent": lambda home, wave: home.waves.read(wave, "parent").read_all(),
    "sums by PSU": lambda home, wave: home.waves.read_cells(wave, "f"),
    "estimates": lambda home, wave: home.warehouse.read([wave]),
    "raw upload": lambda home, wave: home.quarantine.open(wave).document("child.csv"),
    "withdrawn children": lambda home, wave: home.tombstones.tokens(wave.partition("_v")[0]),
    "values before a release": lambda home, wave: home.ledger.content(wave.partition("_v")[0], 1),
}


def refused(read: Callable[[], object]) -> str:
    with pytest.raises(ConfidentialityError) as refusal:
        read()
    assert ANSWER not in f"{refusal.value!r}{refusal.value.as_dict()}"
    return refusal.value.code


def test_deleting_files_leaves_the_copy_that_somebody_made(home: Home, tmp_path: Path) -> None:
    copy = copied(home, tmp_path / "copy", with_keys=True)
    home.waves.destroy(WAVE)
    home.warehouse.destroy(WAVE)
    home.quarantine.destroy(WAVE, "expired")
    for read in READS.values():
        assert read(copy, WAVE) is not None  # twin: the attack works


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_without_the_key_neither_the_home_nor_an_old_copy_opens(
    home: Home, tmp_path: Path, read: Callable[[Home, str], object]
) -> None:
    copy = copied(home, tmp_path / "copy", with_keys=False)
    stale = Home.open(home.path)  # open before, as a process that goes on running
    assert read(stale, WAVE) is not None
    assert "KEN" in home.keys.destroy("KEN")
    for where in (home, stale, Home.open(home.path), copy):
        assert refused(lambda where=where: read(where, WAVE)) == "C001"
    assert read(home, OTHER) is not None  # of another country nothing is lost


def test_a_new_key_does_not_bring_anything_back(home: Home) -> None:
    home.keys.destroy("KEN")
    home.keys.create("KEN")
    for read in READS.values():
        assert refused(lambda read=read: read(home, WAVE)) == "C004"


def test_no_copy_of_the_key_stays_behind(home: Home) -> None:
    key = (home.path / "keys" / "KEN.key").read_bytes().strip()
    raw = bytes.fromhex(key.decode())
    home.keys.destroy("KEN")
    for path in (path for path in home.path.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert key not in content, path.name
        assert raw not in content, path.name
    assert not [name for name in home.keys.names() if name.startswith("KEN")]


def test_a_rotation_in_between_changes_nothing(home: Home, tmp_path: Path) -> None:
    before = copied(home, tmp_path / "before", with_keys=False)
    rotate(home.path, home.keys, "KEN", dt.date(2026, 12, 1))
    assert home.waves.read(WAVE, "child").read_all().num_rows == 50
    home.keys.destroy("KEN")
    for where in (home, before):
        for read in READS.values():
            assert refused(lambda read=read, where=where: read(where, WAVE)) == "C001"


def test_a_sealed_file_that_somebody_kept_is_lost_with_the_receiving_key(tmp_path: Path) -> None:
    both = sides(tmp_path, "KEN")
    parcel = open_parcel(both.sealed())
    parcel.verify(both.public("KEN").public_key)
    keys = both.home.keys
    assert parcel.tables(keys.receiving_identity())["child"].num_rows == 40
    (keys.folder / "receiving.key").unlink()
    assert refused(keys.receiving_identity) == "C001"
    keys.create("receiving")
    with pytest.raises(SubmissionError) as refusal:
        parcel.tables(keys.receiving_identity())
    assert refusal.value.code == "S314"
    with pytest.raises(ConfidentialityError) as refused_too:  # without the comparison of fingerprints
        decrypt_tables(parcel._payload, keys.receiving_identity(), parcel.head.binding, {}, {})
    assert refused_too.value.code == "C315"
