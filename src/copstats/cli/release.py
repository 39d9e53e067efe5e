"""``copstats release`` and ``copstats audit``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from copstats.cli.application import Command, settings
from copstats.errors import EXIT_DATA


@click.command(cls=Command)
@click.argument("label")
def release(label: str) -> None:
    """Publish the release LABEL (for example 2026-Q4) from all accepted waves.

    A release is immutable: the same inputs again change nothing, other inputs need another label.
    """
    from copstats import steps
    from copstats.cli.screen import progress
    from copstats.language import translations
    from copstats.vintages import held_units

    options = settings()
    home = options.home_or()
    year = steps.year_of(label)
    with progress(f"Release {label}"):
        for one in steps.waves_to_estimate(home):
            steps.estimate(home, one, as_of_year=year)
        published = steps.publish(home, label)
    held = held_units(published.settled, translations(options.language))
    if options.json:
        told = {"label": label, "state": published.state, "folder": str(published.folder), "held": held}
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{published.folder}: {published.state}")
        for line in held:
            print(line)


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
