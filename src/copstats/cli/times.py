"""Points in time on the command line."""

from __future__ import annotations

import datetime as dt

import click


def moment_option(_: click.Context, option: click.Parameter, value: str | None) -> dt.datetime | None:
    """Return an option's point in time in UTC; one without a zone is refused, since it could be any."""
    if value is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("not a time; write 2026-12-15T09:00+01:00", param=option) from None
    if moment.tzinfo is None:
        raise click.BadParameter("it needs its time zone, for example +01:00 or Z", param=option)
    return moment.astimezone(dt.UTC)
