"""Where exports are written, and what stands in every time stamp that a format asks for."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from copstats.errors import UsageError

EPOCH = dt.datetime(2026, 1, 1)
"""The same framework gives the same bytes, so no file tells when it was written."""


def folder(target: Path) -> Path:
    """Return the folder of an export, and make it where it is not there.

    Raises:
        UsageError: U143, the path is a file.
    """
    if target.is_file():
        raise UsageError("U143", path=target.name)
    target.mkdir(parents=True, exist_ok=True)
    return target


def write_forms(target: Path, forms: dict[str, bytes]) -> list[Path]:
    """Write files that people fill in; all of them, or none if one would replace other content.

    Args:
        target: the folder.
        forms: file name -> content.

    Raises:
        UsageError: U142, a file of another content is there; U143, the path is a file.
    """
    paths = {folder(target) / name: content for name, content in forms.items()}
    for path, content in paths.items():
        if path.exists() and path.read_bytes() != content:
            raise UsageError("U142", where=str(path), file=path.name)
    for path, content in paths.items():
        path.write_bytes(content)
    return list(paths)
