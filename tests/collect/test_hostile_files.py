"""Files made to crash, fill or mislead whoever reads them: each costs one error and nothing else."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

from copstats.collect.package import Folder
from copstats.collect.readers import read_file
from copstats.errors import SubmissionError
from copstats.framework.manifest import DataFile
from tests.collect.samples import as_csv


def attempt(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    try:
        source = Folder(folder).data_file(name, "")
        return f"read {read_file(source, DataFile(path=name)).records}"
    except SubmissionError as error:
        assert "CANARY" not in f"{error} {error.params} {error.__context__}"
        return error.code


def sheet_xml(workbook_rows: bytes) -> bytes:
    head = (
        b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    )
    return head + b"<sheetData>" + workbook_rows + b"</sheetData></worksheet>"


def workbook_with(parts: dict[str, bytes]) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.active.append([1])
    plain, changed = io.BytesIO(), io.BytesIO()
    book.save(plain)
    with (
        zipfile.ZipFile(plain) as old,
        zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for name in old.namelist():
            new.writestr(name, parts.get(name, old.read(name)))
    return changed.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_a_workbook_that_unfolds_too_far(tmp_path):
    row = b'<row r="%d"><c r="A%d" t="inlineStr"><is><t>' + b"A" * 1000 + b"</t></is></c></row>"
    rows = b"".join(row % (i, i) for i in range(1, 40_000))
    assert attempt(tmp_path, "a.xlsx", workbook_with({SHEET: sheet_xml(rows)})) == "S141"


def test_a_workbook_with_a_cell_in_the_last_corner(tmp_path):
    corner = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    assert attempt(tmp_path, "a.xlsx", workbook_with({SHEET: sheet_xml(corner)})) in ("S140", "S141")


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
def test_a_workbook_that_declares_entities(tmp_path, doctype):
    xml = sheet_xml(b'<row r="1"><c r="A1" t="inlineStr"><is><t>&e;</t></is></c></row>')
    assert attempt(tmp_path, "a.xlsx", workbook_with({SHEET: doctype + xml})) == "S140"


def test_a_zip_that_is_no_workbook(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("CANARY.txt", "CANARY")
    assert attempt(tmp_path, "a.xlsx", buffer.getvalue()) == "S140"


@pytest.mark.parametrize("extension", ["sav", "dta", "parquet", "xlsx"])
def test_a_signature_and_nothing_behind_it(tmp_path, extension):
    signature = {"sav": b"$FL2", "dta": b"<stata_dta>", "parquet": b"PAR1", "xlsx": b"PK\x03\x04"}[extension]
    assert attempt(tmp_path, f"a.{extension}", signature + b"CANARY" * 50) == "S140"


def test_bytes_of_chance_as_csv(tmp_path):
    chance = random.Random(7)  # noqa: S311
    for size in (10, 1000, 100_000):
        assert attempt(tmp_path, "a.csv", chance.randbytes(size)).startswith("S1")


def test_a_wide_csv(tmp_path):
    columns = {f"c{i}": [i] for i in range(5000)}
    assert attempt(tmp_path, "a.csv", as_csv(columns)) == "read 1"


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on this system")
def test_the_reading_process_can_write_no_file_and_holds_its_limits(tmp_path):
    target = tmp_path / "written"
    code = (
        "import sys; from copstats.collect.reader_process import limit; limit(2**31, 60)\n"
        "import resource as r\n"
        "assert r.getrlimit(r.RLIMIT_CORE) == (0, 0) and r.getrlimit(r.RLIMIT_AS)[0] == 2**31\n"
        "try:\n"
        f"    with open({str(target)!r}, 'w') as file:\n"
        "        file.write('x')\n"
        "except OSError:\n"
        "    print('refused')\n"
        "try:\n"
        "    bytearray(2**32)\n"
        "except MemoryError:\n"
        "    print('refused')\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert out.stdout.split() == ["refused", "refused"], out.stderr
    assert target.read_text() == ""
