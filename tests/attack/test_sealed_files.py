"""Number 16: reading, changing and swapping encrypted files, in the home and on their way from an office.

Twins: a plain Parquet file, one that is encrypted but bound to nothing, a reader that takes plain files
too, and an envelope without a signature.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pyrage
import pytest

from copstats.errors import ConfidentialityError, CopstatsError, SubmissionError
from copstats.steps import ingest
from copstats.store.archive import pack, unpack
from copstats.store.home import Home
from copstats.store.parcel import open_parcel
from tests.attack.parcels import ANSWER, ON, TABLES, Sides, sides

WAVE, VERSION, ROUND, COUNTRY = (
    "KEN_2026_COPS_v01_M",
    "KEN_2026_COPS_v02_M",
    "KEN_2028_COPS_v01_M",
    "UGA_2026_COPS_v01_M",
)
CHILD = TABLES["child"]
FORGED = CHILD.set_column(1, "answer", pa.array(["forged"] * CHILD.num_rows))
KEY = bytes(range(32))


# --- in the home -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home.open(tmp_path_factory.mktemp("sealed") / "home", create=True)
    for wave in (WAVE, VERSION, ROUND, COUNTRY):
        home.waves.write(wave, wave[:3], TABLES)
    return home.path


@pytest.fixture
def home(original: Path, tmp_path: Path) -> Home:
    shutil.copytree(original, tmp_path / "home")
    return Home.open(tmp_path / "home")


def file(home: Home, wave: str = WAVE, record: str = "child") -> Path:
    return home.path / "waves" / wave / f"{record}.parquet"


def seal(home: Home, wave: str = WAVE, record: str = "child") -> Path:
    return home.path / "waves" / wave / f"{record}.key.json"


def rehash(home: Home) -> None:
    """What an attacker who can write the folder does as well: the hash beside the file fits again."""
    said = json.loads(seal(home).read_text())
    said["sha256"] = hashlib.sha256(file(home).read_bytes()).hexdigest()
    seal(home).write_text(json.dumps(said))


def refused(home: Home) -> str:
    with pytest.raises(ConfidentialityError) as refusal:
        home.waves.read(WAVE, "child").read_all()
    assert ANSWER not in f"{refusal.value!r}{refusal.value}{refusal.value.as_dict()}"
    assert refusal.value.__cause__ is None
    return refusal.value.code


def plain(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="none", use_dictionary=False, write_page_checksum=False)
    return sink.getvalue()


def encrypted(table: pa.Table, key: bytes, bound_to: str | None) -> bytes:
    aad = {} if bound_to is None else {"aad_prefix": bound_to.encode(), "store_aad_prefix": False}
    sink = io.BytesIO()
    pq.write_table(table, sink, encryption_properties=pe.create_encryption_properties(key, **aad))
    return sink.getvalue()


def opened(content: bytes, key: bytes, *, plaintext: bool = False) -> pa.Table:
    properties = pe.create_decryption_properties(key, allow_plaintext_files=plaintext)
    return pq.ParquetFile(io.BytesIO(content), decryption_properties=properties).read()


def test_a_stolen_file_reads_itself_unless_it_is_encrypted(home: Home, tmp_path: Path) -> None:
    (tmp_path / "twin.parquet").write_bytes(plain(CHILD))
    count = "SELECT count(*) FROM read_parquet($1) WHERE answer = $2"
    assert duckdb.execute(count, [str(tmp_path / "twin.parquet"), ANSWER]).fetchone() == (40,)
    for key in (None, KEY, bytes(32)):
        with pytest.raises((OSError, pa.ArrowException, duckdb.Error, ValueError)):
            if key is None:
                duckdb.execute(count, [str(file(home)), ANSWER])
            else:
                opened(file(home).read_bytes(), key, plaintext=True)
    content = file(home).read_bytes()
    assert not any(word in content for word in (ANSWER.encode(), b"child_id", b"answer", WAVE.encode()))


def test_another_key_opens_nothing(home: Home) -> None:
    """Neither another country's root in its place, nor another data key that is wrapped as it should be."""
    said = json.loads(seal(home).read_text())
    other = json.loads(seal(home, COUNTRY).read_text())
    seal(home).write_text(json.dumps(said | {"wrapped_key": other["wrapped_key"]}))
    assert refused(home) == "C004"
    drawn = home.keys.wrap("KEN", os.urandom(32))
    seal(home).write_text(json.dumps(said | {"wrapped_key": msgspec.to_builtins(drawn)}))
    assert refused(home) == "C005"


