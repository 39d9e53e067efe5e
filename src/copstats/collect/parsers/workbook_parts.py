"""The parts of a workbook, which is a zip of XML: whether they may be read, and what they carry."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree import ElementTree

from copstats.collect.parsers.common import ReadProblem, Trace

MAX_UNPACKED_BYTES = 2**30
MAX_MEMBERS = 2000
MAX_RATIO = 100
LARGE = 10 * 2**20
DOCTYPE_WITHIN = 4096
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ElementTree.ParseError,
    KeyError,
)
"""What a damaged zip or its XML raises."""

_PERSONS = ("creator", "lastModifiedBy", "Manager", "Company")
_COMMENT = re.compile(rb"<(?:\w+:)?(?:comment|threadedComment)\b")
_EXTERNAL_NAME = re.compile(rb"<(?:\w+:)?definedName\b[^>]*>[^<]*\[")


def look(file: BinaryIO) -> None:
    """Refuse a workbook whose parts unfold too far or declare entities.

    Raises:
        ReadProblem: it does, or it is no zip.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            large = sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES or len(parts) > MAX_MEMBERS
            if large or any(p.file_size > max(LARGE, MAX_RATIO * p.compress_size) for p in parts):
                raise ReadProblem("S141")
            for part in parts:
                if b"<!DOCTYPE" in archive.open(part).read(DOCTYPE_WITHIN):
                    raise ReadProblem("S140")
    except BROKEN:
        raise ReadProblem("S140") from None


def sheet_xml(file: BinaryIO, sheet: str) -> bytes:
    """Return the XML of a sheet.

    Raises:
        ReadProblem: the workbook does not tell where it is.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.read(_part_of(archive, sheet))
    except BROKEN:
        raise ReadProblem("S140") from None


def traces(file: BinaryIO) -> Iterator[Trace]:
    """Yield what the workbook carries beside its sheets: authors, comments, links to other files.

    Raises:
        ReadProblem: a part is damaged.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            for name in sorted(archive.namelist()):
                yield from _traces_of(name, archive)
    except BROKEN:
        raise ReadProblem("S140") from None


def _traces_of(name: str, archive: zipfile.ZipFile) -> Iterator[Trace]:
    found: dict[str, int] = {}
    if name in ("docProps/core.xml", "docProps/app.xml"):
        entries = ElementTree.fromstring(archive.read(name)).iter()  # noqa: S314
        found["author"] = sum(1 for e in entries if _local(e.tag) in _PERSONS and (e.text or "").strip())
    elif name == "docProps/custom.xml":
        found["metadata"] = archive.read(name).count(b"<property ")
    elif re.fullmatch(r"xl/(?:threadedComments/.*|comments\d*|comments/.*)\.xml", name):
        found["comment"] = len(_COMMENT.findall(archive.read(name)))
    elif re.fullmatch(r"xl/externalLinks/[^/]+\.xml", name):
        found["external_link"] = 1
    elif name == "xl/workbook.xml":
        found["external_link"] = len(_EXTERNAL_NAME.findall(archive.read(name)))
    for kind, count in found.items():
        if count:
            yield Trace(kind, name, count)


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part in which a sheet stands."""
    workbook = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    for entry in workbook.iterfind(".//{*}sheet"):
        if entry.get("name") == sheet:
            key = next((value for name, value in entry.items() if name.endswith("}id")), None)
            for relation in relations:
                if relation.get("Id") == key:
                    target = relation.get("Target", "")
                    return target[1:] if target.startswith("/") else f"xl/{target}"
    raise KeyError(sheet)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
