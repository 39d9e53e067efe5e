from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.analyse.indicators import measure, records_of
from copstats.disclose.relations import Relations, relations_of
from copstats.disclose.relations.formulas import Formulas, excludes, implies
from copstats.framework import load_framework
from copstats.framework.expressions import Rendering, parse_predicate, skip_columns
from copstats.framework.loader import Framework, ParsedIndicator
from copstats.framework.manifest import SurveyManifest
from copstats.store.engine import memory_connection
from tests.disseminate.conftest import manifest

FRAMEWORK = load_framework()
MANIFEST: SurveyManifest = manifest("XAA", 2026)
CHILD = {
    code: one
    for code, one in FRAMEWORK.indicators.items()
    if (one.definition.record, one.definition.statistic) == ("child", "proportion")
}


def framework_with(*changed: ParsedIndicator) -> Framework:
    return replace(FRAMEWORK, indicators={**FRAMEWORK.indicators, **{c.definition.code: c for c in changed}})


def indicator(code: str, numerator: str, like: str = "RCN1", **changed: Any) -> ParsedIndicator:
    """An indicator of the framework's own kind with another numerator."""
    base = FRAMEWORK.indicators[like]
    variables = FRAMEWORK.variables("child")

    def parsed(text: str) -> Any:
        return parse_predicate(text, variables, FRAMEWORK.codelists)

    definition = msgspec.structs.replace(base.definition, code=code, numerator=numerator, **changed)
    return replace(
        base,
        definition=definition,
        universe=parsed(definition.universe),
        denominator=parsed(definition.denominator),
        numerator=parsed(numerator),
        members=(),
    )


CATEGORIES = (
    indicator("XCA1", "rcn_hate = 1"),
    indicator("XCA2", "rcn_hate IN (2, 3)"),
    indicator("XCA3", "rcn_hate > 3"),
    indicator("XCA4", "NOT rcn_hate >= 3"),
    indicator("XCA5", "rcn_hate >= 3 AND rcn_violence >= 3"),
)


def sums(
    framework: Framework, codes: list[str], seed: int, rows: int = 60
) -> Mapping[str, tuple[float, float]]:
    """Draw records asked as the filters say; return indicator -> (weight of yes, of valid answers)."""
    random = np.random.default_rng(seed)
    indicators = [framework.indicators[code] for code in codes]
    universes = framework.universes_of("child")
    names = {name for one in indicators for name in one.variables}
    while more := {n for name in names & universes.keys() for n in universes[name].variables} - names:
        names |= more
    variables = framework.variables("child")
    with memory_connection(threads=1) as connection:
        columns: dict[str, Any] = {"weight": random.lognormal(0, 0.6, rows)}
        for name in sorted(names):
            codes_of = sorted(framework.codes(variables[name])) or list(range(9, 18))
            missing = [] if name == "age" else [-8, -9]
            columns[name] = random.choice([*codes_of, *missing], rows, replace=True)
        connection.register("drawn", pa.table(columns))
        connection.execute("CREATE TABLE child AS SELECT * FROM drawn")
        done: set[str] = set()
        while waiting := [n for n in sorted(names & universes.keys()) if n not in done]:
            for name in waiting:
                if universes[name].variables & set(waiting) - {name}:
                    continue
                asked = Rendering(frozenset(names)).sql(universes[name])
                connection.execute(f"UPDATE child SET {name} = -7 WHERE NOT coalesce({asked}, FALSE)")
                done.add(name)
        records = records_of(framework, "child", frozenset(names), MANIFEST, indicators)
        skips = skip_columns({n: u for n, u in universes.items() if n in names}, names)
        more_columns = "".join(f", {sql} AS {name}" for name, sql in skips.items())
        parts = []
        for one in indicators:
            value = f"({measure(one, records).value})"
            parts.append(f"coalesce(sum(weight) FILTER (WHERE {value}), 0)")
            parts.append(f"coalesce(sum(weight) FILTER (WHERE {value} IS NOT NULL), 0)")
        query = f"SELECT {', '.join(parts)} FROM (SELECT *{more_columns} FROM child)"
        found = connection.sql(query).fetchall()[0]
    return {code: (found[2 * i], found[2 * i + 1]) for i, code in enumerate(codes)}


def broken(relations: Relations, of: Mapping[str, tuple[float, float]]) -> list[Any]:
    return [
        relation
        for relation in relations.bounds
        if sum(times * of[code][0] for code, times in relation.answers.items())
        > sum(times * of[code][1] for code, times in relation.weights.items()) + 1e-9
    ]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_relation_holds_in_invented_records(seed: int) -> None:
    framework = framework_with(*CATEGORIES)
    codes = sorted([*CHILD, *(c.definition.code for c in CATEGORIES)])
    relations = relations_of(framework, codes, "child")
    of = sums(framework, codes, seed)
    assert len(relations.bounds) > 40
    assert broken(relations, of) == []
    for condition, dependent in relations.conditional:
        assert of[dependent][1] <= of[condition][0] + 1e-9


