from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

from copstats.collect.harmonise import Harmonised, harmonise
from copstats.errors import SubmissionErrors
from copstats.framework import load_framework
from copstats.store.engine import memory_connection
from tests.collect.samples import CHILDREN, CROSSWALK, as_csv, encoded, manifest, opened, write


def harmonised(folder: Path) -> tuple[Harmonised, Any]:
    connection = memory_connection(threads=1)
    return harmonise(opened(folder), load_framework(), connection), connection


def column(connection, name: str, record: str = "child") -> list[Any]:
    rows = connection.execute(f"SELECT {name} FROM {record} ORDER BY record_no").fetchall()
    return [row[0] for row in rows]


def recode(tmp_path: Path, cells: list[Any], variable: str, mapping: str, **options: Any):
    """Return values and flags of one variable, fed by the column ``x`` through one mapping."""
    columns = {"w": [1.0] * len(cells), "str": [1.0] * len(cells), "ea": [1.0] * len(cells), "x": cells}
    extension = options.pop("extension", "csv")
    files = {f"child.{extension}": encoded(extension, columns, tmp_path)}
    says = manifest(files__child={"path": f"child.{extension}", **options})
    crosswalk = f"framework: cop-2026\nchild:\n  {variable}: {mapping}\n"
    _, connection = harmonised(write(tmp_path / "s", files, says, crosswalk))
    return column(connection, variable), column(connection, f"{variable}__unread")


def errors_of(folder: Path) -> list:
    with pytest.raises(SubmissionErrors) as caught:
        harmonised(folder)
    return caught.value.errors


LONG = 700_000
"""Records of three columns that reach the query in two chunks."""


def long_file(folder: Path, last: str = "") -> Path:
    lines = [f"{number},1,{number % 9 + 9}" for number in range(1, LONG + 1)]
    content = "\n".join(["child_id,w,age", *lines, last]).encode()
    says = manifest(design={"weight": "w", "stratum": None, "psu": None})
    return write(folder / "s", {"child.csv": content}, says)


def test_a_long_file_keeps_the_order_of_its_records_whatever_the_threads(tmp_path):
    connection = memory_connection(threads=4)
    result = harmonise(opened(long_file(tmp_path)), load_framework(), connection)
    assert result.records["child"].rows == LONG
    misplaced = "record_no <> rowid + 1 OR child_id <> record_no::VARCHAR OR age <> record_no % 9 + 9"
    counted = f"SELECT count(*), count(*) FILTER ({misplaced}) FROM child"
    assert connection.execute(counted).fetchone() == (LONG, 0)


def test_a_fault_far_down_is_told_as_what_it_is(tmp_path):
    (error,) = errors_of(long_file(tmp_path, last="1,2,3,4"))
    assert (error.code, error.params["row"]) == ("S145", LONG + 2)


def test_the_whole_table(tmp_path):
    folder = write(tmp_path / "s", {"child.csv": as_csv(CHILDREN)}, crosswalk=CROSSWALK)
    result, connection = harmonised(folder)
    held = result.records["child"]
    assert held.rows == 4
    assert held.variables == (
        "country_iso3", "survey_id", "child_id", "stratum", "psu", "weight", "age", "sex", "net_3m",
    )  # fmt: skip
    assert held.source_columns == {
        "child_id": "line", "stratum": "str", "psu": "ea", "weight": "w", "age": "age", "sex": "Q1",
        "net_3m": "net",
    }  # fmt: skip
    assert held.not_taken_over == ()
    assert held.source_file == "child.csv"
    described = connection.execute("DESCRIBE child").fetchall()
    assert {name: kind for name, kind, *_ in described if "__" not in name} == {
        "record_no": "BIGINT", "country_iso3": "VARCHAR", "survey_id": "VARCHAR", "child_id": "VARCHAR",
        "stratum": "VARCHAR", "psu": "VARCHAR", "weight": "DOUBLE", "age": "INTEGER", "sex": "INTEGER",
        "net_3m": "INTEGER",
    }  # fmt: skip
    flags = [name for name, *_ in described if name.endswith("__unread")]
    assert flags == [f"{name}__unread" for name in held.source_columns]
    assert column(connection, "record_no") == [1, 2, 3, 4]
    assert column(connection, "country_iso3") == ["NAM"] * 4
    assert column(connection, "survey_id") == ["COPS"] * 4
    assert column(connection, "child_id") == ["007", "008", "009", "010"]
    assert column(connection, "stratum") == ["1", "1", "2", "2"]
    assert column(connection, "weight") == [1.5, 0.75, 2.0, 1.0]
    assert column(connection, "sex") == [1, 2, 1, None]
    assert column(connection, "sex__unread") == [False] * 4
    assert column(connection, "net_3m") == [1, 0, None, -9]
    assert column(connection, "net_3m__unread") == [False, False, True, False]


