from __future__ import annotations

from typing import Any

import msgspec
import pytest

from copstats.disclose import load_profile, protect
from copstats.errors import ConfidentialityError
from copstats.framework import load_framework
from copstats.store.schemas import INDICATOR_VALUE
from tests.disclose.estimates import ABSENT, FREE, SUBMISSION, cell, table

PROFILE = load_profile()
FIGURES = ("value", "se", "ci_lower", "ci_upper")
TIERS = ("A", "B")


def gate(cells: Any, profile: Any, consent_level: Any = FREE) -> list[dict[str, Any]]:
    found = protect(cells, profile, consent_level=consent_level, framework=load_framework()).values
    assert found.schema.equals(INDICATOR_VALUE)
    return found.to_pylist()


def published(*cells: dict[str, Any], consent_level: dict[str, str] | None = None) -> list[dict[str, Any]]:
    return gate(table(*cells), PROFILE, consent_level or FREE)


def one(**changed: Any) -> dict[str, Any]:
    (found,) = published(cell(**changed))
    return found


def threshold(name: str, tier: str) -> Any:
    number = getattr(PROFILE.thresholds, name).tiers[tier]
    return int(number) if float(number).is_integer() else number


def just_around(name: str) -> list[Any]:
    return [
        pytest.param(tier, threshold(name, tier), step, id=f"{tier}-{label}")
        for tier in TIERS
        for step, label in ((-1, "below"), (0, "at"), (1, "above"))
    ]


def is_withheld(row: dict[str, Any]) -> bool:
    return row["obs_status"] == "Q" and all(row[name] is None for name in (*FIGURES, "reliability"))


def is_shown(row: dict[str, Any]) -> bool:
    return row["obs_status"] in ("A", "U") and all(row[name] is not None for name in FIGURES)


