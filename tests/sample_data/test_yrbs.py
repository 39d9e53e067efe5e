"""The crosswalks for the Youth Risk Behavior Survey against the real files and published estimates."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet
import pyreadstat
import pytest

from copstats.framework.located import Located
from copstats.framework.manifest import Crosswalk, SurveyManifest

YRBS = Path(__file__).resolve().parents[2] / "sample_data" / "crosswalks" / "usa-yrbs"
ROUNDS = {"2015": 2015, "2017": 2017, "2019": 2019, "2019-sav": 2019}


def definitions(folder: str) -> tuple[SurveyManifest, Crosswalk]:
    manifest = msgspec.convert(Located(YRBS / folder / "manifest.yaml").data, SurveyManifest)
    return manifest, msgspec.convert(Located(YRBS / folder / "crosswalk.yaml").data, Crosswalk)


def national(shared: Path, path: str) -> pa.Table:
    file = shared / "data" / "yrbs" / path
    if file.suffix == ".parquet":
        return pa.parquet.read_table(file)
    data, _ = pyreadstat.read_sav(str(file))
    return pa.Table.from_pandas(data, preserve_index=False)


def test_question_number_moves() -> None:
    asked = {folder: definitions(folder)[1].child["rcd_cybervic"].source for folder in ROUNDS}
    assert asked == {"2015": "Q25", "2017": "Q24", "2019": "Q24", "2019-sav": "Q24"}


def test_both_files_of_2019_are_one_submission() -> None:
    assert definitions("2019")[0].submission_id == definitions("2019-sav")[0].submission_id


@pytest.mark.reference
@pytest.mark.parametrize("folder", ROUNDS)
def test_every_answer_is_named_in_a_recode(folder: str, shared: Path) -> None:
    manifest, crosswalk = definitions(folder)
    table = national(shared, manifest.files.child.path)
    design = manifest.design
    assert {design.weight, design.stratum, design.psu} <= set(table.column_names)
    for mapping in crosswalk.child.values():
        if mapping.source is not None and mapping.map is not None:
            found = {value for value in table[mapping.source].unique().to_pylist() if value is not None}
            assert found == set(mapping.map)


@pytest.mark.reference
@pytest.mark.parametrize("folder", ROUNDS)
def test_recoded_answers_give_the_published_estimates(folder: str, shared: Path) -> None:
    manifest, crosswalk = definitions(folder)
    table = national(shared, manifest.files.child.path)
    bullied, sex = crosswalk.child["rcd_cybervic"], crosswalk.child["sex"]
    assert bullied.source and bullied.map and sex.source and sex.map
    codes = pa.table(
        {
            "y": [bullied.map.get(v) for v in table[bullied.source].to_pylist()],
            "sex": [sex.map.get(v) for v in table[sex.source].to_pylist()],
            "w": table[manifest.design.weight],
        }
    )
    with (shared / "data" / "yrbs" / "r-survey-reference.csv").open() as lines:
        expected = [
            row
            for row in csv.DictReader(lines)
            if row["year"] == str(ROUNDS[folder]) and row["item"] == "ebully"
        ]
    assert len(expected) == 3
    for row in expected:
        who = {"T": "TRUE", "M": "sex = 1", "F": "sex = 2"}[row["sex"]]
        got = duckdb.from_arrow(codes).aggregate(
            f"count(y) FILTER ({who}),"
            f" 100 * sum(w * y) FILTER ({who}) / sum(w) FILTER (y IS NOT NULL AND {who})"
        )
        n, percent = got.fetchall()[0]
        assert n == int(row["n"])
        assert percent == pytest.approx(float(row["pct"]), abs=0.0005)
