from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.audit import GENESIS, AuditLog, AuditProblem, Head
from copstats.store.home import Home
from copstats.store.keys import KeyStore


@pytest.fixture
def log(home: Home) -> AuditLog:
    for n in range(6):
        home.audit.append("submission.accepted", f"XAA_2026_COPS_v0{n}_M", records=n, by="reviewer@nso")
    return home.audit


def lines(log: AuditLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


def kinds(log: AuditLog, anchor: Head | None = None) -> list[str]:
    return [problem.kind for problem in log.verify(*([anchor] if anchor else []))]


def test_an_empty_log_is_sound(home: Home) -> None:
    assert home.audit.verify() == []
    assert home.audit.head() == (0, GENESIS)
    assert not home.audit.path.exists()


def test_entries_are_numbered_chained_and_authenticated(log: AuditLog, home: Home) -> None:
    previous = GENESIS
    for number, line in enumerate(lines(log), start=1):
        entry = json.loads(line)
        mac = entry.pop("mac")
        text = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
        assert mac == hmac.new(home.keys.audit_key(), text, hashlib.sha256).hexdigest()
        assert (entry["sequence"], entry["previous"]) == (number, previous)
        assert entry["facts"] == {"records": number - 1, "by": "reviewer@nso"}
        previous = mac
    assert log.head() == (6, previous)
    assert log.verify() == []
    assert [e["sequence"] for e in log.entries()] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda all_: [*all_[:2], all_[2].replace(b"reviewer", b"nobodyyy"), *all_[3:]], [(3, "edited")]),
        (lambda all_: [*all_[:2], *all_[3:]], [(3, "order")]),
        (lambda all_: all_[1:], [(1, "order")]),
        (lambda all_: [all_[0], all_[2], all_[1], *all_[3:]], [(2, "order"), (3, "order"), (4, "order")]),
        (lambda all_: [*all_[:3], all_[2], *all_[3:]], [(4, "order")]),
        (lambda all_: [*all_[:2], b"no entry\n", *all_[3:]], [(3, "unreadable"), (4, "order")]),
        (
            lambda all_: [*all_[:2], all_[2].replace(b'"by"', b' "by"'), *all_[3:]],
            [(3, "unreadable"), (4, "order")],
        ),
    ],
    ids=["edited", "deleted", "first deleted", "swapped", "doubled", "overwritten", "reformatted"],
)
def test_damage_is_found_at_its_place(
    log: AuditLog, damage: Callable[[list[bytes]], list[bytes]], expected: list[tuple[int, str]]
) -> None:
    log.path.write_bytes(b"".join(damage(lines(log))))
    assert log.verify() == [AuditProblem(line, kind) for line, kind in expected]  # type: ignore[arg-type]
    assert all(str(problem).startswith(f"line {problem.line}: ") for problem in log.verify())


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_any_flipped_bit_is_found(log: AuditLog, position: int, bit: int) -> None:
    sound = log.path.read_bytes()
    damaged = bytearray(sound)
    damaged[position % len(damaged)] ^= 1 << bit
    log.path.write_bytes(damaged)
    # In the last newline the flip makes the entry unfinished: that the anchor shows.
    assert log.verify(Head(6, json.loads(sound.splitlines()[-1])["mac"])) != []
    log.path.write_bytes(sound)


def test_a_log_cut_short_shows_against_its_anchor(log: AuditLog) -> None:
    anchor = log.head()
    log.append("release.published", "2026-Q4")
    assert log.verify(anchor) == []
    log.path.write_bytes(b"".join(lines(log)[:5]))
    assert log.verify() == []
    assert log.verify(anchor) == [AuditProblem(6, "cut")]
    log.append("submission.accepted", "XAA_2026_COPS_v09_M")
    assert kinds(log, anchor) == ["cut"]
    log.path.unlink()
    assert log.verify(anchor) == [AuditProblem(1, "cut")]


def test_a_log_of_another_home_is_not_continued(log: AuditLog, tmp_path: Path) -> None:
    other = Home.open(tmp_path / "other", create=True)
    other.audit.path.write_bytes(log.path.read_bytes())
    with pytest.raises(ConfidentialityError) as error:
        other.audit.append("x", "y")
    assert error.value.code == "C008"
    assert kinds(other.audit) == ["edited"] * 6


@pytest.mark.parametrize("kept", [1, 50, -1])
def test_an_unfinished_last_line_is_removed_and_that_is_recorded(
    log: AuditLog, home: Home, kept: int
) -> None:
    sound = log.path.read_bytes()
    torn = lines(log)[-1][:kept]
    log.path.write_bytes(sound + torn)
    Home.open(home.path)
    assert log.path.read_bytes().startswith(sound)
    last = list(log.entries())[-1]
    assert (last["sequence"], last["action"], last["facts"]) == (7, "audit.mended", {"bytes": len(torn)})
    assert log.verify() == []


def test_a_first_line_that_was_not_finished_is_removed(home: Home) -> None:
    home.audit.path.write_bytes(b'{"action":')
    assert home.audit.append("x", "y").sequence == 2
    assert [e["action"] for e in home.audit.entries()] == ["audit.mended", "x"]
    assert home.audit.verify() == []


@pytest.mark.parametrize("text", ["two words", "a\nb", "'quoted'", "x" * 201, "a,b", "{}"])
def test_texts_that_may_quote_somebody_are_refused(log: AuditLog, text: str) -> None:
    before = log.path.read_bytes()
    for use in (
        lambda: log.append(text, "x"),
        lambda: log.append("x", text),
        lambda: log.append("x", "y", fact=text),
    ):
        with pytest.raises(UsageError) as error:
            use()
        assert text not in f"{error.value}{error.value.as_dict()}"
    assert log.path.read_bytes() == before


def test_several_writers_make_one_chain(home: Home) -> None:
    def write(worker: int) -> None:
        for n in range(20):
            Home.open(home.path).audit.append("x", f"{worker}-{n}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert home.audit.verify() == []
    assert {e["subject"] for e in home.audit.entries()} == {f"{w}-{n}" for w in range(4) for n in range(20)}


@given(
    facts=st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.integers() | st.booleans() | st.none()
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_any_facts_of_the_allowed_kinds_verify(tmp_path: Path, facts: dict[str, int | bool | None]) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(exist_ok=True, mode=0o700)
    log = AuditLog(tmp_path / "audit.log", KeyStore(folder))
    facts = {key: value for key, value in facts.items() if key not in ("action", "subject", "self")}
    log.append("x", "y", **facts)
    assert log.verify() == []
    assert list(log.entries())[-1]["facts"] == facts


def test_the_tail_is_found_beyond_one_block(home: Home) -> None:
    facts = {f"fact{n}": "x" * 200 for n in range(60)}
    for _ in range(3):
        head = home.audit.append("x", "y", **facts)
    assert home.audit.head() == head == (3, head.mac)
    assert home.audit.verify() == []
