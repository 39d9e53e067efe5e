"""``copstats keys``."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from copstats.cli.application import Group, settings
from copstats.errors import UsageError
from copstats.language import translations

if TYPE_CHECKING:
    from copstats.language import Translations
    from copstats.store.home import Home
    from copstats.store.keys import KeyStore

_FILE = click.Path(dir_okay=False, path_type=Path)
_passphrase_file = click.option(
    "--passphrase-file", type=_FILE, help="File (0600) with the passphrase, in place of the question."
)


@click.group(cls=Group)
def keys() -> None:
    """Make, hand out, register, back up, replace and destroy keys."""


@dataclass
class _Place:
    """The keys of the home named on the command line, and the home itself where there is one."""

    keys: KeyStore
    home: Home | None
    words: Translations

    def record(self, action: str, subject: str, **facts: str | int) -> None:
        """Enter what was done in the audit chain of the home."""
        if self.home is not None:
            self.home.audit.append(f"key.{action}", subject, **facts)

    def tell(self, found: Any, *lines: str) -> None:
        """Print the result: for machines, or in words."""
        print(json.dumps(found, ensure_ascii=False) if settings().json else "\n".join(lines))


def _place(passphrase_file: Path | None = None, *, create: bool = False) -> _Place:
    from copstats.store.config import CONFIG_FILE
    from copstats.store.home import Home

    folder = settings().home_or()
    words = translations(settings().language)
    if (folder / CONFIG_FILE).is_file():
        home = Home.open(folder)
        home.keys.unlock_with(_asking(passphrase_file, words))
        return _Place(home.keys, home, words)
    if create:
        (folder / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
    return _Place(office_keys(passphrase_file, words), None, words)


def office_keys(passphrase_file: Path | None, words: Translations) -> KeyStore:
    """Return the keys of the home named on the command line, with what asks for their passphrase.

    Raises:
        UsageError: U325, there are none.
    """
    from copstats.store.keys import KeyStore

    folder = settings().home_or()
    if not (folder / "keys").is_dir():
        raise UsageError("U325", where=str(folder))
    store = KeyStore(folder / "keys", passphrases=_asking(passphrase_file, words))
    store.check()
    return store


def _asking(file: Path | None, words: Translations) -> Callable[[str], str]:
    """Return what answers with the passphrase of a key: from the file, else from the terminal, once a key."""

    @cache
    def ask(name: str) -> str:
        if file is not None:
            return _from_file(file)
        question = words.text("Passphrase of {name}", name=name)
        return str(click.prompt(question, hide_input=True, err=True))

    return ask


def _new_passphrase(file: Path | None, words: Translations) -> str:
    if file is not None:
        return _from_file(file)
    question = words.text("New passphrase")
    return str(click.prompt(question, hide_input=True, confirmation_prompt=True, err=True))


def _from_file(file: Path) -> str:
    from copstats.store.custody.passphrase import read_passphrase_file

    return read_passphrase_file(file)


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def _write(path: Path, content: bytes) -> None:
    from copstats.store.files import atomic_write

    try:
        atomic_write(path, content)
    except OSError:
        raise UsageError("U321", where=path.name) from None


@keys.command()
@click.option("--area", metavar="KEN", help="At a national office: its root and the key that signs.")
@click.option("--receiving", is_flag=True, help="At the receiving side: the key to which offices encrypt.")
@click.option("--passphrase", is_flag=True, help="Lock the keys with a passphrase.")
@_passphrase_file
@click.option("--keyring", is_flag=True, help="Keep all keys of this home in the system's keyring.")
def create(
    area: str | None, receiving: bool, passphrase: bool, passphrase_file: Path | None, keyring: bool
) -> None:
    """Make the keys of a national office or of the receiving side."""
    from copstats.store.keys import RECEIVING, signing_name

    if (area is None) == (not receiving):
        raise click.UsageError("Name --area or --receiving.")
    names = [RECEIVING] if area is None else [area, signing_name(area)]
    place = _place(create=True)
    locking = passphrase or passphrase_file is not None
    secret = _new_passphrase(passphrase_file, place.words) if locking else None
    if keyring:
        place.keys.keep_in_keyring()
    missing = [name for name in names if name not in place.keys.names()]
    if not missing:
        raise UsageError("U319", where=names[-1])
    for name in missing:
        place.keys.create(name, passphrase=secret)
    if secret is not None:
        place.keys.unlock_with(lambda _: secret)
    public = place.keys.export_public(names[-1])
    for name in missing:
        place.record("created", name)
    text = place.words.text
    place.tell(
        {"created": missing, "public": public.line(), "fingerprint": public.fingerprint},
        text("Keys made: {names}", names=", ".join(missing)),
        text("Fingerprint: {fingerprint}", fingerprint=public.fingerprint),
        text("Back them up now: `copstats keys backup --out FILE`."),
    )


@keys.command("list")
def list_keys() -> None:
    """List the keys of this home and the registered keys of countries; no secret is shown."""
    place = _place()
    held = [{"name": name, "locked": place.keys.is_locked(name)} for name in place.keys.names()]
    registered = [
        {"area": area, "fingerprint": one.fingerprint, "state": one.state, "since": str(one.since)}
        for area in place.keys.registered.areas()
        for one in place.keys.registered.of(area)
    ]
    text = place.words.text
    states = {False: "", True: text("locked with a passphrase")}
    own = [f"{one['name']:<24} {states[bool(one['locked'])]}".rstrip() for one in held]
    others = [f"{o['area']}  {o['fingerprint']}  {o['state']:<10}  {o['since']}" for o in registered]
    place.tell(
        {"keys": held, "registered": registered},
        text("Keys: {count}", count=len(held)),
        *own,
        text("Registered keys of countries: {count}", count=len(registered)),
        *others,
    )


@keys.command()
@click.argument("name")
@click.option("--out", type=_FILE, help="Write the line to this file.")
@_passphrase_file
def export(name: str, out: Path | None, passphrase_file: Path | None) -> None:
    """Write the public part of a key: NAME is a country for its signing key, or `receiving`."""
    place = _place(passphrase_file)
    public = place.keys.export_public(name)
    place.record("exported", name, fingerprint=public.fingerprint)
    if out is not None:
        _write(out, public.line().encode() + b"\n")
        out.chmod(0o644)
    told = place.words.text("Fingerprint: {fingerprint}", fingerprint=public.fingerprint)
    place.tell(
        {"name": name, "public": public.line(), "fingerprint": public.fingerprint},
        public.line() if out is None else told,
    )


@keys.command()
@click.argument("file", type=_FILE)
@click.option("--fingerprint", help="As the country reads it out; another key is refused.")
def register(file: Path, fingerprint: str | None) -> None:
    """Register a country's signing key, at the receiving side; its earlier key is superseded."""
    from copstats.store.custody.public import SigningKeyPublic, read_public

    public = read_public(file)
    if not isinstance(public, SigningKeyPublic):
        raise UsageError("U314", where=file.name)
    if fingerprint is not None and fingerprint.strip().lower() != public.fingerprint:
        raise UsageError("U323", where=file.name)
    place = _place(create=True)
    one = place.keys.registered.register(public, _today())
    place.record("registered", public.area, fingerprint=one.fingerprint)
    text = place.words.text
    place.tell(
        {"area": public.area, "fingerprint": one.fingerprint, "state": one.state},
        text("Registered for {area}: {fingerprint}", area=public.area, fingerprint=one.fingerprint),
        text("Compare the fingerprint with the country by telephone before you take in data."),
    )


