"""The receipt of an upload: what arrived, when, signed, so that the office can prove it later.

The signature is Ed25519 (RFC 8032) over ``copstats-receipt-1``, a line feed and the receipt as canonical
JSON: keys sorted, no space, UTF-8. The public key is that of releases (``keys/signing.pub``).
"""

from __future__ import annotations

import datetime as dt

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from copstats.errors import PortalError
from copstats.store.custody.public import fingerprint_of

FORMAT = "copstats-receipt-1"


class UploadReceipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was received.

    Attributes:
        upload: id of the upload.
        area: ISO 3166-1 alpha-3.
        sha256: of the content, hexadecimal: what ``sha256sum`` prints of the file that was sent.
        size: in bytes.
        received_at: when it was whole, UTC.
        key: fingerprint of the key that signed.
    """

    upload: str
    area: str
    sha256: str
    size: int
    received_at: dt.datetime
    key: str


class SignedReceipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A receipt as it is handed out: one JSON object.

    Attributes:
        receipt: what was received.
        signature: 128 hexadecimal digits.
        format: `FORMAT`.
    """

    receipt: UploadReceipt
    signature: str
    format: str = FORMAT

    def as_bytes(self) -> bytes:
        """Return the file to keep."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def signed_receipt(
    key: Ed25519PrivateKey, *, upload: str, area: str, sha256: str, size: int, received_at: dt.datetime
) -> SignedReceipt:
    """Sign a receipt; the same again gives the same bytes."""
    receipt = UploadReceipt(
        upload=upload,
        area=area,
        sha256=sha256,
        size=size,
        received_at=received_at.astimezone(dt.UTC),
        key=key_fingerprint(key.public_key()),
    )
    return SignedReceipt(receipt=receipt, signature=key.sign(_message(receipt)).hex())


def verified_receipt(content: bytes, key: Ed25519PublicKey) -> UploadReceipt:
    """Return what a receipt says, if this key signed it.

    Args:
        content: of the file.
        key: the portal's.

    Raises:
        PortalError: P212, it is no receipt; P213, another key signed it, or it was changed.
    """
    try:
        signed = msgspec.json.decode(content, type=SignedReceipt)
        signature = bytes.fromhex(signed.signature)
    except (msgspec.DecodeError, ValueError):
        raise PortalError("P212", status=422) from None
    if signed.format != FORMAT:
        raise PortalError("P212", status=422)
    try:
        key.verify(signature, _message(signed.receipt))
    except InvalidSignature:
        raise PortalError("P213", status=422, where=signed.receipt.upload) from None
    return signed.receipt


def key_fingerprint(key: Ed25519PublicKey) -> str:
    """Return the fingerprint of a public key, for example ``9f86-d081-884c-7d65``."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return fingerprint_of(raw)


def _message(receipt: UploadReceipt) -> bytes:
    return FORMAT.encode() + b"\n" + msgspec.json.encode(receipt, order="sorted")
