from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from copstats.analyse.comparability import Evidence, comparability, load_criteria
from copstats.errors import DefinitionError
from copstats.framework.loader import Framework
from copstats.framework.manifest import Crosswalk, SurveyManifest

Make = Callable[..., SurveyManifest]


def verdict(
    framework: Framework,
    survey: SurveyManifest,
    *,
    indicator: str = "RCD1",
    wording: dict[str, Any] | None = None,
    mapped: bool = False,
    nonresponse: float | None = 0.0,
    year: int = 2026,
) -> tuple[str, list[str]]:
    crosswalk = None
    if wording is not None or mapped:
        entry = {"source": "Q24", "copy": True} | ({"wording": wording} if wording is not None else {})
        content = {"framework": "cop-2026", "child": {"rcd_cybervic": entry}}
        crosswalk = msgspec.convert(content, Crosswalk)
    evidence = Evidence(framework.indicators[indicator], survey, crosswalk, framework, year, nonresponse)
    found = comparability(evidence, load_criteria())
    return found.grade, found.reasons.split(";") if found.reasons else []


def test_a_survey_by_the_framework_is_comparable(framework: Framework, manifest: Make) -> None:
    assert verdict(framework, manifest()) == ("A", [])


@pytest.mark.parametrize(
    ("change", "grade", "reasons"),
    [
        ({"sampling": "probability_partly_documented"}, "B", ["sampling"]),
        ({"sampling": "non_probability"}, "C", ["sampling"]),
        ({"coverage_share": 0.95}, "A", []),
        ({"coverage_share": 0.949}, "B", ["coverage"]),
        ({"coverage_share": 0.79}, "C", ["coverage"]),
        ({"coverage_share": None}, "B", ["coverage_unknown"]),
        ({"population": {"setting": "school"}}, "B", ["coverage"]),
        ({"population": {"coverage": "subnational"}}, "C", ["coverage"]),
        ({"population": {"ages": {"max": 16}}}, "B", ["age_band"]),
        ({"population": {"ages": {"max": 17, "top_coded": True}}}, "B", ["age_band"]),
        ({"population": {"ages": {"min": 11}}}, "C", ["age_band"]),
        ({"population": {"ages": {"min": 8}}}, "B", ["age_band"]),
        ({"population": {"ages": {"min": 5}}}, "C", ["age_band"]),
        ({"mode": "interviewer_private"}, "B", ["mode"]),
        ({"mode": "mixed"}, "C", ["mode"]),
        ({"mode": "unknown"}, "B", ["mode_unknown"]),
        ({"response_rate": {"overall": 0.65}}, "B", ["response"]),
        ({"response_rate": {"overall": 0.55}}, "C", ["response"]),
        ({"response_rate": {"overall": 0.55, "nonresponse_study": True}}, "B", ["response"]),
        ({"response_rate": {"overall": 0.49, "nonresponse_study": True}}, "C", ["response"]),
        ({"response_rate": None}, "B", ["response_unknown"]),
        ({"design": {"stratum": None, "psu": None}}, "B", ["weights"]),
        ({"design": {"stratum": None}}, "A", []),
        ({"reference_year": 2023}, "A", []),
        ({"reference_year": 2022}, "B", ["age_of_data"]),
        ({"reference_year": 2020}, "C", ["age_of_data"]),
        ({"translation": None}, "B", ["translation_unknown"]),
        ({"translation": {"method": "unknown"}}, "B", ["translation_unknown"]),
        ({"translation": {"method": "back_translation"}}, "B", ["translation"]),
        ({"translation": {"method": "not_needed"}}, "A", []),
        (
            {"mode": "interviewer_others_present", "coverage_share": 0.9, "translation": None},
            "C",
            ["coverage", "mode", "translation_unknown"],
        ),
    ],
)
def test_criteria_of_the_survey(
    framework: Framework, manifest: Make, change: dict[str, Any], grade: str, reasons: list[str]
) -> None:
    assert verdict(framework, manifest(**change)) == (grade, reasons)


