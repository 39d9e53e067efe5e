"""Public parts of keys: one line of text to hand out, and a fingerprint to compare by telephone.

``copstats-signing-key KEN <base64 of the Ed25519 public key> <fingerprint>`` goes from a country to the
receiving side; ``copstats-receiving-key <age recipient> <fingerprint>`` the other way. The fingerprint is the
first 16 hexadecimal digits of the SHA-256 of the key, in groups of four.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from copstats.errors import UsageError

_SIGNING, _RECEIVING = "copstats-signing-key", "copstats-receiving-key"
_LARGEST_FILE = 2**20


def fingerprint_of(key: bytes) -> str:
    """Return the fingerprint of a public key, for example ``9f86-d081-884c-7d65``."""
    digits = hashlib.sha256(key).hexdigest()[:16]
    return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))


@dataclass(frozen=True)
class SigningKeyPublic:
    """The key with which a country's signatures are checked.

    Attributes:
        area: ISO 3166-1 alpha-3.
        key: 32 bytes of an Ed25519 public key.
    """

    area: str
    key: bytes

    @classmethod
    def of(cls, area: str, key: Ed25519PublicKey) -> SigningKeyPublic:
        """Return the public part of a key pair."""
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return cls(area, raw)

    @property
    def fingerprint(self) -> str:
        """Of the 32 bytes of the key."""
        return fingerprint_of(self.key)

    @property
    def public_key(self) -> Ed25519PublicKey:
        """The key, for checking signatures."""
        return Ed25519PublicKey.from_public_bytes(self.key)

    def line(self) -> str:
        """Return the line to hand out."""
        return f"{_SIGNING} {self.area} {base64.b64encode(self.key).decode()} {self.fingerprint}"


@dataclass(frozen=True)
class ReceivingKeyPublic:
    """The key to which countries encrypt.

    Attributes:
        recipient: age recipient, ``age1...`` (X25519).
    """

    recipient: str

    @property
    def fingerprint(self) -> str:
        """Of the text of the recipient."""
        return fingerprint_of(self.recipient.encode())

    @property
    def age_recipient(self) -> Any:
        """The recipient, for encrypting with age."""
        from pyrage import x25519

        return x25519.Recipient.from_str(self.recipient)

    def line(self) -> str:
        """Return the line to hand out."""
        return f"{_RECEIVING} {self.recipient} {self.fingerprint}"


def read_public(path: Path) -> SigningKeyPublic | ReceivingKeyPublic:
    """Read the file that ``copstats keys export`` wrote.

    Raises:
        UsageError: U313, there is no such file; U314, it does not hold a public key of copstats or was
            damaged.
    """
    content = read_file(path)
    try:
        return _parsed(content.decode("ascii").split())
    except ValueError:
        raise UsageError("U314", where=path.name) from None


def read_file(path: Path) -> bytes:
    """Return a small file that somebody sent.

    Raises:
        UsageError: U313, there is none, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_FILE)
    except OSError:
        raise UsageError("U313", where=path.name) from None


def _parsed(words: list[str]) -> SigningKeyPublic | ReceivingKeyPublic:
    from pyrage import RecipientError

    found: SigningKeyPublic | ReceivingKeyPublic
    match words:
        case [kind, area, key, fingerprint] if kind == _SIGNING and area.isalpha() and area.isupper():
            found = SigningKeyPublic(area, base64.b64decode(key, validate=True))
            found.public_key  # noqa: B018 - 32 bytes, else ValueError
        case [kind, recipient, fingerprint] if kind == _RECEIVING:
            found = ReceivingKeyPublic(recipient)
            try:
                found.age_recipient  # noqa: B018 - an X25519 recipient, else RecipientError
            except RecipientError:
                raise ValueError from None
        case _:
            raise ValueError
    if found.fingerprint != fingerprint:
        raise ValueError
    return found
