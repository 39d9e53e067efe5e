"""``copstats log``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from copstats.cli.application import Group, settings
from copstats.errors import EXIT_DATA, ReleaseError
from copstats.language import translations

if TYPE_CHECKING:
    from copstats.store.audit import Head
    from copstats.store.home import Home


@click.group(cls=Group)
def log() -> None:
    """The audit chain of the home folder."""


@log.command()
@click.argument("releases", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
def verify(releases: tuple[Path, ...]) -> None:
    """Verify that no entry of the audit log was changed, removed or moved, nor its end cut off.

    The end is held against every release of the home and against RELEASES, folders that somebody else kept:
    each names the last entry of its day.
    """
    from copstats.store import Home

    options = settings()
    words = translations(options.language)
    home = Home.open(options.home_or())
    anchors = _anchors(home, releases)
    problems = home.audit.verify(*anchors)
    entries = sum(1 for _ in home.audit.entries())
    if options.json:
        found = {
            "entries": entries,
            "anchor": None if problems else home.audit.head().mac,
            "releases": len(anchors),
            "problems": [str(problem) for problem in problems],
        }
        print(json.dumps(found, ensure_ascii=False))
    elif problems:
        for problem in problems:
            print(problem)
    else:
        told = {"entries": words.number(entries), "anchor": home.audit.head().mac}
        print(words.text("The audit log is whole: {entries} entries, anchor {anchor}.", **told))
        print(words.text("Releases whose entry it still holds: {count}.", count=words.number(len(anchors))))
    if problems:
        raise click.exceptions.Exit(EXIT_DATA)


@log.command()
@click.argument("subject", required=False)
def show(subject: str | None) -> None:
    """List the entries of the audit log, or those on SUBJECT, a submission or release; unverified."""
    from copstats.store import Home

    options = settings()
    home = Home.open(options.home_or())
    entries = [entry for entry in home.audit.entries() if subject in (None, entry["subject"])]
    if options.json:
        print(json.dumps([dict(entry) for entry in entries], ensure_ascii=False))
        return
    for entry in entries:
        facts = " ".join(f"{name}={value}" for name, value in entry["facts"].items())
        line = (
            f"{entry['sequence']:>6}  {entry['at'][:19]}  {entry['action']:<22} {entry['subject']}  {facts}"
        )
        print(line.rstrip())


def _anchors(home: Home, kept: tuple[Path, ...]) -> list[Head]:
    """Return the ends of the chain that releases name: those of the home, and others of this home's key.

    Raises:
        ReleaseError: R097, a release names none, or another home signed it.
    """
    from copstats.disseminate.anchor import ANCHOR, read_anchor
    from copstats.store.audit import Head

    own = [
        folder for folder in map(home.releases.folder, home.releases.labels()) if (folder / ANCHOR).exists()
    ]
    found = []
    for folder in [*own, *kept]:
        anchor = read_anchor(folder, home.keys.public_key())
        if anchor is None:
            raise ReleaseError("R097", where=folder.name)
        found.append(Head(anchor.sequence, anchor.mac))
    return found