def test_a_false_relation_would_be_seen() -> None:
    """The check above can fail: turned round, a strict inequality is broken by some records."""
    of = sums(FRAMEWORK, ["RCN5", "RSK1"], 1)
    (true,) = (r for r in relations_of(FRAMEWORK, ["RCN5", "RSK1"], "child").bounds if not r.weights)
    turned = replace(true, answers={code: -times for code, times in true.answers.items()})
    assert not broken(Relations([true]), of) and broken(Relations([turned]), of)


def terms(relations: Relations) -> set[tuple[frozenset[tuple[str, float]], frozenset[tuple[str, float]]]]:
    return {(frozenset(r.answers.items()), frozenset(r.weights.items())) for r in relations.bounds}


def relation(answers: Mapping[str, float], weights: Mapping[str, float] | None = None) -> Any:
    return frozenset(answers.items()), frozenset((weights or {}).items())


def test_relations_of_the_framework() -> None:
    found = relations_of(FRAMEWORK, list(FRAMEWORK.indicators), "child")
    held = terms(found)
    for expected in (
        relation({"RCT4": 1, "RCT7": -1}),
        relation({"RCT7": 1, "RCT4": -1, "RCT5": -1, "RCT6": -1}),
        relation({"RCT4": 1, "RCT7": -1}, {"RCT4": 1, "RCT7": -1}),  # no to any of them is no to each
        relation({"SKL5": 1, "SKL2": -1}),
        relation(
            {"SKL5": -1, "SKL1": 1, "SKL2": 1, "SKL3": 1, "SKL4": 1},
            {"SKL5": -1, "SKL1": 1, "SKL2": 1, "SKL3": 1, "SKL4": 1},
        ),
        relation({"RCN5": 1, "RCN1": -1, "RCN2": -1, "RCN3": -1, "RCN4": -1}),
        relation({"RCD1": 1, "RCD4": -1}),
        relation({"RCD4": 1, "RCD1": -1}),
        relation({"RCD4": 1, "RCD1": -1}, {"RCD4": 1, "RCD1": -1}),
    ):
        assert expected in held, expected
    assert ("HRM1", "HRM2") in found.conditional and ("ACC1", "RCD1") in found.conditional
    # A missing answer makes the denominators differ: no cell of one bounds the other beyond its own weight.
    assert relation({"HRM2": 1, "HRM1": -1}) not in held


def test_categories_of_one_question_add_up() -> None:
    framework = framework_with(*CATEGORIES)
    found = terms(relations_of(framework, [c.definition.code for c in CATEGORIES], "child"))
    three = {"XCA1": 1.0, "XCA2": 1.0, "XCA3": 1.0}
    assert relation(three, {"XCA1": 1.0}) in found
    codes = {float(code) for code in FRAMEWORK.codes(FRAMEWORK.variables("child")["rcn_hate"])}
    exhaustive = relation(dict.fromkeys(three, -1.0), {"XCA1": -1.0}) in found
    assert exhaustive == (codes == {1.0, 2, 3} | {c for c in codes if c > 3})
    assert relation({"XCA1": 1, "XCA4": -1}) in found


def test_one_question_in_two_denominators_leaves_a_group() -> None:
    """Without a filter that explains it, children of the wider denominator alone are a group of their own."""
    wide = indicator("XWI1", "net_home = 1", universe="TRUE")
    narrow = indicator("XNA1", "net_home = 1", universe="own_phone = 1")
    found = relations_of(framework_with(wide, narrow), ["XWI1", "XNA1"], "child")
    assert found.nested == [("XNA1", "XWI1")]
    filtered = relations_of(FRAMEWORK, ["RCD1", "RCD4"], "child")
    assert filtered.nested == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("rcn_hate >= 3", "rcn_hate >= 2", True),
        ("rcn_hate >= 2", "rcn_hate >= 3", False),
        ("rcn_hate = 2", "rcn_hate BETWEEN 1 AND 2", True),
        ("rcn_hate = 2 AND age = 12", "age < 13", True),
        ("rcn_hate = 2 OR age = 12", "age < 13", False),
        ("NOT (rcn_hate < 3 OR age < 12)", "age >= 12", True),
        ("net_3m = 1", "TRUE", True),
        ("TRUE", "net_3m = 1", False),
    ],
)
def test_what_implies_what(first: str, second: str, expected: bool) -> None:
    formulas = Formulas(FRAMEWORK, "child")
    one, other = (
        formulas.numerator(indicator("XXX1", text, universe="TRUE"), True) for text in (first, second)
    )
    assert implies(one, other) == expected


def test_what_excludes_what() -> None:
    formulas = Formulas(FRAMEWORK, "child")
    low, high = (formulas.numerator(indicator("XXX1", t), True) for t in ("rcn_hate < 3", "rcn_hate >= 3"))
    assert excludes(low, high) and not excludes(low, low)
