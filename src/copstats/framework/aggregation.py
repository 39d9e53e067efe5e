"""Rules of aggregation: which groups of areas there are, and when an aggregate is published."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from msgspec import Meta, field

from copstats.framework.definitions import Definition
from copstats.framework.located import Located
from copstats.framework.typed import typed
from copstats.project import project_root

WORLD = "world"
"""The scheme whose only group is all areas."""


class Limit(Definition, frozen=True, kw_only=True):
    """A number that a rule turns on."""

    text: str
    source: str
    value: Annotated[float, Meta(ge=0)]


class Group(Definition, frozen=True, kw_only=True):
    """A group of areas."""

    label: str


class Scheme(Definition, frozen=True, kw_only=True):
    """A column of the table of areas: group code -> group."""

    title: str
    groups: dict[str, Group] = field(default_factory=dict)


class AggregationRules(Definition, frozen=True, kw_only=True):
    """``aggregation.yaml``."""

    minimum_countries: Limit
    minimum_coverage: Limit
    oldest: Limit
    schemes: dict[str, Scheme]

    @property
    def world(self) -> str:
        """Code of the group of all areas."""
        return next(iter(self.schemes[WORLD].groups))

    def label(self, scheme: str, group: str) -> str:
        """Return the name of a group; its code where it has none."""
        known = self.schemes[scheme].groups if scheme in self.schemes else {}
        return known[group].label if group in known else group


@cache
def load_aggregation(version: str) -> AggregationRules:
    """Read ``aggregation.yaml`` of a framework version.

    Raises:
        DefinitionError: D001 to D003, the file is malformed; names file and line.
    """
    return typed(Located(project_root() / "schemas" / version / "aggregation.yaml"), AggregationRules)
