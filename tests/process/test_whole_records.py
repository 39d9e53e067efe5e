"""Rules on whole records: the same answer to everything, and hardly any answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv

from copstats.framework import load_areas, load_framework
from copstats.steps import check

STRAIGHT, EMPTY, NEVER = 11, 23, 37
"""Records that are spoiled: one answer throughout; no answers; never to everything."""


@pytest.fixture(scope="module")
def found(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    folder = tmp_path_factory.mktemp("whole") / "submission"
    shutil.copytree(root / "sample_data" / "submissions" / "XAA_2023_COPS_v01", folder)
    text = csv.ConvertOptions(column_types={}, strings_can_be_null=False)
    table = csv.read_csv(folder / "child.csv", convert_options=text)
    child = load_framework().variables("child")
    rows = table.to_pylist()
    for number, answer in ((STRAIGHT, 4), (NEVER, 1), (EMPTY, -9)):
        row = rows[number - 1]
        for name, variable in child.items():
            question = name in row and variable.role == "measure" and variable.type in ("code", "integer")
            if question and (number == EMPTY or variable.codelist == "CL_FREQ"):
                row[name] = answer
    csv.write_csv(pa.Table.from_pylist(rows, schema=table.schema), folder / "child.csv")
    areas = load_areas(root / "schemas" / "areas.csv", root / "sample_data" / "areas.csv")
    findings = check(folder, areas=areas).result.findings.to_pylist()
    kept: dict[str, list[int]] = {"straight_lining": [], "record_too_empty": []}
    for row in findings:
        if row["rule_class"] in kept:
            kept[row["rule_class"]].append(row["record_no"])
    return kept


def test_one_answer_to_all_questions_on_how_often_is_told_unless_it_is_never(
    found: dict[str, list[int]],
) -> None:
    assert found["straight_lining"] == [STRAIGHT]


def test_a_record_without_answers_is_told(found: dict[str, list[int]]) -> None:
    assert found["record_too_empty"] == [EMPTY]
