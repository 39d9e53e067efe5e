"""Structure messages in SDMX-ML 2.1 and 3.0 (SDMX Technical Specifications, section 3)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from copstats.framework.export.markup import Names, add, add_names
from copstats.framework.export.published import CodeTable
from copstats.framework.export.sdmx_content import SAME_AS, SUBSET_OF, TRANSLATION, StructureContent
from copstats.framework.structure import PERIOD, Component, Structure

_SCHEMAS = "http://www.sdmx.org/resources/sdmxml/schemas/"


class _Message(ABC):
    """What both versions have in common; the order of elements is that of the schemas."""

    namespace: str
    measure_tag: str

    def __init__(self, content: StructureContent) -> None:
        self.content = content
        self.structure = content.structure

    def root(self) -> Element:
        """Return the message."""
        prefixes = {"mes": "message", "str": "structure", "com": "common"}
        declared = {f"xmlns:{p}": f"{_SCHEMAS}{self.namespace}/{name}" for p, name in prefixes.items()}
        root = Element("mes:Structure", declared)
        self._header(root)
        self._fill(add(root, "mes:Structures"))
        return root

    @abstractmethod
    def _fill(self, structures: Element) -> None:
        """Write it as the version does."""

    @abstractmethod
    def _refer(
        self, parent: Element, tag: str, package: str, kind: str, name: str, *, item: str = ""
    ) -> None:
        """Write it as the version does."""

    def _representation(self, parent: Element, component: Component) -> None:
        representation = add(parent, "str:LocalRepresentation")
        if component.codelist is None:
            add(representation, "str:TextFormat", textType=component.type)
        else:
            self._refer(representation, "str:Enumeration", "codelist", "Codelist", component.codelist)

    @abstractmethod
    def _attribute(self, parent: Element, name: str, component: Component, measure: str) -> None:
        """Write it as the version does."""

    def _header(self, root: Element) -> None:
        header = add(root, "mes:Header")
        add(header, "mes:ID", self.content.id)
        add(header, "mes:Test", "false")
        add(header, "mes:Prepared", self.content.prepared.isoformat())
        add(header, "mes:Sender", id=self.structure.agency)

    def _maintained(
        self, parent: Element, tag: str, name: str, texts: Names, *, partial: bool | None = None
    ) -> Element:
        """Append a maintainable artefact with its annotations and names."""
        element = add(
            parent,
            tag,
            id=name,
            agencyID=self.structure.agency,
            version=self.content.version,
            **self._finality(),
            isPartial=None if partial is None else str(partial).lower(),
        )
        table = self.content.tables.get(name)
        if table is not None and table.subset_of is not None:
            _annotate(element, SUBSET_OF, [table.subset_of])
        add_names(element, "com:Name", texts)
        return element

    def _finality(self) -> dict[str, str]:
        return {}

    def _titled(self, parent: Element, tag: str, name: str, of: Structure, **flags: bool) -> Element:
        element = self._maintained(parent, tag, name, self.content.names(of.title), **flags)
        add_names(element, "com:Description", self.content.names(of.definition or self.content.notice))
        return element

    def _dataflows(self, parent: Element) -> None:
        for of in self.content.flows:
            flow = self._titled(parent, "str:Dataflow", of.dataflow, of)
            if unreviewed := self.content.unreviewed:
                annotations = Element("com:Annotations")
                annotation = add(annotations, "com:Annotation")
                add(annotation, "com:AnnotationType", TRANSLATION)
                add_names(annotation, "com:AnnotationText", unreviewed)
                flow.insert(0, annotations)
            self._refer(flow, "str:Structure", "datastructure", "DataStructure", of.data_structure)

    def _codelists(self, parent: Element) -> None:
        for table in self.content.tables.values():
            self._codelist(parent, table)

    def _codelist(self, parent: Element, table: CodeTable) -> None:
        codelist = self._maintained(parent, "str:Codelist", table.id, table.names, partial=table.partial)
        for code, texts in table.codes.items():
            add_names(add(codelist, "str:Code", id=code), "com:Name", texts)

    def _concepts(self, parent: Element) -> None:
        name = self.structure.concept_scheme
        scheme = self._titled(parent, "str:ConceptScheme", name, self.structure, partial=False)
        for name, component in self.structure.concepts.items():
            concept = add(scheme, "str:Concept", id=name)
            if component.same_as:
                _annotate(concept, SAME_AS, self.content.same_as(component))
            add_names(concept, "com:Name", self.content.names(component.title))
            if component.definition is not None:
                add_names(concept, "com:Description", self.content.names(component.definition))

    def _data_structures(self, parent: Element) -> None:
        for of in self.content.flows:
            definition = self._titled(parent, "str:DataStructure", of.data_structure, of)
            components = add(definition, "str:DataStructureComponents")
            self._dimensions(add(components, "str:DimensionList", id="DimensionDescriptor"), of)
            attributes = add(components, "str:AttributeList", id="AttributeDescriptor")
            (measured,) = of.measure
            for name, component in of.attributes.items():
                self._attribute(attributes, name, component, measured)
            measures = add(components, "str:MeasureList", id="MeasureDescriptor")
            self._component(add(measures, self.measure_tag, id=measured), measured, of.measure[measured])

    def _dimensions(self, parent: Element, of: Structure) -> None:
        for position, (name, component) in enumerate(of.dimensions.items(), 1):
            if component.type == PERIOD:
                element = add(parent, "str:TimeDimension", id=name, **self._time_position(position))
            else:
                element = add(parent, "str:Dimension", id=name, position=str(position))
            self._component(element, name, component)

    def _time_position(self, position: int) -> dict[str, str]:
        return {}

    def _component(self, element: Element, name: str, component: Component) -> None:
        scheme = self.structure.concept_scheme
        self._refer(element, "str:ConceptIdentity", "conceptscheme", "Concept", scheme, item=name)
        self._representation(element, component)


class Message21(_Message):
    """SDMX-ML 2.1: references have parts, attributes belong to the primary measure.

    It holds no maps of codes: its readers would take the lists of other agencies, ``CL_SEX`` for example, for
    lists of the message, beside ours of the same identifier.
    """

    namespace = "v2_1"
    measure_tag = "str:PrimaryMeasure"

    def _fill(self, structures: Element) -> None:
        self._dataflows(add(structures, "str:Dataflows"))
        self._codelists(add(structures, "str:Codelists"))
        self._concepts(add(structures, "str:Concepts"))
        self._data_structures(add(structures, "str:DataStructures"))

    def _finality(self) -> dict[str, str]:
        return {"isFinal": "false"}

    def _time_position(self, position: int) -> dict[str, str]:
        return {"position": str(position)}

    def _refer(
        self, parent: Element, tag: str, package: str, kind: str, name: str, *, item: str = ""
    ) -> None:
        reference = add(parent, tag)
        own = {"agencyID": self.structure.agency, "class_": kind, "package": package}
        if item:
            above = {"maintainableParentID": name, "maintainableParentVersion": self.content.version}
            add(reference, "Ref", id=item, **above, **own)
        else:
            add(reference, "Ref", id=name, version=self.content.version, **own)

    def _attribute(self, parent: Element, name: str, component: Component, measure: str) -> None:
        status = "Mandatory" if component.mandatory else "Conditional"
        attribute = add(parent, "str:Attribute", id=name, assignmentStatus=status)
        self._component(attribute, name, component)
        relation = add(attribute, "str:AttributeRelationship")
        add(add(relation, "str:PrimaryMeasure"), "Ref", id=measure)


class Message30(_Message):
    """SDMX-ML 3.0: references are URNs, attributes belong to the observation, codes are mapped."""

    namespace = "v3_0"
    measure_tag = "str:Measure"

    def _fill(self, structures: Element) -> None:
        self._codelists(add(structures, "str:Codelists"))
        self._concepts(add(structures, "str:ConceptSchemes"))
        self._dataflows(add(structures, "str:Dataflows"))
        self._data_structures(add(structures, "str:DataStructures"))
        self._maps(structures)

    def _maps(self, structures: Element) -> None:
        if not (maps := self.content.maps):
            return
        parent = add(structures, "str:RepresentationMaps")
        for of in maps:
            element = self._maintained(parent, "str:RepresentationMap", of.id, of.names)
            add(element, "str:SourceCodelist", of.source)
            add(element, "str:TargetCodelist", of.target)
            for code, theirs in of.codes.items():
                mapping = add(element, "str:RepresentationMapping")
                add(mapping, "str:SourceValue", code)
                add(mapping, "str:TargetValue", theirs)

    def _refer(
        self, parent: Element, tag: str, package: str, kind: str, name: str, *, item: str = ""
    ) -> None:
        add(parent, tag, self.content.urn(package, kind, name, item))

    def _attribute(self, parent: Element, name: str, component: Component, measure: str) -> None:
        usage = "mandatory" if component.mandatory else "optional"
        attribute = add(parent, "str:Attribute", id=name, usage=usage)
        self._component(attribute, name, component)
        add(add(attribute, "str:AttributeRelationship"), "str:Observation")


def _annotate(element: Element, kind: str, titles: Sequence[str]) -> None:
    annotations = add(element, "com:Annotations")
    for title in titles:
        annotation = add(annotations, "com:Annotation")
        add(annotation, "com:AnnotationTitle", title)
        add(annotation, "com:AnnotationType", kind)
