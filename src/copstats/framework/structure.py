"""The SDMX structure of the published values: ``structure.yaml`` of a framework version."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field

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
    "ages", "areas", "criteria", "indicators", "n_bands", "nonresponse_bands", "reasons", "units"
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
    type: Literal["String", "Double", "ObservationalTimePeriod"] = "String"
    """SDMX data type of a component without code list."""
    mandatory: bool = False
    """Of an attribute: no observation without it."""
    same_as: dict[str, ConceptId] = field(default_factory=dict)
    """Data structure of another agency -> its identifier of the concept."""


class PublishedCode(Definition, frozen=True, kw_only=True):
    """A code of a published column."""

    label: str


class PublishedCodeList(Definition, frozen=True, kw_only=True):
    """Codes of a published column: given here, defined elsewhere, or both in this order."""

    title: str
    codes: dict[CodeId, PublishedCode] = field(default_factory=dict)
    filled_from: Source | None = None
    subset_of: str | None = None
    """Code list of another agency from which the codes are taken with their meaning."""


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

    @property
    def components(self) -> dict[str, Component]:
        """All components: dimensions, measure, attributes."""
        return self.dimensions | self.measure | self.attributes

    def component_of(self, column: str) -> tuple[str, Component]:
        """Return identifier and definition of the component that a published column holds."""
        return next((name, c) for name, c in self.components.items() if c.column == column)


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
    *others, last = [c.type for c in structure.dimensions.values()] or ["String"]
    if last != PERIOD or PERIOD in others:
        yield DefinitionError("D080", where=located.where("dimensions"), problem="one period comes last")
    if len(structure.measure) != 1:
        yield DefinitionError("D080", where=located.where("measure"), problem="it has one measure")
