"""The audit of a release: how exactly do its figures give away what it withholds (R5, R10)?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from copstats.disclose.audit.assumed import assumed_cells
from copstats.disclose.audit.cells import Cells, banded_cells, known_cells, weightless_cells
from copstats.disclose.audit.examination import Examination, Examined, examine
from copstats.disclose.audit.implications import Logic, logic_of
from copstats.disclose.audit.result import Assumption, Audit, Cell, Finding, Weakness
from copstats.disclose.audit.statements import Flags, Statements, WaveKey, read_statements
from copstats.disclose.audit.vintages import differences, join
from copstats.disclose.profile import DisclosureProfile
from copstats.framework.loader import Framework

_WEAKEST = 20


@dataclass(frozen=True)
class Published:
    """An earlier release.

    Attributes:
        label: of the release.
        values: schema ``INDICATOR_VALUE``.
        attacker: schema ``ATTACKER``, or None.
    """

    label: str
    values: pa.Table
    attacker: pa.Table | None = None


def audit_values(
    values: pa.Table,
    attacker: pa.Table | None,
    framework: Framework,
    profile: DisclosureProfile,
    *,
    earlier: Sequence[Published] = (),
) -> Audit:
    """Say whether a release gives away what it withholds.

    The attacker knows the number and the weight of valid answers of every cell, how values are rounded, the
    definitions of the indicators, and every earlier release. Answers that agree with all this fulfil a linear
    system; the interval of a withheld number of yes is what remains open (linear programs; Hundepool et al.
    2012, section 4.4). The system is built here from the release and the attacker's file, by code that shares
    nothing with the suppression but the definitions and the solver.

    Without the attacker's file, numbers lie in their bands. What follows of an indicator for any weights is a
    finding: the release alone gives it away. What follows if all weights are equal, or if there are as few
    answers as the bands permit, is a weakness and no finding: it rests on that assumption.

    Args:
        values: schema ``INDICATOR_VALUE``; medians and cells that the survey did not collect are left out.
        attacker: schema ``ATTACKER``: of all waves of the release; or None.
        framework: definitions that the release follows.
        profile: thresholds, steps, bands and reasons.
        earlier: releases before this one.
    """
    waves = read_statements(values, attacker, framework, profile)
    logic = logic_of(framework, {code for wave in waves for code in wave.indicators})
    before = [
        {wave.key: wave for wave in read_statements(one.values, one.attacker, framework, profile)}
        for one in earlier
    ]
    auditor = _Auditor(logic, profile)
    auditor.findings += _mixed_waves(values)
    for wave in waves:
        auditor.audit(wave, [one[wave.key] for one in before if wave.key in one])
    return auditor.verdict(len(waves))


class _Auditor:
    """Collects what is found wave by wave."""

    def __init__(self, logic: Logic, profile: DisclosureProfile) -> None:
        self.logic = logic
        self.profile = profile
        self.findings: list[Finding] = []
        self.examined: list[Examined] = []
        self.weak: list[Weakness] = []
        self.assumptions: list[tuple[WaveKey, Assumption]] = []

    def audit(self, wave: Statements, earlier: Sequence[Statements]) -> None:
        self.findings += _misfits(wave, self.profile)
        if wave.known.any():
            cells = known_cells(wave, self.profile)
            self._assume(wave, "known")
            contradictory = np.flatnonzero(cells.impossible)
            self.findings += [
                Finding("inconsistent", Cell(wave.key, wave.indicators[k])) for k in contradictory
            ]
            self._judge(wave, self._examination(cells))
            self._against(wave, cells, [one for one in earlier if not one.same_as(wave)])
            return
        self._bands(wave)
        if any(not one.same_as(wave) for one in earlier):
            self._assume(wave, "vintages_not_compared")

    def verdict(self, waves: int) -> Audit:
        # Of a group of many answers it is enough that it stays open whether few of them answered so.
        shown = (one.weakness for one in self.examined if one.weakness.margin >= 0 or not one.protected)
        closest = sorted(shown, key=lambda one: (one.margin, one.cell))
        return Audit(
            findings=tuple(dict.fromkeys(self.findings)),
            weakest=tuple(closest[:_WEAKEST]),
            weak=tuple(sorted(self.weak, key=lambda one: (one.margin, one.cell))),
            assumptions=tuple(self.assumptions),
            waves=waves,
            protected=len(self.examined),
        )

    def _assume(self, wave: Statements, what: Assumption) -> None:
        self.assumptions.append((wave.key, what))

    def _examination(self, cells: Cells) -> Examination:
        return examine(cells, self.logic, self.profile)

    def _judge(self, wave: Statements, found: Examination) -> None:
        self.findings += [
            Finding("inconsistent", Cell(wave.key, code)) for code in sorted(found.contradictory)
        ]
        self.findings += [_finding(one) for one in found.examined if not one.protected]
        self.examined += found.examined

    def _bands(self, wave: Statements) -> None:
        banded = banded_cells(wave, self.profile)
        self._assume(wave, "bands")
        self._judge(wave, examine(weightless_cells(banded), Logic(), self.profile))
        examined = self._examination(banded).examined
        least = assumed_cells(banded)
        if least is not None:
            examined += examine(least, Logic(), self.profile).examined
        narrow = sorted((one.weakness for one in examined if not one.protected), key=lambda one: one.margin)
        self.weak += {one.cell: one for one in reversed(narrow)}.values()

    def _against(self, wave: Statements, cells: Cells, earlier: Sequence[Statements]) -> None:
        """What is safe alone may not be safe beside what was said before."""
        alone = {finding.cell for finding in self.findings}
        together, more = cells, False
        for one in earlier:
            if not one.complete:
                self._assume(wave, "vintages_not_compared")
                continue
            before = known_cells(one, self.profile)
            self.findings += differences(cells, before, self.profile.limits.changed_records.value)
            joined = join(together, before)
            self.findings += _corrected(wave, joined.corrected)
            together, more = joined.cells, more or joined.more
        if not more:
            return
        found = self._examination(together)
        known = {one for one in found.contradictory} - {finding.cell.indicator for finding in self.findings}
        self.findings += [Finding("vintage", Cell(wave.key, code)) for code in sorted(known)]
        worse = (one for one in found.examined if not one.protected and one.weakness.cell not in alone)
        self.findings += [
            Finding("vintage", one.weakness.cell, one.weakness.needed, one.weakness.found) for one in worse
        ]
        self.examined += found.examined


def _finding(one: Examined) -> Finding:
    of = one.weakness
    return Finding("interval" if one.part == "cell" else "nested", of.cell, of.needed, of.found)


def _corrected(wave: Statements, corrected: Flags) -> Iterator[Finding]:
    """Cells whose respondents are the same and whose answers are not: some were corrected."""
    for row, group in np.argwhere(corrected).tolist():
        yield Finding("vintage", Cell(wave.key, wave.indicators[row], wave.groups.labels[group]))


def _misfits(wave: Statements, profile: DisclosureProfile) -> Iterator[Finding]:
    """Cells that show what the profile does not permit, or that the attacker's file does not know."""
    least = np.array([profile.thresholds.minimum_n.tiers[tier] for tier in wave.tier.tolist()])[:, None]
    too_few = wave.shown & (wave.n < least)
    for row, group in np.argwhere(wave.off_grid | too_few).tolist():
        yield Finding("shape", Cell(wave.key, wave.indicators[row], wave.groups.labels[group]))
    if wave.known.any():
        for row, group in np.argwhere((wave.published & ~wave.known) | wave.disagrees).tolist():
            yield Finding("inconsistent", Cell(wave.key, wave.indicators[row], wave.groups.labels[group]))


def _mixed_waves(values: pa.Table) -> Iterator[Finding]:
    """A wave is published as a whole: parts of two versions of its records give the difference away."""
    names = ["ref_area", "survey", "time_period"]
    surveyed = values.filter(pc.equal(values["standardised"], "N")).select([*names, "source"])
    sources = (
        surveyed.group_by([*names, "source"]).aggregate([]).group_by(names).aggregate([("source", "count")])
    )
    for row in sources.sort_by([(name, "ascending") for name in names]).to_pylist():
        if row["source_count"] > 1:
            yield Finding("shape", Cell(WaveKey(*(row[name] for name in names))))
