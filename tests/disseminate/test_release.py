from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import subprocess
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from copstats.disseminate import build_release
from copstats.disseminate.files import guarded
from copstats.disseminate.release import quarter_end, read_manifest
from copstats.errors import ConfidentialityError, ReleaseError
from copstats.framework import load_framework
from tests.disseminate.conftest import AREAS, KEY, build, record

TABLES = {
    "indicator_value",
    "indicator",
    "area",
    "area_group",
    "source",
    "codelist",
    "label",
    "comparability",
    "release",
}
MARK = "Zq7estimateQz9"


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def litter() -> None:
    """Fill memory with marks and give it back, as the steps before a release do with estimates."""
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TABLE t AS SELECT '{MARK}' || range AS a, repeat('{MARK}', 40) AS b FROM range(20000)"
        )
        connection.execute("SELECT count(DISTINCT a), max(b) FROM t").fetchall()


def test_two_builds_give_the_same_bytes(release: Path, values: pa.Table, tmp_path: Path) -> None:
    litter()
    shuffled = values.take(list(reversed(range(values.num_rows))))
    again = build(tmp_path / "in-another-and-longer-folder", shuffled)
    assert hashes(again) == hashes(release)


def test_no_leftovers_of_memory_are_published(values: pa.Table, tmp_path: Path) -> None:
    codes = [pc.binary_join_element_wise(values["indicator"], f"{i:03}", "") for i in range(200)]
    many = pa.concat_tables(values.set_column(1, values.schema.field(1), code) for code in codes)
    found = set()
    for attempt in ("a", "b", "c"):
        litter()
        folder = build(tmp_path / attempt, many)
        content = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
        assert MARK[:5].encode() not in content and MARK[-5:].encode() not in content
        found.add(hashlib.sha256(content).hexdigest())
    assert len(found) == 1


def test_manifest_lists_every_file_and_counts_every_cell(release: Path, values: pa.Table) -> None:
    manifest = read_manifest(release)
    raw = json.loads((release / "MANIFEST.json").read_text("utf-8"))
    assert raw["label"] == "2026-Q4" and raw["framework"].startswith("cop-2026 ")
    listed = {name: entry.sha256 for name, entry in manifest.files.items()}
    assert listed | {n: h for n, h in hashes(release).items() if n.startswith("MANIFEST")} == hashes(release)
    assert sum(count.cells for count in manifest.cells) == values.num_rows
    assert {(c.obs_status, c.reason, c.rule) for c in manifest.cells} >= {
        ("A", None, None),
        ("U", None, None),
        ("Q", "high", "R2"),
        ("Q", "n", "R1"),
        ("L", "not_asked", None),
    }
    assert {i.submission: i.sha256 for i in manifest.inputs}["XBB_2026_COPS_v01_M"] == record(
        "XBB"
    ).content_hash


def test_a_submission_without_a_row_is_not_named(release: Path) -> None:
    """One of the sources that were handed over has no published row."""
    for path in release.rglob("*"):
        assert not path.is_file() or b"XAA_2020" not in path.read_bytes()


def test_openssl_accepts_the_signature(release: Path) -> None:
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin", "-inkey", "PUBLIC_KEY.pem"]
    files = ["-in", "MANIFEST.json", "-sigfile", "MANIFEST.sig"]
    try:
        done = subprocess.run([*command, *files], cwd=release, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no openssl on this machine")
    if "rawin" in done.stderr:
        pytest.skip("this openssl is too old for Ed25519")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", sorted(TABLES))
def test_parquet_csv_and_database_hold_the_same(release: Path, name: str) -> None:
    with duckdb.connect(str(release / "copstats.duckdb"), read_only=True) as connection:
        kept = connection.sql(f"FROM {name}").to_arrow_table()
    parquet = pq.read_table(release / "parquet" / f"{name}.parquet")
    assert parquet.to_pylist() == kept.to_pylist() and parquet.num_rows > 0
    with (release / "csv" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines, strict=True)
    assert header == kept.column_names
    assert len(rows) == kept.num_rows
    for text, row in zip(rows, guarded(parquet).to_pylist(), strict=True):
        for cell, value in zip(text, row.values(), strict=True):
            if isinstance(value, bool):
                assert cell == str(value).lower()
            elif isinstance(value, float):
                assert float(cell) == value
            else:
                assert cell == ("" if value is None else str(value))


def test_csv_is_rfc_4180(release: Path) -> None:
    content = (release / "csv" / "source.csv").read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") == 5
    assert "Enquête «".encode() in (release / "csv" / "label.csv").read_bytes()


def test_a_spreadsheet_sees_no_formula() -> None:
    texts = [
        "=1+1",
        "+cmd",
        "-cmd",
        "@x",
        "\tx",
        "\rx",
        "\nx",
        "\uff1d1",
        "-8",
        "+1.5",
        "a=b",
        "",
        None,
        "-8+1",
    ]
    found = guarded(pa.table({"text": texts, "number": [-1.0] * len(texts)}))
    assert found["text"].to_pylist() == [
        "'=1+1", "'+cmd", "'-cmd", "'@x", "'\tx", "'\rx", "'\nx", "'\uff1d1", "-8", "+1.5", "a=b", "", None,
        "'-8+1",
    ]  # fmt: skip
    assert found["number"].to_pylist() == [-1.0] * len(texts)


def test_a_used_folder_is_refused(values: pa.Table, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ReleaseError, match="R020"):
        build(tmp_path, values)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_every_value_leads_to_a_source(values: pa.Table, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="R022") as problem:
        build(tmp_path / "r", values, sources=[record("XAA"), record("XCC"), record("XAA", 2023)])
    assert "XBB_2026_COPS_v01_M" in problem.value.title


def test_a_broken_gate_stops_the_release(values: pa.Table, tmp_path: Path) -> None:
    withheld = [row for row in values.to_pylist() if row["reason"] == "n"]
    assert withheld
    leaking = pa.Table.from_pylist([row | {"value": 12.0} for row in withheld], schema=values.schema)
    with pytest.raises(ConfidentialityError) as problem:
        build(tmp_path / "r", leaking)
    assert problem.value.code == "C101" and "12" not in str(problem.value)
    assert not (tmp_path / "r").exists()


def test_a_text_too_long_for_reproducible_bytes_is_refused(values: pa.Table, tmp_path: Path) -> None:
    areas = {**AREAS, "XAA": type(AREAS["XAA"])("XAA", "A" * 4001, {})}
    with pytest.raises(ReleaseError, match="R023") as problem:
        build_release(
            tmp_path / "r",
            label="x",
            values=values,
            framework=load_framework(),
            areas=areas,
            sources=[record("XAA"), record("XAA", 2023), record("XBB"), record("XCC")],
            fingerprint="",
            signing_key=KEY,
        )
    assert problem.value.where == "area.area"


def test_the_label_gives_the_date() -> None:
    assert quarter_end("2026-Q4") == dt.date(2026, 12, 31)
    assert quarter_end("2024-Q1") == dt.date(2024, 3, 31)
    assert quarter_end("2024-Q2-r1") == dt.date(2024, 6, 30)
    assert quarter_end("trial") is None