def test_a_changed_answer_goes_unnoticed_in_a_plain_file_and_not_in_ours(home: Home) -> None:
    twin = plain(CHILD).replace(ANSWER.encode(), ANSWER.upper().encode())
    assert set(pq.read_table(io.BytesIO(twin))["answer"].to_pylist()) == {ANSWER.upper()}
    whole = file(home).read_bytes()
    for place in range(4, len(whole) - 8, max(1, len(whole) // 60)):
        file(home).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert refused(home) == "C005"
        rehash(home)
        assert refused(home) == "C005"


def test_a_plain_file_takes_the_place_of_an_encrypted_one_and_not_of_ours(home: Home) -> None:
    forged = plain(FORGED)
    assert opened(encrypted(CHILD, KEY, None), KEY).equals(CHILD)
    assert opened(forged, KEY, plaintext=True).equals(FORGED)  # twin: a reader that takes both
    file(home).write_bytes(forged)
    rehash(home)
    assert refused(home) == "C005"


SWAPS = {
    "another role": (WAVE, "parent"),
    "another version": (VERSION, "child"),
    "another round": (ROUND, "child"),
    "another country": (COUNTRY, "child"),
}


def test_an_unbound_file_takes_the_place_of_another() -> None:
    """Twin: encrypted under the key of its country, authenticated in itself, and still of another wave."""
    assert opened(encrypted(FORGED, KEY, None), KEY).equals(FORGED)
    with pytest.raises((OSError, pa.ArrowException)):
        opened(encrypted(FORGED, KEY, "KEN|KEN_2028_COPS"), KEY)


@pytest.mark.parametrize("swap", SWAPS.values(), ids=SWAPS)
def test_a_file_of_ours_does_not_open_in_the_place_of_another(home: Home, swap: tuple[str, str]) -> None:
    assert home.waves.read(*swap).read_all().num_rows == 40
    shutil.copyfile(file(home, *swap), file(home))
    shutil.copyfile(seal(home, *swap), seal(home))
    assert refused(home) == ("C004" if swap[0] == COUNTRY else "C005")


def test_not_even_under_the_same_root(home: Home) -> None:
    """Another country's file, with both countries under one key: the binding alone holds."""
    for path in (home.path / "keys").glob("KEN*.key"):
        (path.parent / path.name.replace("KEN", "UGA")).write_bytes(path.read_bytes())
    again = Home.open(home.path)
    again.waves.destroy(COUNTRY)
    again.waves.write(COUNTRY, "UGA", TABLES)
    shutil.copyfile(file(again, COUNTRY), file(again))
    shutil.copyfile(seal(again, COUNTRY), seal(again))
    assert refused(again) == "C005"


# --- on the way from an office ---------------------------------------------------------------------------

PARTS = ("seal.json", "seal.sig", "payload.age")


@pytest.fixture
def two(tmp_path: Path) -> Sides:
    return sides(tmp_path, "KEN", "UGA")


def snapshot(home: Home) -> dict[str, bytes]:
    """All files of the home but the log, the registry's journal and locks."""
    return {
        str(path.relative_to(home.path)): path.read_bytes()
        for path in sorted(home.path.rglob("*"))
        if path.is_file() and path.name != "audit.log" and not path.name.endswith((".lock", "-wal", "-shm"))
    }


def turned_away(two: Sides, path: Path) -> str:
    """Send a file in; return the code with which it is refused, and see that nothing but the log changed."""
    before, entries = snapshot(two.home), len(list(two.home.audit.entries()))
    with pytest.raises(CopstatsError) as refusal:
        ingest(two.home.path, path)
    assert isinstance(refusal.value, ConfidentialityError | SubmissionError)
    assert ANSWER not in f"{refusal.value!r}{refusal.value}{refusal.value.as_dict()}"
    assert two.home.registry.submissions() == []
    after = snapshot(two.home)
    assert {name: after[name] for name in before if name != "registry.sqlite"} == {
        name: content for name, content in before.items() if name != "registry.sqlite"
    }
    assert not [name for name in after if name.startswith(("waves/", "quarantine/", "warehouse/"))]
    told = list(two.home.audit.entries())[entries:]
    assert told[-1]["action"] == "parcel.refused"
    assert told[-1]["facts"]["code"] == refusal.value.code
    assert two.home.audit.verify() == []
    return refusal.value.code


def parts_of(path: Path) -> dict[str, bytes]:
    return unpack(path.read_bytes(), PARTS)


def test_a_sound_file_opens(two: Sides) -> None:
    """The refusals below are not for want of a file that can be opened."""
    parcel = open_parcel(two.sealed())
    parcel.verify(two.public("KEN").public_key)
    assert parcel.tables(two.home.keys.receiving_identity())["child"].equals(CHILD)


def test_anybody_can_forge_an_envelope_and_nobody_a_sealed_file(two: Sides) -> None:
    public, identity = two.recipient.age_recipient, two.home.keys.receiving_identity()
    envelope = pyrage.encrypt(plain(FORGED), [public])
    assert pq.read_table(io.BytesIO(pyrage.decrypt(envelope, [identity]))).equals(FORGED)  # twin
    path = two.sealed()
    parts = parts_of(path)
    path.write_bytes(pack(parts | {"payload.age": envelope}))
    assert turned_away(two, path) == "C313"
    # The head made to fit, too: then the signature does not.
    said = json.loads(parts["seal.json"])
    said["parts"] = {"payload.age": hashlib.sha256(envelope).hexdigest()}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    path.write_bytes(pack(parts | {"seal.json": text, "payload.age": envelope}))
    assert turned_away(two, path) == "C313"


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.2, 0.5, 0.9, 0.9999])
def test_a_file_cut_short_is_refused(two: Sides, kept: float) -> None:
    path = two.sealed()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    assert turned_away(two, path) == "S310"


