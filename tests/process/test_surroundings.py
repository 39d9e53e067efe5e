"""Every rule on what lies around a submission has an outcome, and the gate judges it with the others."""

from __future__ import annotations

import numpy as np

from copstats.framework import Framework
from copstats.process.check import check
from copstats.process.compiled import REASONS
from copstats.process.rules import AGGREGATE
from copstats.process.summary import summary_of
from copstats.process.surroundings import Surroundings
from tests.process.material import Submission, clean_child, clean_parent, manifest


def submission(small: Framework, count: int = 60) -> Submission:
    random = np.random.default_rng(3)
    made = Submission().add(small, "child", [clean_child(number, random) for number in range(count)])
    return made.add(small, "parent", [clean_parent(number, random) for number in range(count)])


def test_every_rule_has_an_outcome_where_nothing_is_at_hand(small: Framework) -> None:
    made = submission(small)
    result = check(
        made.connection, made, "X", small, manifest(), None, gate=False, surroundings=Surroundings()
    )
    about = [o for o in result.outcomes if o.rule.rule_class in AGGREGATE]
    assert {o.rule.rule_class for o in about} == set(AGGREGATE)
    assert {o.state for o in about} == {"not_supported"}
    assert all(o.reason in REASONS for o in about)
    assert len({o.rule.id for o in result.outcomes}) == len(result.outcomes)
    assert result.sound


def test_an_empty_file_blocks_what_would_be_compared(small: Framework) -> None:
    made = Submission().add(small, "child", [], columns=list(clean_child(1, np.random.default_rng(1))))
    result = check(
        made.connection, made, "X", small, manifest(), None, gate=False, surroundings=Surroundings()
    )
    about = [o for o in result.outcomes if o.rule.rule_class in AGGREGATE]
    assert {o.rule.rule_class for o in about} == set(AGGREGATE)
    assert {(o.state, o.reason) for o in about} == {("blocked", "no_records")}


def test_the_gate_judges_rules_on_what_lies_around(small: Framework) -> None:
    earlier, now, survey = submission(small, 130), submission(small), manifest()
    before = check(earlier.connection, earlier, "X", small, survey, None, gate=False)
    summary = summary_of(before, earlier.connection, earlier, small, survey, None, content_hash="a")
    around = Surroundings(previous=summary, previous_version=summary)
    result = check(now.connection, now, "X", small, survey, None, surroundings=around)
    assert result.gate is not None
    assert result.gate["round_records:child"] is False
    assert result.gate["round_records:parent"] is False
    assert result.gate["round_sample:psu"] is True
    assert result.disagreements == ()
    assert result.accepted  # warnings and information do not block
