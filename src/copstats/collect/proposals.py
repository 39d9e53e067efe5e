"""Proposes national columns for framework variables, by name, label and value labels; applies none.

The score of a column for a variable is ``words * (0.5 + 0.5 * answers)``, both parts between 0 and 1:

- ``words``, the best of three: the name is the framework's (1) or nearly so; the label shares its words with
  the framework's label (Dice 1945); the concepts of ``matching.yaml`` that the variable needs are found in
  name and label: their share, weighted by how few variables need them and squared, lowered by concepts that
  belong to something else and by words that are not understood.
- ``answers``: value labels against the code list (F measure), or type and number of distinct values.

A score orders candidates. It is not a probability.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from copstats.collect.answers import Answers, ColumnShape, compare_answers
from copstats.collect.matching import Found, KeyWords, Wanted, alternatives, load_key_words, normalised
from copstats.collect.readers import SourceColumn, SourceFile, Value
from copstats.framework import Framework
from copstats.framework.definitions import RecordKind, Variable

SHOWN = 0.30
"""Lowest score of a candidate that is shown."""
LIKELY = 0.55
"""Lowest score of a proposal that planning counts on."""
_CANDIDATES = 3
_NAMES_ALIKE = 0.85
_LABELS_ALIKE = 0.6
_CUT_LABEL = 30
"""Labels that SPSS and Stata cut off are at least so long."""


@dataclass(frozen=True)
class Candidate:
    """A national column that may hold a framework variable.

    Attributes:
        column: its name.
        label: its label, if the file has one.
        score: 0 to 1.
        value_labels: national value -> label.
        recode: national value -> framework code, where all value labels were understood.
    """

    column: str
    label: str | None
    score: float
    value_labels: Mapping[Value, str]
    recode: Mapping[Value, int]


@dataclass(frozen=True)
class Proposal:
    """Candidates for one framework variable, best first.

    Attributes:
        record: ``child`` or ``parent``.
        variable: framework variable.
        candidates: at most three. The first is proposed for no other variable.
    """

    record: RecordKind
    variable: str
    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        """The candidate with the highest score."""
        return self.candidates[0]

    @property
    def likely(self) -> bool:
        """Whether planning counts on the first candidate."""
        return self.best.score >= LIKELY


def propose(
    file: SourceFile,
    framework: Framework,
    record: RecordKind,
    *,
    known: Collection[str] = (),
    taken: Collection[str] = (),
) -> list[Proposal]:
    """Return proposals for the variables of a record kind, in questionnaire order.

    Every column is proposed for the one variable that it fits best, so that two variables never have the same
    first candidate; it may be among the further candidates of others.

    Args:
        file: the national file; of its cells only the number of distinct values of a column is looked at.
        framework: the variables.
        record: ``child`` or ``parent``.
        known: variables that something feeds already.
        taken: columns that feed one already.
    """
    words = load_key_words(framework.id)
    columns = [_Column(column, file, words) for column in file.columns if column.name not in taken]
    targets = [
        _Target(name, variable, words.says.variables[record][name], framework)
        for name, variable in framework.variables(record).items()
        if name not in known and not variable.series
    ]
    scored = {target.name: _scored(target, columns, words, framework) for target in targets}
    first = _assigned(scored)
    return [
        Proposal(record, name, tuple(_ordered(candidates, first[name])))
        for name, candidates in scored.items()
        if name in first
    ]


def _scored(
    target: _Target, columns: Iterable[_Column], words: KeyWords, framework: Framework
) -> list[Candidate]:
    out = []
    for column in columns:
        likeness = _likeness(target, column, words)
        if likeness < SHOWN:
            continue
        answers = compare_answers(target.variable, column.source, column.shape, framework, words)
        score = likeness * (0.5 + 0.5 * answers.fit)
        if score >= SHOWN:
            out.append(_candidate(column.source, score, answers))
    return sorted(out, key=lambda candidate: -candidate.score)


def _candidate(column: SourceColumn, score: float, answers: Answers) -> Candidate:
    labels = {value: _printable(label) for value, label in column.value_labels.items()}
    label = _printable(column.label) if column.label else None
    return Candidate(column.name, label, round(score, 3), labels, answers.recode)


def _printable(text: str) -> str:
    """Return a label on one line and without control characters, which could steer a terminal."""
    return "".join(sign for sign in re.sub(r"\s+", " ", text) if unicodedata.category(sign) != "Cc").strip()


def _assigned(scored: Mapping[str, list[Candidate]]) -> dict[str, Candidate]:
    """Return variable -> first candidate: the best pairs first, each column once."""
    pairs = [(candidate, name) for name, candidates in scored.items() for candidate in candidates]
    out: dict[str, Candidate] = {}
    gone: set[str] = set()
    for candidate, name in sorted(pairs, key=lambda pair: -pair[0].score):
        if name not in out and candidate.column not in gone:
            out[name] = candidate
            gone.add(candidate.column)
    return out


def _ordered(candidates: list[Candidate], first: Candidate) -> list[Candidate]:
    others = [candidate for candidate in candidates if candidate is not first]
    return [first, *others][:_CANDIDATES]


class _Target:
    """A framework variable, and what a column that holds it looks like."""

    def __init__(self, name: str, variable: Variable, wanted: Wanted, framework: Framework) -> None:
        self.name = name
        self.variable = variable
        self.wanted = wanted
        self.plain_name = normalised(name, name=True)
        self.label = normalised(variable.label)
        self.allowed = alternatives([*wanted.needs, *wanted.helps])
        self.framework = framework


class _Column:
    """A national column, read once."""

    def __init__(self, source: SourceColumn, file: SourceFile, words: KeyWords) -> None:
        self.source = source
        self.plain_name = normalised(source.name, name=True)
        self.label = normalised(source.label or "")
        self._file = file
        self._words = words

    @cached_property
    def found(self) -> Found:
        """What name and label speak of."""
        lexicon = self._words.concepts
        return lexicon.found(self.plain_name) | lexicon.found(self.label)

    @cached_property
    def shape(self) -> ColumnShape:
        """Type and number of distinct values."""
        return ColumnShape.of(self._file, self.source.name)


def _likeness(target: _Target, column: _Column, words: KeyWords) -> float:
    return max(
        _names_alike(target.plain_name, column.plain_name),
        _labels_alike(target.label, column.label),
        _concepts_met(target, column.found, words),
    )


def _names_alike(ours: str, theirs: str) -> float:
    if ours == theirs:
        return 1.0
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    if matcher.real_quick_ratio() < _NAMES_ALIKE or matcher.quick_ratio() < _NAMES_ALIKE:
        return 0.0
    ratio = matcher.ratio()
    return ratio * _NAMES_ALIKE if ratio >= _NAMES_ALIKE else 0.0


def _labels_alike(ours: str, theirs: str) -> float:
    if not theirs:
        return 0.0
    if ours == theirs or (len(theirs) >= _CUT_LABEL and ours.startswith(theirs)):
        return 1.0
    mine, other = set(ours.split()), set(theirs.split())
    dice = 2 * len(mine & other) / (len(mine) + len(other))
    return dice if dice >= _LABELS_ALIKE else 0.0


def _concepts_met(target: _Target, found: Found, words: KeyWords) -> float:
    total = met = 0.0
    for need in target.wanted.needs:
        choices = need.split("|")
        weight = max(words.weights[choice] for choice in choices)
        total += weight
        met += weight * any(choice in found.concepts for choice in choices)
    foreign = found.concepts - target.allowed - set(words.says.neutral)
    return (met / total) ** 2 / (1 + 0.3 * len(foreign)) * (0.8 + 0.2 * found.explained)
