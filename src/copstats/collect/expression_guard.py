"""Expressions of a crosswalk are uploaded code: parsed, held against a short list, and written anew.

Nothing of the uploaded text reaches the database. The expression is parsed, and only the constructs that this
module knows are written out again, so whatever is not named here cannot pass.

A column means the same in every file format: in arithmetic, and beside a number, it stands for the number in
the cell; beside a text, and in text functions, for its text.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import sqlglot
from sqlglot import expressions as exp

from copstats.collect.expression_terms import (
    ARITHMETIC,
    CASTS,
    CHOICES,
    COMPARISONS,
    FUNCTIONS,
    OPTIONAL,
    Kind,
    Refused,
    Result,
    arguments_of,
    cast_target,
    common_kind,
    kind_of,
    name_of,
    refuse_unknown_parts,
)
from copstats.errors import SubmissionError

MAX_LENGTH = 2000


class Columns(Protocol):
    """SQL for a national column, by the kind of value that is wanted of it."""

    def raw(self, name: str) -> str:
        """Return the column as it stands in the file."""

    def number(self, name: str) -> str:
        """Return the column as a number."""

    def text(self, name: str) -> str:
        """Return the column as text."""


class _AnyColumn:
    """Accepts every column: used to check an expression before the file is read."""

    def raw(self, name: str) -> str:
        return "NULL"

    number = text = raw


@dataclass(frozen=True)
class Expression:
    """An expression that passed.

    Attributes:
        tree: as parsed; rendered with `sql`.
        columns: national columns that it reads, as written, in order of appearance.
        wanted: kind of the result; a condition gives 1 and 0 where a number is wanted.
    """

    tree: Any
    columns: tuple[str, ...]
    wanted: Result

    def sql(self, columns: Columns) -> str:
        """Return SQL for the expression; ``columns`` gives that of each column."""
        return _Writer(columns).write(self.tree, self.wanted)


def parse_expression(text: str, wanted: Result, where: str) -> Expression:
    """Parse an expression and hold it against the list of what it may contain.

    Args:
        text: SQL over the columns of the national file.
        wanted: kind of the result.
        where: file and line, for the message.

    Raises:
        SubmissionError: it cannot be parsed, or it holds a construct that is not on the list.
    """
    if len(text) > MAX_LENGTH:
        raise SubmissionError("S162", where=where, problem=f"more than {MAX_LENGTH} characters")
    try:
        statements = sqlglot.parse(text, dialect="duckdb")
        if len(statements) != 1 or statements[0] is None:
            raise SubmissionError("S162", where=where, problem="more or less than one expression")
        tree = statements[0]
        _Writer(_AnyColumn()).write(tree, wanted)
        names = (column.name for column in tree.find_all(exp.Column, bfs=False))
        return Expression(tree=tree, columns=tuple(dict.fromkeys(names)), wanted=wanted)
    except Refused as refused:
        raise SubmissionError("S162", where=where, problem=refused.construct) from None
    except (sqlglot.errors.SqlglotError, RecursionError):
        raise SubmissionError("S161", where=where) from None


class _Writer:
    """Writes the permitted constructs as SQL."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    def write(self, node: Any, wanted: Kind | None) -> str:
        """Return SQL of a node; whatever has no branch here is refused."""
        kind = kind_of(node)
        if kind == "truth" and wanted == "number":
            return f"CAST({self._condition(node)} AS INTEGER)"
        if kind == "truth" and wanted != "text":
            return self._condition(node)
        if wanted == "truth" or kind == "truth":
            raise Refused(f"{node.key.upper()} in a place where it has no meaning")
        return self._value(node, wanted)

    def _value(self, node: Any, wanted: Kind | None) -> str:
        refuse_unknown_parts(node)
        branches: dict[Any, Callable[[Any, Kind | None], str]] = {
            exp.Literal: self._literal,
            exp.Null: lambda *_: "NULL",
            exp.Column: self._column,
            exp.Paren: lambda n, w: f"({self.write(n.this, w)})",
            exp.Neg: lambda n, _: f"(- {self.write(n.this, 'number')})",
            exp.Case: self._case,
            exp.DPipe: lambda n, _: f"({self.write(n.this, 'text')} || {self.write(n.expression, 'text')})",
            exp.TryCast: self._try_cast,
        }
        kind = type(node)
        if kind in branches:
            return branches[kind](node, wanted)
        if kind in ARITHMETIC:
            left, right = self.write(node.this, "number"), self.write(node.expression, "number")
            return f"({left} {ARITHMETIC[kind]} {right})"
        if kind in FUNCTIONS:
            return self._function(node)
        if kind in CHOICES:
            arguments = arguments_of(node)
            if len(arguments) < (2 if kind is exp.Nullif else 1):
                raise Refused(f"{name_of(node)} with {len(arguments)} arguments")
            wanted = wanted or common_kind(arguments)
            return f"{CHOICES[kind]}({', '.join(self.write(part, wanted) for part in arguments)})"
        raise Refused(name_of(node))

    def _condition(self, node: Any) -> str:
        refuse_unknown_parts(node)
        kind = type(node)
        if kind is exp.Boolean:
            return "TRUE" if node.this else "FALSE"
        if kind in (exp.Paren, exp.Not):
            return f"({'NOT ' if kind is exp.Not else ''}{self.write(node.this, 'truth')})"
        if kind in (exp.And, exp.Or):
            left, right = self.write(node.this, "truth"), self.write(node.expression, "truth")
            return f"({left} {kind.key.upper()} {right})"
        if kind is exp.Is:
            if not isinstance(node.expression, exp.Null):
                raise Refused("IS with anything but NULL")
            return f"({self.write(node.this, None)} IS NULL)"
        return self._comparison(node)

    def _comparison(self, node: Any) -> str:
        parts = arguments_of(node)
        first, *others = (self.write(part, common_kind(parts)) for part in parts)
        if isinstance(node, exp.Between):
            return f"({first} BETWEEN {others[0]} AND {others[1]})"
        if isinstance(node, exp.In):
            return f"({first} IN ({', '.join(others)}))"
        return f"({first} {COMPARISONS[type(node)]} {others[0]})"

    def _function(self, node: Any) -> str:
        name, kinds, _ = FUNCTIONS[type(node)]
        arguments = arguments_of(node)
        if not len(kinds) - OPTIONAL.get(name, 0) <= len(arguments) <= len(kinds):
            raise Refused(f"{name_of(node)} with {len(arguments)} arguments")
        written = [
            _count(part) if kind == "count" else self.write(part, kind)
            for part, kind in zip(arguments, kinds, strict=False)
        ]
        return f"{name}({', '.join(written)})"

    def _literal(self, node: Any, wanted: Kind | None) -> str:
        quoted = "'" + str(node.this).replace("'", "''") + "'"
        if node.is_string:
            return f"TRY_CAST({quoted} AS DOUBLE)" if wanted == "number" else quoted
        return quoted if wanted == "text" else _number(str(node.this))

    def _column(self, node: Any, wanted: Kind | None) -> str:
        if wanted == "number":
            return self.columns.number(node.name)
        return self.columns.text(node.name) if wanted == "text" else self.columns.raw(node.name)

    def _case(self, node: Any, wanted: Kind | None) -> str:
        wanted = wanted or kind_of(node)
        subject = node.args.get("this")
        words = ["CASE"]
        compared = common_kind([subject, *(arm.this for arm in node.args["ifs"])]) if subject else "truth"
        if subject is not None:
            words.append(self.write(subject, compared))
        for arm in node.args["ifs"]:
            words.append(f"WHEN {self.write(arm.this, compared)} THEN {self.write(arm.args['true'], wanted)}")
        if node.args.get("default") is not None:
            words.append(f"ELSE {self.write(node.args['default'], wanted)}")
        return " ".join([*words, "END"])

    def _try_cast(self, node: Any, wanted: Kind | None) -> str:
        to = cast_target(node)
        if to not in CASTS:
            raise Refused(f"TRY_CAST to {to}")
        if isinstance(node.this, exp.Column):
            return self._column(node.this, CASTS[to])
        return f"TRY_CAST({self.write(node.this, None)} AS {to})"


def _number(digits: str) -> str:
    """Return a DOUBLE: arithmetic of decimals would overflow where a value is merely large."""
    try:
        number = float(digits)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Refused("a number that cannot be read")
    return f"{number!r}::DOUBLE"


def _count(node: Any) -> str:
    if not (isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdecimal()):
        raise Refused("a position or length that is not a whole number")
    return str(int(node.this))
