"""Loads a framework version from ``schemas/`` and ``indicators/`` and checks every cross-reference."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from copstats.errors import DefinitionError
from copstats.framework.areas import Area, load_areas
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
from copstats.framework.expressions import ExpressionProblem, Predicate, parse_predicate
from copstats.framework.located import Located
from copstats.framework.model import Framework, ParsedIndicator
from copstats.framework.tiers import more_sensitive_sources
from copstats.framework.typed import typed
from copstats.project import project_root

__all__ = [
    "DEFAULT_FRAMEWORK",
    "Area",
    "Framework",
    "ParsedIndicator",
    "frameworks",
    "load_areas",
    "load_framework",
]

T = TypeVar("T")
DEFAULT_FRAMEWORK = "cop-2026"


def frameworks(root: Path | None = None) -> list[str]:
    """Return the identifiers of the framework versions at hand."""
    folder = (root or project_root()) / "schemas"
    return sorted(p.parent.name for p in folder.glob("*/framework.yaml"))


@cache
def load_framework(version: str = DEFAULT_FRAMEWORK, root: Path | None = None) -> Framework:
    """Load a framework version and its indicators.

    Args:
        version: folder name under ``schemas/``.
        root: folder that holds ``schemas/`` and ``indicators/``; the project's own by default.

    Raises:
        DefinitionError: a file is missing, malformed or refers to something unknown; names file and line.
    """
    base = root or project_root()
    known = frameworks(base)
    if version not in known:
        raise DefinitionError("D011", version=version, known=", ".join(known) or "none")
    return _Loader(base / "schemas" / version, base / "indicators").load()


class _Loader:
    """Reads one framework folder; keeps the place of each definition for error messages."""

    def __init__(self, folder: Path, indicators: Path) -> None:
        self.folder = folder
        self.common_indicators = indicators
        self.indicator_files = _indicator_files(folder / "indicators", indicators)
        self.codelists: dict[str, CodeList] = {}
        self.modules: dict[str, Module] = {}
        self.variables: dict[str, dict[str, Variable]] = {"child": {}, "parent": {}}
        self.universes: dict[tuple[RecordKind, str], Predicate] = {}
        self.located: dict[str, Located] = {}

    def load(self) -> Framework:
        head = self._one("framework.yaml", FrameworkHead)
        self._vocabulary()
        self._check_head(head)
        self.universes = self._universes()
        rules = self._one("rules.yaml", RuleBook)
        violations = self._violations(rules)
        indicators = self._indicators(head)
        return Framework(
            head=head,
            modules=self.modules,
            codelists=self.codelists,
            rules=rules,
            universes=self.universes,
            violations=violations,
            indicators=indicators,
            administrative=self._one("administrative.yaml", dict[str, AdministrativeVariable]),
            policy=self._one("policy.yaml", dict[str, PolicyItem]),
            fingerprint=self._fingerprint(),
        )

    def _vocabulary(self) -> None:
        self.codelists = self._one("codelists.yaml", dict[str, CodeList])
        for path in sorted((self.folder / "variables").glob("*.yaml")):
            self._module(path)

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for path in dict.fromkeys((*sorted(self.folder.rglob("*.yaml")), *self.indicator_files)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()

    def _one(self, name: str, kind: type[T]) -> T:
        path = self.folder / name
        if not path.is_file():
            raise DefinitionError("D016", where=f"{self.folder.name}/{name}")
        self.located[name] = Located(path)
        return typed(self.located[name], kind)

    def _check_head(self, head: FrameworkHead) -> None:
        located = self.located["framework.yaml"]
        if head.id != self.folder.name:
            raise DefinitionError("D030", where=located.where("id"), folder=self.folder.name, version=head.id)
        for name, dimension in head.dimensions.items():
            if dimension.variable is not None and dimension.variable not in self.variables["child"]:
                where = located.where("dimensions", name, "variable")
                raise DefinitionError("D006", where=where, variable=dimension.variable)
        for name, crossed in head.disaggregations.items():
            for dimension_id in crossed:
                if dimension_id not in head.dimensions:
                    where = located.where("disaggregations", name)
                    raise DefinitionError("D014", where=where, dimension=dimension_id)
        _check_disaggregations(head, head.standard_disaggregations, located.where("standard_disaggregations"))

    def _module(self, path: Path) -> None:
        located = Located(path)
        module = typed(located, Module)
        if module.module in self.modules:
            raise DefinitionError("D003", where=located.where("module"), key=module.module)
        for name, variable in module.variables.items():
            if name in self.variables[module.record]:
                raise DefinitionError("D003", where=located.where("variables", name), key=name)
            if variable.codelist is not None and variable.codelist not in self.codelists:
                where = located.where("variables", name, "codelist")
                raise DefinitionError("D004", where=where, codelist=variable.codelist)
        self.modules[module.module] = module
        self.located[module.module] = located
        self.variables[module.record].update(module.variables)

    def _predicate(self, text: str, record: str, where: str, floor: int | None = None) -> Predicate:
        known = self.variables["parent"] | self.variables["child"] if record == "dyad" else None
        try:
            return parse_predicate(text, known or self.variables[record], self.codelists, floor=floor)
        except ExpressionProblem as problem:
            raise DefinitionError(problem.code, where=where, **problem.params) from None

    def _universes(self) -> dict[tuple[RecordKind, str], Predicate]:
        out: dict[tuple[RecordKind, str], Predicate] = {}
        for module in self.modules.values():
            for name, variable in module.variables.items():
                if variable.universe is None:
                    continue
                where = self.located[module.module].where("variables", name, "universe")
                out[module.record, name] = self._predicate(
                    variable.universe, module.record, where, variable.minimum_age
                )
        self._refuse_circles(out)
        return out

    def _refuse_circles(self, universes: Mapping[tuple[RecordKind, str], Predicate]) -> None:
        def visit(key: tuple[RecordKind, str], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
            if key[1] in path:
                yield path[path.index(key[1]) :]
            elif key in universes:
                for parent in sorted(universes[key].variables):
                    yield from visit((key[0], parent), (*path, key[1]))

        for key in universes:
            for circle in visit(key, ()):
                module = next(
                    m for m in self.modules.values() if key[1] in m.variables and m.record == key[0]
                )
                where = self.located[module.module].where("variables", key[1], "universe")
                raise DefinitionError("D008", where=where, variables=", ".join(circle))

    def _violations(self, rules: RuleBook) -> dict[str, Predicate]:
        located = self.located["rules.yaml"]
        out = {}
        for rule_id, rule in rules.rules.items():
            if rule.variable not in self.variables[rule.record]:
                where = located.where("rules", rule_id, "variable")
                raise DefinitionError("D006", where=where, variable=rule.variable)
            where = located.where("rules", rule_id, "violation")
            out[rule_id] = self._predicate(rule.violation, rule.record, where)
        return out

    def _indicators(self, head: FrameworkHead) -> dict[str, ParsedIndicator]:
        definitions: dict[str, tuple[Indicator, Located]] = {}
        for path in self.indicator_files:
            located = Located(path)
            definition = typed(located, Indicator)
            if definition.code != path.stem:
                raise DefinitionError("D009", where=located.where("code"), indicator=definition.code)
            if definition.code in definitions:
                raise DefinitionError("D003", where=located.where("code"), key=definition.code)
            _check_disaggregations(head, definition.disaggregations or [], located.where("disaggregations"))
            definitions[definition.code] = (definition, located)
        parsed: dict[str, ParsedIndicator] = {}
        for code in definitions:
            try:
                self._indicator(code, definitions, parsed, ())
            except DefinitionError:
                if not self._is_for_another_version(code, definitions):
                    raise
        return dict(sorted(parsed.items()))

    def _is_for_another_version(
        self, code: str, definitions: Mapping[str, tuple[Indicator, Located]]
    ) -> bool:
        """Whether a common indicator has a meaning in another version at hand; it is absent in this one."""
        if definitions[code][1].path.is_relative_to(self.folder):
            return False
        for folder in sorted(path.parent for path in self.folder.parent.glob("*/framework.yaml")):
            if folder == self.folder:
                continue
            other = _Loader(folder, self.common_indicators)
            try:
                other._vocabulary()
                other.universes = other._universes()
                other._indicator(code, definitions, {}, ())
            except DefinitionError:
                continue
            return True
        return False

    def _indicator(
        self,
        code: str,
        definitions: Mapping[str, tuple[Indicator, Located]],
        parsed: dict[str, ParsedIndicator],
        path: tuple[str, ...],
    ) -> ParsedIndicator:
        if code in parsed:
            return parsed[code]
        definition, located = definitions[code]
        _check_form(code, definitions)
        for member in definition.members:
            if member not in definitions or member in (*path, code):
                raise DefinitionError("D010", where=located.where("members"), member=member)

        def predicate(key: str, text: str) -> Predicate:
            return self._predicate(text, definition.record, located.where(key))

        numerator = definition.numerator
        if numerator is not None and definition.statistic in ("mean", "median"):
            numerator = f"{numerator} = {numerator}"
        parsed[code] = ParsedIndicator(
            definition=definition,
            universe=predicate("universe", definition.universe),
            denominator=predicate("denominator", definition.denominator),
            numerator=predicate("numerator", numerator) if numerator is not None else None,
            members=tuple(self._indicator(m, definitions, parsed, (*path, code)) for m in definition.members),
        )
        self._check_tier(parsed[code], located)
        return parsed[code]

    def _check_tier(self, indicator: ParsedIndicator, located: Located) -> None:
        universes = {name: universe for (_, name), universe in self.universes.items()}
        known = self.variables["parent"] | self.variables["child"]
        if sources := more_sensitive_sources(indicator, known, universes):
            name = indicator.definition.code
            raise DefinitionError("D017", where=located.where("tier"), name=name, sources=", ".join(sources))


def _indicator_files(own: Path, common: Path) -> list[Path]:
    """Return the files of a version's indicators; its own replace common ones of the same code."""
    first = sorted(own.rglob("*.yaml"))
    codes = {path.stem for path in first}
    return [*first, *(path for path in sorted(common.rglob("*.yaml")) if path.stem not in codes)]


def _check_disaggregations(head: FrameworkHead, names: list[str], where: str) -> None:
    for name in names:
        if name not in head.disaggregations:
            raise DefinitionError("D013", where=where, disaggregation=name)


def _check_form(code: str, definitions: Mapping[str, tuple[Indicator, Located]]) -> None:
    definition, located = definitions[code]
    combined = bool(definition.members) and definition.combine is not None
    if (definition.numerator is not None) == combined or (definition.combine is not None) != combined:
        problem = "an indicator has either `numerator`, or `members` with `combine`"
        raise DefinitionError("D002", where=located.where(), problem=problem)
    replacement = definition.deprecated.replaced_by if definition.deprecated else None
    if replacement and (replacement not in definitions or definitions[replacement][0].deprecated):
        where = located.where("deprecated", "replaced_by")
        raise DefinitionError("D018", where=where, replacement=replacement)