def test_the_query_can_be_run_again(tmp_path):
    """The SQL that is kept explains the table: run over the national columns it gives the same rows."""
    folder = write(tmp_path / "s", {"child.csv": as_csv(CHILDREN)}, crosswalk=CROSSWALK)
    result, connection = harmonised(folder)
    typed = ", ".join(f'"{name}" VARCHAR' for name in CHILDREN)
    connection.execute(f"CREATE TABLE national (record_no BIGINT, {typed})")
    for number, cells in enumerate(zip(*CHILDREN.values(), strict=True), start=1):
        texts = [None if c is None else str(int(c)) if c == int(c) else str(c) if isinstance(c, float) else c
                 for c in [x if not isinstance(x, str) else None for x in cells]]  # fmt: skip
        row = [c if isinstance(c, str) else text for c, text in zip(cells, texts, strict=True)]
        marks = ", ".join("?" * (len(row) + 1))
        connection.execute(f"INSERT INTO national VALUES ({marks})", [number, *row])
    again = connection.execute(result.records["child"].sql).fetchall()
    assert again == connection.execute("SELECT * FROM child").fetchall()


# --- map ---------------------------------------------------------------------------------------------------


def test_map_on_numbers(tmp_path):
    values, unread = recode(
        tmp_path, [1.0, 2.0, 3.0, None], "sex", '{source: x, map: {1: 2, "2": 1}}', extension="sav"
    )
    assert values == [2, 1, None, None]
    assert unread == [False, False, True, False]


def test_map_on_text(tmp_path):
    cells = ["1", " 2 ", "1.0", "01", "2.5", "", "Yes", "yes", "NA"]
    values, unread = recode(
        tmp_path, cells, "int_privacy", '{source: x, map: {1: 1, 2: 2, Yes: 3, "01": 4, 2.5: 9}}'
    )
    assert values == [1, 2, 1, 4, 9, None, 3, None, None]
    assert unread == [False] * 7 + [True, True]


def test_yes_and_no_are_answers_and_not_truth_values(tmp_path):
    cells = ["Yes", "No", "yes", "NO", "on", "y"]
    mapping = "{source: x, map: {Yes: 1, No: 0, yes: 1, NO: 0, on: 1, y: 1}}"
    assert recode(tmp_path, cells, "net_3m", mapping)[0] == [1, 0, 1, 0, 1, 1]


def test_map_of_stata_missing_letters(tmp_path):
    frame = pd.DataFrame({"w": [1.0] * 4, "str": [1.0] * 4, "ea": [1.0] * 4, "x": [1, 2, "a", "r"]})
    pyreadstat.write_dta(frame, str(tmp_path / "x.dta"), missing_user_values={"x": ["a", "r"]})
    files = {"child.dta": (tmp_path / "x.dta").read_bytes()}
    crosswalk = "framework: cop-2026\nchild:\n  sex: {source: x, map: {1: 1, 2: 2, .a: -8}}\n"
    says = manifest(files__child={"path": "child.dta"})
    _, connection = harmonised(write(tmp_path / "s", files, says, crosswalk))
    assert column(connection, "sex") == [1, 2, -8, None]
    assert column(connection, "sex__unread") == [False, False, False, True]


def test_map_to_text(tmp_path):
    mapping = "{source: x, map: {1: NA-KH, 2: NA-ER}, blank: -9}"
    values, unread = recode(tmp_path, ["1", "2", "3", ""], "adm1", mapping)
    assert (values, unread) == (["NA-KH", "NA-ER", None, "-9"], [False, False, True, False])


def test_map_with_text_keys_on_a_column_of_numbers(tmp_path):
    columns = {"w": [1.0], "str": [1.0], "ea": [1.0], "x": [1.0]}
    files = {"child.sav": encoded("sav", columns, tmp_path)}
    crosswalk = "framework: cop-2026\nchild:\n  net_3m: {source: x, map: {Yes: 1, No: 0}}\n"
    says = manifest(files__child={"path": "child.sav"})
    (error,) = errors_of(write(tmp_path / "s", files, says, crosswalk))
    assert (error.code, error.where) == ("S163", "crosswalk.yaml:3")


