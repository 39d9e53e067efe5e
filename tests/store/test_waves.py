from __future__ import annotations

import base64
import hashlib
import json
import pickle
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.parquet import encryption

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.engine import memory_connection
from copstats.store.home import Home

WAVE, OTHER = "XAA_2026_COPS_v01_M", "XAA_2026_COPS_v02_M"
CANARY = "CANARY-7f3a-child-said-this"


@pytest.fixture
def child() -> pa.Table:
    """A child table with an unmistakable text in a cell, in a column's name and in the metadata."""
    table = pa.table(
        {
            "child_id": [f"{CANARY}-{n}" for n in range(2000)],
            "age": pa.array([9 + n % 9 for n in range(2000)], pa.int32()),
            f"column_{CANARY}": pa.array([n / 7 for n in range(2000)]),
        }
    )
    return table.replace_schema_metadata({"origin": f"C:/Users/{CANARY}/survey.sav"})


def refused(home: Home, record: str = "child", submission_id: str = WAVE) -> str:
    with pytest.raises(ConfidentialityError) as error:
        home.waves.read(submission_id, record).read_all()
    assert CANARY not in f"{error.value!r}{error.value}{error.value.as_dict()}"
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return error.value.code


@pytest.fixture
def sealed(home: Home, child: pa.Table) -> Home:
    home.waves.write(WAVE, "XAA", {"child": child, "parent": child.select(["age"])})
    return home


def test_what_was_sealed_comes_back_as_a_stream(sealed: Home, child: pa.Table) -> None:
    wave = Home.open(sealed.path).waves.open(WAVE)
    assert (wave.submission_id, wave.area, wave.records) == (WAVE, "XAA", ("child", "parent"))
    reader = wave.read("child")
    assert isinstance(reader, pa.RecordBatchReader)
    assert reader.read_all().equals(child)
    assert wave.read("parent").read_all().equals(child.select(["age"]))
    connection = memory_connection()
    connection.register("child", wave.read("child"))
    found = connection.execute("SELECT count(*), sum(age) FROM child").fetchall()
    assert found == [(2000, sum(child["age"].to_pylist()))]


def test_large_tables_come_in_several_batches(home: Home) -> None:
    table = pa.table({"n": pa.array(range(150_000))})
    home.waves.write(WAVE, "XAA", {"child": table})
    assert [batch.num_rows for batch in home.waves.read(WAVE, "child")] == [
        65_536,
        65_536,
        150_000 - 2 * 65_536,
    ]


def test_an_empty_table_keeps_its_columns(home: Home, child: pa.Table) -> None:
    home.waves.write(WAVE, "XAA", {"child": child.slice(0, 0)})
    found = home.waves.read(WAVE, "child").read_all()
    assert (found.num_rows, found.column_names) == (0, child.column_names)


def test_no_trace_of_the_data_stands_in_the_home(sealed: Home) -> None:
    needles = {CANARY.encode(), CANARY[:12].encode(), CANARY.encode("utf-16-le")}
    needles |= {base64.b64encode(CANARY.encode())[:12], CANARY.encode().hex().encode(), b"child_id"}
    for path in (p for p in sealed.path.rglob("*") if p.is_file()):
        assert [needle for needle in needles if needle in path.read_bytes()] == [], path.name
    for path in sealed.path.rglob("*.parquet"):
        assert path.read_bytes()[:4] == path.read_bytes()[-4:] == b"PARE"


def test_no_statistics_and_no_foreign_metadata_are_written(sealed: Home) -> None:
    folder = sealed.path / "waves" / WAVE
    seal = json.loads((folder / "child.key.json").read_text())
    key = sealed.keys.unwrap("XAA", base64.b64decode(seal["wrapped_key"]))
    properties = encryption.create_decryption_properties(key, aad_prefix=f"XAA|{WAVE}|child|1|".encode())
    source = pq.ParquetFile(folder / "child.parquet", decryption_properties=properties)
    column = source.metadata.row_group(0).column(1)
    assert (column.is_stats_set, column.compression) == (False, "ZSTD")
    assert b"origin" not in (source.schema_arrow.metadata or {})


def test_other_readers_get_nothing(sealed: Home) -> None:
    path = sealed.path / "waves" / WAVE / "child.parquet"
    with pytest.raises((OSError, pa.ArrowException)):
        pq.read_table(path)
    with pytest.raises(duckdb.Error):
        duckdb.connect().execute("SELECT * FROM read_parquet($1)", [str(path)])


def test_each_file_has_its_own_key(sealed: Home) -> None:
    seals = [json.loads(p.read_text()) for p in sorted((sealed.path / "waves" / WAVE).glob("*.key.json"))]
    assert len({seal["wrapped_key"] for seal in seals}) == 2
    assert {seal["key_id"] for seal in seals} == {sealed.keys.key_id("XAA")}


def test_a_missing_or_another_country_key_is_refused(sealed: Home) -> None:
    root = sealed.path / "keys/XAA.key"
    saved = root.read_text()
    root.unlink()
    assert refused(sealed) == "C001"
    sealed.keys.wrap("XAA", bytes(32))
    assert refused(sealed) == "C004"
    root.write_text(saved)
    assert sealed.waves.read(WAVE, "child").read_all().num_rows == 2000


