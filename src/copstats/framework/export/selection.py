"""What an export holds: the modules that were asked for, and the variables that these depend on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from copstats.errors import UsageError
from copstats.framework.definitions import CodeList, Module, RecordKind, Rule, Variable
from copstats.framework.expressions import DOES_NOT_KNOW, REFUSED, Predicate
from copstats.framework.model import Framework, ParsedIndicator

RECORDS: tuple[RecordKind, ...] = ("child", "parent")
KEYS: Mapping[RecordKind, str] = {"child": "child_id", "parent": "parent_id"}


@dataclass(frozen=True)
class Item:
    """A variable and where it stands.

    Attributes:
        record: record kind.
        module: its module.
        name: name of the variable.
        variable: its definition.
        universe: who is asked; None for everyone.
    """

    record: RecordKind
    module: Module
    name: str
    variable: Variable
    universe: Predicate | None


@dataclass(frozen=True)
class Selection:
    """Part of a framework.

    Attributes:
        framework: the framework version.
        items: its variables in questionnaire order.
    """

    framework: Framework
    items: tuple[Item, ...]

    @cached_property
    def records(self) -> tuple[RecordKind, ...]:
        """Record kinds that the selection holds; the child always."""
        return tuple(record for record in RECORDS if any(item.record == record for item in self.items))

    def of(self, record: RecordKind) -> list[Item]:
        """Return the variables of a record kind."""
        return [item for item in self.items if item.record == record]

    @cached_property
    def modules(self) -> dict[str, list[Item]]:
        """Module name -> its variables in the selection."""
        found: dict[str, list[Item]] = {}
        for item in self.items:
            found.setdefault(item.module.module, []).append(item)
        return found

    @cached_property
    def codelists(self) -> dict[str, CodeList]:
        """Code lists that the variables use, in the order of first use."""
        names = dict.fromkeys(item.variable.codelist for item in self.items if item.variable.codelist)
        return {name: self.framework.codelists[name] for name in names}

    @cached_property
    def indicators(self) -> dict[str, ParsedIndicator]:
        """Indicators that these variables suffice for."""
        held = self._names()
        return {
            code: indicator
            for code, indicator in self.framework.indicators.items()
            if indicator.variables <= held[indicator.definition.record]
        }

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """Edit rules written by hand that these variables suffice for."""
        held = self._names()
        return {
            rule_id: rule
            for rule_id, rule in self.framework.rules.rules.items()
            if self.framework.violations[rule_id].variables <= held[rule.record]
        }

    def indicators_of(self, item: Item) -> list[str]:
        """Return the codes of the indicators that read a variable."""
        records = (item.record, "dyad")
        return [
            code
            for code, indicator in self.indicators.items()
            if indicator.definition.record in records and item.name in indicator.variables
        ]

    def missing_codes(self, item: Item) -> tuple[int, ...]:
        """Return the missing codes that a variable may take, in the order of the framework.

        Keys, design variables and texts take none. A required variable is always asked, and may be unknown.
        """
        variable = item.variable
        if variable.role in ("identifier", "design") or variable.type in ("string", "month"):
            return ()
        codes = tuple(self.framework.head.missing)
        if variable.status == "required":
            return tuple(code for code in codes if code in (DOES_NOT_KNOW, REFUSED))
        return codes

    def _names(self) -> Mapping[str, frozenset[str]]:
        held = {record: frozenset(item.name for item in self.of(record)) for record in RECORDS}
        return held | {"dyad": held["child"] | held["parent"]}


def select(framework: Framework, modules: Sequence[str] | None = None) -> Selection:
    """Return the variables of modules.

    Added to them: the modules that every file of their record kind holds (keys, design, background), those of
    the child's file always; and single variables of other modules, where a universe reads them.

    Args:
        framework: the framework version.
        modules: names of modules; None for all.

    Raises:
        UsageError: U141, no such module.
    """
    wanted = _wanted(framework, modules)
    items: list[Item] = []
    for record in RECORDS:
        names = {
            name
            for module in framework.modules.values()
            if module.record == record and module.module in wanted
            for name in module.variables
        }
        items += _items(framework, record, names | _filters(framework, record, names))
    return Selection(framework, tuple(items))


def _wanted(framework: Framework, modules: Sequence[str] | None) -> set[str]:
    if modules is None:
        return set(framework.modules)
    for name in modules:
        if name not in framework.modules:
            raise UsageError("U141", module=name, known=", ".join(framework.modules))
    records = {framework.modules[name].record for name in modules} | {"child"}
    always = {m.module for m in framework.modules.values() if m.always and m.record in records}
    return set(modules) | always


def _filters(framework: Framework, record: RecordKind, names: set[str]) -> set[str]:
    """Return the variables that the universes of others read, and so on."""
    found: set[str] = set()
    open_ends = set(names)
    while open_ends:
        universe = framework.universes.get((record, open_ends.pop()))
        if universe is not None:
            open_ends |= universe.variables - found
            found |= universe.variables
    return found


def _items(framework: Framework, record: RecordKind, names: set[str]) -> Iterator[Item]:
    for module in framework.modules.values():
        for name, variable in module.variables.items():
            if module.record == record and name in names:
                yield Item(record, module, name, variable, framework.universes.get((record, name)))
