"""Excel: one sheet, values as they are stored.

A workbook is a zip of XML, so it is looked at before it is read.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from copstats.collect.parsers.common import Column, Parsed, ReadProblem, Request, as_text, assemble, typed

MAX_UNPACKED_BYTES = 2**30
MAX_MEMBERS = 2000
MAX_RATIO = 100
LARGE = 10 * 2**20
DOCTYPE_WITHIN = 4096
ERROR_TEXT = "#ERROR"
"""Stands for #N/A, #DIV/0! and their like, which the parser itself would show as blank."""

_ERROR_CELL = re.compile(rb"""<(?:\w+:)?c\b[^>]*\bt=["']e["'][^>]*>""")
_WITHOUT_VALUE = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^>]*/>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_REFERENCE = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")


def parse(content: bytes, request: Request) -> Parsed:
    """Return the table of a sheet; its first row holds the names of the columns.

    Raises:
        ReadProblem: no such sheet, a password, formulas without computed values, or a workbook that unfolds
            to more than a survey file holds.
    """
    _look(content)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        name = _sheet(workbook, request.sheet)
        rows: list[list[Any]] = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except PasswordError:
        raise ReadProblem("S153") from None
    except CalamineError:
        raise ReadProblem("S140") from None
    for row, column in _error_cells(content, name):
        rows[row][column] = ERROR_TEXT
    while rows and not any(cell != "" for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise ReadProblem("S147")
    header = [as_text(cell, request.decimal).strip() for cell in rows[0]]
    columns = list(zip(*rows[1:], strict=True)) or [()] * len(header)
    kept = [i for i, name in enumerate(header) if name or any(cell != "" for cell in columns[i])]
    return assemble([Column(header[i]) for i in kept], [typed(columns[i], request.decimal) for i in kept])


def _look(content: bytes) -> None:
    """Refuse a workbook whose parts unfold too far or declare entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            large = sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES or len(parts) > MAX_MEMBERS
            if large or any(p.file_size > max(LARGE, MAX_RATIO * p.compress_size) for p in parts):
                raise ReadProblem("S141")
            for part in parts:
                if b"<!DOCTYPE" in archive.open(part).read(DOCTYPE_WITHIN):
                    raise ReadProblem("S140")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        raise ReadProblem("S140") from None


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


def _error_cells(content: bytes, sheet: str) -> Iterator[tuple[int, int]]:
    """Yield row and column, from 0, of the cells that hold an error."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read(_part(archive, sheet))
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


def _part(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part in which a sheet stands."""
    try:
        workbook = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    except (KeyError, ElementTree.ParseError):
        raise ReadProblem("S140") from None
    for entry in workbook.iterfind(".//{*}sheet"):
        if entry.get("name") == sheet:
            key = next((value for name, value in entry.items() if name.endswith("}id")), None)
            for relation in relations:
                if relation.get("Id") == key:
                    target = relation.get("Target", "")
                    return target[1:] if target.startswith("/") else f"xl/{target}"
    raise ReadProblem("S140")
