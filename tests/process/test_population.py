"""Rules on the reference population and on other countries, worked out by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from copstats.errors import DefinitionError
from copstats.framework import Framework
from copstats.framework.definitions import AgeBand
from copstats.language import translations
from copstats.process.check import CheckResult, check
from copstats.process.population import POPULATION, read_population
from copstats.process.surroundings import Surroundings
from tests.process.material import Submission, manifest

HEAD = "ref_area,year,sex,age_from,age_to,population,source\n"


@pytest.fixture(scope="module")
def coded(small: Framework) -> Framework:
    """The small framework with published codes of sex, and two age bands."""
    sexes = small.codelists["CL_SEX"]
    codes = {
        number: msgspec.structs.replace(code, sdmx={1: "M", 2: "F", 3: "O"}[number])
        for number, code in sexes.codes.items()
    }
    bands = [
        AgeBand(code="Y9T12", minimum=9, maximum=12, standard_weight=0.5),
        AgeBand(code="Y13T17", minimum=13, maximum=17, standard_weight=0.5),
    ]
    return dataclasses.replace(
        small,
        codelists={**small.codelists, "CL_SEX": msgspec.structs.replace(sexes, codes=codes)},
        head=msgspec.structs.replace(small.head, ages=msgspec.structs.replace(small.head.ages, bands=bands)),
    )


def population(*cells: tuple[str, int, int, float], area: str = "KEN", year: int = 2026) -> pa.Table:
    rows = [
        {
            "ref_area": area,
            "year": year,
            "sex": sex,
            "age_from": low,
            "age_to": high,
            "population": people,
            "source": "made up",
        }
        for sex, low, high, people in cells
    ]
    return pa.Table.from_pylist(rows, schema=POPULATION)


def children(boys: int, girls: int, weight: float = 1.0) -> list[dict[str, Any]]:
    """Boys of 10 and girls of 15, half of them each of the other age."""
    return [
        {
            "child_id": f"K{number}",
            "stratum": f"S{number % 2}",
            "psu": f"P{number % 20}",
            "weight": weight,
            "age": 10 if number % 2 else 15,
            "sex": 1 if number < boys else 2,
        }
        for number in range(boys + girls)
    ]


EVEN = population(("M", 9, 12, 250.0), ("M", 13, 17, 250.0), ("F", 9, 12, 250.0), ("F", 13, 17, 250.0))


def checked(coded: Framework, rows: list[dict[str, Any]], survey: Any = None, **material: Any) -> CheckResult:
    made = Submission().add(coded, "child", rows)
    around = Surroundings(**material)
    return check(
        made.connection, made, "X", coded, survey or manifest(), None, gate=False, surroundings=around
    )


def found(result: CheckResult, level: int) -> dict[str, str]:
    """Rule id -> state with its reason, or what is wrong."""
    told = {m.outcome.rule.id: m.what for m in result.messages()}
    return {
        o.rule.id: told.get(o.rule.id) or f"{o.state} {o.reason}".strip()
        for o in result.outcomes
        if o.rule.level == level
    }


STRUCTURE, TOTAL = "population_structure:child", "population_total:child"


def test_a_sample_like_the_population_breaks_nothing(coded: Framework) -> None:
    result = checked(coded, children(500, 500), population=EVEN)
    assert found(result, 4) == {STRUCTURE: "passed", TOTAL: "passed"}


def test_weighted_shares_are_compared_by_the_index_of_dissimilarity(coded: Framework) -> None:
    """700 boys of 1,000: the cells hold 35, 35, 15 and 15 per cent in place of 25; 20 stand elsewhere."""
    result = checked(coded, children(700, 300), population=EVEN)
    assert found(result, 4) == {
        STRUCTURE: (
            "Weighted children by sex and age differ from the population: 20 per cent stand in another cell. "
            "Largest difference: sex male, ages 9-12, 35 per cent of the children and 25 of the population."
        ),
        TOTAL: "passed",
    }
    # 600 boys: 10 per cent, which is not more than the limit.
    assert found(checked(coded, children(600, 400), population=EVEN), 4)[STRUCTURE] == "passed"


def test_the_sex_is_told_in_the_language_of_the_reader(coded: Framework) -> None:
    sexes = coded.codelists["CL_SEX"]
    codes = {
        n: msgspec.structs.replace(c, label=("Male", "Female", "Other")[n - 1])
        for n, c in sexes.codes.items()
    }
    labelled = dataclasses.replace(
        coded, codelists={**coded.codelists, "CL_SEX": msgspec.structs.replace(sexes, codes=codes)}
    )
    result = checked(labelled, children(700, 300), population=EVEN)
    french = translations("fr")
    (told,) = [m.what for m in result.messages(french) if m.outcome.rule.id == STRUCTURE]
    assert french.text("Male", "CL_SEX") in told
    assert "Male" not in told


def test_a_small_sample_may_differ_by_chance(coded: Framework) -> None:
    """20 per cent of 40 children: the limit is 10, and chance adds 2 sqrt(2/pi 3/16 / 26.7) = 13.4."""
    assert found(checked(coded, children(28, 12, 25.0), population=EVEN), 4)[STRUCTURE] == "passed"


def test_single_years_are_joined_to_the_bands_of_the_framework(coded: Framework) -> None:
    years = [(sex, age, age, 50.0) for sex in "MF" for age in range(9, 18)]
    result = checked(coded, children(700, 300), population=population(*years))
    assert "ages 9-12, 35 per cent of the children and 22 of the population" in found(result, 4)[STRUCTURE]


def test_the_sum_of_weights_is_compared_where_it_is_meant_to_be_the_population(coded: Framework) -> None:
    def total(weight: float) -> str:
        return found(checked(coded, children(500, 500, weight), population=EVEN), 4)[TOTAL]

    assert total(1.1) == "passed"
    assert (
        total(1.2) == "The weights add up to 1,200 children; the reference population of these ages is 1,000."
    )
    assert total(2.1) == "not_applicable weights_not_expanded"
    assert total(0.4) == "not_applicable weights_not_expanded"


@pytest.mark.parametrize(
    "change", [{"universe": "internet_users"}, {"setting": "school"}, {"coverage": "subnational"}]
)
def test_only_a_survey_of_all_children_is_compared(coded: Framework, change: dict[str, str]) -> None:
    declared = {"ages": {"min": 9, "max": 17}, "universe": "all_children", "setting": "household"}
    survey = manifest(population=declared | {"coverage": "national"} | change)
    result = checked(coded, children(700, 300), survey, population=EVEN)
    assert set(found(result, 4).values()) == {"not_applicable not_all_children"}


def test_a_top_code_is_no_age_of_the_population(coded: Framework) -> None:
    ages = {"min": 9, "max": 17, "top_coded": True}
    declared = {"ages": ages, "universe": "all_children", "setting": "household", "coverage": "national"}
    rows = [(sex, age, age, 50.0) for sex in "MF" for age in range(9, 18)]
    result = checked(coded, children(700, 300), manifest(population=declared), population=population(*rows))
    # 9-12 and 13-16 are left: 35 against 4/16 of the population.
    assert "35 per cent of the children and 25 of the population" in found(result, 4)[STRUCTURE]


@pytest.mark.parametrize(
    "material",
    [None, population(("M", 9, 17, 1.0), area="UGA"), population(("M", 9, 17, 1.0), year=2025)],
    ids=["none", "area", "year"],
)
def test_without_a_population_of_area_and_year_the_rules_are_not_supported(
    coded: Framework, material: pa.Table | None
) -> None:
    result = checked(coded, children(500, 500), population=material)
    assert set(found(result, 4).values()) == {"not_supported no_population"}


def test_a_reference_population_is_read(tmp_path: Path) -> None:
    path = tmp_path / "population.csv"
    path.write_text(
        "\ufeff" + HEAD + "NAM,2026,F,9,9,31000.5,UN WPP 2024\nNAM,2026,M,9,9,31500,UN WPP 2024\n", "utf-8"
    )
    table = read_population(path)
    assert table.schema == POPULATION
    assert table.to_pylist()[0] == {
        "ref_area": "NAM",
        "year": 2026,
        "sex": "F",
        "age_from": 9,
        "age_to": 9,
        "population": 31000.5,
        "source": "UN WPP 2024",
    }


@pytest.mark.parametrize(
    ("text", "code", "where", "says"),
    [
        ("ref_area,year\n", "D210", "p.csv", "sex, age_from, age_to, population, source"),
        (HEAD + "KEN,2026,F,9,9,1 000,x\n", "D211", "p.csv:2", "population"),
        (HEAD + "KEN,2026,F,9,9,nan,x\n", "D211", "p.csv:2", "population"),
        (HEAD + "KEN,2026,F,9,9,-1,x\n", "D211", "p.csv:2", "population"),
        (HEAD + "KEN,2026,F,9,9,1,x\nKEN,twenty,M,9,9,1,x\n", "D211", "p.csv:3", "year"),
        (HEAD + "KEN,99999999999,M,9,9,1,x\n", "D211", "p.csv:2", "year"),
        (HEAD + "KEN,2026,F,12,9,1,x\n", "D211", "p.csv:2", "age_to"),
        (HEAD + "KEN,2026,F,9\n", "D211", "p.csv:2", "age_to"),
        (HEAD + "KEN,2026,,9,9,1,x\n", "D211", "p.csv:2", "sex"),
        (HEAD + "KEN,2026,F,9,12,1,x\nKEN,2026,F,12,14,1,x\n", "D212", "p.csv", "KEN, 2026, sex F"),
    ],
)
def test_a_faulty_reference_population_is_refused(
    tmp_path: Path, text: str, code: str, where: str, says: str
) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(DefinitionError) as error:
        read_population(path)
    assert (error.value.code, error.value.where) == (code, where)
    assert says in error.value.title


def estimates(**values: float) -> pa.Table:
    rows = [{"indicator": "ACC1", "ref_area": area, "estimate": value} for area, value in values.items()]
    return pa.Table.from_pylist(rows)


def own(estimate: float, se: float | None = 1.0) -> pa.Table:
    schema = pa.schema([("indicator", pa.string()), ("estimate", pa.float64()), ("se", pa.float64())])
    return pa.Table.from_pylist([{"indicator": "ACC1", "estimate": estimate, "se": se}], schema=schema)


# Median 50, absolute deviations 0, 2, 2, 4, 10: their median is 2. 0.6745 d / 2 > 3.5 from d = 10.378 on.
OTHERS = {"AAA": 46.0, "BBB": 48.0, "CCC": 50.0, "DDD": 52.0, "EEE": 60.0}


@pytest.mark.parametrize(
    ("value", "error", "far"),
    [(60.3, 1.0, False), (60.4, 1.0, True), (39.6, None, True), (39.7, None, False), (60.4, 5.3, False)],
)
def test_an_estimate_far_from_other_countries_is_told(
    coded: Framework, value: float, error: float | None, far: bool
) -> None:
    result = checked(
        coded,
        children(50, 50),
        own_estimates=own(value, error),
        other_estimates=estimates(**OTHERS, KEN=99.0),
    )
    text = f"Indicator ACC1 is {value:g}; the median of other countries (5) is 50."
    assert found(result, 3) == {"indicator_far:ACC1": text if far else "passed"}


def test_too_few_or_equal_countries_say_nothing(coded: Framework) -> None:
    def said(others: pa.Table | None) -> dict[str, str]:
        return found(checked(coded, children(50, 50), own_estimates=own(90.0), other_estimates=others), 3)

    few = dict(list(OTHERS.items())[:4])
    assert said(estimates(**few)) == {"indicator_far:ACC1": "not_supported few_countries"}
    alike = dict.fromkeys(OTHERS, 50.0)
    assert said(estimates(**alike)) == {"indicator_far:ACC1": "not_supported others_alike"}
    assert said(None) == {"indicator_far:child": "not_supported no_estimates"}
