"""DISSEMINATE: what the disclosure gate lets through becomes an immutable, signed release."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import structs

from copstats import vintages
from copstats.errors import ReleaseError, UsageError
from copstats.framework import load_framework
from copstats.official import official_submissions, publishable
from copstats.steps.common import (
    PROGRESS,
    as_identifier,
    estimates_fingerprint,
    fingerprint,
    sha256,
    year_of,
)
from copstats.steps.gate import Gate, refuse_unsafe
from copstats.steps.notices import tell
from copstats.steps.received import received_submissions
from copstats.steps.review import new_official, new_values, objected_of, objections, open_reviews
from copstats.steps.standing import standing_of
from copstats.steps.uploads import expire_uploads
from copstats.store.home import Home
from copstats.store.prepared import Prepared
from copstats.store.rows import Submission
from copstats.vintages import Settled

if TYPE_CHECKING:
    import pyarrow as pa

    from copstats.disseminate.official import OfficialTables
    from copstats.disseminate.release import SourceRecord
    from copstats.framework.denominators import Denominators


PublicationState = Literal["published", "unchanged", "in_review", "to_be_approved", "embargoed"]


@dataclass(frozen=True)
class Published:
    """Outcome of a publication.

    Attributes:
        label: of the release.
        folder: where it stands.
        state: ``published``; ``unchanged``, this release with the same inputs was there before; or what it is
            prepared and waits for: ``in_review`` countries may still answer, ``embargoed`` its hour,
            ``to_be_approved`` a person.
        settled: which vintage of each wave it carries; empty if nothing was built.
        waits_for: areas that may still answer, while it is in review.
        until: when the last of them has to answer, or the embargo ends.
    """

    label: str
    folder: Path
    state: PublicationState
    settled: tuple[Settled, ...] = ()
    waits_for: tuple[str, ...] = ()
    until: dt.datetime | None = None


def publish(
    home_path: Path,
    label: str,
    *,
    by: str,
    not_before: dt.datetime | None = None,
    now: dt.datetime | None = None,
) -> Published:
    """Pass the estimates of all accepted waves through the disclosure gate and publish a release.

    The release is built, audited and signed aside; it is put in its place by one rename once somebody has
    approved it, every country has seen its new and revised values and answered or let its time pass, and its
    hour has come. Until then it stays prepared; the same call again goes on from there, and builds anew only
    if an input changed.

    Figures of a wave that were published are carried forward; others take their place only if no child can be
    told from the difference. Before the release is prepared the whole of it is audited.

    Args:
        home_path: the home folder.
        label: names the quarter, for example ``2026-Q4``.
        by: who approves it; empty: nobody yet.
        not_before: end of the embargo, with its time zone; None: that which was given before, or none.
        now: the present moment; for tests.

    Raises:
        UsageError: no wave is accepted (U107); the label names no quarter (U106); a wave has no estimates by
            the present framework and code (U018).
        ReleaseError: the label is taken by a release of other inputs (R090).
        ConfidentialityError: C104, the audit found that the release gives away what it withholds.
    """
    from copstats.disseminate.release import read_manifest

    home = Home.open(home_path)
    year_of(label)
    moment = now or dt.datetime.now(dt.UTC)
    with home.lock(wait=60):
        expire_uploads(home)
        waves = home.registry.current_waves()
        if not waves:
            raise UsageError("U107")
        made_from = _made_from(home, waves, label)
        if label in home.releases.labels():
            folder = home.releases.folder(label)
            if read_manifest(folder).fingerprint == made_from:
                home.registry.record_release(label, made_from, sha256(folder / "MANIFEST.json"))
                PROGRESS.info("Release %s: unchanged", label)
                return Published(label, folder, "unchanged")
            raise ReleaseError("R090", label=label)
        settled = _prepare(home, waves, label, made_from, moment)
        if by:
            home.prepared.approve(label, by=by, not_before=not_before)
            home.audit.append("release.approved", label, by=as_identifier(by))
        published = replace(_publish_if_due(home, label, moment), settled=settled)
    if settled:
        tell(home_path, "release.prepared", label)
    return published


def publish_if_due(home_path: Path, label: str, *, now: dt.datetime | None = None) -> Published:
    """Publish a prepared release if nothing stands in the way; else say what it waits for.

    Where an input has changed since, above all what a country objects to, it is built anew first, and has to
    be approved again.

    Raises:
        ReleaseError: R094, none of this label is prepared.
        UsageError: U018, a wave has no estimates by the present framework and code.
    """
    Home.open(home_path).prepared.get(label)
    return publish(home_path, label, by="", now=now)


def _publish_if_due(home: Home, label: str, moment: dt.datetime) -> Published:
    folder, prepared = home.prepared.folder(label), home.prepared.get(label)
    found = standing_of(home, prepared, moment)
    if found.open_reviews:
        areas = tuple(sorted({one.ref_area for one in found.open_reviews}))
        PROGRESS.info("Release %s: prepared; in review", label)
        return Published(label, folder, "in_review", waits_for=areas, until=found.until)
    if found.to_be_approved:
        PROGRESS.info("Release %s: prepared; to be approved", label)
        return Published(label, folder, "to_be_approved")
    if found.embargoed:
        PROGRESS.info("Release %s: prepared; under embargo", label)
        return Published(label, folder, "embargoed", until=prepared.not_before)
    place = home.prepared.publish(label)
    home.ledger.confirm(label, prepared.vintages)
    home.registry.record_release(label, prepared.fingerprint, prepared.manifest)
    PROGRESS.info("Release %s: published", label)
    return Published(label, place, "published")


def _prepare(
    home: Home, waves: Sequence[Submission], label: str, made_from: str, moment: dt.datetime
) -> tuple[Settled, ...]:
    """Build the release aside, unless it is there already; have the countries look at what is new."""
    from copstats.disclose.objections import without_objected

    year = year_of(label)
    # What the published release leaves out of its fingerprint: withdrawals change no figure.
    current = fingerprint(made_from, *(estimates_fingerprint(home, wave, year) for wave in waves))
    prepared = home.prepared.find(label)
    if prepared is not None and prepared.made_from == current and home.prepared.is_whole(prepared):
        return ()
    gate = Gate.of(home, waves, year)
    settled = tuple(gate.settled(wave, number) for number, wave in enumerate(waves, start=1))
    behind = {one.wave: one.submission_id for one in settled}
    behind |= {one.wave: one.id for one in official_submissions(home)}
    objected = objected_of(home, behind)
    values = without_objected(vintages.contents(home, settled).values, objected, gate.profile)
    official = publishable(home, gate.framework, gate.profile, _denominators(home), objected)
    refuse_unsafe(gate, label, settled)
    manifest = _build(gate, label, made_from, settled, values=values, official=official)
    prepared = Prepared(
        label=label,
        made_from=current,
        fingerprint=made_from,
        manifest=manifest,
        vintages=vintages.vintages_of(settled),
        new=new_values(home, settled) | new_official(home, official.said),
        not_before=None if prepared is None else prepared.not_before,
    )
    open_reviews(home, prepared, behind, moment)
    home.prepared.note(prepared)
    PROGRESS.info("Release %s: prepared", label)
    return settled


def _made_from(home: Home, waves: Sequence[Submission], label: str) -> str:
    framework = load_framework(waves[-1].framework)
    made_from = (*waves, *official_submissions(home))
    inputs = (f"{one.id}={one.content_hash}={one.framework_fingerprint}" for one in made_from)
    beside = (sha256(path) if path.is_file() else "" for path in (home.denominators, home.own_areas))
    objected = (f"{one.wave}={one.indicators}" for one in objections(home))
    previous = _previous(home, label)
    return fingerprint(
        framework.fingerprint,
        label,
        *home.config.of_releases(),
        *beside,
        *objected,
        sha256(previous / "MANIFEST.json") if previous else "",
        *inputs,
    )


def _previous(home: Home, label: str) -> Path | None:
    """Return the folder of the release before this one; revisions are told against it."""
    earlier = [other for other in home.releases.labels() if other < label]
    return home.releases.folder(earlier[-1]) if earlier else None


def _build(
    gate: Gate,
    label: str,
    made_from: str,
    settled: Sequence[Settled],
    *,
    values: pa.Table,
    official: OfficialTables,
) -> str:
    """Build and sign a release in the folder of the prepared ones; return the hash of its manifest."""
    from copstats.disseminate.anchor import write_anchor
    from copstats.disseminate.published import Publisher
    from copstats.disseminate.release import build_release

    home, carried = gate.home, vintages.vintages_of(settled)
    between = gate.differences(settled)
    with home.prepared.staging(label) as draft:
        PROGRESS.info("Writing release %s: %s cells", label, f"{values.num_rows:,}")
        build_release(
            draft.folder,
            label=label,
            values=values,
            framework=gate.framework,
            areas=home.areas,
            sources=[_source(home, one.submission_id) for one in settled if one.number is not None],
            fingerprint=made_from,
            signing_key=home.keys.signing_key(),
            disclosure_profile=home.config.disclosure_profile or None,
            raised=gate.raised,
            round_pairs=between.round_pairs,
            group_errors=between.group_errors,
            denominators=_denominators(home),
            official=official,
            previous=_previous(home, label),
            calendar=home.config.calendar,
            publisher=Publisher(**structs.asdict(home.config.publisher)),
            forms=home.config.release_forms,
            received=received_submissions(home),
        )
        manifest = sha256(draft.folder / "MANIFEST.json")
        head = home.audit.append("release.signed", label, manifest=manifest, cells=values.num_rows)
        write_anchor(draft.folder, label, manifest, head, home.keys.signing_key())
        home.ledger.prepare(label, carried)
        draft.publish()
    return manifest


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
