"""Predicates in DuckDB against truth tables written by hand, and against a small evaluator in Python."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.framework import load_framework
from copstats.framework.definitions import Code, CodeList, Variable
from copstats.framework.expressions import (
    ExpressionProblem,
    Predicate,
    Rendering,
    parse_predicate,
    skip_columns,
)
from copstats.store.engine import memory_connection

T, F, U = True, False, None


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with memory_connection(threads=1) as opened:
        yield opened


def evaluate(
    connection: duckdb.DuckDBPyConnection,
    predicate: Predicate,
    rows: Mapping[str, list[Any]],
    *,
    universes: Mapping[str, Predicate] | None = None,
    treatment: Mapping[int, Any] | None = None,
    age_floor: int | None = None,
) -> list[bool | None]:
    """Return the predicate's value for every row, in order."""
    present = frozenset(rows)
    skips = skip_columns(universes or {}, rows, age_floor=age_floor)
    rendering = Rendering(
        present=present,
        skipped=frozenset(name.removesuffix("__no") for name in skips),
        treatment=treatment,
        age_floor=age_floor,
    )
    table = pa.table(
        {name: pa.array(values, pa.int32()) for name, values in rows.items()}
        | {"row": pa.array(range(len(next(iter(rows.values())))))}
    )
    connection.register("answers", table)
    added = "".join(f", {sql} AS {name}" for name, sql in skips.items())
    query = f"SELECT {rendering.sql(predicate)} FROM (SELECT *{added} FROM answers) ORDER BY row"
    return [value for (value,) in connection.execute(query).fetchall()]


# --- the rules of method, on the framework's own definitions ------------------------------------------------

CONTENT = ("rcn_selfharm", "rcn_hate", "rcn_violence", "rcn_sexual")
FOUR_CS = ("net_3m", "age", *CONTENT, "rct_unknown", "rcd_cybervic", "rcm_data", "rcm_scam")

