"""``copstats check``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from copstats.cli.application import Command, settings
from copstats.errors import EXIT_DATA


@click.command(cls=Command)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the data files, if elsewhere.")
@click.option(
    "--areas",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Table of further areas, for training with fictional ones.",
)
def check(path: Path, data: Path | None, areas: Path | None) -> None:
    """Check the submission at PATH (a folder or zip) against the framework that it follows.

    Works offline; nothing leaves this computer and nothing is stored. Ends with status 0 if the submission
    can be accepted, 1 if it must be corrected.
    """
    from copstats import steps
    from copstats.cli.screen import progress, stdout
    from copstats.language import translations
    from copstats.process.report import as_json, render_terminal

    options = settings()
    words = translations(options.language)
    with progress(f"Checking {path.name} ..."):
        outcome = steps.check(path, data=data, areas=steps.area_table(areas))
    if options.json:
        print(json.dumps(as_json(outcome.result, words), ensure_ascii=False))
    else:
        stdout().print(render_terminal(outcome.result, outcome.framework, words))
    if not outcome.result.accepted:
        raise click.exceptions.Exit(EXIT_DATA)
