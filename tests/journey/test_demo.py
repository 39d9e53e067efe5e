"""A newcomer's first hour: the demo, a second run, a question to the release, an altered byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from copstats.store.home import Home
from tests.journey.conftest import Run, copstats

pytestmark = pytest.mark.flows

LABEL = "2026-Q4"
QUESTION = """
    SELECT ref_area, value, se, ci_lower, ci_upper, comparability
    FROM indicator_value
    WHERE indicator = 'RCD4' AND sex = '_T' AND age = '_T' AND residence = '_T'
      AND wealth_quintile = '_T' AND disability = '_T' AND region = '_T'
    ORDER BY ref_area
"""


@pytest.fixture(scope="module")
def release(demo: Run, demo_home: Path) -> Path:
    assert demo.status == 0, demo.err
    return demo_home / "releases" / LABEL


def test_the_demo_ends_in_a_table_of_countries_and_says_what_to_open(demo: Run) -> None:
    assert demo.status == 0, demo.err
    for word in ("Aruvia", "Hontara", "RCD4", "copstats.duckdb", "docs/analysts.md"):
        assert word in demo.out
    assert "Traceback" not in demo.err


def test_progress_is_shown_from_the_first_second(demo: Run) -> None:
    assert demo.err.splitlines()[0].strip().startswith("0.0 s")


def test_only_the_planted_faults_are_rejected(demo: Run, demo_home: Path, root: Path) -> None:
    listed = copstats("status", "--json", "--home", demo_home, cwd=root)
    states = {row["submission"]: row["state"] for row in listed.json}
    rejected = {name for name, state in states.items() if state == "rejected"}
    assert rejected == {"XFF_2025_COPS_v01_M"}
    assert set(states.values()) == {"accepted", "rejected"}


def test_the_question_of_the_readme_has_an_answer_for_every_country_that_asked(release: Path) -> None:
    with duckdb.connect(str(release / "copstats.duckdb"), read_only=True) as database:
        rows = database.execute(QUESTION).fetchall()
    published = [row for row in rows if row[1] is not None]
    assert len(published) >= 6
    for _, value, se, lower, upper, comparability in published:
        assert 0 <= lower <= value <= upper <= 100
        assert se > 0
        assert comparability in {"A", "B", "C"}


def test_a_second_run_changes_nothing_and_says_so(demo: Run, demo_home: Path, root: Path) -> None:
    def content(folder: Path) -> dict[str, bytes]:
        kept = ("releases", "waves", "warehouse")
        files = (p for name in kept for p in (folder / name).rglob("*") if p.is_file())
        return {str(p.relative_to(folder)): p.read_bytes() for p in files} | {
            "audit.log": (folder / "audit.log").read_bytes()
        }

    before = content(demo_home)
    again = copstats("demo", "--home", demo_home, cwd=root)
    assert again.status == 0, again.err
    assert "Nothing had to change" in again.out
    assert content(demo_home) == before


def test_the_release_verifies_and_one_changed_byte_does_not(
    release: Path, demo_home: Path, root: Path, tmp_path: Path
) -> None:
    assert copstats("audit", LABEL, "--home", demo_home, cwd=root).status == 0
    copy = tmp_path / LABEL
    shutil.copytree(release, copy)
    database = copy / "copstats.duckdb"
    content = bytearray(database.read_bytes())
    content[len(content) // 2] ^= 1
    database.write_bytes(content)
    found = copstats("audit", copy, cwd=root)
    assert found.status == 1
    assert "copstats.duckdb" in found.out


def test_the_audit_log_is_whole(demo: Run, demo_home: Path, root: Path) -> None:
    assert copstats("log", "verify", "--home", demo_home, cwd=root).status == 0


def test_a_release_is_immutable(demo: Run, demo_home: Path, root: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo_home, home)
    manifest = home / "releases" / LABEL / "MANIFEST.json"
    before = manifest.read_bytes()
    Home.open(home).change_settings(release_forms=())
    changed = copstats("release", LABEL, "--home", home, cwd=root)
    assert (changed.status, manifest.read_bytes()) == (2, before)
    assert "R090" in changed.err
    other = copstats("release", "June", "--home", home, cwd=root)
    assert other.status == 2
    assert "U106" in other.err


@pytest.mark.nightly
def test_a_release_of_another_year_is_estimated_anew(
    demo: Run, demo_home: Path, root: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo_home, home)
    Home.open(home).change_settings(release_forms=())
    declined = copstats("release", "2019-Q3-x", "--home", home, cwd=root)
    assert declined.status == 0, declined.err


def test_restricted_estimates_are_printed_one_object_a_row(demo: Run, demo_home: Path, root: Path) -> None:
    import json

    printed = copstats("estimate", "--json", "--as-of", "2026", "--home", demo_home, cwd=root)
    assert printed.status == 0, printed.err
    rows = [json.loads(line) for line in printed.out.splitlines()]
    assert {"ref_area", "survey", "reference_year", "indicator", "estimate", "se", "df", "n", "psus"} <= set(
        rows[0]
    )
    assert all(0 <= row["estimate"] <= 1 for row in rows if row["indicator"] == "RCD4")


def test_estimates_of_other_code_or_year_are_never_published(
    demo: Run, demo_home: Path, tmp_path: Path
) -> None:
    from copstats import steps
    from copstats.errors import UsageError

    home = tmp_path / "home"
    shutil.copytree(demo_home, home)
    with pytest.raises(UsageError) as refused:
        steps.publish(home, "2019-Q1", by="test")
    assert refused.value.code == "U018"
