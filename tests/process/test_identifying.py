"""What becomes of columns that may identify a person: the crosswalk decides, not the column alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from copstats.framework import Framework
from copstats.process.check import check
from copstats.process.identifying import IDENTIFYING, identifying
from copstats.process.records import record_tables
from copstats.process.rules import compile_rules
from tests.process.material import Record, Submission, crosswalk, manifest, small_framework


@dataclass(frozen=True)
class Found:
    column: str
    kinds: tuple[str, ...]
    evidence: tuple[str, ...] = ("values",)
    share: float = 1.0


@dataclass(frozen=True)
class Left:
    kind: str
    place: str
    count: int


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Framework:
    return small_framework(tmp_path_factory.mktemp("framework"))


def consequence(small: Framework, suspect: Found, variable: str = "", **mapping: object) -> list[str]:
    """Return the rule classes that a suspect breaks, where a column feeds a variable."""
    feeds = {variable: suspect.column} if variable else {}
    held = Record(rows=9, variables=tuple(feeds), source_columns=feeds, suspects=(suspect,))
    cross = crosswalk(**({variable: {"source": suspect.column, **mapping}} if mapping else {}))
    table = record_tables(small, manifest(), Submission(records={"child": held}), cross)["child"]
    return [rule_class for rule_class, places in identifying(table).items() if places]


@pytest.mark.parametrize(
    ("suspect", "variable", "mapping", "expected"),
    [
        (Found("x", ("person_name",)), "", {}, "identifier_dropped"),
        (Found("x", ("person_name",)), "country_iso3", {}, "identifier_taken_over"),
        (Found("x", ("person_name",)), "country_iso3", {"copy": True}, "identifier_taken_over"),
        (Found("x", ("person_name",)), "country_iso3", {"sql": "upper(x)"}, "identifier_taken_over"),
        (Found("x", ("person_name",)), "country_iso3", {"map": {"a": "KEN"}}, "identifier_dropped"),
        (Found("x", ("date_of_birth",)), "age", {"sql": "2026 - x"}, "identifier_dropped"),
        (Found("x", ("date_of_birth",)), "age", {}, "identifier_taken_over"),
        (Found("x", ("exact_time",)), "int_ym", {}, "identifier_dropped"),
        (Found("x", ("free_text",)), "int_lang", {}, "identifier_dropped"),
        (Found("x", ("phone",), ("name",)), "sex", {}, "identifier_dropped"),
        (Found("x", ("person_name",)), "child_id", {}, "identifier_as_key"),
        (Found("x", ("phone",), ("label", "values")), "child_id", {}, "identifier_as_key"),
        (Found("x", ("phone",)), "child_id", {}, None),
        (Found("x", ("long_number",)), "hh_id", {}, None),
        (Found("x", ("near_unique",)), "country_iso3", {}, None),
        (Found("x", ("long_number",)), "weight", {}, None),
        (Found("x", ("phone",), ("name",)), "weight", {}, "identifier_taken_over"),
        (Found("x", ("coordinate",)), "repw_001", {}, None),
    ],
)
def test_the_consequence_depends_on_what_leaves(
    small: Framework, suspect: Found, variable: str, mapping: dict[str, object], expected: str | None
) -> None:
    assert consequence(small, suspect, variable, **mapping) == ([expected] if expected else [])


def test_lists_of_answers_that_nobody_chose_are_no_trace(small: Framework) -> None:
    traces = (
        Left("unused_value_label", "sex", 3),
        Left("unused_value_label", "sch", 60),
        Left("author", "", 1),
    )
    held = Record(rows=9, variables=(), source_columns={}, traces=traces)
    table = record_tables(small, manifest(), Submission(records={"child": held}), None)["child"]
    assert set(identifying(table)["identifier_trace"]) == {"sch", "child.csv"}


def test_an_error_blocks_and_speaks_of_the_kind(small: Framework) -> None:
    made = Submission().add(
        small,
        "child",
        [{"child_id": "1", "stratum": "1", "psu": "1", "weight": 1.0, "country_iso3": "KEN"}] * 2,
    )
    record = made.records["child"]
    suspect = Found(record.source_columns["country_iso3"], ("email", "phone"))
    made.records["child"] = replace(record, suspects=(suspect,))
    result = check(made.connection, made, "X", small, manifest(), None, gate=False)
    told = {message.outcome.rule.rule_class: message for message in result.messages()}
    assert "e-mail addresses" in told["identifier_taken_over"].what
    assert "the form of its cells" in told["identifier_taken_over"].what
    assert told["identifier_taken_over"].outcome.rule.severity == "error"
    assert not result.sound


def test_names_of_a_file_without_a_header_are_not_shown(small: Framework) -> None:
    held = Record(rows=9, variables=(), source_columns={}, suspects=(Found("Achieng", ("person_name",)),))
    made = Submission(records={"child": held})
    rules = [rule for rule in compile_rules(small, manifest(), made, None) if rule.rule_class in IDENTIFYING]
    assert {rule.state for rule in rules} == {"blocked"}
    assert all(not rule.places for rule in rules)