# One line a case: columns, answers, then universe, denominator and numerator as the method asks for.
METHOD: dict[
    str, tuple[str, tuple[str, ...], list[tuple[tuple[int | None, ...], bool | None, bool | None]]]
] = {
    "no contact is a valid no": (
        "RCT2",
        ("net_3m", "rct_unknown", "rct_met"),
        [
            ((1, 1, 1), T, T),
            ((1, 1, 0), T, F),
            ((1, 0, -7), T, F),
            ((1, 0, 1), T, T),  # a survey that asked everybody: the answer stands as given
            ((1, 1, -8), T, U),
            ((1, 1, -9), T, U),
            ((1, 1, -1), T, U),
            ((1, 1, None), T, U),
            ((1, 1, -7), T, U),  # a skip that nothing explains
            ((1, -8, -7), T, U),  # the filter is missing
            ((1, -9, -7), T, U),
            ((1, -1, -7), T, U),
            ((0, -7, -7), F, F),
            ((-8, -7, -7), U, U),
            ((-9, -7, 1), U, T),
            ((None, -7, -7), U, U),
        ],
    ),
    "not a user is a valid no among all children": (
        "RCD4",
        ("net_3m", "rcd_cybervic"),
        [
            ((1, 1), T, T),
            ((1, 0), T, F),
            ((0, -7), T, F),
            ((0, 1), T, T),
            ((0, -9), T, U),
            ((-9, -7), T, U),
            ((1, -7), T, U),
        ],
    ),
    "an age floor is no answer": (
        "RCT4",
        ("net_3m", "age", "rct_gift"),
        [
            ((1, 12, 1), T, T),
            ((1, 17, 0), T, F),
            ((1, 11, -7), F, U),
            ((0, 11, -7), F, U),
            ((0, 14, -7), F, F),
            ((1, 14, -7), T, U),
            ((1, 18, 1), F, T),
            ((0, -8, -7), F, F),
            ((1, -8, -7), U, U),
        ],
    ),
    "any of: true, else missing, else false": (
        "RCN5",
        ("net_3m", "age", *CONTENT),
        [
            ((1, 12, 1, 1, 1, 1), T, F),
            ((1, 12, 2, 2, 2, 2), T, F),
            ((1, 12, 1, 1, 1, 3), T, T),
            ((1, 12, 5, -8, -9, -1), T, T),
            ((1, 12, 1, -8, 1, 1), T, U),
            ((1, 12, 1, 1, None, 1), T, U),
            ((1, 8, 1, 1, 1, -7), T, U),
            ((0, 12, -7, -7, -7, -7), F, F),
        ],
    ),
    "told nobody is a valid no": (
        "HLP2",
        ("net_3m", "hrm_upset", "hlp_told", "hlp_helpline", "hlp_police"),
        [
            ((1, 2, 1, 1, 0), T, T),
            ((1, 2, 1, 0, 0), T, F),
            ((1, 2, 1, 0, -9), T, U),
            ((1, 2, 1, 1, -9), T, T),
            ((1, 5, 0, -7, -7), T, F),
            ((1, 5, -9, -7, -7), T, U),
            ((1, 1, -7, -7, -7), F, F),
            ((1, -8, -7, -7, -7), U, U),
            ((0, -7, -7, -7, -7), F, F),
        ],
    ),
    "not knowing is an answer": (
        "HLP5",
        ("hlp_know_line",),
        [((1,), T, T), ((0,), T, F), ((-8,), T, F), ((-9,), T, U), ((-1,), T, U), ((None,), T, U)],
    ),
    "the base of children at school": (
        "MED4",
        ("in_school", "med_school"),
        [((1, 1), T, T), ((1, 0), T, F), ((0, -7), F, F), ((-9, -7), U, U), ((1, -8), T, U), ((0, 1), F, T)],
    ),
    "a parent who does not know has answered": (
        "MED5",
        ("net_3m", "hrm_upset", "p_aware_upset"),
        [
            ((1, 3, 0), T, T),
            ((1, 3, 1), T, F),
            ((1, 3, -8), T, F),
            ((1, 3, -9), T, U),
            ((1, 3, -7), T, U),
            ((1, 1, 0), F, T),
            ((1, -8, 0), U, T),
        ],
    ),
    "all of: false, else missing, else true": (
        "SKL5",
        ("net_3m", "skl_privacy", "skl_block", "skl_report", "skl_verify"),
        [
            ((1, 1, 1, 1, 1), T, T),
            ((1, 1, 1, 1, 0), T, F),
            ((1, 0, -8, -9, -1), T, F),
            ((1, 1, 1, 1, -8), T, U),
            ((0, -7, -7, -7, -7), F, F),
        ],
    ),
    "one of the four Cs": (
        "RSK1",
        FOUR_CS,
        [
            ((1, 12, 1, 1, 1, 1, 0, 0, 0, 0), T, F),
            ((1, 12, 1, 1, 1, 1, 0, 0, 0, 1), T, T),
            ((1, 12, 3, -8, -8, -8, -8, -8, -8, -8), T, T),
            ((1, 12, 1, 1, 1, -9, 0, 0, 0, 0), T, U),
            ((1, 12, 1, 1, 1, 1, 0, -9, 0, 0), T, U),
        ],
    ),
}


@pytest.mark.parametrize("case", METHOD.values(), ids=METHOD.keys())
def test_missing_codes_enter_an_indicator_as_the_method_says(
    connection: duckdb.DuckDBPyConnection, case: Any
) -> None:
    code, columns, table = case
    framework = load_framework()
    indicator = framework.indicators[code]
    rows = {name: [answers[i] for answers, _, _ in table] for i, name in enumerate(columns)}
    universes = framework.universes_of("child")

    def values(predicate: Predicate, treatment: Mapping[int, Any] | None = None) -> list[bool | None]:
        return evaluate(connection, predicate, rows, universes=universes, treatment=treatment)

    base = [
        kleene_and(u, d)
        for u, d in zip(values(indicator.universe), values(indicator.denominator), strict=True)
    ]
    if indicator.numerator is not None:
        counted = values(indicator.numerator, indicator.definition.missing)
    else:
        parts = [values(member.numerator) for member in indicator.members if member.numerator is not None]
        fold = kleene_or if indicator.definition.combine == "any" else kleene_and
        counted = [fold(*row) for row in zip(*parts, strict=True)]
    for (answers, in_base, numerator), was_base, was_counted in zip(table, base, counted, strict=True):
        assert (was_base, was_counted) == (in_base, numerator), answers


