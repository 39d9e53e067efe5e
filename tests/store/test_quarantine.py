"""Raw uploads: encrypted on arrival, read in place, destroyed in time; held against a reader of its own."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import io
import json
import os
import pickle
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.collect.package import Folder, Kept
from copstats.collect.readers import read_file
from copstats.errors import ConfidentialityError, CopstatsError, SubmissionError, UsageError
from copstats.framework.manifest import DataFile
from copstats.store.files import STAGING
from copstats.store.home import Home
from copstats.store.quarantine import Quarantine, Receipt
from copstats.store.rotation import rotate_wrapping
from copstats.store.sealed_stream import CHUNK, TAG, TooLarge, open_stream, seal_stream
from tests.collect.samples import encoded, write

CANARY = b"CANARY-7f3a-child-said-this"
NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
KEY, CONTEXT = bytes(range(32)), b"context"


def openers(**files: bytes) -> dict[str, Callable[[], io.BytesIO]]:
    return {name.replace("_", "."): partial(io.BytesIO, content) for name, content in files.items()}


LONG = hashlib.shake_256(b"long").digest(3 * CHUNK + 100)
FILES = {"manifest.yaml": b"ref_area: XAA " + CANARY, "data/CANARY-name.csv": CANARY + LONG, "empty.csv": b""}


@pytest.fixture
def received(home: Home) -> Receipt:
    files = {name: partial(io.BytesIO, content) for name, content in FILES.items()}
    return home.quarantine.put("XAA", files, at=NOW)


def refused(home: Home, upload_id: str) -> str:
    """Read everything of an upload and return the code with which that is refused."""
    with pytest.raises(CopstatsError) as error:
        upload = home.quarantine.open(upload_id)
        for name in upload.files:
            upload.document(name)
    assert "CANARY" not in f"{error.value!r}{error.value}{error.value.as_dict()}"
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return error.value.code


def place(home: Home, receipt: Receipt) -> Path:
    return home.path / "quarantine" / receipt.upload_id


def test_what_was_put_comes_back(home: Home, received: Receipt) -> None:
    upload = Home.open(home.path).quarantine.open(received.upload_id)
    assert {name: upload.document(name) for name in upload.files} == FILES
    assert upload.document("absent.csv") is None
    assert {name: (f.size, f.sha256) for name, f in upload.files.items()} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in FILES.items()
    }
    with pytest.raises(UsageError, match="U341"):
        upload.open("CANARY-absent.csv")
    with pytest.raises(TypeError):
        pickle.dumps(upload)


def test_the_receipt_counts_and_hashes_as_sha256sum_does(home: Home, received: Receipt) -> None:
    lines = [f"{hashlib.sha256(FILES[name]).hexdigest()}  {name}\n" for name in sorted(FILES)]
    assert received.sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert received.sizes == tuple(sorted(map(len, FILES.values())))
    assert (received.area, received.received, received.destroyed) == ("XAA", NOW, None)
    assert home.quarantine.uploads() == [received]
    assert home.quarantine.receipt(received.upload_id) == received


def test_nothing_of_it_lies_in_clear_not_even_a_name(home: Home, received: Receipt) -> None:
    upload = home.quarantine.open(received.upload_id)
    for name in upload.files:
        upload.document(name)
    home.quarantine.destroy(received.upload_id, "accepted")
    files = [path for path in home.path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert b"CANARY" not in path.read_bytes()
        assert "CANARY" not in path.name


def test_while_it_is_kept_nothing_of_it_lies_in_clear(home: Home, received: Receipt) -> None:
    files = [path for path in place(home, received).rglob("*") if path.is_file()]
    assert len(files) == len(FILES) + 2
    assert not any(b"CANARY" in path.read_bytes() for path in files)
    assert not any(
        LONG[at : at + 16] in path.read_bytes() for path in files for at in (0, CHUNK, len(LONG) - 16)
    )


def test_a_reader_written_from_the_description_alone(home: Home, received: Receipt) -> None:
    """HKDF by the standard library's HMAC; chunks cut by hand."""
    folder = place(home, received)
    entry = json.loads((folder / "upload.json").read_text())
    data_key = home.keys.unwrap("XAA", base64.b64decode(entry["wrapped_key"]))
    context = f"copstats-quarantine-1|XAA|{received.upload_id}|{NOW.isoformat()}|"

    def decrypted(part: str, about: str) -> bytes:
        info = (context + about).encode()
        extracted = hmac.new(bytes(32), data_key, hashlib.sha256).digest()
        cipher = AESGCM(hmac.new(extracted, info + b"\1", hashlib.sha256).digest())
        encrypted = (folder / part).read_bytes()
        chunks = [encrypted[at : at + CHUNK + TAG] for at in range(0, len(encrypted), CHUNK + TAG)]
        last = len(chunks) - 1
        return b"".join(
            cipher.decrypt(number.to_bytes(11, "big") + bytes([number == last]), chunk, info)
            for number, chunk in enumerate(chunks)
        )

    held = json.loads(decrypted("0000.sealed", "index"))
    assert [file["name"] for file in held] == sorted(FILES)
    for number, file in enumerate(held, start=1):
        assert decrypted(f"{number:04d}.sealed", f"file|{file['name']}") == FILES[file["name"]]


