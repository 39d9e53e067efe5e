"""``copstats release`` and ``copstats audit``."""

from __future__ import annotations

import datetime as dt
import getpass
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from copstats.cli.application import Command, settings
from copstats.cli.times import moment_option
from copstats.errors import EXIT_DATA

if TYPE_CHECKING:
    from copstats.language import Translations
    from copstats.steps import Published


@click.command(cls=Command)
@click.argument("label")
@click.option("--prepare", is_flag=True, help="Build, sign, open the countries' review, and stop.")
@click.option(
    "--embargo",
    metavar="TIME",
    callback=moment_option,
    help="Not before this time, for example 2026-12-15T09:00+01:00.",
)
@click.option("--by", default=getpass.getuser, help="Who approves it [the account that runs the command].")
def release(label: str, prepare: bool, embargo: dt.datetime | None, by: str) -> None:
    """Publish the release LABEL (for example 2026-Q4) from all accepted waves.

    It is built, audited and signed aside; each country may look at its new and revised values (copstats
    review) for the days that the home's settings give; then one rename puts it in its place. Run the command
    again when the review or the embargo is over. A release is immutable: the same inputs again change
    nothing, other inputs need another label.
    """
    from copstats import steps
    from copstats.cli.screen import progress
    from copstats.language import translations
    from copstats.vintages import held_units

    options = settings()
    home, words = options.home_or(), translations(options.language)
    year = steps.year_of(label)
    with progress(f"Release {label}"):
        for one in steps.waves_to_estimate(home):
            steps.estimate(home, one, as_of_year=year)
        published = steps.publish(home, label, by="" if prepare else by, not_before=embargo)
    held = held_units(published.settled, words)
    if options.json:
        told = {
            "label": label,
            "state": published.state,
            "folder": str(published.folder),
            "held": held,
            "waits_for": published.waits_for,
            "until": published.until.isoformat() if published.until else None,
        }
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{published.folder}: {published.state}")
        for line in (*held, *_next(published, words)):
            print(line)


def _next(published: Published, words: Translations) -> Iterator[str]:
    """Yield what a release waits for and what to do."""
    until = f"{published.until:%Y-%m-%d %H:%M} UTC" if published.until else ""
    if published.state == "in_review":
        areas = ", ".join(published.waits_for)
        yield words.text("Countries that may still answer, until {until}: {areas}", until=until, areas=areas)
        yield words.text("What each may see: copstats review show {label} AREA", label=published.label)
    if published.state == "to_be_approved":
        yield words.text("To put it in its place: copstats release {label}", label=published.label)
    if published.state == "embargoed":
        yield words.text("Under embargo until {until}; the calendar publishes it then", until=until)


@click.command(cls=Command)
@click.argument("release_name", metavar="RELEASE", type=click.Path(path_type=Path))
@click.option(
    "--against",
    metavar="RELEASE",
    type=click.Path(path_type=Path),
    multiple=True,
    help="An earlier release, folder or label; may be repeated.",
)
def audit(release_name: Path, against: tuple[Path, ...]) -> None:
    """Audit RELEASE, a folder or the label of a release in the home.

    Verifies signature, hashes and shape; then says how exactly every withheld figure can be worked out from
    the published ones, alone and together with earlier releases.

    Of a release in the home the attacker knows all numbers and weights of answers; of a folder their bands.
    Ends with status 1 if a byte was changed or something can be worked out too exactly.
    """
    from copstats.auditing import audit_release
    from copstats.cli import audit_view
    from copstats.cli.screen import stdout
    from copstats.language import translations

    options = settings()
    audited = audit_release(release_name, options.home_or(), against=against)
    if options.json:
        print(json.dumps(audit_view.as_json(audited), ensure_ascii=False))
    else:
        stdout().print(audit_view.render(audited, translations(options.language)))
    if not audited.passed:
        raise click.exceptions.Exit(EXIT_DATA)
