"""Which format a client gets: the header Accept with the media types of SDMX, or the parameter ``format``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from copstats.errors import PortalError

Api = Literal["2.1", "3.0"]
Kind = Literal["csv", "json", "xml"]


@dataclass(frozen=True)
class Form:
    """A format of messages.

    Attributes:
        kind: its syntax.
        media_type: as SDMX names it, without parameters.
        version: of the format.
        labels: of SDMX-CSV: ``id`` for codes, ``both`` for codes with their names.
    """

    kind: Kind
    media_type: str
    version: str
    labels: Literal["id", "both"] = "id"

    @property
    def content_type(self) -> str:
        """The header Content-Type."""
        charset = "; charset=utf-8" if self.kind == "csv" else ""
        labels = "; labels=both" if self.labels == "both" else ""
        return f"{self.media_type}; version={self.version}{labels}{charset}"


_DATA_XML = Form("xml", "application/vnd.sdmx.structurespecificdata+xml", "2.1")
_DATA_JSON = Form("json", "application/vnd.sdmx.data+json", "2.0.0")
_DATA_CSV = Form("csv", "application/vnd.sdmx.data+csv", "1.0.0")
_DATA_CSV_2 = Form("csv", "application/vnd.sdmx.data+csv", "2.0.0")
_STRUCTURE_XML = Form("xml", "application/vnd.sdmx.structure+xml", "2.1")
_STRUCTURE_XML_3 = Form("xml", "application/vnd.sdmx.structure+xml", "3.0.0")
_STRUCTURE_JSON = Form("json", "application/vnd.sdmx.structure+json", "2.0.0")

DATA: Mapping[Api, Sequence[Form]] = {
    "2.1": (_DATA_XML, _DATA_CSV, _DATA_CSV_2, _DATA_JSON),
    "3.0": (_DATA_JSON, _DATA_CSV_2, _DATA_CSV, _DATA_XML),
}
"""Formats of data by version of the interface, the preferred one first."""
STRUCTURE: Mapping[Api, Sequence[Form]] = {
    "2.1": (_STRUCTURE_XML, _STRUCTURE_XML_3, _STRUCTURE_JSON),
    "3.0": (_STRUCTURE_JSON, _STRUCTURE_XML_3, _STRUCTURE_XML),
}
"""Formats of structures by version of the interface, the preferred one first."""

_PLAIN: Mapping[str, Kind] = {
    "application/json": "json",
    "application/xml": "xml",
    "text/csv": "csv",
    "text/xml": "xml",
}
_SHORT: Mapping[str, Kind] = {
    **{"csv": "csv", "csvdata": "csv", "sdmx-csv": "csv"},
    **{"json": "json", "jsondata": "json", "sdmx-json": "json"},
    **{"xml": "xml", "structurespecificdata": "xml", "structure": "xml"},
}
"""Values of the parameter ``format``, as other services use them."""
_LONGEST = 1000
_ITEM = re.compile(r"\s*([^\s;,]+)\s*((?:;[^,]*)?)")


def negotiate(accept: str, short: str, offers: Sequence[Form]) -> Form:
    """Return the format that a client prefers (RFC 9110, 12.5.1), of several the first offered.

    Args:
        accept: header of that name; empty means anything.
        short: parameter ``format``, which goes first; empty if it is not given.
        offers: what there is, the preferred one first.

    Raises:
        PortalError: P412 (406), there is none of it.
    """
    if short:
        ranges: Iterator[_Range] = iter((_Range(short.strip()),))
    else:
        ranges = iter(sorted(_ranges(accept or "*/*"), key=lambda one: -one.weight))
    for wanted in ranges:
        for form in offers:
            if wanted.weight > 0 and (found := wanted.match(form)) is not None:
                return found
    raise PortalError("P412", status=406)


@dataclass(frozen=True)
class _Range:
    """A media range: its type, or a short name."""

    name: str
    version: str = ""
    labels: str = "id"
    weight: float = 1.0

    def match(self, form: Form) -> Form | None:
        """Return the format with what the range asks of it, or None."""
        name = self.name.lower()
        kind = _PLAIN.get(name) or _SHORT.get(name)
        named = name in ("*/*", "application/*", form.media_type) or kind == form.kind
        if not named or (self.version and _plain(self.version) != _plain(form.version)):
            return None
        both = form.kind == "csv" and self.labels in ("both", "name")
        return replace(form, labels="both") if both else form


def _ranges(accept: str) -> Iterator[_Range]:
    for item in accept[:_LONGEST].split(","):
        if (found := _ITEM.fullmatch(item.rstrip())) is None:
            continue
        pairs = (part.partition("=") for part in found[2].split(";") if "=" in part)
        given = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
        version, labels = given.get("version", ""), given.get("labels", "id")
        yield _Range(found[1], version, labels, _weight(given.get("q", "1")))


def _weight(value: str) -> float:
    return float(value) if re.fullmatch(r"0(\.\d{0,3})?|1(\.0{0,3})?", value) else 0.0


def _plain(version: str) -> str:
    """Return a version without zeros at its end: 2.1 and 2.1.0 are the same."""
    return re.sub(r"(\.0)+$", "", version)
