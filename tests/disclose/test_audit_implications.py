"""What the audit derives from definitions holds of records, whatever their answers and gaps."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from copstats.disclose.audit.implications import Logic, Relation, logic_of
from tests.attack.surveys import FRAMEWORK, survey

Sizes = dict[tuple[str, ...], dict[str, tuple[float, float]]]
DIMENSIONS = ("sex", "age", "residence", "wealth_quintile", "disability", "region")


@cache
def logic() -> Logic:
    return logic_of(FRAMEWORK, FRAMEWORK.indicators.keys())


def sizes(missing: float, seed: int) -> Sizes:
    """Return group -> indicator -> weighted number of yes and weight of the valid answers, unrounded."""
    found: Sizes = {}
    for row in survey(400, missing=missing, seed=seed).estimates().to_pylist():
        if row["state"] == "estimated" and row["unit"] == "PERCENT" and row["n"]:
            group = found.setdefault(tuple(row[d] for d in DIMENSIONS), {})
            group[row["indicator"]] = (row["estimate"] * row["weight"], row["weight"])
    return found


def left(relation: Relation, group: dict[str, tuple[float, float]]) -> float:
    yes = sum(factor * group[code][0] for code, factor in relation.yes.items())
    return yes + sum(factor * group[code][1] for code, factor in relation.base.items())


@pytest.mark.parametrize(("missing", "seed"), [(0.0, 1), (0.08, 2), (0.4, 3)])
def test_relations_hold_in_every_group(missing: float, seed: int) -> None:
    tried = 0
    for group in sizes(missing, seed).values():
        for relation in logic().relations:
            if relation.indicators <= group.keys():
                tried += 1
                assert left(relation, group) <= 1e-6, relation
        for one in logic().filters:
            if {one.source, one.dependent} <= group.keys():
                assert group[one.dependent][1] <= group[one.source][0] + 1e-6, one
                if one.complete and missing == 0:
                    assert group[one.dependent][1] == pytest.approx(group[one.source][0]), one
    assert tried > 300


def pairs(relations: Any) -> set[tuple[tuple[str, float], ...]]:
    return {tuple(sorted(one.yes.items())) for one in relations if not one.base}


def test_what_the_definitions_say_is_found() -> None:
    found = pairs(logic().relations)
    assert (("RCT4", 1), ("RCT7", -1)) in found, "a member implies its composite"
    assert (("RCT4", -1), ("RCT5", -1), ("RCT6", -1), ("RCT7", 1)) in found, "which is no more than their sum"
    assert (("SKL1", -1), ("SKL5", 1)) in found, "all implies each"
    assert (("RCD1", 1), ("RCD4", -1)) in found, "users are among all"
    assert (("RCN1", -1), ("RCN2", -1), ("RCN3", -1), ("RCN4", -1), ("RCN5", 1)) in found, (
        "often implies ever"
    )
    assert not any({"MED5", "HRM1"} <= one.indicators for one in logic().relations), "not of the same records"


def test_only_what_is_published_is_related() -> None:
    some = logic_of(FRAMEWORK, {"RCT4", "RCT7", "ACC1"})
    assert all(one.indicators <= {"RCT4", "RCT7"} for one in some.relations)
    assert {(one.source, one.dependent) for one in some.filters} == {("ACC1", "RCT4")}
