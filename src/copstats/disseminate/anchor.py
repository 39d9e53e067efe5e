"""The end of the audit chain at the time of a release, printed in it and signed.

Whoever keeps a copy of the release can later show that the chain was cut short or made anew. It stands beside
the manifest, not in it: the same inputs give the same manifest, but not the same chain.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ANCHOR = "AUDIT.json"
SIGNATURE = "AUDIT.sig"
_HEAD = b"copstats-audit-anchor-1\n"


class Head(Protocol):
    """The end of an audit chain, see `copstats.store.audit.Head`."""

    @property
    def sequence(self) -> int:
        """Number of the last entry."""

    @property
    def mac(self) -> str:
        """Its code."""


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``AUDIT.json``.

    Attributes:
        release: label.
        manifest_sha256: of the release's manifest.
        sequence: number of the last entry of the audit chain.
        mac: its code, hexadecimal.
    """

    release: str
    manifest_sha256: str
    sequence: int
    mac: str


def write_anchor(
    folder: Path, label: str, manifest_sha256: str, head: Head, key: Ed25519PrivateKey
) -> Anchor:
    """Write the end of the chain into a release, signed (Ed25519, RFC 8032)."""
    anchor = Anchor(label, manifest_sha256, head.sequence, head.mac)
    content = msgspec.json.format(msgspec.json.encode(anchor, order="deterministic"), indent=2) + b"\n"
    (folder / ANCHOR).write_bytes(content)
    (folder / SIGNATURE).write_bytes(key.sign(_HEAD + content))
    return anchor


def read_anchor(folder: Path, key: Ed25519PublicKey) -> Anchor | None:
    """Return the end of the chain that a release names, or None if it names none that can be believed."""
    try:
        content = (folder / ANCHOR).read_bytes()
        key.verify((folder / SIGNATURE).read_bytes(), _HEAD + content)
        return msgspec.json.decode(content, type=Anchor)
    except (OSError, InvalidSignature, msgspec.DecodeError):
        return None
