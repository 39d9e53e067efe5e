"""The examples of docs/submission.md are a submission, and its table is what comes out of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from copstats.collect.formats import EXTENSIONS
from copstats.collect.harmonise import harmonise
from copstats.collect.submission import open_submission
from copstats.framework import load_framework
from copstats.framework.manifest import DataFile, ResponseRate, SurveyDesign, SurveyManifest
from copstats.store.engine import memory_connection
from tests.collect.samples import AREAS


@pytest.fixture
def guide(root) -> str:
    return (root / "docs" / "submission.md").read_text("utf-8")


@pytest.fixture
def folder(guide, tmp_path) -> Path:
    for name, content in re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", guide, re.DOTALL):
        (tmp_path / name).write_text(content, "utf-8")
    return tmp_path


def test_examples_give_the_table(guide, folder):
    framework = load_framework()
    connection = memory_connection(threads=1)
    harmonise(open_submission(folder, areas=AREAS), framework, connection)
    lines = guide.partition("<!-- result -->\n")[2].partition("\n\n")[0].splitlines()
    names, _, *expected = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    columns = ", ".join([*names, *(f"{name}__unread" for name in names)])
    shown = []
    for row in connection.execute(f"SELECT {columns} FROM child").fetchall():
        values, flags = row[: len(names)], row[len(names) :]
        shown.append(["*unread*" if flag else str(v) for v, flag in zip(values, flags, strict=True)])
    assert shown == expected


def test_every_extension_and_entry_is_described(guide):
    for extension in EXTENSIONS:
        assert f"`{extension}`" in guide
    for kind in (SurveyManifest, SurveyDesign, DataFile, ResponseRate):
        for name in kind.__struct_fields__:
            if (kind, name) not in _RARE:
                assert re.search(rf"\b{name}\b", guide), name


_RARE = {(ResponseRate, "psu"), (ResponseRate, "nonresponse_study")}


def test_the_example_names_no_unknown_variable(guide, folder):
    submission = open_submission(folder, areas=AREAS)
    assert set(submission.crosswalk.child) <= set(load_framework().variables("child"))
    assert submission.id == "KEN_2026_COPS_v01_M"
