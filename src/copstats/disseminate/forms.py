"""The forms of a release besides its tables: each is made from the published tables and nothing else.

They are written by processes of their own, two at a time, that read the release's Parquet files.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from copstats.errors import ReleaseError, UsageError

if TYPE_CHECKING:
    from copstats.disseminate.published import Published, Reading

_NEEDED = {"site": "vl_convert", "reports": "docx"}
"""Form -> library that is not part of the base installation."""


def write_forms(folder: Path, reading: Reading, forms: Sequence[str]) -> None:
    """Write some forms of a release: ``sdmx``, ``metadata``, ``site``, ``reports``.

    Args:
        folder: of the release; holds ``parquet/``.
        reading: what is not in the tables.
        forms: which ones.

    Raises:
        UsageError: U402, a library that draws charts or writes documents is not installed.
        ReleaseError: R027, a process that writes a form ended early.
    """
    for form in forms:
        if form in _NEEDED and find_spec(_NEEDED[form]) is None:
            raise UsageError("U402", where=form)
    # The site takes as long as all others together.
    apart = [[form for form in forms if form == "site"], [form for form in forms if form != "site"]]
    begun = [(names, _begin(folder, reading, names)) for names in apart if names]
    for names, process in begun:
        if process.wait() != 0:
            raise ReleaseError("R027", where=", ".join(names), status=process.returncode)


def _begin(folder: Path, reading: Reading, forms: Sequence[str]) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    command = [sys.executable, "-m", __name__]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet)
    if process.stdin is not None:
        with process.stdin as pipe:
            pickle.dump((folder, reading, list(forms)), pipe)
    return process


def _write(folder: Path, reading: Reading, forms: Sequence[str]) -> None:
    from copstats.disseminate.published import read_published

    published = read_published(folder, reading)
    for form in forms:
        _write_form(form, folder, published)


def _write_form(form: str, folder: Path, published: Published) -> None:
    if form == "sdmx":
        from copstats.disseminate.sdmx import write_sdmx as write
    elif form == "metadata":
        from copstats.disseminate.metadata import write_metadata as write
    elif form == "site":
        from copstats.disseminate.site import write_site as write
    else:
        from copstats.disseminate.reports import write_reports as write
    write(folder, published)


if __name__ == "__main__":
    _write(*pickle.load(sys.stdin.buffer))  # noqa: S301 - from the parent process alone
