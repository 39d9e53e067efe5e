"""The acceptance suite and the findings must count the same; the suite must show nothing."""

from __future__ import annotations

import dataclasses
import json
import socket

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copstats.framework import Framework
from copstats.process.compiled import CompiledRule
from copstats.process.findings import Search
from copstats.process.gate import gx_suite, run_gate, validate
from copstats.process.identifying import IDENTIFYING
from copstats.process.records import extended_tables, record_tables
from copstats.process.rules import AGGREGATE, compile_rules
from tests.process.material import Submission, clean_child, clean_parent, faults, manifest, spoil


def both_counts(small: Framework, submission: Submission) -> tuple[dict[str, int], dict[str, int]]:
    """Rule id -> number of findings, by DuckDB and by Great Expectations."""
    rules = compile_rules(small, manifest(), submission, None)
    tables = extended_tables(record_tables(small, manifest(), submission, None))
    found = Search(submission.connection, tables, "X", {"child": "c", "parent": "p"}).find(rules)
    assert not found.crashed
    assert found.shown == found.counts
    results = validate(submission.connection, rules, tables, small, "BASIC")
    by_id = {rule.id: rule for rule in rules}
    judged = {r.expectation_config.meta["rule"]: unexpected(r, by_id) for r in results}
    return {rule.id: found.counts.get(rule.id, 0) for rule in rules if rule.ready}, judged


def unexpected(result, by_id: dict[str, CompiledRule]) -> int:
    rule = by_id[result.expectation_config.meta["rule"]]
    assert not result.exception_info.get("raised_exception"), rule.id
    if rule.rule_class in ("no_records", "column_missing"):
        return int(not result.success)
    if rule.kind != "row":
        return sum(result.result["partial_unexpected_list"])
    return result.result["unexpected_count"]


@pytest.mark.parametrize("seed", range(4))
def test_suite_and_findings_count_the_same_rule_by_rule(small: Framework, seed: int) -> None:
    random = np.random.default_rng(seed)
    children = [clean_child(number, random) for number in range(120)]
    parents = [clean_parent(number, random) for number in range(60)]
    share = (0.0, 0.02, 0.1, 0.6)[seed]
    submission = Submission()
    submission.add(
        small, "child", children, unread=spoil(small, "child", children, random, share), not_taken_over=("X",)
    )
    submission.add(small, "parent", parents, unread=spoil(small, "parent", parents, random, share))
    found, judged = both_counts(small, submission)
    assert found == judged
    broken = sum(count > 0 for count in found.values())
    assert broken == 1 if seed == 0 else broken > (0, 25, 40, 55)[seed]


def test_every_rule_class_is_broken_somewhere(small: Framework) -> None:
    """Otherwise the comparison above would say nothing of a class."""
    random = np.random.default_rng(3)
    children = [clean_child(number, random) for number in range(120)]
    parents = [clean_parent(number, random) for number in range(60)]
    unread = spoil(small, "child", children, random, 0.6)
    for number, row in enumerate(children):
        row["weight"] = 5.0
        row["psu"] = "P1" if row["stratum"] == "S0" else f"P{number}"
        row["score"] = -9.0
        del row["net_3m"]
    parents_unread = spoil(small, "parent", parents, random, 0.6)
    submission = Submission().add(small, "child", children, unread=unread, not_taken_over=("X",))
    submission.add(small, "parent", parents, unread=parents_unread)
    found, judged = both_counts(small, submission)
    assert found == judged
    broken = {rule.split(":")[0] for rule, count in found.items() if count}
    missing = set(small.rules.classes) - {*AGGREGATE, *IDENTIFYING} - broken
    # The small framework has too few questions for the last two; test_records.py looks at them.
    expected = {"no_records", "not_asked_declared", "straight_lining", "record_too_empty"}
    # Designs that a file has or has not; test_design_rules.py looks at them.
    expected |= {"psu_in_two_strata", "psu_numbered_in_strata", "stratum_constant", "weight_spread"}
    expected |= {"doubled_record", "module_thin", "module_undeclared"}
    assert missing == expected, missing


