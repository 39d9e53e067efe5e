"""Number 15: rewriting the log of what was done. The attacker can write the file, but holds no key.

The twin is a log of numbered lines whose entries carry the SHA-256 of the entry before, without a key:
whoever can write it can also compute it anew.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from copstats.errors import ConfidentialityError
from copstats.store.audit import GENESIS, AuditLog, Head
from copstats.store.home import Home

Entries = list[dict[str, Any]]
Attack = Callable[[Entries], Entries]
ACTIONS = [
    "submission.sealed",
    "submission.accepted",
    "wave.opened",
    "wave.estimated",
    "release.signed",
    "wave.opened",
]


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    home = Home.open(tmp_path / "home", create=True)
    for action in ACTIONS:
        home.audit.append(action, "KEN_2026_COPS_v01_M", records=1488, by="analyst")
    return home.audit


def entries(log: AuditLog) -> Entries:
    return [json.loads(line) for line in log.path.read_bytes().splitlines()]


def canonical(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def written(log: AuditLog, forged: Entries) -> None:
    log.path.write_bytes(b"".join(canonical(entry) + b"\n" for entry in forged))


def rechained(forged: Entries, code: Callable[[bytes], str]) -> Entries:
    """Number and chain entries anew, with whatever code the attacker can compute."""
    previous = GENESIS
    out = []
    for number, entry in enumerate(forged, start=1):
        new = {key: value for key, value in entry.items() if key != "mac"}
        new |= {"sequence": number, "previous": previous}
        new["mac"] = previous = code(canonical(new))
        out.append(new)
    return out


def hashed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def twin_is_sound(chain: Entries) -> bool:
    return chain == rechained(chain, hashed)


def by_somebody_else(chain: Entries) -> Entries:
    return [*chain[:2], chain[2] | {"facts": chain[2]["facts"] | {"by": "nobody"}}, *chain[3:]]


ATTACKS: dict[str, Attack] = {
    "edit": by_somebody_else,
    "delete": lambda chain: [*chain[:2], *chain[3:]],
    "delete the first": lambda chain: chain[1:],
    "reorder": lambda chain: [chain[0], chain[2], chain[1], *chain[3:]],
    "repeat": lambda chain: [*chain[:3], chain[2], *chain[3:]],
    "insert": lambda chain: [*chain[:3], chain[2] | {"action": "submission.declined"}, *chain[3:]],
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_changed_log_passes_a_chain_of_hashes_and_not_ours(log: AuditLog, attack: Attack) -> None:
    sound = entries(log)
    twin = rechained(sound, hashed)
    assert twin_is_sound(twin)
    assert twin_is_sound(rechained(attack(twin), hashed))  # the attack works
    assert log.verify() == []
    for forged in (attack(sound), rechained(attack(sound), hashed)):
        written(log, forged)
        assert log.verify() != []
    for key in (b"", bytes(32), b"audit", b"copstats/1"):
        written(
            log, rechained(attack(sound), lambda text, key=key: hmac.new(key, text, "sha256").hexdigest())
        )
        assert len(log.verify()) >= len(attack(sound))


def test_the_rewriting_itself_is_right(log: AuditLog, tmp_path: Path) -> None:
    """With the key it gives a log that verifies: the forgeries above fail for want of the key alone."""
    key = Home.open(tmp_path / "home").keys.audit_key()
    written(
        log, rechained(by_somebody_else(entries(log)), lambda text: hmac.new(key, text, "sha256").hexdigest())
    )
    assert log.verify() == []


@pytest.mark.parametrize("kept", [0, 1, 4, 5])
def test_a_log_cut_short_passes_unnoticed_but_for_the_anchor(log: AuditLog, kept: int) -> None:
    anchor = log.head()
    assert anchor == Head(len(ACTIONS), entries(log)[-1]["mac"])
    written(log, entries(log)[:kept])
    assert log.verify() == []  # twin: the chain alone does not see it
    assert [problem.kind for problem in log.verify(anchor)] == ["cut"]


def test_a_log_cut_short_and_continued_shows_too(log: AuditLog) -> None:
    anchor = log.head()
    written(log, entries(log)[:-1])
    log.append("wave.opened", "KEN_2026_COPS_v01_M", by="nobody")
    assert len(entries(log)) == anchor.sequence
    assert log.verify() == []
    assert [problem.kind for problem in log.verify(anchor)] == ["cut"]


def test_a_log_that_went_on_after_the_anchor_is_sound(log: AuditLog) -> None:
    anchor = log.head()
    log.append("release.signed", "2026-Q4")
    assert log.verify(anchor) == []


def test_the_log_of_another_home_cannot_take_its_place(log: AuditLog, tmp_path: Path) -> None:
    other = Home.open(tmp_path / "other", create=True)
    for action in ACTIONS:
        other.audit.append(action, "KEN_2026_COPS_v01_M", records=1488, by="nobody")
    log.path.write_bytes(other.audit.path.read_bytes())
    assert len(log.verify()) == len(ACTIONS)
    with pytest.raises(ConfidentialityError) as refusal:
        log.append("release.signed", "2026-Q4")
    assert refusal.value.code == "C008"