def test_a_national_age_floor_makes_younger_children_missing(connection: duckdb.DuckDBPyConnection) -> None:
    framework = load_framework()
    rows = {"net_3m": [0, 0, 1, 1], "age": [13, 14, 13, 14], "rct_gift": [-7, -7, -7, 1]}
    gift = framework.indicators["RCT4"].numerator
    assert gift is not None
    universes = framework.universes_of("child")
    assert evaluate(connection, gift, rows, universes=universes) == [F, F, U, T]
    assert evaluate(connection, gift, rows, universes=universes, age_floor=14) == [U, F, U, T]
    asked = universes["rct_gift"]
    assert evaluate(connection, asked, rows, universes=universes, age_floor=14) == [F, F, F, T]
    assert evaluate(connection, asked, rows, universes=universes, age_floor=10) == [F, F, T, T]


def test_a_national_age_floor_leaves_other_items_alone(connection: duckdb.DuckDBPyConnection) -> None:
    framework = load_framework()
    universes = framework.universes_of("child")
    rows = {"net_3m": [1, 0], "age": [10, 10], "rcn_sexual": [2, -7]}
    assert evaluate(connection, universes["rcn_sexual"], rows, universes=universes, age_floor=14) == [T, F]
    seen = framework.indicators["RCN4"].numerator
    assert seen is not None
    assert evaluate(connection, seen, rows, universes=universes, age_floor=14) == [T, F]


def test_a_variable_that_the_file_does_not_hold_is_unknown(connection: duckdb.DuckDBPyConnection) -> None:
    framework = load_framework()
    universe = framework.indicators["RCT1"].universe
    assert evaluate(connection, universe, {"age": [12]}) == [U]
    # Without the filter question a skip cannot be told from a missing answer.
    contact = framework.indicators["RCT1"].numerator
    assert contact is not None
    rows = {"rct_unknown": [1, 0, -7]}
    assert evaluate(connection, contact, rows, universes=framework.universes_of("child")) == [T, F, U]


# --- any predicate against an independent evaluator ---------------------------------------------------------

CODES = CodeList(title="Codes", codes={i: Code(label=str(i)) for i in range(3)})
SOME = Variable(label="Some", type="code", status="core", privacy="keep", codelist="CL")
VARIABLES = {
    **dict.fromkeys("abc", SOME),
    "age": Variable(label="Age", type="integer", status="core", privacy="keep", minimum=5, maximum=24),
    "name": Variable(label="Name", type="string", status="core", privacy="keep"),
}
ANSWERS = (0, 1, 2, -1, -7, -8, None)
AGES = (8, 13, 17, -8)


@dataclass(frozen=True)
class Node:
    """A predicate as the evaluator sees it: built beside its text, never parsed from it."""

    kind: str
    name: str = ""
    numbers: tuple[int, ...] = ()
    parts: tuple[Node, ...] = ()

    def text(self) -> str:
        if self.kind in ("and", "or"):
            return "(" + f" {self.kind.upper()} ".join(part.text() for part in self.parts) + ")"
        if self.kind == "not":
            return f"NOT {self.parts[0].text()}"
        if self.kind == "in":
            return f"{self.name} IN ({', '.join(map(str, self.numbers))})"
        if self.kind == "between":
            return f"{self.name} BETWEEN {self.numbers[0]} AND {self.numbers[1]}"
        if self.kind in ("TRUE", "FALSE"):
            return self.kind
        return f"{self.name} {self.kind} {self.numbers[0]}"


