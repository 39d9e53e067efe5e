"""The artefacts in a structure message and which of them name each other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

Artefact = tuple[str, str]
"""Class and identifier: all artefacts of a release have one agency and version."""
JSON_GROUPS: Mapping[str, str] = {
    "codelists": "Codelist",
    "conceptSchemes": "ConceptScheme",
    "dataflows": "Dataflow",
    "dataStructures": "DataStructure",
    "representationMaps": "RepresentationMap",
}
"""Array of an SDMX-JSON message -> class of its artefacts."""
_URN = re.compile(r"urn:sdmx:[\w.]+\.(\w+)=([\w.@-]+):([\w@$-]+)\(([^)]*)\)")


@lru_cache(maxsize=16)
def graph(content: bytes) -> tuple[Mapping[Artefact, frozenset[Artefact]], tuple[str, str]]:
    """Return artefact -> those that it names, and the agency and version of all."""
    found: dict[Artefact, frozenset[Artefact]] = {}
    owner = ("", "")
    for artefact, agency, version, named in (_in_json if content.startswith(b"{") else _in_xml)(content):
        found[artefact] = frozenset(named) - {artefact}
        owner = (agency, version)
    return found, owner


def _in_json(content: bytes) -> Iterator[tuple[Artefact, str, str, set[Artefact]]]:
    data = json.loads(content)["data"]
    for group, kind in JSON_GROUPS.items():
        for one in data.get(group, ()):
            agency = one["agencyID"]
            yield (kind, one["id"]), agency, one["version"], _named_in(json.dumps(one), agency)


def _in_xml(content: bytes) -> Iterator[tuple[Artefact, str, str, set[Artefact]]]:
    for _, one in artefacts(ElementTree.fromstring(content)):  # noqa: S314 - of a signed release
        text, agency = ElementTree.tostring(one, encoding="unicode"), one.get("agencyID", "")
        refs = {
            (_maintained(ref.get("class", "")), ref.get("maintainableParentID", ref.get("id", "")))
            for ref in one.iter("Ref")
        }
        yield (
            (class_of(one), one.get("id", "")),
            agency,
            one.get("version", ""),
            _named_in(text, agency) | refs,
        )


def _named_in(text: str, agency: str) -> set[Artefact]:
    """Leave out the code lists of other agencies, to which codes are mapped."""
    return {(_maintained(kind), name) for kind, owner, name, _ in _URN.findall(text) if owner == agency}


def _maintained(kind: str) -> str:
    return "ConceptScheme" if kind == "Concept" else kind


def artefacts(root: Element) -> Iterator[tuple[Element, Element]]:
    """Yield groups and the artefacts in them."""
    for structures in root:
        if class_of(structures) == "Structures":
            for group in structures:
                for one in group:
                    yield group, one


def class_of(element: Element) -> str:
    """Return the class of an artefact: the name of its element."""
    return element.tag.rpartition("}")[2]


def related(
    wanted: set[Artefact], relations: Mapping[Artefact, frozenset[Artefact]], references: str
) -> set[Artefact]:
    """Return what comes with the artefacts asked for (SDMX REST, structure queries, ``references``).

    Args:
        wanted: the artefacts.
        relations: artefact -> those that it names.
        references: ``none``, ``parents`` and so on, or a class of artefacts.
    """

    def children(of: set[Artefact]) -> set[Artefact]:
        return {named for one in of for named in relations[one] if named in relations}

    def parents(of: set[Artefact]) -> set[Artefact]:
        return {one for one, named in relations.items() if named & of}

    above, below = _closure(wanted, parents), _closure(wanted, children)
    known: dict[str, set[Artefact]] = {
        "none": set(),
        "parents": parents(wanted),
        "parentsandsiblings": parents(wanted) | children(parents(wanted)),
        "ancestors": above,
        "children": children(wanted),
        "descendants": below,
    }
    known["all"] = everything = above | below | _closure(above, children)
    return known.get(references, {one for one in everything if one[0] == references})


def _closure(of: set[Artefact], step: Callable[[set[Artefact]], set[Artefact]]) -> set[Artefact]:
    found: set[Artefact] = set()
    while new := step(of | found) - found - of:
        found |= new
    return found
