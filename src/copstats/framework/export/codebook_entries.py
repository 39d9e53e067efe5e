"""The parts of a codebook, each as a reader sees it: all texts are in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class VariableEntry:
    """A variable.

    Attributes:
        key: record and name, unique in the codebook: ``child-age``.
        series: whether it stands for a numbered series of columns.
        codes: code -> label, without the missing codes.
        missing: missing code -> label, those that the variable may take.
        limits: permitted range; empty where there is none.
        pattern: regular expression that a text matches as a whole; empty where there is none.
        universe: who is asked, in words.
        predicate: the same as the framework writes it; empty for everyone.
        indicators: codes of the indicators that read it.
    """

    key: str
    record: str
    name: str
    label: str
    definition: str
    type: str
    series: bool
    codelist: str
    codes: Mapping[int, str]
    missing: Mapping[int, str]
    limits: str
    pattern: str
    universe: str
    predicate: str
    recall: str
    minimum_age: int | None
    status: str
    sensitivity: str
    tier: str
    privacy: str
    source: Sequence[str]
    indicators: Sequence[str]


@dataclass(frozen=True)
class ModuleEntry:
    """A module with its variables."""

    name: str
    title: str
    record: str
    always: bool
    variables: Sequence[VariableEntry]


@dataclass(frozen=True)
class CodeListEntry:
    """A code list, and the keys of the variables that use it."""

    name: str
    title: str
    codes: Mapping[int, str]
    variables: Sequence[str]


@dataclass(frozen=True)
class PredicateEntry:
    """A predicate in words and as the framework writes it."""

    words: str
    text: str


@dataclass(frozen=True)
class IndicatorEntry:
    """An indicator; ``numerator`` is None for one that combines ``members``."""

    code: str
    title: str
    unit: str
    record: str
    universe: PredicateEntry
    denominator: PredicateEntry | None
    numerator: PredicateEntry | None
    combine: str
    members: Sequence[str]
    ages: str
    recall: str
    tier: str
    note: str
    reference: Sequence[str]
    variables: Sequence[str]


@dataclass(frozen=True)
class RuleEntry:
    """An edit rule; ``predicate`` is empty for a class that is generated for every variable that it fits."""

    id: str
    record: str
    level: int
    severity: str
    predicate: str
    what: str
    why: str
    fix: str


@dataclass(frozen=True)
class Codebook:
    """Everything that a codebook shows."""

    title: str
    notices: Sequence[str]
    modules: Sequence[ModuleEntry]
    codelists: Sequence[CodeListEntry]
    indicators: Sequence[IndicatorEntry]
    classes: Sequence[RuleEntry]
    rules: Sequence[RuleEntry]
    missing: Mapping[int, tuple[str, str]]