COMPARE = {
    "=": lambda x, n: x == n[0],
    "<>": lambda x, n: x != n[0],
    ">": lambda x, n: x > n[0],
    ">=": lambda x, n: x >= n[0],
    "<": lambda x, n: x < n[0],
    "<=": lambda x, n: x <= n[0],
    "in": lambda x, n: x in n,
    "between": lambda x, n: n[0] <= x <= n[1],
}


def kleene_and(*parts: bool | None) -> bool | None:
    return F if F in parts else U if U in parts else T


def kleene_or(*parts: bool | None) -> bool | None:
    return T if T in parts else U if U in parts else F


def kleene_not(part: bool | None) -> bool | None:
    return None if part is None else not part


KLEENE = {"and": kleene_and, "or": kleene_or, "not": kleene_not}


def truth(
    node: Node, row: Mapping[str, int | None], universes: Mapping[str, Universe], treatment: Mapping[int, str]
) -> bool | None:
    """Evaluate a predicate as the rules of method are worded, one record at a time."""
    if node.kind in ("TRUE", "FALSE"):
        return node.kind == "TRUE"
    if node.kind in KLEENE:
        return KLEENE[node.kind](*(truth(part, row, universes, treatment) for part in node.parts))
    answer = row[node.name]
    if answer is None:
        return None
    if answer >= 0:
        return bool(COMPARE[node.kind](answer, node.numbers))
    if answer in treatment:
        how = treatment[answer]
        return {"drop": None, "zero": False}.get(how, COMPARE[node.kind](answer, node.numbers))
    return False if answer == -7 and skipped_by_an_answer(node.name, row, universes) else None


@dataclass(frozen=True)
class Universe:
    floor: int | None
    rest: Node

    def text(self) -> str:
        return self.rest.text() + (f" AND age >= {self.floor}" if self.floor else "")


def skipped_by_an_answer(name: str, row: Mapping[str, int | None], universes: Mapping[str, Universe]) -> bool:
    """Whether a valid negative answer, and no age floor, explains the -7."""
    universe = universes.get(name)
    if universe is None:
        return False
    age = row["age"]
    too_young = universe.floor is not None and age is not None and 0 <= age < universe.floor
    return not too_young and truth(universe.rest, row, universes, {}) is False


def nodes(names: str) -> st.SearchStrategy[Node]:
    name, number = st.sampled_from(names), st.integers(0, 2)
    atoms = st.one_of(
        st.builds(Node, st.sampled_from(["=", "<>", ">", ">=", "<", "<="]), name, st.tuples(number)),
        st.builds(Node, st.just("in"), name, st.lists(number, min_size=1, max_size=3).map(tuple)),
        st.builds(Node, st.just("between"), name, st.tuples(number, number)),
        st.sampled_from([Node("TRUE"), Node("FALSE")]),
    )
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds(
                lambda kind, parts: Node(kind, parts=tuple(parts)),
                st.sampled_from(["and", "or"]),
                st.lists(inner, min_size=2, max_size=3),
            ),
            inner.map(lambda part: Node("not", parts=(part,))),
        ),
        max_leaves=5,
    )


def filters(names: str) -> st.SearchStrategy[Universe]:
    answers = nodes(names).filter(lambda node: any(name in node.text() for name in names))
    return st.builds(Universe, st.sampled_from([None, 12]), answers)


ROWS = list(itertools.product(ANSWERS, ANSWERS, ANSWERS, AGES))
COLUMNS = {name: [row[i] for row in ROWS] for i, name in enumerate(("a", "b", "c", "age"))}


def parsed(text: str, floor: int | None = None) -> Predicate:
    return parse_predicate(text, VARIABLES, {"CL": CODES}, floor=floor)


