"""DISSEMINATE: what the disclosure gate lets through becomes an immutable, signed release."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from copstats import vintages
from copstats.errors import ConfidentialityError, UsageError
from copstats.framework import Framework, load_framework
from copstats.official import official_submissions, publishable
from copstats.steps.common import PROGRESS, estimates_fingerprint, fingerprint, sha256, year_of
from copstats.steps.uploads import expire_uploads
from copstats.store.home import Home
from copstats.store.rows import Submission
from copstats.vintages import Settled

if TYPE_CHECKING:
    import pyarrow as pa

    from copstats.differences import Differences
    from copstats.disclose import ConsentLevel, DisclosureProfile
    from copstats.disclose.audit import Published as Earlier
    from copstats.disseminate.release import SourceRecord
    from copstats.framework.denominators import Denominators
    from copstats.store.vintage import Content


@dataclass(frozen=True)
class Published:
    """Outcome of a publication.

    Attributes:
        label: of the release.
        folder: where it stands.
        changed: False if this release with the same inputs was there before.
        settled: which vintage of each wave it carries; empty if nothing was changed.
    """

    label: str
    folder: Path
    changed: bool
    settled: tuple[Settled, ...] = ()

    @property
    def state(self) -> str:
        """``published`` or ``unchanged``."""
        return "published" if self.changed else "unchanged"


def publish(home_path: Path, label: str) -> Published:
    """Pass the estimates of all accepted waves through the disclosure gate and publish a release.

    Figures of a wave that were published are carried forward; others take their place only if no child can be
    told from the difference. Before the release is put in its place the whole of it is audited.

    Args:
        home_path: the home folder.
        label: names the quarter, for example ``2026-Q4``.

    Raises:
        UsageError: no wave is accepted (U107); the label names no quarter (U106); a wave has no estimates by
            the present framework and code (U018).
        ReleaseError: the label is taken by a release of other inputs (R090).
        ConfidentialityError: C104, the audit found that the release gives away what it withholds.
    """
    from copstats.disseminate.release import read_manifest

    home = Home.open(home_path)
    year = year_of(label)
    with home.lock(wait=60):
        expire_uploads(home)
        waves = home.registry.current_waves()
        if not waves:
            raise UsageError("U107")
        made_from = _made_from(home, waves, label, year)
        if label in home.releases.labels():
            folder = home.releases.folder(label)
            if read_manifest(folder).fingerprint == made_from:
                home.registry.record_release(label, made_from, sha256(folder / "MANIFEST.json"))
                PROGRESS.info("Release %s: unchanged", label)
                return Published(label, folder, changed=False)
        gate = _Gate.of(home, waves, year)
        settled = [gate.settled(wave, number) for number, wave in enumerate(waves, start=1)]
        content = vintages.contents(home, settled)
        _refuse_unsafe(gate, label, settled, content)
        folder = _build(gate, label, made_from, settled, content)
    PROGRESS.info("Release %s: published", label)
    return Published(label, folder, changed=True, settled=tuple(settled))


def _made_from(home: Home, waves: Sequence[Submission], label: str, year: int) -> str:
    framework = load_framework(waves[-1].framework)
    made_from = (*waves, *official_submissions(home))
    inputs = (f"{one.id}={one.content_hash}={one.framework_fingerprint}" for one in made_from)
    profile = home.config.disclosure_profile
    persons = sha256(home.denominators) if home.denominators.is_file() else ""
    return fingerprint(framework.fingerprint, label, str(year), profile, persons, *inputs)


@dataclass(frozen=True)
class _Gate:
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
    def of(cls, home: Home, waves: Sequence[Submission], year: int) -> _Gate:
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
        made_from = fingerprint(
            estimates_fingerprint(self.home, wave, self.year), self.profile.version, consent
        )
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


def _refuse_unsafe(gate: _Gate, label: str, settled: Iterable[Settled], content: Content) -> None:
    """Audit the release before it exists, together with everything that was published of its waves.

    Raises:
        ConfidentialityError: C104; names the cell that is known most exactly, and no value.
    """
    from copstats.disclose.audit import audit_values

    PROGRESS.info("Auditing release %s", label)
    earlier = list(_published_before(gate.home, settled))
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


def _build(gate: _Gate, label: str, made_from: str, settled: Sequence[Settled], content: Content) -> Path:
    from copstats.disseminate.anchor import write_anchor
    from copstats.disseminate.release import build_release

    home, carried = gate.home, vintages.vintages_of(settled)
    between, persons = gate.differences(settled), _denominators(home)
    with home.releases.staging(label) as draft:
        PROGRESS.info("Writing release %s: %s cells", label, f"{content.values.num_rows:,}")
        build_release(
            draft.folder,
            label=label,
            values=content.values,
            framework=gate.framework,
            areas=home.areas,
            sources=[_source(home, one.submission_id) for one in settled if one.number is not None],
            fingerprint=made_from,
            signing_key=home.keys.signing_key(),
            disclosure_profile=home.config.disclosure_profile or None,
            raised=gate.raised,
            round_pairs=between.round_pairs,
            group_errors=between.group_errors,
            denominators=persons,
            official=publishable(home, gate.framework, gate.profile, persons),
        )
        manifest = sha256(draft.folder / "MANIFEST.json")
        head = home.audit.append("release.signed", label, manifest=manifest, cells=content.values.num_rows)
        write_anchor(draft.folder, label, manifest, head, home.keys.signing_key())
        home.ledger.prepare(label, carried)
        folder = draft.publish()
    home.ledger.confirm(label, carried)
    home.registry.record_release(label, made_from, manifest)
    return folder


def _denominators(home: Home) -> Denominators:
    from copstats.framework.denominators import no_denominators, read_denominators

    if not home.denominators.is_file():
        return no_denominators()
    return read_denominators(home.denominators, home.areas)


def _source(home: Home, submission_id: str) -> SourceRecord:
    from copstats.disseminate.release import SourceRecord

    submission = home.registry.get(submission_id)
    provenance = home.registry.provenance(submission_id)
    return SourceRecord.of(
        submission.survey_manifest,
        submission.content_hash,
        submission.records,
        custody="single" if provenance is None else provenance.custody,
    )