@pytest.mark.parametrize(
    ("wording", "grade", "reasons"),
    [
        ({"class": "identical"}, "A", []),
        ({"class": "adapted"}, "B", ["wording"]),
        ({"class": "different"}, "C", ["wording"]),
        ({"class": "identical", "scale": "collapsible"}, "B", ["scale"]),
        ({"class": "identical", "scale": "different"}, "C", ["scale"]),
        ({"class": "identical", "asked_of": "everyone"}, "B", ["universe"]),
        ({"class": "identical", "recall": "12 months"}, "A", []),
        ({"class": "identical", "recall": "Last 12 months"}, "A", []),
        ({"class": "identical", "recall": "1 year"}, "A", []),
        ({"class": "identical", "recall": "past year"}, "B", ["recall"]),
        ({"class": "identical", "recall": "6 months"}, "B", ["recall"]),
        ({"class": "identical", "recall": "30 days"}, "C", ["recall"]),
        ({"class": "identical", "recall": "past couple of months"}, "C", ["recall"]),
        ({"class": "identical", "recall": "ever"}, "C", ["recall"]),
    ],
)
def test_criteria_of_the_question(
    framework: Framework, manifest: Make, wording: dict[str, Any], grade: str, reasons: list[str]
) -> None:
    assert verdict(framework, manifest(), wording=wording) == (grade, reasons)
    assert verdict(framework, manifest(), wording=wording, indicator="ACC4") == ("A", []), "another question"


def test_a_mapped_question_whose_wording_nobody_declared_is_never_comparable(
    framework: Framework, manifest: Make
) -> None:
    reasons = ["recall_unknown", "scale_unknown", "wording_unknown"]
    assert verdict(framework, manifest(), mapped=True) == ("B", reasons)


@pytest.mark.parametrize(
    ("share", "grade", "reasons"),
    [
        (0.05, "A", []),
        (0.051, "B", ["item_nonresponse"]),
        (0.40, "B", ["item_nonresponse"]),
        (0.41, "C", ["item_nonresponse"]),
        (None, "B", ["item_nonresponse_unknown"]),
    ],
)
def test_item_nonresponse(
    framework: Framework, manifest: Make, share: float | None, grade: str, reasons: list[str]
) -> None:
    assert verdict(framework, manifest(), nonresponse=share) == (grade, reasons)


def test_mode_matters_for_sensitive_questions_only(framework: Framework, manifest: Make) -> None:
    assert verdict(framework, manifest(mode="mixed"), indicator="ACC4") == ("A", [])


def test_composites_take_the_wording_of_all_their_members(framework: Framework, manifest: Make) -> None:
    found = verdict(framework, manifest(), wording={"class": "different"}, indicator="RSK1")
    assert found == ("C", ["wording"])


def test_there_are_thirteen_criteria_each_with_evidence_and_source() -> None:
    criteria = load_criteria()
    assert len(criteria) == 13
    assert all(c.title and c.evidence and c.source for c in criteria.values())


@pytest.mark.parametrize("fault", ["missing", "unknown", "malformed"])
def test_a_faulty_file_of_criteria_is_refused(root: Path, tmp_path: Path, fault: str) -> None:
    content = yaml.safe_load((root / "schemas" / "cop-2026" / "comparability.yaml").read_text("utf-8"))
    if fault == "missing":
        del content["recall"]
    elif fault == "unknown":
        content["weather"] = dict(content["universe"], levels={"same": "A"}, source=["none"])
    else:
        content["recall"]["at_least"] = {"A": "much"}
    folder = tmp_path / "schemas" / "cop-2026"
    folder.mkdir(parents=True)
    (folder / "comparability.yaml").write_text(yaml.safe_dump(content), "utf-8")
    with pytest.raises(DefinitionError) as refused:
        load_criteria("cop-2026", tmp_path)
    assert refused.value.code == "D002"
