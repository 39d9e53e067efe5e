"""Where the definitions live: the packaged ``project`` folder, or the checkout."""

from __future__ import annotations

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
