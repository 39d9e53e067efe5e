"""The sealed file: made and read by copstats, and held against a maker and a reader of its own."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from copstats.errors import ConfidentialityError, CopstatsError, SubmissionError, UsageError
from copstats.store.archive import NotThisForm, pack, unpack
from copstats.store.custody.public import ReceivingKeyPublic, SigningKeyPublic
from copstats.store.parcel import ParcelHead, open_parcel, parcel_name, write_parcel

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
IDENTITY = pyrage.x25519.Identity.generate()
RECIPIENT = ReceivingKeyPublic(str(IDENTITY.to_public()))
ID = "KEN_2026_COPS_v01_M"
TABLES = {
    "child": pa.table({"child_id": ["a1", "b2", "c3"], "age": pa.array([9, 10, None], pa.int32())}),
    "parent": pa.table({"child_id": ["a1"], "weight": [1.5]}),
}
AAD = "KEN|KEN_2026_COPS|v01|{}"


def head(**changes: Any) -> ParcelHead:
    said: dict[str, Any] = {
        "submission_id": ID,
        "ref_area": "KEN",
        "survey": "COPS",
        "reference_year": 2026,
        "version": 1,
        "framework": "cop-2026",
        "framework_fingerprint": "f" * 64,
        "code_version": "0.1",
        "content_hash": "c" * 64,
        "linkage": "wave",
        "key_id": "k" * 16,
        "manifest": {"title": {"fr": "Enquête"}, "modules": ["use"]},
        "crosswalk": None,
        "summary": '{"schema":"copstats-summary-1"}',
        "risk": {"smallest_k": 3},
    }
    return ParcelHead(**(said | changes))


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / parcel_name(ID)
    write_parcel(path, head(), TABLES, SIGNER, RECIPIENT)
    return path


def parquet(table: pa.Table, key: bytes, aad: str) -> bytes:
    sink = pa.BufferOutputStream()
    properties = pe.create_encryption_properties(key, aad_prefix=aad.encode(), store_aad_prefix=False)
    pq.write_table(table, sink, encryption_properties=properties)
    return sink.getvalue().to_pybytes()


def forge(
    path: Path,
    files: Mapping[str, bytes],
    keys: Mapping[str, bytes],
    said: Mapping[str, Any] = {},
    recipient: Any = None,
) -> Path:
    """Write a sealed file by hand, signed by the right country: what its own office could have made."""
    packed = pack({**files, "keys.json": msgspec.json.encode(keys)})
    payload = pyrage.encrypt(packed, [recipient or IDENTITY.to_public()])
    described = json.loads(
        head(
            columns={"child": TABLES["child"].column_names},
            records={"child": 3},
            parts={"payload.age": hashlib.sha256(payload).hexdigest()},
            signing_key=SigningKeyPublic.of("KEN", SIGNER.public_key()).fingerprint,
            receiving_key=RECIPIENT.fingerprint,
        ).as_bytes()
    )
    text = json.dumps(described | said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    signature = SIGNER.sign(b"copstats-sealed-1\n" + text)
    path.write_bytes(pack({"seal.json": text, "seal.sig": signature, "payload.age": payload}))
    return path


def read(path: Path, identity: Any = IDENTITY) -> dict[str, pa.Table]:
    parcel = open_parcel(path)
    parcel.verify(SIGNER.public_key())
    return parcel.tables(identity)


def refused(path: Path, identity: Any = IDENTITY) -> str:
    with pytest.raises(CopstatsError) as error:
        read(path, identity)
    assert isinstance(error.value, SubmissionError | ConfidentialityError)
    assert not any(value in str(error.value) for value in ("a1", "b2", "1.5"))
    return error.value.code


def test_what_was_sealed_comes_back(sealed: Path) -> None:
    parcel = open_parcel(sealed)
    assert parcel.head == head(
        columns={"child": ["child_id", "age"], "parent": ["child_id", "weight"]},
        records={"child": 3, "parent": 1},
        parts=parcel.head.parts,
        signing_key=SigningKeyPublic.of("KEN", SIGNER.public_key()).fingerprint,
        receiving_key=RECIPIENT.fingerprint,
    )
    parcel.verify(SIGNER.public_key())
    tables = parcel.tables(IDENTITY)
    assert tables.keys() == TABLES.keys()
    assert all(tables[kind].equals(TABLES[kind]) for kind in TABLES)
    assert sealed.stat().st_mode & 0o777 == 0o600


def test_other_programs_read_it_as_documented(sealed: Path) -> None:
    with zipfile.ZipFile(sealed) as archive:
        assert archive.namelist() == ["seal.json", "seal.sig", "payload.age"]
        assert {(e.date_time, e.compress_type) for e in archive.infolist()} == {((1980, 1, 1, 0, 0, 0), 0)}
        text, signature, payload = map(archive.read, archive.namelist())
    SIGNER.public_key().verify(signature, b"copstats-sealed-1\n" + text)
    said = json.loads(text)
    assert list(said) == sorted(said)
    assert said["parts"] == {"payload.age": hashlib.sha256(payload).hexdigest()}
    with zipfile.ZipFile(io.BytesIO(pyrage.decrypt(payload, [IDENTITY]))) as inner:
        assert inner.namelist() == ["child.parquet", "parent.parquet", "keys.json"]
        keys = {kind: base64.b64decode(key) for kind, key in json.loads(inner.read("keys.json")).items()}
        for kind, table in TABLES.items():
            opening = pe.create_decryption_properties(keys[kind], aad_prefix=AAD.format(kind).encode())
            content = inner.read(f"{kind}.parquet")
            assert content[:4] == content[-4:] == b"PARE"  # the footer is encrypted too
            file = pq.ParquetFile(io.BytesIO(content), decryption_properties=opening)
            assert file.read().equals(table)
            assert not file.metadata.row_group(0).column(0).is_stats_set


def test_the_head_is_the_same_every_time(tmp_path: Path) -> None:
    written = [write_parcel(tmp_path / name, head(), TABLES, SIGNER, RECIPIENT) for name in ("one", "two")]
    assert written[0].parts != written[1].parts  # fresh keys
    texts = {msgspec.structs.replace(one, parts={}).as_bytes() for one in written}
    assert len(texts) == 1


def test_archives_have_one_form() -> None:
    packed = pack({"a": b"1", "b": b"23"})
    # The same bytes under every version of Python, else files sealed elsewhere would be refused.
    assert hashlib.sha256(packed).hexdigest() == ARCHIVE
    assert unpack(packed, ("a", "b")) == {"a": b"1", "b": b"23"}
    for other in (
        packed + b"x",
        b"x" + packed,
        packed[:-1],
        b"",
        pack({"a": b"1"}),
        pack({"c": b"1", "b": b""}),
    ):
        with pytest.raises(NotThisForm):
            unpack(other, ("a", "b"))


ARCHIVE = "02543eb2a842185bef39de1e1b358bcc2978c79dc163e96ba236e273cf651f44"


@given(st.data())
@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_changed_byte_anywhere_is_refused(sealed: Path, data: st.DataObject) -> None:
    whole = sealed.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255))
    path = sealed.with_name("changed")
    path.write_bytes(changed)
    assert refused(path) in {"S310", "S311", "S313", "C311", "C313"}


@given(st.data())
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_cut_file_is_refused(sealed: Path, data: st.DataObject) -> None:
    whole = sealed.read_bytes()
    path = sealed.with_name("cut")
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert refused(path) == "S310"


@given(st.binary(max_size=200))
def test_anything_else_is_no_sealed_file(content: bytes) -> None:
    with pytest.raises(NotThisForm):
        unpack(content, ("seal.json", "seal.sig", "payload.age"))


def test_another_recipient_cannot_read_it(sealed: Path, tmp_path: Path) -> None:
    other = pyrage.x25519.Identity.generate()
    assert refused(sealed, other) == "S314"
    key = bytes(range(32))
    lying = forge(
        tmp_path / "lying",
        {"child.parquet": parquet(TABLES["child"], key, AAD.format("child"))},
        {"child": key},
        recipient=other.to_public(),
    )
    assert refused(lying) == "C315"


def test_another_signer_is_refused(sealed: Path) -> None:
    with pytest.raises(ConfidentialityError) as error:
        open_parcel(sealed).verify(Ed25519PrivateKey.generate().public_key())
    assert error.value.code == "C311"
    # A head that claims the country's key, signed by somebody else.
    parts = unpack(sealed.read_bytes(), ("seal.json", "seal.sig", "payload.age"))
    stranger = Ed25519PrivateKey.generate()
    parts["seal.sig"] = stranger.sign(b"copstats-sealed-1\n" + parts["seal.json"])
    sealed.write_bytes(pack(parts))
    assert refused(sealed) == "C313"


def test_a_payload_of_another_file_is_refused(sealed: Path, tmp_path: Path) -> None:
    write_parcel(tmp_path / "other", head(), TABLES, SIGNER, RECIPIENT)
    names = ("seal.json", "seal.sig", "payload.age")
    parts = unpack(sealed.read_bytes(), names)
    parts["payload.age"] = unpack((tmp_path / "other").read_bytes(), names)["payload.age"]
    sealed.write_bytes(pack(parts))
    assert refused(sealed) == "C313"


def test_nothing_is_decrypted_unverified(sealed: Path) -> None:
    with pytest.raises(ConfidentialityError) as error:
        open_parcel(sealed).tables(IDENTITY)
    assert error.value.code == "C316"


KEY = bytes(range(32))
GOOD = parquet(TABLES["child"], KEY, AAD.format("child"))


def test_the_forger_makes_good_files_too(tmp_path: Path) -> None:
    path = forge(tmp_path / "good", {"child.parquet": GOOD}, {"child": KEY})
    assert read(path)["child"].equals(TABLES["child"])


@pytest.mark.parametrize(
    "aad",
    [
        "KEN|KEN_2025_COPS|v01|child",
        "KEN|KEN_2026_COPS|v02|child",
        "UGA|UGA_2026_COPS|v01|child",
        AAD.format("parent"),
    ],
)
def test_a_file_of_another_wave_version_country_or_role_is_refused(tmp_path: Path, aad: str) -> None:
    swapped = parquet(TABLES["child"], KEY, aad)
    assert refused(forge(tmp_path / "swapped", {"child.parquet": swapped}, {"child": KEY})) == "C315"


def test_plain_parquet_is_refused(tmp_path: Path) -> None:
    pq.write_table(TABLES["child"], tmp_path / "plain.parquet")
    plain = (tmp_path / "plain.parquet").read_bytes()
    assert refused(forge(tmp_path / "plain", {"child.parquet": plain}, {"child": KEY})) == "C315"


@pytest.mark.parametrize(
    "said",
    [
        {"columns": {"child": ["child_id"]}},
        {"columns": {"child": ["age", "child_id"]}},
        {"columns": {"child": ["child_id", "age", "name"]}},
        {"columns": {"child": ["child_id", "age"], "parent": []}, "records": {"child": 3, "parent": 0}},
        {"columns": {}, "records": {}},
        {"records": {"child": 2}},
        {"records": {}},
    ],
)
def test_a_head_that_promises_something_else_is_refused(tmp_path: Path, said: dict[str, Any]) -> None:
    path = forge(tmp_path / "other", {"child.parquet": GOOD}, {"child": KEY}, said)
    assert refused(path) == "C314"


@pytest.mark.parametrize(
    "name", ["../child.parquet", "/etc/child.parquet", "child.parquet/..", "parent.parquet"]
)
def test_names_in_the_payload_lead_nowhere(tmp_path: Path, name: str) -> None:
    assert refused(forge(tmp_path / "names", {name: GOOD}, {"child": KEY})) == "C314"
    assert [p.name for p in tmp_path.iterdir()] == ["names"]


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(32), bytes(33)])
def test_a_wrong_data_key_is_refused(tmp_path: Path, key: bytes) -> None:
    assert refused(forge(tmp_path / "keys", {"child.parquet": GOOD}, {"child": key})) == "C315"


def test_a_bomb_is_refused_by_its_footer(tmp_path: Path) -> None:
    zeros = pa.table({"child_id": pa.nulls(12_000_000, pa.int8()), "age": pa.nulls(12_000_000, pa.int8())})
    bomb = parquet(zeros, KEY, AAD.format("child"))
    assert len(bomb) < 500_000
    said = {"records": {"child": zeros.num_rows}}
    assert refused(forge(tmp_path / "bomb", {"child.parquet": bomb}, {"child": KEY}, said)) == "C314"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("seal.json", "seal.sig", "payload.age"):
            archive.writestr(name, bytes(50_000_000))
    (tmp_path / "zipped").write_bytes(packed.getvalue())
    assert refused(tmp_path / "zipped") == "S310"
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**30)
    assert refused(tmp_path / "large") == "S312"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"format": "copstats-sealed-2"}, "S311"),
        ({"format": "zip"}, "S310"),
        ({"unknown": 1}, "S310"),
        ({"version": "1"}, "S310"),
        ({"linkage": "world"}, "S310"),
        ({"submission_id": "KEN_2026_COPS_v02_M"}, "S313"),
        ({"ref_area": "UGA"}, "S313"),
        ({"survey": "../x", "submission_id": "KEN_2026_../x_v01_M"}, "S313"),
    ],
)
def test_an_unusable_head_is_refused(tmp_path: Path, said: dict[str, Any], code: str) -> None:
    assert refused(forge(tmp_path / "head", {"child.parquet": GOOD}, {"child": KEY}, said)) == code


def test_a_head_has_one_way_to_be_written(sealed: Path) -> None:
    parts = unpack(sealed.read_bytes(), ("seal.json", "seal.sig", "payload.age"))
    text = parts["seal.json"]
    for other in (text.replace(b":", b": ", 1), text[:-1] + b',"version":1}', b"[" * 100_000):
        parts |= {"seal.json": other, "seal.sig": SIGNER.sign(b"copstats-sealed-1\n" + other)}
        sealed.write_bytes(pack(parts))
        assert refused(sealed) == "S310"


def test_metadata_and_unused_categories_stay_behind(tmp_path: Path) -> None:
    schools = pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int8()), ["open", "CANARY-SCHOOL"])
    described = pa.field("school", schools.type, metadata={"label": "CANARY-LABEL"})
    table = pa.Table.from_arrays([schools], schema=pa.schema([described], metadata={"path": "CANARY-PATH"}))
    path = tmp_path / "sealed"
    write_parcel(path, head(), {"child": table}, SIGNER, RECIPIENT)
    payload = unpack(path.read_bytes(), ("seal.json", "seal.sig", "payload.age"))["payload.age"]
    inner = unpack(pyrage.decrypt(payload, [IDENTITY]), ("child.parquet", "keys.json"))
    key = msgspec.json.decode(inner["keys.json"], type=dict[str, bytes])["child"]
    opening = pe.create_decryption_properties(key, aad_prefix=AAD.format("child").encode())
    file = pq.ParquetFile(io.BytesIO(inner["child.parquet"]), decryption_properties=opening)
    found = file.read()
    assert (found.schema.metadata, found.schema.field(0).metadata) == (None, None)
    assert found["school"].type == pa.string()
    canaries = [b"CANARY", base64.b64encode(b"CANARY")[:7]]
    assert not any(c in str(file.metadata.metadata).encode() for c in canaries)
    assert read(path)["child"]["school"].to_pylist() == ["open", "open"]


def test_it_is_written_whole_or_not_at_all(sealed: Path, tmp_path: Path) -> None:
    before = sealed.read_bytes()
    with pytest.raises(SubmissionError) as error:
        write_parcel(sealed, head(ref_area="UGA"), TABLES, SIGNER, RECIPIENT)
    assert error.value.code == "S313"
    with pytest.raises(UsageError):
        write_parcel(sealed, head(), {"../child": TABLES["child"]}, SIGNER, RECIPIENT)
    with pytest.raises(UsageError) as nowhere:
        write_parcel(tmp_path / "none" / "x", head(), TABLES, SIGNER, RECIPIENT)
    assert nowhere.value.code == "U321"
    assert (sealed.read_bytes(), [p.name for p in tmp_path.iterdir()]) == (before, [sealed.name])


def test_no_scheduler_can_keep_it(sealed: Path) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(open_parcel(sealed))


READ_ONLY = """
import resource, sys
from pathlib import Path
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from copstats.store.parcel import open_parcel
identity = pyrage.x25519.Identity.from_str(sys.stdin.readline().strip())
public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # the system ends a process that writes to a file
parcel = open_parcel(Path(sys.argv[1]))
parcel.verify(public)
rows = parcel.tables(identity)["child"].num_rows
try:
    Path(sys.argv[1] + ".probe").write_bytes(b"x")
except OSError:
    sys.stderr.write(f"{rows} rows, no file\\n")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_reading_writes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "sealed"
    table = pa.table({"child_id": [f"{n:032x}" for n in range(20_000)]})
    write_parcel(path, head(), {"child": table}, SIGNER, RECIPIENT)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(path), SIGNER.public_key().public_bytes_raw().hex()],
        input=str(IDENTITY),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "20000 rows, no file\n")


@pytest.mark.nightly
def test_a_large_wave_takes_less_than_three_seconds(tmp_path: Path) -> None:
    numbers = np.random.default_rng(1)
    answers = {f"v{n}": numbers.integers(-9, 5, 100_000).astype("int32") for n in range(297)}
    tokens = {f"id{n}": [f"{x:032x}" for x in numbers.integers(0, 2**60, 100_000)] for n in range(3)}
    table = pa.table({**answers, **tokens})
    path = tmp_path / "sealed"
    started = time.perf_counter()
    write_parcel(path, head(), {"child": table}, SIGNER, RECIPIENT)
    assert time.perf_counter() - started < 3
    started = time.perf_counter()
    assert read(path)["child"].equals(table)
    assert time.perf_counter() - started < 3
