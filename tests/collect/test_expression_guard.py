from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copstats.collect.expression_guard import parse_expression
from copstats.collect.expression_terms import CHOICES, FUNCTIONS
from copstats.errors import SubmissionError
from copstats.store.engine import memory_connection


class Quoted:
    """Columns of a table: a and b are numbers, t and u are texts."""

    def raw(self, name: str) -> str:
        return f'"{name}"'

    def number(self, name: str) -> str:
        return f'TRY_CAST("{name}" AS DOUBLE)'

    def text(self, name: str) -> str:
        return f'CAST("{name}" AS VARCHAR)'


def value(text: str, wanted: str = "number"):
    sql = parse_expression(text, wanted, "here:1").sql(Quoted())
    row = "SELECT 7 AS a, NULL::INTEGER AS b, '12' AS t, 'Ab c' AS u"
    return memory_connection(threads=1).execute(f"SELECT {sql} FROM ({row})").fetchone()[0]


@pytest.mark.parametrize(
    ("text", "wanted", "result"),
    [
        ("a + 1", "number", 8),
        ("a * 2 - 4 / 2", "number", 12),
        ("a % 4", "number", 3),
        ("-a", "number", -7),
        ("(a)", "number", 7),
        ("a = 7", "number", 1),
        ("a <> 7", "number", 0),
        ("NOT (a > 3 AND a <= 7) OR t = 12", "number", 1),
        ("a BETWEEN 1 AND 7", "number", 1),
        ("a NOT IN (1, 2, 3)", "number", 1),
        ("b IS NULL", "number", 1),
        ("b IS NOT NULL", "number", 0),
        ("b = 1", "number", None),
        ("(a = 7) + (t > 3) + (t > 99)", "number", 2),
        ("t + 1", "number", 13),
        ("u + 1", "number", None),
        ("t IN (12)", "number", 1),
        ("t = '12'", "number", 1),
        ("CASE WHEN a > 5 THEN 1 WHEN a > 3 THEN 2 ELSE 0 END", "number", 1),
        ("CASE t WHEN 12 THEN 1 END", "number", 1),
        ("CASE WHEN a = 1 THEN 'x' ELSE u END", "text", "Ab c"),
        ("CASE WHEN a IS NULL THEN -9 WHEN t IN ('12', 'x') THEN 4 END", "number", 4),
        ("coalesce(b, a, 1)", "number", 7),
        ("nullif(a, 7)", "number", None),
        ("greatest(a, t)", "number", 12),
        ("least(a, 3)", "number", 3),
        ("abs(-2.5)", "number", 2.5),
        ("floor(2.7) + ceil(2.1) + round(2.26, 1)", "number", 2 + 3 + 2.3),
        ("length(u)", "number", 4),
        ("lower(u) || '-' || upper(u)", "text", "ab c-AB C"),
        ("a || '-' || t", "text", "7-12"),
        ("trim(' x ')", "text", "x"),
        ("substr(u, 1, 2)", "text", "Ab"),
        ("try_cast(substr(t, 1, 1) AS DOUBLE)", "number", 1),
        ("try_cast(u AS DOUBLE)", "number", None),
        ("try_cast(a AS VARCHAR)", "text", "7"),
        ("a /* a remark */ + 1", "number", 8),
        ("'it''s'", "text", "it's"),
        ("TRUE", "number", 1),
        ("NULL", "number", None),
    ],
)
def test_permitted(text, wanted, result):
    assert value(text, wanted) == pytest.approx(result)


