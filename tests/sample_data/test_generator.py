"""The generator: the same output every time, equal to what is committed; the key of the planted faults."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pyarrow.parquet
import pyreadstat
import pytest
import yaml

from sample_data.generator.build import CORRECTED, FAULTY, build_all

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("samples")
    build_all(target)
    return target


def content(path: Path) -> object:
    """What a file says, without what its library adds (versions, compression)."""
    match path.suffix:
        case ".xlsx":
            book = openpyxl.load_workbook(path, read_only=True)
            return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}
        case ".parquet":
            return pyarrow.parquet.read_table(path).to_pydict()
        case ".sav" | ".zsav" | ".dta":
            read = pyreadstat.read_dta if path.suffix == ".dta" else pyreadstat.read_sav
            data, meta = read(str(path), user_missing=True)
            return data.astype(str).to_dict("list"), meta.column_names_to_labels, meta.variable_value_labels
    return path.read_bytes()


def data_files() -> list[Path]:
    held = sorted((SAMPLES / "submissions").rglob("*"))
    return [Path("faults.yaml"), *(path.relative_to(SAMPLES) for path in held if path.is_file())]


@pytest.mark.parametrize("file", data_files(), ids=str)
def test_output_equals_what_is_committed(file: Path, rebuilt: Path) -> None:
    assert content(rebuilt / file) == content(SAMPLES / file)


def test_bytes_are_the_same_each_time(rebuilt: Path, tmp_path: Path) -> None:
    build_all(tmp_path)
    for file in data_files():
        assert (tmp_path / file).read_bytes() == (rebuilt / file).read_bytes(), file


def records(name: str, record: str) -> list[dict[str, str]]:
    with (SAMPLES / "submissions" / name / f"{record}.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def key() -> list[dict[str, object]]:
    faults = yaml.safe_load((SAMPLES / "faults.yaml").read_text("utf-8"))
    assert isinstance(faults, list)
    return faults


def test_there_are_30_faults_of_many_classes() -> None:
    faults = key()
    assert [fault["id"] for fault in faults] == [f"F{number:02d}" for number in range(1, 31)]
    assert len({fault["rule"] for fault in faults}) >= 20
    places = [(fault["rule"], fault["record"], fault["record_no"], fault["variable"]) for fault in faults]
    assert len(set(places)) == 30


def test_key_names_exactly_the_records_that_differ_from_the_corrected_ones() -> None:
    for record in ("child", "parent"):
        clean, faulty = records(CORRECTED, record), records(FAULTY, record)
        common = clean[0].keys() & faulty[0].keys()
        changed = {
            number
            for number, (before, after) in enumerate(zip(clean, faulty, strict=True), start=1)
            if any(before[name] != after[name] for name in common)
        }
        named = {f["record_no"] for f in key() if f["record"] == record and f["record_no"] is not None}
        # Of two records with one key, the first was correct before.
        doubled = {f["record_no"] for f in key() if f["rule"] == "key_unique"} if record == "child" else set()
        assert named - doubled <= changed <= named
        assert len(changed & doubled) == (1 if doubled else 0)


def test_key_names_exactly_the_columns_that_differ() -> None:
    clean, faulty = records(CORRECTED, "child")[0].keys(), records(FAULTY, "child")[0].keys()
    structure = {f["variable"]: f["rule"] for f in key() if f["record_no"] is None}
    assert set(structure) == clean ^ faulty
    assert {name for name, rule in structure.items() if rule == "unknown_column"} == faulty - clean
