"""Data queries as they come, in the words of both versions of the interface."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from starlette.datastructures import QueryParams

from copstats.errors import PortalError
from copstats.framework.structure import Structure
from copstats.portal.published.query import Selection, read_filters, read_key, read_periods

_UNSERVED = {
    "includeHistory": ("false",),
    "measures": ("all", "OBS_VALUE"),
    "updatedAfter": (),
}
"""Parameter -> values that ask for nothing that is not served."""
_PARTS_OF_FLOW = 3
_PARTS_OF_PATH = 5
_MOST_SERIES = 9


@dataclass(frozen=True)
class DataRequest:
    """A data query.

    Attributes:
        context: what ``name`` names.
        agency: of it; ``all`` or ``*`` for any.
        name: identifier.
        version: number, or a word for the latest.
        key: codes with dots between them.
        separator: between alternatives in a place of the key (``+``), or between whole keys (``,``).
        parameters: of the query.
    """

    name: str
    context: Literal["dataflow", "datastructure"] = "dataflow"
    agency: str = "all"
    version: str = "latest"
    key: str = "all"
    separator: Literal["+", ","] = "+"
    parameters: QueryParams = field(default_factory=QueryParams)

    @classmethod
    def of_1(cls, path: str, parameters: QueryParams) -> DataRequest:
        """Read a query of SDMX REST 1.x: ``{flow}/{key}/{provider}``.

        Raises:
            PortalError: P413 (400), it cannot be read.
        """
        flow, key = (*path.strip("/").split("/"), "")[:2]
        parts = flow.split(",")
        if len(parts) > _PARTS_OF_FLOW or not all(parts):
            raise PortalError("P413", where="flow")
        agency, name, version = ("all", *parts, "latest") if len(parts) == 1 else (*parts, "latest")[:3]
        return cls(name, "dataflow", agency, version, key or "all", parameters=parameters)

    @classmethod
    def of_2(cls, path: str, parameters: QueryParams) -> DataRequest:
        """Read a query of SDMX REST 2.x: ``{context}/{agency}/{id}/{version}/{key}``.

        Raises:
            PortalError: P413 (400) it cannot be read; P416 (501) the context is one that is not served.
        """
        parts = path.strip("/").split("/")
        if len(parts) > _PARTS_OF_PATH or not all(parts):
            raise PortalError("P413", where="path")
        context, agency, name, version, key = [*parts, "*", "*", "*", "*"][:5]
        if context not in ("dataflow", "datastructure"):
            known = context in ("provisionagreement", "*")
            raise PortalError("P416", status=501) if known else PortalError("P413", where="path")
        return cls(name, context, agency, version, key, ",", parameters)  # type: ignore[arg-type]

    def check(self) -> None:
        """Refuse what is not served, rather than send something else.

        Raises:
            PortalError: P416 (501).
        """
        for name, harmless in _UNSERVED.items():
            if self.parameters.get(name, "") not in ("", *harmless):
                raise PortalError("P416", status=501)
        if self.parameters.get("detail", "full") not in ("full", "dataonly"):
            raise PortalError("P416", status=501)

    @property
    def flat(self) -> bool:
        """Whether observations may stand by themselves, not within series or groups."""
        return self.parameters.get("dimensionAtObservation", "") in ("", "AllDimensions")

    @property
    def attributes(self) -> bool:
        """Whether attributes come along."""
        return self.parameters.get("detail") != "dataonly" and self.parameters.get("attributes") != "none"

    def number(self, name: str) -> int | None:
        """Return a parameter that is a number of observations; None if it is not given.

        Raises:
            PortalError: P413 (400), it is no number.
        """
        given = self.parameters.get(name)
        if given is None:
            return None
        if not given.isascii() or not given.isdigit() or len(given) > _MOST_SERIES or int(given) == 0:
            raise PortalError("P413", where=name)
        return int(given)

    def selection(self, structure: Structure) -> Selection:
        """Return what of a dataflow is asked for.

        Raises:
            PortalError: P413 (400), the key, a period or a filter cannot be read.
        """
        start, end = self.parameters.get("startPeriod", ""), self.parameters.get("endPeriod", "")
        return Selection(
            keys=read_key(self.key, structure, separator=self.separator),
            conditions=(
                *read_periods(start, end, structure),
                *read_filters(self.parameters.multi_items()),
            ),
        )
