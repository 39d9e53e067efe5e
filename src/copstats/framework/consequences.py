"""What a change in a definition means for values and for crosswalks.

Major: values before and after must not be compared, or a survey must collect something new. Minor: values
stay comparable, but something is added or a crosswalk has to say it otherwise. Patch: only words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlglot import expressions as exp

from copstats.framework.change import Consequence
from copstats.framework.expressions import Predicate

BREAK = Consequence("major", breaks=True)
BREAK_AND_RECODE = Consequence("major", breaks=True, crosswalk=True)
COLLECT = Consequence("major", crosswalk=True)
RECODE = Consequence("minor", crosswalk=True)
MORE = Consequence("minor")
WORDS = Consequence("patch")

PUBLISHED = (MORE, BREAK)
"""What is published: coming, and going."""
MISSING = (RECODE, BREAK_AND_RECODE)
"""Missing codes: coming, and going."""
BY_PARTS = (MORE, MORE)
"""What only groups or checks other things: coming, and going."""

HEAD = {"title": WORDS, "notice": WORDS, "standard_disaggregations": MORE}

VARIABLE = {
    "label": WORDS,
    "definition": WORDS,
    "source": WORDS,
    "type": BREAK_AND_RECODE,
    "series": BREAK_AND_RECODE,
    "universe": BREAK_AND_RECODE,
    "minimum_age": BREAK_AND_RECODE,
    "recall": BREAK_AND_RECODE,
    "codelist": BREAK_AND_RECODE,
    "skipped_elsewhere": RECODE,
    "minimum": RECODE,
    "maximum": RECODE,
    "pattern": RECODE,
    "role": MORE,
    "privacy": MORE,
    "coarsen": MORE,
    "sensitivity": MORE,
    "tier": MORE,
}
"""Every field of a variable but ``status``, of which :func:`status` decides."""

INDICATOR = {
    "title": WORDS,
    "domain": WORDS,
    "note": WORDS,
    "reference": WORDS,
    "deprecated": WORDS,
    "tier": MORE,
    "disaggregations": MORE,
    "unit": BREAK,
    "statistic": BREAK,
    "record": BREAK,
    "universe": BREAK,
    "denominator": BREAK,
    "numerator": BREAK,
    "members": BREAK,
    "combine": BREAK,
    "missing": BREAK,
    "recall": BREAK,
    "ages": BREAK,
}
"""Every field of an indicator but ``code``."""

RULE = {
    "message": WORDS,
    "level": MORE,
    "severity": MORE,
    "violation": MORE,
    "variable": MORE,
    "record": MORE,
    "minimum": MORE,
    "share": MORE,
    "of_source": MORE,
}
MISSING_CODE = {"label": WORDS, "definition": WORDS}
AGES = {
    "minimum": BREAK,
    "maximum": BREAK,
    "bands": BREAK,
    "accepted_minimum": RECODE,
    "accepted_maximum": RECODE,
}
DIMENSION = {"title": WORDS, "variable": BREAK, "by_band": BREAK}
ADMINISTRATIVE = {"label": WORDS, "source": BREAK, "type": BREAK, "breakdowns": BREAK}
POLICY = {"pillar": WORDS, "item": WORDS, "source": WORDS}
MODULE = {"title": WORDS, "record": BREAK_AND_RECODE, "always": COLLECT}

_STATUS = ("optional", "core", "required")


def status(before: str | None, after: str) -> Consequence:
    """Return what the status of a variable means; ``before`` is None for a variable that is new."""
    if after == "required" and before != "required":
        return COLLECT
    if before is None:
        return MORE if after == "optional" else RECODE
    return RECODE if _STATUS.index(after) > _STATUS.index(before) else MORE


_COMPARED: Mapping[type[Any], Callable[[float, float], bool]] = {
    exp.EQ: lambda code, number: code == number,
    exp.NEQ: lambda code, number: code != number,
    exp.GT: lambda code, number: code > number,
    exp.GTE: lambda code, number: code >= number,
    exp.LT: lambda code, number: code < number,
    exp.LTE: lambda code, number: code <= number,
}


def same_answer(
    before: Predicate,
    after: Predicate,
    names: tuple[str, str],
    codes: Iterable[tuple[int, int]],
) -> bool:
    """Whether a predicate gives the same for each code before as its later form for the code now.

    Args:
        before: predicate of the version before.
        after: the same predicate of the later version.
        names: the variable's name before and now.
        codes: pairs of a code before and a code now.
    """
    one, other = (_comparisons(p, name) for p, name in zip((before, after), names, strict=True))
    if one is None or other is None or len(one) != len(other):
        return False
    pairs = list(codes)
    return all(early(old) == late(new) for early, late in zip(one, other, strict=True) for old, new in pairs)


def _comparisons(predicate: Predicate, name: str) -> list[Callable[[int], bool]] | None:
    """Return the comparisons of a variable with numbers, in order; None where it meets another variable."""
    found: list[Callable[[int], bool]] = []
    for column in predicate.tree.find_all(exp.Column, bfs=False):
        if column.name != name:
            continue
        comparison = _comparison(column)
        if comparison is None:
            return None
        found.append(comparison)
    return found


def _comparison(column: Any) -> Callable[[int], bool] | None:
    node = column.parent
    if column is not node.this:
        return None
    if isinstance(node, exp.In):
        listed = {float(literal.this) for literal in node.expressions if literal.is_number}
        return lambda code: code in listed if len(listed) == len(node.expressions) else False
    if isinstance(node, exp.Between):
        low, high = _number(node.args["low"]), _number(node.args["high"])
        return (lambda code: low <= code <= high) if low is not None and high is not None else None
    number, holds = _number(node.expression), _COMPARED[type(node)]
    return (lambda code: holds(code, number)) if number is not None else None


def _number(node: Any) -> float | None:
    return float(node.this) if isinstance(node, exp.Literal) and node.is_number else None
