"""Which answers make a predicate true: enough of its logic to see that one predicate implies another.

A formula is a list of alternatives; each maps variables to the answers that they must have. What cannot be
put so (a comparison of two variables) is a condition by itself, known by its text.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from sqlglot import expressions as exp

from copstats.framework.definitions import MissingTreatment, Variable
from copstats.framework.expressions import NOT_APPLICABLE, Predicate
from copstats.framework.loader import Framework, ParsedIndicator

Alternative: TypeAlias = Mapping[str, frozenset[float]]
Formula: TypeAlias = tuple[Alternative, ...]

_MOST_ANSWERS = 200
_MOST_ALTERNATIVES = 64
SKIPPED = NOT_APPLICABLE - 0.5
"""Stands for the answer of who was not asked because of a valid negative answer: a comparison is false."""

_COMPARISONS: Mapping[type[exp.Expression], Callable[[float, float], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
}


class TooManyAlternatives(ValueError):
    """A predicate has more alternatives than are worth comparing."""


class Formulas:
    """Formulas of the predicates over the records of one kind."""

    def __init__(self, framework: Framework, kind: str) -> None:
        """Take the variables, code lists and universes of a record kind (``child``, ``parent``, ``dyad``)."""
        self._codelists = framework.codelists
        self._variables = framework.variables(kind)
        self._universes: dict[str, Predicate] = {}
        for record in ("parent", "child"):
            if kind in (record, "dyad"):
                self._universes |= framework.universes_of(record)

    def inside(self, indicator: ParsedIndicator) -> Formula:
        """Return when a record certainly belongs to the denominator, but for a missing answer."""
        parts = (self._read(p.tree, {}, True) for p in (indicator.universe, indicator.denominator))
        return _both(*parts)

    def answered(self, indicator: ParsedIndicator, truth: bool) -> Formula:
        """Return when a record has a valid answer: one that counts, or one that does not."""
        return _both(self.inside(indicator), self.numerator(indicator, truth))

    def numerator(self, indicator: ParsedIndicator, truth: bool) -> Formula:
        """Return when the numerator is true, or false; each member treats missing codes in its own way."""
        if indicator.numerator is not None:
            return self._read(indicator.numerator.tree, indicator.definition.missing, truth)
        members = [self.numerator(member, truth) for member in indicator.members]
        return _any(members) if (indicator.definition.combine == "any") == truth else _both(*members)

    def asked(self, formula: Formula) -> Formula:
        """Return a formula with the universes of its variables: who answered had been asked."""
        return _any(self._asked(alternative, frozenset()) for alternative in formula)

    def answers(self, variable: str) -> frozenset[float] | None:
        """Return the possible answers of a variable, or None where they are too many to list."""
        known = self._variables.get(variable)
        return None if known is None else self._possible(known)

    def _asked(self, alternative: Alternative, done: frozenset[str]) -> Formula:
        found: Formula = (alternative,)
        for name in sorted(alternative.keys() - done):
            if name in self._universes and min(alternative[name]) >= 0:
                universe = self._read(self._universes[name].tree, {}, True)
                found = _both(found, _any(self._asked(a, done | {name}) for a in universe))
        return found

    def _read(self, node: Any, missing: Mapping[int, MissingTreatment], truth: bool) -> Formula:
        if isinstance(node, exp.Paren):
            return self._read(node.this, missing, truth)
        if isinstance(node, exp.Not):
            return self._read(node.this, missing, not truth)
        if isinstance(node, exp.Boolean):
            return ({},) if bool(node.this) == truth else ()
        if isinstance(node, exp.And | exp.Or):
            parts = [self._read(part, missing, truth) for part in (node.this, node.expression)]
            return _both(*parts) if isinstance(node, exp.And) == truth else _any(parts)
        name = _only_column(node)
        answers = self.answers(name) if name is not None else None
        if name is None or answers is None:
            return ({f"{node.sql()} {sorted(missing.items())}": frozenset({float(truth)})},)
        compared = answers | {float(code) for code, how in missing.items() if how == "keep"}
        states = {answer for answer in compared if _holds(node, answer) == truth}
        if not truth:
            states |= {float(code) for code, how in missing.items() if how == "zero"}
            skips = name in self._universes and NOT_APPLICABLE not in missing
            states |= {SKIPPED} if skips else set()
        return ({name: frozenset(states)},) if states else ()

    def _possible(self, variable: Variable) -> frozenset[float] | None:
        if variable.type == "code" and variable.codelist:
            return frozenset(float(code) for code in self._codelists[variable.codelist].codes)
        low, high = variable.minimum, variable.maximum
        if variable.type != "integer" or low is None or high is None or high - low > _MOST_ANSWERS:
            return None
        return frozenset(float(answer) for answer in range(int(low), int(high) + 1))


def implies(first: Formula, second: Formula) -> bool:
    """Return whether the first formula implies the second; False where that is not seen."""
    return all(any(_narrower(a, b) for b in second) for a in first)


def excludes(first: Formula, second: Formula) -> bool:
    """Return whether no record can fulfil both."""
    return not _both(first, second)


def _narrower(first: Alternative, second: Alternative) -> bool:
    return all(name in first and first[name] <= answers for name, answers in second.items())


def _any(formulas: Iterable[Formula]) -> Formula:
    return _bounded([a for formula in formulas for a in formula])


def _both(*formulas: Formula) -> Formula:
    found: list[Alternative] = [{}]
    for formula in formulas:
        met = (_met(a, b) for a in found for b in formula)
        found = [*_bounded([alternative for alternative in met if alternative is not None])]
    return tuple(found)


def _met(first: Alternative, second: Alternative) -> Alternative | None:
    met = {**first}
    for name, answers in second.items():
        met[name] = met.get(name, answers) & answers
        if not met[name]:
            return None
    return met


def _bounded(alternatives: list[Alternative]) -> Formula:
    if len(alternatives) > _MOST_ALTERNATIVES:
        raise TooManyAlternatives
    return tuple(alternatives)


def _only_column(node: Any) -> str | None:
    """Return the variable of a comparison of one variable with numbers."""
    if not isinstance(node, exp.In | exp.Between) and type(node) not in _COMPARISONS:
        return None
    names = [part.name for part in node.iter_expressions() if isinstance(part, exp.Column)]
    return names[0] if len(names) == 1 else None


def _holds(node: Any, answer: float) -> bool:
    if isinstance(node, exp.In):
        return answer in {_number(part, answer) for part in node.expressions}
    if isinstance(node, exp.Between):
        return _number(node.args["low"], answer) <= answer <= _number(node.args["high"], answer)
    return _COMPARISONS[type(node)](_number(node.this, answer), _number(node.expression, answer))


def _number(part: Any, answer: float) -> float:
    return answer if isinstance(part, exp.Column) else float(part.this)
