"""What the home tells of a published value: the submission behind it, its SQL, its vintages, other rounds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

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
from copstats.disclose.shape import KEY
from copstats.errors import UsageError
from copstats.explaining.background import Background, Question, questions
from copstats.explaining.published import TOTAL, OpenRelease, Row
from copstats.store.schemas import DIMENSIONS

if TYPE_CHECKING:
    from copstats.store.home import Home

_Cells: TypeAlias = dict[tuple[str, ...], Row]
_FROM_ESTIMATE = "item_nonresponse"
"""The criterion that is read from the estimate; of a published value its band is known."""


@dataclass(frozen=True)
class PastVintage:
    """The value as it stood in a vintage of the wave.

    Attributes:
        number: of the vintage.
        computed_at: when.
        submission: version of the wave behind it.
        releases: that carried it.
        value: its row; None where the vintage has no such cell, or was destroyed. Standardised values are not
            in vintages: they follow from others.
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
        behind: the submission: where it stands, decisions, custody, design.
        questions: behind the indicator.
        criteria: of comparability, with what the survey shows of each.
        sql: that makes the estimates; None where the indicator is absent from the wave.
        vintages: of the value, oldest first.
        rounds: other waves of the area with the indicator.
        estimate: row of the estimates before disclosure control; None unless it was asked for and is there.
            A standardised value has none: it is computed from published ones.
    """

    behind: Background
    questions: tuple[Question, ...]
    criteria: tuple[Judged, ...]
    sql: str | None
    vintages: tuple[PastVintage, ...]
    rounds: tuple[OtherRound, ...]
    estimate: Row | None = None


@dataclass
class KeptInHome:
    """Answers from a home on the values of one of its releases; what is read is read once.

    Attributes:
        home: open.
        release: of the home.
        restricted: whether estimates from before disclosure control are shown. Opening them is noted in the
            audit log, once a submission and indicator.
    """

    home: Home
    release: OpenRelease
    restricted: bool = False
    _behind: dict[str, Background | None] = field(default_factory=dict)
    _vintages: dict[str, list[tuple[PastVintage, _Cells]]] = field(default_factory=dict)
    _estimates: dict[str, dict[tuple[str, ...], Row]] = field(default_factory=dict)
    _opened: set[tuple[str, str]] = field(default_factory=set)
    _known: dict[tuple[str, str, str], tuple[tuple[Question, ...], tuple[Judged, ...]]] = field(
        default_factory=dict
    )

    def facts(self, value: Row) -> KeptFacts | None:
        """Return what the home tells of a value; None if it does not know the submission."""
        behind = self._background(value["source"])
        if behind is None:
            return None
        evidence = self._evidence(behind, value)
        asked, criteria = self._judged(evidence, value)
        return KeptFacts(
            behind=behind,
            questions=asked,
            criteria=criteria,
            sql=behind.sql(value["indicator"]),
            vintages=tuple(self._past(behind.submission.wave, value)),
            rounds=tuple(self._rounds(evidence, value)),
            estimate=self._estimate(value) if self.restricted and value["standardised"] == "N" else None,
        )

    @cached_property
    def _criteria(self) -> dict[str, Criterion]:
        """Criteria that are read from documents."""
        criteria = load_criteria(self.release.release["framework"])
        return {name: one for name, one in criteria.items() if name != _FROM_ESTIMATE}

    @cached_property
    def _carried(self) -> dict[str, dict[str, int]]:
        """Release -> wave -> vintage."""
        ledger = self.home.ledger
        return {label: ledger.carried(label) for label in ledger.labels()}

    def _background(self, submission_id: str) -> Background | None:
        if submission_id not in self._behind:
            self._behind[submission_id] = Background.of(self.home, submission_id)
        return self._behind[submission_id]

    def _evidence(self, behind: Background, value: Row) -> Evidence:
        ages = None if value["age"] == TOTAL else AgeBand.of(value["age"])
        return behind.evidence(value["indicator"], self.release.year, ages)

    def _judged(self, evidence: Evidence, value: Row) -> tuple[tuple[Question, ...], tuple[Judged, ...]]:
        key = (value["source"], value["indicator"], value["age"])
        if key not in self._known:
            asked = tuple(questions(evidence))
            self._known[key] = asked, tuple(judged(evidence, self._criteria))
        return self._known[key]

    def _past(self, wave: str, value: Row) -> Iterator[PastVintage]:
        if wave not in self._vintages:
            self._vintages[wave] = list(self._read_vintages(wave))
        for vintage, cells in self._vintages[wave]:
            yield replace(vintage, value=cells.get(_place(value)))

    def _read_vintages(self, wave: str) -> Iterator[tuple[PastVintage, _Cells]]:
        for one in self.home.ledger.all_published(wave):
            rows = self.home.ledger.content(wave, one.number).values.to_pylist() if one.kept else []
            labels = tuple(label for label, of in self._carried.items() if of.get(wave) == one.number)
            vintage = PastVintage(one.number, one.computed_at, one.submission_id, labels, None)
            yield vintage, {_place(row): row for row in rows}

    def _rounds(self, evidence: Evidence, value: Row) -> Iterator[OtherRound]:
        """Yield the same cell of the release's other waves of the area, with the class of the pair."""
        for row in self.release.of_area(value["indicator"], value["ref_area"]):
            behind = self._background(row["source"])
            alike = all(row[name] == value[name] for name in (*DIMENSIONS, "standardised"))
            both = value["comparability"] and row["comparability"]
            if behind is None or row["source"] == value["source"] or not (alike and both):
                continue
            beside = self._evidence(behind, row)
            found = pair_comparability(evidence, beside, self._criteria)
            ages = shared_ages(evidence, beside) if _of_other_ages(evidence, beside) else None
            yield OtherRound(
                source=row["source"],
                grade=max(found.grade, value["comparability"], row["comparability"]),
                reasons=_united(found.reasons, value["comparability_reasons"], row["comparability_reasons"]),
                ages=None if ages is None else ages.code,
            )

    def _estimate(self, value: Row) -> Row | None:
        source, indicator = value["source"], value["indicator"]
        if (source, indicator) not in self._opened:
            self.home.audit.append("estimates.opened", source, indicator=indicator, purpose="explanation")
            self._opened.add((source, indicator))
        if source not in self._estimates:
            self._estimates[source] = {_domain(row): row for row in self._read_estimates(source)}
        return self._estimates[source].get(_domain(value))

    def _read_estimates(self, submission_id: str) -> list[Row]:
        try:
            rows: list[Row] = self.home.warehouse.read([submission_id]).to_pylist()
        except UsageError:  # They went with a withdrawal.
            return []
        return rows


def _place(row: Row) -> tuple[str, ...]:
    """Return what tells a cell apart within a wave; versions of the wave have different sources."""
    return tuple(row[name] for name in KEY if name != "source")


def _domain(row: Row) -> tuple[str, ...]:
    return (row["indicator"], *(row[name] for name in DIMENSIONS))


def _of_other_ages(first: Evidence, second: Evidence) -> bool:
    return first.ages is None and first.manifest.population.ages != second.manifest.population.ages


def _united(*reasons: str | None) -> str:
    return ";".join(sorted({code for text in reasons for code in (text or "").split(";") if code}))
