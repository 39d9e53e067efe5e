"""A loaded framework version: the definitions, their predicates parsed, and how to find them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from copstats.framework.definitions import (
    AdministrativeVariable,
    CodeList,
    FrameworkHead,
    Indicator,
    Module,
    PolicyItem,
    RecordKind,
    RuleBook,
    Variable,
)
from copstats.framework.expressions import Predicate


@dataclass(frozen=True)
class ParsedIndicator:
    """An indicator with its predicates parsed.

    Attributes:
        definition: as its file says.
        universe: the reference population.
        denominator: who counts inside it.
        numerator: what is counted; None for a composite of members.
        members: member indicators, in the order of the file.
    """

    definition: Indicator
    universe: Predicate
    denominator: Predicate
    numerator: Predicate | None
    members: tuple[ParsedIndicator, ...] = ()

    @cached_property
    def variables(self) -> frozenset[str]:
        """All framework variables without which the indicator cannot be computed."""
        own = self.universe.variables | self.denominator.variables
        if self.numerator is not None:
            own |= self.numerator.variables
        for member in self.members:
            if member.numerator is not None:
                own |= member.numerator.variables
            own |= frozenset().union(*(m.variables for m in member.members))
        return own


@dataclass(frozen=True)
class Framework:
    """A version of the methodological framework, with its indicator catalogue.

    Attributes:
        head: identity, missing codes, ages, dimensions, disaggregations.
        modules: by name, in the order of the questionnaire.
        codelists: by name.
        rules: generated classes and hand-written rules.
        universes: (record kind, variable) -> parsed universe.
        violations: rule id -> parsed violation.
        indicators: by code.
        administrative: administrative variables by name.
        policy: items of the policy questionnaire by code.
        fingerprint: hash of all definition files, hexadecimal.
    """

    head: FrameworkHead
    modules: Mapping[str, Module]
    codelists: Mapping[str, CodeList]
    rules: RuleBook
    universes: Mapping[tuple[RecordKind, str], Predicate]
    violations: Mapping[str, Predicate]
    indicators: Mapping[str, ParsedIndicator]
    administrative: Mapping[str, AdministrativeVariable]
    policy: Mapping[str, PolicyItem]
    fingerprint: str

    @property
    def id(self) -> str:
        """Identifier that manifests name, for example ``cop-2026``."""
        return self.head.id

    @cached_property
    def _by_record(self) -> dict[str, dict[str, Variable]]:
        out: dict[str, dict[str, Variable]] = {"child": {}, "parent": {}}
        for module in self.modules.values():
            out[module.record].update(module.variables)
        out["dyad"] = out["parent"] | out["child"]
        return out

    def variables(self, record: str) -> Mapping[str, Variable]:
        """Return the variables of ``child``, ``parent`` or ``dyad`` (both), in questionnaire order."""
        return self._by_record[record]

    def module_of(self, record: str, variable: str) -> Module:
        """Return the module in which a variable stands."""
        return next(m for m in self.modules.values() if m.record == record and variable in m.variables)

    def universes_of(self, record: RecordKind) -> dict[str, Predicate]:
        """Return variable -> parsed universe of one record kind."""
        return {name: p for (kind, name), p in self.universes.items() if kind == record}

    def codes(self, variable: Variable) -> Mapping[int, Any]:
        """Return the codes of a coded variable."""
        return self.codelists[variable.codelist].codes if variable.codelist else {}
