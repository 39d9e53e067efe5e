"""Locking a secret with a passphrase: scrypt (RFC 7914) and AES-256-GCM.

n = 2^17, r = 8, p = 1 (128 MiB and about a second a guess; OWASP Password Storage, 2023). The name of what is
locked is authenticated with it: a locked key that was renamed does not open.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.files import open_to_others

LEAST_CHARACTERS = 12
_LEAST_DISTINCT = 6
_PREFIX = b"copstats-locked-1 "
_COST, _BLOCK, _LANES = 2**17, 8, 1
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32


def is_locked(line: bytes) -> bool:
    """Say whether a secret is locked with a passphrase."""
    return line.startswith(_PREFIX)


def lock(secret: bytes, passphrase: str, name: str) -> bytes:
    """Return a secret locked with a passphrase, as one line of ASCII.

    Raises:
        UsageError: U312, the passphrase is too weak.
    """
    if len(passphrase) < LEAST_CHARACTERS or len(set(passphrase)) < _LEAST_DISTINCT:
        raise UsageError("U312", least=LEAST_CHARACTERS)
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(_key(passphrase, salt)).encrypt(nonce, secret, name.encode())
    return _PREFIX + base64.b64encode(salt + nonce + sealed)


def unlock(line: bytes, passphrase: str, name: str) -> bytes:
    """Return the secret that :func:`lock` locked.

    Raises:
        ConfidentialityError: C322, the passphrase is another, or the line was changed or renamed.
    """
    try:
        held = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
        salt, nonce = held[:_SALT_BYTES], held[_SALT_BYTES : _SALT_BYTES + _NONCE_BYTES]
        sealed = held[_SALT_BYTES + _NONCE_BYTES :]
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, sealed, name.encode())
    except (InvalidTag, ValueError, binascii.Error):
        raise ConfidentialityError("C322", where=name) from None


def read_passphrase_file(path: Path) -> str:
    """Return the first line of a file that only its owner can read.

    Raises:
        ConfidentialityError: C003, others can read it.
        UsageError: U313, there is no such file, or it is no text.
    """
    try:
        if open_to_others(path):
            raise ConfidentialityError("C003", where=path.name)
        return path.read_text("utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError):
        raise UsageError("U313", where=path.name) from None


def _key(passphrase: str, salt: bytes) -> bytes:
    scrypt = Scrypt(salt=salt, length=_KEY_BYTES, n=_COST, r=_BLOCK, p=_LANES)
    return scrypt.derive(passphrase.encode())