# --- range, copy, sql --------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", ["csv", "sav"])
def test_range(tmp_path, extension):
    cells = [-1.0, 0.0, 9.5, 10.0, 20.0, 21.0, None]
    mapping = "{source: x, range: [{code: 1, to: 0}, {code: 2, from: 1, to: 10}, {code: 3, from: 20}]}"
    values, unread = recode(tmp_path, cells, "ses_q", mapping, extension=extension)
    assert values == [1, 1, 2, 2, 3, 3, None]
    assert unread == [False] * 7


def test_a_value_between_two_ranges_is_unread(tmp_path):
    mapping = "{source: x, range: [{code: 1, to: 1}, {code: 2, from: 2}]}"
    assert recode(tmp_path, ["1.5", "2"], "ses_q", mapping) == ([None, 2], [True, False])


def test_copy_to_whole_numbers(tmp_path):
    cells = ["9", "12.0", "08", "+7", "12.5", "1e1", "3000000000", "abc", "12,0", "NaN", "inf", ""]
    values, unread = recode(tmp_path, cells, "age", "{source: x, copy: true}")
    assert values == [9, 12, 8, 7, None, 10, None, None, None, None, None, None]
    assert unread == [value is None and cell != "" for value, cell in zip(values, cells, strict=True)]


def test_copy_is_what_happens_without_a_recode(tmp_path):
    assert recode(tmp_path, ["9", "x"], "age", "{source: x}") == ([9, None], [False, True])


def test_decimal_comma_is_declared(tmp_path):
    cells = ["1,5", "2", "0,25", "1.5", "1.234,5"]
    columns = {"w": cells, "str": ["1"] * 5, "ea": ["1"] * 5}
    says = manifest(files__child={"path": "child.csv", "decimal": ",", "delimiter": ";"})
    text = "\n".join(";".join(row) for row in [list(columns), *zip(*columns.values(), strict=True)])
    _, connection = harmonised(write(tmp_path / "s", {"child.csv": text.encode()}, says))
    assert column(connection, "weight") == [1.5, 2.0, 0.25, None, None]
    assert column(connection, "weight__unread") == [False, False, False, True, True]


def test_month_loses_its_day(tmp_path):
    cells = ["2026-03", "2026-03-17", "2026-13", "03/2026", "2026-03-17T10:00:00", ""]
    values, unread = recode(tmp_path, cells, "int_ym", "{source: x}")
    assert values == ["2026-03", "2026-03", None, None, "2026-03", None]
    assert unread == [False, False, True, True, False, False]


@pytest.mark.parametrize("extension", ["csv", "xlsx", "sav", "dta", "parquet"])
def test_sql_means_the_same_in_every_format(tmp_path, extension):
    cells = [1.0, 3.0, 7.0, 99.0, None]
    mapping = """{sql: "CASE WHEN x IN (1, 2) THEN 1 WHEN x BETWEEN 3 AND 7 THEN 2 END", blank: -9}"""
    values, unread = recode(tmp_path, cells, "sex", mapping, extension=extension)
    assert (values, unread) == ([1, 2, 2, None, -9], [False, False, False, True, False])


def test_sql_builds_a_key_from_two_columns(tmp_path):
    columns = {"w": [1.0, 1.0], "str": [1.0, 1.0], "ea": [3.0, 3.0], "HH": [10.0, 11.0], "ln": [1.0, 2.0]}
    crosswalk = "framework: cop-2026\nchild:\n  child_id:\n    sql: ea || '-' || hh || '-' || LN\n"
    found = set()
    for extension in ("csv", "sav", "parquet"):
        files = {f"child.{extension}": encoded(extension, columns, tmp_path)}
        says = manifest(files__child={"path": f"child.{extension}"})
        result, connection = harmonised(write(tmp_path / extension, files, says, crosswalk))
        found.add(tuple(column(connection, "child_id")))
        assert result.records["child"].source_columns["child_id"] == "ea, HH, ln"
    assert found == {("3-10-1", "3-11-2")}


def test_sql_that_overflows_in_one_record_is_unread_there(tmp_path):
    values, unread = recode(tmp_path, ["1", "1e308"], "age", '{sql: "x * 10 * 10"}')
    assert (values, unread) == ([100, None], [False, True])


