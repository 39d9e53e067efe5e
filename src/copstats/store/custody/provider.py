"""What a place that keeps secrets has to offer; a key management service joins by implementing it.

A secret is one line of ASCII: 64 hexadecimal digits (256 bits), an age identity, or either of them locked
with a passphrase (:mod:`copstats.store.custody.passphrase`). The place neither reads nor changes it.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Protocol

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.files import atomic_write

CUSTODY_FILE = "custody"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.-]{0,63}")
_AREA = re.compile(r"[A-Z]{3}")
_KEYRING = re.compile(rb"keyring [0-9a-f]{16}\n")


class KeyProvider(Protocol):
    """Keeps secrets by name, for example ``KEN`` or ``KEN.national-signing``."""

    def get(self, name: str) -> bytes | None:
        """Return a secret, or None if there is none of this name.

        Raises:
            ConfidentialityError: the secret is open to others (C003), or the place is out of reach (C320).
        """

    def put(self, name: str, secret: bytes, *, new: bool) -> bool:
        """Keep a secret for good before returning.

        Args:
            name: of the secret.
            secret: one line of ASCII, without its end.
            new: leave a secret of this name, if there is one, as it is.

        Returns:
            Whether it was written.
        """

    def delete(self, name: str) -> None:
        """Destroy a secret; nothing happens if there is none of this name."""

    def names(self) -> list[str]:
        """Return the names of all secrets, sorted."""


def checked_name(name: str) -> str:
    """Return the name of a key if it has the form of one; file names are made of it.

    Raises:
        UsageError: U310.
    """
    if not _NAME.fullmatch(name):
        raise UsageError("U310")
    return name


def checked_area(area: str) -> str:
    """Return the code of a country if it has the form of ISO 3166-1 alpha-3; names of keys begin with it.

    Raises:
        UsageError: U013.
    """
    if not _AREA.fullmatch(area):
        raise UsageError("U013", where=area)
    return area


def provider_of(folder: Path) -> KeyProvider:
    """Return where the keys of a folder are: in files of it, unless its file ``custody`` names the keyring.

    Raises:
        ConfidentialityError: C321, the file says something else.
    """
    try:
        said = (folder / CUSTODY_FILE).read_bytes()
    except FileNotFoundError:
        from copstats.store.custody.files import FileProvider

        return FileProvider(folder)
    if not _KEYRING.fullmatch(said):
        raise ConfidentialityError("C321", where=CUSTODY_FILE)
    from copstats.store.custody.keyring import KeyringProvider

    return KeyringProvider(said.split()[1].decode())


def settle_in_keyring(folder: Path) -> None:
    """Keep the keys of a folder in the keyring of the operating system from now on.

    Raises:
        UsageError: U311, there are keys in files already.
        ConfidentialityError: C320, no keyring can be used here.
    """
    from copstats.store.custody.keyring import KeyringProvider

    present = provider_of(folder)
    if isinstance(present, KeyringProvider):
        return
    if present.names():
        raise UsageError("U311", where=folder.name)
    token = secrets.token_hex(8)
    KeyringProvider(token).names()  # refused here rather than at the first key
    atomic_write(folder / CUSTODY_FILE, f"keyring {token}\n".encode())
