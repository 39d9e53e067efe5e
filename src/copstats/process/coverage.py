"""Holds the modules that a manifest declares against the variables of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from copstats.framework.definitions import Module
from copstats.process.records import RecordTable


@dataclass(frozen=True)
class Covered:
    """How much of a module a file holds.

    Attributes:
        rule_class: ``module_thin`` for a module that the manifest declares, else ``module_undeclared``.
        module: its name.
        broken: whether the file holds too little of a declared module, or much of one that is not declared.
        counts: ``held`` and ``core``: core variables in the file, core variables of the module.
    """

    rule_class: str
    module: str
    broken: bool
    counts: Mapping[str, int]


def module_coverage(table: RecordTable) -> Iterator[Covered]:
    """Yield every module of the record kind that a survey may leave out and that has core variables."""
    classes = table.framework.rules.classes
    for module in table.framework.modules.values():
        core = _core(module)
        if module.record != table.record or module.always or not core:
            continue
        declared = module.module in table.manifest.modules
        rule_class = "module_thin" if declared else "module_undeclared"
        held = sum(name in table.present for name in core)
        enough = held >= (classes[rule_class].share or 0) * len(core)
        yield Covered(rule_class, module.module, enough is not declared, {"held": held, "core": len(core)})


def _core(module: Module) -> list[str]:
    return [name for name, variable in module.variables.items() if variable.status == "core"]
