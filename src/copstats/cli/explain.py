"""``copstats explain``."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from copstats.cli.application import Command, settings


@click.command(cls=Command)
@click.argument("indicator")
@click.argument("area")
@click.argument("year")
@click.option("--sex", help="Of a group: M or F.")
@click.option("--age", help="Age band, for example Y9T11.")
@click.option("--residence", help="U urban, R rural.")
@click.option("--wealth-quintile", help="Q1 poorest to Q5 richest.")
@click.option("--disability", help="PD with, PWD without disability.")
@click.option("--region", help="First-level administrative unit.")
@click.option("--standardised", is_flag=True, help="The value standardised by age and sex.")
@click.option("--survey", help="Acronym, where there are several surveys.")
@click.option(
    "--release",
    "release_name",
    metavar="RELEASE",
    type=click.Path(path_type=Path),
    help="Folder, or label in the home [the last one published].",
)
@click.option("--sql", is_flag=True, help="Print the SQL that makes the estimates, too.")
@click.option(
    "--restricted", is_flag=True, help="Show the estimate before disclosure control; noted in the audit log."
)
def explain(
    indicator: str,
    area: str,
    year: str,
    survey: str | None,
    release_name: Path | None,
    *,
    standardised: bool,
    sql: bool,
    restricted: bool,
    **dimensions: str | None,
) -> None:
    """Explain the published value of INDICATOR in AREA for YEAR: what it means and where it comes from.

    Definition, survey, comparability and the rule that withheld it follow from the release alone. The home
    adds wording, custody, SQL, earlier vintages and other rounds.

    AREA may be a region (AFR, 002, ldc, world), and YEAR that of the release: rules and members are shown.
    """
    from copstats.cli.explain_view import as_json, render, render_group
    from copstats.cli.screen import stdout
    from copstats.explaining import Asked, explainer
    from copstats.language import translations

    options = settings()
    named = {name: code for name, code in dimensions.items() if code is not None}
    asked = Asked(indicator.upper(), area.upper(), year, survey, named, standardised)
    with explainer(release_name, options.home_or(), restricted=restricted) as known:
        groups = known.explain_group(asked) if known.names_group(asked.area) else []
        values = [] if groups else known.explain(asked)
    if options.json:
        told = [*map(dataclasses.asdict, groups), *map(as_json, values)]
        print(json.dumps(told, ensure_ascii=False, default=str))
        return
    words = translations(options.language)
    for group in groups:
        stdout().print(render_group(group, words))
    for value in values:
        stdout().print(render(value, words, sql=sql))
