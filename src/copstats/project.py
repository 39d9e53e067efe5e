"""Where the definitions live: the packaged ``project`` folder, or the checkout."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


@cache
def project_root() -> Path:
    """Return the folder that holds ``schemas/``, ``indicators/`` and ``flows/``.

    An installed wheel carries them in ``copstats/project``; in a checkout they stand at the top level.
    """
    package = Path(__file__).resolve().parent
    packaged = package / "project"
    return packaged if packaged.is_dir() else package.parents[1]


@cache
def source_fingerprint() -> str:
    """Return a hash of the package's own code and data: what they made is made anew when they change."""
    package = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for path in sorted(p for p in package.rglob("*") if p.suffix in {".py", ".sql", ".yaml"}):
        if "project" not in path.relative_to(package).parts:
            digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
