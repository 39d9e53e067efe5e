"""One record kind of a submission as the rules see it: what the file holds, what the framework expects."""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from copstats.framework import Framework
from copstats.framework import manifest as says
from copstats.framework.definitions import RecordKind, Variable
from copstats.framework.expressions import (
    DOES_NOT_KNOW,
    NOT_APPLICABLE,
    NOT_ASKED,
    REFUSED,
    skip_column,
    skip_columns,
)

if TYPE_CHECKING:
    from copstats.process.identifying import Suspect, Trace

AGE = "age"
AREA = "country_iso3"
CHILD_KEY = "child_id"
KEYS: Mapping[RecordKind, str] = {"child": CHILD_KEY, "parent": "parent_id"}
WEIGHTS: Mapping[RecordKind, str] = {"child": "weight", "parent": "weight_parent"}
STRATUM, PSU = "stratum", "psu"
LINKED = f"{CHILD_KEY}__linked"
"""Column beside those of a parent record: whether the child file holds the child."""


class HarmonisedRecord(Protocol):
    """What collecting says of one harmonised table."""

    @property
    def rows(self) -> int:
        """Number of records."""

    @property
    def variables(self) -> Collection[str]:
        """Framework variables that the table holds."""

    @property
    def source_columns(self) -> Mapping[str, str]:
        """Variable -> national column; a variable without one was filled in or generated."""

    @property
    def not_taken_over(self) -> Collection[str]:
        """National columns that belong to no framework variable."""

    @property
    def source_file(self) -> str:
        """Path of the data file, as the manifest writes it."""

    @property
    def sealed(self) -> bool:
        """Whether the table came out of a sealed file, so that some variables stayed in the country."""

    @property
    def suspects(self) -> Collection[Suspect]:
        """National columns that may identify a person."""

    @property
    def traces(self) -> Collection[Trace]:
        """What the file carries beside its table."""


class Harmonised(Protocol):
    """The harmonised tables of a submission; each stands in the connection under its record kind."""

    @property
    def records(self) -> Mapping[RecordKind, HarmonisedRecord]:
        """Record kind -> what is known of its table."""


@dataclass(frozen=True)
class RecordTable:
    """A harmonised table together with the definitions that it is held against.

    Attributes:
        framework: the framework version that the manifest names.
        manifest: what the survey says of itself.
        record: ``child`` or ``parent``.
        held: what the file holds.
        mappings: crosswalk of this record kind.
    """

    framework: Framework
    manifest: says.SurveyManifest
    record: RecordKind
    held: HarmonisedRecord
    mappings: Mapping[str, says.Mapping]

    @cached_property
    def present(self) -> frozenset[str]:
        """Columns of the harmonised table, without ``record_no`` and the flags."""
        return frozenset(self.held.variables)

    @cached_property
    def expected(self) -> dict[str, Variable]:
        """Variables of the modules that the submission covers, and others that the file holds."""
        covered = [
            module
            for module in self.framework.modules.values()
            if module.record == self.record and (module.always or module.module in self.manifest.modules)
        ]
        names = {name for module in covered for name in module.variables} | self.present
        return {
            name: variable
            for name, variable in self.framework.variables(self.record).items()
            if (name in names or self.series(name)) and not (self.held.sealed and variable.privacy == "drop")
        }

    def series(self, name: str) -> tuple[str, ...]:
        """Return the columns NAME_001, NAME_002, ... that the table holds."""
        numbered = re.compile(rf"{re.escape(name)}_\d+")
        return tuple(sorted(column for column in self.present if numbered.fullmatch(column)))

    def columns(self, name: str, variable: Variable) -> tuple[str, ...]:
        """Return the columns of a variable: itself, those of its series, or none."""
        if variable.series:
            return self.series(name)
        return (name,) if name in self.present else ()

    @cached_property
    def missing(self) -> frozenset[str]:
        """Variables that should stand in the file, do not, and were not declared as not asked."""
        return frozenset(
            name
            for name, variable in self.expected.items()
            if not variable.series and name not in self.present and self.due(name, variable)
        )

    def due(self, name: str, variable: Variable) -> bool:
        """Whether the submission must hold the variable."""
        if variable.status == "core":
            return name not in self.manifest.not_asked
        return variable.status == "required"

    def missing_codes(self, name: str, variable: Variable) -> tuple[int, ...]:
        """Return the missing codes that the variable may take.

        Keys, weights and other design variables take none; a required dimension (age, sex) may be unknown,
        because real files have a few such records.
        """
        if variable.role in ("identifier", "design"):
            return ()
        if variable.status == "required":
            return (DOES_NOT_KNOW, REFUSED)
        asked = (NOT_APPLICABLE, DOES_NOT_KNOW, REFUSED)
        return (*asked, NOT_ASKED) if name in self.manifest.not_asked else asked

    @cached_property
    def skip(self) -> dict[str, str]:
        """Columns ``NAME__no`` -> SQL; see `copstats.framework.expressions.skip_columns`."""
        return skip_columns(
            self.framework.universes_of(self.record),
            self.present,
            age_floor=self.manifest.population.age_floor,
        )

    def extended_sql(self, *, linked: bool) -> str:
        """Return the SELECT that puts the columns which rules need beside those of the table.

        Args:
            linked: whether a child table stands beside a parent table.
        """
        columns = [f"{sql} AS {name}" for name, sql in self.skip.items()]
        if linked:
            held = f"SELECT {CHILD_KEY} FROM child WHERE {CHILD_KEY} IS NOT NULL"
            columns.append(f"{CHILD_KEY} IN ({held}) AS {LINKED}")
        return f"SELECT {', '.join(['*', *columns])} FROM {self.record}"


def record_tables(
    framework: Framework,
    manifest: says.SurveyManifest,
    harmonised: Harmonised,
    crosswalk: says.Crosswalk | None,
) -> dict[RecordKind, RecordTable]:
    """Return the tables of a submission by record kind, child first."""
    kinds: tuple[RecordKind, ...] = ("child", "parent")
    return {
        kind: RecordTable(
            framework=framework,
            manifest=manifest,
            record=kind,
            held=harmonised.records[kind],
            mappings=getattr(crosswalk, kind, {}),
        )
        for kind in kinds
        if kind in harmonised.records
    }


def is_derived(column: str) -> bool:
    """Whether the column stands in the extended table alone."""
    return column == LINKED or column.endswith(skip_column(""))


def extended(record: str) -> str:
    """Return the name under which the extended table of a record kind stands in a query."""
    return f"{record}_extended"


def extended_tables(tables: Mapping[RecordKind, RecordTable]) -> dict[str, str]:
    """Return name -> SELECT of the extended tables, for the WITH clause of a query."""
    return {
        extended(kind): table.extended_sql(
            linked=kind == "parent" and "child" in tables and CHILD_KEY in table.present
        )
        for kind, table in tables.items()
    }
