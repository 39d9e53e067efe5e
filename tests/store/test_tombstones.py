"""Tombstones of withdrawn children, and the signed request that asks for them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from copstats.errors import ConfidentialityError, CopstatsError, SubmissionError, UsageError
from copstats.store.custody.public import SigningKeyPublic
from copstats.store.custody.registered import RegisteredKeys
from copstats.store.home import Home
from copstats.store.rotation import rotate_wrapping
from copstats.store.withdrawal_request import (
    WithdrawalRequest,
    open_request,
    read_request,
    request_name,
    write_request,
)

WAVE, OTHER = "XAA_2026_COPS", "XAA_2027_COPS"
DAY = dt.date(2026, 11, 22)
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def tokens(*numbers: int) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in numbers]


def stone(home: Home, wave: str = WAVE) -> Path:
    return home.path / "tombstones" / f"{wave}.json"


def test_each_child_is_added_once(home: Home) -> None:
    stones = home.tombstones
    assert (stones.tokens(WAVE), stones.count(WAVE), stones.waves()) == (frozenset(), 0, [])
    assert stones.add(WAVE, tokens(1, 2, 2)) == 2
    assert stones.add(WAVE, tokens(2, 3)) == 1
    before = stone(home).read_bytes()
    assert stones.add(WAVE, tokens(1, 3)) == 0
    assert stones.add(WAVE, []) == 0
    assert stone(home).read_bytes() == before
    assert Home.open(home.path).tombstones.tokens(WAVE) == set(tokens(1, 2, 3))
    assert (stones.count(WAVE), stones.count(OTHER), stones.waves()) == (3, 0, [WAVE])


def test_nothing_in_the_file_names_a_child(home: Home) -> None:
    withdrawn = tokens(*range(20))
    home.tombstones.add(WAVE, withdrawn)
    content = stone(home).read_bytes()
    assert not any(token.encode() in content or bytes.fromhex(token) in content for token in withdrawn)
    # The same children again, in another order and in other steps, give a file of the same length.
    size = len(content)
    home.tombstones.destroy(WAVE)
    for token in reversed(withdrawn):
        home.tombstones.add(WAVE, [token])
    assert len(stone(home).read_bytes()) == size


def refused(home: Home, wave: str = WAVE) -> str:
    with pytest.raises(ConfidentialityError) as error:
        home.tombstones.tokens(wave)
    assert not any(token in str(error.value) for token in tokens(1, 2))
    return error.value.code


def test_a_changed_or_moved_file_is_refused_and_never_taken_for_empty(home: Home) -> None:
    home.tombstones.add(WAVE, tokens(1, 2))
    sound = stone(home).read_bytes()
    shutil.copy(stone(home), stone(home, OTHER))
    assert refused(home, OTHER) == "C005"
    for content in (b"", b"{}", sound[:-10], sound.replace(b'"sealed":"', b'"sealed":"A')):
        stone(home).write_bytes(content)
        assert refused(home) == "C005"
        with pytest.raises(ConfidentialityError, match="C005"):
            home.tombstones.add(WAVE, tokens(3))
    stone(home).write_bytes(sound)
    assert home.tombstones.count(WAVE) == 2
    home.keys.destroy("XAA")
    assert refused(home) == "C001"
    home.keys.create("XAA")
    assert refused(home) == "C004"


def test_rotation_wraps_them_anew(home: Home) -> None:
    home.tombstones.add(WAVE, tokens(1))
    home.tombstones.add("XBB_2026_COPS", tokens(1))
    before = stone(home).read_bytes()
    assert rotate_wrapping(home, home.keys, "XAA") == 1
    assert home.tombstones.tokens(WAVE) == set(tokens(1))
    stone(home).write_bytes(before)
    assert refused(home) == "C004"


def test_they_go_with_their_wave(home: Home) -> None:
    for wave in (WAVE, OTHER):
        home.tombstones.add(wave, tokens(1))
    home.tombstones.destroy(WAVE)
    home.tombstones.destroy(WAVE)
    assert home.tombstones.waves() == [OTHER]


@pytest.mark.parametrize(
    "wrong", ["", "XAA_2026_COPS_v01_M", "../XAA_2026_COPS", "xaa_2026_COPS", "XAA_2026_/"]
)
def test_other_names_of_waves_are_refused(home: Home, wrong: str) -> None:
    for use in (home.tombstones.tokens, home.tombstones.destroy, request_name):
        with pytest.raises(UsageError, match="U343"):
            use(wrong)


@pytest.mark.parametrize("wrong", ["", "child-17", "A" * 32, "a" * 31, "a" * 33, "a" * 32 + "\n"])
def test_what_is_no_pseudonym_is_refused_and_not_repeated(home: Home, wrong: str) -> None:
    with pytest.raises(UsageError) as error:
        home.tombstones.add(WAVE, [*tokens(1), wrong])
    assert error.value.code == "U344"
    assert "child-17" not in f"{error.value!r}{error.value}"
    assert home.tombstones.count(WAVE) == 0


@pytest.fixture
def registered(home: Home) -> RegisteredKeys:
    home.keys.registered.register(SigningKeyPublic.of("XAA", SIGNER.public_key()), DAY)
    return home.keys.registered


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    path = tmp_path / request_name(WAVE)
    write_request(path, WithdrawalRequest.of(WAVE, tokens(2, 1, 2), DAY), SIGNER)
    return path


def code_of(path: Path, registered: RegisteredKeys, **only: str) -> str:
    with pytest.raises(CopstatsError) as error:
        read_request(path, registered, **only)
    assert isinstance(error.value, SubmissionError | ConfidentialityError)
    assert not any(token in f"{error.value!r}{error.value}" for token in tokens(1, 2))
    return error.value.code


def test_a_request_arrives_as_it_was_signed(sent: Path, registered: RegisteredKeys) -> None:
    assert sent.name == "XAA_2026_COPS.copwithdrawal"
    request = read_request(sent, registered, area="XAA", wave=WAVE)
    assert request.tokens == tuple(sorted(tokens(1, 2)))
    assert (request.ref_area, request.wave, request.scope, request.requested_at) == ("XAA", WAVE, "wave", DAY)
    assert request.key_scope == "wave:XAA_2026_COPS"
    assert read_request(sent, registered) == request


def test_a_request_for_a_panel_names_its_key(tmp_path: Path, registered: RegisteredKeys) -> None:
    request = WithdrawalRequest.of(WAVE, tokens(1), DAY, scope="panel")
    write_request(tmp_path / "x", request, SIGNER)
    assert read_request(tmp_path / "x", registered).key_scope == "panel:XAA_COPS"


def test_the_file_is_checked_by_a_reader_of_its_own(sent: Path) -> None:
    """One entry a line; the signature by hand over the compact JSON of the standard library."""
    lines = sent.read_text().splitlines()
    entries = json.loads(sent.read_text())
    names = ["format", "ref_area", "requested_at", "scope", "signature", "signing_key", "tokens", "wave"]
    assert [line.partition(":")[0] for line in lines[1:-1]] == [f'"{name}"' for name in names]
    signature = bytes.fromhex(entries.pop("signature"))
    signed = json.dumps(entries, sort_keys=True, separators=(",", ":")).encode()
    SIGNER.public_key().verify(signature, b"copstats-withdrawal-1\n" + signed)
    assert entries["tokens"] == sorted(tokens(1, 2))


def test_requests_of_other_countries_and_waves_are_refused(sent: Path, registered: RegisteredKeys) -> None:
    assert code_of(sent, registered, area="XBB") == "S345"
    assert code_of(sent, registered, wave=OTHER) == "S345"


def test_unknown_other_and_revoked_keys_are_refused(
    sent: Path, tmp_path: Path, home: Home, registered: RegisteredKeys
) -> None:
    stranger = SigningKeyPublic.of("XBB", STRANGER.public_key())
    registered.register(stranger, DAY)
    foreign = tmp_path / "foreign"
    write_request(foreign, WithdrawalRequest.of(WAVE, tokens(1), DAY), STRANGER)
    # The key of another country signs for this one.
    assert code_of(foreign, registered) == "C311"
    forged = json.loads(foreign.read_text()) | {"signing_key": json.loads(sent.read_text())["signing_key"]}
    rewritten(foreign, forged)
    assert code_of(foreign, registered) == "C340"
    with pytest.raises(ConfidentialityError, match="C311"):
        open_request(sent).verify(STRANGER.public_key())
    registered.revoke("XAA", registered.of("XAA")[0].fingerprint, DAY)
    assert code_of(sent, registered) == "C312"


def test_what_a_superseded_key_signed_stays_valid(sent: Path, home: Home, registered: RegisteredKeys) -> None:
    registered.register(SigningKeyPublic.of("XAA", STRANGER.public_key()), DAY)
    assert read_request(sent, registered).wave == WAVE


def rewritten(path: Path, entries: dict[str, Any]) -> Path:
    """Write entries in the one form in which a request is read."""
    lines = [f'"{n}":{json.dumps(entries[n], separators=(",", ":"))}' for n in sorted(entries)]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return path


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"wave": OTHER}, "C340"),
        ({"requested_at": "2026-11-23"}, "C340"),
        ({"scope": "panel"}, "C340"),
        ({"tokens": sorted(tokens(1, 3))}, "C340"),
        ({"signature": "00" * 64}, "C340"),
        ({"signature": ""}, "C340"),
        ({"ref_area": "XBB"}, "S344"),
        ({"wave": "../x"}, "S344"),
        ({"tokens": []}, "S344"),
        ({"tokens": sorted(tokens(1, 2), reverse=True)}, "S344"),
        ({"tokens": sorted(tokens(1)) * 2}, "S344"),
        ({"tokens": ["child-17"]}, "S344"),
        ({"format": "copstats-withdrawal-2"}, "S343"),
        ({"format": "copstats-sealed-1"}, "S342"),
        ({"format": 1}, "S342"),
        ({"scope": "country"}, "S342"),
        ({"requested_at": "yesterday"}, "S342"),
        ({"signature": "x"}, "S342"),
        ({"signature": None}, "S342"),
        ({"more": 1}, "S342"),
    ],
)
def test_an_altered_request_is_refused(
    sent: Path, registered: RegisteredKeys, change: dict[str, Any], code: str
) -> None:
    sound = json.loads(sent.read_text())
    assert read_request(rewritten(sent, sound), registered)
    assert code_of(rewritten(sent, sound | change), registered) == code


def test_another_way_to_write_the_same_is_refused(sent: Path, registered: RegisteredKeys) -> None:
    text = sent.read_text()
    twice = text.replace('"scope":"wave",\n', '"scope":"wave",\n"scope":"wave",\n')
    for other in (
        json.dumps(json.loads(text)),
        text + " ",
        "\ufeff" + text,
        text[:-20],
        twice,
        "",
        "[]",
        "7",
    ):
        sent.write_text(other)
        assert code_of(sent, registered) == "S342"
    sent.write_bytes(os.urandom(100))
    assert code_of(sent, registered) == "S342"
    sent.unlink()
    assert code_of(sent, registered) == "S342"


def test_no_changed_byte_passes(sent: Path, registered: RegisteredKeys) -> None:
    """Every byte of the file in turn, each changed in a few bits."""
    sound = sent.read_bytes()
    for at in range(len(sound)):
        for by in (1, 0x20, 0x80):
            sent.write_bytes(sound[:at] + bytes([sound[at] ^ by]) + sound[at + 1 :])
            with pytest.raises((SubmissionError, ConfidentialityError)):
                read_request(sent, registered)


def test_an_empty_request_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="S344"):
        write_request(tmp_path / "x", WithdrawalRequest.of(WAVE, [], DAY), SIGNER)
    with pytest.raises(UsageError, match="U321"):
        write_request(tmp_path / "absent/x", WithdrawalRequest.of(WAVE, tokens(1), DAY), SIGNER)
    assert list(tmp_path.iterdir()) == []
