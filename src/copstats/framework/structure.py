"""The SDMX structure of the published values: ``structure.yaml`` of a framework version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field, structs

from copstats.errors import DefinitionError
from copstats.framework.definitions import Definition
from copstats.framework.loader import DEFAULT_FRAMEWORK
from copstats.framework.located import Located
from copstats.framework.typed import typed
from copstats.project import project_root

FILE = "structure.yaml"
PERIOD = "ObservationalTimePeriod"
"""SDMX data type of the time dimension."""

ConceptId = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]*$")]
CodeId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_@$-]+$", description="SDMX IDType")]
CodeListId = Annotated[str, Meta(pattern=r"^CL_[A-Z0-9_]+$")]
Source = Literal[
    "ages", "areas", "criteria", "groups", "indicators", "n_bands", "nonresponse_bands", "reasons", "units"
]


class Component(Definition, frozen=True, kw_only=True):
    """A dimension, measure or attribute and the concept behind it; both have the same identifier."""

    title: str
    definition: str | None = None
    column: str | None = None
    """Column of the published table ``indicator_value``."""
    constant: str | None = None
    """Value of a component that has no column."""
    codelist: CodeListId | None = None
    type: Literal["String", "Double", "Integer", "ObservationalTimePeriod"] = "String"
    """SDMX data type of a component without code list."""
    mandatory: bool = False
    """Of an attribute: no observation without it."""
    same_as: dict[str, ConceptId] = field(default_factory=dict)
    """Data structure of another agency -> its identifier of the concept."""


class PublishedCode(Definition, frozen=True, kw_only=True):
    """A code of a published column."""

    label: str


class SameCodes(Definition, frozen=True, kw_only=True):
    """Codes that mean the same in the code list of another agency; others have no equal there."""

    codelist: str | None = None
    """That list, for example ``IAEG-SDGs:CL_SEX(1.1)``; None where its version is not known."""
    same: list[CodeId] = field(default_factory=list)
    """Codes that are written alike."""
    other: dict[CodeId, CodeId] = field(default_factory=dict)
    """Code -> the other agency's."""

    @property
    def codes(self) -> dict[str, str]:
        """Code -> the other agency's."""
        return {code: code for code in self.same} | self.other


class PublishedCodeList(Definition, frozen=True, kw_only=True):
    """Codes of a published column: given here, defined elsewhere, or both in this order."""

    title: str
    codes: dict[CodeId, PublishedCode] = field(default_factory=dict)
    filled_from: Source | None = None
    subset_of: str | None = None
    """Code list of another agency from which the codes are taken with their meaning."""
    same_as: dict[str, SameCodes] = field(default_factory=dict)
    """Data structure of another agency -> its codes; one that is not here was not compared."""


class FurtherFlow(Definition, frozen=True, kw_only=True):
    """A dataflow of another published table: the components that it shares with the first, and its own."""

    title: str
    definition: str
    data_structure: str
    dataflow: str
    dimensions: list[ConceptId]
    """In the order of the key; the period comes last."""
    attributes: list[ConceptId]
    components: dict[ConceptId, Component]
    """Those that the first dataflow does not have, or has with another code list."""


class Structure(Definition, frozen=True, kw_only=True):
    """``structure.yaml``."""

    agency: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
    title: str
    concept_scheme: str
    data_structure: str
    dataflow: str
    dimensions: dict[ConceptId, Component]
    """In the order of the key; the period comes last."""
    measure: dict[ConceptId, Component]
    attributes: dict[ConceptId, Component]
    codelists: dict[CodeListId, PublishedCodeList]
    definition: str | None = None
    regions: FurtherFlow | None = None
    """The values of groups of areas; their table is ``aggregate_value``."""

    @property
    def of_regions(self) -> Structure | None:
        """The structure of the values of groups of areas; None if the framework has none."""
        if (flow := self.regions) is None:
            return None
        known = self.components | flow.components
        return structs.replace(
            self,
            title=flow.title,
            definition=flow.definition,
            data_structure=flow.data_structure,
            dataflow=flow.dataflow,
            dimensions={name: known[name] for name in flow.dimensions},
            attributes={name: known[name] for name in flow.attributes},
            regions=None,
        )

    @property
    def concepts(self) -> dict[str, Component]:
        """What the components of all dataflows mean, each once."""
        further = self.regions.components if self.regions else {}
        return self.components | {name: c for name, c in further.items() if name not in self.components}

    @property
    def components(self) -> dict[str, Component]:
        """All components: dimensions, measure, attributes."""
        return self.dimensions | self.measure | self.attributes

    def component_of(self, column: str) -> tuple[str, Component]:
        """Return identifier and definition of the component that a published column holds."""
        return next((name, c) for name, c in self.components.items() if c.column == column)


def group_code(scheme: str, group: str) -> str:
    """Return the code of a group of areas where groups of all classifications stand in one list.

    A sign that no SDMX code may hold is written as ``$`` and its number, so that no two groups share a code.
    """
    return f"{_code_part(scheme)}-{_code_part(group)}"


def _code_part(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", lambda found: f"${ord(found[0]):X}", text)


def load_structure(framework_id: str = DEFAULT_FRAMEWORK, root: Path | None = None) -> Structure:
    """Load the SDMX structure of a framework version.

    Args:
        framework_id: folder name under ``schemas/``.
        root: folder that holds ``schemas/``; the project's own by default.

    Raises:
        DefinitionError: D001 to D004, D016, D080; names file and line.
    """
    return _read((root or project_root()) / "schemas" / framework_id / FILE)


@cache
def _read(path: Path) -> Structure:
    if not path.is_file():
        raise DefinitionError("D016", where=f"{path.parent.name}/{FILE}")
    located = Located(path)
    structure = typed(located, Structure)
    for problem in _problems(structure, located):
        raise problem
    return structure


def _problems(structure: Structure, located: Located) -> Iterator[DefinitionError]:
    seen: set[str] = set()
    for group in ("dimensions", "measure", "attributes"):
        for name, component in getattr(structure, group).items():
            where = located.where(group, name)
            if component.codelist is not None and component.codelist not in structure.codelists:
                yield DefinitionError("D004", where=where, codelist=component.codelist)
            if name in seen:
                yield DefinitionError("D003", where=where, key=name)
            if (component.column is None) == (component.constant is None):
                yield DefinitionError("D080", where=where, problem="it has either a column or a constant")
            seen.add(name)
    yield from _problems_of_regions(structure, located)
    *others, last = [c.type for c in structure.dimensions.values()] or ["String"]
    if last != PERIOD or PERIOD in others:
        yield DefinitionError("D080", where=located.where("dimensions"), problem="one period comes last")
    if len(structure.measure) != 1:
        yield DefinitionError("D080", where=located.where("measure"), problem="it has one measure")


def _problems_of_regions(structure: Structure, located: Located) -> Iterator[DefinitionError]:
    if (flow := structure.regions) is None:
        return
    known = structure.components | flow.components
    for group in ("dimensions", "attributes"):
        for name in set(getattr(flow, group)) - known.keys():
            where = located.where("regions", group)
            yield DefinitionError("D080", where=where, problem=f"{name} is not described")
    for name, component in flow.components.items():
        if component.codelist is not None and component.codelist not in structure.codelists:
            where = located.where("regions", "components", name)
            yield DefinitionError("D004", where=where, codelist=component.codelist)
