"""Tombstones: which children of a wave were withdrawn, so that no version of it brings them back.

``tombstones/KEN_2026_COPS.json`` holds the pseudonyms of the receiving side, encrypted (AES-256-GCM) under a
data key of its own that the country's key wraps; it is replaced in one step. Without the keys the file tells
how many children there are, and of which wave.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.files import atomic_write, remove
from copstats.store.keys import KEY_BYTES, KeyStore

LAYOUT = 1
TOKEN_BYTES = 16
_NONCE = bytes(12)
"""Every content has a key of its own, so that the nonce can be the same."""
_WAVE = re.compile(r"[A-Z]{3}_[0-9]{4}_[A-Z0-9]{2,12}")
_TOKEN = re.compile(rf"[0-9a-f]{{{2 * TOKEN_BYTES}}}")


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file of a wave."""

    key_id: str
    wrapped_key: bytes
    sealed: bytes


class Tombstones:
    """Reads and adds tombstones in one folder; a change is there or not, also after a crash."""

    def __init__(self, folder: Path, keys: KeyStore) -> None:
        self.folder = folder
        self._keys = keys

    def add(self, wave: str, tokens: Collection[str]) -> int:
        """Add withdrawn children; those that are there already stay as they are.

        Args:
            wave: for example ``KEN_2026_COPS``.
            tokens: pseudonyms of the receiving side, as the wave's column ``child_id`` holds them.

        Returns:
            How many are new.

        Raises:
            UsageError: U343, the wave's name cannot be used; U344, something is no pseudonym.
            ConfidentialityError: C001 to C005, a key is missing or another, or the file was changed.
            Retriable: T001, another process kept the keys too long.
        """
        if any(not _TOKEN.fullmatch(token) for token in tokens):
            raise UsageError("U344", where=checked_wave(wave))
        # One lock for reading and replacing, and for wrapping: a rotation goes before or comes after.
        with self._keys.sealing():
            held = self.tokens(wave)
            new = held.union(tokens)
            if len(new) > len(held):
                self._write(wave, new)
        return len(new) - len(held)

    def tokens(self, wave: str) -> frozenset[str]:
        """Return the pseudonyms of the children that were withdrawn from a wave.

        Raises:
            UsageError: U343, the wave's name cannot be used.
            ConfidentialityError: C001 to C005, a key is missing or another, or the file was changed.
        """
        entry = self._entry(wave)
        if entry is None:
            return frozenset()
        cipher = AESGCM(self._keys.unwrap(wave[:3], entry.wrapped_key))
        try:
            digits = cipher.decrypt(_NONCE, entry.sealed, _context(wave)).hex()
        except InvalidTag:
            raise ConfidentialityError("C005", where=self._file(wave).name) from None
        return frozenset(digits[at : at + 2 * TOKEN_BYTES] for at in range(0, len(digits), 2 * TOKEN_BYTES))

    def count(self, wave: str) -> int:
        """Return how many children were withdrawn from a wave; errors as :meth:`tokens`."""
        return len(self.tokens(wave))

    def waves(self) -> list[str]:
        """Return the waves from which children were withdrawn, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.json") if _WAVE.fullmatch(path.stem))

    def rewrap(self, area: str) -> int:
        """Wrap the data keys of a country under its present key; return how many. See `store.rotation`.

        Raises:
            ConfidentialityError: C001 to C005, a key is missing or a file was changed.
            Retriable: T001, another process kept the keys too long.
        """
        with self._keys.sealing():
            waves = [wave for wave in self.waves() if wave.startswith(f"{area}_")]
            for wave in waves:
                self._write(wave, self.tokens(wave))
        return len(waves)

    def destroy(self, wave: str) -> None:
        """Delete the tombstones of a wave that is destroyed as a whole; nothing happens if there are none.

        Raises:
            UsageError: U343, the wave's name cannot be used.
            Retriable: T001, another process kept the keys too long.
        """
        with self._keys.sealing():
            if self._file(wave).exists():
                remove(self._file(wave))

    def _entry(self, wave: str) -> _Entry | None:
        path = self._file(wave)
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Entry)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError):
            raise ConfidentialityError("C005", where=path.name) from None

    def _write(self, wave: str, tokens: Collection[str]) -> None:
        area, data_key = wave[:3], secrets.token_bytes(KEY_BYTES)
        # Sorted, the order says nothing of who was withdrawn when.
        content = bytes.fromhex("".join(sorted(tokens)))
        wrapped = self._keys.wrap(area, data_key)
        entry = _Entry(
            key_id=self._keys.key_id(area),
            wrapped_key=wrapped,
            sealed=AESGCM(data_key).encrypt(_NONCE, content, _context(wave)),
        )
        self.folder.mkdir(mode=0o700, exist_ok=True)
        atomic_write(self._file(wave), msgspec.json.encode(entry))

    def _file(self, wave: str) -> Path:
        return self.folder / f"{checked_wave(wave)}.json"


def checked_wave(wave: str) -> str:
    """Return the name of a wave if it has the form ``KEN_2026_COPS``; file names are made of it.

    Raises:
        UsageError: U343.
    """
    if not _WAVE.fullmatch(wave):
        raise UsageError("U343")
    return wave


def _context(wave: str) -> bytes:
    return f"copstats-tombstones-{LAYOUT}|{wave[:3]}|{wave}".encode()
