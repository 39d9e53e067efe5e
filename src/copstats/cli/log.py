"""``copstats log``."""

from __future__ import annotations

import json

import click

from copstats.cli.application import Group, settings
from copstats.errors import EXIT_DATA


@click.group(cls=Group)
def log() -> None:
    """The audit chain of the home folder."""


@log.command()
def verify() -> None:
    """Verify that no entry of the audit log was changed, removed or moved."""
    from copstats.store import Home

    options = settings()
    home = Home.open(options.home_or())
    problems = home.audit.verify()
    entries, anchor = home.audit.head()
    if options.json:
        print(json.dumps({"entries": entries, "anchor": anchor, "problems": problems}, ensure_ascii=False))
    elif problems:
        for problem in problems:
            print(problem)
    else:
        print(f"The audit log is whole: {entries} entries, anchor {anchor}.")
    if problems:
        raise click.exceptions.Exit(EXIT_DATA)
