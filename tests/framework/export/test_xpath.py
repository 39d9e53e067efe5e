"""Predicates as XPath against the same predicates as SQL: libxml2 and DuckDB find the same truth values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from copstats.framework import load_framework
from copstats.framework.definitions import Code, CodeList, RecordKind, Variable
from copstats.framework.export.xpath import XPath, all_of, any_of, nots, quoted
from copstats.framework.expressions import Predicate, Rendering, parse_predicate, skip_columns
from copstats.store.engine import memory_connection

CODELISTS = {"CL": CodeList(title="t", codes={n: Code(label=str(n)) for n in range(4)})}
CODED = Variable(label="v", type="code", codelist="CL", status="core", privacy="keep")
AGE = Variable(label="Age", type="integer", minimum=0, maximum=24, status="core", privacy="keep")
VARIABLES = {"age": AGE, "a": CODED, "b": CODED, "c": CODED, "d": CODED}
UNIVERSES = {
    "b": parse_predicate("a = 1", VARIABLES, CODELISTS),
    "c": parse_predicate("(b >= 2 OR a = 0) AND age >= 12", VARIABLES, CODELISTS, floor=12),
    "d": parse_predicate("NOT (c = 1) AND age BETWEEN 10 AND 17", VARIABLES, CODELISTS),
}

CODES = st.integers(0, 3)
NAMES = st.sampled_from("abcd")
OPERATORS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
ATOMS = st.one_of(
    st.builds("{} {} {}".format, NAMES, OPERATORS, CODES),
    st.builds("{} {} {}".format, CODES, OPERATORS, NAMES),
    st.builds("{} {} {}".format, NAMES, OPERATORS, NAMES),
    st.builds("age {} {}".format, OPERATORS, st.integers(8, 18)),
    st.builds("{} IN ({}, {})".format, NAMES, CODES, CODES),
    st.builds("{} BETWEEN {} AND {}".format, NAMES, CODES, CODES),
    st.sampled_from(["TRUE", "FALSE"]),
)
PREDICATES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("NOT ({})".format, inner),
        st.builds("({}) AND ({})".format, inner, inner),
        st.builds("({}) OR ({})".format, inner, inner),
    ),
    max_leaves=6,
)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {"age": st.sampled_from([-8, 9, 11, 12, 14, 17, 18])}
        | {name: st.sampled_from([0, 1, 2, 3, -8, -9]) for name in "abcd"}
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with memory_connection(threads=1) as opened:
        yield opened


def truth_in_sql(
    connection: duckdb.DuckDBPyConnection,
    predicate: Predicate,
    records: list[Mapping[str, int]],
    universes: Mapping[str, Predicate],
    age_floor: int | None = None,
) -> list[bool | None]:
    present = list(records[0])
    skips = skip_columns(universes, present, age_floor=age_floor)
    rendering = Rendering(
        present=frozenset(present),
        skipped=frozenset(name.removesuffix("__no") for name in skips),
        age_floor=age_floor,
    )
    table = pa.table({name: [record[name] for record in records] for name in present})
    connection.register("answers", table.append_column("row", pa.array(range(len(records)))))
    added = "".join(f", {sql} AS {name}" for name, sql in skips.items())
    query = f"SELECT {rendering.sql(predicate)} FROM (SELECT *{added} FROM answers) ORDER BY row"
    return [value for (value,) in connection.execute(query).fetchall()]


def truth_in_xpath(
    predicate: Predicate,
    record: Mapping[str, int],
    universes: Mapping[str, Predicate],
    age_floor: int | None = None,
) -> bool | None:
    """As in a form: a question that was not asked is blank."""
    root = etree.Element("data")
    for name, value in record.items():
        etree.SubElement(root, name).text = "" if value in (-7, -1) else str(value)
    xpath = XPath(lambda name: f"/data/{name}", universes, str(age_floor) if age_floor else None)
    is_true = root.xpath(xpath.where_true(predicate))
    is_false = root.xpath(xpath.where_false(predicate))
    assert not (is_true and is_false)
    return True if is_true else False if is_false else None


def skipped(
    connection: duckdb.DuckDBPyConnection,
    records: list[dict[str, int]],
    universes: Mapping[str, Predicate],
    age_floor: int | None = None,
) -> list[dict[str, int]]:
    """Set -7 where a universe is not true, as a form does, in the order of the questions."""
    for name, universe in universes.items():
        asked = truth_in_sql(connection, universe, records, universes, age_floor)
        for record, is_asked in zip(records, asked, strict=True):
            if is_asked is not True:
                record[name] = -7
    return records


@settings(max_examples=80, deadline=None)
@given(text=PREDICATES, records=RECORDS, age_floor=st.sampled_from([None, 12, 14]))
def test_any_predicate_means_the_same_in_both(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    records: list[dict[str, int]],
    age_floor: int | None,
) -> None:
    predicate = parse_predicate(text, VARIABLES, CODELISTS)
    records = skipped(connection, records, UNIVERSES, age_floor)
    expected = truth_in_sql(connection, predicate, records, UNIVERSES, age_floor)
    found = [truth_in_xpath(predicate, record, UNIVERSES, age_floor) for record in records]
    assert found == expected


@pytest.mark.parametrize("record", ["child", "parent"])
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_universes_and_rules_of_the_framework_mean_the_same_in_both(
    connection: duckdb.DuckDBPyConnection, record: RecordKind, data: st.DataObject
) -> None:
    framework = load_framework()
    universes = framework.universes_of(record)
    predicates = [
        *universes.values(),
        *(framework.violations[name] for name, r in framework.rules.rules.items() if r.record == record),
    ]
    read = {name for predicate in predicates for name in predicate.variables}
    names = [name for name in framework.variables(record) if name in read]
    answers = {}
    for name in names:
        variable = framework.variables(record)[name]
        codes = list(framework.codes(variable)) or range(
            int(variable.minimum or 0), 1 + int(variable.maximum or 0)
        )
        answers[name] = st.sampled_from([*codes, -8, -9])
    records = data.draw(st.lists(st.fixed_dictionaries(answers), min_size=5, max_size=5))
    asked = {name: universe for name, universe in universes.items() if name in names}
    records = skipped(connection, records, asked)
    for predicate in predicates:
        expected = truth_in_sql(connection, predicate, records, asked)
        assert [truth_in_xpath(predicate, r, asked) for r in records] == expected, predicate.text


def test_a_national_floor_takes_the_place_of_a_lower_one_and_of_no_other() -> None:
    xpath = XPath(lambda name: f"${{{name}}}", {}, "${floor}")
    floored = parse_predicate("a = 1 AND age >= 12", VARIABLES, CODELISTS, floor=12)
    assert xpath.where_true(floored) == "${a} = 1 and ${age} >= 12 and ${age} >= ${floor}"
    free = parse_predicate("a = 1 AND age >= 12", VARIABLES, CODELISTS)
    assert xpath.where_true(free) == "${a} = 1 and ${age} >= 12"


def test_a_constraint_names_its_own_answer_with_a_dot() -> None:
    xpath = XPath(lambda name: f"${{{name}}}", {})
    predicate = parse_predicate("a > age", VARIABLES, CODELISTS)
    assert xpath.inside("a").where_true(predicate) == ". >= 0 and ${age} >= 0 and . > ${age}"


def test_conditions_join_without_needless_words() -> None:
    assert all_of() == "true()"
    assert any_of() == "false()"
    assert all_of("true()", "x = 1", "x = 1") == "x = 1"
    assert all_of("x = 1", "false()") == "false()"
    assert all_of("x = 1 or y = 1", "z = 1") == "(x = 1 or y = 1) and z = 1"
    assert any_of("not(x = 1 and y = 1)", "z = 1") == "not(x = 1 and y = 1) or z = 1"
    assert nots("true()") == "false()"
    assert quoted("it's") == '"it\'s"'
