"""Relations between indicators that follow from their definitions and hold in every group of every wave."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from copstats.disclose.relations.formulas import (
    Formula,
    Formulas,
    TooManyAlternatives,
    excludes,
    implies,
)
from copstats.framework.loader import Framework, ParsedIndicator


@dataclass(frozen=True)
class Relation:
    """In every group: ``sum(answers * yes) <= sum(weights * valid)``.

    ``yes`` is the weight of the records that count for an indicator, ``valid`` that of its valid answers.

    Attributes:
        answers: indicator -> coefficient of its records that count.
        weights: indicator -> coefficient of its valid answers.
    """

    answers: Mapping[str, float]
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Relations:
    """All relations among some indicators of one record kind.

    Attributes:
        bounds: inequalities.
        nested: (inner, outer): the same numerator; the inner denominator is part of the outer. The records
            between them are a group of their own.
        conditional: (condition, indicator): the indicator's denominator is who counts for the condition.
    """

    bounds: Sequence[Relation] = ()
    nested: Sequence[tuple[str, str]] = ()
    conditional: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class _Meaning:
    """An indicator, and when a record belongs to it, counts (True) and does not count (False).

    ``asked`` is ``answered`` with what the questionnaire's filters say of who was asked at all.
    """

    code: str
    parsed: ParsedIndicator
    inside: Formula
    counts: Formula
    answered: Mapping[bool, Formula]
    asked: Mapping[bool, Formula]

    def implies(self, truth: bool, other: _Meaning, then: bool) -> bool:
        """Whether one answer here means one answer there."""
        return implies(self.asked[truth], other.answered[then])

    def given(self, other: _Meaning) -> bool:
        """Whether only who counts there belongs here."""
        return implies(self.inside, other.answered[True])

    @property
    def terms(self) -> tuple[object, ...]:
        """What two indicators must share to differ in their denominators alone."""
        return str(self.parsed.numerator), tuple(sorted(self.parsed.definition.missing.items()))


def relations_of(framework: Framework, codes: Collection[str], kind: str) -> Relations:
    """Return the relations among proportions of one record kind.

    Some hold only if the questionnaire's filters were kept (who met nobody was not asked whether it was
    pleasant). An attacker takes them for true: who uses relations loosens them by what the data break.

    Args:
        framework: definitions of indicators, variables and universes.
        codes: indicators that the wave has.
        kind: ``child``, ``parent`` or ``dyad``.
    """
    formulas = Formulas(framework, kind)
    meanings = [found for code in sorted(codes) if (found := _meaning(framework, code, formulas, kind))]
    pairs = list(itertools.permutations(meanings, 2))
    return Relations(
        bounds=[
            *(found for a, b in pairs if not (a.given(b) or b.given(a)) for found in _implications(a, b)),
            *_covers(meanings, formulas),
            *_categories(meanings, formulas),
        ],
        nested=[(a.code, b.code) for a, b in pairs if _same_question(a, b) and not b.implies(True, a, True)],
        conditional=[
            (a.code, b.code) for a, b in pairs if b.given(a) and implies(a.answered[True], b.inside)
        ],
    )


def _meaning(framework: Framework, code: str, formulas: Formulas, kind: str) -> _Meaning | None:
    parsed = framework.indicators.get(code)
    if parsed is None or (parsed.definition.record, parsed.definition.statistic) != (kind, "proportion"):
        return None
    try:
        answered = {truth: formulas.answered(parsed, truth) for truth in (True, False)}
        return _Meaning(
            code=code,
            parsed=parsed,
            inside=formulas.inside(parsed),
            counts=formulas.numerator(parsed, True),
            answered=answered,
            asked={truth: formulas.asked(formula) for truth, formula in answered.items()},
        )
    except TooManyAlternatives:
        return None


def _implications(a: _Meaning, b: _Meaning) -> Iterator[Relation]:
    """Who counts, or does not count, for one is among those who do, or do not, for the other."""
    forms: dict[tuple[bool, bool], tuple[dict[str, float], dict[str, float]]] = {
        (True, True): ({a.code: 1.0, b.code: -1.0}, {}),
        (False, False): ({b.code: 1.0, a.code: -1.0}, {b.code: 1.0, a.code: -1.0}),
        (True, False): ({a.code: 1.0, b.code: 1.0}, {b.code: 1.0}),
        (False, True): ({a.code: -1.0, b.code: -1.0}, {a.code: -1.0}),
    }
    for (truth, then), (answers, weights) in forms.items():
        if a.implies(truth, b, then):
            yield Relation(answers, weights)


def _same_question(inner: _Meaning, outer: _Meaning) -> bool:
    """Whether two indicators have the same numerator in nested denominators."""
    return (
        inner.parsed.numerator is not None
        and inner.terms == outer.terms
        and implies(inner.inside, outer.inside)
        and not implies(outer.inside, inner.inside)
    )


def _covers(meanings: Sequence[_Meaning], formulas: Formulas) -> Iterator[Relation]:
    """Who answers in one of several ways is among those who answer so to one of several indicators."""
    for whole, truth in itertools.product(meanings, (True, False)):
        if len(whole.answered[truth]) < 2:  # noqa: PLR2004 (one way has no parts)
            continue
        others = [m for m in meanings if m is not whole and not whole.implies(truth, m, truth)]
        others.sort(key=lambda m: not m.implies(truth, whole, truth))
        ways = [formulas.asked((way,)) for way in whole.answered[truth]]
        found = [next((m.code for m in others if implies(w, m.answered[truth])), None) for w in ways]
        parts = {str(part): -1.0 for part in found}
        if None not in found and truth:
            yield Relation({whole.code: 1.0, **parts})
        elif None not in found:
            yield Relation(
                {whole.code: -1.0, **dict.fromkeys(parts, 1.0)},
                {whole.code: -1.0, **dict.fromkeys(parts, 1.0)},
            )


def _categories(meanings: Sequence[_Meaning], formulas: Formulas) -> Iterator[Relation]:
    """Categories of one question that exclude each other add up to all at most, or exactly."""
    single = [m for m in meanings if len(m.counts) == 1 and len(m.counts[0]) == 1 and m.inside]
    for _, group in itertools.groupby(
        sorted(single, key=_question), key=_question
    ):  # same variable, denominator and treatment of missing codes: the same valid answers
        for family in _exclusive(list(group)):
            codes = [m.code for m in family]
            yield Relation(dict.fromkeys(codes, 1.0), {codes[0]: 1.0})
            variable = next(iter(family[0].counts[0]))
            held = frozenset[float]().union(*(m.counts[0][variable] for m in family))
            if held == formulas.answers(variable):
                yield Relation(dict.fromkeys(codes, -1.0), {codes[0]: -1.0})


def _question(meaning: _Meaning) -> str:
    inside = sorted(sorted((k, sorted(v)) for k, v in a.items()) for a in meaning.inside)
    return repr((next(iter(meaning.counts[0])), inside, meaning.terms[1]))


def _exclusive(group: Sequence[_Meaning]) -> Iterator[list[_Meaning]]:
    """Yield the largest families of two or more that exclude each other pairwise."""

    def grow(
        family: list[_Meaning], rest: list[_Meaning], passed: list[_Meaning]
    ) -> Iterator[list[_Meaning]]:
        if not rest and not passed and len(family) > 1:
            yield family
        for position, one in enumerate(rest):
            fits = [m for m in rest[position + 1 :] if excludes(one.counts, m.counts)]
            tried = [m for m in [*passed, *rest[:position]] if excludes(one.counts, m.counts)]
            yield from grow([*family, one], fits, tried)

    yield from grow([], list(group), [])
