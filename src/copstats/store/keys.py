"""Keys of a home: a root and a signing key a country, the receiving identity, the release and audit keys.

========================  ==============================================================================
``KEN``                   root of a country, 256 bits. At the national office the root of its pseudonyms;
                          at the receiving side, drawn independently, that of the second pseudonym and of
                          what is sealed
``KEN.wrapping``          at the receiving side: together with the root it gives the key that wraps data keys;
                          a rotation replaces it, and copies of what it wrapped can never be read again
``KEN.national-signing``  Ed25519 seed: the office signs what it sends
``receiving``             age identity (X25519): what offices send is encrypted to it
``audit``                 chain of the audit log
``release-signing``       Ed25519 seed: signature of releases
========================  ==============================================================================

They are kept by a :class:`~copstats.store.custody.provider.KeyProvider`: by default files of ``keys/`` that
only the owner of the process can read. From a root every other key of the country is derived with
HKDF-SHA-256 (RFC 5869), so that there is one thing to guard and to destroy: without ``keys/XAA.key`` no wave
and no estimate of that country can be read again, in any copy.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.custody.backup import restore_backup, write_backup
from copstats.store.custody.provider import KeyProvider, checked_area, provider_of, settle_in_keyring
from copstats.store.custody.public import ReceivingKeyPublic, SigningKeyPublic
from copstats.store.custody.registered import RegisteredKeys
from copstats.store.custody.secret_keys import KEY_BYTES, RECEIVING, Passphrases, SecretKeys
from copstats.store.files import atomic_write, open_to_others
from copstats.store.lock import FileLock

__all__ = ["KEY_BYTES", "RECEIVING", "KeyStore", "Passphrases", "signing_name"]

_WAIT = 30.0
_AREA = re.compile(r"[A-Z]{3}")
_SIGNING = "release-signing"
_AUDIT = "audit"
_VERSION = "copstats/1"
_SCOPES = {"": "pseudonym", "wave": "pseudonym", "panel": "panel pseudonym"}


class KeyStore:
    """Creates, derives and destroys the keys of one folder; a derivation takes some 20 µs.

    Attributes:
        folder: holds the keys, or says where they are.
        registered: signing keys of countries; it stands in the folder too.
    """

    def __init__(
        self, folder: Path, provider: KeyProvider | None = None, passphrases: Passphrases | None = None
    ) -> None:
        """Prepare the store.

        Args:
            folder: of the keys.
            provider: where secrets are kept; by default where the folder says, else in files of it.
            passphrases: asks for the passphrase of a locked key; see :meth:`unlock_with`.
        """
        self.folder = folder
        self.registered = RegisteredKeys(folder)
        self._secrets = SecretKeys(provider or provider_of(folder), passphrases)

    def keep_in_keyring(self) -> None:
        """Keep the keys of this folder in the operating system's keyring.

        Raises:
            UsageError: U311, there are keys in files.
            ConfidentialityError: C320, no keyring can be used here.
        """
        settle_in_keyring(self.folder)
        self._secrets = SecretKeys(provider_of(self.folder), self._secrets.passphrases)

    def unlock_with(self, passphrases: Passphrases) -> None:
        """Give what asks for the passphrase of a locked key, by the key's name; without it C325 is raised."""
        self._secrets.passphrases = passphrases

    def names(self) -> list[str]:
        """Return the names of all keys, sorted."""
        return self._secrets.provider.names()

    def areas(self) -> list[str]:
        """Return the countries that have a root."""
        return [name for name in self.names() if _AREA.fullmatch(name)]

    def is_locked(self, name: str) -> bool:
        """Say whether a key is locked with a passphrase."""
        return self._secrets.is_locked(name)

    def create(self, name: str, *, passphrase: str | None = None) -> None:
        """Draw a key at random.

        Args:
            name: ``KEN``, ``KEN.national-signing`` or ``receiving``.
            passphrase: lock the key with it; twelve characters or more.

        Raises:
            UsageError: U319, the key is there already; U310, U312, the name or passphrase cannot be used.
        """
        self._secrets.create(name, passphrase)

    def key_id(self, area: str) -> str:
        """Return a name of the country's present key, which says nothing about the key itself.

        Raises:
            ConfidentialityError: the key is missing, malformed, locked or open to others.
        """
        return self.key_ids(area)[0]

    def root_id(self, area: str) -> str:
        """Return a name of the country's root, which stays with every rotation and says nothing about it.

        Pseudonyms made under roots of the same name are the same.

        Raises:
            ConfidentialityError: the key is missing, malformed, locked or open to others.
        """
        return _derive(self._root(area), "root id").hex()[:16]

    def key_ids(self, area: str) -> list[str]:
        """Return the present key's name and, while a rotation is unfinished, the earlier one's."""
        root = self._root(area)
        return [_derive(root, "id", salt=salt).hex()[:16] for salt in self._salts(area)]

    def pseudonym_key(self, area: str, scope: str, field: str, *, permitted: bool = False) -> bytes:
        """Return the 256-bit key under which one identifier is replaced by a pseudonym.

        Another scope or another field gives an unrelated key, so pseudonyms cannot be matched between them.
        The country's root is created at first use.

        Args:
            area: ISO 3166-1 alpha-3.
            scope: ``wave:KEN_2026_COPS`` (``wave:`` may be left out): a child has a pseudonym in this wave
                only. ``panel:KEN_COPS``: she keeps it from wave to wave.
            field: name of the identifier, for example ``household_id``.
            permitted: the manifest records the permission to link waves (``ethics.panel_linkage``).

        Raises:
            ConfidentialityError: C324, the key of a panel without permission.
            UsageError: U320, the scope is neither a wave nor a panel.
        """
        kind, _, name = scope.rpartition(":")
        if kind not in _SCOPES:
            raise UsageError("U320")
        if kind == "panel" and not permitted:
            raise ConfidentialityError("C324", where=area)
        return _derive(self._root(area, create=True), _SCOPES[kind], name, field)

    def wrap(self, area: str, data_key: bytes) -> bytes:
        """Return a data key encrypted under the country's key (AES key wrap, RFC 3394); 8 bytes longer.

        The country's root and wrapping key are created at first use.
        """
        self.prepare_wrapping(area)
        root = self._root(area)
        return aes_key_wrap(_derive(root, "key encryption", salt=self._salts(area)[0]), data_key)

    def prepare_wrapping(self, area: str) -> None:
        """Create what :meth:`wrap` needs where it is missing; the name of the present key is fixed then.

        Nothing is ever wrapped under the root alone, which no rotation replaces.
        """
        self._root(area, create=True)
        if self._salts(area) == [None]:
            drawn = secrets.token_hex(KEY_BYTES).encode()
            self._secrets.provider.put(_wrapping(area), drawn, new=True)

    def unwrap(self, area: str, wrapped: bytes) -> bytes:
        """Return the data key that :meth:`wrap` encrypted.

        Raises:
            ConfidentialityError: the country's key is missing (C001), unfit (C002, C003) or locked (C325),
                or it is not the key under which the data key was wrapped (C004).
        """
        root = self._root(area)
        for salt in self._salts(area):
            try:
                return aes_key_unwrap(_derive(root, "key encryption", salt=salt), wrapped)
            except (InvalidUnwrap, ValueError):
                continue
        raise ConfidentialityError("C004", area=area)

    def sealing(self) -> FileLock:
        """Return the lock under which sealed files are put in place and data keys are wrapped anew."""
        return FileLock(self.folder / ".sealing.lock", wait=_WAIT)

    def begin_rotation(self, area: str) -> None:
        """Draw the country's next wrapping key: from now on :meth:`wrap` uses it, :meth:`unwrap` knows both.

        Goes on with a rotation that was interrupted. Pseudonyms stay: they hang on the root.

        Raises:
            ConfidentialityError: C001 to C003, C325, the country's root is missing, unfit or locked.
        """
        self._root(area)
        if self._secrets.find(_next(area)) == self._secrets.find(_wrapping(area)):
            # The last step of an earlier rotation was interrupted; this is a new one.
            self._secrets.provider.delete(_next(area))
        drawn = secrets.token_hex(KEY_BYTES).encode()
        self._secrets.provider.put(_next(area), drawn, new=True)

    def finish_rotation(self, area: str) -> None:
        """Forget the earlier wrapping key: what is still wrapped under it can never be read again."""
        drawn = self._secrets.provider.get(_next(area))
        if drawn is not None:
            self._secrets.provider.put(_wrapping(area), drawn, new=False)
            self._secrets.provider.delete(_next(area))

    def national_signing_key(self, area: str) -> Ed25519PrivateKey:
        """Return the key with which a country's office signs what it sends.

        Raises:
            ConfidentialityError: C001 to C003, C325, the key is missing, unfit or locked.
        """
        return Ed25519PrivateKey.from_private_bytes(self._secrets.read(signing_name(area)))

    def rotate_signing(self, area: str, on: dt.date) -> SigningKeyPublic:
        """Replace a country's signing key and return the new public part; the earlier one stays known.

        Args:
            area: ISO 3166-1 alpha-3.
            on: the day, for the list of public parts (``registered``).

        Raises:
            ConfidentialityError: C001 to C003, C325, the key is missing, unfit or locked.
        """
        # First the old one into the list: a crash after it loses nothing.
        self.registered.register(self._national_public(area), on)
        self._secrets.replace(signing_name(area))
        public = self._national_public(area)
        self.registered.register(public, on)
        return public

    def receiving_identity(self) -> Any:
        """Return the age identity (``pyrage.x25519.Identity``) to which countries encrypt.

        Raises:
            ConfidentialityError: C001 to C003, C325, it is missing, unfit or locked.
        """
        return self._secrets.identity()

    def export_public(self, name: str) -> SigningKeyPublic | ReceivingKeyPublic:
        """Return the public part of a key.

        Args:
            name: ``receiving``, or for a country's signing key ``KEN`` or ``KEN.national-signing``.

        Raises:
            ConfidentialityError: C001 to C003, C325, the key is missing, unfit or locked.
        """
        if name == RECEIVING:
            return ReceivingKeyPublic(str(self.receiving_identity().to_public()))
        return self._national_public(name.removesuffix(".national-signing"))

    def audit_key(self) -> bytes:
        """Return the key of the audit chain; created at first use."""
        return _derive(self._secrets.read(_AUDIT, create=True), "audit chain")

    def signing_key(self) -> Ed25519PrivateKey:
        """Return the Ed25519 key that signs releases; created at first use, its public half exported."""
        private = Ed25519PrivateKey.from_private_bytes(self._secrets.read(_SIGNING, create=True))
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

    def backup(self, passphrase: str, *, only: str | None = None) -> bytes:
        """Return all keys, or those of one name or country, locked with a passphrase.

        Raises:
            UsageError: U312, the passphrase is too weak.
            ConfidentialityError: C001, there is no such key.
        """
        return write_backup(self._secrets.provider, self.registered, passphrase, only=only)

    def restore(self, content: bytes, passphrase: str) -> list[str]:
        """Put keys of a backup back and return the names of those that were not there.

        Raises:
            UsageError: U317, this is no backup; U318, another key of the same name is there.
            ConfidentialityError: C322, the passphrase is another, or the backup was damaged.
        """
        return restore_backup(content, self._secrets.provider, self.registered, passphrase)

    def destroy(self, area: str) -> list[str]:
        """Delete a country's root and what belongs to it: what was sealed under it can never be read again.

        Copies of the keys in backups have to be destroyed too.

        Returns:
            The names of the keys that are gone.

        Raises:
            ConfidentialityError: C001, there is no such key.
        """
        checked_area(area)
        # Sorted, the root comes first: without it the others open nothing.
        gone = [name for name in self.names() if name.partition(".")[0] == area]
        if not gone:
            raise ConfidentialityError("C001", where=f"{area}.key")
        for name in gone:
            self._secrets.provider.delete(name)
        self._secrets.forget()
        return gone

    def check(self) -> None:
        """Check form and permissions of every key; of locked ones, permissions.

        Raises:
            ConfidentialityError: C002 (form) or C003 (open to others), with the file's name.
        """
        if open_to_others(self.folder):
            raise ConfidentialityError("C003", where=self.folder.name)
        self._secrets.check()

    def _root(self, area: str, *, create: bool = False) -> bytes:
        return self._secrets.read(checked_area(area), create=create)

    def _national_public(self, area: str) -> SigningKeyPublic:
        return SigningKeyPublic.of(area, self.national_signing_key(area).public_key())

    def _salts(self, area: str) -> list[bytes | None]:
        """Return what the wrapping key is salted with, the present one first; None before its first use."""
        present, following = self._secrets.find(_wrapping(area)), self._secrets.find(_next(area))
        return [present] if following in {None, present} else [following, present]


def signing_name(area: str) -> str:
    """Return the name of a country's signing key."""
    return f"{checked_area(area)}.national-signing"


def _wrapping(area: str) -> str:
    return f"{area}.wrapping"


def _next(area: str) -> str:
    return f"{area}.wrapping-next"


def _derive(root: bytes, *purpose: str, salt: bytes | None = None) -> bytes:
    # Each part carries its length: ("1", "23") and ("12", "3") must not give the same key.
    parts = [part.encode() for part in (_VERSION, *purpose)]
    info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=salt, info=info).derive(root)
