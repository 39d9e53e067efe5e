"""``copstats framework``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from copstats.cli.application import Group, settings
from copstats.cli.planning import assess, sample_size
from copstats.errors import UsageError
from copstats.exports import FORMATS

if TYPE_CHECKING:
    from rich.table import Table

    from copstats.framework import Framework, ParsedIndicator
    from copstats.language import Translations


@click.group(cls=Group)
@click.option("--version", "version", default=None, help="Framework version [the newest].")
@click.pass_context
def framework(context: click.Context, version: str | None) -> None:
    """What the methodological framework defines."""
    context.meta["version"] = version


def _load() -> Framework:
    from copstats.framework import load_framework
    from copstats.framework.versions import newest

    return load_framework(click.get_current_context().meta["version"] or newest())


def _words(loaded: Framework) -> Translations:
    from copstats.language import translations

    return translations(settings().language, loaded.id)


@framework.command("list")
@click.option("--modules", is_flag=True, help="Only modules and their variables.")
@click.option("--indicators", is_flag=True, help="Only indicators.")
def list_(modules: bool, indicators: bool) -> None:
    """List modules with their variables, and indicators."""
    loaded = _load()
    words = _words(loaded)
    both = modules == indicators
    if settings().json:
        out: dict[str, object] = {"framework": loaded.id, "version": loaded.head.version}
        if modules or both:
            out["modules"] = {name: list(module.variables) for name, module in loaded.modules.items()}
        if indicators or both:
            out["indicators"] = {
                code: words.text(i.definition.title) for code, i in loaded.indicators.items()
            }
        print(json.dumps(out, ensure_ascii=False))
        return
    from copstats.cli.screen import stdout

    screen = stdout()
    screen.print(f"[bold]{words.text(loaded.head.title)}[/]  {loaded.id} {loaded.head.version}\n")
    if modules or both:
        screen.print(_modules_table(loaded))
    if indicators or both:
        screen.print(_indicators_table(loaded, words))


def _modules_table(loaded: Framework) -> Table:
    from rich.table import Table

    table = Table("Module", "Record", "Variables ([dim]optional[/])", title="Modules", title_justify="left")
    for name, module in loaded.modules.items():
        names = [f"[dim]{n}[/]" if v.status == "optional" else n for n, v in module.variables.items()]
        table.add_row(name, module.record, ", ".join(names))
    return table


def _indicators_table(loaded: Framework, words: Translations) -> Table:
    from rich.table import Table

    table = Table("Code", "Title", "Recall", "Tier", title="Indicators", title_justify="left")
    for code, indicator in loaded.indicators.items():
        definition = indicator.definition
        table.add_row(code, words.text(definition.title), definition.recall, definition.tier)
    return table


@framework.command()
@click.argument("format", type=click.Choice(list(FORMATS)))
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), required=True, help="Folder or file."
)
@click.option("--modules", multiple=True, help="Only these modules and what they need: a,b,c.")
def export(format: str, target: Path, modules: tuple[str, ...]) -> None:
    r"""Export the framework in FORMAT, in the language of --language.

    \b
    codebook    XLSX and HTML for people
    crosswalk   manifest and crosswalk to fill in
    datapackage Frictionless Data Package
    ddi         DDI-Codebook 2.5
    gx          Great Expectations suites
    sdmx        structure, SDMX-ML 2.1, all languages
    template    empty CSV, XLSX, SPSS and Stata files
    xlsform     questionnaire for ODK, Kobo, SurveyCTO
    """
    from copstats.exports import exporter

    options = settings()
    chosen = [name for names in modules for name in names.split(",") if name]
    paths = exporter(format)(_load(), target, language=options.language, modules=chosen or None)
    if options.json:
        print(json.dumps({"format": format, "files": [str(path) for path in paths]}, ensure_ascii=False))
        return
    for path in paths:
        print(path)
    from copstats.language import translations

    if notice := translations(options.language).notice:
        click.echo(notice, err=True)


@framework.command()
@click.argument("old")
@click.argument("new")
def diff(old: str, new: str) -> None:
    """Show what changed from framework version OLD to NEW, and what follows from it."""
    from copstats.framework.difference import difference_between

    options = settings()
    found = difference_between(old, new)
    if options.json:
        print(json.dumps(found.as_json(), ensure_ascii=False))
        return
    from copstats.language import translations

    print(found.render(translations(options.language)))


@framework.command()
@click.argument("crosswalk", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("old")
@click.argument("new")
@click.option("-o", "--output", "target", type=click.Path(dir_okay=False, path_type=Path), required=True)
def migrate(crosswalk: Path, old: str, new: str, target: Path) -> None:
    """Rewrite CROSSWALK from framework version OLD to NEW; what a person must decide is told."""
    from copstats.framework.difference import difference_between
    from copstats.framework.migration import migrate_crosswalk
    from copstats.language import translations

    options = settings()
    migrated = migrate_crosswalk(crosswalk, difference_between(old, new))
    target.write_text(migrated.text, "utf-8")
    words = translations(options.language)
    notes = [note.text(words) for note in migrated.notes]
    if options.json:
        print(json.dumps({"file": str(target), "notes": notes}, ensure_ascii=False))
        return
    for note in notes:
        print(note)
    print(target)


@framework.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the variable or indicator NAME."""
    loaded = _load()
    words = _words(loaded)
    found: dict[str, object]
    if name.upper() in loaded.indicators:
        found = _indicator(loaded, loaded.indicators[name.upper()], words)
    else:
        records = [r for r in ("child", "parent") if name.lower() in loaded.variables(r)]
        if not records:
            raise UsageError("U103", name=name)
        found = _variable(loaded, name.lower(), records[0], words)
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
    if words.notice:
        stdout().print(f"[dim]{words.notice}[/]")


def _variable(loaded: Framework, name: str, record: str, words: Translations) -> dict[str, object]:
    variable = loaded.variables(record)[name]
    used = [code for code, i in loaded.indicators.items() if name in i.variables]
    limits = [variable.minimum, variable.maximum]
    return {
        "variable": name,
        "label": words.text(variable.label),
        "definition": words.text(variable.definition) if variable.definition else None,
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
        "codes": {
            code: words.text(entry.label, variable.codelist) for code, entry in loaded.codes(variable).items()
        },
        "missing codes": {code: words.text(entry.label) for code, entry in loaded.head.missing.items()},
    }


def _indicator(loaded: Framework, indicator: ParsedIndicator, words: Translations) -> dict[str, object]:
    definition = indicator.definition
    members = ", ".join(definition.members)
    return {
        "indicator": definition.code,
        "title": words.text(definition.title),
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
        "note": words.text(definition.note) if definition.note else None,
    }


framework.add_command(assess)
framework.add_command(sample_size)
