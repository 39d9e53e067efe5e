"""The portal's signed word that a file arrived: fetched, checked and kept beside the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from copstats.client.patience import Patience
from copstats.client.transfer import Begun, Content
from copstats.client.wire import Wire
from copstats.errors import PortalError, UsageError
from copstats.store.files import atomic_write
from copstats.store.upload_receipt import UploadReceipt, verified_receipt

SUFFIX = ".receipt.json"
"""Added to the name of the file that was sent."""


def fetch_receipt(wire: Wire, patience: Patience, begun: Begun) -> bytes:
    """Return the receipt of an upload that is whole, as the portal hands it out; not checked yet.

    Raises:
        UsageError: see :meth:`~copstats.client.wire.Wire.ask`.
        Retriable: T110, the portal is out of reach.
    """
    return patience.repeat(lambda: wire.ask("GET", f"{begun.path}/receipt")).body


def checked_receipt(
    receipt: bytes, key: Ed25519PublicKey, content: Content | None, upload: str = ""
) -> UploadReceipt:
    """Return what a receipt says, if the portal signed it and it is of this file.

    Args:
        receipt: content of the receipt's file.
        key: the portal's.
        content: the file; None to look at the signature alone.
        upload: id that the receipt has to name; empty for any.

    Raises:
        PortalError: P212, it is no receipt; P213, another key signed it, or it was changed.
        UsageError: U421, it is of another file.
    """
    said = verified_receipt(receipt, key)
    if content is not None and (said.sha256, said.size) != (content.sha256, content.size):
        raise UsageError("U421", where=content.path.name)
    if upload and said.upload != upload:
        raise UsageError("U421", where=said.upload)
    return said


def signer_of(receipt: bytes, keys: Sequence[Ed25519PublicKey]) -> Ed25519PublicKey:
    """Return which of several keys signed a receipt; the last of them if none did.

    Args:
        receipt: content of the receipt's file.
        keys: one or more.
    """
    for key in keys[:-1]:
        try:
            verified_receipt(receipt, key)
        except PortalError:
            continue
        return key
    return keys[-1]


def keep_receipt(path: Path, receipt: bytes) -> None:
    """Write a receipt.

    Raises:
        UsageError: U426, the file cannot be written.
    """
    try:
        atomic_write(path, receipt)
    except OSError:
        raise UsageError("U426", where=str(path)) from None
