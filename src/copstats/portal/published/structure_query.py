"""Structure queries as they come."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from copstats.errors import PortalError
from copstats.portal.published.artefacts import Artefact

KINDS: Mapping[str, str] = {
    "codelist": "Codelist",
    "conceptscheme": "ConceptScheme",
    "dataflow": "Dataflow",
    "datastructure": "DataStructure",
    "representationmap": "RepresentationMap",
}
"""Resource -> class, of what a release holds."""
_KNOWN = re.compile(
    "(available|actual|allowed|content|data|metadata)constraint|(geographic|geogrid|hierarchical)codelist|"
    "(agency|category|custom|customtype|dataconsumer|dataprovider|metadataprovider|namepersonalisation|"
    "organisation|organisationunit|ruleset|transformation|userdefinedoperator|vtlmapping)scheme|"
    "categorisation|(category|concept|datasource|organisation|structure)map|hierarchy|"
    "hierarchyassociation|metadataflow|metadatastructure|(metadata)?provisionagreement|process|"
    "reportingtaxonomy|structureset|valuelist"
)
"""Resources of SDMX REST of which no release has any."""
_REFERENCES = ("none", "all", "parents", "parentsandsiblings", "ancestors", "children", "descendants")
_DETAILS: Mapping[str, tuple[str, ...]] = {
    **{"full": (), "raw": (), "referencepartial": ()},
    **dict.fromkeys(("allstubs", "allcompletestubs"), ("wanted", "references")),
    **dict.fromkeys(("referencestubs", "referencecompletestubs"), ("references",)),
}


@dataclass(frozen=True)
class StructureQuery:
    """Which artefacts are asked for.

    Attributes:
        resource: for example ``dataflow``; ``structure`` or ``*`` for all.
        agency: identifier of the agency; ``all`` or ``*`` for any; several have ``+`` or ``,`` between them.
        name: identifier of the artefact, in the same way.
        version: number, ``latest``, ``all``, ``~``, ``+`` or ``*``.
        item: code or concept; empty for all.
        references: which related artefacts come with it.
        detail: which of them come whole.
    """

    resource: str
    agency: str = "all"
    name: str = "all"
    version: str = "latest"
    item: str = ""
    references: str = "none"
    detail: str = "full"

    def check(self) -> None:
        """Refuse what SDMX REST does not know.

        Raises:
            PortalError: P413 (400), a part has a value that it cannot have.
        """
        known = self.resource in (*KINDS, "structure", "*") or _KNOWN.fullmatch(self.resource)
        referable = (*_REFERENCES, *KINDS)
        for given, fits in (
            ("resource", known),
            ("references", self.references in referable or _KNOWN.fullmatch(self.references)),
            ("detail", self.detail in _DETAILS),
        ):
            if not fits:
                raise PortalError("P413", where=given)

    def stubs(self, part: str) -> bool:
        """Say whether artefacts come by name only: those that are ``wanted``, or their ``references``."""
        return part in _DETAILS[self.detail]

    def wants(self, artefact: Artefact, agency: str, version: str) -> bool:
        """Say whether this artefact is asked for itself."""
        kind, name = artefact
        return (
            (self.resource in ("structure", "*") or KINDS.get(self.resource) == kind)
            and fits(self.agency, agency)
            and fits(self.name, name)
            and fits_version(self.version, version)
        )


def fits(asked: str, found: str) -> bool:
    """Say whether an identifier is one of those asked for."""
    return asked in ("all", "*") or found in re.split("[+,]", asked)


def fits_version(asked: str, found: str) -> bool:
    """Releases have one version of each artefact, so the latest, the latest stable and all are the same."""
    if asked in ("latest", "all", "~", "+", "*") or found in asked.split(","):
        return True
    least = asked.partition("+")[0] if "+" in asked else ""
    return bool(least) and found.split(".")[: least.count(".")] == least.split(".")[:-1]