@pytest.mark.parametrize(
    "text",
    [
        "read_csv('/etc/passwd')",
        "read_text('x')",
        "getenv('HOME')",
        "current_setting('temp_directory')",
        "sum(a)",
        "row_number() OVER ()",
        "a OVER ()",
        "(SELECT 1)",
        "EXISTS (SELECT 1)",
        "a IN (SELECT 1)",
        "a = ANY (SELECT 1)",
        "SELECT a FROM x",
        "COPY x TO 'y'",
        "ATTACH 'x'",
        "PRAGMA version",
        "SET memory_limit = '1GB'",
        "1; DROP TABLE child",
        "a) FROM x --",
        "x.a",
        "a::INTEGER",
        "CAST(a AS INTEGER)",
        "try_cast(a AS DECIMAL(3, 2))",
        "try_cast(a AS INTEGER[])",
        "a[1]",
        "{'a': 1}",
        "[1, 2]",
        "$1",
        "?",
        "*",
        "COLUMNS(*)",
        "#1",
        "random()",
        "now()",
        "current_date",
        "repeat('a', 1000000000)",
        "a LIKE '%x'",
        "regexp_matches(u, 'a')",
        "trim(u, 'x')",
        "trim(BOTH 'x' FROM u)",
        "round(a, b)",
        "substr(u, a)",
        "substr(u)",
        "abs()",
        "lower()",
        "nullif(a)",
        "coalesce()",
        "greatest()",
        "a IS TRUE",
        "a BETWEEN SYMMETRIC 1 AND 2",
        "a AND b",
        "1e999",
        "'x' = (a = 1)",
        "coalesce(a = 1, 2)",
        "a = 1 = 2",
        "CASE WHEN a THEN 1 END",
        "if(a = 1, 1, 2)",
        "a ** 2",
        "a // 2",
        "a & 1",
        "a COLLATE nocase",
        "date '2026-01-01'",
        "INTERVAL 1 DAY",
        "x -> x + 1",
        "a AS b",
        "",
        ";",
        "(" * 600 + "a" + ")" * 600,
        "a + " * 1000,
        "'open",
        "a" * 3000,
    ],
)
def test_refused(text):
    with pytest.raises(SubmissionError) as caught:
        parse_expression(text, "number", "crosswalk.yaml:4")
    assert caught.value.code in ("S161", "S162")
    assert caught.value.where == "crosswalk.yaml:4"
    assert caught.value.title


def test_a_condition_is_no_text():
    with pytest.raises(SubmissionError):
        parse_expression("a = 1", "text", "")


def test_columns_are_named_in_order_of_appearance():
    assert parse_expression('"Q 2" + q1 + "Q 2"', "number", "").columns == ("Q 2", "q1")


@given(st.text(max_size=60))
def test_no_text_makes_it_stumble(text):
    """Any text is either refused with an error of ours, or written anew as one SQL expression."""
    try:
        expression = parse_expression(text, "number", "")
    except SubmissionError:
        return
    row = ", ".join(f'1 AS "{name}"' for name in expression.columns if '"' not in name) or "1 AS one"
    if not any('"' in name for name in expression.columns):
        memory_connection(threads=1).execute(f"SELECT TRY({expression.sql(Quoted())}) FROM (SELECT {row})")


_PIECES = ["a", "t", "1", "'x'", "NULL", "(", ")", "+", "=", "CASE", "WHEN", "THEN", "END", "AND", "NOT"]
_PIECES += [
    "IN",
    ",",
    "IS",
    "lower(",
    "abs(",
    "coalesce(",
    "||",
    "BETWEEN",
    "read_csv(",
    "SELECT",
    "FROM",
    ";",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map(" ".join))
def test_what_passes_is_one_scalar_expression(text):
    try:
        sql = parse_expression(text, "number", "").sql(Quoted())
    except SubmissionError:
        return
    row = "SELECT 7 AS a, '12' AS t"
    try:
        found = memory_connection(threads=1).execute(f"SELECT TRY({sql}) FROM ({row})").fetchall()
    except duckdb.BinderException:
        return  # kinds that do not go together; the harmonising step reports it
    assert len(found) == 1 and len(found[0]) == 1


def test_every_function_of_the_guide_is_known(root):
    guide = (root / "docs" / "submission.md").read_text("utf-8")
    listed = guide.partition("<!-- functions -->")[2].partition("<!-- end of functions -->")[0]
    known = {name for name, *_ in FUNCTIONS.values()} | set(CHOICES.values()) | {"try_cast"}
    assert known == {line.partition("`")[2].partition("(")[0] for line in listed.splitlines() if "`" in line}
