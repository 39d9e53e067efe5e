"""SPSS and Stata: codes as they stand, with labels and user-missing values kept beside them."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyreadstat

from copstats.collect.parsers.common import Column, Parsed, ReadProblem, Request, Value, assemble, typed

_EXTENDED_MISSING = re.compile("[a-z]")


def parse(content: bytes, request: Request) -> Parsed:
    """Return the table of an SPSS or Stata file.

    User-missing values stay values (read otherwise, 8 and 9 vanish without a trace); Stata's extended missing
    values become the texts ``.a`` to ``.z``.

    Raises:
        ReadProblem: the file is damaged, cut short or in another encoding than it says.
    """
    read = pyreadstat.read_sav if request.format == "SPSS" else pyreadstat.read_dta
    try:
        cells, says = read(
            io.BytesIO(content),
            encoding=request.encoding,
            user_missing=True,
            apply_value_formats=False,
            output_format="dict",
        )
    except UnicodeDecodeError:
        raise ReadProblem("S142", line=0, encoding=request.encoding or "UTF-8") from None
    except pyreadstat.ReadstatError as problem:
        code = "S148" if "encod" in str(problem).lower() else "S140"
        raise ReadProblem(code) from None
    columns, arrays = [], []
    for name in says.column_names:
        columns.append(_column(name, says, stata=request.format == "Stata"))
        arrays.append(_array(cells[name], extended=name in says.missing_user_values))
    return assemble(columns, arrays)


def _array(cells: Sequence[Any], *, extended: bool) -> pa.Array:
    """Return the cells of a column; ``extended``: letters among its numbers are missing values of Stata."""
    if extended:
        cells = [f".{cell}" if isinstance(cell, str) else cell for cell in cells]
    return typed(cells, ".")


def _column(name: str, says: Any, *, stata: bool) -> Column:
    def value(code: Value) -> Value:
        return f".{code}" if stata and isinstance(code, str) and _EXTENDED_MISSING.fullmatch(code) else code

    missing = list(map(value, says.missing_user_values.get(name, [])))
    ranges = []
    for one in says.missing_ranges.get(name, []):
        if one["lo"] == one["hi"]:
            missing.append(one["lo"])
        elif one["lo"] < one["hi"]:  # Some files declare the system-missing value (NaN) over again.
            ranges.append((one["lo"], one["hi"]))
    labels = says.variable_value_labels.get(name, {})
    return Column(
        name=name,
        label=says.column_names_to_labels.get(name) or None,
        value_labels=[(value(code), label) for code, label in labels.items()],
        missing_values=missing,
        missing_ranges=ranges,
    )
