from __future__ import annotations

import json
from pathlib import Path

import pytest

from copstats.cli.application import application
from copstats.store.home import Home

WORDS = "lamp river under seven coats"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return Home.open(tmp_path / "home", create=True).path


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "words"
    path.write_text(WORDS)
    path.chmod(0o600)
    return path


def run(capsys: pytest.CaptureFixture[str], home: Path, *words: str) -> tuple[int, dict[str, object]]:
    capsys.readouterr()
    status = application([*words, "--home", str(home), "--json"])
    out = capsys.readouterr().out
    assert "AGE-SECRET" not in out
    return status, json.loads(out) if out else {}


def refused(found: dict[str, object]) -> str:
    return found["errors"][0]["code"]  # type: ignore[index, no-any-return]


def test_every_action_is_in_the_audit_chain(
    home: Path, tmp_path: Path, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, copy, public = ("--passphrase-file", str(passphrase)), str(tmp_path / "b"), str(tmp_path / "p")
    status, made = run(capsys, home, "keys", "create", "--area", "XAA", *words)
    assert (status, made["created"]) == (0, ["XAA", "XAA.national-signing"])
    assert Home.open(home).keys.is_locked("XAA.national-signing")
    assert run(capsys, home, "keys", "export", "XAA", "--out", public, *words)[0] == 0
    status, held = run(capsys, home, "keys", "register", public, "--fingerprint", str(made["fingerprint"]))
    assert (status, held["state"]) == (0, "active")
    assert run(capsys, home, "keys", "backup", "--out", copy, *words)[0] == 0
    status, rotated = run(capsys, home, "keys", "rotate", "XAA", *words)
    assert rotated["fingerprint"] != made["fingerprint"]
    assert Home.open(home).keys.is_locked("XAA.national-signing")
    assert run(capsys, home, "keys", "revoke", "XAA", str(made["fingerprint"]))[0] == 0
    states = {k["state"] for k in run(capsys, home, "keys", "list")[1]["registered"]}  # type: ignore[attr-defined]
    assert states == {"active", "revoked"}
    assert run(capsys, home, "keys", "destroy", "XAA", "--yes")[0] == 0
    assert run(capsys, home, "keys", "restore", copy, *words)[1]["restored"] == made["created"]
    log = Home.open(home).audit
    actions = [str(entry["action"]).removeprefix("key.") for entry in log.entries()]
    expected = [
        "created",
        "created",
        "exported",
        "registered",
        "backed_up",
        "rotated",
        "revoked",
        "destroyed",
    ]
    assert actions == [*expected, "restored", "restored"]
    assert log.verify() == []


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["export", "XAA"], 3, "C001"),
        (["export", "nobody"], 2, "U013"),
        (["register", "none"], 2, "U313"),
        (["revoke", "XAA", "1a2b-3c4d-5e6f-7a8b"], 2, "U316"),
        (["rotate", "XAA"], 2, "U322"),
        (["destroy", "XAA", "--yes"], 3, "C001"),
        (["restore", "none"], 2, "U313"),
        (["create", "--area", "Kenya"], 2, "U013"),
    ],
)
def test_what_cannot_be_done_has_a_code(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, code: str
) -> None:
    before = sorted(p.name for p in (home / "keys").iterdir())
    ended, found = run(capsys, home, "keys", *words)
    assert (ended, refused(found)) == (status, code)
    kept = {"registered", ".lock"}  # an empty folder and a lock
    assert {p.name for p in (home / "keys").iterdir()} - kept == set(before) - kept


def test_another_key_than_the_one_read_out_is_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, home, "keys", "create", "--area", "XAA")
    run(capsys, home, "keys", "export", "XAA", "--out", str(tmp_path / "p"))
    wrong = ("register", str(tmp_path / "p"), "--fingerprint", "1a2b-3c4d-5e6f-7a8b")
    assert refused(run(capsys, home, "keys", *wrong)[1]) == "U323"
    assert run(capsys, home, "keys", "list")[1]["registered"] == []


def test_keys_open_to_others_are_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, home, "keys", "create", "--area", "XAA")
    (home / "keys/XAA.key").chmod(0o644)
    status, found = run(capsys, home, "keys", "export", "XAA")
    assert (status, refused(found)) == (3, "C003")


def test_the_code_of_the_country_is_typed_again(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    run(capsys, home, "keys", "create", "--area", "XAA")
    for typed, status in (("XAB\n", 2), ("XAA\n", 0)):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert run(capsys, home, "keys", "destroy", "XAA")[0] == status
    assert Home.open(home).keys.areas() == []
