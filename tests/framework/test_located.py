from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copstats.errors import DefinitionError
from copstats.framework.located import Located


def read(folder: Path, text: str) -> Located:
    path = folder / "file.yaml"
    path.write_text(text, "utf-8")
    return Located(path)


@pytest.mark.parametrize(
    "text",
    [
        "Yes",
        "No",
        "NO",
        "no",
        "on",
        "off",
        "y",
        "08",
        "007",
        "NA",
        "N/A",
        "True",
        "TRUE",
        "Null",
        "0x1F",
        "1_000",
        "1:30",
        ".5",
    ],
)
def test_answers_and_codes_stay_text(tmp_path: Path, text: str) -> None:
    located = read(tmp_path, f"answer: {text}\n{text}: answer\n")
    assert located.data == {"answer": text, text: "answer"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-7", -7),
        ("12", 12),
        ("0.25", 0.25),
        ("1e3", 1000.0),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("2026-04-30", dt.date(2026, 4, 30)),
        ("'12'", "12"),
        ('"true"', "true"),
        ("'2026-04-30'", "2026-04-30"),
    ],
)
def test_plain_scalars_have_the_type_of_the_core_schema(tmp_path: Path, text: str, value: object) -> None:
    read_value = read(tmp_path, f"value: {text}\n").data["value"]
    assert read_value == value
    assert type(read_value) is type(value)


def test_every_entry_knows_its_line(tmp_path: Path) -> None:
    located = read(tmp_path, "# comment\na:\n  b: 1\n  c:\n    - x\n    - y: 2\n\nd: {e: 1,\n    f: 2}\n")
    assert located.where("a") == "file.yaml:2"
    assert located.where("a", "b") == "file.yaml:3"
    assert located.where("a", "c", 1, "y") == "file.yaml:6"
    assert located.where("d", "f") == "file.yaml:9"
    assert located.where("a", "c", 7) == "file.yaml:4", "the nearest entry above"
    assert located.where() == "file.yaml:2"


def test_a_byte_order_mark_is_not_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_bytes(b"\xef\xbb\xbfkind: survey\n")
    assert Located(tmp_path / "file.yaml").data == {"kind": "survey"}


def test_an_empty_file_is_read_as_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "# only a comment\n").data is None


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\na: 2\n", "D003", 2),
        ("a:\n  1: x\n  1: y\n", "D003", 3),
        ("a: 1\nb: [1, 2}\n", "D001", 2),
        ("a: 1\nb: @x\n", "D001", 2),
        ("a: &x 1\nb: *x\n", "D001", 1),
        ("a:\n  - 1\n  - *x\n", "D001", 3),
        ("a: !!python/object/apply:os.getcwd []\n", "D001", 1),
        ("a: !secret 1\n", "D001", 1),
        ("a: 1\n? [b, c]\n: 2\n", "D001", 2),
        ("a: 1\n---\nb: 2\n", "D001", 2),
        ("a: 1\nb: 2026-02-30\n", "D001", 2),
        ("a: 1\nb: " + "[" * 50 + "]" * 50, "D001", 2),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path, text: str, code: str, line: int) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(tmp_path, text)
    assert (caught.value.code, caught.value.where) == (code, f"file.yaml:{line}")
    assert caught.value.title
    assert caught.value.hint


@pytest.mark.parametrize("opening", ["[", "{", "- ", "{a: "])
def test_a_file_that_nests_without_end_is_an_error_and_no_crash(tmp_path: Path, opening: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(tmp_path, opening * 200_000)
    assert caught.value.code == "D001"


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_bytes("titre: Enquête".encode("latin-1"))
    with pytest.raises(DefinitionError) as caught:
        Located(tmp_path / "file.yaml")
    assert (caught.value.code, caught.value.where) == ("D001", "file.yaml")


def test_errors_are_of_the_class_asked_for(tmp_path: Path) -> None:
    class Faulty(DefinitionError):
        pass

    (tmp_path / "file.yaml").write_text("a: 1\na: 2\n", "utf-8")
    with pytest.raises(Faulty):
        Located(tmp_path / "file.yaml", error=Faulty)


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cn", "Co"]), max_size=20)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(data=DATA)
def test_json_is_yaml(tmp_path_factory: pytest.TempPathFactory, data: object) -> None:
    path = tmp_path_factory.getbasetemp() / "data.yaml"
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1), "utf-8")
    assert Located(path).data == data
