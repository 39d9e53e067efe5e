"""Labelled data files without records for SPSS and Stata."""

from __future__ import annotations

import re
import struct
import tempfile
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

from copstats.framework.export.output import EPOCH

STATA_14 = 14
"""Every edition since Stata 14 reads its format (118); that of later versions (119) is for Stata/MP alone."""
LABEL_BYTES_SPSS, VALUE_LABEL_BYTES_SPSS, NOTE_BYTES_SPSS, FILE_LABEL_BYTES_SPSS = 255, 120, 80, 64
LABEL_LETTERS_STATA = 80


@dataclass(frozen=True)
class LabelledColumn:
    """A column of a labelled data file.

    Attributes:
        name: variable name.
        label: variable label; cut where a format takes less.
        kind: what its cells hold.
        width: bytes of a text, or digits of a number, sign and decimals included.
        decimals: of a number.
        codes: code -> label, missing codes among them.
        missing: the codes that mean a missing answer.
    """

    name: str
    label: str
    kind: str
    width: int
    decimals: int
    codes: Mapping[int, str]
    missing: Sequence[int]


def spss_file(columns: Sequence[LabelledColumn], title: str, notes: Sequence[str]) -> bytes:
    """Return a .sav file without records.

    Variable and value labels, widths, measurement levels; missing codes are user-missing values; ``notes``
    are document records.

    Args:
        columns: in the order of the file.
        title: file label.
        notes: paragraphs.
    """

    def write(path: Path) -> None:
        pyreadstat.write_sav(
            _one_record(columns),
            path,
            file_label=_cut_bytes(title, FILE_LABEL_BYTES_SPSS),
            note=[line for note in notes for line in _lines(note)],
            column_labels={c.name: _cut_bytes(c.label, LABEL_BYTES_SPSS) for c in columns},
            variable_value_labels={
                c.name: {code: _cut_bytes(t, VALUE_LABEL_BYTES_SPSS) for code, t in c.codes.items()}
                for c in columns
                if c.codes
            },
            missing_ranges={
                c.name: [{"lo": min(c.missing), "hi": max(c.missing)}] for c in columns if c.missing
            },
            variable_format={c.name: _spss_format(c) for c in columns},
            variable_measure={c.name: _measure(c) for c in columns},
            variable_display_width={c.name: max(8, len(c.name) + 2) for c in columns},
        )

    return _without_record_spss(_written(write, "empty.sav"))


def stata_file(columns: Sequence[LabelledColumn], title: str) -> bytes:
    """Return a .dta file without records, for Stata 14 and later.

    Variable and value labels, string widths, display formats. Missing codes are labelled numbers: Stata's own
    missing values (.a to .z) would not survive other programs.

    Args:
        columns: in the order of the file.
        title: data label.
    """

    def write(path: Path) -> None:
        pyreadstat.write_dta(
            _one_record(columns),
            path,
            file_label=_cut(title, LABEL_LETTERS_STATA),
            version=STATA_14,
            column_labels={c.name: _cut(c.label, LABEL_LETTERS_STATA) for c in columns},
            variable_value_labels={c.name: dict(c.codes) for c in columns if c.codes},
            variable_format={c.name: _stata_format(c) for c in columns},
        )

    return _without_record_stata(_written(write, "empty.dta"))


def _one_record(columns: Sequence[LabelledColumn]) -> pd.DataFrame:
    """Return one record that has the width of every column: the writer takes widths from the data."""
    return pd.DataFrame({c.name: _cells(c) for c in columns})


def _cells(column: LabelledColumn) -> pd.Series[Any]:
    if column.kind == "text":
        return pd.Series([" " * column.width], dtype="object")
    return pd.Series([0], dtype="float64" if column.kind == "number" else "int32")


def _written(write: Callable[[Path], None], name: str) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / name
        write(path)
        return path.read_bytes()


def _without_record_spss(content: bytes) -> bytes:
    """Take the one record out, and the time of writing (PSPP manual, System File Format)."""
    segments = struct.unpack_from("<i", content, 68)[0]
    file = bytearray(content[: -8 * segments])
    struct.pack_into("<i", file, 80, 0)
    stamp = EPOCH.strftime("%d %b %y%H:%M:%S").encode()
    file[92 : 92 + len(stamp)] = stamp
    return bytes(file)


def _without_record_stata(content: bytes) -> bytes:
    """Take the one record out, and the time of writing (Stata, ``help dta``, format 118)."""
    start, end = content.index(b"<data>") + len(b"<data>"), content.index(b"</data>")
    file = bytearray(content[:start] + content[end:])
    struct.pack_into("<Q", file, file.index(b"<N>") + len(b"<N>"), 0)
    # The map holds the place of every section; those behind the data have moved.
    places = file.index(b"<map>") + len(b"<map>")
    for number in range(10, 14):
        moved = struct.unpack_from("<Q", file, places + 8 * number)[0] - (end - start)
        struct.pack_into("<Q", file, places + 8 * number, moved)
    stamp = EPOCH.strftime("%d %b %Y %H:%M").encode()
    return re.sub(rb"(?<=<timestamp>\x11).{17}(?=</timestamp>)", stamp, bytes(file), count=1)


def _spss_format(column: LabelledColumn) -> str:
    if column.kind == "text":
        return f"A{column.width}"
    return f"F{column.width}.{column.decimals}"


def _stata_format(column: LabelledColumn) -> str:
    if column.kind == "text":
        return f"%-{column.width}s"
    return f"%{column.width}.{column.decimals}f"


def _measure(column: LabelledColumn) -> str:
    return "nominal" if column.kind in ("text", "code") else "scale"


def _lines(text: str) -> list[str]:
    """Break a text into lines of so many bytes as a document record holds."""
    lines: list[str] = []
    for word in textwrap.wrap(text, NOTE_BYTES_SPSS // 4, break_on_hyphens=False):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and len(joined.encode()) <= NOTE_BYTES_SPSS:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def _cut_bytes(text: str, limit: int) -> str:
    """Cut a text to so many bytes in UTF-8, at the end of a letter."""
    if len(text.encode()) <= limit:
        return text
    return text.encode()[: limit - len("…".encode())].decode(errors="ignore").rstrip() + "…"
