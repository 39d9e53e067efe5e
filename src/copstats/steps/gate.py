"""The disclosure gate over the waves of a home: what each may show, and the audit of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from copstats import vintages
from copstats.errors import ConfidentialityError, UsageError
from copstats.framework import Framework, load_framework
from copstats.steps.common import PROGRESS, estimates_fingerprint, fingerprint
from copstats.store.home import Home
from copstats.store.rows import Submission
from copstats.vintages import Settled

if TYPE_CHECKING:
    import pyarrow as pa

    from copstats.differences import Differences
    from copstats.disclose import ConsentLevel, DisclosureProfile
    from copstats.disclose.audit import Published as Earlier
    from copstats.store.vintage import Content


@dataclass(frozen=True)
class Gate:
    """The disclosure gate over the waves of a home.

    Attributes:
        home: open and locked.
        framework: of the waves.
        profile: rules of disclosure.
        year: against which the age of the data is judged.
        fractions: submission -> share of the population that was interviewed.
        waves: how many there are.
    """

    home: Home
    framework: Framework
    profile: DisclosureProfile
    year: int
    fractions: dict[str, float | None]
    waves: int

    @classmethod
    def of(cls, home: Home, waves: Sequence[Submission], year: int) -> Gate:
        """Prepare the gate.

        Raises:
            UsageError: U018, a wave has no estimates by the present framework and code.
        """
        from copstats.disclose import load_profile
        from copstats.disclose.sampling import sampling_fractions

        for wave in waves:
            if not home.warehouse.has(wave.id, estimates_fingerprint(home, wave, year)):
                raise UsageError("U018", where=wave.id)
        framework = load_framework(waves[-1].framework)
        profile = load_profile(framework.id, named=home.config.disclosure_profile or None)
        home.audit.append("estimates.opened", "all", waves=len(waves), purpose="publication")
        sizes = {wave.id: wave.survey_manifest.population.size for wave in waves}
        fractions = sampling_fractions(home.warehouse.read(wave.id for wave in waves), sizes)
        return cls(home, framework, profile, year, fractions, len(waves))

    def settled(self, wave: Submission, number: int) -> Settled:
        """Return which vintage of a wave the release carries; a new one is a candidate of the ledger."""
        from copstats.disclose import protect

        consent = _consent(wave)
        # Named profiles have versions of their own, which may be the same.
        rules = f"{self.profile.id} {self.profile.version}"
        made_from = fingerprint(estimates_fingerprint(self.home, wave, self.year), rules, consent)
        if (same := vintages.carried_forward(self.home, wave.wave, made_from)) is not None:
            return same
        PROGRESS.info("Disclosure gate %d of %d: %s", number, self.waves, wave.wave)
        protected = protect(
            self.home.warehouse.read([wave.id]),
            self.profile,
            consent_level={wave.id: consent},
            framework=self.framework,
            sampling_fraction=self.fractions,
        )
        candidate = replace(protected, values=self._with_standardised(wave, protected.values))
        return vintages.settle(
            self.home,
            wave,
            candidate,
            fingerprint=made_from,
            framework=self.framework,
            profile=self.profile,
            withdrawn=self.home.tombstones.count(wave.wave),
            jointly_safe=partial(self._jointly_safe, candidate),
        )

    def _with_standardised(self, wave: Submission, values: pa.Table) -> pa.Table:
        """Add values that are standardised by age and sex, which follow from the published ones."""
        from copstats.analyse.standardised import standardised_errors
        from copstats.disseminate.standardised import with_standardised

        made_from = estimates_fingerprint(self.home, wave, self.year)
        sums = self.home.waves.read_cells(wave.id, made_from) or {}
        errors = standardised_errors(sums, wave.survey_manifest, self.framework)
        return with_standardised(values, errors, self.framework, self.profile, raised=self.raised)

    def differences(self, settled: Iterable[Settled]) -> Differences:
        """Return the errors of differences between groups, and between rounds of a survey.

        A wave that is held has none: its figures are those of earlier estimates, and errors of the present
        ones would tell what has changed.
        """
        from copstats.differences import gather

        PROGRESS.info("Differences between groups and rounds")
        own = {one.submission_id for one in settled if one.outcome != "held"}
        waves = [wave for wave in self.home.registry.current_waves() if wave.id in own]
        made_from = {wave.id: estimates_fingerprint(self.home, wave, self.year) for wave in waves}
        return gather(self.home, waves, self.framework, made_from)

    @property
    def raised(self) -> frozenset[str]:
        """Submissions of which all cells are of tier B: they interviewed a large part of the population."""
        from copstats.disclose.sampling import raised_to_tier_b

        return raised_to_tier_b(self.fractions, self.profile)

    def _jointly_safe(self, candidate: vintages.Protected, earlier: Content) -> bool:
        from copstats.disclose.audit import Published as Earlier
        from copstats.disclose.audit import audit_values

        before = Earlier("earlier", earlier.values, earlier.attacker)
        return audit_values(
            candidate.values, candidate.attacker, self.framework, self.profile, earlier=[before]
        ).passed


def _consent(wave: Submission) -> ConsentLevel:
    dissemination = wave.survey_manifest.dissemination
    return dissemination.level if dissemination.consent else "none"


def refuse_unsafe(gate: Gate, label: str, settled: Iterable[Settled]) -> None:
    """Audit the release before it exists, together with everything that was published of its waves.

    A wave that is carried forward was audited when it was published: with the same figures, earlier vintages,
    definitions, rules and code, or it would not be carried.

    Raises:
        ConfidentialityError: C104; names the cell that is known most exactly, and no value.
    """
    from copstats.disclose.audit import audit_values

    other = [one for one in settled if one.outcome != "carried"]
    PROGRESS.info("Auditing release %s: %d waves that are new", label, len(other))
    content = vintages.contents(gate.home, other)
    earlier = list(_published_before(gate.home, other))
    found = audit_values(content.values, content.attacker, gate.framework, gate.profile, earlier=earlier)
    if not found.passed:
        gate.home.audit.append("release.refused", label, findings=len(found.findings))
        cell = str(found.findings[0].cell)
        raise ConfidentialityError("C104", where=label, count=len(found.findings), cell=cell)


def _published_before(home: Home, settled: Iterable[Settled]) -> Iterable[Earlier]:
    """Yield the vintages of the waves that were published and that the release does not carry."""
    from copstats.disclose.audit import Published as Earlier

    for one in settled:
        for vintage in home.ledger.all_published(one.wave):
            if vintage.number != one.number and vintage.kept:
                content = home.ledger.content(one.wave, vintage.number)
                yield Earlier(f"{one.wave} {vintage.number}", content.values, content.attacker)
