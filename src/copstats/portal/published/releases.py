"""Published releases as the portal serves them: what the signed manifest of each lists, and nothing else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from copstats.disseminate.manifest import BESIDE, MANIFEST, FileEntry, read_manifest
from copstats.errors import PortalError, ReleaseError
from copstats.store.home import Home
from copstats.store.releases import SAFE_LABEL

CURRENT = "current"
"""Stands for the label of the newest release."""


@dataclass(frozen=True)
class PublishedRelease:
    """A release.

    Attributes:
        label: for example ``2026-Q4``.
        folder: where it lies.
        framework: identifier and version, ``cop-2026 1.0.0``.
        files: path with forward slashes -> hash and size, in order.
    """

    label: str
    folder: Path
    framework: str
    files: Mapping[str, FileEntry]

    def place(self, name: str) -> Path:
        """Return where a file lies, if it is one of the release's and still what was signed, by its size.

        Raises:
            PortalError: P401 (404) the manifest does not list it; P402 (503) it is not what was signed.
        """
        if name not in self.files:
            raise PortalError("P401", status=404)
        place = self.folder / name
        try:
            same = place.resolve() == self.folder.resolve() / name
            same = same and place.is_file() and place.stat().st_size == self.files[name].size
        except OSError:
            same = False
        if not same:
            raise PortalError("P402", status=503)
        return place


def labels(home: Home) -> list[str]:
    """Return the labels of the published releases, the newest first; prepared ones lie elsewhere."""
    found = (label for label in home.releases.labels() if re.fullmatch(SAFE_LABEL, label))
    return sorted((one for one in found if (home.releases.folder(one) / MANIFEST).is_file()), reverse=True)


def newest(home: Home) -> PublishedRelease:
    """Return the newest release.

    Raises:
        PortalError: P403 (404), nothing has been published.
    """
    known = labels(home)
    if not known:
        raise PortalError("P403", status=404)
    return find(home, known[0])


def find(home: Home, label: str) -> PublishedRelease:
    """Return a release by its label; ``current`` is the newest.

    Raises:
        PortalError: P401 (404) there is no such release; P402 (503) its manifest cannot be read; P403 (404)
            nothing has been published.
    """
    if label == CURRENT:
        return newest(home)
    try:
        folder = home.releases.folder(label)
        stamp = (folder / MANIFEST).stat()
    except (ReleaseError, OSError):
        raise PortalError("P401", status=404) from None
    try:
        return _read(label, folder, stamp.st_mtime_ns, stamp.st_ino)
    except (ReleaseError, OSError):
        raise PortalError("P402", status=503) from None


@lru_cache(maxsize=32)
def _read(label: str, folder: Path, *_: int) -> PublishedRelease:
    """Read a manifest once; the numbers tell a replaced one, as in a home that was restored."""
    manifest = read_manifest(folder)
    files = dict(manifest.files)
    for name in BESIDE:
        if (folder / name).is_file():
            content = (folder / name).read_bytes()
            files[name] = FileEntry(hashlib.sha256(content).hexdigest(), len(content))
    return PublishedRelease(label, folder, manifest.framework, dict(sorted(files.items())))
