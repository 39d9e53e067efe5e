"""Small submissions for the tests of collect, in every format."""

from __future__ import annotations

import copy
import datetime as dt
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import yaml

from copstats.collect.submission import Submission, open_submission
from copstats.framework import Area

AREAS = {code: Area(code, code, {}) for code in ("KEN", "NAM", "NOR")}
EXTENSIONS = ("csv", "xlsx", "sav", "zsav", "dta", "parquet")

_MANIFEST: dict[str, Any] = {
    "kind": "survey",
    "framework": "cop-2026",
    "ref_area": "NAM",
    "survey": "COPS",
    "reference_year": 2026,
    "version": 1,
    "title": {"en": "Survey of children online"},
    "fieldwork": {"start": dt.date(2026, 3, 1), "end": dt.date(2026, 4, 30)},
    "population": {
        "ages": {"min": 9, "max": 17},
        "universe": "all_children",
        "setting": "household",
        "coverage": "national",
    },
    "design": {"weight": "w", "stratum": "str", "psu": "ea"},
    "sampling": "probability_documented",
    "mode": "self_completed",
    "modules": ["demographics", "access"],
    "ethics": {"review": "Board 12/2026", "consent": "parent_and_child"},
    "dissemination": {"consent": True},
    "files": {"child": {"path": "child.csv"}},
    "contact": {"organisation": "Statistics office"},
}


def manifest(**changes: Any) -> dict[str, Any]:
    """Return the manifest with entries replaced; ``a__b`` stands for the entry b of a, None removes one."""
    says = copy.deepcopy(_MANIFEST)
    for key, value in changes.items():
        *above, last = key.split("__")
        entry = says
        for name in above:
            entry = entry[name]
        if value is None:
            del entry[last]
        else:
            entry[last] = value
    return says


def write(
    folder: Path,
    files: Mapping[str, bytes],
    says: Mapping[str, Any] | None = None,
    crosswalk: str | None = None,
) -> Path:
    """Write a submission and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(dict(says or manifest()), sort_keys=False, allow_unicode=True)
    (folder / "manifest.yaml").write_text(text, "utf-8")
    if crosswalk is not None:
        (folder / "crosswalk.yaml").write_text(crosswalk, "utf-8")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def opened(folder: Path, **options: Any) -> Submission:
    """Open a submission of the tests."""
    return open_submission(folder, areas=AREAS, **options)


def encoded(extension: str, columns: Mapping[str, list[Any]], folder: Path) -> bytes:
    """Return a table as the bytes of a data file; None is a blank cell. SPSS and Stata need a real file."""
    if extension == "csv":
        return as_csv(columns)
    if extension == "xlsx":
        return as_xlsx(columns)
    if extension == "parquet":
        buffer = io.BytesIO()
        pq.write_table(pa.table({name: pa.array(cells) for name, cells in columns.items()}), buffer)
        return buffer.getvalue()
    path = folder / f"written.{extension}"
    frame = pd.DataFrame({name: _series(cells) for name, cells in columns.items()})
    if extension == "dta":
        pyreadstat.write_dta(frame, str(path))
    else:
        pyreadstat.write_sav(frame, str(path), compress=extension == "zsav")
    return path.read_bytes()


def as_csv(columns: Mapping[str, list[Any]]) -> bytes:
    frame = pd.DataFrame({name: [_cell(cell) for cell in cells] for name, cells in columns.items()})
    return frame.to_csv(index=False, lineterminator="\r\n").encode()


def as_xlsx(columns: Mapping[str, list[Any]]) -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.append(list(columns))
    for row, cells in enumerate(zip(*columns.values(), strict=True), start=2):
        for column, value in enumerate(cells, start=1):
            cell = sheet.cell(row, column, value)
            if isinstance(value, str):
                cell.data_type = "s"  # openpyxl would write "=1+1" as a formula
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _series(cells: list[Any]) -> pd.Series:
    texts = any(isinstance(cell, str) for cell in cells)
    if texts:
        return pd.Series(["" if cell is None else cell for cell in cells], dtype=object)
    return pd.Series([None if cell is None else float(cell) for cell in cells], dtype=float)


CHILDREN: dict[str, list[Any]] = {
    "line": ["007", "008", "009", "010"],
    "str": [1.0, 1.0, 2.0, 2.0],
    "ea": [11.0, 12.0, 11.0, 12.0],
    "w": [1.5, 0.75, 2.0, 1.0],
    "age": [9.0, 12.0, 15.0, 17.0],
    "Q1": [1.0, 2.0, 1.0, None],
    "net": ["Yes", "No", "NA", None],
}
CROSSWALK = """\
framework: cop-2026
child:
  child_id: {source: line, copy: true}
  sex:
    source: Q1
    map: {1: 1, 2: 2}
  net_3m:
    source: net
    map: {Yes: 1, No: 0}
    blank: -9
"""
