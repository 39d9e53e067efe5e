from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pyreadstat
import pytest
from rich.console import Console

from copstats.analyse.wave import estimate_wave
from copstats.cli.assess_view import as_json, render
from copstats.collect.harmonise import harmonise
from copstats.collect.submission import open_submission
from copstats.errors import SubmissionErrors
from copstats.framework import Area, load_areas, load_framework
from copstats.planning import Assessment, assess, proposed_crosswalk
from copstats.store.engine import memory_connection

YEAR = 2026


@pytest.fixture(scope="module")
def areas(root: Path) -> Mapping[str, Area]:
    return load_areas(root / "schemas" / "areas.csv", root / "sample_data" / "areas.csv")


def documents(root: Path, name: str, folder: Path, *leave_out: str) -> Path:
    """Copy manifest and crosswalk of a sample submission, without its data."""
    target = folder / name
    target.mkdir()
    for document in {"manifest.yaml", "crosswalk.yaml"} - set(leave_out):
        source = root / "sample_data" / "submissions" / name / document
        if source.is_file():
            shutil.copy(source, target)
    return target


def sources(assessment: Assessment, record: str = "child") -> dict[str, str]:
    return {f.variable: f.source for f in assessment.feedings if f.record == record}


def shown(assessment: Assessment) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(render(assessment))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("name", ["XGG_2025_COPS_v01", "XCC_2025_COPS_v01", "XEE_2025_COPS_v01"])
def test_the_documents_alone_foretell_what_the_data_give(
    root: Path, tmp_path: Path, areas: Mapping[str, Area], name: str
) -> None:
    """The same indicators, absences, classes and reasons as estimation, but for item non-response."""
    plan = assess(documents(root, name, tmp_path), areas=areas, as_of_year=YEAR)
    assert plan.read == {}
    delivered = root / "sample_data" / "submissions" / name
    submission, framework = open_submission(delivered, areas=areas), load_framework("cop-2026")
    with memory_connection() as connection:
        harmonise(submission, framework, connection)
        children = connection.table("child").to_arrow_table()
    estimates = estimate_wave(
        children, None, submission.manifest, submission.crosswalk, framework, as_of_year=YEAR
    ).to_pylist()
    totals = {row["indicator"]: row for row in estimates if row["disaggregation"] == "total"}
    assert totals.keys() == {one.indicator for one in plan.outlooks}
    compared = 0
    for one in plan.outlooks:
        row = totals[one.indicator]
        if row["state"] == "absent":
            assert one.absence is not None, one
            assert (one.absence.reason, one.absence.detail) == (row["absent_reason"], row["absent_detail"])
            continue
        assert one.state in ("computable", "possible"), one
        assert one.prospect is not None
        foretold = {*one.prospect.reasons, *(f"{name}_unknown" for name in one.prospect.unknown)}
        reasons = set(filter(None, row["comparability_reasons"].split(";")))
        assert foretold == reasons - {"item_nonresponse"}
        if "item_nonresponse" not in reasons:
            assert one.prospect.documented == row["comparability"]
            compared += 1
    assert compared > 10
    # Optional variables: only data tell whether they were asked.
    optional = {n for n, v in framework.variables("child").items() if v.status == "optional"}
    assert all(set(one.needs) <= optional for one in plan.outlooks)
    with_data = assess(delivered, areas=areas, as_of_year=YEAR)
    assert {one.indicator for one in with_data.outlooks if one.state == "computable"} == {
        code for code, row in totals.items() if row["state"] != "absent"
    }


def test_yrbs_can_feed_one_indicator(root: Path) -> None:
    found = assess(root / "sample_data/crosswalks/usa-yrbs/2019", as_of_year=YEAR)
    fed = [one for one in found.outlooks if one.state != "absent" and one.record == "child"]
    assert [(one.indicator, one.state) for one in fed if "rcd_cyberperp" not in one.needs] == [
        ("RCD4", "computable")
    ]
    prospect = fed[-1].prospect
    assert prospect is not None
    assert (prospect.documented, prospect.best, prospect.unknown) == ("C", "C", ("coverage",))
    assert {"age_band", "response", "coverage", "wording", "universe"} <= set(prospect.reasons)
    assert sources(found)["rcd_cybervic"] == "crosswalk"
    assert sources(found)["rcd_cyberfreq"] == "not_asked"
    assert sources(found)["net_3m"] == "module_not_covered"


