"""Tells what fills each framework variable of a submission, by its documents and the names of columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from copstats.collect.crosswalk_checks import wanted_kind
from copstats.collect.expression_guard import parse_expression
from copstats.collect.national import NationalColumns
from copstats.collect.readers import SourceFile
from copstats.collect.submission import RECORDS, Submission
from copstats.framework import Framework
from copstats.framework.definitions import RecordKind, Variable
from copstats.framework.manifest import Mapping as Recoding
from copstats.framework.manifest import SurveyManifest

Source = Literal[
    "crosswalk",
    "design",
    "own_name",
    "filled_in",
    "declared",
    "undeclared",
    "column_absent",
    "not_asked",
    "module_not_covered",
    "nothing",
]
CERTAIN: frozenset[Source] = frozenset({"crosswalk", "design", "own_name", "filled_in", "declared"})
"""What the survey has, or says that it will have."""


@dataclass(frozen=True)
class Feeding:
    """What fills one framework variable.

    Attributes:
        record: ``child`` or ``parent``.
        variable: framework variable.
        source: ``crosswalk``, ``design`` (the manifest names the column), ``own_name`` (a column bears the
            variable's name), ``filled_in`` (from the manifest, or generated); without data: ``declared`` (a
            core variable of a covered module), ``undeclared`` (an optional one: only data can tell); or,
            where nothing fills it, ``column_absent`` (the crosswalk or the manifest names a column that is
            not in the file), ``not_asked``, ``module_not_covered``, ``nothing``.
        columns: national columns.
    """

    record: RecordKind
    variable: str
    source: Source
    columns: tuple[str, ...] = ()

    @property
    def certain(self) -> bool:
        """Whether the survey has the variable, or says that it will."""
        return self.source in CERTAIN


def feedings(
    submission: Submission, framework: Framework, files: Mapping[RecordKind, SourceFile]
) -> list[Feeding]:
    """Return what fills each variable of the record kinds that the manifest has files for.

    The order is that of `copstats.collect.harmonise`: crosswalk, design, a column of the variable's own name,
    what the manifest or the record number gives.

    Args:
        submission: manifest and crosswalk.
        framework: that the submission follows.
        files: the data files that are there; a record kind without one is judged by the documents alone.
    """
    return [
        _Feeder(submission, framework, record, files.get(record)).feeding(name, variable)
        for record in RECORDS
        if getattr(submission.manifest.files, record) is not None
        for name, variable in framework.variables(record).items()
    ]


def filled_in_anyway(record: RecordKind) -> list[Feeding]:
    """Return the variables that no file needs to hold: the manifest gives them, or they are generated."""
    return [Feeding(record, name, "filled_in") for name in _filled_in_anyway(record)]


def _filled_in_anyway(record: RecordKind) -> tuple[str, ...]:
    return ("country_iso3", "survey_id", f"{record}_id")


class _Feeder:
    """Decides for the variables of one record kind."""

    def __init__(
        self, submission: Submission, framework: Framework, record: RecordKind, file: SourceFile | None
    ) -> None:
        self._manifest = submission.manifest
        self._framework = framework
        self._record = record
        self._columns = NationalColumns(file) if file is not None else None
        mappings: dict[str, Recoding] = getattr(submission.crosswalk, record, {})
        self._mappings = mappings
        self._design = dict(_design_columns(submission.manifest, record))

    def feeding(self, name: str, variable: Variable) -> Feeding:
        """Return what fills a variable."""
        if name in self._mappings:
            return self._from_columns(
                name, "crosswalk", _mapped_columns(name, variable, self._mappings[name])
            )
        if name in self._design:
            columns = self._design[name]
            return self._from_columns(name, "design" if columns else "filled_in", columns)
        own = self._columns.lookup(name) if self._columns is not None else None
        if own is not None:
            return Feeding(self._record, name, "own_name", (own,))
        if self._filled_in(name):
            return Feeding(self._record, name, "filled_in")
        return Feeding(self._record, name, self._unfed(name, variable))

    def _from_columns(self, name: str, source: Source, columns: tuple[str, ...]) -> Feeding:
        absent = self._columns is not None and any(self._columns.lookup(c) is None for c in columns)
        return Feeding(self._record, name, "column_absent" if absent else source, columns)

    def _filled_in(self, name: str) -> bool:
        users = self._manifest.population.universe == "internet_users"
        return name in _filled_in_anyway(self._record) or (name == "net_3m" and users)

    def _unfed(self, name: str, variable: Variable) -> Source:
        module = self._framework.module_of(self._record, name)
        if name in self._manifest.not_asked:
            return "not_asked"
        if not module.always and module.module not in self._manifest.modules:
            return "module_not_covered"
        if self._columns is not None:
            return "nothing"
        return "undeclared" if variable.status == "optional" else "declared"


def _mapped_columns(name: str, variable: Variable, mapping: Recoding) -> tuple[str, ...]:
    if mapping.sql is not None:
        return parse_expression(mapping.sql, wanted_kind(variable), "").columns
    return (mapping.source or name,)


def _design_columns(manifest: SurveyManifest, record: RecordKind) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield design variable and columns; none where the design says that there is no such stage."""
    design = manifest.design
    for name, column in (("stratum", design.stratum), ("psu", design.psu)):
        yield name, (column,) if column is not None else ()
    if record == "child":
        yield "weight", (design.weight,)
        if design.fpc is not None:
            yield "fpc_psu", (design.fpc,)
        if design.replicate_weights is not None:
            yield "repw", tuple(design.replicate_weights.columns)
