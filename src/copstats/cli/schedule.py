"""``copstats schedule``."""

from __future__ import annotations

import click

from copstats.cli.application import Command, settings


@click.command(cls=Command)
def schedule() -> None:
    """Publish on the calendar of flows/prefect.yaml, in this process, until interrupted."""
    from copstats.cli.screen import progress
    from copstats.runner import serve_schedule
    from copstats.store.home import Home

    home = Home.open(settings().home_or())
    with progress(f"Serving the release calendar for {home.path}; Ctrl-C stops it"):
        serve_schedule(home=home.path)
