"""Excel: one sheet, values as they are stored.

A workbook is a zip of XML, so it is looked at before it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from copstats.collect.parsers.common import Column, Input, Parsed, ReadProblem, Request, Trace, check_names
from copstats.collect.parsers.workbook_parts import look, sheet_xml, traces

ERROR_TEXT = "#ERROR"
"""Stands for #N/A, #DIV/0! and their like, which the parser itself would show as blank."""

_ERROR_CELL = re.compile(rb"""<(?:\w+:)?c\b[^>]*\bt=["']e["'][^>]*>""")
_WITHOUT_VALUE = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^>]*/>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_REFERENCE = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")


def parse(source: Input, request: Request) -> Parsed:
    """Return the table of a sheet; its first row holds the names of the columns.

    Raises:
        ReadProblem: no such sheet, a password, formulas without computed values, or a workbook that unfolds
            to more than a survey file holds.
    """
    file = source.file()
    look(file)
    file.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(file)
        name = _sheet(workbook, request.sheet)
        rows: list[list[Any]] = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except PasswordError:
        raise ReadProblem("S153") from None
    except CalamineError:
        raise ReadProblem("S140") from None
    for row, column in _error_cells(sheet_xml(file, name)):
        if row >= len(rows) or column >= len(rows[row]):
            raise ReadProblem("S140")
        rows[row][column] = ERROR_TEXT
    while rows and not any(cell != "" for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise ReadProblem("S147")
    found = [*traces(file), *_hidden_sheets(workbook)]
    return _parsed(rows, name, request.decimal, found)


def _parsed(rows: list[list[Any]], sheet: str, decimal: str, found: list[Trace]) -> Parsed:
    from copstats.collect.parsers.arrays import as_text, slices, table_of, typed

    header = [as_text(cell, decimal).strip() for cell in rows[0]]
    cells = list(zip(*rows[1:], strict=True)) or [()] * len(header)
    kept = [i for i, name in enumerate(header) if name or any(cell != "" for cell in cells[i])]
    names = [header[i] for i in kept]
    check_names(names)
    columns = [Column(header[i], position=i + 1) for i in kept]
    table = table_of(names, [typed(cells[i], decimal) for i in kept])
    return Parsed(columns, slices(table), found, sheet=sheet, header_rows=1)


def _sheet(workbook: CalamineWorkbook, wanted: str | None) -> str:
    sheets = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet
        and (sheet.visible == SheetVisibleEnum.Visible or sheet.name == wanted)
    ]
    if wanted is None and len(sheets) == 1:
        return str(sheets[0])
    if wanted not in sheets:
        raise ReadProblem("S152", sheets=", ".join(sheets))
    return str(wanted)


def _hidden_sheets(workbook: CalamineWorkbook) -> Iterator[Trace]:
    hidden = sum(1 for sheet in workbook.sheets_metadata if sheet.visible != SheetVisibleEnum.Visible)
    if hidden:
        yield Trace("hidden_sheet", "", hidden)


def _error_cells(xml: bytes) -> Iterator[tuple[int, int]]:
    """Yield row and column, from 0, of the cells that hold an error."""
    if (uncomputed := sum(1 for _ in _WITHOUT_VALUE.finditer(xml))) > 0:
        raise ReadProblem("S154", count=uncomputed)
    for cell in _ERROR_CELL.finditer(xml):
        reference = _REFERENCE.search(cell.group())
        if reference is None:
            raise ReadProblem("S140")
        column = 0
        for letter in reference.group(1):
            column = column * 26 + letter - ord("A") + 1
        yield int(reference.group(2)) - 1, column - 1
