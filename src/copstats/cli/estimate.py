"""``copstats estimate``."""

from __future__ import annotations

import datetime as dt
import json

import click

from copstats.cli.application import Command, settings


@click.command(cls=Command)
@click.argument("submission_id", required=False)
@click.option("--as-of", type=int, help="Year against which the age of the data is judged [this year].")
def estimate(submission_id: str | None, as_of: int | None) -> None:
    """Estimate the indicators of all accepted waves, or of SUBMISSION_ID.

    The estimates are unrounded and restricted: they stay sealed in the home. --json prints them, one object a
    row.
    """
    from copstats import steps
    from copstats.cli.screen import progress

    options = settings()
    home = options.home_or()
    year = as_of or dt.datetime.now(dt.UTC).year
    with progress("Estimating"):
        ids = [submission_id] if submission_id else steps.waves_to_estimate(home)
        outcomes = {one: steps.estimate(home, one, as_of_year=year) for one in ids}
    if options.json:
        _print_rows(ids)
        return
    for one, outcome in outcomes.items():
        print(f"{one}: {outcome}")


COLUMNS = ("estimate", "se", "ci_lower", "ci_upper", "df", "n", "psus", "deff")


def _print_rows(ids: list[str]) -> None:
    from copstats.store.home import Home
    from copstats.store.schemas import DIMENSIONS

    names = ("ref_area", "survey", "reference_year", "indicator", *DIMENSIONS, *COLUMNS)
    rows = Home.open(settings().home_or()).warehouse.read(ids)
    for row in rows.filter(rows["estimate"].is_valid()).select(names).to_pylist():
        print(json.dumps(row, ensure_ascii=False))
