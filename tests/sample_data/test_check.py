"""The check on the samples: every planted fault is found, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from copstats.collect.harmonise import harmonise
from copstats.collect.submission import open_submission
from copstats.framework import load_areas, load_framework
from copstats.process.check import CheckResult, check
from copstats.project import project_root
from copstats.store.engine import memory_connection

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
FAULTY = "XFF_2025_COPS_v01"
SUBMISSIONS = sorted(path.parent.name for path in SAMPLES.glob("submissions/*/manifest.yaml"))
NOTED = {"psu_numbered_in_strata", "identifier_trace"}
"""Notes that hold of the samples: units are numbered in each stratum; workbooks name their author."""
YRBS = ["2015", "2017", "2019", "2019-sav"]


def checked(folder: Path, data: Path | None = None) -> CheckResult:
    areas = load_areas(project_root() / "schemas" / "areas.csv", SAMPLES / "areas.csv")
    submission = open_submission(folder, data=data, areas=areas)
    framework = load_framework(submission.manifest.framework)
    with memory_connection() as connection:
        harmonised = harmonise(submission, framework, connection)
        return check(
            connection,
            harmonised,
            submission.id,
            framework,
            submission.manifest,
            submission.crosswalk,
            gate=False,
        )


def test_findings_in_the_faulty_submission_are_those_of_the_key() -> None:
    result = checked(SAMPLES / "submissions" / FAULTY)
    found = [
        (
            row["rule"] if row["rule_class"] == "hand" else row["rule_class"],
            row["record"],
            row["record_no"],
            row["variable"],
        )
        for row in result.findings.to_pylist()
        if row["rule_class"] not in NOTED
    ]
    key = yaml.safe_load((SAMPLES / "faults.yaml").read_text("utf-8"))
    assert sorted(found, key=str) == sorted(
        ((f["rule"], f["record"], f["record_no"], f["variable"]) for f in key), key=str
    )
    assert not result.sound


@pytest.mark.parametrize("name", [name for name in SUBMISSIONS if name != FAULTY])
def test_other_submissions_are_sound(name: str) -> None:
    result = checked(SAMPLES / "submissions" / name)
    assert result.sound
    failed = {outcome.rule.rule_class for outcome in result.outcomes if outcome.state == "failed"} - NOTED
    # What the documentation announces, and no other warning.
    assert failed == {"XGG": {"stratum_single_psu"}, "XHH": {"not_asked_declared"}}.get(name[:3], set())


@pytest.mark.reference
@pytest.mark.parametrize("folder", YRBS)
def test_real_survey_is_sound(folder: str, shared: Path) -> None:
    result = checked(SAMPLES / "crosswalks" / "usa-yrbs" / folder, data=shared / "data" / "yrbs")
    assert result.sound
    assert result.files["child"][1] == {"2015": 15_624, "2017": 14_765}.get(folder, 13_677)
