"""What the home tells of the submission behind a value, whatever the value: documents, decisions, SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from copstats.analyse.domains import AgeBand
from copstats.analyse.evidence import Evidence
from copstats.analyse.plan import explain_sql
from copstats.errors import UsageError
from copstats.framework import Framework, load_framework
from copstats.framework.manifest import Crosswalk, SurveyManifest

if TYPE_CHECKING:
    from copstats.framework.manifest import Mapping as Mapped
    from copstats.store.home import Home
    from copstats.store.rows import Decision, Provenance, Submission


@dataclass(frozen=True)
class Question:
    """A question behind the indicator, as the survey asked it.

    Attributes:
        variable: of the framework.
        label: what it holds.
        column: of the national file; None where it is the framework's own name or an expression.
        recode: ``copy``, ``map``, ``range``, ``sql`` or ``own`` where the survey has the framework's codes.
        wording: ``identical``, ``adapted``, ``different``, or ``unknown`` where nobody declared it.
        scale: of the answers, likewise.
        recall: period of the national question; None where nobody declared it.
        framework_recall: period that the framework asks for.
        asked_of: ``universe`` or ``everyone``.
        text: the national wording, where the office gave it.
    """

    variable: str
    label: str
    column: str | None
    recode: str
    wording: str
    scale: str
    recall: str | None
    framework_recall: str
    asked_of: str
    text: str | None


@dataclass
class Background:
    """A submission, with what explanations of its values have in common.

    Attributes:
        submission: as the registry has it.
        provenance: how its records were protected on their way; None where that was not noted.
        decisions: on it, oldest first.
    """

    submission: Submission
    provenance: Provenance | None
    decisions: tuple[Decision, ...]
    _sql: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, home: Home, submission_id: str) -> Background | None:
        """Return the background of a submission; None if the registry does not know it."""
        registry = home.registry
        submission = registry.find(submission_id)
        if submission is None:
            return None
        decisions = tuple(registry.decisions(submission_id))
        return cls(submission, registry.provenance(submission_id), decisions)

    @property
    def state(self) -> str:
        """Where the submission stands."""
        return str(self.submission.state)

    @property
    def received_at(self) -> dt.datetime:
        """When it was registered."""
        return self.submission.received_at

    @cached_property
    def manifest(self) -> SurveyManifest:
        """Its manifest."""
        return self.submission.survey_manifest

    @cached_property
    def crosswalk(self) -> Crosswalk | None:
        """Its crosswalk, if it has one."""
        return self.submission.survey_crosswalk

    @cached_property
    def framework(self) -> Framework:
        """The framework that it follows."""
        return load_framework(self.submission.framework)

    @cached_property
    def design(self) -> dict[str, Any]:
        """What the manifest says of weight, strata and clusters."""
        design = self.manifest.design
        told = {name: getattr(design, name) for name in ("weight", "stratum", "psu", "fpc", "overlap")}
        replicates = design.replicate_weights
        series = None if replicates is None else f"{replicates.type}, {len(replicates.columns)}"
        return told | {"replicate_weights": series}

    def evidence(self, indicator: str, year: int, ages: AgeBand | None) -> Evidence:
        """Return what the criteria of comparability are judged by, but for item non-response."""
        return Evidence(
            indicator=self.framework.indicators[indicator],
            manifest=self.manifest,
            crosswalk=self.crosswalk,
            framework=self.framework,
            as_of_year=year,
            nonresponse=None,
            ages=ages,
        )

    def sql(self, indicator: str) -> str | None:
        """Return the SQL that makes an indicator's estimates; None where it is absent from the wave."""
        if indicator not in self._sql:
            columns: Mapping[str, Sequence[str]] = self.submission.variables
            held = columns["child"], columns.get("parent")
            try:
                self._sql[indicator] = explain_sql(indicator, self.manifest, self.framework, *held)
            except UsageError:
                self._sql[indicator] = None
        return self._sql[indicator]


def questions(evidence: Evidence) -> Iterator[Question]:
    """Yield the questions behind an indicator, as the survey asked them."""
    variables, recalls = evidence.framework.variables("dyad"), evidence.recalls()
    crosswalk = evidence.crosswalk
    mapped = {} if crosswalk is None else {**crosswalk.parent, **crosswalk.child}
    for name in evidence.measures:
        entry = mapped.get(name)
        wording = None if entry is None else entry.wording
        declared = "identical" if entry is None else "unknown"
        yield Question(
            variable=name,
            label=variables[name].label,
            column=None if entry is None else entry.source,
            recode="own" if entry is None else _recode(entry),
            wording=declared if wording is None else wording.kind,
            scale=declared if wording is None else wording.scale,
            recall=recalls[name],
            framework_recall=evidence.framework_recall(name),
            asked_of="universe" if wording is None else wording.asked_of,
            text=None if wording is None else wording.text,
        )


def _recode(entry: Mapped) -> str:
    return next((name for name in ("map", "range", "sql") if getattr(entry, name) is not None), "copy")
