"""`copstats audit` on releases in folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from copstats.auditing import audit_release, values_of
from copstats.cli.application import application
from copstats.disclose.shape import KEY
from tests.disseminate.conftest import build


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    status = application(["audit", *words])
    return status, capsys.readouterr().out


def test_a_release_in_a_folder_passes_and_says_what_was_assumed(
    release: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, text = run(capsys, str(release), "--home", str(tmp_path))
    assert status == 0
    assert "No attacker's file" in text and "Passed" in text
    status, text = run(capsys, str(release), "--against", str(release), "--json")
    found = json.loads(text)
    assert status == 0 and found["passed"] and found["findings"] == []
    assert {one["assumption"] for one in found["assumptions"]} == {"bands"}


def test_one_changed_byte_is_a_failure(
    release: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(release, tmp_path / "release"))
    place = copy / "csv" / "area.csv"
    place.write_bytes(place.read_bytes() + b" ")
    status, text = run(capsys, str(copy))
    assert status == 1 and "csv/area.csv" in text
    status, text = run(capsys, str(release), "--against", str(copy), "--json")
    assert status == 1 and json.loads(text)["problems"] != []


def test_a_release_with_more_digits_than_its_answers_permit_is_a_failure(
    values: pa.Table, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Tenths of 500 to 999 answers: signed like any other release, and of the right shape."""
    rows = values.to_pylist()
    for row in rows:
        if row["n_band"] == "500-999" and row["value"]:
            row["value"] += 0.3
    wrong = build(tmp_path / "wrong", pa.Table.from_pylist(rows, schema=values.schema))
    audited = audit_release(wrong, tmp_path)
    assert audited.problems == () and not audited.passed
    status, text = run(capsys, str(wrong), "--language", "en")
    assert status == 1 and "It shows what the disclosure profile does not permit" in text


def test_values_are_read_as_they_were_written(release: Path, values: pa.Table) -> None:
    key = [(name, "ascending") for name in (*KEY, "value")]
    assert values_of(release).sort_by(key).equals(values.sort_by(key))
