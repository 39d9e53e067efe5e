"""Standardised values follow from published cells, and are absent with a reason where they do not."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.disclose import load_profile, refuse_broken_shape
from copstats.disseminate.standardised import with_standardised
from copstats.framework import load_framework
from copstats.store.schemas import INDICATOR_VALUE, STANDARDISED_ERRORS
from tests.disclose.estimates import SUBMISSION
from tests.disseminate.test_costs import published, withheld

PROFILE = load_profile()
AGES = ("Y9T11", "Y12T14", "Y15T17")
GIRLS, BOYS = (10.0, 22.0, 31.0), (12.0, 19.0, 26.0)
SHOWN: dict[str, Any] = {"se": 1.0, "ci_lower": 0.0, "ci_upper": 100.0, "n_band": "1000-2499"}
SHOWN |= {"nonresponse_band": "0-5", "reliability": "reliable", "comparability": "B"}


def crossed(girls: tuple[float, ...] = GIRLS, boys: tuple[float, ...] = BOYS, **changed: Any) -> list[Any]:
    return [
        published(sex=sex, age=age, value=value, **SHOWN | {"n_band": "250-499"} | changed)
        for sex, values in (("F", girls), ("M", boys))
        for age, value in zip(AGES, values, strict=True)
    ]


def crude(**changed: Any) -> list[Any]:
    return [published(sex=sex, **SHOWN | {"value": 22.4} | changed) for sex in ("_T", "F", "M")]


def standardised(
    *cells: dict[str, Any], se: float | None = 0.012, df: int = 40, **more: Any
) -> dict[str, Any]:
    """Sex -> the standardised row; the table that holds them has the shape of a published one."""
    errors = [
        {"submission_id": SUBMISSION, "indicator": code, "sex": sex, "se": se, "df": df}
        for code in ("RCD4", "RCT3")
        for sex in ("_T", "F", "M")
        if se is not None
    ]
    values = pa.Table.from_pylist(list(cells), INDICATOR_VALUE)
    table = with_standardised(
        values, pa.Table.from_pylist(errors, STANDARDISED_ERRORS), load_framework(), PROFILE, **more
    )
    refuse_broken_shape(table, PROFILE)
    plain = [row for row in table.to_pylist() if row["standardised"] == "N"]
    assert len(plain) == len(cells)
    return {row["sex"]: row for row in table.to_pylist() if row["standardised"] == "Y"}


def test_the_value_is_the_mean_over_the_standard_population() -> None:
    found = standardised(*crude(), *crossed())
    assert {sex: row["value"] for sex, row in found.items()} == {"_T": 20.0, "F": 21.0, "M": 19.0}
    total = found["_T"]
    assert (total["se"], total["obs_status"], total["obs_conf"], total["reason"]) == (1.2, "A", "F", None)
    # By hand: logit(0.2) -+ 2.0211 * 0.012 / 0.16, rounded outward.
    assert (total["ci_lower"], total["ci_upper"]) == (17.6, 22.6)
    assert (total["n_band"], total["age"], total["comparability"]) == ("1000-2499", "_T", "B")


def test_it_is_rounded_like_the_figure_beside_it() -> None:
    """In whole per cents below 1,000 answers, and always in tier B; errors in halves below 250."""
    uneven = crossed((10.0, 22.0, 33.0))
    assert standardised(*crude(), *uneven)["F"]["value"] == 21.7
    assert standardised(*crude(n_band="500-999"), *uneven)["F"]["value"] == 22.0
    assert standardised(*crude(), *uneven, raised=[SUBMISSION])["F"]["value"] == 22.0
    few = standardised(*crude(n_band="100-249"), *uneven)["F"]
    assert (few["value"], few["se"]) == (22.0, 1.0)


def test_a_withheld_figure_takes_the_standardised_one_with_it() -> None:
    hidden = withheld("secondary", sex="F", age="Y9T11")
    found = standardised(*crude(), hidden, *crossed()[1:])
    assert {sex: row["reason"] for sex, row in found.items()} == {
        "_T": "component",
        "F": "component",
        "M": None,
    }
    assert found["F"]["value"] is found["F"]["n_band"] is found["F"]["reliability"] is None
    assert (found["F"]["obs_status"], found["F"]["obs_conf"]) == ("Q", "D")
    total = [withheld("secondary"), *crude()[1:]]
    assert standardised(*total, *crossed())["_T"]["reason"] == "component"


def test_a_group_that_the_survey_lacks_is_no_standard_population() -> None:
    found = standardised(*crude(), *(cell for cell in crossed() if cell["age"] != "Y9T11"))
    assert {row["reason"] for row in found.values()} == {"standard_population"}
    assert {row["obs_status"] for row in found.values()} == {"L"}


def test_an_indicator_of_older_children_needs_their_bands_only() -> None:
    of = {"indicator": "RCT3"}
    cells = [cell for cell in crossed(**of) if cell["age"] != "Y9T11"]
    found = standardised(*crude(**of), *cells)
    assert {sex: row["value"] for sex, row in found.items()} == {"_T": 25.0, "F": 27.0, "M": 23.0}


def test_without_a_standard_error_there_is_no_value() -> None:
    found = standardised(*crude(), *crossed(), se=None)
    assert {row["reason"] for row in found.values()} == {"no_variance"}


def test_where_no_cells_of_sex_by_age_exist_there_is_no_row() -> None:
    """Consent for national values only, an indicator that was not asked, a median."""
    assert standardised(*crude()) == {}
    assert standardised(withheld("not_asked")) == {}
    assert standardised(*crude(indicator="ACC5", unit_measure="YR")) == {}


def test_it_is_as_reliable_as_the_least_reliable_group() -> None:
    weak = crossed()[0] | {"obs_status": "U", "reliability": "review"}
    found = standardised(*crude(), weak, *crossed()[1:])
    assert {sex: row["obs_status"] for sex, row in found.items()} == {"_T": "U", "F": "U", "M": "A"}
    assert found["F"]["reliability"] == "review"


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.integers(0, 100), min_size=6, max_size=6),
    st.floats(1e-4, 0.3),
    st.integers(1, 200),
    st.sampled_from(["25-49", "100-249", "500-999", "GE2500"]),
)
def test_any_published_cells_give_a_publishable_value(
    shares: list[int], se: float, df: int, band: str
) -> None:
    girls, boys = tuple(map(float, shares[:3])), tuple(map(float, shares[3:]))
    for row in standardised(*crude(n_band=band), *crossed(girls, boys), se=se, df=df).values():
        assert 0 <= row["ci_lower"] <= row["value"] <= row["ci_upper"] <= 100
        assert min(shares) - 0.5 <= row["value"] <= max(shares) + 0.5


@pytest.mark.parametrize("value", [0.0, 100.0])
def test_a_value_that_rounding_took_to_an_end_has_limits(value: float) -> None:
    (row, *_) = standardised(*crude(), *crossed((value,) * 3, (value,) * 3)).values()
    assert row["value"] == value
    assert row["ci_upper"] - row["ci_lower"] == pytest.approx(2.5)