def test_sql_condition_gives_one_and_zero(tmp_path):
    assert recode(tmp_path, ["1", "5", ""], "net_3m", '{sql: "x > 3"}')[0] == [0, 1, None]


def test_sql_with_an_unknown_column(tmp_path):
    folder = write(
        tmp_path / "s",
        {"child.csv": as_csv(CHILDREN)},
        crosswalk="framework: cop-2026\nchild:\n  sex:\n    sql: Q9 + 1\n",
    )
    (error,) = errors_of(folder)
    assert (error.code, error.where) == ("S160", "crosswalk.yaml:3")
    assert "Q1" in error.hint


# --- where variables come from -----------------------------------------------------------------------------


def test_columns_match_exactly_before_they_match_by_letter_case(tmp_path):
    content = b"W,STR,ea,AGE,Q1,q1\n1,1,1,9,1,2\n"
    crosswalk = "framework: cop-2026\nchild:\n  sex: {source: q1}\n"
    result, connection = harmonised(write(tmp_path / "s", {"child.csv": content}, crosswalk=crosswalk))
    assert column(connection, "sex") == [2]
    assert result.records["child"].source_columns["age"] == "AGE"
    assert result.records["child"].not_taken_over == ("Q1",)


def test_columns_that_differ_by_letter_case_can_both_be_used(tmp_path):
    content = b"w,str,ea,Q1,q1,record_no\n1,1,1,1,2,77\n"
    crosswalk = "framework: cop-2026\nchild:\n  sex: {source: q1}\n  age: {source: Q1}\n"
    crosswalk += "  child_id: {source: record_no}\n"
    _, connection = harmonised(write(tmp_path / "s", {"child.csv": content}, crosswalk=crosswalk))
    assert (column(connection, "sex"), column(connection, "age")) == ([2], [1])
    assert (column(connection, "child_id"), column(connection, "record_no")) == (["77"], [1])


def test_a_name_that_fits_two_columns(tmp_path):
    content = b"w,str,ea,Sex,SEX\n1,1,1,1,2\n"
    crosswalk = "framework: cop-2026\nchild:\n  sex: {source: sex}\n"
    (error,) = errors_of(write(tmp_path / "s", {"child.csv": content}, crosswalk=crosswalk))
    assert (error.code, error.params["alike"]) == ("S164", "Sex, SEX")


@pytest.mark.parametrize(("entry", "line"), [("weight", 20), ("stratum", 21), ("psu", 22)])
def test_no_column_for_a_design_variable(tmp_path, entry, line):
    folder = write(
        tmp_path / "s", {"child.csv": as_csv(CHILDREN)}, manifest(**{f"design__{entry}": "nowhere"})
    )
    (error,) = errors_of(folder)
    assert (error.code, error.params["column"]) == ("S160", "nowhere")
    name, _, found = error.where.partition(":")
    assert entry in (folder / name).read_text().splitlines()[int(found) - 1]


def test_all_missing_columns_are_told_at_once(tmp_path):
    says = manifest(design={"weight": "a", "stratum": "b", "psu": "c", "fpc": "d"})
    errors = errors_of(
        write(tmp_path / "s", {"child.csv": as_csv(CHILDREN)}, says, CROSSWALK.replace("Q1", "Q7"))
    )
    assert [error.params["column"] for error in errors] == ["b", "c", "a", "d", "Q7"]


def test_the_crosswalk_comes_before_the_design(tmp_path):
    crosswalk = "framework: cop-2026\nchild:\n  weight: {sql: w * 1000}\n"
    folder = write(tmp_path / "s", {"child.csv": as_csv(CHILDREN)}, crosswalk=crosswalk)
    assert column(harmonised(folder)[1], "weight") == [1500, 750, 2000, 1000]


def test_a_simple_random_sample(tmp_path):
    says = manifest(design={"weight": "w", "stratum": None, "psu": None})
    result, connection = harmonised(write(tmp_path / "s", {"child.csv": as_csv(CHILDREN)}, says))
    assert column(connection, "stratum") == ["1"] * 4
    assert column(connection, "psu") == ["1", "2", "3", "4"]
    assert column(connection, "child_id") == ["1", "2", "3", "4"]
    assert not {"stratum", "psu", "child_id"} & set(result.records["child"].source_columns)
    assert "psu__unread" not in {row[0] for row in connection.execute("DESCRIBE child").fetchall()}


