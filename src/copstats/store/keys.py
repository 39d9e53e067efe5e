"""Keys of a home: one root a country, the release signing key, the audit key.

All are files of ``keys/`` that only the owner of the process can read. From a country's root every other key
of that country is derived with HKDF-SHA-256 (RFC 5869), so that there is one thing to guard, to back up and
to destroy: without ``keys/XAA.key`` no wave and no estimate of that country can be read again, in any copy.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.files import atomic_write, open_to_others, remove
from copstats.store.lock import FileLock

KEY_BYTES = 32
_AREA = re.compile(r"[A-Z]{3}")
_SIGNING = "release-signing"
_AUDIT = "audit"
_VERSION = "copstats/1"
_WAIT_FOR_CREATION = 10.0
_LEAST_DISTINCT_BYTES = 12


class KeyStore:
    """Creates, checks, derives and destroys the keys in one folder; a derivation takes some 20 µs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def areas(self) -> list[str]:
        """Return the countries that have a key."""
        return sorted(path.stem for path in self.folder.glob("*.key") if _AREA.fullmatch(path.stem))

    def key_id(self, area: str) -> str:
        """Return a name of the country's present key, which says nothing about the key itself.

        Raises:
            ConfidentialityError: the key is missing, malformed or open to others.
        """
        return self._derive(self._root(area), "id").hex()[:16]

    def pseudonym_key(self, area: str, wave: str, field: str) -> bytes:
        """Return the 256-bit key under which one identifier of one wave is replaced by a pseudonym.

        Another wave or another field gives an unrelated key, so pseudonyms cannot be matched between them.
        The country's root is created at first use.

        Args:
            area: ISO 3166-1 alpha-3.
            wave: for example ``KEN_2026_COPS``.
            field: name of the identifier, for example ``household_id``.
        """
        return self._derive(self._root(area, create=True), "pseudonym", wave, field)

    def wrap(self, area: str, data_key: bytes) -> bytes:
        """Return a data key encrypted under the country's key (AES key wrap, RFC 3394); 8 bytes longer.

        The country's root is created at first use.
        """
        return aes_key_wrap(self._derive(self._root(area, create=True), "key encryption"), data_key)

    def unwrap(self, area: str, wrapped: bytes) -> bytes:
        """Return the data key that :meth:`wrap` encrypted.

        Raises:
            ConfidentialityError: the country's key is missing (C001) or unfit (C002, C003), or it is not the
                key under which the data key was wrapped (C004).
        """
        try:
            return aes_key_unwrap(self._derive(self._root(area), "key encryption"), wrapped)
        except (InvalidUnwrap, ValueError):
            raise ConfidentialityError("C004", area=area) from None

    def audit_key(self) -> bytes:
        """Return the key of the audit chain; created at first use."""
        return self._derive(self._read(_AUDIT, create=True), "audit chain")

    def signing_key(self) -> Ed25519PrivateKey:
        """Return the Ed25519 key that signs releases; created at first use, its public half exported."""
        private = Ed25519PrivateKey.from_private_bytes(self._read(_SIGNING, create=True))
        exported = self.public_key_file
        pem = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        if not exported.exists() or exported.read_bytes() != pem:
            atomic_write(exported, pem)
        return private

    def public_key(self) -> Ed25519PublicKey:
        """Return the key with which anybody can check a release's signature."""
        return self.signing_key().public_key()

    @property
    def public_key_file(self) -> Path:
        """The exported public key (PEM), for handing out."""
        return self.folder / f"{_SIGNING}.pub"

    def destroy(self, area: str) -> None:
        """Delete a country's root: all that was sealed under it can never be read again.

        Copies of the key file in backups have to be destroyed too.

        Raises:
            ConfidentialityError: C001, there is no such key.
        """
        path = self._file(_checked_area(area))
        if not path.exists():
            raise ConfidentialityError("C001", where=path.name)
        remove(path)

    def check(self) -> None:
        """Check form and permissions of every key file.

        Raises:
            ConfidentialityError: C002 (form) or C003 (open to others), with the file's name.
        """
        if open_to_others(self.folder):
            raise ConfidentialityError("C003", where=self.folder.name)
        for path in sorted(self.folder.glob("*.key")):
            self._read(path.stem)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def _root(self, area: str, *, create: bool = False) -> bytes:
        return self._read(_checked_area(area), create=create)

    def _read(self, name: str, *, create: bool = False) -> bytes:
        path = self._file(name)
        if not path.exists():
            if not create:
                raise ConfidentialityError("C001", where=path.name)
            self._create(path)
        if open_to_others(path):
            raise ConfidentialityError("C003", where=path.name)
        try:
            key = bytes.fromhex(path.read_text("ascii"))
        except ValueError:
            raise ConfidentialityError("C002", where=path.name) from None
        # 32 random bytes with fewer than 12 different values do not occur: such a file was made by hand.
        if len(key) != KEY_BYTES or len(set(key)) < _LEAST_DISTINCT_BYTES:
            raise ConfidentialityError("C002", where=path.name)
        return key

    def _create(self, path: Path) -> None:
        with FileLock(self.folder / ".lock", wait=_WAIT_FOR_CREATION):
            if not path.exists():
                atomic_write(path, secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n")

    @staticmethod
    def _derive(root: bytes, *purpose: str) -> bytes:
        # Each part carries its length: ("1", "23") and ("12", "3") must not give the same key.
        parts = [part.encode() for part in (_VERSION, *purpose)]
        info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=info).derive(root)


def _checked_area(area: str) -> str:
    if not _AREA.fullmatch(area):
        raise UsageError("U013", where=area)
    return area
