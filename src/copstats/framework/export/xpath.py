"""Renders a predicate as XPath for ODK forms, with the same three truth values as its SQL.

A blank answer (not yet given, or skipped) and a missing code make a comparison unknown. XPath has no unknown,
so a predicate has two renderings: where it is true, and where it is false; where neither holds it is unknown.
Only operators of XPath 1.0 are used, so any form engine evaluates them alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import expressions as exp

from copstats.framework.expressions import Predicate

_OPERATORS: dict[type[exp.Expression], str] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}
_OPPOSITES = {"=": "!=", "!=": "=", ">": "<=", "<=": ">", "<": ">=", ">=": "<"}
_NEVER_A_MISSING_CODE = {"=", ">", ">="}
"""Comparisons of an answer with a number of zero or more that no negative code and no blank satisfies."""

TRUE, FALSE = "true()", "false()"


@dataclass(frozen=True)
class XPath:
    """How predicates are written in one form.

    Attributes:
        reference: variable -> XPath of its answer.
        universes: variable -> parsed universe; a variable that a valid answer skipped compares as false.
        age_floor: XPath of the national age floor of sensitive items, which counts beside the framework's.
    """

    reference: Callable[[str], str]
    universes: Mapping[str, Predicate]
    age_floor: str | None = None

    def where_true(self, predicate: Predicate) -> str:
        """Return XPath that is true where the predicate is TRUE, and false where it is FALSE or unknown."""
        return self._render(predicate.tree, predicate.floor, True)

    def where_false(self, predicate: Predicate) -> str:
        """Return XPath that is true where the predicate is FALSE, and false where it is TRUE or unknown."""
        return self._render(predicate.tree, predicate.floor, False)

    def inside(self, variable: str) -> XPath:
        """Return the same for a constraint of a variable, in which its answer is written as a dot."""
        return replace(self, reference=lambda name: "." if name == variable else self.reference(name))

    def _render(self, node: Any, floor: int | None, wanted: bool) -> str:
        bare = node.unnest()
        if isinstance(bare, exp.Boolean):
            return TRUE if bool(bare.this) == wanted else FALSE
        if isinstance(bare, exp.Not):
            return self._render(bare.this, floor, not wanted)
        if isinstance(bare, exp.And | exp.Or):
            parts = [self._render(part, floor, wanted) for part in bare.flatten()]
            return (all_of if isinstance(bare, exp.And) == wanted else any_of)(*parts)
        return self._comparison(bare, floor, wanted)

    def _comparison(self, node: Any, floor: int | None, wanted: bool) -> str:
        left = self._operand(node.this)
        if isinstance(node, exp.In):
            operator, rights = "=", [self._operand(part) for part in node.expressions]
            compared = [(left, operator, right) for right in rights]
            joined = any_of
        elif isinstance(node, exp.Between):
            compared = [
                (left, ">=", self._operand(node.args["low"])),
                (left, "<=", self._operand(node.args["high"])),
            ]
            joined = all_of
        else:
            compared = [(left, _OPERATORS[type(node)], self._operand(node.expression))]
            if self.age_floor is not None and _is_floor(node, floor):
                compared.append((left, ">=", self.age_floor))
            joined = all_of
        names = [column.name for column in node.find_all(exp.Column)]
        if wanted:
            return self._answered(names, compared, joined(*(" ".join(parts) for parts in compared)))
        negated = [(left, _OPPOSITES[operator], right) for left, operator, right in compared]
        opposite = all_of if joined is any_of else any_of
        denied = self._answered(names, negated, opposite(*(" ".join(parts) for parts in negated)))
        return denied if len(names) > 1 else any_of(denied, self._skipped(names[0]))

    def _operand(self, node: Any) -> str:
        return self.reference(node.name) if isinstance(node, exp.Column) else str(node.this)

    def _answered(self, names: list[str], compared: list[tuple[str, str, str]], text: str) -> str:
        own = {self.reference(name) for name in names}
        safe = len(names) == 1 and all(
            left in own and operator in _NEVER_A_MISSING_CODE for left, operator, _ in compared
        )
        if safe:
            return text
        return all_of(*(f"{self.reference(name)} >= 0" for name in names), text)

    def _skipped(self, name: str) -> str:
        """Where a valid negative answer skipped the variable: of age, and the rest of its universe false."""
        if name not in self.universes:
            return FALSE
        universe = self.universes[name]
        parts = list(universe.tree.flatten()) if isinstance(universe.tree, exp.And) else [universe.tree]
        ages = [part for part in parts if {c.name for c in part.find_all(exp.Column)} == {"age"}]
        others = [part for part in parts if part not in ages and not isinstance(part.unnest(), exp.Boolean)]
        too_young = any_of(*(self._render(part, universe.floor, False) for part in ages))
        denied = any_of(*(self._render(part, universe.floor, False) for part in others))
        return all_of(denied, nots(too_young))


def all_of(*parts: str) -> str:
    """Join conditions that must all hold; constants are folded."""
    return _joined(parts, "and", neutral=TRUE, ends=FALSE)


def any_of(*parts: str) -> str:
    """Join conditions of which one must hold; constants are folded."""
    return _joined(parts, "or", neutral=FALSE, ends=TRUE)


def nots(part: str) -> str:
    """Deny a condition; constants are folded."""
    return {TRUE: FALSE, FALSE: TRUE}.get(part, f"not({part})")


def quoted(text: str) -> str:
    """Write a text without double quotes as an XPath literal."""
    return f"'{text}'" if "'" not in text else f'"{text}"'


def _joined(parts: tuple[str, ...], word: str, *, neutral: str, ends: str) -> str:
    kept = list(dict.fromkeys(part for part in parts if part != neutral))
    if ends in kept:
        return ends
    if len(kept) < 2:  # noqa: PLR2004
        return kept[0] if kept else neutral
    return f" {word} ".join(_bracketed(part, word) for part in kept)


def _bracketed(part: str, word: str) -> str:
    """Put brackets around a part that joins with the other word."""
    other = " or " if word == "and" else " and "
    return f"({part})" if other in _outside_brackets(part) else part


def _outside_brackets(text: str) -> str:
    depth, out = 0, []
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            out.append(sign)
    return "".join(out)


def _is_floor(node: Any, floor: int | None) -> bool:
    return floor is not None and bool(
        node == exp.GTE(this=exp.column("age"), expression=exp.Literal.number(floor))
    )
