"""Files that a reader takes from a page."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from copstats.disseminate.files import guarded

FOLDER = "data"
"""Folder of the site in which they stand."""


def write_download(site: Path, name: str, table: pa.Table) -> None:
    """Write a table as CSV: UTF-8, RFC 4180, NULL as an empty cell, no text that begins like a formula.

    Args:
        site: folder of the site.
        name: of the file, without ``.csv``.
        table: its rows.
    """
    pacsv.write_csv(guarded(table), site / FOLDER / f"{name}.csv", pacsv.WriteOptions(eol="\r\n"))
