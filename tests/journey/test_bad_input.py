"""Bad submissions end in a finding or an error; the others go on; nothing half-written stays."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journey.conftest import copstats


@pytest.fixture(scope="module")
def sample(root: Path) -> Path:
    """A clean CSV submission of the sample data."""
    folders = sorted((root / "sample_data" / "submissions").glob("*_v01/child.csv"))
    return next(p.parent for p in folders if "XFF" not in p.parent.name)


@pytest.fixture
def home(tmp_path: Path, root: Path) -> Path:
    folder = tmp_path / "home"
    from copstats.store.home import Home

    Home.open(folder, create=True)
    shutil.copyfile(root / "sample_data" / "areas.csv", folder / "areas.csv")
    return folder


def edit(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text("utf-8")
    changed = change(text)
    assert changed != text
    path.write_text(changed, "utf-8")


def wrong_extension(folder: Path) -> None:
    (folder / "child.csv").rename(folder / "child.pdf")
    edit(folder / "manifest.yaml", lambda text: text.replace("child.csv", "child.pdf"))


def empty_file(folder: Path) -> None:
    (folder / "child.csv").write_bytes(b"")


def no_weight_named(folder: Path) -> None:
    edit(folder / "manifest.yaml", lambda text: text.replace("weight: weight", "wheight: weight"))


def unknown_country(folder: Path) -> None:
    edit(folder / "manifest.yaml", lambda text: text.replace("ref_area: X", "ref_area: Q"))


def column_twice(folder: Path) -> None:
    edit(folder / "child.csv", lambda text: text.replace("sex", "age", 1))


def wrong_encoding(folder: Path) -> None:
    path = folder / "child.csv"
    path.write_bytes(
        path.read_bytes().replace(b"\n1", b"\n\xe9\xff1", 1).replace(b"\n", b"\n", 1) + b"\xff\xfe\n"
    )


def malformed_manifest(folder: Path) -> None:
    edit(folder / "manifest.yaml", lambda text: text + "\n  : [")


@pytest.mark.parametrize(
    "damage",
    [
        wrong_extension,
        empty_file,
        no_weight_named,
        unknown_country,
        column_twice,
        wrong_encoding,
        malformed_manifest,
    ],
)
def test_a_submission_that_cannot_be_read(
    damage: Callable[[Path], None], sample: Path, home: Path, tmp_path: Path, root: Path
) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(sample, bad)
    damage(bad)
    run = copstats("ingest", bad, "--home", home, cwd=root)
    assert run.status == 2, run.err
    assert "Traceback" not in run.err
    assert "Internal fault" not in run.err
    assert "why" in run.err
    assert "to do" in run.err
    assert not list((home / "waves").glob("[!.]*"))


def test_the_others_go_on(sample: Path, home: Path, tmp_path: Path, root: Path) -> None:
    inbox = tmp_path / "inbox"
    for name, damage in (("a_bad", empty_file), ("b_good", None), ("c_bad", malformed_manifest)):
        shutil.copytree(sample, inbox / name)
        if damage is not None:
            damage(inbox / name)
    run = copstats("ingest", inbox, "--home", home, cwd=root)
    assert run.status == 2, run.err
    listed = copstats("status", "--json", "--home", home, cwd=root)
    states = {row["submission"]: row["state"] for row in listed.json}
    assert list(states.values()) == ["waiting"]
    assert [p.name for p in (home / "waves").iterdir() if not p.name.startswith(".")] == list(states)


def test_findings_reject_a_submission_with_status_1(
    sample: Path, home: Path, tmp_path: Path, root: Path
) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(sample, bad)
    path = bad / "child.csv"
    lines = path.read_text("utf-8").splitlines()
    lines.append(lines[1])
    path.write_text("\n".join(lines) + "\n", "utf-8")
    run = copstats("ingest", bad, "--home", home, cwd=root)
    assert run.status == 1, run.err
    assert "child_id" in run.out
    assert not list((home / "waves").glob("[!.]*"))
    again = copstats("ingest", bad, "--home", home, cwd=root)
    assert again.status == 1
    assert "unchanged" in again.out
    with sqlite3.connect(home / "registry.sqlite") as registry:
        registry.execute("UPDATE submission SET framework_fingerprint = 'an earlier one'")
    by_new_rules = copstats("ingest", bad, "--home", home, cwd=root)
    assert by_new_rules.status == 1
    assert "unchanged" not in by_new_rules.out
    mended = copstats("ingest", sample, "--home", home, cwd=root)
    assert mended.status == 0, mended.err
    assert "waiting" in mended.out


def test_a_decision_is_taken_once(sample: Path, home: Path, root: Path) -> None:
    assert copstats("ingest", sample, "--home", home, cwd=root).status == 0
    (row,) = copstats("status", "--json", "--home", home, cwd=root).json
    assert copstats("reject", row["submission"], "--home", home, cwd=root).status == 2
    assert copstats("accept", row["submission"], "--by", "reviewer", "--home", home, cwd=root).status == 0
    late = copstats("reject", row["submission"], "--reason", "late", "--home", home, cwd=root)
    assert late.status == 2
    assert copstats("accept", "XAA_1999_COPS_v01_M", "--home", home, cwd=root).status == 2


def test_no_home_is_told_with_the_remedy(tmp_path: Path, root: Path) -> None:
    run = copstats("status", "--home", tmp_path / "nowhere", cwd=root)
    assert run.status == 2
    assert "U001" in run.err
