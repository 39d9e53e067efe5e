"""Files that come in many chunks, wide files, long cells; and a reader that is left alone."""

from __future__ import annotations

import csv
import io
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from copstats.collect.harmonise import harmonise
from copstats.collect.package import Archive, DataSource, Folder
from copstats.collect.reader_channel import Limits
from copstats.collect.readers import open_file, read_file
from copstats.errors import SubmissionError
from copstats.framework import load_framework
from copstats.framework.manifest import DataFile
from copstats.store.engine import memory_connection
from tests.collect.samples import as_csv, manifest, opened, write

ROWS, COLUMNS = 20_000, 120
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def source(folder: Path, name: str, content: bytes | None = None) -> DataSource:
    if content is not None:
        (folder / name).write_bytes(content)
    return Folder(folder).data_file(name, "")


def answers() -> dict[str, np.ndarray]:
    chance = np.random.default_rng(5)
    return {f"q{i}": chance.integers(1, 6, ROWS).astype(float) for i in range(COLUMNS)}


@pytest.fixture(scope="module")
def table() -> dict[str, np.ndarray]:
    return answers()


def written(extension: str, table: dict[str, np.ndarray], path: Path) -> None:
    match extension:
        case "csv":
            pd.DataFrame(table).to_csv(path, index=False)
        case "parquet":
            pq.write_table(pa.table(table), path, row_group_size=7_000)
        case "dta":
            pyreadstat.write_dta(pd.DataFrame(table), str(path))
        case _:
            pyreadstat.write_sav(pd.DataFrame(table), str(path), row_compress=True)


@pytest.mark.parametrize("extension", ["csv", "parquet", "sav", "dta"])
def test_a_file_in_many_chunks_is_the_whole_file(tmp_path, table, extension):
    written(extension, table, tmp_path / f"a.{extension}")
    with open_file(source(tmp_path, f"a.{extension}"), DataFile(path="a")) as stream:
        chunks = list(stream.chunks())
    assert len(chunks) > 1
    whole = pa.concat_tables(chunks)
    assert whole.num_rows == ROWS
    for name in ("q0", "q57", f"q{COLUMNS - 1}"):
        told = whole[name].cast(pa.float64()).to_numpy()
        assert np.array_equal(told, table[name])


def test_letters_in_the_last_chunk_make_the_whole_column_text(tmp_path):
    rows = 36_000
    frame = pd.DataFrame({f"q{i}": np.ones(rows, dtype=np.int64) for i in range(60)}).astype({"q3": object})
    frame.loc[rows - 1, "q3"] = "b"
    pyreadstat.write_dta(frame, str(tmp_path / "a.dta"), missing_user_values={"q3": ["b"]})
    with open_file(source(tmp_path, "a.dta"), DataFile(path="a.dta")) as stream:
        column = next(one for one in stream.head.columns if one.name == "q3")
        chunks = list(stream.chunks())
    assert len(chunks) > 1 and column.missing_values == (".b",)
    counts = pa.concat_tables(chunks)["q3"].value_counts().to_pylist()
    assert {one["values"]: one["counts"] for one in counts} == {"1": rows - 1, ".b": 1}


def test_record_numbers_run_on_from_chunk_to_chunk(tmp_path):
    rows = 60_000
    chance = random.Random(3)  # noqa: S311
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["w", "str", "ea", "age", "n", *(f"x{i}" for i in range(20))])
    ages = [chance.randint(9, 17) for _ in range(rows)]
    for number, age in enumerate(ages, start=1):
        lines.writerow([1, 1, number, age, number, *("some text",) * 20])
    crosswalk = "framework: cop-2026\nchild:\n  child_id: {source: n, copy: true}\n"
    folder = write(tmp_path / "s", {"child.csv": text.getvalue().encode()}, manifest(), crosswalk)
    connection = memory_connection(threads=1)
    record = harmonise(opened(folder), load_framework(), connection).records["child"]
    assert record.rows == rows
    assert (record.format, record.sheet, record.header_rows, record.positions["age"]) == ("CSV", None, 1, 4)
    found = connection.execute("SELECT record_no, CAST(child_id AS INTEGER), age FROM child").fetchall()
    assert found == [(number, number, age) for number, age in enumerate(ages, start=1)]


def test_csv_of_which_the_end_is_ragged_makes_no_table(tmp_path):
    content = b"a,b\n" + b"1,2\n" * 3_000_000 + b"1\n"
    with pytest.raises(SubmissionError) as caught:
        read_file(source(tmp_path, "a.csv", content), DataFile(path="a.csv"))
    assert (caught.value.code, caught.value.params) == ("S145", {"row": 3_000_002})


