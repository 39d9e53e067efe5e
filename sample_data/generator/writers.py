"""Writes national columns in each accepted format, the same bytes every time where the format allows it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat

from copstats.framework.manifest import DataFile
from sample_data.generator.national import Column

EPOCH = dt.datetime(2026, 1, 1)
"""Stands in every time stamp that a format asks for."""
EXTENDED_MISSING = re.compile(r"^\.[a-z]$")


@dataclass(frozen=True)
class Labels:
    """What SPSS and Stata files say of their columns.

    Attributes:
        columns: column -> label.
        values: column -> value -> label.
        missing: column -> numeric values declared user-missing.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, dict[Any, str]] = field(default_factory=dict)
    missing: Mapping[str, list[Any]] = field(default_factory=dict)


def write_delimited(columns: Mapping[str, Column], path: Path, file: DataFile) -> None:
    """Write CSV with the encoding, delimiter and decimal mark that the manifest declares."""

    def cell(value: Any) -> str:
        if value is None:
            return ""
        return f"{value:.4f}".replace(".", file.decimal) if isinstance(value, float) else str(value)

    text = io.StringIO()
    writer = csv.writer(text, delimiter=file.delimiter or ",", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(zip(*([cell(v) for v in column] for column in columns.values()), strict=True))
    path.write_bytes(text.getvalue().encode(file.encoding or "utf-8"))


def write_workbook(sheets: Mapping[str, Mapping[str, Column]], path: Path) -> None:
    """Write an Excel workbook of named sheets, its time stamps fixed."""
    book = openpyxl.Workbook(write_only=True)
    for name, columns in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append(list(columns))
        for row in zip(*columns.values(), strict=True):
            sheet.append(row)
    raw = io.BytesIO()
    book.save(raw)
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "docProps/core.xml":
                content = re.sub(
                    rb"\d{4}-\d\d-\d\dT[\d:.]+Z", EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), content
                )
            fixed = zipfile.ZipInfo(entry.filename, EPOCH.timetuple()[:6])
            fixed.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(fixed, content)


def write_parquet(columns: Mapping[str, Column], path: Path) -> None:
    """Write Parquet; codes take one byte or two."""
    arrays = {}
    for name, column in columns.items():
        array = pa.array(column)
        arrays[name] = array.cast(pa.int16()) if pa.types.is_integer(array.type) else array
    pq.write_table(pa.table(arrays), path, compression="zstd")


def write_spss(columns: Mapping[str, Column], path: Path, labels: Labels) -> None:
    """Write .sav or .zsav with value labels and user-missing codes."""
    pyreadstat.write_sav(
        _frame(columns),
        str(path),
        column_labels=dict(labels.columns),
        compress=path.suffix == ".zsav",
        row_compress=path.suffix == ".sav",
        variable_value_labels=dict(labels.values),
        missing_ranges=dict(labels.missing) or None,
        variable_format={n: "F3.0" for n, c in columns.items() if all(isinstance(v, int | None) for v in c)},
    )
    # The header holds the date in bytes 92-100 and the time in bytes 101-108 (PSPP, System File Format).
    stamp = EPOCH.strftime("%d %b %y%H:%M:%S").encode()
    content = bytearray(path.read_bytes())
    content[92 : 92 + len(stamp)] = stamp
    path.write_bytes(bytes(content))


def write_stata(columns: Mapping[str, Column], path: Path, labels: Labels) -> None:
    """Write .dta; text such as ``.a`` becomes an extended missing value."""
    missing = {
        name: sorted({v[1] for v in column if isinstance(v, str) and EXTENDED_MISSING.match(v)})
        for name, column in columns.items()
    }
    missing = {name: letters for name, letters in missing.items() if letters}
    bare = {
        name: [v[1] if name in missing and isinstance(v, str) else v for v in column]
        for name, column in columns.items()
    }
    pyreadstat.write_dta(
        _frame(bare),
        str(path),
        column_labels=dict(labels.columns),
        variable_value_labels={
            name: {v: text for v, text in of.items() if not isinstance(v, str) or v in missing.get(name, [])}
            for name, of in labels.values.items()
        },
        missing_user_values=missing,
    )
    content = path.read_bytes()
    stamp = EPOCH.strftime("%d %b %Y %H:%M").encode()
    path.write_bytes(re.sub(rb"(?<=<timestamp>\x11).{17}(?=</timestamp>)", stamp, content, count=1))


def _frame(columns: Mapping[str, Column]) -> pd.DataFrame:
    """Return a data frame in which whole numbers stay whole and an empty cell is missing."""
    return pd.DataFrame({name: _series(column) for name, column in columns.items()})


def _series(column: Column) -> pd.Series[Any]:
    if any(isinstance(v, str) for v in column):
        return pd.Series(column, dtype="object")
    if any(v is None for v in column):
        return pd.Series(column, dtype="float64")
    return pd.Series(column)