def test_sources_with_and_without_data(root: Path, tmp_path: Path, areas: Mapping[str, Area]) -> None:
    name = "XGG_2025_COPS_v01"
    plan = sources(assess(documents(root, name, tmp_path), areas=areas, as_of_year=YEAR))
    data = sources(assess(root / "sample_data/submissions" / name, areas=areas, as_of_year=YEAR))
    assert (plan["sex"], data["sex"]) == ("crosswalk", "crosswalk")
    assert (plan["weight"], data["weight"]) == ("design", "design")
    assert (plan["net_3m"], data["net_3m"]) == ("declared", "own_name")
    assert (plan["net_hours"], data["net_hours"]) == ("undeclared", "own_name")
    assert (plan["rcm_spend"], data["rcm_spend"]) == ("undeclared", "nothing")
    assert (plan["survey_id"], data["survey_id"]) == ("filled_in", "filled_in")


def test_internet_users_only(root: Path, tmp_path: Path, areas: Mapping[str, Area]) -> None:
    found = assess(documents(root, "XEE_2025_COPS_v01", tmp_path), areas=areas, as_of_year=YEAR)
    assert sources(found)["net_3m"] == "filled_in"
    absent = {one.indicator: one.absence.reason for one in found.outlooks if one.absence}
    assert absent["ACC1"] == absent["RCD4"] == "universe"
    assert "RCD1" not in absent


def test_a_crosswalk_that_names_a_column_that_is_not_there(
    root: Path, tmp_path: Path, areas: Mapping[str, Area]
) -> None:
    name = "XBB_2025_COPS_v01"
    folder = documents(root, name, tmp_path)
    path = folder / "crosswalk.yaml"
    path.write_text(path.read_text("utf-8").replace("source: EDAD", "source: EDADES"), "utf-8")
    found = assess(folder, data=root / "sample_data/submissions" / name, areas=areas, as_of_year=YEAR)
    assert sources(found)["age"] == "column_absent"
    assert {p.variable: p.best.column for p in found.proposals if p.likely}["age"] == "EDAD"
    assert "age" in next(one for one in found.modules if one.module == "demographics").proposed


def test_without_its_crosswalk_a_workbook_of_two_sheets_is_matched_by_name(
    root: Path, tmp_path: Path, areas: Mapping[str, Area]
) -> None:
    name = "XBB_2025_COPS_v01"
    folder = documents(root, name, tmp_path, "crosswalk.yaml")
    found = assess(folder, data=root / "sample_data/submissions" / name, areas=areas, as_of_year=YEAR)
    columns = {(p.record, p.variable): p.best.column for p in found.proposals}
    assert columns["child", "sex"] == "SEXO"
    assert columns["parent", "child_id"] == "ID_NINO"
    assert sources(found)["weight"] == "design"
    assert "FACTOR" not in columns.values()
    # AREA bears the framework's own name and is taken without a crosswalk, whatever it means.
    assert sources(found)["area"] == "own_name"
    assert {one.state for one in found.outlooks} == {"absent"}
    text = proposed_crosswalk(found)
    assert "#   sex:\n#     source: SEXO" in text
    assert "# parent:" in text


def test_likely_proposals_count_with_unknown_wording(
    root: Path, tmp_path: Path, areas: Mapping[str, Area]
) -> None:
    name = "XDD_2025_COPS_v01"
    folder = documents(root, name, tmp_path, "crosswalk.yaml")
    source = root / "sample_data/submissions" / name
    before = (folder / "manifest.yaml").read_bytes()
    frame, meta = pyreadstat.read_dta(str(source / "child.dta"), user_missing=True)
    pyreadstat.write_dta(
        frame.rename(columns={"rcd_cybervic": "q37"}),
        str(folder / "child.dta"),
        column_labels={**meta.column_names_to_labels, "q37": meta.column_names_to_labels["rcd_cybervic"]},
        missing_user_values={
            **meta.missing_user_values,
            "q37": meta.missing_user_values.get("rcd_cybervic", []),
        },
    )
    found = assess(folder, areas=areas, as_of_year=YEAR)
    one = next(o for o in found.outlooks if o.indicator == "RCD1")
    assert (one.state, one.needs) == ("possible", ("rcd_cybervic",))
    assert one.prospect is not None
    assert one.prospect.unknown == ("recall", "scale", "universe", "wording")
    # Nothing was applied or written.
    assert (folder / "manifest.yaml").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["child.dta", "manifest.yaml"]


