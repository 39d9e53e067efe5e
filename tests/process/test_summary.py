"""The summary that may leave the country: what it says, and what nobody can learn from it."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from copstats.errors import UsageError
from copstats.framework import Framework
from copstats.framework.definitions import AgeBand
from copstats.process.check import check
from copstats.process.figures import Part, Shares, counted, shares, tells_of_tier_b
from copstats.process.summary import Summary, read_summary, summary_of
from tests.process.material import Submission, clean_child, clean_parent, manifest, spoil


@pytest.fixture(scope="module")
def banded(small: Framework) -> Framework:
    """The small framework with two age bands."""
    bands = [
        AgeBand(code="Y9T12", minimum=9, maximum=12, standard_weight=0.5),
        AgeBand(code="Y13T17", minimum=13, maximum=17, standard_weight=0.5),
    ]
    ages = msgspec.structs.replace(small.head.ages, bands=bands)
    return dataclasses.replace(small, head=msgspec.structs.replace(small.head, ages=ages))


def children(count: int, seed: int = 1) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    return [clean_child(number, random) for number in range(count)]


def summary(
    framework: Framework,
    rows: list[dict[str, Any]],
    parents: list[dict[str, Any]] | None = None,
    content_hash: str = "abc",
    **how: Any,
) -> Summary:
    made = Submission().add(framework, "child", rows, **how)
    if parents:
        made.add(framework, "parent", parents)
    survey = manifest()
    result = check(made.connection, made, survey.submission_id, framework, survey, None, gate=False)
    return summary_of(result, made.connection, made, framework, survey, None, content_hash=content_hash)


def test_figures_of_a_file_that_was_counted_by_hand(banded: Framework) -> None:
    rows = children(200)
    for number, row in enumerate(rows):
        row |= {"weight": 2.0 if number < 100 else 6.0, "sex": 1 if number < 100 else 2}
        row |= {"age": 10 if number % 2 else 15, "contact": 0, "met": -7, "ask": -7, "told": -7}
        row |= {"net_3m": 0 if number < 40 else 1 if number < 180 else -9}
    child = summary(banded, rows).figures["child"]
    assert child.records == 200
    assert (child.strata, child.psus) == (3, 12)
    assert child.weight_sum == 800
    assert child.weight_ratio == 1.5  # 6 by the median of 4
    assert child.kish_effect == 1.25  # 200 (100 4 + 100 36) / 800^2
    # A quarter of the weight is male; a step of 5 is ten records.
    assert child.sex_by_age == Shares(
        step=5, per_cent={"1 Y9T12": 15, "1 Y13T17": 15, "2 Y9T12": 40, "2 Y13T17": 40}
    )
    online = child.variables["net_3m"]
    assert online.response == Shares(step=5, per_cent={"valid": 90, "refused": 10})
    # No: 40 2 = 80; yes: 60 2 + 80 6 = 600; 180 answers.
    assert online.categories == Shares(step=10, per_cent={"0": 10, "1": 90})


def test_tier_b_and_what_it_filters_show_neither_answers_nor_skips(small: Framework) -> None:
    figures = summary(small, children(900)).figures["child"].variables
    for name in ("met", "ask", "told"):
        assert figures[name].categories is None
        assert set(figures[name].response.per_cent) == {"answered"}
    assert set(figures["contact"].response.per_cent) == {"valid", "skipped"}
    assert figures["contact"].categories is not None
    assert not tells_of_tier_b(small, "child", "contact")
    assert tells_of_tier_b(small, "child", "told")


def test_small_parts_withhold_the_whole(small: Framework) -> None:
    rows = children(300)
    for number, row in enumerate(rows):
        row["net_3m"] = 0 if number < 9 else 1
        row["score"] = -9.0 if number < 9 else 1.0
    figures = summary(small, rows).figures["child"].variables
    assert figures["net_3m"].categories is None
    assert figures["net_3m"].response == Shares(step=5, per_cent={"valid": 100})
    assert figures["score"].response is None
    rows[9]["net_3m"] = 0
    assert summary(small, rows).figures["child"].variables["net_3m"].categories is not None


def parts(counts: list[int]) -> dict[str, Part]:
    return {str(number): Part(count, float(count)) for number, count in enumerate(counts)}


@given(st.lists(st.integers(0, 60) | st.integers(0, 400), min_size=1, max_size=4), st.integers(0, 30))
@example([25, 25], 1)  # 51 records cannot be halved: one child without an answer would follow
@example([99], 2)  # shares of 101 records are told in other steps
@settings(max_examples=300, deadline=None)
def test_no_small_count_follows_from_published_shares(counts: list[int], without: int) -> None:
    """Somebody who knows the method and the number of records tries every number of valid answers.

    Whatever is published, each part may as well be none or ten and more, and so may those without an answer.
    """
    published = shares(parts(counts), without)
    records = sum(counts) + without
    if published is None:
        assert sum(counts) < 50 or any(0 < count < 10 for count in [*counts, without])
        return
    fitting = [base for base in range(50, records + 1) if fits(published, base)]
    assert sum(counts) in fitting
    # That nobody, or ten and more, gave no answer is possible.
    assert {records - base for base in fitting} - set(range(1, 10))
    for name, count in zip(published.per_cent, counts, strict=True):
        possible = set().union(*(numbers(published, name, base) for base in fitting))
        assert count in possible
        assert possible - set(range(1, 10))


def numbers(published: Shares, name: str, base: int) -> set[int]:
    """Numbers of records in a part that round to its share; small ones were never published."""
    half, share = published.step / 2, published.per_cent[name]
    low = math.ceil((share - half) * base / 100 - 1e-9)
    high = math.floor((share + half) * base / 100 + 1e-9)
    return {count for count in range(max(low, 0), min(high, base) + 1) if count == 0 or count >= 10}


def fits(published: Shares, base: int) -> bool:
    if next(step for step in (1, 2, 5, 10, 20) if base * step >= 1000) != published.step:
        return False
    # Ranges of whole numbers (with 0 or not): every sum between the ends occurs, or the ends alone are tried.
    ranges = [numbers(published, name, base) for name in published.per_cent]
    if not all(ranges):
        return False
    choices = [({0} & found, found - {0}) for found in ranges]
    for picked in itertools.product(*([part for part in pair if part] for pair in choices)):
        if sum(map(min, picked)) <= base <= sum(map(max, picked)):
            return True
    return False


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_count_hides_few_and_all_but_few(count: int, more: int) -> None:
    told = counted(count, count + more)
    if isinstance(told, int):
        assert told == count
        assert (told == 0 or told >= 10) and (more == 0 or more >= 10)
    else:
        assert told == ("1-9" if count in range(1, 10) else "all but 1-9")


@given(st.integers(0, 2**31), st.sampled_from([30, 80, 400]), st.floats(0, 0.05))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_summary_of_any_file_holds_no_small_count_and_no_identifier(
    small: Framework, seed: int, count: int, share: float
) -> None:
    random = np.random.default_rng(seed)
    rows = children(count, seed)
    guardians = [clean_parent(number, random) for number in range(count // 2)]
    unread = spoil(small, "child", rows, random, share)
    made = summary(small, rows, guardians, unread=unread)
    plain = made.as_bytes().decode()
    assert read_summary(plain.encode(), "s.json") == made
    for rule_id, rule in made.rules.items():
        structural = rule_id.partition(":")[0] in ("column_missing", "module_thin", "not_asked_declared")
        assert rule.count in ("1-9", "all but 1-9") or rule.count == 0 or rule.count >= 10 or structural
    for identifier in ("K00001", "H00001", "G00001", '"S0"', '"P1"', "2026-02"):
        assert identifier not in plain


def test_the_same_submission_gives_the_same_bytes(small: Framework) -> None:
    rows = children(500)
    one, other = summary(small, rows), summary(small, rows)
    assert one.as_bytes() == other.as_bytes()
    assert one.as_bytes().endswith(b"}\n")
    # The order of the records does not matter for the figures.
    assert summary(small, rows[::-1]).figures == one.figures


def test_rules_on_which_two_checks_differ_are_named(small: Framework) -> None:
    rows = children(60)
    provider = summary(small, rows)
    assert provider.disagreements(summary(small, rows, content_hash="def")) == ()
    rows[3]["sex"] = 7
    for row in rows[:12]:
        row["score"] = 11.0
    receiver = summary(small, rows)
    assert receiver.rules["code_list:sex"].count == "1-9"
    assert receiver.rules["range:score"].count == 12
    assert provider.disagreements(receiver) == ("code_list:sex", "range:score")
    assert receiver.disagreements(provider) == ("code_list:sex", "range:score")
    rows[12]["score"] = 11.0
    assert receiver.disagreements(summary(small, rows)) == ("range:score",)


def test_a_rule_that_no_longer_applies_is_no_difference(small: Framework) -> None:
    rows = children(60)
    for row in rows[:12]:
        row["int_lang"] = "XX"
    provider = summary(small, rows)
    assert provider.rules["pattern:int_lang"].state == "failed"
    sealed = [{name: value for name, value in row.items() if name != "int_lang"} for row in rows]
    differing = provider.disagreements(summary(small, sealed))
    assert "pattern:int_lang" not in differing
    assert differing == ("column_missing:int_lang",)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "U160"), (b"{}", "U160"), (b"\xff", "U160"), (b'{"submission": 1}', "U160")],
)
def test_what_is_no_summary_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(UsageError) as error:
        read_summary(content, "summary.json")
    assert (error.value.code, error.value.where) == (code, "summary.json")


def test_a_summary_of_another_schema_is_refused(small: Framework) -> None:
    later = msgspec.structs.replace(summary(small, children(60)), schema="copstats-summary-2")
    with pytest.raises(UsageError) as error:
        read_summary(later.as_bytes(), "summary.json")
    assert error.value.code == "U161"
