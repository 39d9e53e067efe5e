"""What the home tells of a published value: the submission behind it, its SQL, its vintages, other rounds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from copstats.analyse.comparability import (
    Criterion,
    Judged,
    judged,
    load_criteria,
    pair_comparability,
    shared_ages,
)
from copstats.analyse.domains import AgeBand
from copstats.analyse.evidence import Evidence
from copstats.analyse.plan import explain_sql
from copstats.disclose.shape import KEY
from copstats.errors import UsageError
from copstats.explaining.published import TOTAL, Asked, OpenRelease, Row
from copstats.framework import Framework, load_framework
from copstats.store.schemas import DIMENSIONS

if TYPE_CHECKING:
    from copstats.framework.manifest import Mapping as Mapped
    from copstats.store.home import Home
    from copstats.store.rows import Decision, Provenance, Submission

_FROM_ESTIMATE = "item_nonresponse"
"""The criterion that is read from the estimate; of a published value its band is known."""


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


@dataclass(frozen=True)
class PastVintage:
    """The value as it stood in a vintage of the wave.

    Attributes:
        number: of the vintage.
        computed_at: when.
        submission: version of the wave behind it.
        releases: that carried it.
        value: its row; None where the vintage has no such cell, or was destroyed.
    """

    number: int
    computed_at: dt.datetime
    submission: str
    releases: tuple[str, ...]
    value: Row | None


@dataclass(frozen=True)
class OtherRound:
    """The same indicator in another wave of the area, and whether the two may be compared.

    Attributes:
        source: submission of the other wave.
        grade: class of the pair.
        reasons: codes of what keeps it from A.
        ages: code of the ages that both surveys cover, where they differ.
    """

    source: str
    grade: str
    reasons: str
    ages: str | None


@dataclass(frozen=True)
class KeptFacts:
    """What the home tells of a value.

    Attributes:
        state: of the submission.
        received_at: when it was registered.
        decisions: on the submission, oldest first.
        provenance: how its records were protected on their way; None where that was not noted.
        design: what the manifest says of weight, strata and clusters.
        questions: behind the indicator.
        criteria: of comparability, with what the survey shows of each.
        sql: that makes the estimates; None where the indicator is absent from the wave.
        vintages: of the value, oldest first.
        rounds: other waves of the area with the indicator.
        estimate: row of the estimates before disclosure control; None unless it was asked for and is there.
    """

    state: str
    received_at: dt.datetime
    decisions: tuple[Decision, ...]
    provenance: Provenance | None
    design: Mapping[str, Any]
    questions: tuple[Question, ...]
    criteria: tuple[Judged, ...]
    sql: str | None
    vintages: tuple[PastVintage, ...]
    rounds: tuple[OtherRound, ...]
    estimate: Row | None = None


@dataclass
class KeptInHome:
    """Answers from a home on the values of one of its releases.

    Attributes:
        home: open.
        release: of the home.
        restricted: whether estimates from before disclosure control are shown. Opening them is noted in the
            audit log, once a submission and indicator.
    """

    home: Home
    release: OpenRelease
    restricted: bool = False
    _published: dict[tuple[str, int], dict[tuple[str, ...], Row]] = field(default_factory=dict)
    _estimates: dict[tuple[str, str], list[Row]] = field(default_factory=dict)

    def facts(self, value: Row) -> KeptFacts | None:
        """Return what the home tells of a value; None if it does not know the submission."""
        submission = self.home.registry.find(value["source"])
        if submission is None:
            return None
        framework = load_framework(submission.framework)
        evidence = self._evidence(submission, framework, value)
        registry = self.home.registry
        return KeptFacts(
            state=str(submission.state),
            received_at=submission.received_at,
            decisions=tuple(registry.decisions(submission.id)),
            provenance=registry.provenance(submission.id),
            design=_design(submission),
            questions=tuple(_questions(evidence)),
            criteria=tuple(judged(evidence, self._criteria)),
            sql=_sql(evidence, submission),
            vintages=tuple(self._vintages(submission.wave, value)),
            rounds=tuple(self._rounds(evidence, value)),
            estimate=self._estimate(value) if self.restricted else None,
        )

    @cached_property
    def _criteria(self) -> dict[str, Criterion]:
        """Criteria that are read from documents."""
        criteria = load_criteria(self.release.release["framework"])
        return {name: one for name, one in criteria.items() if name != _FROM_ESTIMATE}

    @cached_property
    def _waves(self) -> dict[str, Submission]:
        """Submissions behind the release."""
        found = (self.home.registry.find(name) for name in self.release.sources)
        return {one.id: one for one in found if one is not None}

    def _evidence(self, submission: Submission, framework: Framework, value: Row) -> Evidence:
        return Evidence(
            indicator=framework.indicators[value["indicator"]],
            manifest=submission.survey_manifest,
            crosswalk=submission.survey_crosswalk,
            framework=framework,
            as_of_year=self.release.year,
            nonresponse=None,
            ages=None if value["age"] == TOTAL else AgeBand.of(value["age"]),
        )

    def _vintages(self, wave: str, value: Row) -> Iterator[PastVintage]:
        ledger = self.home.ledger
        carried = {label: ledger.carried(label) for label in ledger.labels()}
        for vintage in ledger.all_published(wave):
            key = (wave, vintage.number)
            if key not in self._published:
                rows = ledger.content(*key).values.to_pylist() if vintage.kept else []
                self._published[key] = {_place(row): row for row in rows}
            yield PastVintage(
                number=vintage.number,
                computed_at=vintage.computed_at,
                submission=vintage.submission_id,
                releases=tuple(label for label, of in carried.items() if of.get(wave) == vintage.number),
                value=self._published[key].get(_place(value)),
            )

    def _rounds(self, evidence: Evidence, value: Row) -> Iterator[OtherRound]:
        """Yield the same cell of the release's other waves of the area, with the class of the pair."""
        asked = Asked.of(value)
        for row in self.release.of_area(value["indicator"], value["ref_area"]):
            other = self._waves.get(row["source"])
            same = replace(asked, year=row["time_period"], survey=row["survey"]).fits(row)
            if other is None or row["source"] == value["source"] or not same or not row["comparability"]:
                continue
            if row["standardised"] != value["standardised"] or not value["comparability"]:
                continue
            beside = self._evidence(other, load_framework(other.framework), row)
            found = pair_comparability(evidence, beside, self._criteria)
            ages = shared_ages(evidence, beside)
            differ = evidence.ages is None and evidence.manifest.population != beside.manifest.population
            yield OtherRound(
                source=row["source"],
                grade=max(found.grade, value["comparability"], row["comparability"]),
                reasons=_united(found.reasons, value["comparability_reasons"], row["comparability_reasons"]),
                ages=ages.code if ages is not None and differ else None,
            )

    def _estimate(self, value: Row) -> Row | None:
        key = (value["source"], value["indicator"])
        if key not in self._estimates:
            self.home.audit.append("estimates.opened", key[0], indicator=key[1], purpose="explanation")
            self._estimates[key] = self._opened(*key)
        place = {name: value[name] for name in DIMENSIONS}
        return next((row for row in self._estimates[key] if place.items() <= row.items()), None)

    def _opened(self, submission_id: str, indicator: str) -> list[Row]:
        try:
            estimates = self.home.warehouse.read([submission_id])
        except UsageError:  # They went with a withdrawal.
            return []
        rows: list[Row] = estimates.filter(pc.equal(estimates["indicator"], indicator)).to_pylist()
        return rows


def _place(row: Row) -> tuple[str, ...]:
    """Return what tells a cell apart within a wave; versions of the wave have different sources."""
    return tuple(row[name] for name in KEY if name != "source")


def _united(*reasons: str | None) -> str:
    return ";".join(sorted({code for text in reasons for code in (text or "").split(";") if code}))


def _design(submission: Submission) -> dict[str, Any]:
    design = submission.survey_manifest.design
    replicates = design.replicate_weights
    return {
        "weight": design.weight,
        "stratum": design.stratum,
        "psu": design.psu,
        "fpc": design.fpc,
        "replicate_weights": None if replicates is None else f"{replicates.type}, {len(replicates.columns)}",
        "overlap": design.overlap,
    }


def _questions(evidence: Evidence) -> Iterator[Question]:
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
    named = ("map", "range", "sql")
    return next((name for name in named if getattr(entry, name) is not None), "copy")


def _sql(evidence: Evidence, submission: Submission) -> str | None:
    columns: Mapping[str, Sequence[str]] = submission.variables
    code = evidence.indicator.definition.code
    try:
        return explain_sql(
            code, evidence.manifest, evidence.framework, columns["child"], columns.get("parent")
        )
    except UsageError:  # The indicator is absent from the wave.
        return None