def test_a_zip_is_assessed_as_its_folder(root: Path, tmp_path: Path, areas: Mapping[str, Area]) -> None:
    folder = documents(root, "XCC_2025_COPS_v01", tmp_path)
    archive = tmp_path / "submission.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in folder.iterdir():
            packed.write(path, path.name)
    of_zip = as_json(assess(archive, areas=areas, as_of_year=YEAR))
    of_folder = as_json(assess(folder, areas=areas, as_of_year=YEAR))
    assert {**of_zip, "name": ""} == {**of_folder, "name": ""}


def test_other_faults_of_the_documents_are_still_errors(
    root: Path, tmp_path: Path, areas: Mapping[str, Area]
) -> None:
    folder = documents(root, "XGG_2025_COPS_v01", tmp_path)
    (folder / "enfants.csv").write_bytes(b"")
    with pytest.raises(SubmissionErrors) as empty:
        assess(folder, areas=areas)
    assert [error.code for error in empty.value.errors] == ["S123"]
    (folder / "enfants.csv").unlink()
    path = folder / "manifest.yaml"
    path.write_text(path.read_text("utf-8").replace("enfants.csv", "../enfants.csv"), "utf-8")
    with pytest.raises(SubmissionErrors) as outside:
        assess(folder, areas=areas)
    assert [error.code for error in outside.value.errors] == ["S120"]


def test_what_is_printed_tells_class_reasons_and_gaps(root: Path) -> None:
    found = assess(root / "sample_data/crosswalks/usa-yrbs/2019", as_of_year=YEAR)
    text = shown(found)
    line = next(line for line in text.splitlines() if "RCD4" in line)
    assert "age_band" in line
    assert "coverage?" in line
    assert "no data file" in text
    assert "module_not_covered: access (net_3m)" in text
    data = json.loads(json.dumps(as_json(found)))
    rcd4 = next(one for one in data["indicators"] if one["indicator"] == "RCD4")
    assert rcd4["comparability"] == "C"
    assert "item_nonresponse" in rcd4["unknown"]


def test_no_cells_value_is_printed(tmp_path: Path, root: Path, areas: Mapping[str, Area]) -> None:
    rows = "\r\n".join(f"secret-{i},{1729 + i},secret" for i in range(60))
    (tmp_path / "file.csv").write_text(f"child_id,age,sexe\r\n{rows}\r\n", "utf-8")
    found = assess(tmp_path / "file.csv", areas=areas, as_of_year=YEAR)
    assert {p.variable for p in found.proposals} == {"child_id", "age", "sex"}
    for text in (shown(found), json.dumps(as_json(found)), proposed_crosswalk(found), repr(found.proposals)):
        assert "secret" not in text
        assert not any(str(1729 + i) in text for i in range(60))


@pytest.mark.reference
def test_yrbs_2019_as_a_file_alone(shared: Path) -> None:
    found = assess(shared / "data" / "yrbs" / "yrbs2019.sav")
    likely = {p.variable: p.best.column for p in found.proposals if p.likely}
    assert likely == {
        **{"stratum": "stratum", "psu": "psu", "weight": "weight"},
        **{"age": "Q1", "sex": "Q2", "rcd_cybervic": "Q24"},
    }
    assert {one.indicator for one in found.outlooks if one.state != "absent"} == {"RCD4"}
    assert all(one.prospect is None for one in found.outlooks)
    assert "Electronic bullying" in shown(found)
    assert "design: {stratum: stratum, psu: psu, weight: weight}" in proposed_crosswalk(found)
