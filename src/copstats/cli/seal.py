"""``copstats seal``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from copstats.cli.application import Command, settings
from copstats.errors import EXIT_DATA, UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from copstats.language import Translations
    from copstats.process.leaving import Contents
    from copstats.process.sealing import Prepared
    from copstats.steps import Sealed
    from copstats.steps.sealing import Seals

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PLACE = click.Path(exists=True, path_type=Path)
_SHOWN = 12
"""So many categories of a column are listed; --json lists all."""


@click.command(cls=Command)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "recipient",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Public key of the receiving side.",
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the sealed file [this one]."
)
@click.option("--show", is_flag=True, help="List exactly what will leave; write nothing. Needs no key.")
@click.option("--manifest", type=_FILE, help="Manifest of a bare data file, if not beside it.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the data files, if elsewhere.")
@click.option("--previous", type=_PLACE, multiple=True, help="Earlier round or version, for comparison.")
@click.option("--passphrase-file", type=_FILE, help="File (0600) with the passphrase of the keys.")
@click.option("--areas", type=_FILE, help="Table of further areas, for training with fictional ones.")
def seal(  # noqa: PLR0917 - options
    path: Path,
    recipient: Path | None,
    out: Path | None,
    show: bool,
    manifest: Path | None,
    data: Path | None,
    previous: tuple[Path, ...],
    passphrase_file: Path | None,
    areas: Path | None,
) -> None:
    """Check the submission at PATH and write what may leave the country of it into one sealed file.

    Works offline, at the statistics office: columns that the framework does not name stay behind, what could
    identify a child becomes coarser, keys become pseudonyms under the office's own key. The file can be read
    by the receiving side alone, and shows who made it. Ends with status 1 if the check finds errors.
    """
    from copstats import steps
    from copstats.cli.screen import progress, stdout
    from copstats.language import translations
    from copstats.process.report import render_terminal

    if not show and recipient is None:
        raise click.UsageError(
            "Name the receiving side's public key with --to, or list what would leave with --show."
        )
    options = settings()
    words = translations(options.language)
    seals = None if show else _seals(recipient, out, passphrase_file, words)
    with progress(f"Sealing {path.name} ..."):
        sealed = steps.seal(
            path, seals, manifest=manifest, data=data, areas=steps.area_table(areas), previous=previous
        )
    if sealed.prepared is None:
        if options.json:
            from copstats.process.report import as_json

            print(json.dumps(as_json(sealed.checked.result, words), ensure_ascii=False))
        else:
            stdout().print(render_terminal(sealed.checked.result, sealed.checked.framework, words))
        raise click.exceptions.Exit(EXIT_DATA)
    if options.json:
        print(json.dumps(_for_machines(sealed, sealed.prepared, words), ensure_ascii=False))
    else:
        _tell(sealed, sealed.prepared, words, listed=show)


def _seals(
    recipient: Path | None, out: Path | None, passphrase_file: Path | None, words: Translations
) -> Seals:
    from copstats.cli.keys import office_keys
    from copstats.steps.sealing import Seals
    from copstats.store.custody.public import ReceivingKeyPublic, read_public

    assert recipient is not None  # noqa: S101 - seen to by the caller
    public = read_public(recipient)
    if not isinstance(public, ReceivingKeyPublic):
        raise UsageError("U326", where=recipient.name)
    folder = out or Path.cwd()
    if not folder.is_dir():
        raise UsageError("U327", where=str(folder))
    return Seals(office_keys(passphrase_file, words), public, folder)


def _tell(sealed: Sealed, prepared: Prepared, words: Translations, *, listed: bool) -> None:
    from copstats.cli.screen import stdout
    from copstats.process.sealing import contents

    screen, text = stdout(), words.text
    titles = {"child": text("Records of children"), "parent": text("Records of parents")}
    for kind, content in contents(prepared, words).items():
        screen.print(f"[bold]{titles[kind]}: {words.number(content.records)}[/]")
        told = {"count": words.number(len(content.columns)), "stay": words.number(len(content.stay))}
        screen.print(text("Columns that leave: {count}; columns of your file that stay: {stay}.", **told))
        if listed:
            screen.print(_table(content, words))
            if content.stay:
                screen.print(screen.plain(text("These stay: {columns}.", columns=", ".join(content.stay))))
        screen.print()
    if listed:
        screen.print(text("No other column, no name of a file and no note leaves."))
        screen.print()
    screen.print(f"[bold]{text('What was done, and how well the children are hidden')}[/]")
    for line in prepared.in_words(words):
        screen.print(screen.plain(f"- {line}"))
    screen.print()
    if sealed.path is None or sealed.head is None:
        screen.print(text("Nothing was written. Seal with `copstats seal PATH --to KEY`."))
        return
    screen.print(f"[bold]{text('Sealed: {file}', file=screen.plain(str(sealed.path)))}[/]")
    for line in (
        text("Signed with the key {fingerprint}.", fingerprint=sealed.head.signing_key),
        text("Only the holder of the key {fingerprint} can read it.", fingerprint=sealed.head.receiving_key),
    ):
        screen.print(line)


def _table(content: Contents, words: Translations) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in (
        words.text("Column"),
        words.text("What it holds"),
        words.text("How it leaves"),
        words.text("Categories"),
    ):
        table.add_column(title, overflow="fold")
    for column in content.columns:
        shown = list(column.categories[:_SHOWN])
        if len(column.categories) > _SHOWN:
            more = words.number(len(column.categories) - _SHOWN)
            shown.append(words.text("and others: {count}", count=more))
        table.add_row(column.name, column.label, column.treatment, ", ".join(shown))
    return table


def _for_machines(sealed: Sealed, prepared: Prepared, words: Translations) -> dict[str, object]:
    from copstats.process.sealing import contents

    leaving = {
        kind: {
            "records": content.records,
            "stay": list(content.stay),
            "columns": [
                {"name": c.name, "label": c.label, "treatment": c.treatment, "categories": list(c.categories)}
                for c in content.columns
            ],
        }
        for kind, content in contents(prepared, words).items()
    }
    return {
        "submission": sealed.checked.delivery.id,
        "sealed": None if sealed.path is None else str(sealed.path),
        "signing_key": None if sealed.head is None else sealed.head.signing_key,
        "receiving_key": None if sealed.head is None else sealed.head.receiving_key,
        "leaving": leaving,
        "risk": list(prepared.in_words(words)),
    }