@pytest.mark.parametrize(
    ("end", "code"), [(b'1,"2\n', "S151"), (b"1,\xe9\n", "S150"), (b"1,2,3\n1,\xe9\n", "S150")]
)
def test_csv_that_goes_wrong_far_down(tmp_path, end, code):
    content = b"a,b\n" + b"1,2\n" * 2_000_000 + end
    with pytest.raises(SubmissionError) as caught:
        read_file(source(tmp_path, "a.csv", content), DataFile(path="a.csv"))
    assert caught.value.code == code
    assert caught.value.params.get("line", 2_000_002) >= 2_000_002


def test_cells_of_64_kilobytes_and_lines_within_them(tmp_path):
    cells = [("é" * 32_000 + "\n,") * 2 + str(i) for i in range(150)]
    text = io.StringIO()
    csv.writer(text).writerows([["id", "note"], *enumerate(cells)])
    table = read_file(source(tmp_path, "a.csv", text.getvalue().encode()), DataFile(path="a.csv")).table
    assert table["note"].to_pylist() == cells


def wide_workbook(names: list[str]) -> bytes:
    workbook, buffer = openpyxl.Workbook(write_only=True), io.BytesIO()
    sheet = workbook.create_sheet("Data")
    for row in (names, [*range(len(names))], [*range(len(names))]):
        sheet.append(row)
    workbook.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("extension", ["csv", "xlsx", "sav", "parquet"])
def test_ten_thousand_columns(tmp_path, extension):
    names = [f"v{i}" for i in range(10_000)]
    columns = {name: [float(i), float(i)] for i, name in enumerate(names)}
    path = tmp_path / f"a.{extension}"
    match extension:
        case "csv":
            path.write_bytes(as_csv(columns))
        case "xlsx":
            path.write_bytes(wide_workbook(names))
        case "sav":
            pyreadstat.write_sav(pd.DataFrame(columns), str(path))
        case _:
            pq.write_table(pa.table(columns), path)
    begun = time.perf_counter()
    file = read_file(source(tmp_path, path.name), DataFile(path=path.name))
    assert time.perf_counter() - begun < 20
    assert (file.records, file.table.num_columns, file.columns[-1].position) == (2, 10_000, 10_000)
    assert float(file.table["v9999"][1].as_py()) == 9999


def test_a_member_of_a_zip_is_streamed(tmp_path, table):
    written("csv", table, tmp_path / "a.csv")
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "a.csv", "a.csv")
        archive.writestr("manifest.yaml", "")
    with open_file(Archive(tmp_path / "s.zip").data_file("a.csv", ""), DataFile(path="a.csv")) as stream:
        assert sum(chunk.num_rows for chunk in stream.chunks()) == ROWS


def test_a_parser_that_takes_too_long_is_ended(tmp_path):
    rows = b"".join(b"<row>" + b"<c><v>1</v></c>" * 40 + b"</row>" for _ in range(60_000))
    names = b"<row>" + b"".join(b'<c t="str"><v>n%d</v></c>' % i for i in range(40)) + b"</row>"
    plain, slow = io.BytesIO(wide_workbook(["a"])), io.BytesIO()
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(slow, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            xml = old.read(name)
            if "sheets/" in name:
                xml = xml[: xml.index(b"<sheetData>") + 11] + names + rows + b"</sheetData></worksheet>"
            new.writestr(name, xml)
    file = source(tmp_path, "a.xlsx", slow.getvalue())
    for limits in (Limits(2**32, 1, 60, 2**30), Limits(2**32, 60, 0.3, 2**30)):
        begun = time.perf_counter()
        with pytest.raises(SubmissionError) as caught:
            read_file(file, DataFile(path="a.xlsx"), limits)
        assert caught.value.code == "S141"
        assert time.perf_counter() - begun < 15


def test_an_answer_that_is_too_long_is_refused(tmp_path):
    content = b"a,b\n" + b"text,text\n" * 500_000
    with pytest.raises(SubmissionError) as caught:
        read_file(source(tmp_path, "a.csv", content), DataFile(path="a.csv"), Limits(2**32, 60, 60, 2**20))
    assert caught.value.code == "S140"


PARENT = """
import subprocess, sys, time
from pathlib import Path
from copstats.collect.package import Folder
from copstats.collect.readers import open_file
from copstats.framework.manifest import DataFile
with open_file(Folder(Path(sys.argv[1])).data_file("a.csv", ""), DataFile(path="a.csv")) as stream:
    chunks = stream.chunks()
    next(chunks)
    print("reading", flush=True)
    time.sleep(60)
"""


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@LINUX
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_the_reader_ends_with_its_parent(tmp_path, sign):
    (tmp_path / "a.csv").write_bytes(b"a,b\n" + b"text,text\n" * 3_000_000)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None and parent.stdout.readline() == b"reading\n"
    (child,) = children(parent.pid)
    os.kill(parent.pid, sign)
    parent.wait(10)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{child}").exists()
    parent.stdout.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
