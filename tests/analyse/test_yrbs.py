"""Cyberbullying in the US Youth Risk Behavior Survey, total and by sex, against R survey."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from copstats.analyse.wave import estimate_wave
from copstats.framework.loader import load_framework
from copstats.framework.manifest import SurveyManifest
from copstats.store.engine import memory_connection

pytestmark = pytest.mark.reference

# The question moved between rounds.
QUESTION = {2015: "QN25", 2017: "QN24", 2019: "QN24"}


def manifest(year: int) -> SurveyManifest:
    content: dict[str, Any] = {
        "kind": "survey",
        "framework": "cop-2026",
        "ref_area": "USA",
        "survey": "YRBS",
        "reference_year": year,
        "version": 1,
        "title": {"en": "Youth Risk Behavior Survey"},
        "fieldwork": {"start": f"{year}-01-01", "end": f"{year}-06-30"},
        "population": {
            "ages": {"min": 12, "max": 18, "bottom_coded": True, "top_coded": True},
            "universe": "all_children",
            "setting": "school",
            "coverage": "national",
        },
        "design": {"stratum": "stratum", "psu": "psu", "weight": "weight"},
        "sampling": "probability_documented",
        "mode": "self_completed",
        "modules": ["conduct"],
        "not_asked": ["rcd_cyberfreq"],
        "ethics": {"review": "CDC", "consent": "parent_and_child"},
        "dissemination": {"consent": True},
        "files": {"child": {"path": f"yrbs{year}.parquet"}},
        "contact": {"organisation": "CDC"},
    }
    return msgspec.convert(content, SurveyManifest)


def harmonised(folder: Path, year: int) -> pa.Table:
    connection = memory_connection(threads=1)
    question = QUESTION[year]
    source = pq.read_table(
        folder / f"yrbs{year}.parquet", columns=["Q1", "Q2", question, "weight", "stratum", "psu"]
    )
    connection.register("source", source)
    return connection.sql(
        f"""
        SELECT
          coalesce(try_cast(left(Q1, 2) AS INTEGER), -9) AS age,
          CASE Q2 WHEN 'Male' THEN 1 WHEN 'Female' THEN 2 ELSE -9 END AS sex,
          CASE {question} WHEN 1 THEN 1 WHEN 2 THEN 0 ELSE -9 END AS rcd_cybervic,
          weight,
          stratum::VARCHAR AS stratum,
          psu::VARCHAR AS psu
        FROM source
        """
    ).to_arrow_table()


def reference(folder: Path, year: int) -> dict[str, dict[str, str]]:
    with (folder / "r-survey-reference.csv").open(encoding="utf-8", newline="") as lines:
        return {
            {"T": "_T"}.get(row["sex"], row["sex"]): row
            for row in csv.DictReader(lines)
            if row["year"] == str(year) and row["item"] == "ebully"
        }


def decimals(printed: str) -> int:
    return len(printed.partition(".")[2])


@pytest.mark.parametrize("year", sorted(QUESTION))
def test_cyberbullying_equals_r_to_all_printed_digits(shared: Path, year: int) -> None:
    folder = shared / "data" / "yrbs"
    result = estimate_wave(
        harmonised(folder, year), None, manifest(year), None, load_framework(), as_of_year=2026
    )
    rows = {
        row["sex"]: row
        for row in result.to_pylist()
        if row["indicator"] == "RCD4" and row["disaggregation"] in ("total", "sex")
    }
    wanted = reference(folder, year)
    assert rows.keys() == wanted.keys() == {"_T", "F", "M"}
    for sex, row in rows.items():
        assert (row["n"], row["df"]) == (int(wanted[sex]["n"]), int(wanted[sex]["df"]))
        for ours, theirs in (
            ("estimate", "pct"),
            ("se", "se"),
            ("ci_lower", "lo_logit"),
            ("ci_upper", "hi_logit"),
        ):
            printed = wanted[sex][theirs]
            assert round(100 * row[ours], decimals(printed)) == float(printed), (sex, ours)


def test_a_survey_of_other_ages_has_its_common_ages_beside_the_total(shared: Path) -> None:
    folder = shared / "data" / "yrbs"
    source = harmonised(folder, 2019)
    result = estimate_wave(source, None, manifest(2019), None, load_framework(), as_of_year=2026)
    rows = [row for row in result.to_pylist() if row["indicator"] == "RCD4"]
    (common,) = [row for row in rows if row["disaggregation"] == "common_age"]
    assert common["age"] == "Y13T17"
    valid = source.filter((pc.field("age") >= 13) & (pc.field("age") <= 17) & (pc.field("rcd_cybervic") >= 0))
    assert common["n"] == valid.num_rows
    assert {row["age"] for row in rows if row["disaggregation"] == "age"} == {"Y15T17"}
    assert {row["comparability"] for row in rows} == {"C"}
    # A value on the common ages is judged on these.
    reasons = [
        "age_of_data",
        "completeness",
        "coverage",
        "coverage_unknown",
        "response_unknown",
        "translation_unknown",
    ]
    assert common["comparability_reasons"].split(";") == reasons
