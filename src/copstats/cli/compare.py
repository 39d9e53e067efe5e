"""``copstats compare``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from copstats.cli.application import Command, settings

_DIMENSIONS = ("sex", "age", "residence", "wealth_quintile", "disability")


@click.command(cls=Command)
@click.argument("indicator")
@click.option("--areas", metavar="CODES", default="", help="Areas to compare, as XAA,XBB [all].")
@click.option("--by", type=click.Choice(_DIMENSIONS), help="Compare the groups of each survey instead.")
@click.option("--change", is_flag=True, help="Compare the rounds of each survey instead.")
@click.option(
    "--release",
    "release_name",
    metavar="RELEASE",
    type=click.Path(path_type=Path),
    help="A folder, or the label of a release in the home [the newest].",
)
def compare(indicator: str, areas: str, by: str | None, change: bool, release_name: Path | None) -> None:
    """Compare published values of INDICATOR, with tests for all pairs together and ranks with their sets.

    Areas are compared by their newest values of classes A and B. --by compares the groups of each survey,
    --change its rounds. What is left out is listed with the reason.
    """
    from copstats.cli import compare_view as view
    from copstats.cli.screen import stdout
    from copstats.compare import compare_areas, compare_groups, compare_rounds
    from copstats.language import translations

    if by is not None and change:
        raise click.UsageError("Take --by or --change, not both.")
    options = settings()
    words, folder = translations(options.language), _folder(release_name)
    codes = [code.strip().upper() for code in areas.split(",") if code.strip()]
    if by is not None:
        groups = compare_groups(folder, indicator, by, areas=codes)
        shown, content = view.groups(groups, words), view.rows(groups)
    elif change:
        rounds = compare_rounds(folder, indicator, areas=codes)
        shown, content = view.rounds(rounds, words), view.rows(rounds)
    else:
        found = compare_areas(folder, indicator, areas=codes)
        shown, content = view.areas(found, words), view.areas_as_json(found)
    if options.json:
        print(json.dumps({"indicator": indicator, **content}, ensure_ascii=False))
    else:
        stdout().print(shown)


def _folder(release_name: Path | None) -> Path:
    """Return the folder of the release that is named, or of the newest one in the home."""
    from copstats.errors import UsageError
    from copstats.store.home import Home

    if release_name is not None and release_name.exists():
        return release_name
    releases = Home.open(settings().home_or()).releases
    if release_name is not None:
        return releases.folder(str(release_name))
    if not (labels := releases.labels()):
        raise UsageError("U186")
    return releases.folder(labels[-1])
