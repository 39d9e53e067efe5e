"""The check as a whole: outcomes, acceptance, findings without values, reports."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from copstats.framework import Framework, load_framework
from copstats.process import check as checking
from copstats.process.check import CheckResult, check
from copstats.process.documentation import rule_tables, with_tables
from copstats.process.findings import FINDINGS, Search
from copstats.process.report import as_json, groups, render_terminal, verdict
from copstats.process.rules import AGGREGATE, compile_rules
from tests.process.material import Submission, clean_child, clean_parent, manifest

ID = "KEN_2026_COPS_v01_M"


def people(count: int = 60) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    random = np.random.default_rng(11)
    children = [clean_child(number, random) for number in range(count)]
    return children, [clean_parent(number, random) for number in range(count)]


def checked(
    small: Framework, children: list[dict[str, Any]], *, gate: bool = False, survey: Any = None, **how: Any
) -> CheckResult:
    made = Submission().add(small, "child", children, **how)
    made.add(small, "parent", people(len(children))[1])
    return check(made.connection, made, ID, small, survey or manifest(), None, gate=gate)


def faulty() -> list[dict[str, Any]]:
    children, _ = people()
    children[0]["sex"] = 424242
    children[1]["int_ym"] = "CANARY-19/ß"
    children[2] |= {"net_3m": 1, "net_age1": 5, "contact": 0, "met": 1, "age": 11, "ask": -7, "told": -7}
    children[3]["sex"] = None
    children[4]["share"] = -1.5
    return children


def test_a_clean_submission_is_accepted_by_both_engines(small: Framework) -> None:
    result = checked(small, people()[0], gate=True)
    assert result.accepted
    assert result.findings.num_rows == 0
    assert result.gate is not None
    assert set(result.gate) == {o.rule.id for o in result.outcomes if o.state == "passed"}
    assert result.states["passed"] > 100
    assert verdict(result) == "Accepted: the submission meets the framework."


def test_a_faulty_submission_is_not(small: Framework) -> None:
    result = checked(small, faulty(), gate=True)
    assert not result.accepted
    assert not result.disagreements
    counts = {o.rule.id: o.count for o in result.outcomes if o.state == "failed"}
    assert counts == {
        "code_list:sex": 1,
        "pattern:int_ym": 1,
        "skip_ignored:met": 1,
        "blank:sex": 1,
        "range:share": 1,
        "met_or_told": 1,
    }
    assert result.severities == {"error": 5, "warning": 1, "information": 0}


def test_without_the_gate_nothing_is_accepted(small: Framework) -> None:
    result = checked(small, people()[0])
    assert result.sound
    assert not result.accepted
    assert "was not run" in verdict(result)


def test_warnings_do_not_stop_a_submission(small: Framework) -> None:
    result = checked(
        small, people()[0], gate=True, not_taken_over=("X",), survey=manifest(not_asked=["share", "score"])
    )
    assert {o.rule.rule_class for o in result.outcomes if o.state == "failed"} == {
        "unknown_column",
        "not_asked_declared",
    }
    assert result.accepted
    assert "look at the warnings" in verdict(result)


def test_where_the_engines_differ_nothing_is_accepted(small: Framework) -> None:
    result = checked(small, people()[0], gate=True)
    assert result.gate is not None
    for verdicts in (
        {**result.gate, "blank:sex": False},
        {k: v for k, v in result.gate.items() if k != "blank:sex"},
    ):
        differing = dataclasses.replace(result, gate=verdicts)
        assert differing.disagreements == ("blank:sex",)
        assert not differing.accepted
        assert "fault of the program" in verdict(differing)


def test_findings_show_the_form_and_never_the_value(small: Framework) -> None:
    result = checked(small, faulty())
    assert result.findings.schema == FINDINGS
    masked = {row["rule"]: row["masked_value"] for row in result.rows()}
    assert masked == {
        "code_list:sex": "999999",
        "pattern:int_ym": "aaaaaa-99/a",
        "skip_ignored:met": None,  # tier B
        "blank:sex": "",
        "range:share": "-9.9",
        "met_or_told": "9",
    }
    shown = json.dumps(result.findings.to_pylist()) + json.dumps(as_json(result)) + text(result, small, 120)
    assert "424242" not in shown
    assert "CANARY" not in shown
    assert next(result.rows())["params"]["column"].startswith("NAT_")


def test_shapes_of_any_text(small: Framework) -> None:
    children, _ = people()
    strange = ["Ünïté ٣ नमस्ते", "a" * 40, "\u202e\x01|;", "日本-1"]
    for row, value in zip(children, strange, strict=False):
        row["int_ym"] = value
    result = checked(small, children)
    masked = [row["masked_value"] for row in result.rows()]
    assert masked == ["aaaaa 9 aaaa", "a" * 12, "??|;", "aa-9"]
    assert all(re.fullmatch(r"[9a -~]{0,12}", value) for value in masked)


def test_a_rule_that_the_engine_refuses_silences_no_other(
    small: Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_fault(*args: Any) -> tuple[Any, ...]:
        rules = compile_rules(*args)
        return tuple(
            dataclasses.replace(rule, violation="no_such_column = 1") if rule.id == "range:age" else rule
            for rule in rules
        )

    monkeypatch.setattr(checking, "compile_rules", with_a_fault)
    result = checked(small, faulty(), gate=True)
    states = {o.rule.id: o.state for o in result.outcomes}
    assert states["range:age"] == "crashed"
    assert states["code_list:sex"] == "failed"
    assert states["blank:age"] == "passed"
    assert not result.sound
    assert "range:age" not in (result.gate or {})
    clean = checked(small, people()[0])
    assert verdict(clean) == "Not yet accepted: some rules could not be checked; see below."


def test_the_findings_are_in_order_and_carry_their_place(small: Framework) -> None:
    children, _ = people()
    for number in (40, 3, 17):
        children[number]["sex"] = 9
    rows = list(checked(small, children).rows())
    assert [row["record_no"] for row in rows] == [4, 18, 41]
    assert {(row["submission_id"], row["file"], row["record"], row["variable"]) for row in rows} == {
        (ID, "child.csv", "child", "sex")
    }


def text(result: CheckResult, framework: Framework, width: int, **how: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(render_terminal(result, framework, **how))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_report_fits_a_screen_and_says_what_to_do(small: Framework, width: int) -> None:
    children = faulty()
    for name in ("score", "share", "net_age1", "contact"):
        for row in children[10:20]:
            row[name] = None
    shown = text(checked(small, children), small, width)
    lines = shown.splitlines()
    assert len(lines) <= 60
    assert all(len(line) <= width for line in lines)
    assert lines[0].startswith(f"{ID} | small-2026")
    words = " ".join(shown.split())
    assert "Not yet accepted. Required rules that are not met: 9." in words
    assert "records 11, 12, 13, 14, 15; and more: 5" in words
    assert "to do Write the value, or a missing code that it takes: -7" in words


def test_like_messages_are_told_once(small: Framework) -> None:
    children, _ = people()
    children[0]["score"] = children[1]["score"] = children[2]["share"] = None
    result = checked(small, children)
    (group,) = groups(result.messages())
    assert [message.outcome.rule.id for message in group.messages] == ["blank:score", "blank:share"]
    shown = " ".join(text(result, small, 100).split())
    assert " ".join(group.first.what.split()) in shown
    assert "also share (1)" in shown


def test_unknown_columns_are_named(small: Framework) -> None:
    result = checked(small, people()[0], not_taken_over=("PHONE", "GPS"))
    (message,) = result.messages()
    assert message.what.startswith("The column PHONE (+1)")
    assert "PHONE, GPS" in text(result, small, 100)


def test_errors_come_first_and_structure_before_content(small: Framework) -> None:
    children = faulty()
    for row in children:
        del row["score"]
    order = [message.outcome.rule for message in checked(small, children, not_taken_over=("X",)).messages()]
    assert order[0].id == "column_missing:score"
    severities = [rule.severity for rule in order]
    assert severities == sorted(severities, key=["error", "warning", "information"].index)


def test_the_json_report_is_complete(small: Framework) -> None:
    result = checked(small, faulty(), gate=True)
    out = json.loads(json.dumps(as_json(result)))
    assert out["accepted"] is False
    assert out["gate"] == "failed"
    assert out["findings_by_severity"]["error"] == 5
    assert len(out["findings"]) == result.findings.num_rows
    assert {m["rule"] for m in out["messages"]} == {f["rule"] for f in out["findings"]}
    assert "findings" not in as_json(result, findings=False)


def test_the_page_on_checks_holds_the_rules_as_defined(root: Any) -> None:
    page = (root / "docs" / "checks.md").read_text("utf-8")
    framework = load_framework()
    assert with_tables(page, framework) == page, "run: python -m copstats.process.documentation"
    for rule in (*framework.rules.classes, *framework.rules.rules):
        assert f"| `{rule}` |" in rule_tables(framework)


def test_the_threshold_is_the_one_that_the_texts_name(root: Any) -> None:
    share = load_framework().rules.classes["item_nonresponse"].share
    said = f"More than {share * 100:g} per cent".lower()
    assert said in load_framework().rules.classes["item_nonresponse"].message.what.lower()
    assert said in (root / "docs" / "checks.md").read_text("utf-8").lower()


def test_every_rule_of_the_framework_compiles_and_runs() -> None:
    """Every predicate of the real framework is SQL that the engine takes."""
    framework = load_framework()
    made = Submission()
    for record in ("child", "parent"):
        variables = framework.variables(record)
        kinds = {"code": 0, "integer": 0, "number": 0.0, "string": "x", "month": "2026-01"}
        row = {name: kinds[variable.type] for name, variable in variables.items() if not variable.series}
        made.add(framework, record, [row, row])
    survey = manifest(framework=framework.id, modules=list(framework.modules))
    rules = compile_rules(framework, survey, made, None)
    result = check(made.connection, made, ID, framework, survey, None, gate=False)
    assert result.states["crashed"] == 0
    neither = {"not_asked_declared", "module_undeclared", *AGGREGATE}
    assert {rule.rule_class for rule in rules} >= set(framework.rules.classes) - neither
    universes = [rule for rule in rules if rule.rule_class == "skip_ignored"]
    assert len(universes) == len(framework.universes)


def test_the_search_without_rules_finds_nothing(small: Framework) -> None:
    made = Submission().add(small, "child", people(3)[0])
    found = Search(made.connection, {}, ID, {"child": "c"}).find([])
    assert found.findings.num_rows == 0
    assert found.findings.schema == FINDINGS
    assert not found.crashed