@keys.command()
@click.argument("area")
@click.argument("fingerprint")
def revoke(area: str, fingerprint: str) -> None:
    """Take nothing any more that the key of AREA with this FINGERPRINT has signed."""
    place = _place()
    one = place.keys.registered.revoke(area, fingerprint.strip().lower(), _today())
    place.record("revoked", area, fingerprint=one.fingerprint)
    place.tell(
        {"area": area, "fingerprint": one.fingerprint, "state": one.state},
        place.words.text("Revoked for {area}: {fingerprint}", area=area, fingerprint=one.fingerprint),
    )


@keys.command()
@click.option("--out", type=_FILE, required=True, help="File of the backup.")
@click.option("--only", metavar="NAME", help="One key, or a country for all its keys.")
@_passphrase_file
def backup(out: Path, only: str | None, passphrase_file: Path | None) -> None:
    """Write all keys into one file that is locked with a passphrase."""
    place = _place()
    _write(out, place.keys.backup(_new_passphrase(passphrase_file, place.words), only=only))
    place.record("backed_up", only or "all")
    told = place.words.text("Written: {file}. Keep it and its passphrase in two places.", file=out.name)
    place.tell({"file": str(out)}, told)


@keys.command()
@click.argument("file", type=_FILE)
@_passphrase_file
def restore(file: Path, passphrase_file: Path | None) -> None:
    """Put the keys of a backup back; keys that are there are never replaced."""
    from copstats.store.custody.public import read_file

    content = read_file(file)
    place = _place(create=True)
    passphrase = _asking(passphrase_file, place.words)(file.name)
    names = place.keys.restore(content, passphrase)
    for name in names:
        place.record("restored", name)
    place.tell({"restored": names}, place.words.text("Keys restored: {count}", count=len(names)))


@keys.command()
@click.argument("area")
@_passphrase_file
def rotate(area: str, passphrase_file: Path | None) -> None:
    """Replace the key that signs (office) or under which the data of AREA are sealed (receiving side)."""
    from copstats.store.rotation import rotate as replace_keys

    place = _place(passphrase_file)
    done = replace_keys(settings().home_or(), place.keys, area, _today())
    place.record("rotated", area, fingerprint=done.fingerprint, data_keys=done.rewrapped)
    text, lines = place.words.text, []
    if done.fingerprint:
        lines.append(text("New signing key; send it: {fingerprint}", fingerprint=done.fingerprint))
    else:
        lines.append(text("Data keys under the new key: {count}", count=done.rewrapped))
    lines.append(text("Back the keys up again: earlier backups do not hold the new key."))
    place.tell({"area": area, "fingerprint": done.fingerprint, "data_keys": done.rewrapped}, *lines)


@keys.command()
@click.argument("area")
@click.option("--yes", is_flag=True, help="Do not ask for the code of the country.")
def destroy(area: str, yes: bool) -> None:
    """Destroy all keys of AREA: what was sealed under them can never be read again."""
    place = _place()
    if not yes:
        question = place.words.text("Nothing of {area} can be read again. Type its code", area=area)
        if click.prompt(question, err=True).strip() != area:
            raise UsageError("U324", where=area)
    gone = place.keys.destroy(area)
    place.record("destroyed", area, keys=len(gone))
    place.tell(
        {"destroyed": gone},
        place.words.text("Destroyed: {names}", names=", ".join(gone)),
        place.words.text("Destroy the copies in backups too."),
    )
