"""``copstats schedule``."""

from __future__ import annotations

import click

from copstats.cli.application import Command, settings


@click.command(cls=Command)
def schedule() -> None:
    """Prepare and publish releases on the calendar of the home's settings, until interrupted.

    A release is prepared as many days ahead as the countries have to look at it, and put in its place on its
    day, after a person has approved it (copstats release LABEL) or, if the settings say so, by itself.
    """
    from copstats.cli.screen import progress
    from copstats.runner import serve_schedule
    from copstats.store.home import Home

    home = Home.open(settings().home_or())
    config = home.config
    with progress(f"Serving the release calendar for {home.path}; Ctrl-C stops it"):
        serve_schedule(home=home.path, cron=config.cron, zone=config.time_zone)
