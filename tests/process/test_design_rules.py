"""Rules on weights, strata, primary sampling units and modules, on files that were worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from copstats.framework import Framework
from copstats.process.check import CheckResult, check
from tests.process.material import Submission, manifest

CLASSES = (
    "module_thin",
    "module_undeclared",
    "weight_large",
    "weight_spread",
    "replicate_sum",
    "psu_in_two_strata",
    "psu_numbered_in_strata",
    "psu_of_one",
    "psu_large",
    "stratum_constant",
    "fpc_too_small",
    "doubled_record",
)
Child = dict[str, Any]


def children(units: Sequence[tuple[str, str]]) -> list[Child]:
    """One child a (stratum, PSU), in order; all weights are 10, and the children differ by their age."""
    return [
        {
            "child_id": f"K{number}",
            "stratum": stratum,
            "psu": psu,
            "weight": 10.0,
            "repw_001": 11.0,
            "repw_002": 9.0,
            "fpc_psu": 50,
            "age": 9 + number % 9,
            "sex": 1 + number % 2,
            **dict.fromkeys(("net_3m", "contact", "met", "ask"), 0),
            "net_age1": 7,
            "score": 1.0,
        }
        for number, (stratum, psu) in enumerate(units)
    ]


SOUND = [("N", "1"), ("N", "1"), ("N", "2"), ("N", "2"), ("S", "3"), ("S", "3"), ("S", "4"), ("S", "4")]


def checked(small: Framework, rows: list[Child], survey: Any = None, **how: Any) -> CheckResult:
    made = Submission().add(small, "child", rows, **how)
    return check(made.connection, made, "X", small, survey or manifest(), None, gate=False)


def broken(result: CheckResult) -> dict[str, list[int | None]]:
    """Rule class -> record numbers, of the classes that are looked at here."""
    out: dict[str, list[int | None]] = {}
    for row in result.findings.to_pylist():
        if row["rule_class"] in CLASSES:
            out.setdefault(row["rule_class"], []).append(row["record_no"])
    return out


def told(result: CheckResult, rule_class: str) -> str:
    return next(m.what for m in result.messages() if m.outcome.rule.rule_class == rule_class)


def severity(result: CheckResult, rule_class: str) -> str:
    return next(o.rule.severity for o in result.outcomes if o.rule.rule_class == rule_class)


def reason(result: CheckResult, rule: str) -> tuple[str, str]:
    return next((o.state, o.reason) for o in result.outcomes if o.rule.id == rule)


def test_a_sound_design_breaks_nothing(small: Framework) -> None:
    assert broken(checked(small, children(SOUND))) == {}


def test_a_psu_code_in_a_second_stratum_is_shown_where_it_is_rarer(small: Framework) -> None:
    units = [*SOUND, ("S", "2")]
    assert broken(checked(small, children(units))) == {"psu_in_two_strata": [9]}


def test_codes_that_recur_in_every_stratum_are_numbers_within_strata(small: Framework) -> None:
    units = [(stratum, psu) for stratum in "NS" for psu in "1122"]
    result = checked(small, children(units))
    assert broken(result) == {"psu_numbered_in_strata": [None]}
    assert severity(result, "psu_numbered_in_strata") == "information"


def test_psus_of_one_record_look_like_households(small: Framework) -> None:
    units = [("N", "1"), ("N", "2"), ("N", "3"), ("S", "4"), ("S", "5"), ("S", "5")]
    assert broken(checked(small, children(units))) == {"psu_of_one": [None]}
    # Two of four are not more than half.
    units = [("N", "1"), ("N", "2"), ("N", "2"), ("S", "4"), ("S", "5"), ("S", "5")]
    assert broken(checked(small, children(units))) == {}


def test_a_psu_with_more_than_ten_times_the_records_of_the_median_is_shown(small: Framework) -> None:
    assert broken(checked(small, children([*SOUND, *[("S", "4")] * 18]))) == {}
    assert broken(checked(small, children([*SOUND, *[("S", "4")] * 19]))) == {"psu_large": [7]}


def test_one_stratum_is_a_fault_where_the_manifest_names_a_column(small: Framework) -> None:
    units = [("N", psu) for psu in "11223344"]
    assert broken(checked(small, children(units))) == {"stratum_constant": [None]}
    filled = checked(small, children(units), filled=("stratum",))
    assert broken(filled) == {}
    assert reason(filled, "stratum_constant:stratum") == ("not_applicable", "filled_in")


def test_weights_are_large_by_the_median_of_their_own_stratum(small: Framework) -> None:
    rows = children([*SOUND, ("N", "1"), ("S", "3")])
    for row in rows:
        row["weight"] = 10.0 if row["stratum"] == "N" else 100.0
    rows[8]["weight"], rows[9]["weight"] = 45.0, 450.1
    rows[8]["repw_001"] = rows[8]["repw_002"] = 800.0
    assert broken(checked(small, rows))["weight_large"] == [10]


def test_the_kish_effect_is_told_where_it_is_above_two(small: Framework) -> None:
    rows = children(SOUND)
    # Seven weights of 1 and one of 21: 8 (7 + 441) / 28^2 = 4.571.
    for row in rows:
        row["weight"] = row["repw_001"] = row["repw_002"] = 1.0
    rows[0]["weight"] = 21.0
    result = checked(small, rows)
    assert "about 4.57 times" in told(result, "weight_spread")
    # Four weights of 1 and four of 3: 8 (4 + 36) / 16^2 = 1.25.
    for number, row in enumerate(rows):
        row["weight"] = 1.0 if number % 2 else 3.0
    assert "weight_spread" not in broken(checked(small, rows))


@pytest.mark.parametrize(("factor", "count"), [(0.49, 1), (0.51, 0), (1.99, 0), (2.01, 1)])
def test_a_replicate_weight_adds_up_to_about_the_weight(small: Framework, factor: float, count: int) -> None:
    rows = children(SOUND)
    for row in rows:
        row["repw_002"] = 10.0 * factor
    assert broken(checked(small, rows)) == ({"replicate_sum": [None]} if count else {})


def test_replicate_factors_in_place_of_weights_are_an_error(small: Framework) -> None:
    rows = children(SOUND)
    for number, row in enumerate(rows):
        row["repw_001"], row["repw_002"] = 2.0 * (number % 2), 2.0 * (1 - number % 2)
    result = checked(small, rows)
    assert broken(result) == {"replicate_sum": [None, None]}
    assert severity(result, "replicate_sum") == "error"
    assert told(result, "replicate_sum").endswith("twice that of the weights: 2.")


def test_a_frame_holds_at_least_the_units_drawn(small: Framework) -> None:
    rows = children(SOUND)
    for row in rows:
        row["fpc_psu"] = 2 if row["stratum"] == "N" else 1
    result = checked(small, rows)
    assert broken(result) == {"fpc_too_small": [5]}
    assert severity(result, "fpc_too_small") == "error"


def test_doubled_records_are_told_where_the_file_has_no_key(small: Framework) -> None:
    rows = children(SOUND)
    for number in range(10):
        for row in rows:
            row[f"repw_{number:03d}"] = 10.0
    rows[6] = {**rows[2], "child_id": "K6"}
    rows[7] = {**rows[2], "child_id": "K7", "score": 2.0}
    assert "doubled_record" not in broken(checked(small, rows))
    without = checked(small, rows, filled=("child_id",))
    assert broken(without)["doubled_record"] == [7]
    few = checked(small, children(SOUND), filled=("child_id",))
    assert reason(few, "doubled_record:child_id") == ("not_applicable", "few_variables")


def test_a_declared_module_with_few_of_its_questions_is_told(small: Framework) -> None:
    rows = children(SOUND)
    for row in rows:
        for name in ("contact", "met", "ask", "score"):
            del row[name]
    result = checked(small, rows)
    assert broken(result) == {"module_thin": [None]}
    assert told(result, "module_thin") == (
        "The manifest declares the module online, of which the file holds 2 of 6 core variables."
    )
    for row in rows:
        row["score"] = 1.0
    assert broken(checked(small, rows)) == {}


def test_a_module_that_is_there_and_not_declared_is_told(small: Framework) -> None:
    result = checked(small, children(SOUND), manifest(modules=[]))
    assert broken(result) == {"module_undeclared": [None]}
    assert "6 of 6 core variables of the module online" in told(result, "module_undeclared")