@settings(max_examples=40, deadline=None)
@given(
    node=nodes("abc"),
    filter_b=filters("a"),
    filter_c=filters("ab"),
    treatment=st.dictionaries(st.sampled_from([-1, -7, -8]), st.sampled_from(["drop", "zero", "keep"])),
)
def test_any_predicate_agrees_with_the_evaluator(
    connection: duckdb.DuckDBPyConnection,
    node: Node,
    filter_b: Universe,
    filter_c: Universe,
    treatment: dict[int, Any],
) -> None:
    universes = {"c": filter_c, "b": filter_b}
    got = evaluate(
        connection,
        parsed(node.text()),
        COLUMNS,
        universes={name: parsed(universe.text(), universe.floor) for name, universe in universes.items()},
        treatment=treatment,
    )
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
    expected = [truth(node, row, universes, treatment) for row in rows]
    assert got == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a = 1 OR b = 1 AND c = 1", T),  # AND binds before OR
        ("(a = 1 OR b = 1) AND c = 1", F),
        ("NOT a = 1 OR b = 1", F),
        ("NOT (a = 0 OR b = 1)", T),
        ("a NOT IN (0, 2)", T),
        ("age NOT BETWEEN 9 AND 11", T),
        ("age > a", T),
        ("1 = a", T),
        ("true", T),
    ],
)
def test_precedence_and_spelling_are_those_of_sql(
    connection: duckdb.DuckDBPyConnection, text: str, value: bool
) -> None:
    assert evaluate(connection, parsed(text), {"a": [1], "b": [0], "c": [0], "age": [14]}) == [value]


def test_two_variables_compare_only_if_both_are_answered(connection: duckdb.DuckDBPyConnection) -> None:
    rows = {"a": [1, 1, -8, -9, None], "age": [14, -8, 14, -9, 14]}
    assert evaluate(connection, parsed("age > a"), rows) == [T, U, U, U, U]


def test_a_mixed_condition_on_age_is_an_answer_like_any_other(connection: duckdb.DuckDBPyConnection) -> None:
    universes = {"b": parsed("a = 1 OR age >= 16")}
    rows = {"a": [0, 0, 1], "age": [12, 16, 12], "b": [-7, -7, -7]}
    assert evaluate(connection, parsed("b = 1"), rows, universes=universes) == [F, U, U]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "D005"),
        ("a =", "D005"),
        ("a = 1; b = 1", "D005"),
        ("d = 1", "D006"),
        ("A = 1", "D006"),
        ("a = 3", "D007"),
        ("age > 99", "D007"),
        ("a", "D012"),
        ("1 = 1", "D012"),
        ("a = '1'", "D012"),
        ("a = -8", "D012"),
        ("a + 1 = 2", "D012"),
        ("name = 1", "D012"),
        ("t.a = 1", "D012"),
        ("a IS NULL", "D012"),
        ("a = NULL", "D012"),
        ("a IN (SELECT 1)", "D012"),
        ("EXISTS (SELECT 1)", "D012"),
        ("read_csv('x') = 1", "D012"),
        ("a = 1 AS b", "D012"),
        ("SELECT 1", "D012"),
        ("a = 1 AND b", "D012"),
    ],
)
def test_what_is_no_predicate_is_refused(text: str, code: str) -> None:
    with pytest.raises(ExpressionProblem) as caught:
        parsed(text)
    assert caught.value.code == code


TOKENS = [*"ab,()=*;", ">=", "<>", "::", "--", "age", "1", "0", "-7", "'", '"', "AND", "OR", "NOT", "IN"]
TOKENS += ["BETWEEN", "NULL", "CASE", "WHEN", "THEN", "END", "SELECT"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=12).map(" ".join) | st.text(max_size=20))
def test_any_text_is_a_predicate_or_a_problem(text: str) -> None:
    try:
        predicate = parsed(text)
    except ExpressionProblem:
        return
    assert predicate.variables <= VARIABLES.keys()
    assert Rendering(present=frozenset(VARIABLES)).sql(predicate)