SIZES = st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7])
MOVES = st.lists(st.tuples(st.integers(0, 2 * CHUNK + 50), st.integers(0, CHUNK + 50)), max_size=8)


@settings(max_examples=40, deadline=None)
@given(size=SIZES, moves=MOVES)
def test_reading_here_and_there_as_in_memory(
    tmp_path_factory: pytest.TempPathFactory, size: int, moves: list[tuple[int, int]]
) -> None:
    content = LONG[:size]
    path = tmp_path_factory.mktemp("stream") / "x"
    written = seal_stream(io.BytesIO(content), path, KEY, CONTEXT, most=size)
    assert written == (size, hashlib.sha256(content).hexdigest())
    assert path.stat().st_size == size + TAG * max(1, -(-size // CHUNK))
    twin = io.BytesIO(content)
    with open_stream(path, KEY, CONTEXT, "x") as stream:
        for start, length in moves:
            assert stream.seek(start) == twin.seek(start)
            assert stream.read(length) == twin.read(length)
            assert stream.tell() == twin.tell()
        assert stream.seek(0, io.SEEK_END) == size
        assert stream.seek(-size, io.SEEK_CUR) == 0
        assert stream.read() == content


class _Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a network does."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    def read(self, size: int = -1) -> bytes:
        part, self._left = self._left[: min(size, 1000)], self._left[min(size, 1000) :]
        return part


def test_a_stream_that_trickles(tmp_path: Path) -> None:
    seal_stream(_Trickle(LONG), tmp_path / "x", KEY, CONTEXT, most=len(LONG))
    with open_stream(tmp_path / "x", KEY, CONTEXT, "x") as stream:
        assert stream.read() == LONG


def changed(path: Path, number: int, by: Callable[[list[bytes]], list[bytes]]) -> None:
    part = path / f"{number:04d}.sealed"
    encrypted = part.read_bytes()
    chunks = [encrypted[at : at + CHUNK + TAG] for at in range(0, len(encrypted), CHUNK + TAG)]
    part.write_bytes(b"".join(by(chunks)))


LONG_PART = sorted(FILES).index("data/CANARY-name.csv") + 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda c: c[:-1], id="cut at a chunk"),
        pytest.param(lambda c: [*c[:-1], c[-1][:-1]], id="cut by a byte"),
        pytest.param(lambda c: c[:1], id="first chunk alone"),
        pytest.param(lambda c: [], id="emptied"),
        pytest.param(lambda c: [*c, c[-1]], id="last chunk doubled"),
        pytest.param(lambda c: [*c, b"x"], id="a byte more"),
        pytest.param(lambda c: [c[1], c[0], *c[2:]], id="two chunks swapped"),
        pytest.param(lambda c: [c[0], *c[2:]], id="a chunk left out"),
        pytest.param(lambda c: [c[0], c[0], *c[2:]], id="a chunk repeated"),
        pytest.param(lambda c: [c[0][:9] + bytes([c[0][9] ^ 1]) + c[0][10:], *c[1:]], id="a bit"),
        pytest.param(lambda c: [LONG], id="plain"),
    ],
)
def test_a_changed_file_is_refused(
    home: Home, received: Receipt, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    changed(place(home, received), LONG_PART, change)
    assert refused(home, received.upload_id) == "C005"


def test_a_cut_file_is_refused_before_anything_of_it_is_read(home: Home, received: Receipt) -> None:
    changed(place(home, received), LONG_PART, lambda chunks: chunks[:-1])
    with pytest.raises(ConfidentialityError, match="C005"):
        home.quarantine.open(received.upload_id).open("data/CANARY-name.csv")


def test_files_in_the_place_of_others_are_refused(home: Home) -> None:
    same = openers(a_csv=LONG, b_csv=LONG)
    first, second = (home.quarantine.put("XAA", same, at=NOW) for _ in range(2))
    one, other = place(home, first), place(home, second)
    # Two files of one upload; a file of another; another's everything.
    shutil.copytree(one, backup := home.path / "backup")
    (one / "0001.sealed").write_bytes((backup / "0002.sealed").read_bytes())
    assert refused(home, first.upload_id) == "C005"
    (one / "0001.sealed").write_bytes((other / "0001.sealed").read_bytes())
    assert refused(home, first.upload_id) == "C005"
    shutil.rmtree(one)
    shutil.copytree(other, one)
    assert refused(home, first.upload_id) == "C005"
    entry = json.loads((one / "upload.json").read_text())
    entry["receipt"]["upload_id"] = first.upload_id
    (one / "upload.json").write_text(json.dumps(entry))
    assert refused(home, first.upload_id) == "C005"
    shutil.rmtree(one)
    shutil.copytree(backup, one)
    assert home.quarantine.open(first.upload_id).document("a.csv") == LONG


@pytest.mark.parametrize(
    "said", [{"received": "2030-01-01T00:00:00Z"}, {"sizes": [1]}, {"sha256": "0" * 64}, {"area": "XBB"}]
)
def test_an_edited_receipt_is_refused(home: Home, received: Receipt, said: dict[str, object]) -> None:
    path = place(home, received) / "upload.json"
    entry = json.loads(path.read_text())
    entry["receipt"] |= said
    path.write_text(json.dumps(entry))
    assert refused(home, received.upload_id) == "C005"


@pytest.mark.parametrize("name", ["upload.json", "0000.sealed", "0001.sealed"])
def test_a_missing_file_is_refused(home: Home, received: Receipt, name: str) -> None:
    (place(home, received) / name).unlink()
    assert refused(home, received.upload_id) == "C005"


def test_without_the_key_of_the_country_nobody_reads_it(home: Home, received: Receipt) -> None:
    home.keys.destroy("XAA")
    assert refused(home, received.upload_id) == "C001"
    home.keys.create("XAA")
    assert refused(home, received.upload_id) == "C004"
    assert home.quarantine.destroy(received.upload_id, "withdrawn").reason == "withdrawn"


def test_rotation_wraps_it_anew_and_the_copy_made_before_is_lost(home: Home, received: Receipt) -> None:
    shutil.copytree(place(home, received), copy := home.path / "copy")
    assert rotate_wrapping(home, home.keys, "XAA") == 1
    assert home.quarantine.open(received.upload_id).document("manifest.yaml") == FILES["manifest.yaml"]
    shutil.copy(copy / "upload.json", place(home, received) / "upload.json")
    assert refused(home, received.upload_id) == "C004"


def test_a_large_upload_is_never_held_in_memory(home: Home) -> None:
    size = 24 * 2**20

    class Zeros(io.RawIOBase):
        left = size

        def read(self, wanted: int = -1) -> bytes:
            part = bytes(min(wanted, self.left))
            self.left -= len(part)
            return part

    tracemalloc.start()
    try:
        receipt = home.quarantine.put("XAA", {"a.csv": Zeros})
        with home.quarantine.open(receipt.upload_id).open("a.csv") as stream:
            read = sum(len(block) for block in iter(lambda: stream.read(CHUNK), b""))
        assert (read, receipt.sizes) == (size, (size,))
        assert tracemalloc.get_traced_memory()[1] < 2 * 2**20
    finally:
        tracemalloc.stop()


def left(home: Home) -> list[str]:
    return [path.name for path in (home.path / "quarantine").iterdir()]


def test_what_is_too_large_leaves_nothing(home: Home) -> None:
    two = openers(a_csv=bytes(600), b_csv=bytes(600))
    with pytest.raises(SubmissionError, match="S340"):
        home.quarantine.put("XAA", two, most_bytes=1199)
    with pytest.raises(SubmissionError, match="S340"):
        home.quarantine.put("XAA", {f"{n}.csv": io.BytesIO for n in range(1001)})
    assert left(home) == []
    home.quarantine.put("XAA", two, most_bytes=1200)
    with pytest.raises(TooLarge):
        seal_stream(io.BytesIO(LONG), home.path / "x", KEY, CONTEXT, most=len(LONG) - 1)


def test_a_source_that_breaks_off_leaves_nothing(home: Home) -> None:
    class Broken(io.RawIOBase):
        def read(self, wanted: int = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        home.quarantine.put("XAA", openers(a_csv=LONG) | {"b.csv": Broken})
    assert left(home) == []


def test_names_and_ids_that_cannot_be_used(home: Home) -> None:
    put = partial(home.quarantine.put, "XAA")
    with pytest.raises(SubmissionError, match="S341"):
        put({"\udcff.csv": io.BytesIO})
    for upload_id, code in (("XBB_1", "U013"), ("XAA_../x", "U340"), ("XAA_", "U340"), ("../XAA_1", "U013")):
        with pytest.raises(UsageError, match=code):
            put(openers(a_csv=b"x"), upload_id=upload_id)
    assert left(home) == []
    for wrong in ("..", "XAA_1/../XAA_2", ""):
        with pytest.raises(UsageError, match="U340"):
            home.quarantine.open(wrong)
    assert put(openers(a_csv=b"x"), upload_id="XAA_2026_COPS_v01_M").upload_id == "XAA_2026_COPS_v01_M"
    odd = {"a|file|b.csv": b"1", "b.csv": b"2", "é": b"3", "a\nb": b"4"}
    held = home.quarantine.open(put({n: partial(io.BytesIO, c) for n, c in odd.items()}).upload_id)
    assert {name: held.document(name) for name in held.files} == odd


def test_a_destroyed_upload_leaves_its_receipt_and_does_not_come_back(home: Home, received: Receipt) -> None:
    later = NOW + dt.timedelta(days=2)
    gone = home.quarantine.destroy(received.upload_id, "accepted", at=later)
    assert (gone.destroyed, gone.reason) == (later, "accepted")
    assert left(home) == [f"{received.upload_id}.json"]
    assert Home.open(home.path).quarantine.receipt(received.upload_id) == gone
    assert home.quarantine.uploads() == []
    for again in (home.quarantine.open, partial(home.quarantine.destroy, reason="expired")):
        with pytest.raises(UsageError, match="U341"):
            again(received.upload_id)
    with pytest.raises(UsageError, match="U342"):
        home.quarantine.put("XAA", openers(a_csv=b"x"), upload_id=received.upload_id)
    assert home.quarantine.receipt("XAA_never") is None


def test_uploads_expire_after_their_days_and_damaged_ones_too(home: Home, received: Receipt) -> None:
    day = dt.timedelta(days=1)
    second = home.quarantine.put("XBB", openers(a_csv=b"x"), at=NOW + day)
    third = home.quarantine.put("XAA", openers(a_csv=b"x"), at=NOW + 40 * day)
    assert home.quarantine.expire(NOW + 30 * day - dt.timedelta(seconds=1)) == []
    assert [one.upload_id for one in home.quarantine.expire(NOW + 30 * day)] == [received.upload_id]
    (place(home, second) / "upload.json").write_bytes(b"{}")
    assert refused(home, second.upload_id) == "C005"
    os.utime(place(home, second), ((NOW + day).timestamp(),) * 2)
    assert home.quarantine.expire(NOW + 31 * day - dt.timedelta(seconds=1)) == []
    expired = home.quarantine.expire(NOW + 31 * day)
    assert [(one.upload_id, one.sizes, one.reason) for one in expired] == [(second.upload_id, (), "expired")]
    assert home.quarantine.uploads() == [third]


def test_the_number_of_days_is_a_setting(home: Home) -> None:
    assert home.quarantine.days == 30
    toml = home.path / "copstats.toml"
    toml.write_text(toml.read_text().replace("quarantine_days = 30", "quarantine_days = 7"))
    assert Home.open(home.path).quarantine.days == 7
    for wrong in ("0", "400", "'x'"):
        toml.write_text(f"layout = 1\nquarantine_days = {wrong}")
        with pytest.raises(UsageError, match="U004"):
            Home.open(home.path)


def test_an_archive_is_read_in_place(home: Home) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sub/manifest.yaml", FILES["manifest.yaml"])
        archive.writestr("sub/child.csv", LONG * 3)
    receipt = home.quarantine.put("XAA", openers(upload_zip=packed.getvalue()))
    with zipfile.ZipFile(home.quarantine.open(receipt.upload_id).open("upload.zip")) as archive:
        assert archive.testzip() is None
        assert archive.read("sub/manifest.yaml") == FILES["manifest.yaml"]
        with archive.open("sub/child.csv") as member:
            member.seek(2 * len(LONG))
            assert member.read() == LONG


@pytest.mark.parametrize("extension", ["csv", "xlsx", "sav", "dta", "parquet"])
def test_collecting_reads_a_data_file_from_it_as_from_a_folder(
    home: Home, tmp_path: Path, extension: str
) -> None:
    name = f"child.{extension}"
    table = {"child_id": ["a1", "b2", "CANARY"], "age": [9.0, 10.0, None]}
    folder = write(tmp_path / "sent", {name: encoded(extension, table, tmp_path)})
    direct = Folder(folder).data_file(name, "")
    receipt = home.quarantine.put(
        "XAA", {name: direct.open, "manifest.yaml": partial((folder / "manifest.yaml").open, "rb")}
    )
    upload = home.quarantine.open(receipt.upload_id)
    kept, says = Kept(upload).data_file(name, ""), DataFile(path=name)
    assert (kept.format, kept.size, kept.sha256, kept.path) == (
        *(direct.format, direct.size, direct.sha256),
        None,
    )
    assert read_file(kept, says).table.equals(read_file(direct, says).table)
    assert Kept(upload).document("manifest.yaml") == (folder / "manifest.yaml").read_bytes()


def test_another_process_sees_no_part_of_an_upload(home: Home) -> None:
    """While it arrives, and after another process has opened the home in between."""
    seen: list[list[Receipt]] = []

    def looked() -> io.BytesIO:
        other = Home.open(home.path).quarantine
        seen.append(other.uploads())
        return io.BytesIO(b"x")

    receipt = home.quarantine.put("XAA", {"a.csv": looked})
    assert seen == [[]]
    assert Quarantine(home.path / "quarantine", home.keys).uploads() == [receipt]
    assert [path for path in home.path.rglob(f"{STAGING}*")] == []
