"""Secrets by name, as their users need them: unlocked, checked, drawn at random when they are missing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.custody.passphrase import is_locked, lock, unlock
from copstats.store.custody.provider import KeyProvider

KEY_BYTES = 32
RECEIVING = "receiving"
_LEAST_DISTINCT_BYTES = 12

Passphrases = Callable[[str], str]
"""Asks for the passphrase of the key of this name."""


class SecretKeys:
    """Draws, reads and checks the secrets of a provider.

    Attributes:
        provider: where they are kept.
        passphrases: asked once a locked key; the opened key stays in the memory of the process.
    """

    def __init__(self, provider: KeyProvider, passphrases: Passphrases | None = None) -> None:
        self.provider = provider
        self.passphrases = passphrases
        self._opened: dict[tuple[str, bytes], bytes] = {}

    def create(self, name: str, passphrase: str | None = None) -> None:
        """Draw a key at random.

        Raises:
            UsageError: U319, it is there already; U310, U312, the name or passphrase cannot be used.
        """
        if not self.provider.put(name, _drawn(name, passphrase), new=True):
            raise UsageError("U319", where=name)

    def replace(self, name: str) -> None:
        """Draw another key in the place of one; if that was locked, under the same passphrase."""
        passphrase = self._ask(name) if self.is_locked(name) else None
        self.provider.put(name, _drawn(name, passphrase), new=False)

    def is_locked(self, name: str) -> bool:
        """Say whether a key is locked with a passphrase."""
        return is_locked(self.provider.get(name) or b"")

    def find(self, name: str) -> bytes | None:
        """Return a 256-bit key, or None if there is none of this name."""
        return None if self.provider.get(name) is None else self.read(name)

    def read(self, name: str, *, create: bool = False) -> bytes:
        """Return a 256-bit key.

        Args:
            name: of the key.
            create: draw it if it is missing.

        Raises:
            ConfidentialityError: C001 missing, C002 malformed, C003 open to others, C325 locked, C322 another
                passphrase.
        """
        if create and self.provider.get(name) is None:
            self.provider.put(name, _drawn(name), new=True)
        try:
            key = bytes.fromhex(self._line(name).decode("ascii"))
        except ValueError:
            raise ConfidentialityError("C002", where=f"{name}.key") from None
        # 32 random bytes with fewer than 12 different values do not occur: such a file was made by hand.
        if len(key) != KEY_BYTES or len(set(key)) < _LEAST_DISTINCT_BYTES:
            raise ConfidentialityError("C002", where=f"{name}.key")
        return key

    def identity(self) -> Any:
        """Return the age identity ``receiving`` (``pyrage.x25519.Identity``).

        Raises:
            ConfidentialityError: as :meth:`read`.
        """
        from pyrage import IdentityError, x25519

        try:
            return x25519.Identity.from_str(self._line(RECEIVING).decode("ascii"))
        except (IdentityError, UnicodeDecodeError):
            raise ConfidentialityError("C002", where=f"{RECEIVING}.key") from None

    def check(self) -> None:
        """Check form and permissions of every key; of a locked one, permissions.

        Raises:
            ConfidentialityError: C002, C003.
        """
        for name in self.provider.names():
            if not self.is_locked(name):
                self.identity() if name == RECEIVING else self.read(name)

    def forget(self) -> None:
        """Drop opened keys from memory."""
        self._opened.clear()

    def _line(self, name: str) -> bytes:
        line = self.provider.get(name)
        if line is None:
            raise ConfidentialityError("C001", where=f"{name}.key")
        if not is_locked(line):
            return line
        if (name, line) not in self._opened:
            self._opened[name, line] = unlock(line, self._ask(name), name)
        return self._opened[name, line]

    def _ask(self, name: str) -> str:
        if self.passphrases is None:
            raise ConfidentialityError("C325", where=f"{name}.key")
        return self.passphrases(name)


def _drawn(name: str, passphrase: str | None = None) -> bytes:
    if name == RECEIVING:
        from pyrage import x25519

        secret = str(x25519.Identity.generate()).encode()
    else:
        secret = secrets.token_hex(KEY_BYTES).encode()
    return secret if passphrase is None else lock(secret, passphrase, name)