def test_internet_use_is_known_where_only_users_were_asked(tmp_path):
    says = manifest(population__universe="internet_users")
    _, connection = harmonised(write(tmp_path / "a", {"child.csv": as_csv(CHILDREN)}, says))
    assert column(connection, "net_3m") == [1] * 4
    _, connection = harmonised(write(tmp_path / "b", {"child.csv": as_csv(CHILDREN)}, says, CROSSWALK))
    assert column(connection, "net_3m") == [1, 0, None, -9]


def test_replicate_weights_and_fpc(tmp_path):
    columns = CHILDREN | {"N": [40.0] * 4, "jk1": [1.0, 0, 2, 2], "jk2": [0.0, 1, 2, 2]}
    says = manifest(design__fpc="N", design__replicate_weights={"columns": ["JK2", "jk1"], "type": "JKn"})
    result, connection = harmonised(write(tmp_path / "s", {"child.csv": as_csv(columns)}, says))
    assert column(connection, "repw_001") == [0, 1, 2, 2]
    assert column(connection, "fpc_psu") == [40] * 4
    assert result.records["child"].source_columns["repw_002"] == "jk1"


def test_parents(tmp_path):
    parents = {
        "child_id": ["007", "010"],
        "str": ["1", "2"],
        "ea": ["11", "12"],
        "w": ["2", "3.5"],
        "p_sex": ["2", "x"],
    }
    says = manifest(files__parent={"path": "parent.csv"})
    files = {"child.csv": as_csv(CHILDREN), "parent.csv": as_csv(parents)}
    result, connection = harmonised(write(tmp_path / "s", files, says))
    assert column(connection, "parent_id", "parent") == ["1", "2"]
    assert column(connection, "child_id", "parent") == ["007", "010"]
    assert column(connection, "weight_parent", "parent") == [2.0, 3.5]
    assert column(connection, "psu", "parent") == ["11", "12"]
    assert column(connection, "p_sex__unread", "parent") == [False, True]
    assert result.records["parent"].source_file == "parent.csv"


def test_a_parent_file_without_design_is_for_the_check_to_tell(tmp_path):
    says = manifest(files__parent={"path": "parent.csv"})
    files = {"child.csv": as_csv(CHILDREN), "parent.csv": b"child_id,p_sex\n007,1\n"}
    result, _ = harmonised(write(tmp_path / "s", files, says))
    assert "stratum" not in result.records["parent"].variables


def test_columns_that_nothing_uses_are_listed_and_left_behind(tmp_path):
    columns = CHILDREN | {"name": ["Ann", "Bo", "Cy", "Di"], 'od"d; col': ["1", "2", "3", "4"]}
    result, connection = harmonised(write(tmp_path / "s", {"child.csv": as_csv(columns)}))
    assert result.records["child"].not_taken_over == ("line", "Q1", "net", "name", 'od"d; col')
    stored = connection.execute("SELECT * FROM child").fetchall()
    assert "Ann" not in str(stored)
    assert connection.execute("SHOW TABLES").fetchall() == [("child",)]


def test_a_column_name_cannot_carry_sql(tmp_path):
    columns = CHILDREN | {'x" FROM national; DROP TABLE child; --': ["1", "2", "1", "2"]}
    crosswalk = "framework: cop-2026\nchild:\n  sex: {source: 'x\" FROM national; DROP TABLE child; --'}\n"
    folder = write(tmp_path / "s", {"child.csv": as_csv(columns)}, crosswalk=crosswalk)
    assert column(harmonised(folder)[1], "sex") == [1, 2, 1, 2]


def test_formula_like_cells_are_unread_codes_and_unchanged_texts(tmp_path):
    cells = ["=1+1", "@SUM(A1)", "+1", "-2"]
    assert recode(tmp_path, cells, "age", "{source: x}") == ([None, None, 1, -2], [True, True, False, False])
    (tmp_path / "t").mkdir()
    assert recode(tmp_path / "t", cells, "hh_id", "{source: x}")[0] == cells


def test_errors_never_hold_a_value(tmp_path):
    """Whatever goes wrong, no cell of the file stands in a message."""
    content = b"w,str,ea,CANARYCOL\n1,1,1,CANARY\n1,1\n"
    (error,) = errors_of(write(tmp_path / "s", {"child.csv": content}))
    assert (
        "CANARY"
        not in f"{error} {error.why} {error.hint} {error.params} {error.__cause__} {error.__context__}"
    )
