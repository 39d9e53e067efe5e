"""The structure of the published values as an SDMX-ML 2.1 message, with names in all languages.

The message holds the concept scheme, the code lists, the data structure definition and the dataflow of the
table ``indicator_value`` (SDMX 2.1 Technical Specifications, section 3: SDMX-ML).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from copstats.framework.areas import Area
from copstats.framework.export.markup import Names, add, add_names, document, names, phrases, wordings
from copstats.framework.export.output import EPOCH, folder
from copstats.framework.export.published import CodeTable, code_tables
from copstats.framework.export.selection import Selection, select
from copstats.framework.model import Framework
from copstats.framework.structure import PERIOD, Component, Structure, load_structure
from copstats.language import Translations

__all__ = ["CodeTable", "code_tables", "load_structure", "structure_message", "write_sdmx"]

_SCHEMAS = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
_PREFIXES = {
    "xmlns:mes": f"{_SCHEMAS}message",
    "xmlns:str": f"{_SCHEMAS}structure",
    "xmlns:com": f"{_SCHEMAS}common",
}
SAME_AS, SUBSET_OF, TRANSLATION = "SAME_AS", "SUBSET_OF", "TRANSLATION"
"""Types of annotations: concept or code list of another agency; state of the translations."""


def write_sdmx(
    framework: Framework,
    target: Path,
    *,
    language: str = "en",
    modules: Sequence[str] | None = None,
    areas: Mapping[str, Area] | None = None,
) -> list[Path]:
    """Write the structure message ``FRAMEWORK-structure.xml``.

    Args:
        framework: the framework version.
        target: folder; it is made if it is not there.
        language: its names stand first; a message holds all languages.
        modules: indicators of these modules only; their code list is marked as partial.
        areas: countries and areas; the project's own by default.

    Returns:
        Paths of the files written.

    Raises:
        UsageError: no such module (U141) or language (U120); the target is a file (U143).
        DefinitionError: ``structure.yaml`` or a file that it draws on is missing or malformed.
    """
    selection = select(framework, modules)
    words = wordings(framework.id, language)
    path = folder(target) / f"{framework.id}-structure.xml"
    path.write_bytes(structure_message(selection, words, areas=areas))
    return [path]


def structure_message(
    selection: Selection, words: Sequence[Translations], *, areas: Mapping[str, Area] | None = None
) -> bytes:
    """Return the structure message of part of a framework in some languages."""
    framework = selection.framework
    structure = load_structure(framework.id)
    tables = code_tables(framework, areas=areas, indicators=selection.indicators, words=words)
    return document(_Message(framework, structure, tables, words).root())


@dataclass(frozen=True)
class _Message:
    framework: Framework
    structure: Structure
    tables: Mapping[str, CodeTable]
    words: Sequence[Translations]

    def root(self) -> Element:
        root = Element("mes:Structure", _PREFIXES)
        self._header(root)
        structures = add(root, "mes:Structures")
        self._dataflow(add(structures, "str:Dataflows"))
        lists = add(structures, "str:Codelists")
        for table in self.tables.values():
            self._codelist(lists, table)
        self._concepts(add(structures, "str:Concepts"))
        self._data_structure(add(structures, "str:DataStructures"))
        return root

    def _header(self, root: Element) -> None:
        header = add(root, "mes:Header")
        add(header, "mes:ID", f"{self.structure.data_structure}_{self._version.replace('.', '_')}")
        add(header, "mes:Test", "false")
        add(header, "mes:Prepared", EPOCH.isoformat())
        add(header, "mes:Sender", id=self.structure.agency)

    @property
    def _version(self) -> str:
        return self.framework.head.version

    def _maintained(
        self, parent: Element, tag: str, name: str, texts: Names, *, partial: bool | None = None
    ) -> Element:
        """Append a maintainable artefact with its annotations and names; the order is that of the schema."""
        element = add(
            parent,
            tag,
            id=name,
            agencyID=self.structure.agency,
            version=self._version,
            isFinal="false",
            isPartial=None if partial is None else str(partial).lower(),
        )
        table = self.tables.get(name)
        if table is not None and table.subset_of is not None:
            _annotate(element, SUBSET_OF, [table.subset_of])
        add_names(element, "com:Name", texts)
        return element

    def _titled(self, parent: Element, tag: str, name: str, *, partial: bool | None = None) -> Element:
        element = self._maintained(
            parent, tag, name, names(self.words, self.structure.title), partial=partial
        )
        add_names(element, "com:Description", names(self.words, self.framework.head.notice))
        return element

    def _dataflow(self, parent: Element) -> None:
        flow = self._titled(parent, "str:Dataflow", self.structure.dataflow)
        if unreviewed := phrases(self.words, lambda words: words.notice):
            annotations = Element("com:Annotations")
            annotation = add(annotations, "com:Annotation")
            add(annotation, "com:AnnotationType", TRANSLATION)
            add_names(annotation, "com:AnnotationText", unreviewed)
            flow.insert(0, annotations)
        structure = add(flow, "str:Structure")
        self._reference(structure, self.structure.data_structure, "DataStructure", "datastructure")

    def _reference(self, parent: Element, name: str, kind: str, package: str) -> None:
        add(
            parent,
            "Ref",
            id=name,
            agencyID=self.structure.agency,
            version=self._version,
            class_=kind,
            package=package,
        )

    def _codelist(self, parent: Element, table: CodeTable) -> None:
        codelist = self._maintained(parent, "str:Codelist", table.id, table.names, partial=table.partial)
        for code, texts in table.codes.items():
            add_names(add(codelist, "str:Code", id=code), "com:Name", texts)

    def _concepts(self, parent: Element) -> None:
        scheme = self._titled(parent, "str:ConceptScheme", self.structure.concept_scheme, partial=False)
        for name, component in self.structure.components.items():
            concept = add(scheme, "str:Concept", id=name)
            if component.same_as:
                _annotate(concept, SAME_AS, [f"{s}.{c}" for s, c in component.same_as.items()])
            add_names(concept, "com:Name", names(self.words, component.title))
            if component.definition is not None:
                add_names(concept, "com:Description", names(self.words, component.definition))

    def _data_structure(self, parent: Element) -> None:
        definition = self._titled(parent, "str:DataStructure", self.structure.data_structure)
        components = add(definition, "str:DataStructureComponents")
        dimensions = add(components, "str:DimensionList", id="DimensionDescriptor")
        for position, (name, component) in enumerate(self.structure.dimensions.items(), 1):
            tag = "str:TimeDimension" if component.type == PERIOD else "str:Dimension"
            self._component(add(dimensions, tag, id=name, position=str(position)), name, component)
        attributes = add(components, "str:AttributeList", id="AttributeDescriptor")
        (measured,) = self.structure.measure
        for name, component in self.structure.attributes.items():
            status = "Mandatory" if component.mandatory else "Conditional"
            attribute = add(attributes, "str:Attribute", id=name, assignmentStatus=status)
            self._component(attribute, name, component)
            relation = add(attribute, "str:AttributeRelationship")
            add(add(relation, "str:PrimaryMeasure"), "Ref", id=measured)
        measures = add(components, "str:MeasureList", id="MeasureDescriptor")
        measure = add(measures, "str:PrimaryMeasure", id=measured)
        self._component(measure, measured, self.structure.measure[measured])

    def _component(self, element: Element, name: str, component: Component) -> None:
        add(
            add(element, "str:ConceptIdentity"),
            "Ref",
            id=name,
            maintainableParentID=self.structure.concept_scheme,
            maintainableParentVersion=self._version,
            agencyID=self.structure.agency,
            class_="Concept",
            package="conceptscheme",
        )
        representation = add(element, "str:LocalRepresentation")
        if component.codelist is None:
            add(representation, "str:TextFormat", textType=component.type)
        else:
            self._reference(
                add(representation, "str:Enumeration"), component.codelist, "Codelist", "codelist"
            )


def _annotate(element: Element, kind: str, titles: Sequence[str]) -> None:
    annotations = add(element, "com:Annotations")
    for title in titles:
        annotation = add(annotations, "com:Annotation")
        add(annotation, "com:AnnotationTitle", title)
        add(annotation, "com:AnnotationType", kind)
