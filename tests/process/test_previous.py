"""Rules on the previous round and the earlier version, with shares that were set by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from copstats.framework import Framework
from copstats.process.check import CheckResult, check
from copstats.process.figures import RecordFigures, Shares, VariableFigures, figures_of
from copstats.process.previous import ROUND, VERSION, chance, distance, reversed_scale
from copstats.process.records import record_tables
from copstats.process.summary import Summary, summary_of
from copstats.process.surroundings import Surroundings
from tests.process.material import Submission, manifest


def children(online: int = 600, count: int = 1000) -> list[dict[str, Any]]:
    """So many children, the first of them online; every second is a boy; all weights are 10."""
    return [
        {
            "child_id": f"K{number}",
            "stratum": f"S{number % 2}",
            "psu": f"P{number % 20}",
            "weight": 10.0,
            "age": 9 + number % 9,
            "sex": 1 + number % 2,
            "net_3m": int(number < online),
            "net_age1": 7 if number < online else -7,
            "score": 1.0,
            "contact": 0 if number < online else -7,
        }
        for number in range(count)
    ]


def made(small: Framework, rows: list[dict[str, Any]]) -> Submission:
    return Submission().add(small, "child", rows)


def summary(small: Framework, rows: list[dict[str, Any]]) -> Summary:
    files, survey = made(small, rows), manifest()
    result = check(files.connection, files, "X", small, survey, None, gate=False)
    return summary_of(result, files.connection, files, small, survey, None, content_hash="abc")


def against(
    small: Framework, rows: list[dict[str, Any]], survey: Any = None, **material: Summary
) -> CheckResult:
    files = made(small, rows)
    around = Surroundings(**material)
    return check(
        files.connection, files, "X", small, survey or manifest(), None, gate=False, surroundings=around
    )


def told(result: CheckResult, level: int = 2) -> dict[str, str]:
    """Rule id -> what is wrong."""
    return {m.outcome.rule.id: m.what for m in result.messages() if m.outcome.rule.level == level}


def states(result: CheckResult) -> Mapping[str, tuple[str, str]]:
    return {o.rule.id: (o.state, o.reason) for o in result.outcomes if o.rule.level == 2}


def test_the_same_round_again_breaks_nothing(small: Framework) -> None:
    rows = children()
    result = against(small, rows, previous=summary(small, rows), previous_version=summary(small, rows))
    assert told(result) == {}
    decided = {rule.partition(":")[0] for rule, (state, _) in states(result).items() if state == "passed"}
    assert decided == {*ROUND, *VERSION}


def test_without_an_earlier_summary_the_rules_are_not_supported(small: Framework) -> None:
    found = states(against(small, children()))
    assert {rule.partition(":")[0] for rule in found} == {*ROUND, *VERSION}
    assert found["round_records:child"] == ("not_supported", "no_previous_round")
    assert found["version_records:child"] == ("not_supported", "no_previous_version")


def test_without_surroundings_nothing_is_said_of_them(small: Framework) -> None:
    files = made(small, children())
    result = check(files.connection, files, "X", small, manifest(), None, gate=False)
    assert not [o for o in result.outcomes if o.rule.level > 1]


@pytest.mark.parametrize(("count", "broken"), [(499, True), (500, False), (1500, False), (1501, True)])
def test_records_may_change_by_half(small: Framework, count: int, broken: bool) -> None:
    result = against(small, children(count=count), previous=summary(small, children()))
    assert ("round_records:child" in told(result)) is broken


def test_the_sample_and_the_sum_of_weights_are_compared(small: Framework) -> None:
    rows = children()
    for number, row in enumerate(rows):
        row |= {"weight": 0.5, "psu": f"P{number % 40}", "stratum": f"S{number % 2}"}
    found = told(against(small, rows, previous=summary(small, children())))
    assert found == {
        "round_weight_sum:weight": "Sum of the weights in this round: 500; in the previous round: 10,000.",
        "round_sample:psu": "Different codes in psu (PSU) in this round: 40; in the previous round: 20.",
    }


def test_a_variable_that_is_gone_is_told_unless_the_manifest_says_so(small: Framework) -> None:
    rows = [{name: value for name, value in row.items() if name != "score"} for row in children()]
    before = summary(small, children())
    assert list(told(against(small, rows, previous=before))) == ["round_variable_gone:score"]
    said = manifest(not_asked=["score"])
    assert told(against(small, rows, said, previous=before)) == {}


def test_a_share_that_moved_far_is_told(small: Framework) -> None:
    # 60 per cent before. Three standard errors are less than 15 points here; rounding may add one point.
    before = summary(small, children())
    found = told(against(small, children(online=770), previous=before))
    assert found["round_distribution:net_3m"] == (
        "net_3m (Online): code 0 had 40 per cent of the answers in the previous round, now 23."
    )
    assert told(against(small, children(online=760), previous=before)) == {}


def test_in_small_samples_chance_moves_shares_further(small: Framework) -> None:
    """100 children, 1.5 for clusters: 3 sqrt(2 0.6 0.4 / 66.7) is 25 points; rounding to tenths adds 10."""
    before = summary(small, children(online=60, count=100))
    assert told(against(small, children(online=90, count=100), previous=before)) == {}
    assert "round_distribution:net_3m" in told(
        against(small, children(online=20, count=100), previous=before)
    )


def test_chance_is_three_standard_errors_of_a_difference() -> None:
    expected = 3 * math.sqrt(60 * 40 / 200 + 50 * 50 / 300)
    assert chance(60, 200, 50, 300) == pytest.approx(expected)
    assert chance(0, 200, 0, 200) > 0


def test_a_reversed_scale_is_told_once(small: Framework) -> None:
    before = summary(small, children(online=800))
    result = against(small, children(online=210), previous=before)
    found = told(result)
    assert found["round_reversed:net_3m"].startswith("net_3m (Online): the answers look like those")
    assert "round_distribution:net_3m" not in found
    assert states(result)["round_distribution:net_3m"] == ("blocked", "reversed")


def test_reversed_answers_are_close_to_the_mirror_image(small: Framework) -> None:
    files = made(small, children())
    table = record_tables(small, manifest(), files, None)["child"]

    def five(*shares: int) -> Shares:
        return Shares(step=1, per_cent={str(code): share for code, share in enumerate(shares, start=1)})

    before = five(50, 25, 15, 7, 3)
    assert reversed_scale(table, five(4, 8, 14, 24, 50), before)
    assert not reversed_scale(table, five(20, 20, 20, 20, 20), before)
    assert not reversed_scale(table, five(50, 25, 15, 7, 3), before)
    # A scale that is its own mirror image cannot be told from its reverse.
    assert not reversed_scale(table, five(10, 20, 40, 20, 10), five(10, 20, 40, 20, 10))


def test_distance_is_the_index_of_dissimilarity() -> None:
    assert distance({"a": 60, "b": 40}, {"a": 45, "b": 45, "c": 10}) == 15
    assert distance({"a": 1}, {"b": 1}) == 1


def test_what_is_withheld_or_of_another_framework_is_not_compared(small: Framework) -> None:
    rare = summary(small, children(online=995))
    found = states(against(small, children(), previous=rare))
    assert found["round_distribution:net_3m"] == ("not_supported", "figures_withheld")
    other = msgspec.structs.replace(summary(small, children()), framework="cop-2010")
    found = states(against(small, children(), previous=other))
    assert found["round_distribution:net_3m"] == ("not_supported", "other_framework")
    assert found["round_records:child"] == ("passed", "")


def test_a_new_version_tells_what_changed_at_all(small: Framework) -> None:
    before = summary(small, children())
    rows = children(count=1001)
    for row in rows[:300]:
        row["score"] = -9.0
    result = against(small, rows, previous_version=before)
    assert told(result) == {
        "version_records:child": "Records in this version: 1,001; in the earlier version: 1,000.",
        "version_variable:score": "The answers to score (Score) differ from those of the earlier version.",
    }
    assert {m.outcome.rule.severity for m in result.messages() if m.outcome.rule.level == 2} == {
        "information"
    }


def test_figures_of_tier_b_are_never_compared(small: Framework) -> None:
    rows = children()
    for row in rows:
        row["met"] = row["contact"] = row["net_3m"]
    files = made(small, rows)
    figures = figures_of(files.connection, record_tables(small, manifest(), files, None))["child"]
    assert figures.variables["met"].categories is None
    forged = VariableFigures(categories=Shares(step=1, per_cent={"0": 90, "1": 10}))
    told_b = RecordFigures(records=1000, variables={"met": forged})
    before = msgspec.structs.replace(summary(small, rows), figures={"child": told_b})
    found = states(against(small, rows, previous=before))
    assert not [rule for rule in found if rule in ("round_distribution:met", "round_reversed:met")]
