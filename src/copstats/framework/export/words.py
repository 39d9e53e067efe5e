"""Definitions in words: terms of the framework, and predicates as a reader would say them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from sqlglot import expressions as exp

from copstats.framework.definitions import Variable
from copstats.framework.export.questionnaire import questionnaire_of
from copstats.framework.expressions import Predicate
from copstats.framework.model import Framework
from copstats.language import N_, Translations

RECORD = {
    "child": N_("Child"),
    "parent": N_("Parent or caregiver"),
    "dyad": N_("Child with parent or caregiver"),
}
TYPE = {
    "code": N_("Code of a code list"),
    "integer": N_("Whole number"),
    "number": N_("Number"),
    "string": N_("Text"),
    "month": N_("Year and month (YYYY-MM)"),
}
STATUS = {
    "required": N_("Required: no survey without it"),
    "core": N_("Core: expected where its module is covered"),
    "optional": N_("Optional"),
}
SENSITIVITY = {
    "none": N_("Not sensitive"),
    "quasi_identifier": N_("Could help to recognise a person"),
    "sensitive": N_("Sensitive"),
    "highly_sensitive": N_("Highly sensitive"),
    "design": N_("Sample design"),
}
PRIVACY = {
    "drop": N_("Dropped at sealing"),
    "pseudonymise": N_("Replaced with a pseudonym at sealing"),
    "coarsen": N_("Made coarser at sealing"),
    "keep": N_("Kept at sealing"),
}
SEVERITY = {
    "error": N_("Error"),
    "warning": N_("Warning"),
    "information": N_("Note"),
}
UNIT = {
    "PERCENT": N_("Per cent"),
    "YEARS": N_("Years"),
    "RATE_100_000": N_("Per 100 000"),
    "SCORE": N_("Score"),
    "NUMBER": N_("Number"),
}

_Comparison = tuple[Callable[[Any, Any], bool], str]
_COMPARISONS: dict[type[exp.Expression], _Comparison] = {
    exp.EQ: (eq, "{value}"),
    exp.NEQ: (ne, N_("not {value}")),
    exp.GT: (gt, N_("more than {value}")),
    exp.GTE: (ge, N_("{value} or more")),
    exp.LT: (lt, N_("less than {value}")),
    exp.LTE: (le, N_("{value} or less")),
}


def notices(framework: Framework, words: Translations) -> list[str]:
    """Return what every export says of itself: a draft, what the framework is, how far it is translated."""
    draft = words.text(questionnaire_of(framework).draft.text)
    return [draft, words.text(framework.head.notice), *([words.notice] if words.notice else [])]


def heading(framework: Framework, words: Translations) -> str:
    """Return title, identifier and version of the framework."""
    title, head = words.text(framework.head.title), framework.head
    return words.text("{title} ({id}, version {version})", title=title, id=head.id, version=head.version)


def code_labels(framework: Framework, variable: Variable, words: Translations) -> dict[int, str]:
    """Return code -> label of a coded variable, without the missing codes."""
    return {c: words.text(code.label, variable.codelist) for c, code in framework.codes(variable).items()}


def missing_labels(framework: Framework, codes: Sequence[int], words: Translations) -> dict[int, str]:
    """Return missing code -> label."""
    return {code: words.text(framework.head.missing[code].label) for code in codes}


def any_of(items: Sequence[str], words: Translations) -> str:
    """Join texts: ``a``, ``a or b``, ``a, b or c``."""
    *first, last = items
    if not first:
        return last
    together = first[0]
    for item in first[1:]:
        together = words.text("{first}, {second}", first=together, second=item)
    return words.text("{first} or {second}", first=together, second=last)


@dataclass(frozen=True)
class Phrases:
    """Says predicates over the variables of a record kind in words.

    Attributes:
        framework: for the code lists.
        variables: the variables that predicates may read.
        words: the language.
    """

    framework: Framework
    variables: Mapping[str, Variable]
    words: Translations

    def universe(self, predicate: Predicate | None) -> str:
        """Return who is asked."""
        if predicate is None or predicate.always:
            return self.words.text("Everyone")
        return self.predicate(predicate)

    def predicate(self, predicate: Predicate) -> str:
        """Return a predicate in words, for example ``“Sex”: Male; and “Age”: 12 or more``."""
        return self._said(predicate.tree)

    def _said(self, node: Any) -> str:
        node = node.unnest()
        if isinstance(node, exp.And):
            first, second = self._part(node.this), self._part(node.expression)
            return self.words.text("{first}; and {second}", first=first, second=second)
        if isinstance(node, exp.Or):
            first, second = self._part(node.this), self._part(node.expression)
            return self.words.text("{first}; or {second}", first=first, second=second)
        if isinstance(node, exp.Not):
            return self.words.text("not so: {condition}", condition=self._said(node.this))
        if isinstance(node, exp.Boolean):
            return self.words.text("Everyone") if node.this else self.words.text("Nobody")
        return self._comparison(node)

    def _part(self, node: Any) -> str:
        """Return one side of AND or OR; what stood in parentheses keeps them."""
        said = self._said(node)
        return (
            f"({said})" if isinstance(node, exp.Paren) and isinstance(node.unnest(), exp.Connector) else said
        )

    def _comparison(self, node: Any) -> str:
        if isinstance(node, exp.In | exp.Between):
            subject, answer = node.this.name, self._within(node)
        elif node.this == node.expression:  # The numerator of a mean is the variable itself.
            return self._label(node.this.name)
        else:
            subject, answer = self._compared(node)
        return self.words.text("“{variable}”: {answer}", variable=self._label(subject), answer=answer)

    def _within(self, node: Any) -> str:
        labels = self._labels(node.this.name)
        if isinstance(node, exp.In):
            values = [_number(part) for part in node.expressions]
            return any_of([self._value(value, labels) for value in values], self.words)
        low, high = _number(node.args["low"]), _number(node.args["high"])
        if labels:
            return any_of([label for code, label in labels.items() if low <= code <= high], self.words)
        return self.words.text("{low} to {high}", low=f"{low:g}", high=f"{high:g}")

    def _compared(self, node: Any) -> tuple[str, str]:
        """Return variable and answer of a comparison."""
        subject, other = node.this, node.expression
        kind = type(node)
        if isinstance(subject, exp.Literal):
            subject, other, kind = other, subject, _MIRRORED.get(kind, kind)
        holds, phrase = _COMPARISONS[kind]
        if isinstance(other, exp.Column):
            return subject.name, self.words.text(phrase, value=self._label(other.name))
        labels, limit = self._labels(subject.name), _number(other)
        if labels:
            return subject.name, any_of([t for code, t in labels.items() if holds(code, limit)], self.words)
        return subject.name, self.words.text(phrase, value=f"{limit:g}")

    def _label(self, name: str) -> str:
        return self.words.text(self.variables[name].label)

    def _labels(self, name: str) -> dict[int, str]:
        return code_labels(self.framework, self.variables[name], self.words)

    def _value(self, value: float, labels: Mapping[int, str]) -> str:
        return labels.get(int(value)) or f"{value:g}"


_MIRRORED: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
}


def _number(node: Any) -> float:
    return float(node.this)
