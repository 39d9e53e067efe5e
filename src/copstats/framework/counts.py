"""What administrative variables count, by which categories, and what is computed of them: ``counts.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated

from msgspec import Meta, field

from copstats.errors import DefinitionError
from copstats.framework.definitions import Definition, VariableName
from copstats.framework.loader import Framework, load_framework
from copstats.framework.located import Located
from copstats.framework.typed import typed
from copstats.language import N_
from copstats.project import project_root

TOTAL, UNKNOWN = "_T", "_U"
WORLD = "001"
"""Code of the world in M49, the standard of the regions of the area table."""
FACTS = ("bool", "multi")
"""Types of variables that say yes or no."""
POPULATION = "population"
"""Source of variables that count no cases: they are denominators."""
CHILDREN, USERS = "children", "users"
_OWN = (CHILDREN, USERS)
_CATEGORY = ("channel", "risk_category", "destination", "report_source", "offence_code", "group")


class Labelled(Definition, frozen=True, kw_only=True):
    """A unit, or a category of a list."""

    label: str


class Categories(Definition, frozen=True, kw_only=True):
    """A list of categories: its codes, or the form that codes of a standard have."""

    title: str
    codes: dict[str, Labelled] = field(default_factory=dict)
    pattern: str | None = None

    @property
    def labels(self) -> dict[str, str]:
        """Code -> label; what belongs to no category comes last."""
        return {code: entry.label for code, entry in self.codes.items()} | {UNKNOWN: N_("Other or unknown")}

    def holds(self, code: str) -> bool:
        """Say whether a code is one of the list; the total and what is unknown always are."""
        known = code in self.codes or code in (TOTAL, UNKNOWN)
        return known or (self.pattern is not None and re.fullmatch(self.pattern, code) is not None)


class Counted(Definition, frozen=True, kw_only=True):
    """What a variable counts."""

    unit: str
    part_of: VariableName | None = None
    """All that it counts is counted by this variable too; parts of one whole exclude each other."""
    category: str | None = None
    """List of categories of a variable that says yes or no for each of them."""


class Derived(Definition, frozen=True, kw_only=True):
    """A rate or ratio of published counts."""

    title: str
    label: str
    """What its figures are, for example ``Per cent``."""
    numerator: VariableName
    denominator: str
    """``children``, ``users`` or a variable."""
    ages: Annotated[list[int], Meta(min_length=2, max_length=2)] | None = None
    note: str | None = None

    @property
    def is_rate(self) -> bool:
        """True: per 100,000 persons; False: in per cent of a variable."""
        return self.denominator in _OWN


class CountDefinitions(Definition, frozen=True, kw_only=True):
    """``counts.yaml``."""

    units: dict[str, Labelled]
    categories: dict[str, Categories]
    variables: dict[VariableName, Counted]
    derived: dict[str, Derived]

    @property
    def whole_of(self) -> Mapping[str, str]:
        """Variable -> variable that it is a part of."""
        return {name: counted.part_of for name, counted in self.variables.items() if counted.part_of}


def category_of(framework: Framework, definitions: CountDefinitions, variable: str) -> str | None:
    """Return the list of categories by which a variable is broken down beside sex and age, or None."""
    own = [name for name in framework.administrative[variable].breakdowns if name in _CATEGORY]
    return own[0] if own else definitions.variables[variable].category


@cache
def load_counts(version: str) -> CountDefinitions:
    """Return the definitions of a framework version.

    Raises:
        DefinitionError: D016 or D002, the file is absent or malformed; D230, it does not fit the framework's
            administrative variables.
    """
    path = project_root() / "schemas" / version / "counts.yaml"
    if not path.is_file():
        raise DefinitionError("D016", where=f"{version}/{path.name}")
    located = Located(path)
    definitions = typed(located, CountDefinitions)
    _refuse_unknown(definitions, load_framework(version), located)
    return definitions


def _refuse_unknown(definitions: CountDefinitions, framework: Framework, located: Located) -> None:
    known = framework.administrative.keys()
    for name in sorted(known ^ definitions.variables.keys()):
        raise DefinitionError("D230", where=located.where("variables", name), name=name)
    for name, counted in definitions.variables.items():
        category = category_of(framework, definitions, name)
        for given, group in (
            (counted.unit, definitions.units),
            (counted.part_of, definitions.variables),
            (category, definitions.categories),
        ):
            if given is not None and given not in group:
                raise DefinitionError("D230", where=located.where("variables", name), name=given)
    for code, derived in definitions.derived.items():
        for given in (derived.numerator, derived.denominator):
            if given not in (*known, *_OWN):
                raise DefinitionError("D230", where=located.where("derived", code), name=given)
