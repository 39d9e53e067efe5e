"""Signing keys of countries as the receiving side knows them: ``keys/registered/KEN.json``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

import msgspec

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.custody.provider import checked_area
from copstats.store.custody.public import SigningKeyPublic
from copstats.store.files import atomic_write
from copstats.store.lock import FileLock

FOLDER = "registered"
_WAIT = 10.0
KeyState = Literal["active", "superseded", "revoked"]


class RegisteredKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A country's signing key.

    Attributes:
        fingerprint: for example ``9f86-d081-884c-7d65``.
        key: 32 bytes of an Ed25519 public key.
        state: ``active`` the one that signs now; ``superseded`` it signed before, and what it signed stays
            valid; ``revoked`` nothing that it signed is taken any more.
        since: when it was registered.
        changed: when it got its state.
    """

    fingerprint: str
    key: bytes
    state: KeyState
    since: dt.date
    changed: dt.date

    def public(self, area: str) -> SigningKeyPublic:
        """Return the key itself."""
        return SigningKeyPublic(area, self.key)


class RegisteredKeys:
    """Reads and changes the registered keys in one folder; a change is there or not, also after a crash."""

    def __init__(self, keys_folder: Path) -> None:
        self.folder = keys_folder / FOLDER

    def areas(self) -> list[str]:
        """Return the countries that have a registered key."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def of(self, area: str) -> list[RegisteredKey]:
        """Return the keys of a country, oldest first.

        Raises:
            ConfidentialityError: C323, the file was damaged.
        """
        path = self._file(area)
        try:
            held = msgspec.json.decode(path.read_bytes(), type=list[RegisteredKey])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError):
            raise ConfidentialityError("C323", where=path.name) from None
        if any(one.public(area).fingerprint != one.fingerprint for one in held):
            raise ConfidentialityError("C323", where=path.name)
        return held

    def signer(self, area: str, fingerprint: str) -> RegisteredKey:
        """Return the key of a country that has signed something.

        Raises:
            ConfidentialityError: C311, the country has registered no such key; C312, it is revoked.
        """
        for one in self.of(area):
            if one.fingerprint == fingerprint:
                if one.state == "revoked":
                    raise ConfidentialityError("C312", where=area, fingerprint=fingerprint)
                return one
        raise ConfidentialityError("C311", where=area)

    def register(self, public: SigningKeyPublic, on: dt.date) -> RegisteredKey:
        """Make a key the one that signs now; the one before is superseded.

        Args:
            public: the key; registering the active key again changes nothing.
            on: the day.

        Raises:
            ConfidentialityError: C312, the key was revoked.
            UsageError: U315, the key was superseded by a later one.
        """
        with self._lock():
            held = self.of(public.area)
            for one in held:
                if one.fingerprint == public.fingerprint:
                    return _still_active(one, public.area)
            earlier = [_with_state(one, "superseded", on) if one.state == "active" else one for one in held]
            new = RegisteredKey(
                fingerprint=public.fingerprint, key=public.key, state="active", since=on, changed=on
            )
            self._write(public.area, [*earlier, new])
            return new

    def revoke(self, area: str, fingerprint: str, on: dt.date) -> RegisteredKey:
        """Refuse from now on whatever a key has signed; revoking it again changes nothing.

        Raises:
            UsageError: U316, the country has registered no such key.
        """
        with self._lock():
            held = self.of(area)
            found = next((one for one in held if one.fingerprint == fingerprint), None)
            if found is None:
                raise UsageError("U316", where=area)
            if found.state == "revoked":
                return found
            revoked = _with_state(found, "revoked", on)
            self._write(area, [revoked if one is found else one for one in held])
            return revoked

    def content(self) -> dict[str, bytes]:
        """Return area -> the bytes of its file, for a backup."""
        return {area: self._file(area).read_bytes() for area in self.areas()}

    def restore(self, area: str, content: bytes) -> bool:
        """Put a country's keys back from a backup, unless some are registered; say whether it was done."""
        with self._lock():
            if self._file(area).exists():
                return False
            atomic_write(self._file(area), content)
            self.of(area)
            return True

    def _lock(self) -> FileLock:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        return FileLock(self.folder / ".lock", wait=_WAIT)

    def _file(self, area: str) -> Path:
        return self.folder / f"{checked_area(area)}.json"

    def _write(self, area: str, keys: list[RegisteredKey]) -> None:
        atomic_write(self._file(area), msgspec.json.format(msgspec.json.encode(keys)))


def _still_active(one: RegisteredKey, area: str) -> RegisteredKey:
    if one.state == "revoked":
        raise ConfidentialityError("C312", where=area, fingerprint=one.fingerprint)
    if one.state == "superseded":
        raise UsageError("U315", where=area)
    return one


def _with_state(one: RegisteredKey, state: KeyState, on: dt.date) -> RegisteredKey:
    return msgspec.structs.replace(one, state=state, changed=on)
