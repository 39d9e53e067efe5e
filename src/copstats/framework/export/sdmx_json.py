"""Structure messages in SDMX-JSON 2.0 (SDMX-JSON structure message, field guide 2.0.0)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from copstats.framework.export.markup import Names
from copstats.framework.export.published import CodeTable
from copstats.framework.export.sdmx_content import (
    SAME_AS,
    SUBSET_OF,
    TRANSLATION,
    CodeMap,
    StructureContent,
)
from copstats.framework.structure import PERIOD, Component, Structure

Object = dict[str, Any]
_SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/"
    "structure-message/tools/schemas/2.0.0/sdmx-json-structure-schema.json"
)


def json_document(content: StructureContent) -> bytes:
    """Return the structure message in UTF-8."""
    of = _Objects(content)
    maps = [of.map(one) for one in content.maps]
    message = {
        "meta": {
            "schema": _SCHEMA,
            "id": content.id,
            "test": False,
            "prepared": f"{content.prepared.isoformat()}Z",
            "contentLanguages": [words.language for words in content.words],
            "sender": {"id": content.structure.agency},
        },
        "data": {
            "dataflows": [of.dataflow(flow) for flow in content.flows],
            "codelists": [of.codelist(table) for table in content.tables.values()],
            "conceptSchemes": [of.concept_scheme()],
            "dataStructures": [of.data_structure(flow) for flow in content.flows],
            **({"representationMaps": maps} if maps else {}),
        },
    }
    return json.dumps(message, ensure_ascii=False, indent=1).encode() + b"\n"


def named(texts: Names, key: str = "name") -> Object:
    """Return a text in the best language, the first that has one, and in all."""
    return {key: next(iter(texts.values())), f"{key}s": dict(texts)}


class _Objects:
    def __init__(self, content: StructureContent) -> None:
        self._content = content

    def _maintained(self, name: str, texts: Names, annotations: Iterable[Object] = ()) -> Object:
        found = {"id": name, "agencyID": self._content.structure.agency, "version": self._content.version}
        return found | named(texts) | _annotated(annotations)

    def _titled(self, name: str, of: Structure, annotations: Iterable[Object] = ()) -> Object:
        described = self._content.names(of.definition or self._content.notice)
        titles = self._content.names(of.title)
        return self._maintained(name, titles, annotations) | named(described, "description")

    def dataflow(self, of: Structure) -> Object:
        unreviewed = self._content.unreviewed
        annotations = [{"type": TRANSLATION} | named(unreviewed, "text")] if unreviewed else []
        structure = self._content.urn("datastructure", "DataStructure", of.data_structure)
        return self._titled(of.dataflow, of, annotations) | {"structure": structure}

    def codelist(self, table: CodeTable) -> Object:
        subset = [{"type": SUBSET_OF, "title": table.subset_of}] if table.subset_of else []
        codes = [{"id": code} | named(texts) for code, texts in table.codes.items()]
        head = self._maintained(table.id, table.names, subset) | {"isPartial": table.partial}
        return head | {"codes": codes} if codes else head

    def map(self, of: CodeMap) -> Object:
        mappings = [{"sourceValues": [{"value": c}], "targetValues": [t]} for c, t in of.codes.items()]
        lists = {"source": [{"codelist": of.source}], "target": [{"codelist": of.target}]}
        return self._maintained(of.id, of.names) | lists | {"representationMappings": mappings}

    def concept_scheme(self) -> Object:
        structure = self._content.structure
        concepts = [self._concept(name, component) for name, component in structure.concepts.items()]
        return self._titled(structure.concept_scheme, structure) | {"isPartial": False, "concepts": concepts}

    def _concept(self, name: str, component: Component) -> Object:
        same = [{"type": SAME_AS, "title": title} for title in self._content.same_as(component)]
        found = {"id": name} | named(self._content.names(component.title)) | _annotated(same)
        if component.definition is not None:
            found |= named(self._content.names(component.definition), "description")
        return found

    def data_structure(self, of: Structure) -> Object:
        coded = [
            self._component(name, component) | {"position": position}
            for position, (name, component) in enumerate(of.dimensions.items())
            if component.type != PERIOD
        ]
        (period,) = (item for item in of.dimensions.items() if item[1].type == PERIOD)
        components = {
            "dimensionList": {
                "id": "DimensionDescriptor",
                "dimensions": coded,
                "timeDimension": self._component(*period),
            },
            "attributeList": {
                "id": "AttributeDescriptor",
                "attributes": [
                    self._component(name, component)
                    | {"usage": "mandatory" if component.mandatory else "optional"}
                    | {"attributeRelationship": {"observation": {}}}
                    for name, component in of.attributes.items()
                ],
            },
            "measureList": {
                "id": "MeasureDescriptor",
                "measures": [self._component(*measure) for measure in of.measure.items()],
            },
        }
        return self._titled(of.data_structure, of) | {"dataStructureComponents": components}

    def _component(self, name: str, component: Component) -> Object:
        if component.codelist is None:
            representation: Object = {"format": {"dataType": component.type}}
        else:
            representation = {"enumeration": self._content.codelist(component.codelist)}
        identity = self._content.concept(name)
        return {"id": name, "conceptIdentity": identity, "localRepresentation": representation}


def _annotated(annotations: Iterable[Object]) -> Object:
    found = list(annotations)
    return {"annotations": found} if found else {}
