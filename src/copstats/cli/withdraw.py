"""``copstats withdraw``."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from copstats.cli.application import Group, settings
from copstats.errors import UsageError
from copstats.language import translations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from copstats.steps.withdrawal import Withdrawn

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_panel = click.option("--panel", is_flag=True, help="The pseudonyms of the wave are kept between rounds.")
_identifiers = click.option(
    "--identifiers", type=_FILE, help="File with one identifier a line [typed, or standard input]."
)
_by = click.option("--by", default=getpass.getuser, help="Who decides [the account that runs the command].")
_reason = click.option("--reason", required=True, help="Why: no data of persons.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group(cls=Group)
def withdraw() -> None:
    """Take back children, a submission, or all of a country; what was published stays as it is."""


@withdraw.command()
@click.argument("wave")
@_identifiers
@_panel
@click.option(
    "--out",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Folder for the request.",
)
@click.option("--passphrase-file", type=_FILE, help="File (0600) with the passphrase of the keys.")
def request(
    wave: str, identifiers: Path | None, panel: bool, out: Path, passphrase_file: Path | None
) -> None:
    """At the office: write the signed request to withdraw children from WAVE, for example KEN_2026_COPS.

    The identifiers are those of the column child_id, one a line. They never stand on the command line, where
    other accounts could read them, and the request holds pseudonyms alone.
    """
    from copstats.cli.keys import office_keys
    from copstats.steps.withdrawal import request_withdrawal

    words = translations(settings().language)
    keys = office_keys(passphrase_file, words)
    today = dt.datetime.now(dt.UTC).date()
    path = request_withdrawal(keys, wave, _lines(identifiers), out, today, panel=panel)
    if settings().json:
        print(json.dumps({"wave": wave, "request": str(path)}, ensure_ascii=False))
    else:
        print(words.text("Written: {file}. Send it to the receiving side.", file=str(path)))


@withdraw.command()
@click.argument("request_or_wave", metavar="REQUEST")
@_identifiers
@_panel
def children(request_or_wave: str, identifiers: Path | None, panel: bool) -> None:
    """At the receiving side: withdraw the children of REQUEST, the file that the office sent.

    For a wave that came as a raw file, name the wave in the place of the file and give the identifiers of the
    children. Their records and the sums that they entered are destroyed, no version of the wave brings them
    back, and no release changes for it alone.
    """
    from copstats.steps.withdrawal import withdraw_identified, withdraw_requested
    from copstats.store.withdrawal_request import SUFFIX

    home = settings().home_or()
    if request_or_wave.endswith(SUFFIX):
        done = withdraw_requested(home, Path(request_or_wave))
    else:
        done = withdraw_identified(home, request_or_wave, _lines(identifiers), panel=panel)
    _tell(done)


@withdraw.command()
@click.argument("submission_id")
@_reason
@_by
@_yes
def submission(submission_id: str, reason: str, by: str, yes: bool) -> None:
    """Destroy the records and estimates of SUBMISSION_ID; the same content is not taken in again."""
    from copstats.steps.withdrawal import withdraw_submission

    _confirm(submission_id, yes)
    _tell(withdraw_submission(settings().home_or(), submission_id, who=by, reason=reason))


@withdraw.command()
@click.argument("area")
@_reason
@_by
@_yes
def country(area: str, reason: str, by: str, yes: bool) -> None:
    """Destroy the keys of AREA, and with them everything that is kept of it, in every copy."""
    from copstats.steps.withdrawal import withdraw_country

    _confirm(area, yes)
    _tell(withdraw_country(settings().home_or(), area, who=by, reason=reason))


def _lines(file: Path | None) -> Iterable[str]:
    """Return what was typed, piped or written to a file; a question shows only where somebody types."""
    if file is not None:
        try:
            return file.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError):
            raise UsageError("U353", where=file.name) from None
    if sys.stdin.isatty():
        words = translations(settings().language)
        print(words.text("Identifiers of the children, one a line; end with an empty line:"), file=sys.stderr)
        return list(iter(lambda: sys.stdin.readline().strip(), ""))
    return sys.stdin.read().splitlines()


def _confirm(subject: str, yes: bool) -> None:
    words = translations(settings().language)
    question = words.text(
        "What is kept of {subject} cannot be brought back. Type it to go on", subject=subject
    )
    if not yes and click.prompt(question, err=True).strip() != subject:
        raise UsageError("U354", where=subject)


def _tell(done: Withdrawn) -> None:
    words = translations(settings().language)
    if settings().json:
        told = {name: getattr(done, name) for name in ("subject", "children", "records", "data_keys")}
        print(json.dumps(told, ensure_ascii=False))
        return
    text, number = words.text, words.number
    print(text("Withdrawn: {subject}", subject=done.subject))
    if done.children:
        print(text("Children withdrawn for the first time: {count}", count=number(done.children)))
    print(text("Records destroyed: {count}", count=number(done.records)))
    if done.data_keys:
        print(text("Data keys that open nothing any more, in no copy: {count}", count=number(done.data_keys)))
        print(text("The country's key was replaced: back the keys up again, and destroy older backups."))
    print(text("Releases that were published stay as they are."))
