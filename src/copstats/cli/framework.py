"""``copstats framework``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from copstats.cli.application import Group, settings
from copstats.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from copstats.framework import Framework, ParsedIndicator
    from copstats.framework.definitions import Variable


@click.group(cls=Group)
@click.option("--version", "version", default=None, help="Framework version [the newest].")
@click.pass_context
def framework(context: click.Context, version: str | None) -> None:
    """What the methodological framework defines."""
    context.meta["version"] = version


def _load() -> Framework:
    from copstats.framework import DEFAULT_FRAMEWORK, load_framework

    return load_framework(click.get_current_context().meta["version"] or DEFAULT_FRAMEWORK)


@framework.command("list")
@click.option("--modules", is_flag=True, help="Only modules and their variables.")
@click.option("--indicators", is_flag=True, help="Only indicators.")
def list_(modules: bool, indicators: bool) -> None:
    """List modules with their variables, and indicators."""
    loaded = _load()
    both = modules == indicators
    if settings().json:
        out: dict[str, object] = {"framework": loaded.id, "version": loaded.head.version}
        if modules or both:
            out["modules"] = {name: list(module.variables) for name, module in loaded.modules.items()}
        if indicators or both:
            out["indicators"] = {code: i.definition.title for code, i in loaded.indicators.items()}
        print(json.dumps(out, ensure_ascii=False))
        return
    from copstats.cli.screen import stdout

    screen = stdout()
    screen.print(f"[bold]{loaded.head.title}[/]  {loaded.id}, version {loaded.head.version}\n")
    if modules or both:
        screen.print(_modules_table(loaded))
    if indicators or both:
        screen.print(_indicators_table(loaded))


def _modules_table(loaded: Framework) -> Table:
    from rich.table import Table

    table = Table("Module", "Record", "Variables ([dim]optional[/])", title="Modules", title_justify="left")
    for name, module in loaded.modules.items():
        names = [f"[dim]{n}[/]" if v.status == "optional" else n for n, v in module.variables.items()]
        table.add_row(name, module.record, ", ".join(names))
    return table


def _indicators_table(loaded: Framework) -> Table:
    from rich.table import Table

    table = Table("Code", "Title", "Recall", "Tier", title="Indicators", title_justify="left")
    for code, indicator in loaded.indicators.items():
        table.add_row(
            code, indicator.definition.title, indicator.definition.recall, indicator.definition.tier
        )
    return table


@framework.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the variable or indicator NAME."""
    loaded = _load()
    found: dict[str, object]
    if name.upper() in loaded.indicators:
        found = _indicator(loaded, loaded.indicators[name.upper()])
    else:
        records = [r for r in ("child", "parent") if name.lower() in loaded.variables(r)]
        if not records:
            raise UsageError("U103", name=name)
        found = _variable(loaded, name.lower(), records[0], loaded.variables(records[0])[name.lower()])
    if settings().json:
        print(json.dumps(found, ensure_ascii=False))
        return
    from copstats.cli.screen import stdout

    for key, value in found.items():
        if isinstance(value, dict):
            stdout().print(f"[bold]{key}[/]")
            for code, label in value.items():
                stdout().print(f"  {code:>4}  {label}")
        elif value not in (None, "", []):
            text = ", ".join(value) if isinstance(value, list) else value
            stdout().print(f"[bold]{key:<14}[/] {text}")


def _variable(loaded: Framework, name: str, record: str, variable: Variable) -> dict[str, object]:
    used = [code for code, i in loaded.indicators.items() if name in i.variables]
    limits = [variable.minimum, variable.maximum]
    return {
        "variable": name,
        "label": variable.label,
        "definition": variable.definition,
        "record": record,
        "module": loaded.module_of(record, name).module,
        "type": variable.type,
        "range": None
        if limits == [None, None]
        else " to ".join("" if x is None else f"{x:g}" for x in limits),
        "universe": variable.universe or "everyone",
        "recall": variable.recall,
        "status": variable.status,
        "sensitivity": variable.sensitivity,
        "tier": variable.tier,
        "privacy": variable.privacy,
        "source": variable.source,
        "indicators": used,
        "codes": {code: entry.label for code, entry in loaded.codes(variable).items()},
        "missing codes": {code: entry.label for code, entry in loaded.head.missing.items()},
    }


def _indicator(loaded: Framework, indicator: ParsedIndicator) -> dict[str, object]:
    definition = indicator.definition
    members = ", ".join(definition.members)
    return {
        "indicator": definition.code,
        "title": definition.title,
        "unit": definition.unit,
        "universe": definition.universe,
        "denominator": definition.denominator,
        "numerator": definition.numerator or f"{definition.combine} of {members}",
        "ages": f"{definition.ages.minimum}-{definition.ages.maximum}",
        "recall": definition.recall,
        "tier": definition.tier,
        "disaggregations": definition.disaggregations or loaded.head.standard_disaggregations,
        "variables": sorted(indicator.variables),
        "reference": definition.reference,
        "note": definition.note,
    }
