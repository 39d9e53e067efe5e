"""Formats of data files: what the name says and what the first bytes say."""

from __future__ import annotations

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
_OLD_STATA_RELEASES = range(102, 116)
_BYTE_ORDERS = (1, 2)


def named_format(path: str) -> str | None:
    """Return the format that the extension promises, or None."""
    return EXTENSIONS.get(PurePosixPath(path).suffix.lower())


def held_format(head: bytes) -> str:
    """Return the format that the first bytes show; text of any kind counts as CSV."""
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if len(head) > 1 and head[0] in _OLD_STATA_RELEASES and head[1] in _BYTE_ORDERS:
        return "Stata"
    utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    return UNKNOWN if b"\0" in head and not utf16 else "CSV"
