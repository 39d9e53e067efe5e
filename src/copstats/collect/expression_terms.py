"""What an expression of a crosswalk may hold, and the kind of value that each part of it has."""

from __future__ import annotations

from typing import Any, Literal

from sqlglot import expressions as exp

Kind = Literal["number", "text", "truth"]
Result = Literal["number", "text"]

COMPARISONS: dict[Any, str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}
ARITHMETIC: dict[Any, str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
FUNCTIONS: dict[Any, tuple[str, tuple[Kind | Literal["count"], ...], Kind]] = {
    exp.Abs: ("abs", ("number",), "number"),
    exp.Floor: ("floor", ("number",), "number"),
    exp.Ceil: ("ceil", ("number",), "number"),
    exp.Round: ("round", ("number", "count"), "number"),
    exp.Lower: ("lower", ("text",), "text"),
    exp.Upper: ("upper", ("text",), "text"),
    exp.Trim: ("trim", ("text",), "text"),
    exp.Substring: ("substr", ("text", "count", "count"), "text"),
    exp.Length: ("length", ("text",), "number"),
}
"""Functions whose arguments have a kind of their own: name, kinds of the arguments, kind of the result.

A ``count`` is a whole number that is written out, such as the 7 of ``substr(day, 1, 7)``.
"""
OPTIONAL = {"round": 1, "substr": 1}
"""How many of a function's last arguments may be left out."""
CHOICES: dict[Any, str] = {
    exp.Coalesce: "coalesce",
    exp.Nullif: "nullif",
    exp.Greatest: "greatest",
    exp.Least: "least",
}
"""Functions that return one of their arguments."""
CASTS: dict[str, Kind] = {"DOUBLE": "number", "VARCHAR": "text"}
_NAMED_BY_PARSER = {"safe", "typed", "ignore_nulls", "_type"}


class Refused(Exception):
    """An expression holds something that is not on the list.

    Attributes:
        construct: what a person would call it.
    """

    def __init__(self, construct: str) -> None:
        self.construct = construct
        super().__init__(construct)


def kind_of(node: Any) -> Kind | None:
    """Return the kind of value of a node, or None for a column and for NULL."""
    kind = type(node)
    if kind is exp.Literal:
        return "text" if node.is_string else "number"
    if kind is exp.Paren:
        return kind_of(node.this)
    if kind is exp.Neg or kind in ARITHMETIC:
        return "number"
    if kind is exp.DPipe:
        return "text"
    if kind in COMPARISONS or kind in (exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Boolean):
        return "truth"
    return FUNCTIONS[kind][2] if kind in FUNCTIONS else _kind_of_choice(node)


def _kind_of_choice(node: Any) -> Kind | None:
    if type(node) is exp.TryCast:
        return CASTS.get(cast_target(node))
    if type(node) in CHOICES:
        return common_kind(arguments_of(node))
    if type(node) is exp.Case:
        results = [arm.args["true"] for arm in node.args["ifs"]]
        return common_kind([*results, node.args.get("default")])
    return None


def common_kind(nodes: list[Any]) -> Kind | None:
    """Return the kind in which values are compared: that of the first which has one."""
    kinds = [kind_of(node) for node in nodes]
    if "truth" in kinds:
        raise Refused("a condition among values")
    return next((kind for kind in kinds if kind is not None), None)


_PARTS: dict[Any, tuple[str, ...]] = {
    exp.Between: ("this", "low", "high"),
    exp.In: ("this", "expressions"),
    exp.Round: ("this", "decimals"),
    exp.Substring: ("this", "start", "length"),
    exp.Coalesce: ("this", "expressions"),
    exp.Greatest: ("this", "expressions"),
    exp.Least: ("this", "expressions"),
    exp.Case: ("this", "ifs", "default"),
    exp.TryCast: ("this", "to"),
    exp.Literal: ("this", "is_string"),
}
"""Parts of a construct that are written; a node with any other part is refused."""


def cast_target(node: Any) -> str:
    """Return the type to which a cast leads; the parser calls VARCHAR TEXT."""
    return str(node.args["to"].sql(dialect="duckdb")).replace("TEXT", "VARCHAR")


def refuse_unknown_parts(node: Any) -> None:
    """Refuse a permitted construct with an extra, such as ``trim(BOTH 'x' FROM t)``."""
    known = {*_PARTS.get(type(node), ("this", "expression")), *_NAMED_BY_PARSER}
    for part, value in node.args.items():
        if part not in known and value:
            raise Refused(f"{name_of(node)} with {part}")


def arguments_of(node: Any) -> list[Any]:
    """Return the arguments of a function or comparison, in order."""
    arguments: list[Any] = []
    for part in _PARTS.get(type(node), ("this", "expression")):
        value = node.args.get(part)
        arguments += value if isinstance(value, list) else [value] if value is not None else []
    return arguments


def name_of(node: Any) -> str:
    """Return what a person would call the construct: the function's name or the keyword."""
    if isinstance(node, exp.Anonymous):
        return str(node.this)
    return str(node.sql_names()[0] if isinstance(node, exp.Func) else node.key).upper()
