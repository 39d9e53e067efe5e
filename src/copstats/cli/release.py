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

    options = settings()
    home = options.home_or()
    year = steps.year_of(label)
    with progress(f"Release {label}"):
        for one in steps.waves_to_estimate(home):
            steps.estimate(home, one, as_of_year=year)
        published = steps.publish(home, label)
    if options.json:
        print(json.dumps({"label": label, "state": published.state, "folder": str(published.folder)}))
    else:
        print(f"{published.folder}: {published.state}")


@click.command(cls=Command)
@click.argument("release_folder", metavar="RELEASE", type=click.Path(path_type=Path))
def audit(release_folder: Path) -> None:
    """Verify RELEASE, a folder or the label of a release in the home: signature, hashes, withheld cells.

    Ends with status 1 if a byte was changed or a withheld cell has a value.
    """
    from copstats.disseminate.verify import verify_release
    from copstats.store.home import Home

    options = settings()
    key = None
    folder = release_folder
    if not folder.is_dir():
        home = Home.open(options.home_or())
        folder, key = home.releases.folder(str(release_folder)), home.keys.public_key()
    problems = verify_release(folder, public_key=key)
    if options.json:
        print(
            json.dumps({"release": str(folder), "problems": [str(p) for p in problems]}, ensure_ascii=False)
        )
    elif problems:
        for problem in problems:
            print(problem)
    else:
        print(f"{folder}: the signature holds, every file is as signed, withheld cells hold no value.")
    if problems:
        raise click.exceptions.Exit(EXIT_DATA)
