"""Formats of data files: what the name says and what the first bytes say."""

from __future__ import annotations

import codecs
from pathlib import PurePosixPath

EXTENSIONS = {
    ".csv": "CSV",
    ".xlsx": "Excel",
    ".sav": "SPSS",
    ".zsav": "SPSS",
    ".dta": "Stata",
    ".parquet": "Parquet",
}
HEAD_BYTES = 4096
UNKNOWN = "no known format"

_SIGNATURES = (
    (b"$FL2", "SPSS"),
    (b"$FL3", "SPSS"),
    (b"<stata_dta>", "Stata"),
    (b"PAR1", "Parquet"),
    (b"PK\x03\x04", "Excel"),
    (b"\xd0\xcf\x11\xe0", "Excel 97-2003"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF", "PDF"),
)
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""Byte order marks of text that holds NUL bytes; that of UTF-32 LE begins with that of UTF-16."""
_OLD_STATA_RELEASES = range(102, 116)
_BYTE_ORDERS = (1, 2)


def named_format(path: str) -> str | None:
    """Return the format that the extension promises, or None."""
    return EXTENSIONS.get(PurePosixPath(path).suffix.lower())


def held_format(head: bytes, encoding: str | None = None) -> str:
    """Return the format that the first bytes show; text of any kind counts as CSV.

    Args:
        head: first bytes of the file.
        encoding: of the text, where the manifest declares one: text in UTF-16 or UTF-32 holds NUL bytes.
    """
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if len(head) > 1 and head[0] in _OLD_STATA_RELEASES and head[1] in _BYTE_ORDERS:
        return "Stata"
    wide = head.startswith(_MARKS) or _wide(encoding)
    return UNKNOWN if b"\0" in head and not wide else "CSV"


def _wide(encoding: str | None) -> bool:
    """Return whether an encoding writes letters in two or four bytes."""
    try:
        return encoding is not None and codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
    except LookupError:
        return False
