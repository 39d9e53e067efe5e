"""What arrives in pieces is kept encrypted and in order, and what was changed on the disk is refused."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copstats.errors import ConfidentialityError, CopstatsError, PortalError
from copstats.store.files import STAGING
from copstats.store.home import Home
from copstats.store.inbox import Inbox, new_upload_id
from copstats.store.rotation import rotate_wrapping
from copstats.store.sealed_stream import CHUNK, TAG

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def content_of(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311


def begun(inbox: Inbox, size: int, area: str = "XAA") -> str:
    upload_id = new_upload_id(area)
    inbox.create(upload_id, size, at=NOW)
    return upload_id


def send(inbox: Inbox, upload_id: str, offset: int, *pieces: bytes) -> int:
    with contextlib.closing(inbox.segment(upload_id, offset)) as segment:
        for piece in pieces:
            segment.write(piece)
        return segment.keep()


def sent(inbox: Inbox, content: bytes, *ends: int, area: str = "XAA") -> str:
    upload_id, at = begun(inbox, len(content), area), 0
    for end in (*ends, len(content)):
        at = send(inbox, upload_id, at, content[at:end])
    return upload_id


def read(inbox: Inbox, upload_id: str) -> bytes:
    with inbox.open(upload_id) as stream:
        return stream.read()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 3 * CHUNK), max_size=5), st.lists(st.integers(0, 6 * CHUNK), max_size=8))
def test_any_cut_gives_the_content_back(home: Home, sizes: list[int], places: list[int]) -> None:
    content = content_of(sum(sizes) + 1)
    ends = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
    upload_id = sent(home.inbox, content, *ends)
    assert home.inbox.offset(upload_id) == len(content)
    assert home.inbox.sha256(upload_id) == hashlib.sha256(content).hexdigest()
    with home.inbox.open(upload_id) as stream, io.BytesIO(content) as plain:
        for place in places:
            assert (stream.seek(place), stream.read(1000)) == (plain.seek(place), plain.read(1000))


def test_nothing_stands_in_clear_and_no_two_attempts_share_a_key(home: Home) -> None:
    content = bytes(2 * CHUNK)
    parts = []
    for _ in range(2):
        upload_id = sent(home.inbox, content, CHUNK)
        parts += [p.read_bytes() for p in (home.inbox.folder / upload_id).glob("*.part")]
    upload_id = begun(home.inbox, len(content))
    for _ in range(2):  # the same place again, after a cut
        segment = home.inbox.segment(upload_id, 0)
        segment.write(content)
        segment.close()
    send(home.inbox, upload_id, 0, content)
    parts += [p.read_bytes() for p in (home.inbox.folder / upload_id).glob("*.part")]
    blocks = [part[at : at + 16] for part in parts for at in range(0, len(part) - TAG, CHUNK + TAG)]
    assert len(blocks) == 6
    assert len(set(blocks)) == 6
    assert b"\0" * 16 not in b"".join(parts)


def test_a_segment_that_is_not_kept_leaves_nothing(home: Home) -> None:
    upload_id = begun(home.inbox, 100)
    segment = home.inbox.segment(upload_id, 0)
    segment.write(b"x" * 50)
    segment.close()
    assert home.inbox.offset(upload_id) == 0
    assert [p.name for p in home.inbox.folder.iterdir()] == [upload_id]
    assert send(home.inbox, upload_id, 0) == 0  # an empty one changes nothing
    assert [p.suffix for p in (home.inbox.folder / upload_id).iterdir()] == [".json"]


def refused(inbox: Inbox, upload_id: str, offset: int, piece: bytes) -> str:
    with pytest.raises(PortalError) as caught:
        send(inbox, upload_id, offset, piece)
    return caught.value.code


def test_what_does_not_fit_is_refused(home: Home) -> None:
    inbox = home.inbox
    upload_id = begun(inbox, 100)
    send(inbox, upload_id, 0, b"x" * 40)
    assert refused(inbox, upload_id, 0, b"y") == "P202"
    assert refused(inbox, upload_id, 41, b"y") == "P202"
    assert refused(inbox, upload_id, 40, b"y" * 61) == "P203"
    for name in ("XAA_0000000000000000", "../keys", "XAA_" + "g" * 16, ""):
        assert refused(inbox, name, 0, b"y") == "P201"
    assert read(inbox, upload_id) == b"x" * 40


def test_of_two_segments_at_one_place_the_first_is_kept(home: Home) -> None:
    upload_id = begun(home.inbox, 100)
    slow = home.inbox.segment(upload_id, 0)
    slow.write(b"s" * 60)
    send(home.inbox, upload_id, 0, b"f" * 30)
    with pytest.raises(PortalError, match="P202"):
        slow.keep()
    slow.close()
    assert read(home.inbox, upload_id) == b"f" * 30


def test_a_segment_of_an_earlier_attempt_does_not_enter_a_new_one(home: Home) -> None:
    upload_id = begun(home.inbox, 100)
    late = home.inbox.segment(upload_id, 0)
    late.write(b"l" * 60)
    home.inbox.create(upload_id, 100, at=NOW + dt.timedelta(hours=1))
    with pytest.raises(PortalError, match="P201"):
        late.keep()
    late.close()
    gone = home.inbox.segment(upload_id, 0)
    gone.write(b"g")
    home.inbox.destroy(upload_id)
    with pytest.raises(PortalError, match="P201"):
        gone.keep()
    gone.close()
    assert list(home.inbox.folder.iterdir()) == []


def flip(folder: Path) -> None:
    path = next(folder.glob("*.part"))
    changed = bytearray(path.read_bytes())
    changed[100] ^= 1
    path.write_bytes(changed)


def swap(folder: Path) -> None:
    one, other = sorted(folder.glob("*.part"))
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def cut(folder: Path) -> None:
    path = sorted(folder.glob("*.part"))[-1]
    path.write_bytes(path.read_bytes()[:-1])


def lose(folder: Path) -> None:
    sorted(folder.glob("*.part"))[0].unlink()


def claim_more(folder: Path) -> None:
    path = sorted(folder.glob("*.part"))[-1]
    path.rename(path.with_name(path.name.replace("-100.", "-101.")))


def take_from_another(folder: Path) -> None:
    other = next(path for path in folder.parent.iterdir() if path != folder)
    for path in folder.glob("*.part"):
        path.unlink()
    for path in other.glob("*.part"):
        shutil.copy(path, folder)


def take_key_of_another(folder: Path) -> None:
    other = next(path for path in folder.parent.iterdir() if path != folder)
    shutil.copy(other / "upload.json", folder)


@pytest.mark.parametrize(
    "change",
    [flip, swap, cut, lose, claim_more, take_from_another, take_key_of_another],
    ids=lambda f: f.__name__,
)
def test_what_was_changed_on_the_disk_is_refused(home: Home, change: object) -> None:
    sent(home.inbox, content_of(200, 1), 100)
    upload_id = sent(home.inbox, content_of(200, 2), 100, area="XBB")
    change(home.inbox.folder / upload_id)  # type: ignore[operator]
    with pytest.raises(ConfidentialityError, match="C005"):
        read(home.inbox, upload_id)


def test_a_note_stays_when_the_content_goes(home: Home) -> None:
    upload_id = sent(home.inbox, content_of(200), 100)
    assert home.inbox.noted(upload_id) is None
    for note in (b"first", b"line 12 of manifest.yaml"):
        home.inbox.note(upload_id, note)
    home.inbox.empty(upload_id)
    assert home.inbox.noted(upload_id) == b"line 12 of manifest.yaml"
    assert home.inbox.offset(upload_id) == 0
    assert not any(b"manifest.yaml" in p.read_bytes() for p in home.path.rglob("*") if p.is_file())
    home.inbox.destroy(upload_id)
    home.inbox.destroy(upload_id)
    assert home.inbox.noted(upload_id) is None


def test_a_rotation_of_keys_loses_nothing_on_its_way(home: Home) -> None:
    content = content_of(3 * CHUNK)
    upload_id, other = begun(home.inbox, len(content)), sent(home.inbox, content, area="XBB")
    send(home.inbox, upload_id, 0, content[:CHUNK])
    under_way = home.inbox.segment(upload_id, CHUNK)
    under_way.write(content[CHUNK : 2 * CHUNK])
    before = home.keys.key_id("XAA")
    assert rotate_wrapping(home, home.keys, "XAA") == 1
    assert home.keys.key_id("XAA") != before
    assert under_way.keep() == 2 * CHUNK
    under_way.close()
    send(home.inbox, upload_id, 2 * CHUNK, content[2 * CHUNK :])
    assert read(home.inbox, upload_id) == read(home.inbox, other) == content


def test_an_upload_without_its_key_is_lost(home: Home) -> None:
    upload_id = sent(home.inbox, content_of(10))
    home.keys.destroy("XAA")
    with pytest.raises(CopstatsError, match="C00"):
        read(home.inbox, upload_id)


def test_opening_the_home_removes_segments_under_way(home: Home) -> None:
    room = home.inbox.folder / f"{STAGING}0123456789abcdef" / "content"
    room.mkdir(parents=True)
    (room / "arriving").write_bytes(b"half")
    shutil.rmtree(home.path / "findings")  # as an earlier version of copstats left it
    Home.open(home.path)
    assert list(home.inbox.folder.iterdir()) == []
    assert (home.path / "findings").is_dir()