@pytest.mark.parametrize(("tier", "limit", "step"), just_around("minimum_n"))
def test_r1_counts_valid_answers(tier: str, limit: int, step: int) -> None:
    n = limit + step
    row = one(tier=tier, n=n, events=n // 2)
    if step < 0:
        assert (row["reason"], row["obs_conf"]) == ("n", "A")
        assert is_withheld(row) and row["n_band"] is None and row["nonresponse_band"] is None
    else:
        assert is_shown(row) and row["obs_status"] == "U"


@pytest.mark.parametrize(("tier", "limit", "step"), just_around("low_reliability_n"))
def test_r1_flags_few_answers_even_where_the_flag_says_reliable(tier: str, limit: int, step: int) -> None:
    row = one(tier=tier, n=limit + step, events=limit // 2)
    assert is_shown(row) and row["obs_status"] == ("U" if step < 0 else "A")


@pytest.mark.parametrize(("tier", "limit", "step"), just_around("minimum_events"))
@pytest.mark.parametrize("answer", ["low", "high"])
def test_r2_codes_few_of_either_answer(answer: str, tier: str, limit: int, step: int) -> None:
    few = limit + step
    row = one(tier=tier, n=400, events=few if answer == "low" else 400 - few)
    if step < 0:
        assert is_withheld(row) and (row["reason"], row["obs_conf"]) == (answer, "A")
        assert (row["n_band"], row["nonresponse_band"]) == ("250-499", "0-5")
    else:
        assert is_shown(row)


def test_r2_does_not_tell_none_from_few() -> None:
    none = one(n=400, events=0, estimate=0.0, se=0.0, ci_lower=None, ci_upper=None, df=None)
    few = one(n=400, events=threshold("minimum_events", "A") - 1, estimate=0.01)
    assert none == few and none["reason"] == "low"
    everyone = one(n=400, events=400, estimate=1.0, se=0.0, ci_lower=None, ci_upper=None)
    assert everyone["reason"] == "high"


@pytest.mark.parametrize(("tier", "limit", "step"), just_around("minimum_psus"))
def test_r3_counts_primary_sampling_units(tier: str, limit: int, step: int) -> None:
    row = one(tier=tier, psus=limit + step)
    assert (is_withheld(row) and row["reason"] == "psus") if step < 0 else is_shown(row)


@pytest.mark.parametrize("column", ["largest_psu_share", "largest_weight_share"])
@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("beyond", [-0.001, 0.0, 0.001])
def test_r4_lets_nobody_dominate(column: str, tier: str, beyond: float) -> None:
    row = one(tier=tier, **{column: threshold(column, tier) + beyond})
    if beyond > 0:
        assert is_withheld(row) and (row["reason"], row["obs_conf"]) == ("dominance", "O")
    else:
        assert is_shown(row)


def test_what_says_nothing_of_the_value_comes_before_what_does() -> None:
    """A cell with few events that another rule withholds does not say that its events are few."""
    assert one(n=20, events=1)["reason"] == "n"
    assert one(psus=1, events=1)["reason"] == "psus"
    assert one(largest_psu_share=0.9, events=1)["reason"] == "dominance"


def test_r9_takes_declared_tables_only() -> None:
    crossed = {"disaggregation": "sex_age", "sex": "F", "age": "Y12T14"}
    assert is_shown(one(**crossed))
    assert is_shown(one(**crossed, tier="B"))
    assert one(**crossed | {"residence": "U"})["reason"] == "crossing"
    assert one(disaggregation="never_declared")["reason"] == "crossing"
    assert one(disaggregation="sex", region="R1")["reason"] == "crossing"
    assert is_shown(one(disaggregation="common_age", age="Y12T17"))


def test_r9_no_third_dimension_in_tier_b_and_no_crossed_region() -> None:
    wide = msgspec.structs.replace(
        PROFILE,
        tables={"three": ["sex", "age", "residence"], "crossed": ["sex", "region"], "region": ["region"]},
    )
    three = {"disaggregation": "three", "sex": "F", "age": "Y12T14", "residence": "U"}
    cells = table(
        cell(**three),
        cell(**three, tier="B", indicator="RCT1"),
        cell(disaggregation="crossed", sex="F", region="R1", indicator="RCN1"),
        cell(disaggregation="region", region="R1", indicator="RCN2"),
    )
    # Groups that only another indicator has are empty.
    found = {row["indicator"]: row for row in gate(cells, wide) if row["reason"] != "n"}
    assert is_shown(found["RCD4"]) and is_shown(found["RCN2"])
    assert found["RCT1"]["reason"] == found["RCN1"]["reason"] == "crossing"


@pytest.mark.parametrize(
    "changed",
    [
        {"df": 0},
        {"df": None},
        {"se": None},
        {"se": 0.0},
        {"se": float("nan")},
        {"ci_lower": None},
        {"ci_upper": float("inf")},
        {"ci_lower": 0.3, "ci_upper": 0.4},
        {"estimate": None},
        {"estimate": float("nan")},
        {"estimate": 1.2, "ci_upper": 1.3},
    ],
    ids=str,
)
def test_no_value_without_its_precision(changed: dict[str, Any]) -> None:
    row = one(**changed)
    assert is_withheld(row) and (row["reason"], row["obs_conf"]) == ("no_variance", "N")


@pytest.mark.parametrize(
    "column", ["n", "events", "psus", "largest_psu_share", "largest_weight_share", "tier"]
)
def test_fails_closed_where_a_deciding_number_is_unknown(column: str) -> None:
    row = one(**{column: None})
    assert is_withheld(row) and row["reason"] == "unknown"


@pytest.mark.parametrize(
    "changed",
    [
        {"tier": "C"},
        {"unit": "SCORE"},
        # What counts every answer is a mean, for which the gate has no rules.
        {"unit": "YEARS", "events": 1500},
        {"unit": "YEARS", "events": 751},
        {"events": -1},
        {"events": 1501},
        {"psus": -1},
        {"largest_psu_share": float("nan")},
        {"largest_weight_share": 1.5},
        {"state": "provisional"},
        {"state": None},
    ],
    ids=str,
)
def test_fails_closed_where_a_number_cannot_be(changed: dict[str, Any]) -> None:
    row = one(**changed)
    assert is_withheld(row) and row["reason"] == "unknown"


def test_fails_closed_on_an_unknown_table() -> None:
    assert one(disaggregation=None)["reason"] == "crossing"


@pytest.mark.parametrize(
    "column", ["submission_id", "ref_area", "survey", "reference_year", "indicator", "unit", "sex", "region"]
)
def test_a_cell_of_unknown_identity_does_not_exist(column: str) -> None:
    assert published(cell(**{column: None})) == []


def test_unknown_reliability_is_low_reliability() -> None:
    assert one(reliability=None)["obs_status"] == "U"
    assert one(reliability="unreliable")["obs_status"] == "U"
    assert one()["obs_status"] == "A"


def test_without_consent_not_even_a_row() -> None:
    by_sex = cell(disaggregation="sex", sex="F")
    common = cell(disaggregation="common_age", age="Y12T17")
    mislabelled = cell(disaggregation="total", residence="U")
    everything = (cell(), by_sex, common, mislabelled)
    assert published(*everything, consent_level={SUBMISSION: "none"}) == []
    assert published(*everything, consent_level={"XBB_2026_COPS_v01_M": "disaggregated"}) == []
    assert published(*everything, consent_level={SUBMISSION: "everything"}) == []
    (total,) = published(*everything, consent_level={SUBMISSION: "national"})
    assert (total["sex"], total["age"], total["residence"]) == ("_T", "_T", "_T") and is_shown(total)
    assert len(published(*everything, consent_level=FREE)) == 4


def test_an_indicator_of_which_nobody_was_eligible_looks_like_one_of_few_children() -> None:
    """That nobody was asked a follow-up question would tell that nobody said yes to the one before it."""
    (nobody,) = published(ABSENT | {"absent_reason": "no_eligible_records"})
    (few,) = published(cell(n=3, events=1))
    assert nobody["reason"] == few["reason"] == "n"
    assert [nobody[k] for k in ("obs_status", "obs_conf", "comparability")] == ["Q", "A", None]
    assert [few[k] for k in ("obs_status", "obs_conf", "comparability")] == ["Q", "A", None]


COLLECTED_BY_NOBODY = [
    code for code, one in PROFILE.reasons.items() if one.obs_status == "L" and code != "no_eligible_records"
]


@pytest.mark.parametrize("reason", COLLECTED_BY_NOBODY)
def test_an_absent_indicator_says_why(reason: str) -> None:
    (row,) = published(ABSENT | {"absent_reason": reason})
    assert (row["obs_status"], row["obs_conf"], row["reason"]) == ("L", "F", reason)
    assert all(row[name] is None for name in (*FIGURES, "n_band", "reliability"))
    assert (row["comparability"], row["comparability_reasons"]) == ("B", "recall;translation_unknown")


@pytest.mark.parametrize("reason", [None, "low", "n", "something else"])
def test_an_absence_without_a_known_reason_is_withheld(reason: str | None) -> None:
    (row,) = published(ABSENT | {"absent_reason": reason})
    assert is_withheld(row) and row["reason"] == "unknown"


def test_every_disaggregation_of_the_framework_has_been_weighed() -> None:
    declared = {name: list(crossed) for name, crossed in load_framework().head.disaggregations.items()}
    assert {name: crossed for name, crossed in PROFILE.tables.items() if name != "common_age"} == declared


def test_the_key_is_unique() -> None:
    with pytest.raises(ConfidentialityError) as problem:
        published(cell(), cell())
    assert problem.value.code == "C101" and "0.2" not in str(problem.value)


def test_cells_that_do_not_add_up_are_not_published() -> None:
    with pytest.raises(ConfidentialityError) as problem:
        published(cell(), cell(estimate=0.25))
    assert problem.value.code == "C103" and "0.2" not in str(problem.value)


MEDIAN: dict[str, Any] = {
    "indicator": "ACC5",
    "unit": "YEARS",
    "events": 600,
    "estimate": 10.0,
    "se": 0.5,
    "ci_lower": 9.0,
    "ci_upper": 11.0,
    **dict.fromkeys(("deff", "n_effective", "kg_lower", "kg_upper"), None),
}


@pytest.mark.parametrize(("tier", "limit", "step"), just_around("minimum_n"))
def test_a_median_needs_enough_answers_on_its_smaller_side(tier: str, limit: int, step: int) -> None:
    row = one(**MEDIAN | {"tier": tier, "events": limit + step})
    if step < 0:
        assert (row["reason"], row["obs_conf"]) == ("n", "A")
        assert is_withheld(row) and row["n_band"] is None
    else:
        assert is_shown(row)
        assert (row["unit_measure"], row["value"], row["n_band"]) == ("YR", 10, "1000-2499")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"psus": threshold("minimum_psus", "A") - 1}, "psus"),
        ({"largest_psu_share": threshold("largest_psu_share", "A") + 0.01}, "dominance"),
        ({"largest_weight_share": threshold("largest_weight_share", "A") + 0.01}, "dominance"),
        ({"n": 24, "events": 12}, "n"),
        ({"events": 0}, "n"),
        ({"df": 0, "se": None, "ci_lower": None, "ci_upper": None}, "no_variance"),
        ({"ci_lower": None}, "no_variance"),
        ({"estimate": 30.0, "ci_upper": 31.0}, "no_variance"),
        ({"se": -0.1}, "no_variance"),
    ],
    ids=str,
)
def test_a_median_is_withheld_by_the_other_rules_too(changed: dict[str, Any], reason: str) -> None:
    row = one(**MEDIAN | changed)
    assert is_withheld(row) and row["reason"] == reason


def test_limits_of_a_median_may_be_one_answer() -> None:
    row = one(**MEDIAN | {"se": 0.0, "ci_lower": 10.0, "ci_upper": 10.0})
    assert [row[name] for name in FIGURES] == [10, 0, 10, 10]
    assert one(se=0.0, ci_lower=0.24649, ci_upper=0.24649)["reason"] == "no_variance", "of a proportion not"


def test_each_indicator_has_the_statistic_of_its_unit() -> None:
    for code, indicator in load_framework().indicators.items():
        definition = indicator.definition
        assert PROFILE.units[definition.unit].statistic == definition.statistic, code
