"""Denominators: what the operator's file may hold, and whom it counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.errors import DefinitionError
from copstats.framework.areas import load_areas
from copstats.framework.denominators import Denominators, no_denominators, read_denominators

HEAD = "area,year,sex,age_min,age_max,population,internet_users,source,vintage"


def read(folder: Path, *lines: str, head: str = HEAD) -> Denominators:
    path = folder / "denominators.csv"
    path.write_text("\n".join((head, *lines)) + "\n", "utf-8")
    return read_denominators(path, {"XAA", "XBB", "NAM"})


def row(sex: str, ages: tuple[int, int], persons: float | str, users: float | str = "") -> str:
    return f"XAA,2025,{sex},{ages[0]},{ages[1]},{persons},{users},WPP,2024"


def test_the_ages_asked_for_are_one_row_or_rows_that_follow_each_other(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        row("_T", (9, 17), 900, 700),
        row("_T", (12, 14), 310, 300),
        row("_T", (15, 17), 290, 288.5),
        row("_T", (9, 9), 100),
        row("_T", (11, 11), 101),
    )
    assert found.persons("XAA", 2025, (9, 17)) == 900, "the row of exactly these ages"
    assert found.persons("XAA", 2025, (12, 17)) == 600
    assert found.persons("XAA", 2025, (12, 17), basis="internet_users") == 588.5
    assert found.persons("XAA", 2025, (9, 11)) is None, "age 10 is missing"
    assert found.persons("XAA", 2025, (9, 9), basis="internet_users") is None
    assert found.persons("XAA", 2024, (9, 17)) is found.persons("XBB", 2025, (9, 17)) is None


def test_both_sexes_are_their_own_row_or_the_sum(tmp_path: Path) -> None:
    parts = (row("F", (9, 17), 400), row("M", (9, 17), 410))
    assert read(tmp_path, *parts).persons("XAA", 2025, (9, 17)) == 810
    assert read(tmp_path, *parts, row("_T", (9, 17), 811)).persons("XAA", 2025, (9, 17)) == 811
    assert read(tmp_path, parts[0]).persons("XAA", 2025, (9, 17)) is None
    assert read(tmp_path, *parts).persons("XAA", 2025, (9, 17), sex="F") == 400


def test_the_newest_year_is_not_after_the_release(tmp_path: Path) -> None:
    found = read(tmp_path, row("_T", (9, 17), 1), row("_T", (9, 17), 1).replace("2025", "2030"))
    assert [found.newest_year(year) for year in (2024, 2025, 2029, 2031)] == [None, 2025, 2025, 2030]
    assert no_denominators().newest_year(2026) is None


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 10**9), min_size=9, max_size=9), st.integers(9, 17), st.integers(9, 17))
def test_single_years_add_up_to_any_range(
    tmp_path_factory: pytest.TempPathFactory, persons: list[int], a: int, b: int
) -> None:
    low, high = min(a, b), max(a, b)
    lines = [row("_T", (age, age), number) for age, number in zip(range(9, 18), persons, strict=True)]
    found = read(tmp_path_factory.mktemp("persons"), *reversed(lines))
    assert found.persons("XAA", 2025, (low, high)) == sum(persons[low - 9 : high - 8])


def test_the_column_of_internet_users_may_be_missing_and_namibia_is_no_gap(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "NAM,2025,_T,9,17,5,WPP,2024",
        head="area,year,sex,age_min,age_max,population,source,vintage",
    )
    assert found.persons("NAM", 2025, (9, 17)) == 5
    assert found.persons("NAM", 2025, (9, 17), basis="internet_users") is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (row("_T", (9, 17), "1 000"), "D221"),
        (row("_T", (9, 17), ""), "D221"),
        (row("_T", (9, 17), "nan"), "D221"),
        (row("_T", (9, 17), -1), "D221"),
        (row("_T", (9, 17), 10, 11), "D221"),
        (row("_T", (17, 9), 10), "D221"),
        (row("girls", (9, 17), 10), "D221"),
        (row("_T", (9, 17), 10).replace("WPP", ""), "D221"),
        (row("_T", (9, 17), 10).replace("XAA", "XZZ"), "D222"),
        (row("F", (9, 17), 11), "D223"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(tmp_path: Path, line: str, code: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        read(tmp_path, row("F", (9, 17), 10), line)
    assert (refused.value.code, refused.value.where) == (code, "denominators.csv:3")


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as refused:
        read(tmp_path, head=HEAD.replace(",vintage", "").replace(",year", ""))
    assert refused.value.code == "D220"
    assert "year, vintage" in str(refused.value)


def test_the_sample_file_has_every_country_of_the_demonstration(root: Path) -> None:
    samples = root / "sample_data"
    areas = load_areas(samples / "areas.csv")
    found = read_denominators(samples / "denominators.csv", areas)
    for area in areas:
        for ages in ((9, 17), (12, 17)):
            children = found.persons(area, 2025, ages)
            users = found.persons(area, 2025, ages, basis="internet_users")
            assert children is not None
            assert users is not None
            assert 0 < users < children
    assert {area.groups["demo_region"] for area in areas.values()} == {"FIC"}
