from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from copstats.analyse.comparability import (
    Evidence,
    comparability,
    judged,
    load_criteria,
    pair_comparability,
    shared_ages,
)
from copstats.analyse.domains import AgeBand
from copstats.errors import DefinitionError
from copstats.framework.loader import Framework
from copstats.framework.manifest import Crosswalk, SurveyManifest

Make = Callable[..., SurveyManifest]


def evidence(
    framework: Framework,
    survey: SurveyManifest,
    *,
    indicator: str = "RCD1",
    wording: dict[str, Any] | None = None,
    mapped: bool = False,
    nonresponse: float | None = 0.0,
    year: int = 2026,
    ages: AgeBand | None = None,
) -> Evidence:
    crosswalk = None
    if wording is not None or mapped:
        entry = {"source": "Q24", "copy": True} | ({"wording": wording} if wording is not None else {})
        content = {"framework": "cop-2026", "child": {"rcd_cybervic": entry}}
        crosswalk = msgspec.convert(content, Crosswalk)
    return Evidence(framework.indicators[indicator], survey, crosswalk, framework, year, nonresponse, ages)


def verdict(framework: Framework, survey: SurveyManifest, **more: Any) -> tuple[str, list[str]]:
    found = comparability(evidence(framework, survey, **more), load_criteria())
    return found.grade, found.reasons.split(";") if found.reasons else []


def pair(first: Evidence, second: Evidence) -> tuple[str, list[str]]:
    found = pair_comparability(first, second, load_criteria())
    assert pair_comparability(second, first, load_criteria()) == found
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
        ({"fieldwork": {"start": "2021-11-01", "end": "2022-02-28"}}, "B", ["age_of_data"]),
        ({"fieldwork": {"start": "2019-11-01", "end": "2020-02-28"}}, "C", ["age_of_data"]),
        ({"fieldwork": {"start": "2026-11-01", "end": "2027-02-28"}}, "A", []),
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
    reasons = ["recall_unknown", "scale_unknown", "universe_unknown", "wording_unknown"]
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


@pytest.mark.parametrize(("left_out", "grade"), [(0, "A"), (1, "A"), (2, "B"), (6, "B")])
def test_a_module_asked_in_part_is_comparable_with_caution(
    framework: Framework, manifest: Make, left_out: int, grade: str
) -> None:
    """Of seven core questions on access, six are more than four fifths, five are fewer."""
    core = [
        name
        for name, variable in framework.modules["access"].variables.items()
        if variable.status == "core" and variable.role == "measure"
    ]
    assert len(core) == 7
    others = [name for name in core if name not in framework.indicators["ACC4"].variables]
    found = verdict(framework, manifest(not_asked=others[:left_out]), indicator="ACC4")
    assert found == (grade, ["completeness"] if grade == "B" else [])
    assert verdict(framework, manifest(not_asked=others)) == ("A", []), "the module of a filter before it"


def test_a_module_that_is_not_declared_is_another_questionnaire(framework: Framework, manifest: Make) -> None:
    modules = [name for name in manifest().modules if name != "conduct"]
    assert verdict(framework, manifest(modules=modules)) == ("B", ["completeness"])


def test_a_value_on_an_age_band_is_comparable_on_that_band(framework: Framework, manifest: Make) -> None:
    school = manifest(population={"ages": {"min": 13, "max": 17}})
    assert verdict(framework, school) == ("C", ["age_band"])
    assert verdict(framework, school, ages=AgeBand(15, 17)) == ("A", [])


def test_two_rounds_of_different_recall_are_class_c_together(framework: Framework, manifest: Make) -> None:
    """Thailand: an own instrument over 30 days in 2013, the GSHS over 12 months in 2021."""
    own = manifest(survey="MBS", reference_year=2013, fieldwork={"start": "2013-05-01", "end": "2013-07-31"})
    first = evidence(framework, own, wording={"class": "identical", "recall": "30 days"}, year=2015)
    second = evidence(framework, manifest(reference_year=2021), year=2021)
    assert comparability(second, load_criteria()).grade == "A"
    assert pair(first, second) == ("C", ["recall"])
    assert pair(second, second) == ("A", [])


def test_recall_periods_are_held_against_each_other_too(framework: Framework, manifest: Make) -> None:
    asked = {
        period: evidence(framework, manifest(), wording={"class": "identical", "recall": period})
        for period in ("6 months", "12 months", "24 months")
    }
    assert all(comparability(one, load_criteria()).grade in "AB" for one in asked.values())
    assert pair(asked["6 months"], asked["12 months"]) == ("B", ["recall"])
    assert pair(asked["6 months"], asked["24 months"]) == ("C", ["recall"])


def test_surveys_of_different_ages_are_compared_on_the_band_that_both_cover(
    framework: Framework, manifest: Make
) -> None:
    pupils = evidence(framework, manifest(population={"ages": {"min": 11, "max": 15}}))
    students = evidence(framework, manifest(population={"ages": {"min": 13, "max": 18, "top_coded": True}}))
    assert pair(pupils, students) == ("C", ["age_band"])
    band = shared_ages(pupils, students)
    assert band == AgeBand(13, 15)
    on_band = [dataclasses.replace(one, ages=band) for one in (pupils, students)]
    assert pair(*on_band) == ("A", [])
    assert pair(on_band[0], students) == ("C", ["age_band"])
    children = evidence(framework, manifest(population={"ages": {"min": 9, "max": 12}}))
    assert shared_ages(students, children) is None


def test_surveys_that_miss_one_year_each_differ_by_two(framework: Framework, manifest: Make) -> None:
    older = evidence(framework, manifest(population={"ages": {"min": 10}}))
    younger = evidence(framework, manifest(population={"ages": {"max": 16}}))
    assert [comparability(one, load_criteria()).grade for one in (older, younger)] == ["B", "B"]
    assert pair(older, younger) == ("C", ["age_band"])


def test_each_criterion_tells_what_the_survey_shows(framework: Framework, manifest: Make) -> None:
    survey = manifest(coverage_share=0.9, population={"setting": "school"}, translation=None)
    found = {one.criterion: one for one in judged(evidence(framework, survey), load_criteria())}
    assert [fact.value for fact in found["coverage"].facts] == [0.9, "school"]
    assert (found["coverage"].grade, found["coverage"].reasons) == ("B", {"coverage"})
    assert (found["translation"].grade, found["translation"].reasons) == ("B", {"translation_unknown"})
    assert found["sampling"].reasons == frozenset()


def test_there_are_fourteen_criteria_each_with_evidence_and_source() -> None:
    criteria = load_criteria()
    assert len(criteria) == 14
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
