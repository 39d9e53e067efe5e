"""What several steps need: where submissions lie, what a label names, fingerprints of inputs."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import re
from pathlib import Path

from copstats import __version__
from copstats.errors import UsageError
from copstats.framework import Area, load_areas, load_framework
from copstats.project import project_root, source_fingerprint
from copstats.store.home import Home
from copstats.store.parcel import SUFFIX
from copstats.store.rows import Submission

PROGRESS = logging.getLogger("copstats.progress")
"""What the steps say of their progress: names and counts."""

_QUARTER = re.compile(r"(\d{4})-Q([1-4])(-[a-z0-9]+)?")
_MONTHS_IN_QUARTER = 3


def submissions_in(folder: Path) -> list[Path]:
    """Return the submissions in a folder by name, sealed files among them, or the path itself if it is one.

    Raises:
        UsageError: there is none (U104).
    """
    if _is_submission(folder):
        return [folder]
    if folder.is_dir() and (found := sorted(path for path in folder.iterdir() if _is_submission(path))):
        return found
    raise UsageError("U104", folder=str(folder))


def _is_submission(path: Path) -> bool:
    return path.suffix in (".zip", SUFFIX) or (path / "manifest.yaml").is_file()


def area_table(further: Path | None = None) -> dict[str, Area]:
    """Return the areas of the framework, and those of a further table."""
    own = project_root() / "schemas" / "areas.csv"
    return load_areas(own, further) if further else load_areas(own)


def current_quarter(home_path: Path) -> str:
    """Return the label of the current quarter in the home's time zone, for example ``2026-Q4``."""
    return quarter_of(dt.datetime.now(Home.open(home_path).config.zone))


def quarter_of(day: dt.datetime) -> str:
    """Return the label of a moment's quarter, for example ``2026-Q4``."""
    return f"{day.year}-Q{(day.month - 1) // _MONTHS_IN_QUARTER + 1}"


def year_of(label: str) -> int:
    """Return the year that a release's label names.

    Raises:
        UsageError: it names no quarter (U106).
    """
    match = _QUARTER.fullmatch(label)
    if match is None:
        raise UsageError("U106", label=label)
    return int(match.group(1))


def estimates_fingerprint(home: Home, submission: Submission, as_of_year: int) -> str:
    """Return what estimates must have been made from to be those of this wave, framework, code and year."""
    framework = load_framework(submission.framework)
    withdrawn = str(home.tombstones.count(submission.wave))
    return fingerprint(framework.fingerprint, submission.content_hash, withdrawn, str(as_of_year))


def fingerprint(*parts: str) -> str:
    """Return the hash of some inputs and of the code that works on them."""
    return hashlib.sha256("\n".join((__version__, source_fingerprint(), *parts)).encode()).hexdigest()


def as_identifier(who: str) -> str:
    """Return a name as the audit log takes it: signs that no identifier has become ``_``."""
    return re.sub(r"[^\w.:@/+-]", "_", who)[:200]


def sha256(path: Path) -> str:
    """Return the hash of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
