"""The public keys with which portals sign receipts; a portal's key is kept when it is first seen.

They lie in ``portals/`` of the home, one PEM file a portal.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from copstats.client.address import Address
from copstats.client.patience import Patience
from copstats.client.wire import Wire
from copstats.errors import UsageError
from copstats.store.custody.public import read_file
from copstats.store.files import atomic_write
from copstats.store.upload_receipt import key_fingerprint

FOLDER = "portals"
_KEY = "/api/key"


def read_key(path: Path) -> Ed25519PublicKey:
    """Read a portal's public key from a PEM file.

    Raises:
        UsageError: U313, there is no such file; U422, it holds something else.
    """
    return _parsed(read_file(path), path.name)


def kept_key(home: Path, address: Address) -> Ed25519PublicKey | None:
    """Return the key that was kept of a portal, or None.

    Raises:
        UsageError: U422, the file was damaged.
    """
    path = _file(home, address)
    return read_key(path) if path.is_file() else None


def known_keys(home: Path, address: Address | None, given: Path | None) -> list[Ed25519PublicKey]:
    """Return the keys that may have signed a receipt.

    Args:
        home: in whose folder ``portals`` keys are kept.
        address: of the portal; None for all that are kept.
        given: file of the key; no other is looked at then.

    Raises:
        UsageError: U313, U422, a key cannot be read; U424, none is known.
    """
    if given is not None:
        return [read_key(given)]
    folder = home / FOLDER
    files = sorted(folder.glob("*.pem")) if address is None else [_file(home, address)]
    found = [read_key(path) for path in files if path.is_file()]
    if not found:
        raise UsageError("U424", where=str(folder))
    return found


def asked_key(wire: Wire, patience: Patience) -> Ed25519PublicKey:
    """Ask a portal for its public key.

    Raises:
        UsageError: U422, its answer is none; others see :meth:`~copstats.client.wire.Wire.ask`.
        Retriable: T110, it is out of reach.
    """
    answer = patience.repeat(lambda: wire.ask("GET", _KEY))
    return _parsed(answer.body, wire.address.origin)


def settled_key(
    home: Path, address: Address, asked: Ed25519PublicKey, given: Path | None
) -> tuple[Ed25519PublicKey, bool]:
    """Return the key to check receipts of a portal with, and whether it is new here; it is kept.

    Args:
        home: in whose folder ``portals`` it is kept.
        address: of the portal.
        asked: what the portal says its key is.
        given: file of the key that the operator handed out; it takes the place of the kept one.

    Raises:
        UsageError: U313, U422, the file given cannot be read; U420, the portal signs with another key.
    """
    expected = kept_key(home, address) if given is None else read_key(given)
    before, now = (None if key is None else key_fingerprint(key) for key in (expected, asked))
    if before is not None and before != now:
        raise UsageError("U420", where=address.origin, before=before, now=str(now))
    if given is None and expected is not None:
        return asked, False
    _keep(home, address, asked)
    return asked, given is None


def _keep(home: Path, address: Address, key: Ed25519PublicKey) -> None:
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    path = _file(home, address)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(path, pem)
    except OSError:
        raise UsageError("U426", where=str(path)) from None


def _file(home: Path, address: Address) -> Path:
    return home / FOLDER / f"{address.name}.pem"


def _parsed(content: bytes, where: str) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError("U422", where=where) from None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError("U422", where=where)
    return key
