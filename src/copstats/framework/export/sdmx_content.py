"""What a structure message says, whatever its format."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from copstats.framework.areas import Area
from copstats.framework.export.markup import Names, names, phrases
from copstats.framework.export.published import CodeTable, code_tables
from copstats.framework.export.selection import Selection
from copstats.framework.structure import Component, Structure, load_structure
from copstats.language import Translations

SAME_AS, SUBSET_OF, TRANSLATION = "SAME_AS", "SUBSET_OF", "TRANSLATION"
"""Types of annotations: concept or code list of another agency; state of the translations."""
_CODELIST = "urn:sdmx:org.sdmx.infomodel.codelist.Codelist"


@dataclass(frozen=True)
class CodeMap:
    """Codes of a list that mean the same in that of another agency: a representation map of SDMX 3.0.

    Attributes:
        id: identifier.
        names: language -> name; that of the list.
        source: URN of the list.
        target: URN of the other agency's.
        codes: code -> the other agency's.
    """

    id: str
    names: Names
    source: str
    target: str
    codes: Mapping[str, str]


@dataclass(frozen=True)
class StructureContent:
    """Concepts, code lists, data structures, dataflows and maps of codes with their texts.

    Attributes:
        structure: that of the first dataflow.
        version: of everything in the message; the framework's.
        notice: what the framework says of itself.
        tables: code lists by identifier.
        words: languages of the names.
        prepared: time stamp of the message.
    """

    structure: Structure
    version: str
    notice: str
    tables: Mapping[str, CodeTable]
    words: Sequence[Translations]
    prepared: dt.datetime

    @classmethod
    def of(
        cls,
        selection: Selection,
        words: Sequence[Translations],
        *,
        areas: Mapping[str, Area] | None,
        prepared: dt.datetime,
    ) -> StructureContent:
        """Return the content for part of a framework; ``areas`` are the project's own by default."""
        framework = selection.framework
        return cls(
            structure=load_structure(framework.id),
            version=framework.head.version,
            notice=framework.head.notice,
            tables=code_tables(framework, areas=areas, indicators=selection.indicators, words=words),
            words=words,
            prepared=prepared,
        )

    @property
    def flows(self) -> list[Structure]:
        """One structure a dataflow."""
        regions = self.structure.of_regions
        return [self.structure] if regions is None else [self.structure, regions]

    @property
    def maps(self) -> list[CodeMap]:
        """Maps to the code lists of other agencies whose version is known."""
        found = []
        for name, table in self.tables.items():
            for same in self.structure.codelists[name].same_as.values():
                codes = {code: theirs for code, theirs in same.codes.items() if code in table.codes}
                if same.codelist is not None and codes:
                    agency = same.codelist.partition(":")[0]
                    source, target = self.codelist(name), f"{_CODELIST}={same.codelist}"
                    found.append(CodeMap(f"MAP_{name}_{agency}", table.names, source, target, codes))
        return found

    @property
    def id(self) -> str:
        """Identifier of the message."""
        return f"{self.structure.data_structure}_{self.version.replace('.', '_')}"

    def names(self, text: str) -> Names:
        """Return language -> text."""
        return names(self.words, text)

    @property
    def unreviewed(self) -> Names:
        """Language -> sentence that says that no person has reviewed its texts."""
        return phrases(self.words, lambda words: words.notice)

    def same_as(self, component: Component) -> list[str]:
        """Name the concept in the structures of other agencies."""
        return [f"{structure}.{concept}" for structure, concept in component.same_as.items()]

    def urn(self, package: str, kind: str, name: str, item: str = "") -> str:
        """Return the URN of an artefact, or of an item in it (SDMX 3.0, section 5, 4.2)."""
        of = f"urn:sdmx:org.sdmx.infomodel.{package}.{kind}={self.structure.agency}:{name}({self.version})"
        return f"{of}.{item}" if item else of

    def concept(self, name: str) -> str:
        """Return the URN of a concept."""
        return self.urn("conceptscheme", "Concept", self.structure.concept_scheme, name)

    def codelist(self, name: str) -> str:
        """Return the URN of a code list."""
        return self.urn("codelist", "Codelist", name)
