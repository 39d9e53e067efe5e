"""Writes the tables of a release as Parquet and CSV."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

# Full-width forms count too: some spreadsheets read them as the plain ones.
_FORMULA = r"^[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
_NUMBER = r"^[+\-]?[0-9]+([.][0-9]+)?$"


def write_parquet(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    """Write ``NAME.parquet`` for every table."""
    folder.mkdir()
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")


def write_csv(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    """Write ``NAME.csv`` for every table; see `write_csv_table`."""
    folder.mkdir()
    for name, table in tables.items():
        write_csv_table(folder / f"{name}.csv", table)


def write_csv_table(path: Path | IO[bytes], table: pa.Table) -> None:
    """Write a table as CSV, to a path or an open file: UTF-8, RFC 4180, NULL as an empty cell.

    A text that a spreadsheet would take for a formula gets a leading apostrophe (OWASP, CSV injection).
    """
    pacsv.write_csv(guarded(table), path, pacsv.WriteOptions(eol="\r\n"))


def guarded(table: pa.Table) -> pa.Table:
    """Return the table with an apostrophe before every text that begins like a formula and is no number."""
    for position, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            texts = table.column(position)
            live = pc.and_not(
                pc.match_substring_regex(texts, _FORMULA), pc.match_substring_regex(texts, _NUMBER)
            )
            marked = pc.binary_join_element_wise("'", texts, "")
            table = table.set_column(position, field, pc.if_else(live, marked, texts))
    return table