@st.composite
def _rows(draw: st.DrawFn, small: Framework) -> list[dict]:
    random = np.random.default_rng(0)
    rows = [clean_child(number, random) for number in range(draw(st.integers(1, 6)))]
    for row in rows:
        spoilt = draw(st.lists(st.sampled_from(sorted(row)), max_size=6))
        for name in spoilt:
            row[name] = draw(st.sampled_from(faults(small, "child", name)))
    return rows


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_suite_and_findings_count_the_same_on_small_tables(small: Framework, data: st.DataObject) -> None:
    rows = data.draw(_rows(small))
    unread = data.draw(
        st.dictionaries(st.sampled_from(sorted(rows[0])), st.lists(st.integers(1, len(rows))), max_size=3)
    )
    found, judged = both_counts(small, Submission().add(small, "child", rows, unread=unread))
    assert found == judged


def test_the_suite_says_what_it_checks_and_holds_no_identifier(small: Framework) -> None:
    random = np.random.default_rng(1)
    children = [clean_child(number, random) for number in range(30)]
    submission = Submission().add(small, "child", children)
    submission.add(small, "parent", [clean_parent(number, random) for number in range(30)])
    rules = compile_rules(small, manifest(), submission, None)
    for part in ("child", "parent", "counts"):
        suite = gx_suite(rules, small, part)
        text = json.dumps(suite.to_json_dict())
        assert not any(row["child_id"] in text for row in children)
        for expectation in suite.expectations:
            assert expectation.meta["rule"]
            assert expectation.description
    native = {type(e).__name__ for e in gx_suite(rules, small, "child").expectations}
    assert native >= {
        "ExpectColumnValuesToBeInSet",
        "ExpectColumnValuesToBeBetween",
        "ExpectColumnValuesToNotBeNull",
        "ExpectColumnValuesToBeUnique",
        "ExpectColumnValuesToMatchRegex",
        "ExpectColumnToExist",
        "ExpectTableRowCountToBeBetween",
        "ExpectRecordsToFulfilRule",
    }
    severities = {e.meta["rule"]: e.severity for e in gx_suite(rules, small, "child").expectations}
    assert severities["code_list:sex"] == "critical"
    assert severities["met_or_told"] == "warning"


def test_the_gate_shows_no_value_and_calls_nobody(
    small: Framework,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    random = np.random.default_rng(2)
    children = [clean_child(number, random) for number in range(40)]
    for row in children:
        row |= {"country_iso3": "CANARY", "int_lang": "CANARY", "sex": 424242, "child_id": "CANARY"}
    submission = Submission().add(small, "child", children)
    rules = compile_rules(small, manifest(), submission, None)
    tables = extended_tables(record_tables(small, manifest(), submission, None))

    def refuse(*args: object) -> None:
        raise AssertionError("the gate tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    verdicts = run_gate(submission.connection, rules, tables, small)
    assert verdicts["key_unique:child_id"] is False
    assert verdicts["code_list:sex"] is False
    assert verdicts["blank:sex"] is True
    results = validate(submission.connection, rules, tables, small, "BOOLEAN_ONLY")
    shown = json.dumps([result.to_json_dict() for result in results])
    shown += "".join(capfd.readouterr()) + caplog.text
    assert "CANARY" not in shown
    assert "424242" not in shown


def test_a_rule_on_which_great_expectations_fails_is_not_fulfilled(
    small: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    random = np.random.default_rng(2)
    submission = Submission().add(small, "child", [clean_child(number, random) for number in range(5)])
    rule = next(r for r in compile_rules(small, manifest(), submission, None) if r.id == "skip_ignored:met")
    faulty = dataclasses.replace(rule, violation="met = no_such_column")
    tables = extended_tables(record_tables(small, manifest(), submission, None))
    assert run_gate(submission.connection, [faulty], tables, small) == {rule.id: False}
    assert caplog.text == ""
