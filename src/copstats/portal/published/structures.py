"""Answers to structure queries: parts of the structure messages that a release holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from copstats.errors import PortalError
from copstats.portal.published.artefacts import JSON_GROUPS, Artefact, artefacts, class_of, graph, related
from copstats.portal.published.negotiation import Form
from copstats.portal.published.releases import PublishedRelease
from copstats.portal.published.structure_query import KINDS, StructureQuery

_FILES = {
    ("xml", "2.1"): "sdmx/structure-2.1.xml",
    ("xml", "3.0.0"): "sdmx/structure-3.0.xml",
    ("json", "2.0.0"): "sdmx/structure-2.0.json",
}
_KEPT = ("Annotations", "Name", "Description", "SourceCodelist", "TargetCodelist")
_KEPT_JSON = (
    *("id", "agencyID", "version", "name", "names", "description", "descriptions", "annotations"),
    *("source", "target"),
)


def structure_message(release: PublishedRelease, form: Form, query: StructureQuery) -> bytes:
    """Return the artefacts that a query asks for as a structure message.

    Raises:
        PortalError: P411 (404) there are none; P415 (501) the release was made without SDMX messages.
    """
    content = _content(release, form)
    relations, (agency, version) = graph(content)
    wanted = {one for one in relations if query.wants(one, agency, version)}
    if query.item:
        wanted = {one for one in wanted if one[0] in ("Codelist", "ConceptScheme")}
    if not wanted:
        raise PortalError("P411", status=404)
    beside = related(wanted, relations, KINDS.get(query.references, query.references)) - wanted
    stubs = (wanted if query.stubs("wanted") else set()) | (beside if query.stubs("references") else set())
    write = _write_json if form.kind == "json" else _write_xml
    return write(content, wanted | beside, stubs, {one: query.item for one in wanted if query.item})


def _content(release: PublishedRelease, form: Form) -> bytes:
    name = _FILES[form.kind, form.version]
    if name not in release.files:
        raise PortalError("P415", status=501)
    return release.place(name).read_bytes()


def _write_xml(
    content: bytes, shown: set[Artefact], stubs: set[Artefact], items: Mapping[Artefact, str]
) -> bytes:
    root = ElementTree.fromstring(content)  # noqa: S314
    for group, one in list(artefacts(root)):
        artefact = (class_of(one), one.get("id", ""))
        if artefact not in shown:
            group.remove(one)
        elif artefact in stubs:
            _shorten(one, "")
            one.set("isExternalReference", "true")
        elif artefact in items:
            _shorten(one, items[artefact])
            one.set("isPartial", "true")
            if not any(part.get("id") for part in one):
                raise PortalError("P411", status=404)
    for structures in root:
        if class_of(structures) == "Structures":
            for group in [group for group in structures if len(group) == 0]:
                structures.remove(group)
    _declare(root, content)
    found: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return found


def _declare(root: Element, content: bytes) -> None:
    """Write the prefixes that the message had; ElementTree keeps them in one place for all threads."""
    declared = dict(re.findall(r'xmlns:(\w+)="([^"]+)"', content[:2000].decode("utf-8", "replace")))
    prefixes = {address: prefix for prefix, address in declared.items()}
    for one in root.iter():
        address, _, name = one.tag.lstrip("{").rpartition("}")
        one.tag = f"{prefixes[address]}:{name}" if address else name
    for prefix, address in declared.items():
        root.set(f"xmlns:{prefix}", address)


def _shorten(artefact: Element, item: str) -> None:
    """Keep names and one item."""
    for part in list(artefact):
        if class_of(part) not in _KEPT and part.get("id") != item:
            artefact.remove(part)


def _write_json(
    content: bytes, shown: set[Artefact], stubs: set[Artefact], items: Mapping[Artefact, str]
) -> bytes:
    message = json.loads(content)
    data = {}
    for group, kind in JSON_GROUPS.items():
        kept = [one for one in message["data"].get(group, ()) if (kind, one["id"]) in shown]
        if kept:
            data[group] = [_json_artefact(one, (kind, one["id"]), stubs, items) for one in kept]
    return json.dumps({**message, "data": data}, ensure_ascii=False).encode()


def _json_artefact(
    one: dict[str, Any], artefact: Artefact, stubs: set[Artefact], items: Mapping[Artefact, str]
) -> dict[str, Any]:
    if artefact in stubs:
        return {key: one[key] for key in _KEPT_JSON if key in one} | {"isExternalReference": True}
    if artefact not in items:
        return one
    key = "codes" if artefact[0] == "Codelist" else "concepts"
    found = [item for item in one.get(key, []) if item["id"] == items[artefact]]
    if not found:
        raise PortalError("P411", status=404)
    return {**one, key: found, "isPartial": True}
