"""Each rule class on records that were worked out by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from copstats.errors import DefinitionError
from copstats.framework import Framework
from copstats.framework.manifest import Crosswalk
from copstats.process.compiled import REASONS
from copstats.process.decidable import can_be
from copstats.process.findings import Search
from copstats.process.records import extended_tables, record_tables
from copstats.process.rules import compile_rules
from tests.process.material import Submission, clean_child, clean_parent, crosswalk, manifest


def clean(count: int = 12) -> list[dict[str, Any]]:
    """Children of 12 to 17 who go online, met nobody and break no rule."""
    random = np.random.default_rng(7)
    rows = [clean_child(number, random) for number in range(count)]
    for number, row in enumerate(rows):
        row |= {"age": 12 + number % 6, "net_3m": 1, "net_age1": 8, "contact": 0, "met": -7}
        row |= {"ask": 0, "told": -7, "stratum": f"S{number % 2}", "psu": f"P{number % 4}"}
    return rows


def found(
    small: Framework,
    children: list[dict[str, Any]],
    parents: list[dict[str, Any]] | None = None,
    says: Crosswalk | None = None,
    survey: Any = None,
    **how: Any,
) -> dict[str, list[int | None]]:
    """Rule id -> record numbers at which it is broken."""
    survey = survey or manifest()
    made = Submission().add(small, "child", children, **how)
    if parents:
        made.add(small, "parent", parents)
    rules = compile_rules(small, survey, made, says)
    tables = extended_tables(record_tables(small, survey, made, says))
    files = {"child": "child.csv", "parent": "parent.csv"}
    searched = Search(made.connection, tables, "X", files).find(rules)
    assert not searched.crashed
    out: dict[str, list[int | None]] = {}
    for row in searched.findings.to_pylist():
        out.setdefault(row["rule"], []).append(row["record_no"])
    return out


def test_clean_records_break_nothing(small: Framework) -> None:
    random = np.random.default_rng(1)
    parents = [clean_parent(number, random) for number in range(12)]
    assert found(small, clean(), parents) == {}


def named(part: dict[str, Any] | set[str]) -> str:
    """Return a name that does not depend on the order of a set."""
    return str(sorted(part)) if isinstance(part, set) else str(part)


CASES: list[tuple[dict[str, Any], set[str]]] = [
    ({"sex": None}, {"blank:sex"}),
    ({"sex": 4}, {"code_list:sex"}),
    ({"sex": -8}, set()),
    ({"sex": -9}, set()),
    ({"sex": -7}, {"code_list:sex"}),
    ({"sex": -1}, {"code_list:sex"}),
    ({"contact": -8}, set()),
    ({"contact": -1}, {"code_list:contact"}),
    ({"weight": None}, {"weight_missing:weight"}),
    ({"weight": 0.0}, {"weight_positive:weight"}),
    ({"weight": -3.0}, {"weight_positive:weight"}),
    ({"weight": float("nan")}, {"weight_positive:weight"}),
    ({"weight": float("inf")}, {"weight_positive:weight"}),
    ({"repw_002": -0.1}, {"range:repw"}),
    ({"repw_001": None, "repw_002": None}, {"blank:repw"}),
    ({"fpc_psu": 0}, {"range:fpc_psu"}),
    ({"fpc_psu": -9}, {"range:fpc_psu"}),
    ({"age": 25}, {"range:age"}),
    ({"age": 4, "ask": -7, "net_age1": 3}, {"range:age"}),
    ({"age": 18}, {"age_outside_population:age"}),
    ({"age": 8, "ask": -7}, {"age_outside_population:age"}),
    ({"age": -8}, set()),
    ({"age": -7}, {"range:age"}),
    ({"score": 10.5}, {"range:score"}),
    ({"score": float("nan")}, {"range:score"}),
    ({"score": -8.0}, set()),
    ({"share": float("inf")}, {"range:share"}),
    ({"country_iso3": "UGA"}, {"area_mismatch:country_iso3"}),
    ({"country_iso3": "KE"}, {"area_mismatch:country_iso3", "pattern:country_iso3"}),
    ({"int_ym": "2026-13"}, {"pattern:int_ym"}),
    ({"int_lang": "sw\n"}, {"pattern:int_lang"}),
    ({"net_age1": 18}, {"range:net_age1", "first_use"}),
    ({"net_age1": 16, "age": 15}, {"first_use"}),
    ({"net_age1": 16, "age": -8}, set()),
    ({"net_age1": -7}, {"skip_unfounded:net_age1"}),
    ({"score": -7.0}, {"skip_unfounded:score"}),
]


@pytest.mark.parametrize(("change", "rules"), CASES, ids=named)
def test_a_fault_breaks_its_rule_and_no_other(
    small: Framework, change: dict[str, Any], rules: set[str]
) -> None:
    children = clean()
    children[4] |= change
    broken = found(small, children)
    assert set(broken) == rules
    assert all(numbers == [5] for numbers in broken.values())


# Online; contact (if online); met (if contact); ask (if online and 12 or older); told (if ask).
SKIPS: list[tuple[dict[str, Any], set[str]]] = [
    # A skip passes on: no contact, so no meeting.
    ({"net_3m": 0, "net_age1": -7, "contact": -7, "met": -7, "ask": -7, "told": -7}, set()),
    ({"net_3m": 0, "net_age1": -7, "contact": -7, "met": 0, "ask": -7, "told": -7}, {"skip_ignored:met"}),
    ({"net_3m": 0, "net_age1": -7, "contact": -8, "met": -7, "ask": -7}, {"skip_ignored:contact"}),
    ({"contact": 1, "met": 1}, set()),
    ({"contact": 1, "met": -7}, {"skip_unfounded:met"}),
    ({"contact": 0, "met": 1}, {"skip_ignored:met", "met_or_told"}),
    # An unknown filter leaves open whether the question belongs to the child.
    ({"contact": -8, "met": -7}, set()),
    ({"contact": -8, "met": 1}, set()),
    ({"net_3m": -9, "net_age1": -7, "contact": -7, "met": -7, "ask": -7}, set()),
    # Below the age floor the question is not put; whether she would have said yes stays unknown.
    ({"age": 11, "ask": -7, "told": -7}, set()),
    ({"age": 11, "ask": -7, "told": 1}, set()),
    ({"age": 11, "ask": 0}, {"skip_ignored:ask"}),
    ({"age": 12, "ask": -7}, {"skip_unfounded:ask"}),
    # One false part of a filter decides, even where the other is unknown.
    ({"age": -8, "net_3m": 0, "net_age1": -7, "contact": -7, "ask": 1, "told": 0}, {"skip_ignored:ask"}),
    ({"age": -8, "ask": -7}, set()),
]


@pytest.mark.parametrize(("change", "rules"), SKIPS, ids=named)
def test_skips_with_three_truth_values(small: Framework, change: dict[str, Any], rules: set[str]) -> None:
    children = clean()
    children[4] |= change
    assert set(found(small, children)) == rules


def test_a_national_age_floor_moves_the_skip(small: Framework) -> None:
    survey = manifest(population=_population(age_floor=14))
    children = clean()
    for row in children:
        if row["age"] < 14:
            row["ask"] = -7
    assert found(small, children, survey=survey) == {}
    young = next(number for number, row in enumerate(children) if row["age"] == 13)
    children[young]["ask"] = 0
    assert found(small, children, survey=survey) == {"skip_ignored:ask": [young + 1]}


def _population(**changes: Any) -> dict[str, Any]:
    return {
        "ages": {"min": 9, "max": 17},
        "universe": "all_children",
        "setting": "household",
        "coverage": "national",
    } | changes


def test_where_everybody_was_asked_answers_stand(small: Framework) -> None:
    children = clean()
    children[4] |= {"met": 0}
    everyone = crosswalk(met={"wording": {"class": "identical", "asked_of": "everyone"}})
    filtered = crosswalk(met={"wording": {"class": "identical"}})
    assert found(small, children, says=everyone) == {}
    assert found(small, children, says=filtered) == {"skip_ignored:met": [5]}


def test_not_asked_is_a_code_only_where_it_was_declared(small: Framework) -> None:
    children = clean()
    for row in children:
        row["score"] = -1.0
    assert len(found(small, children)["range:score"]) == 12
    declared = found(small, children, survey=manifest(not_asked=["score"]))
    assert declared == {"not_asked_declared:score": [None]}


def test_unread_cells_are_not_blank(small: Framework) -> None:
    broken = found(small, clean(), unread={"sex": [3, 4]})
    assert broken == {"unread:sex": [3, 4]}


def test_every_copy_of_a_key_is_shown(small: Framework) -> None:
    children = clean()
    children[1]["child_id"] = children[7]["child_id"] = "K00003"
    assert found(small, children) == {"key_unique:child_id": [2, 4, 8]}


def test_parents_need_their_child(small: Framework) -> None:
    parents = [clean_parent(number, np.random.default_rng(1)) for number in range(12)]
    parents[2]["child_id"] = "nobody"
    parents[3]["child_id"] = None
    children = clean()
    children[6]["child_id"] = None
    broken = found(small, children, parents)
    assert broken["parent_without_child:parent.child_id"] == [3, 7]
    assert broken["blank:parent.child_id"] == [4]


def test_rules_of_the_table_as_a_whole(small: Framework) -> None:
    children = clean()
    for row in children:
        row["weight"] = row["repw_001"] = row["repw_002"] = 5.0
        row["psu"] = "only" if row["stratum"] == "S1" else row["psu"]
    for row in children[:6]:
        row["score"] = -9.0
    broken = found(small, children)
    assert broken == {
        "weights_all_equal:weight": [None],
        "stratum_single_psu:stratum": [2],
        "item_nonresponse:score": [None],
    }


def test_forty_per_cent_without_an_answer_is_the_limit(small: Framework) -> None:
    children = clean(10)
    for row in children[:4]:
        row["score"] = -9.0
    assert found(small, children) == {}
    children[4]["score"] = -8.0
    assert found(small, children) == {"item_nonresponse:score": [None]}
    # Those who were not asked do not count.
    children[4]["score"] = -1.0
    survey = manifest(not_asked=["score"])
    assert set(found(small, children, survey=survey)) == {
        "item_nonresponse:score",
        "not_asked_declared:score",
    }


def states(small: Framework, made: Submission, says: Crosswalk | None = None, survey: Any = None) -> dict:
    rules = compile_rules(small, survey or manifest(), made, says)
    return {rule.id: (rule.state, rule.reason) for rule in rules}


def without(rows: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


def test_a_missing_column_blocks_what_depends_on_it(small: Framework) -> None:
    made = Submission().add(small, "child", without(clean(), "contact"))
    state = states(small, made)
    assert state["column_missing:contact"] == ("ready", "")
    assert state["code_list:contact"] == ("blocked", "column_missing")
    assert state["skip_ignored:met"] == ("blocked", "column_missing")
    assert state["met_or_told"] == ("blocked", "column_missing")
    assert state["code_list:met"] == ("ready", "")
    assert found(small, without(clean(), "contact")) == {"column_missing:contact": [None]}


def test_what_the_file_need_not_hold_is_not_applicable(small: Framework) -> None:
    made = Submission().add(small, "child", without(clean(), "contact", "told", "hh_id"))
    state = states(small, made, survey=manifest(not_asked=["contact"]))
    assert state["code_list:contact"] == ("not_applicable", "variable_absent")
    assert state["blank:hh_id"] == ("not_applicable", "variable_absent")
    assert state["skip_unfounded:met"] == ("not_applicable", "filter_absent")
    assert state["met_or_told"] == ("not_applicable", "variable_absent")
    assert "column_missing:hh_id" not in state
    assert {reason for _, reason in state.values()} - {""} <= set(REASONS)


def test_half_a_filter_decides_one_side(small: Framework) -> None:
    """Without net_3m a child under 12 is still not asked; nobody is certainly asked."""
    made = Submission().add(small, "child", without(clean(), "net_3m"))
    state = states(small, made, survey=manifest(not_asked=["net_3m"]))
    assert state["skip_ignored:ask"] == ("ready", "")
    assert state["skip_unfounded:ask"] == ("not_applicable", "filter_absent")


def test_a_required_variable_cannot_be_declared_not_asked(small: Framework) -> None:
    broken = found(small, without(clean(), "age"), survey=manifest(not_asked=["age"]))
    assert broken == {"column_missing:age": [None]}


def test_filled_in_columns_are_not_held_against_the_file(small: Framework) -> None:
    made = Submission().add(small, "child", clean(), filled=["child_id", "country_iso3"])
    state = states(small, made)
    for rule in ("key_unique:child_id", "blank:child_id", "unread:child_id", "area_mismatch:country_iso3"):
        assert state[rule] == ("not_applicable", "filled_in")


def test_modules_that_are_not_covered_bring_no_rules(small: Framework) -> None:
    rows = without(clean(), "net_3m", "net_age1", "score", "share", "contact", "met", "ask", "told")
    made = Submission().add(small, "child", rows)
    assert not [rule for rule in states(small, made, survey=manifest(modules=[])) if "contact" in rule]


def test_an_empty_file_blocks_everything_else(small: Framework) -> None:
    made = Submission().add(small, "child", [], columns=list(clean()[0]))
    state = states(small, made)
    assert state["no_records:child"] == ("ready", "")
    assert state["code_list:sex"] == ("blocked", "no_records")
    assert state["weights_all_equal:weight"] == ("blocked", "no_records")
    assert found(small, [], columns=list(clean()[0])) == {"no_records:child": [None]}


def test_columns_of_a_file_without_header_are_not_shown(small: Framework) -> None:
    names = list(clean()[0])
    made = Submission().add(small, "child", clean(), filled=names, not_taken_over=("Anna", "1200345"))
    assert states(small, made)["unknown_column:child"] == ("blocked", "column_missing")
    assert "unknown_column:child" not in found(small, clean(), filled=names, not_taken_over=("Anna",))
    assert found(small, clean(), not_taken_over=("X", "Y")) == {"unknown_column:child": [None, None]}


def test_rule_ids_are_unique(small: Framework) -> None:
    made = Submission().add(small, "child", clean())
    made.add(small, "parent", [clean_parent(number, np.random.default_rng(1)) for number in range(12)])
    ids = [rule.id for rule in compile_rules(small, manifest(), made, None)]
    assert len(ids) == len(set(ids))
    assert {"blank:psu", "blank:parent.psu", "code_list:p_sex"} <= set(ids)


def test_the_rule_book_must_hold_every_class_that_is_checked(small: Framework) -> None:
    classes = dict(small.rules.classes)
    classes["invented"] = classes.pop("blank")
    book = dataclasses.replace(small, rules=type(small.rules)(classes=classes, rules={}))
    with pytest.raises(DefinitionError) as error:
        compile_rules(book, manifest(), Submission().add(small, "child", clean()), None)
    assert error.value.code == "D201"
    assert "blank, invented" in error.value.title


def test_which_truth_values_a_predicate_can_take(small: Framework) -> None:
    tree = small.universes["child", "ask"].tree  # net_3m = 1 AND age >= 12
    assert [can_be(tree, truth, {"age"}) for truth in (True, False)] == [False, True]
    either = small.violations["met_or_told"].tree  # contact = 0 AND (met = 1 OR net_age1 = 17)
    assert can_be(either, True, {"contact", "met"})
    assert not can_be(either, True, {"contact"})
    assert not can_be(either, True, {"met", "net_age1"})
