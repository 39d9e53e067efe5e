from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from copstats.collect.harmonise import harmonise
from copstats.collect.package import Folder
from copstats.collect.readers import SourceFile, read_file
from copstats.errors import SubmissionError
from copstats.framework import load_framework
from copstats.framework.manifest import DataFile
from copstats.store.engine import memory_connection
from tests.collect.samples import as_csv, manifest, opened, write


def read(folder: Path, name: str, content: bytes | None = None, **says) -> SourceFile:
    if content is not None:
        (folder / name).write_bytes(content)
    return read_file(Folder(folder).data_file(name, "manifest.yaml:1"), DataFile(path=name, **says))


def code_of(*args, **says) -> str:
    with pytest.raises(SubmissionError) as caught:
        read(*args, **says)
    error = caught.value
    assert error.title and error.why and error.hint
    return error.code


def saved(workbook: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def sheet_of(*rows: list) -> bytes:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    return saved(workbook)


# --- CSV ---------------------------------------------------------------------------------------------------


def test_csv_guesses_nothing(tmp_path):
    content = b'id,land,x,note\r\n007,NA,1.0,"a,b ""c""\nd"\r\n08,null,, NaN \r\n'
    file = read(tmp_path, "a.csv", content)
    assert file.table.to_pydict() == {
        "id": ["007", "08"],
        "land": ["NA", "null"],
        "x": ["1.0", None],
        "note": ['a,b "c"\nd', "NaN"],
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_delimiter_is_seen_in_the_header(tmp_path, delimiter):
    content = f"a{delimiter}b\n1{delimiter}2\n".encode()
    assert read(tmp_path, "a.csv", content).table.to_pydict() == {"a": ["1"], "b": ["2"]}


def test_csv_delimiter_in_a_quoted_name_does_not_count(tmp_path):
    assert read(tmp_path, "a.csv", b'"a, b",c\n1,2\n').table.column_names == ["a, b", "c"]


@pytest.mark.parametrize("content", [b"a,b;c\n1,2;3\n", b"a\n1\n", b"a|b\n1|2\n"])
def test_csv_delimiter_that_is_not_clear(tmp_path, content):
    assert code_of(tmp_path, "a.csv", content) == "S146"


def test_csv_declared_delimiter(tmp_path):
    assert read(tmp_path, "a.csv", b"a|b,c\n1|2\n", delimiter="|").table.column_names == ["a", "b,c"]


def test_csv_byte_order_mark(tmp_path):
    content = "\ufeffâge;réponse\n9;été\n".encode()
    assert read(tmp_path, "a.csv", content).table.to_pydict() == {"âge": ["9"], "réponse": ["été"]}


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_csv_encoding_is_declared_or_refused(tmp_path, encoding):
    content = "âge;réponse\n9;été\n".encode(encoding)
    assert read(tmp_path, "a.csv", content, encoding=encoding).table.column_names == ["âge", "réponse"]


def test_csv_wrong_encoding_names_the_line_and_not_the_text(tmp_path):
    content = "id;nom\n1;Anne\n2;Zoé\n".encode("cp1252")
    with pytest.raises(SubmissionError) as caught:
        read(tmp_path, "a.csv", content)
    assert (caught.value.code, caught.value.params["line"]) == ("S150", 3)
    assert "Zo" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_csv_byte_order_mark_declares_the_encoding(tmp_path, encoding):
    file = read(tmp_path, "a.csv", "âge;réponse\n9;été\n".encode(encoding))
    assert file.table.to_pydict() == {"âge": ["9"], "réponse": ["été"]}


def test_csv_byte_order_mark_against_the_manifest(tmp_path):
    assert code_of(tmp_path, "a.csv", "\ufeffâge;b\n9;1\n".encode(), encoding="cp1252") == "S156"


@pytest.mark.parametrize(
    ("encoding", "header"),
    [
        ("cp1252", "âge,réponse"),
        ("cp1256", "العمر,الجنس"),
        ("cp1251", "возраст,пол"),
        ("gb18030", "年龄,性别"),
    ],
)
def test_csv_undeclared_encoding_is_previewed_by_its_header_alone(tmp_path, encoding, header):
    cell = {"cp1252": "Zoé", "cp1256": "فاطمة", "cp1251": "Наталья", "gb18030": "王小明"}[encoding]
    content = f"{header}\n12,{cell}\n".encode(encoding)
    with pytest.raises(SubmissionError) as caught:
        read(tmp_path, "a.csv", content)
    error = caught.value
    names = header.split(",")
    assert (error.code, error.params["line"]) == ("S150", 1)
    assert f"{encoding}: {', '.join(names)}" in error.hint
    assert cell not in error.hint + str(error)
    assert read(tmp_path, "a.csv", content, encoding=encoding).table.column_names == names


@pytest.mark.parametrize("record", ["Zoé,12,1", "1;Zoé;0.5", '"Zoé";"été";" 2"', "Zoé\t-9"])
def test_csv_without_a_header_shows_nothing_of_its_first_record(tmp_path, record):
    with pytest.raises(SubmissionError) as caught:
        read(tmp_path, "a.csv", f"{record}\n{record}\n".encode("cp1252"))
    assert caught.value.code == "S150"
    assert "cp1252: -" in caught.value.hint
    assert not any(part in caught.value.hint + str(caught.value) for part in ("Zo", "été"))


@pytest.mark.parametrize(
    ("thousands", "decimal", "cells", "expected"),
    [
        (None, ".", ["1,234", "12", "1 234"], [None, 12.0, None]),
        (",", ".", ["1,234", "1,234,567.5", "12", "1,23"], [1234.0, 1234567.5, 12.0, None]),
        (".", ",", ["1.234,5", "-1.234", "1.2345"], [1234.5, -1234.0, None]),
        (" ", ",", ["1 234", "1\u00a0234,5", "1\u202f234", "1  234"], [1234.0, 1234.5, 1234.0, None]),
        ("'", ".", ["1'234", "1\u2019234", "1'2345"], [1234.0, 1234.0, None]),
    ],
)
def test_thousands_are_read_only_where_the_manifest_says_so(tmp_path, thousands, decimal, cells, expected):
    columns = {"str": ["1"], "ea": ["1"], "age": ["9"]}
    table = {name: value * len(cells) for name, value in columns.items()} | {"w": cells}
    child = {"path": "child.csv", "decimal": decimal, "delimiter": ","}
    says = manifest(files__child=child | ({"thousands": thousands} if thousands else {}))
    connection = memory_connection(threads=1)
    harmonise(opened(write(tmp_path / "s", {"child.csv": as_csv(table)}, says)), load_framework(), connection)
    found = connection.execute("SELECT weight, weight__unread FROM child ORDER BY record_no").fetchall()
    assert found == [(number, number is None) for number in expected]


def test_one_sign_for_decimals_and_thousands(tmp_path):
    assert code_of(tmp_path, "a.csv", b"a,b\n1,2\n", decimal=",", thousands=",") == "S157"


@pytest.mark.parametrize("row", [b"1,2", b"1,2,3,4"])
def test_csv_ragged_row_is_named(tmp_path, row):
    with pytest.raises(SubmissionError) as caught:
        read(tmp_path, "a.csv", b"a,b,c\n1,2,3\n" + row + b"\n4,5,6\n")
    assert (caught.value.code, caught.value.params) == ("S145", {"row": 3})


def test_csv_open_quote(tmp_path):
    assert code_of(tmp_path, "a.csv", b'a,b\n1,"2\n3,4\n') == "S151"


@pytest.mark.parametrize(
    ("content", "code", "params"),
    [
        (b"a,b,a\n1,2,3\n", "S143", {"column": "a"}),
        (b"a, a \n1,2\n", "S143", {"column": "a"}),
        (b"yes,12,yes\nno,13,no\n", "S143", {"column": "#3"}),  # no header: a child's answers are not shown
        (b"a,,c\n1,2,3\n", "S144", {"position": 2}),
        (b"a,b\n", "S147", {}),
        (b"a,b", "S147", {}),
    ],
)
def test_csv_header(tmp_path, content, code, params):
    with pytest.raises(SubmissionError) as caught:
        read(tmp_path, "a.csv", content)
    assert (caught.value.code, caught.value.params) == (code, params)


def test_names_that_differ_by_case_are_two_columns(tmp_path):
    assert read(tmp_path, "a.csv", b"Q1,q1\n1,2\n").table.to_pydict() == {"Q1": ["1"], "q1": ["2"]}


def test_formula_like_cells_stay_text(tmp_path):
    cells = ["=1+1", "+1", "-2", "@SUM(A1)", '=HYPERLINK("http://x","y")', "|calc"]
    quoted = "".join('"' + cell.replace('"', '""') + '",1\n' for cell in cells)
    assert read(tmp_path, "a.csv", ("c,d\n" + quoted).encode()).table["c"].to_pylist() == cells


# --- Excel -------------------------------------------------------------------------------------------------


def test_xlsx_numbers_texts_dates_and_booleans(tmp_path):
    content = sheet_of(
        ["n", "mixed", "code", "day", "when", "yes", 2026],
        [1, 1, "007", dt.date(2026, 3, 1), dt.datetime(2026, 3, 1, 14, 30), True, 5],
        [2.5, "NA", "008", dt.date(2026, 3, 2), None, False, None],
    )
    file = read(tmp_path, "a.xlsx", content)
    assert file.table.to_pydict() == {
        "n": [1.0, 2.5],
        "mixed": ["1", "NA"],
        "code": ["007", "008"],
        "day": ["2026-03-01", "2026-03-02"],
        "when": ["2026-03-01T14:30:00", None],
        "yes": ["TRUE", "FALSE"],
        "2026": [5.0, None],
    }


def test_xlsx_blank_rows_inside_stay_records_and_those_below_go(tmp_path):
    workbook = openpyxl.Workbook()
    for row in (["a", "b"], [1, "x"], [None, None], [3, "y"], ["", ""]):
        workbook.active.append(row)
    workbook.active["A9"].number_format = "0.00"
    assert read(tmp_path, "a.xlsx", saved(workbook)).table.to_pydict() == {
        "a": [1, None, 3],
        "b": ["x", None, "y"],
    }


def test_xlsx_error_cells_are_not_blank(tmp_path):
    workbook = openpyxl.Workbook()
    for row in (["a", "b"], [1, "#N/A"], ["#DIV/0!", 2], [3, 4]):
        workbook.active.append(row)
    table = read(tmp_path, "a.xlsx", saved(workbook)).table
    assert table.to_pydict() == {"a": ["1", "#ERROR", "3"], "b": ["#ERROR", "2", "4"]}


def test_xlsx_formula_without_value(tmp_path):
    with pytest.raises(SubmissionError) as caught:
        read(tmp_path, "a.xlsx", sheet_of(["a", "b"], [1, "=A2+1"], [2, "=A3+1"]))
    assert (caught.value.code, caught.value.params) == ("S154", {"count": 2})


def test_xlsx_sheet_is_named_or_single(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.title = "notes"
    data = workbook.create_sheet("Data & codes")
    data.append(["a"])
    data.append(["#N/A"])
    assert code_of(tmp_path, "a.xlsx", saved(workbook)) == "S152"
    assert code_of(tmp_path, "a.xlsx", saved(workbook), sheet="data") == "S152"
    assert read(tmp_path, "a.xlsx", saved(workbook), sheet="Data & codes").table["a"].to_pylist() == [
        "#ERROR"
    ]
    workbook["notes"].sheet_state = "hidden"
    assert read(tmp_path, "a.xlsx", saved(workbook)).records == 1


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ((["a", "a"], [1, 2]), "S143"),
        ((["a", None], [1, 2]), "S144"),
        ((["a", "b"],), "S147"),
        (([],), "S147"),
    ],
)
def test_xlsx_header(tmp_path, rows, code):
    assert code_of(tmp_path, "a.xlsx", sheet_of(*rows)) == code


def test_xlsx_column_without_name_and_values_is_no_column(tmp_path):
    assert read(tmp_path, "a.xlsx", sheet_of(["a", None, "b"], [1, "", 2])).table.column_names == ["a", "b"]


def test_xlsx_merged_header_cells(tmp_path):
    workbook = openpyxl.Workbook()
    for row in (["id", "Q1", None], [1, 2, 3]):
        workbook.active.append(row)
    workbook.active.merge_cells("B1:C1")
    with pytest.raises(SubmissionError) as caught:
        read(tmp_path, "a.xlsx", saved(workbook))
    assert (caught.value.code, caught.value.params) == ("S144", {"position": 3})


def test_xlsx_address_and_traces(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.title = "Data"
    for row in (["a", None, "b"], [1, None, 2]):
        workbook.active.append(row)
    workbook.active["A2"].comment = openpyxl.comments.Comment("CANARY", "CANARY")
    workbook.properties.creator = "CANARY"
    workbook.create_sheet("CANARY").sheet_state = "hidden"
    workbook.defined_names["n"] = openpyxl.workbook.defined_name.DefinedName("n", attr_text="[1]CANARY!$A$1")
    file = read(tmp_path, "a.xlsx", saved(workbook))
    assert (file.sheet, file.header_rows) == ("Data", 1)
    assert {column.name: column.position for column in file.columns} == {"a": 1, "b": 3}
    found = {(trace.kind, trace.count) for trace in file.traces}
    assert found == {("author", 1), ("comment", 1), ("hidden_sheet", 1), ("external_link", 1)}
    assert "CANARY" not in str(file.traces)


# --- SPSS and Stata ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", ["sav", "zsav"])
def test_spss_keeps_codes_labels_and_user_missing_values(tmp_path, extension):
    frame = pd.DataFrame(
        {
            "age": [12.0, 98.0, 99.0, None],
            "q1": [1.0, 2.0, 8.0, 9.0],
            "txt": ["a" * 400, "é", "", " -99 "],
            "day": [dt.date(2026, 3, 1), None, dt.date(2026, 3, 2), dt.date(2026, 3, 3)],
        }
    )
    pyreadstat.write_sav(
        frame,
        str(tmp_path / f"a.{extension}"),
        column_labels={"q1": "Contacté en ligne ?"},
        variable_value_labels={"q1": {1: "Oui", 2: "Non", 8: "Ne sait pas"}},
        missing_ranges={"q1": [8, 9], "age": [{"lo": 98, "hi": 99}]},
        compress=extension == "zsav",
    )
    file = read(tmp_path, f"a.{extension}")
    assert file.table.to_pydict() == {
        "age": [12.0, 98.0, 99.0, None],
        "q1": [1.0, 2.0, 8.0, 9.0],
        "txt": ["a" * 400, "é", None, "-99"],
        "day": ["2026-03-01", None, "2026-03-02", "2026-03-03"],
    }
    age, q1, *_ = file.columns
    assert (q1.name, q1.label, q1.missing_values) == ("q1", "Contacté en ligne ?", (8.0, 9.0))
    assert q1.value_labels == {1.0: "Oui", 2.0: "Non", 8.0: "Ne sait pas"}
    assert age.missing_ranges == ((98.0, 99.0),)


def test_stata_extended_missing_values_are_texts(tmp_path):
    frame = pd.DataFrame({"id": [1, 2, 3, 4], "q1": [1, 2, "a", "b"], "name": ["é", "b", "x", ""]})
    pyreadstat.write_dta(
        frame,
        str(tmp_path / "a.dta"),
        variable_value_labels={"q1": {1: "Yes", 2: "No", "a": "Don't know"}},
        missing_user_values={"q1": ["a", "b"]},
    )
    file = read(tmp_path, "a.dta")
    assert file.table.to_pydict() == {
        "id": [1, 2, 3, 4],
        "q1": ["1", "2", ".a", ".b"],
        "name": ["é", "b", "x", None],
    }
    assert file.columns[1].value_labels == {1: "Yes", 2: "No", ".a": "Don't know"}
    assert file.columns[1].missing_values == (".a", ".b")


def test_traces_of_statistical_files(tmp_path):
    frame = pd.DataFrame({"q1": [1.0, 2.0], "q2": [1.0, 1.0]})
    labels = {"q1": {1: "Yes", 2: "No"}, "q2": {1: "School A", 2: "CANARY", 3: "CANARY"}}
    pyreadstat.write_sav(
        frame, str(tmp_path / "a.sav"), file_label="CANARY", note=["CANARY"], variable_value_labels=labels
    )
    pyreadstat.write_dta(frame, str(tmp_path / "a.dta"), file_label="CANARY", variable_value_labels=labels)
    spss, stata = (
        {(trace.kind, trace.place): trace.count for trace in read(tmp_path, name).traces}
        for name in ("a.sav", "a.dta")
    )
    unused = {("unused_value_label", "q2"): 2}
    assert spss == {("file_label", ""): 1, ("file_note", ""): 1} | unused
    assert stata == {("file_label", ""): 1} | unused


@pytest.mark.parametrize("shown", ["%td", "%tdDD/NN/CCYY", "%tdCCYY-NN-DD"])
def test_stata_dates_are_dates_however_they_are_shown(tmp_path, shown):
    frame = pd.DataFrame({"d": [dt.date(2026, 3, 1), None]})
    pyreadstat.write_dta(frame, str(tmp_path / "a.dta"), variable_format={"d": shown})
    assert read(tmp_path, "a.dta").table["d"].to_pylist() == ["2026-03-01", None]


def test_spss_cut_short(tmp_path):
    pyreadstat.write_sav(pd.DataFrame({"a": [float(i) for i in range(500)]}), str(tmp_path / "a.sav"))
    whole = (tmp_path / "a.sav").read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        assert code_of(tmp_path, "a.sav", whole[: int(len(whole) * share)]) == "S140"


def test_spss_declared_encoding(tmp_path):
    pyreadstat.write_sav(pd.DataFrame({"a": ["aaaa"]}), str(tmp_path / "a.sav"))
    content = (tmp_path / "a.sav").read_bytes().replace(b"aaaa", b"\xe9t\xe9 ")
    assert code_of(tmp_path, "a.sav", content) == "S148"
    assert read(tmp_path, "a.sav", content, encoding="WINDOWS-1252").table["a"].to_pylist() == ["été"]


# --- Parquet -----------------------------------------------------------------------------------------------


def parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def test_parquet_types(tmp_path):
    midnight = [dt.datetime(2026, 3, 1), None]
    table = pa.table(
        {
            "i": pa.array([1, None], pa.int8()),
            "u": pa.array([2**63, 1], pa.uint64()),
            "f": pa.array([1.5, float("nan")], pa.float32()),
            "t": pa.array(["NA", ""], pa.large_string()),
            "b": pa.array([True, None]),
            "d": pa.array([dt.date(2026, 3, 1), None]),
            "ts": pa.array(midnight, pa.timestamp("ns")),
            "at": pa.array([dt.datetime(2026, 3, 1, 1, 2, 3), None], pa.timestamp("us")),
            "c": pa.array(["x", "y"]).dictionary_encode(),
            "n": pa.nulls(2),
        }
    )
    assert read(tmp_path, "a.parquet", parquet(table)).table.to_pydict() == {
        "i": [1, None],
        "u": [float(2**63), 1.0],
        "f": [1.5, None],
        "t": ["NA", None],
        "b": ["TRUE", None],
        "d": ["2026-03-01", None],
        "ts": ["2026-03-01", None],
        "at": ["2026-03-01T01:02:03", None],
        "c": ["x", "y"],
        "n": [None, None],
    }


def test_parquet_metadata_and_unused_categories_are_left_behind(tmp_path):
    frame = pd.DataFrame({"school": pd.Categorical(["A"], categories=["A", "CANARY"])})
    frame.attrs["note"] = "CANARY"
    frame.to_parquet(tmp_path / "a.parquet")
    assert b"CANARY" in (tmp_path / "a.parquet").read_bytes()
    file = read(tmp_path, "a.parquet")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, file.table.schema) as stream:
        stream.write_table(file.table)
    assert b"CANARY" not in sink.getvalue().to_pybytes()
    assert file.table.schema.metadata is None
    assert ("unused_category", "school", 1) in {(t.kind, t.place, t.count) for t in file.traces}
    assert "CANARY" not in str(file.traces)


@pytest.mark.parametrize("cells", [[[1, 2]], [{"a": 1}], [b"x"]])
def test_parquet_column_that_is_no_number_or_text(tmp_path, cells):
    assert code_of(tmp_path, "a.parquet", parquet(pa.table({"a": cells}))) == "S149"


def test_parquet_column_twice(tmp_path):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert code_of(tmp_path, "a.parquet", parquet(table)) == "S143"


def test_parquet_cut_short(tmp_path):
    whole = parquet(pa.table({"a": list(range(1000))}))
    assert code_of(tmp_path, "a.parquet", whole[: len(whole) // 2]) == "S140"


# --- the subprocess ----------------------------------------------------------------------------------------


def test_a_file_that_changes_between_check_and_reading(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n")
    source = Folder(tmp_path).data_file("a.csv", "")
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,3\n")
    with pytest.raises(SubmissionError) as caught:
        read_file(source, DataFile(path="a.csv"))
    assert caught.value.code == "S155"


def test_the_child_loads_no_more_than_the_parser(tmp_path):
    heavy = "pandas duckdb jsonschema sqlglot msgspec yaml great_expectations"
    code = (
        "import sys, copstats.collect.reader_process as r; before = 'pyarrow' in sys.modules;"
        "import copstats.collect.parsers.delimited, copstats.collect.parsers.statistical;"
        f"print(before, [m for m in {heavy.split()!r} if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False []"


def test_reading_changes_no_file(tmp_path):
    (tmp_path / "s").mkdir()
    read(tmp_path / "s", "a.csv", b"a,b\n1,2\n")
    assert [path.name for path in tmp_path.rglob("*")] == ["s", "a.csv"]


@pytest.mark.reference
def test_yrbs_2019_in_two_formats(shared):
    """SPSS holds codes with labels, Parquet the labels as text: the same answers must be counted."""
    folder = shared / "data" / "yrbs"
    spss, parquet_ = read(folder, "yrbs2019.sav"), read(folder, "yrbs2019.parquet")
    assert spss.records == parquet_.records == 13_677
    labels = next(column for column in spss.columns if column.name == "Q24").value_labels
    by_code = {labels[entry["values"]]: entry["counts"] for entry in _counts(spss, "Q24")}
    by_text = {entry["values"]: entry["counts"] for entry in _counts(parquet_, "Q24")}
    assert by_code == by_text
    total = sum(spss.table["weight"].to_pylist())
    assert total == pytest.approx(sum(parquet_.table["weight"].to_pylist()), rel=1e-12)


def _counts(file: SourceFile, name: str) -> list[dict]:
    return [entry for entry in file.table[name].value_counts().to_pylist() if entry["values"] is not None]
