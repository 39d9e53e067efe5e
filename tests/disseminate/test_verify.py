from __future__ import annotations

import os
import shutil
from pathlib import Path

import duckdb
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from copstats.disseminate import Problem, verify_release
from copstats.disseminate.manifest import MANIFEST, file_entry, read_manifest, sign
from copstats.disseminate.tables import dictionary
from copstats.errors import ReleaseError
from tests.disseminate.conftest import KEY

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture
def copy(release: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(release, tmp_path / "release"))


def kinds(problems: list[Problem]) -> set[tuple[str, str]]:
    return {(problem.kind, problem.file) for problem in problems}


def test_a_release_as_it_was_built_has_no_problem(release: Path) -> None:
    assert verify_release(release) == []
    assert verify_release(release, KEY.public_key()) == []


def test_another_publisher_is_found(release: Path) -> None:
    assert kinds(verify_release(release, OTHER_KEY.public_key())) == {("signature", "MANIFEST.sig")}


def test_one_flipped_bit_anywhere_is_found(copy: Path) -> None:
    """In every file, at its beginning, in its middle and at its end."""
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    assert len(files) == 3 + 1 + 2 * len(dictionary().tables)
    for path in files:
        content = path.read_bytes()
        for place in {0, len(content) // 2, len(content) - 1}:
            changed = bytearray(content)
            changed[place] ^= 1
            path.write_bytes(changed)
            assert verify_release(copy, KEY.public_key()), f"{path.name} at {place}"
            assert verify_release(copy), f"{path.name} at {place}"
        path.write_bytes(content)
    assert verify_release(copy) == []


def test_extra_missing_and_linked_files_are_found(copy: Path) -> None:
    (copy / "csv" / "area.csv").unlink()
    (copy / "notes.txt").write_text("x")
    (copy / "parquet" / "link").symlink_to("/etc/hostname")
    assert kinds(verify_release(copy)) == {
        ("missing", "csv/area.csv"),
        ("extra", "notes.txt"),
        ("extra", "parquet/link"),
    }
    assert str(verify_release(copy)[0]).startswith("csv/area.csv: ")


def test_an_unsigned_release_is_none(copy: Path) -> None:
    (copy / "MANIFEST.sig").unlink()
    assert kinds(verify_release(copy)) == {("missing", "MANIFEST.sig")}
    (copy / MANIFEST).unlink()
    with pytest.raises(ReleaseError, match="R024"):
        verify_release(copy)


def test_a_manifest_that_cannot_be_read_is_a_problem(copy: Path) -> None:
    (copy / MANIFEST).write_bytes(b'{"format": 1, "label": \xff')
    assert ("manifest", MANIFEST) in kinds(verify_release(copy))


def test_paths_outside_the_release_are_never_opened(copy: Path) -> None:
    manifest = read_manifest(copy)
    files = {**manifest.files, "../../etc/passwd": next(iter(manifest.files.values()))}
    sign(copy, msgspec.structs.replace(manifest, files=files), KEY)
    assert kinds(verify_release(copy)) == {("missing", "../../etc/passwd")}


@pytest.mark.skipif(os.name == "nt", reason="needs a writable copy of an open database")
@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("SET value = 12 WHERE reason = 'n'", "a withheld cell has a figure"),
        (
            "SET reliability = 'reliable' WHERE reason = 'low' OR reason = 'high'",
            "a withheld cell has a reliability",
        ),
        ("SET reason = NULL WHERE reason = 'n'", "a withheld cell has no reason"),
        ("SET n_band = '25-49' WHERE reason = 'n'", "bands without a figure"),
        ("SET obs_conf = 'F' WHERE reason = 'n'", "a suppressed cell is free"),
        ("SET se = NULL WHERE obs_status = 'A'", "a shown cell is incomplete"),
        ("SET reason = 'n' WHERE obs_status = 'A'", "a shown cell has a reason against it"),
        ("SET value = 99 WHERE obs_status = 'A'", "a value outside its interval"),
        ("SET ci_upper = 100.5 WHERE obs_status = 'A'", "a per cent outside 0 to 100"),
        ("SET obs_status = 'S' WHERE reason = 'n'", "an unknown status"),
        ("SET se = 1.2345 WHERE obs_status = 'A'", "more digits than published"),
        ("SET source = 'x', survey = 'x', ref_area = 'x', time_period = 'x'", "a key that is not unique"),
    ],
)
def test_a_signed_release_with_a_leaking_cell_is_found(copy: Path, change: str, check: str) -> None:
    database = copy / "copstats.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"UPDATE indicator_value {change}")
    manifest = read_manifest(copy)
    sign(
        copy,
        msgspec.structs.replace(manifest, files={**manifest.files, "copstats.duckdb": file_entry(database)}),
        KEY,
    )
    assert any(check in problem.text for problem in verify_release(copy, KEY.public_key()))
