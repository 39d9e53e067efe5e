"""Sums by PSU beside a wave: sealed like microdata, replaced as one, gone with the wave."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pytest

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.home import Home

WAVE, OTHER = "XAA_2026_COPS_v01_M", "XAA_2026_COPS_v02_M"
CHILD = pa.table({"child_id": ["c1", "c2"], "age": [9, 10]})
CELLS = {
    "child_psu_design": pa.table({"unit": [0, 1], "stratum_no": [1, 1]}),
    "child_psu_cells": pa.table({"unit": [0, 1], "domain": [0, 0], "w": [1.25, 2.5]}),
}
NEWER = {"child_psu_cells": pa.table({"unit": [0], "domain": [0], "w": [7.0]})}


@pytest.fixture
def sealed(home: Home) -> Home:
    home.waves.write(WAVE, "XAA", {"child": CHILD})
    home.waves.write_cells(WAVE, "f1", CELLS)
    return home


def read(home: Home, fingerprint: str = "f1", submission_id: str = WAVE) -> dict[str, pa.Table]:
    found = home.waves.read_cells(submission_id, fingerprint)
    assert found is not None
    return found


def test_what_was_kept_comes_back_and_the_wave_is_as_before(sealed: Home) -> None:
    found = read(Home.open(sealed.path))
    assert found.keys() == CELLS.keys()
    assert all(found[name].equals(table) for name, table in CELLS.items())
    assert sealed.waves.records(WAVE) == ("child",)
    assert sealed.waves.read(WAVE, "child").read_all().equals(CHILD)


def test_cells_of_another_fingerprint_are_as_good_as_none(sealed: Home) -> None:
    assert sealed.waves.read_cells(WAVE, "f2") is None
    sealed.waves.write_cells(WAVE, "f2", NEWER)
    assert sealed.waves.read_cells(WAVE, "f1") is None
    assert read(sealed, "f2")["child_psu_cells"].equals(NEWER["child_psu_cells"])
    assert {p.name for p in (sealed.path / "waves" / WAVE / "cells").iterdir()} == {
        "cells.json",
        "child_psu_cells.parquet",
    }
    assert [p.name for p in (sealed.path / "waves").iterdir()] == [WAVE]


def test_a_wave_that_was_never_estimated_has_none(home: Home) -> None:
    home.waves.write(WAVE, "XAA", {"child": CHILD})
    assert home.waves.read_cells(WAVE, "f1") is None


def test_cells_need_a_wave_and_go_with_it(sealed: Home) -> None:
    sealed.waves.destroy(WAVE)
    assert list((sealed.path / "waves").iterdir()) == []
    for use in (
        lambda: sealed.waves.read_cells(WAVE, "f1"),
        lambda: sealed.waves.write_cells(WAVE, "f1", CELLS),
    ):
        with pytest.raises(UsageError) as refused:
            use()
        assert refused.value.code == "U017"


def test_what_fails_while_it_is_sealed_leaves_the_earlier_ones(sealed: Home) -> None:
    with pytest.raises(UsageError):
        sealed.waves.write_cells(WAVE, "f2", {**NEWER, "../child": CHILD})
    assert read(sealed)["child_psu_cells"].equals(CELLS["child_psu_cells"])
    assert [p.name for p in (sealed.path / "waves").iterdir()] == [WAVE]


def test_files_are_encrypted_and_private(sealed: Home) -> None:
    for path in (sealed.path / "waves" / WAVE / "cells").glob("*.parquet"):
        assert path.read_bytes()[:4] == b"PARE"
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("harm", ["flip", "remove", "swap", "entry", "no entry"])
def test_changed_cells_are_refused(sealed: Home, harm: str) -> None:
    folder = sealed.path / "waves" / WAVE / "cells"
    data, entry = folder / "child_psu_cells.parquet", folder / "cells.json"
    if harm == "flip":
        content = bytearray(data.read_bytes())
        content[len(content) // 2] ^= 1
        data.write_bytes(content)
    elif harm == "remove":
        data.unlink()
    elif harm == "swap":
        shutil.copyfile(folder / "child_psu_design.parquet", data)
    elif harm == "entry":
        entry.write_text("{}")
    else:
        entry.unlink()
    with pytest.raises(ConfidentialityError) as refused:
        sealed.waves.read_cells(WAVE, "f1")
    assert refused.value.code == "C005"


def test_cells_of_another_wave_or_fingerprint_are_refused(sealed: Home) -> None:
    sealed.waves.write(OTHER, "XAA", {"child": CHILD})
    shutil.copytree(sealed.path / "waves" / WAVE / "cells", sealed.path / "waves" / OTHER / "cells")
    with pytest.raises(ConfidentialityError):
        sealed.waves.read_cells(OTHER, "f1")
    entry = sealed.path / "waves" / WAVE / "cells" / "cells.json"
    entry.write_text(entry.read_text().replace('"f1"', '"f2"'))
    with pytest.raises(ConfidentialityError):
        sealed.waves.read_cells(WAVE, "f2")
