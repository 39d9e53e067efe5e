"""Sheets of an Excel workbook that are safe to open, easy to read, and the same bytes every time."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from copstats.framework.export.output import EPOCH
from copstats.language import Translations

if TYPE_CHECKING:
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

Value = str | int | float | None
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so is taken for a formula when a cell is edited or passed on as CSV (OWASP)."""

_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\]")
_LONGEST_TITLE = 31
_HEADER_FONT = Font(bold=True, color="FFFFFF")
_HEADER_FILL = PatternFill("solid", start_color="1F4E79")
_TIMES = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+Z")


@dataclass(frozen=True)
class Column:
    """A column of a sheet.

    Attributes:
        title: its heading.
        width: in characters.
    """

    title: str
    width: int


def new_workbook(title: str) -> Workbook:
    """Return a workbook without sheets; its properties name the title and no person."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title = title
    book.properties.creator = "copstats"
    return book


def new_sheet(book: Workbook, title: str, words: Translations) -> Worksheet:
    """Add a sheet; it runs from right to left where the language does."""
    sheet: Worksheet = book.create_sheet(_NOT_IN_TITLES.sub(" ", title)[:_LONGEST_TITLE])
    sheet.sheet_view.rightToLeft = words.direction == "rtl"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"
    return sheet


def add_table(
    book: Workbook,
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Value]],
    words: Translations,
) -> Worksheet:
    """Add a sheet with a heading that stays in sight, filters, and wrapped texts."""
    sheet = new_sheet(book, title, words)
    write_header(sheet, [column.title for column in columns])
    for number, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = column.width
    last = 1
    for last, row in enumerate(rows, start=2):
        for number, value in enumerate(row, start=1):
            cell = put(sheet, last, number, value)
            cell.alignment = Alignment(wrap_text=True, vertical="top", readingOrder=_reading_order(words))
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{last}"
    return sheet


def add_page(book: Workbook, title: str, paragraphs: Iterable[str], words: Translations) -> Worksheet:
    """Add a sheet of paragraphs, the first of which is its heading."""
    sheet = new_sheet(book, title, words)
    sheet.column_dimensions["A"].width = 100
    for row, paragraph in enumerate(paragraphs, start=1):
        cell = put(sheet, row, 1, paragraph)
        cell.alignment = Alignment(wrap_text=True, vertical="top", readingOrder=_reading_order(words))
        if row == 1:
            cell.font = Font(bold=True, size=14)
    return sheet


def write_header(sheet: Worksheet, titles: Sequence[str]) -> None:
    """Write the first row and keep it in sight."""
    for number, title in enumerate(titles, start=1):
        cell = put(sheet, 1, number, title)
        cell.font, cell.fill = _HEADER_FONT, _HEADER_FILL
        cell.alignment = Alignment(wrap_text=True, vertical="center")
    sheet.freeze_panes = "A2"


def put(sheet: Worksheet, row: int, column: int, value: Value) -> Cell:
    """Write a value; a text stays a text, whatever it begins with."""
    cell: Cell = sheet.cell(row, column)  # type: ignore[assignment]
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
    if isinstance(value, str):
        cell.data_type = "s"
        cell.quotePrefix = value.startswith(FORMULA_SIGNS)
    return cell


def save(book: Workbook, path: Path) -> Path:
    """Write the workbook."""
    path.write_bytes(content(book))
    return path


def content(book: Workbook) -> bytes:
    """Return the bytes of a workbook; no time stamp in them is that of the moment."""
    raw, fixed = io.BytesIO(), io.BytesIO()
    book.save(raw)
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            part = source.read(entry)
            if entry.filename == "docProps/core.xml":
                part = _TIMES.sub(EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ").encode(), part)
            dated = zipfile.ZipInfo(entry.filename, EPOCH.timetuple()[:6])
            dated.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(dated, part)
    return fixed.getvalue()


def _reading_order(words: Translations) -> int:
    """Return Excel's number for the direction of a cell's text."""
    return 2 if words.direction == "rtl" else 1