@pytest.mark.parametrize("part", PARTS)
def test_a_changed_byte_is_refused(two: Sides, part: str) -> None:
    path = two.sealed()
    parts = parts_of(path)
    content = bytearray(parts[part])
    content[len(content) // 2] ^= 1
    path.write_bytes(pack(parts | {part: bytes(content)}))
    assert turned_away(two, path) in {"C313", "S310", "S313", "C311"}


def test_a_payload_from_another_sealed_file_is_refused(two: Sides) -> None:
    other = parts_of(two.sealed(reference_year=2028))
    path = two.sealed()
    path.write_bytes(pack(parts_of(path) | {"payload.age": other["payload.age"]}))
    assert turned_away(two, path) == "C313"
    path.write_bytes(pack(parts_of(two.sealed()) | {"seal.sig": other["seal.sig"]}))
    assert turned_away(two, path) == "C313"


def test_one_country_cannot_send_for_another(two: Sides) -> None:
    assert turned_away(two, two.sealed("KEN", signed_by="UGA")) == "C311"


def test_an_unknown_signature_is_refused(two: Sides) -> None:
    assert turned_away(two, two.sealed("KEN", signed_by="XAA")) == "C311"


def test_a_revoked_signature_is_refused(two: Sides) -> None:
    path = two.sealed()
    two.home.keys.registered.revoke("KEN", two.public("KEN").fingerprint, ON)
    assert turned_away(two, path) == "C312"


def test_a_file_for_another_receiver_is_refused(two: Sides, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    elsewhere = sides(tmp_path / "elsewhere", "KEN")
    two.home.keys.registered.register(elsewhere.public("KEN"), ON)
    assert turned_away(two, elsewhere.sealed()) in {"S313", "S314", "S315"}


REWRITTEN: dict[str, Callable[[dict[str, object]], dict[str, object]]] = {
    "area": lambda said: said | {"ref_area": "UGA", "submission_id": "UGA_2026_COPS_v01_M"},
    "round": lambda said: said | {"reference_year": 2028, "submission_id": "KEN_2028_COPS_v01_M"},
    "version": lambda said: said | {"version": 2, "submission_id": "KEN_2026_COPS_v02_M"},
    "linkage": lambda said: said | {"linkage": "panel"},
    "records": lambda said: said | {"records": {"child": 1, "parent": 40}},
}


@pytest.mark.parametrize("rewrite", REWRITTEN.values(), ids=REWRITTEN)
def test_a_rewritten_head_is_refused(
    two: Sides, rewrite: Callable[[dict[str, object]], dict[str, object]]
) -> None:
    path = two.sealed()
    parts = parts_of(path)
    text = json.dumps(rewrite(json.loads(parts["seal.json"])), sort_keys=True, separators=(",", ":"))
    path.write_bytes(pack(parts | {"seal.json": text.encode()}))
    assert turned_away(two, path) in {"C311", "C313"}
