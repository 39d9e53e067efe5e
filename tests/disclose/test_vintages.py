"""A wave is published again only if nobody can tell from both vintages what few children changed (R13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.disclose.profile import load_profile
from copstats.disclose.vintages import Reason, Verdict, judge, strictest_tiers, without_empty_groups
from copstats.language import translations
from copstats.store.schemas import ATTACKER, CHANGES, DIMENSIONS, INDICATOR_VALUE

PROFILE = load_profile()
LEAST = int(PROFILE.limits.changed_records.value)
T = {tier: int(number) for tier, number in PROFILE.thresholds.minimum_events.tiers.items()}
TOTAL, GIRLS, BOYS = "", "sex=F", "sex=M"
CELLS = (TOTAL, GIRLS, BOYS)
MANY = (2 * LEAST, 2 * LEAST)
"""Answers of changed records, yes and no, that pass in either tier."""
Cells: TypeAlias = Mapping[str, float | None]
ALL: Cells = {TOTAL: 20.0, GIRLS: 30.0, BOYS: 10.0}
LATER: Cells = {TOTAL: 21.0, GIRLS: 31.0, BOYS: 11.0}


def values(cells: Cells, indicator: str = "RCD4") -> pa.Table:
    rows = []
    for cell, value in cells.items():
        dimensions = dict.fromkeys(DIMENSIONS, "_T") | dict(
            part.split("=") for part in cell.split(",") if part
        )
        texts = {field.name: "x" for field in INDICATOR_VALUE if field.type == pa.string()}
        rows.append(texts | dimensions | {"indicator": indicator, "value": value})
    return pa.Table.from_pylist(rows, INDICATOR_VALUE)


def change(cell: str, *without: str, **counts: Any) -> dict[str, Any]:
    """Return a row: ``entered``, ``left``, ``flipped`` are answers, yes and no; flipped: before."""
    entered, left, flipped = (counts.pop(name, (0, 0)) for name in ("entered", "left", "flipped"))
    return {
        "indicator": "RCD4",
        "member": None,
        "cell": cell,
        "without": list(without),
        "entered": sum(entered),
        "left": sum(left),
        "changed": sum(flipped),
        "yes_before": left[0] + flipped[0],
        "no_before": left[1] + flipped[1],
        "yes_after": entered[0] + flipped[1],
        "no_after": entered[1] + flipped[0],
        **counts,
    }


UNTOUCHED = [change(cell) for cell in CELLS]


def verdict(
    rows: list[dict[str, Any]],
    earlier: Cells = ALL,
    candidate: Cells = LATER,
    **options: Any,
) -> Verdict:
    counted = {(row["cell"], *row["without"]) for row in rows if row["member"] is None}
    rows = rows + [change(cell, flipped=MANY) for cell in CELLS if (cell,) not in counted]
    return judge(
        pa.Table.from_pylist(rows, CHANGES),
        values(earlier),
        values(candidate),
        PROFILE,
        **({"tiers": {"RCD4": "A"}} | options),
    )


def found(one: Verdict) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(str(o.reason), o.cell, o.without) for o in one.obstacles}


def test_many_mixed_changes_pass() -> None:
    assert verdict([]).released
    assert verdict([change(GIRLS, entered=MANY)]).released
    assert verdict([change(GIRLS, left=MANY)]).released
    assert verdict([change(GIRLS, flipped=(T["A"], LEAST - T["A"]))]).released


@pytest.mark.parametrize("kind", ["entered", "left", "flipped"])
def test_one_child_fewer_more_or_corrected_holds_the_wave(kind: str) -> None:
    assert found(verdict([change(GIRLS, **{kind: (0, 1)})])) == {("few", GIRLS, ())}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["entered", "left", "flipped"]), st.integers(0, 30), st.integers(0, 30))
def test_a_group_passes_if_and_only_if_none_or_many_mixed_records_changed(
    kind: str, yes: int, no: int
) -> None:
    rows = [change(GIRLS, **{kind: (yes, no)})]
    safe = yes + no == 0 or (yes + no >= LEAST and min(yes, no) >= T["A"])
    assert verdict(rows, ALL, ALL).released == safe


def test_both_sides_of_a_change_must_be_mixed() -> None:
    """Twelve left, mixed, and twelve came who all answered no: the difference tells about those who came."""
    assert found(verdict([change(GIRLS, left=(6, 6), entered=(0, 12))])) == {("one_sided", GIRLS, ())}


def test_tiers_have_their_own_numbers() -> None:
    rows = [change(GIRLS, flipped=(T["A"], T["B"]))]
    assert verdict(rows).released
    for tiers in ({"RCD4": "B"}, {}, {"RCD4": "?"}):
        assert found(verdict(rows, tiers=tiers)) == {("one_sided", GIRLS, ())}
    tables = [
        pa.Table.from_pylist(
            [
                dict.fromkeys((f.name for f in ATTACKER), "x")
                | {"indicator": indicator, "tier": tier, "n": 1, "weight": 1.0, "coded_limit": None}
                for indicator, tier in cells
            ],
            ATTACKER,
        )
        for cells in ([("RCD4", "B"), ("ACC1", "A")], [("RCD4", "A"), ("ACC1", "A"), ("RCT4", "B")])
    ]
    assert strictest_tiers(*tables) == {"RCD4": "B", "ACC1": "A", "RCT4": "B"}


def test_an_empty_group_leaves_a_difference_open() -> None:
    """Few of those whose sex is unknown changed: boys of whom nobody was asked do not hide it."""
    told = values({TOTAL: 20.0, GIRLS: 30.0, BOYS: None})
    known = [{"indicator": "RCD4", "sex": sex, "n": n} for sex, n in (("_T", 90), ("F", 80), ("M", 0))]
    texts = {field.name: "_T" for field in ATTACKER if field.type == pa.string()}
    attacker = pa.Table.from_pylist([texts | row for row in known], ATTACKER)
    assert set(without_empty_groups(told, attacker)["sex"].to_pylist()) == {"_T", "F"}
    some = [*UNTOUCHED, change(TOTAL, GIRLS, BOYS, entered=(1, 1))]
    changes = pa.Table.from_pylist(some, CHANGES)
    tiers = {"RCD4": "A"}
    hidden = judge(changes, told, told, PROFILE, tiers=tiers, withdrawn=0)
    left = without_empty_groups(told, attacker)
    seen = judge(changes, left, left, PROFILE, tiers=tiers, withdrawn=0)
    assert hidden.released and not seen.released


def test_a_difference_counts_where_both_parts_are_published_twice() -> None:
    few = [change(TOTAL, GIRLS, flipped=(1, 1))]
    shown = {TOTAL: 20.0, GIRLS: 30.0, BOYS: None}
    assert found(verdict(few, shown, shown)) == {("few", TOTAL, (GIRLS,))}
    for without_girls in ({TOTAL: 20.0, GIRLS: None, BOYS: None}, {TOTAL: None, GIRLS: 30.0, BOYS: None}):
        assert verdict(few, shown, without_girls).released
        assert verdict(few, without_girls, shown).released
    rest = [change(TOTAL, GIRLS, BOYS, left=(0, 1))]
    assert verdict(rest, shown, shown).released
    both = {**shown, BOYS: 10.0}
    assert found(verdict(rest, both, both)) == {("few", TOTAL, (GIRLS, BOYS))}
    # A category in which nobody was asked has no cell, and takes nothing off.
    del both[BOYS]
    assert found(verdict(rest, both, both)) == {("few", TOTAL, (GIRLS, BOYS))}
    # Of a table that is not published for the indicator nothing follows.
    assert verdict([change(TOTAL, "residence=U", left=(0, 1))], both, both).released


def test_a_cell_that_one_vintage_withholds_needs_no_test() -> None:
    few = [change(GIRLS, flipped=(0, 1))]
    shown, coded = {TOTAL: 20.0, GIRLS: 30.0}, {TOTAL: 20.0, GIRLS: None}
    assert verdict(few, shown, coded).released
    assert verdict(few, coded, shown).released
    assert not verdict(few, shown, shown).released


@pytest.mark.parametrize(
    ("reason", "held"), [("secondary", True), ("unreliable", True), ("n", False), ("low", False)]
)
def test_a_cell_that_is_no_secret_counts_as_shown(reason: str, held: bool) -> None:
    withheld = values({TOTAL: 20.0, GIRLS: None})
    place = INDICATOR_VALUE.get_field_index("reason")
    withheld = withheld.set_column(place, "reason", pa.array([None, reason], pa.string()))
    rows = [change(TOTAL, flipped=MANY), change(GIRLS, flipped=(0, 1))]
    changes = pa.Table.from_pylist(rows, CHANGES)
    found = judge(changes, withheld, withheld, PROFILE, tiers={"RCD4": "A"})
    assert found.released is not held


def test_answers_beyond_a_member_are_a_group() -> None:
    rows = [change(TOTAL, member="ACC1", flipped=(1, 0))]
    assert verdict(rows).released
    changes = pa.Table.from_pylist(
        [*rows, change(TOTAL, flipped=MANY), change(TOTAL, indicator="ACC1")], CHANGES
    )
    both = pa.concat_tables([values({TOTAL: 20.0}), values({TOTAL: 15.0}, "ACC1")])
    (obstacle,) = judge(changes, both, both, PROFILE, tiers={}).obstacles
    assert (obstacle.reason, obstacle.member) == (Reason.FEW, "ACC1")


def test_a_median_is_held_by_the_number_of_records_alone() -> None:
    nothing = dict.fromkeys(("yes_before", "no_before", "yes_after", "no_after"))
    assert verdict([change(GIRLS, flipped=(0, LEAST), **nothing)]).released
    assert found(verdict([change(GIRLS, flipped=(0, 1), **nothing)])) == {("few", GIRLS, ())}


def test_a_withdrawal_alone_changes_nothing_and_hides_in_many_changes() -> None:
    assert verdict(UNTOUCHED, ALL, ALL).released
    assert found(verdict(UNTOUCHED, ALL, ALL, withdrawn=1)) == {("withdrawn", cell, ()) for cell in CELLS}
    assert verdict([], withdrawn=1).released
    assert ("withdrawn", GIRLS, ()) in found(verdict([change(GIRLS)], withdrawn=1))


def test_records_that_nobody_compared_hold_the_wave() -> None:
    shown = values({TOTAL: 20.0})
    (obstacle,) = judge(CHANGES.empty_table(), shown, shown, PROFILE, tiers={}).obstacles
    assert obstacle.reason == Reason.UNKNOWN


def test_figures_that_are_taken_back_may_always_go() -> None:
    few = [change(cell, left=(0, 1)) for cell in CELLS]
    for nothing in ({}, {TOTAL: None, GIRLS: None}):
        assert verdict(few, ALL, nothing, withdrawn=3).released


def test_the_same_records_shown_alike_less_or_more_pass() -> None:
    less = {**ALL, GIRLS: None, BOYS: None}
    for earlier, later in ((ALL, ALL), (ALL, less), (less, ALL)):
        assert verdict(UNTOUCHED, earlier, later).released


def test_the_same_records_shown_in_another_pattern_are_audited_together() -> None:
    """Girls withheld once, boys once: the total of either vintage gives both away."""
    earlier, later = {**ALL, GIRLS: None}, {**ALL, BOYS: None}
    asked = []

    def audit(answer: bool) -> bool:
        asked.append(answer)
        return answer

    assert found(verdict(UNTOUCHED, earlier, later)) == {("pattern", GIRLS, ()), ("pattern", BOYS, ())}
    assert not verdict(UNTOUCHED, earlier, later, jointly_safe=lambda: audit(False)).released
    assert verdict(UNTOUCHED, earlier, later, jointly_safe=lambda: audit(True)).released
    assert not verdict(UNTOUCHED, ALL, {**ALL, GIRLS: 30.4}).released
    assert asked == [False, True]
    few = [change(TOTAL, flipped=(0, 1)), change(GIRLS), change(BOYS)]
    assert not verdict(few, earlier, later, jointly_safe=lambda: audit(True)).released
    assert asked == [False, True]


def test_an_unchanged_cell_shown_for_the_first_time_unfreezes_the_others() -> None:
    """What the old total hides follows from it once an unchanged sibling is shown beside the new one."""
    rows = [change(BOYS)]
    assert found(verdict(rows, {**ALL, BOYS: None}, {**ALL, TOTAL: 21.0})) == {("pattern", BOYS, ())}
    assert found(verdict(rows, {**ALL}, {**ALL, TOTAL: 21.0, BOYS: None})) == {("pattern", BOYS, ())}


def test_the_operator_reads_why_and_no_numbers_of_children() -> None:
    one = verdict([change(GIRLS, flipped=(0, 7)), change(BOYS, flipped=(0, 12))])
    assert one.counts == {"few": 1, "one_sided": 1}
    lines = one.lines(translations("en"))
    assert lines == [
        "groups of which some records changed, but too few: 1 (RCD4)",
        "groups whose changed records answered too much alike: 1 (RCD4)",
    ]
