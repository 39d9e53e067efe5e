"""The manifest of a release: what is in it, what it was made from, signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

from copstats.disseminate import anchor
from copstats.errors import ReleaseError

MANIFEST = "MANIFEST.json"
SIGNATURE = "MANIFEST.sig"
PUBLIC_KEY = "PUBLIC_KEY.pem"
FORMAT = 1
BESIDE = (MANIFEST, SIGNATURE, anchor.ANCHOR, anchor.SIGNATURE)
"""Files that the manifest does not list: itself, and the end of the audit chain."""


class FileEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """Hash and size of a file."""

    sha256: str
    size: int


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    """A submission and the hash of its content."""

    submission: str
    sha256: str


class CellCount(Struct, frozen=True, forbid_unknown_fields=True):
    """How many cells the gate gave a status, and by which reason and rule."""

    obs_status: str
    reason: str | None
    rule: str | None
    cells: int


class ReleaseManifest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``MANIFEST.json``.

    Attributes:
        format: version of this form.
        label: of the release.
        framework: identifier and version, ``cop-2026 1.0.0``.
        profile: identifier and version of the disclosure profile.
        code_version: version of copstats.
        fingerprint: hash of the code and definitions.
        inputs: submissions behind the values.
        cells: the gate's decisions, counted.
        files: path with forward slashes -> entry, for every file but the manifest and its signature.
    """

    format: int
    label: str
    framework: str
    profile: str
    code_version: str
    fingerprint: str
    inputs: list[Input]
    cells: list[CellCount]
    files: dict[str, FileEntry]


def encode(manifest: ReleaseManifest) -> bytes:
    """Return the bytes that are signed: the same for the same content."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=2) + b"\n"


def read_manifest(folder: Path) -> ReleaseManifest:
    """Read the manifest of a release, unverified.

    Raises:
        ReleaseError: R024 there is none; R025 it cannot be read.
    """
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=ReleaseManifest)
    except FileNotFoundError:
        raise ReleaseError("R024", where=str(folder), folder=folder.name) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ReleaseError("R025", where=MANIFEST) from None


def sign(folder: Path, manifest: ReleaseManifest, key: Ed25519PrivateKey) -> None:
    """Write the manifest and, last of all, its signature (64 bytes, Ed25519, RFC 8032)."""
    data = encode(manifest)
    (folder / MANIFEST).write_bytes(data)
    (folder / SIGNATURE).write_bytes(key.sign(data))


def public_key_pem(key: Ed25519PublicKey) -> bytes:
    """Return the key as it lies in a release (PEM, SubjectPublicKeyInfo)."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def regular_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield path with forward slashes and path of every file that a manifest lists, in order."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and name not in BESIDE:
            yield name, path


def file_entry(path: Path) -> FileEntry:
    """Hash a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(sha256=digest, size=path.stat().st_size)