@pytest.mark.parametrize("with_key", [True, False])
def test_a_file_of_another_wave_is_refused(sealed: Home, child: pa.Table, with_key: bool) -> None:
    sealed.waves.write(OTHER, "XAA", {"child": child})
    here, there = (sealed.path / "waves" / name for name in (WAVE, OTHER))
    shutil.copyfile(there / "child.parquet", here / "child.parquet")
    if with_key:
        shutil.copyfile(there / "child.key.json", here / "child.key.json")
    assert refused(sealed) == "C005"


def test_a_file_of_another_record_kind_is_refused(sealed: Home) -> None:
    folder = sealed.path / "waves" / WAVE
    for suffix in ("parquet", "key.json"):
        shutil.copyfile(folder / f"child.{suffix}", folder / f"parent.{suffix}")
    assert refused(sealed, "parent") == "C005"


def forge_hash(folder: Path) -> None:
    seal = json.loads((folder / "child.key.json").read_text())
    seal["sha256"] = hashlib.sha256((folder / "child.parquet").read_bytes()).hexdigest()
    (folder / "child.key.json").write_text(json.dumps(seal))


PLACES = [4, 9, 0.1, 0.3, 0.5, 0.7, 0.9, -60, -9, -5, -1]


# The four letters at the front of a Parquet file carry nothing; only the hash covers them.
@pytest.mark.parametrize(("place", "forged"), [(0, False), *((p, f) for p in PLACES for f in (False, True))])
def test_a_flipped_bit_is_refused(sealed: Home, place: float, forged: bool) -> None:
    folder = sealed.path / "waves" / WAVE
    data = bytearray((folder / "child.parquet").read_bytes())
    data[int(place * len(data)) if isinstance(place, float) else place] ^= 1
    (folder / "child.parquet").write_bytes(data)
    if forged:
        forge_hash(folder)
    assert refused(sealed) == "C005"


@pytest.mark.parametrize("forged", [False, True])
def test_a_plain_file_in_its_place_is_refused(sealed: Home, child: pa.Table, forged: bool) -> None:
    folder = sealed.path / "waves" / WAVE
    pq.write_table(child, folder / "child.parquet")
    if forged:
        forge_hash(folder)
    assert refused(sealed) == "C005"


@pytest.mark.parametrize("cut", [0, 1, 100, 5000])
def test_a_cut_file_is_refused(sealed: Home, cut: int) -> None:
    folder = sealed.path / "waves" / WAVE
    (folder / "child.parquet").write_bytes((folder / "child.parquet").read_bytes()[:cut])
    forge_hash(folder)
    assert refused(sealed) == "C005"


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"layout": 1}', "\xff"])
def test_a_changed_seal_is_refused(sealed: Home, text: str) -> None:
    (sealed.path / "waves" / WAVE / "child.key.json").write_bytes(text.encode("latin-1"))
    assert refused(sealed) == "C005"


@pytest.mark.parametrize("name", ["child.parquet", "child.key.json"])
def test_a_missing_part_is_refused(sealed: Home, name: str) -> None:
    (sealed.path / "waves" / WAVE / name).unlink()
    assert refused(sealed) == "C005"
    assert refused(sealed, "parent") == "C005"


def test_a_wave_is_written_once_and_replaced_only_on_purpose(sealed: Home, child: pa.Table) -> None:
    with pytest.raises(UsageError) as error:
        sealed.waves.write(WAVE, "XAA", {"child": child})
    assert error.value.code == "U016"
    assert sealed.waves.records(WAVE) == ("child", "parent")
    sealed.waves.write(WAVE, "XAA", {"child": child.slice(0, 10)}, replace=True)
    assert sealed.waves.records(WAVE) == ("child",)
    assert sealed.waves.read(WAVE, "child").read_all().num_rows == 10


def test_a_destroyed_wave_is_gone(sealed: Home) -> None:
    wave = sealed.waves.open(WAVE)
    sealed.waves.destroy(WAVE)
    assert not sealed.waves.exists(WAVE)
    assert list((sealed.path / "waves").iterdir()) == []
    for use in (
        lambda: wave.read("child"),
        lambda: sealed.waves.open(WAVE),
        lambda: sealed.waves.destroy(WAVE),
    ):
        with pytest.raises(UsageError) as error:
            use()
        assert error.value.code == "U017"


def test_what_fails_while_it_is_sealed_leaves_nothing(home: Home, child: pa.Table) -> None:
    with pytest.raises(UsageError):
        home.waves.write(WAVE, "XAA", {"child": child, "../parent": child})
    assert list((home.path / "waves").iterdir()) == []
    assert not home.waves.exists(WAVE)


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "XAA_2026_COPS_v01_M/..", "XAA_2026_COPS_v01_M\n", "xaa_2026_COPS_v01_M"]
)
def test_names_that_could_leave_the_folder_are_refused(sealed: Home, child: pa.Table, name: str) -> None:
    for use in (
        lambda: sealed.waves.write(name, "XAA", {"child": child}),
        lambda: sealed.waves.read(name, "child"),
        lambda: sealed.waves.exists(name),
        lambda: sealed.waves.destroy(name),
    ):
        with pytest.raises(UsageError):
            use()
    with pytest.raises(UsageError):
        sealed.waves.read(WAVE, f"../{WAVE}/child")
    with pytest.raises(UsageError):
        sealed.waves.write("XBB_2026_COPS_v01_M", "XAA", {"child": child})


def test_a_handle_cannot_be_stored_or_sent(sealed: Home) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(sealed.waves.open(WAVE))
