"""Where a cell stands in the file that was delivered, as the program that opens the file addresses it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from copstats.framework.definitions import RecordKind

_PLAIN_SHEET = re.compile(r"[^\W\d]\w*")
_LIKE_A_CELL = re.compile(r"[A-Za-z]{1,3}\d+|[Rr]\d*[Cc]\d*")
_LETTERS = 26


class DeliveredFile(Protocol):
    """What collecting says of where the cells of a data file stand."""

    @property
    def sheet(self) -> str | None:
        """Name of the Excel sheet; None for a file without sheets."""

    @property
    def positions(self) -> Mapping[str, int]:
        """National column -> its position, from 1."""


class Delivered(Protocol):
    """The data files of a submission."""

    @property
    def records(self) -> Mapping[RecordKind, DeliveredFile]:
        """Record kind -> its data file."""


@dataclass(frozen=True)
class Place:
    """How one data file is addressed.

    Attributes:
        sheet: name of the Excel sheet; None for a file without sheets.
        positions: national column -> its position, from 1.
        header_rows: rows above the first record.
    """

    sheet: str | None = None
    positions: Mapping[str, int] = field(default_factory=dict)
    header_rows: int = 1

    def address(self, column: str, record_no: int | None) -> str:
        """Return the address in an Excel sheet, ``Sheet1!F37``; empty for another file.

        Args:
            column: national column, or columns with commas between, as the harmonised record names them.
            record_no: from 1; None for the whole column.
        """
        if self.sheet is None:
            return ""
        cells = [self._cell(letters(number), record_no) for number in self._numbers(column)]
        if not cells and record_no is None:
            return ""
        row = 0 if record_no is None else record_no + self.header_rows
        return f"{_quoted(self.sheet)}!{','.join(cells) or f'{row}:{row}'}"

    def _cell(self, letter: str, record_no: int | None) -> str:
        return f"{letter}:{letter}" if record_no is None else f"{letter}{record_no + self.header_rows}"

    def _numbers(self, column: str) -> list[int]:
        names = [column] if column in self.positions else column.split(", ")
        return [self.positions[name] for name in names if name in self.positions]


def places(harmonised: Delivered) -> dict[str, Place]:
    """Return record kind -> how its data file is addressed."""
    return {
        str(kind): Place(sheet=record.sheet, positions=record.positions)
        for kind, record in harmonised.records.items()
    }


def letters(number: int) -> str:
    """Return the letters of a column by its position: 1 is A, 27 is AA."""
    out = ""
    while number:
        number, rest = divmod(number - 1, _LETTERS)
        out = chr(ord("A") + rest) + out
    return out


def _quoted(sheet: str) -> str:
    if _PLAIN_SHEET.fullmatch(sheet) and not _LIKE_A_CELL.fullmatch(sheet):
        return sheet
    doubled = sheet.replace("'", "''")
    return f"'{doubled}'"
