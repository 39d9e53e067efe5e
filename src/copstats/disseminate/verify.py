"""Verifies a release: signature, every byte of every file, and the shape of its values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from copstats.disclose import load_profile
from copstats.disclose.shape import broken_checks
from copstats.disseminate import anchor, database
from copstats.disseminate.anchor import read_anchor
from copstats.disseminate.manifest import (
    MANIFEST,
    PUBLIC_KEY,
    SIGNATURE,
    ReleaseManifest,
    file_entry,
    read_manifest,
    regular_files,
)
from copstats.errors import DefinitionError, ReleaseError
from copstats.store.engine import published_connection

Kind = Literal["signature", "manifest", "missing", "extra", "changed", "unreadable", "shape"]


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a release.

    Attributes:
        kind: what sort of thing.
        file: path inside the release, with forward slashes.
        text: what is wrong, without any value of a cell.
    """

    kind: Kind
    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.text}"


def verify_release(folder: Path, public_key: Ed25519PublicKey | None = None) -> list[Problem]:
    """Return what is wrong with a release; empty if nothing is.

    The database is opened only where every file is as signed.

    Args:
        folder: holds ``MANIFEST.json``.
        public_key: of whoever published. Without it the key in the folder is used, which shows damage but not
            that somebody else made the release.

    Raises:
        ReleaseError: R024, there is no release in the folder.
    """
    if not (folder / MANIFEST).is_file():
        raise ReleaseError("R024", where=str(folder), folder=folder.name)
    problems = _signature(folder, public_key)
    try:
        manifest = read_manifest(folder)
    except ReleaseError:
        return [*problems, Problem("manifest", MANIFEST, "it cannot be read")]
    problems += _files(folder, manifest)
    problems += _anchor(folder, public_key)
    return problems or _values(folder, manifest)


def _signature(folder: Path, public_key: Ed25519PublicKey | None) -> list[Problem]:
    try:
        key = public_key or _key_of(folder)
        if key is None:
            return [Problem("signature", PUBLIC_KEY, "there is no Ed25519 public key")]
        key.verify((folder / SIGNATURE).read_bytes(), (folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return [Problem("missing", SIGNATURE, "the release is not signed")]
    except InvalidSignature:
        return [Problem("signature", SIGNATURE, "the signature does not fit the manifest and the key")]
    return []


def _anchor(folder: Path, public_key: Ed25519PublicKey | None) -> list[Problem]:
    """Look at the end of the audit chain, where the release names one."""
    if not any((folder / name).exists() for name in (anchor.ANCHOR, anchor.SIGNATURE)):
        return []
    key = public_key or _key_of(folder)
    found = read_anchor(folder, key) if key is not None else None
    signed = found is not None and found.manifest_sha256 == file_entry(folder / MANIFEST).sha256
    return [] if signed else [Problem("signature", anchor.ANCHOR, "it does not fit the manifest and the key")]


def _key_of(folder: Path) -> Ed25519PublicKey | None:
    try:
        key = load_pem_public_key((folder / PUBLIC_KEY).read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None


def _files(folder: Path, manifest: ReleaseManifest) -> list[Problem]:
    found = dict(regular_files(folder))
    links = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink()]
    extra = sorted({*found.keys() - manifest.files.keys(), *links})
    return [
        *(
            Problem("missing", name, "the file is listed but not there")
            for name in sorted(manifest.files)
            if name not in found
        ),
        *(Problem("extra", name, "the manifest does not list it") for name in extra),
        *(
            Problem("changed", name, "its content is not what was signed")
            for name in sorted(found.keys() & manifest.files.keys())
            if file_entry(found[name]) != manifest.files[name]
        ),
    ]


def _values(folder: Path, manifest: ReleaseManifest) -> list[Problem]:
    try:
        profile = load_profile(manifest.framework.split(" ")[0])
        coded = [code for code, reason in profile.reasons.items() if reason.coded]
        with published_connection(folder / database.NAME) as connection:
            broken = broken_checks(connection, coded)
    except DefinitionError:
        return [Problem("unreadable", MANIFEST, f"this copstats does not know {manifest.framework}")]
    except duckdb.Error:
        return [Problem("unreadable", database.NAME, "it is no database with the table indicator_value")]
    return [
        Problem("shape", database.NAME, f"{check}: {cells} cells") for check, cells in sorted(broken.items())
    ]
