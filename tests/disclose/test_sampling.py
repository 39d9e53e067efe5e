"""Sampling fraction (R12): who interviewed a large share of the population publishes by tier B."""

from __future__ import annotations

from typing import Any

import pytest

from copstats.disclose import load_profile
from copstats.disclose.primary import decide
from copstats.disclose.sampling import raised_to_tier_b, sampling_fractions, with_raised_tiers
from copstats.store.engine import memory_connection
from copstats.store.schemas import ESTIMATES
from tests.disclose.estimates import ABSENT, FREE, SUBMISSION, cell, table

PROFILE = load_profile()
OTHER = "XBB_2026_COPS_v01_M"


def fraction(*cells: dict[str, Any], size: int | None = None) -> float | None:
    return sampling_fractions(table(*cells), {SUBMISSION: size})[SUBMISSION]


def test_weights_that_add_up_to_the_population_tell() -> None:
    assert fraction(cell(n=1500, weight=6000.0)) == 0.25
    assert fraction(cell(n=1500, weight=1.5e6)) == 0.001


def test_the_cell_with_most_answers_stands_for_the_survey() -> None:
    few = cell(n=200, weight=210.0, indicator="HRM2")
    group = cell(n=2000, weight=2200.0, disaggregation="sex", sex="F")
    assert fraction(few, cell(n=1500, weight=6000.0), group) == 0.25


@pytest.mark.parametrize(
    "weight", [1500.0, 1499.0, 1570.0, 1000.0, 1.0, 0.0, None, float("nan"), float("inf")]
)
def test_weights_of_another_scale_tell_nothing(weight: float | None) -> None:
    """Scaled to the number of records, to some other sum, or damaged; a census has the same mean of 1."""
    assert fraction(cell(n=1500, weight=weight)) is None


def test_the_manifest_comes_first() -> None:
    assert fraction(cell(n=1500, eligible=1560, weight=1500.0), size=3120) == 0.5
    assert fraction(cell(n=1500, eligible=1560, weight=1.5e6), size=3120) == 0.5
    assert fraction(cell(n=1500, eligible=1560, weight=1500.0), size=1000) == 1, "no more than everybody"


def test_a_survey_without_estimates_has_no_fraction() -> None:
    assert sampling_fractions(table(ABSENT), {SUBMISSION: 100}) == {}


@pytest.mark.parametrize(("share", "is_raised"), [(0.2, False), (0.2001, True), (1.0, True), (None, False)])
def test_above_the_limit_a_survey_is_of_tier_b(share: float | None, is_raised: bool) -> None:
    assert (SUBMISSION in raised_to_tier_b({SUBMISSION: share}, PROFILE)) is is_raised


def test_all_rows_of_that_survey_and_of_no_other() -> None:
    cells = table(
        cell(), cell(indicator="RCT2", tier="B"), cell(submission_id=OTHER), ABSENT, cell(tier=None)
    )
    found = with_raised_tiers(cells, {SUBMISSION: 0.3, OTHER: 0.1}, PROFILE)
    assert found["tier"].to_pylist() == ["B", "B", "A", "B", "B"]
    assert found.drop_columns("tier").equals(cells.drop_columns("tier"))
    assert with_raised_tiers(found, {SUBMISSION: 0.3}, PROFILE).equals(found)
    assert with_raised_tiers(cells, {}, PROFILE).equals(cells)
    assert found.schema.names == ESTIMATES.names


@pytest.mark.parametrize(("share", "reason"), [(0.2, None), (0.21, "low"), (None, None)])
def test_its_cells_meet_the_thresholds_of_tier_b(share: float | None, reason: str | None) -> None:
    with memory_connection(threads=1) as connection:
        decide(
            connection,
            table(cell(n=400, events=7)),
            PROFILE,
            consent_level=FREE,
            sampling_fraction={SUBMISSION: share},
        )
        assert connection.sql("SELECT reason FROM decided").fetchall() == [(reason,)]
