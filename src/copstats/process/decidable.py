"""Whether a predicate can be decided from the variables that a file holds."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlglot import expressions as exp


def can_be(tree: Any, truth: bool, present: Collection[str]) -> bool:
    """Return whether a predicate can take a truth value where the variables that are absent are unknown.

    ``a = 1 AND b = 1`` can be false without ``b``, but not true; with OR it is the other way round.

    Args:
        tree: parsed predicate, see `copstats.framework.expressions.Predicate`.
        truth: the truth value in question.
        present: variables that the file holds.
    """
    if isinstance(tree, exp.Boolean):
        return bool(tree.this) is truth
    if isinstance(tree, exp.Paren):
        return can_be(tree.this, truth, present)
    if isinstance(tree, exp.Not):
        return can_be(tree.this, not truth, present)
    if isinstance(tree, exp.And | exp.Or):
        both = isinstance(tree, exp.And) is truth
        parts = [can_be(part, truth, present) for part in (tree.this, tree.expression)]
        return all(parts) if both else any(parts)
    return all(column.name in present for column in tree.find_all(exp.Column))
