"""What the receiving side does with a checked submission, raw or sealed: seals it as a wave, registers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from copstats.checking import AtHand, Checked
from copstats.errors import SubmissionError
from copstats.framework.manifest import SurveyManifest
from copstats.steps.common import PROGRESS
from copstats.steps.findings import keep_findings
from copstats.steps.uploads import destroy_uploads
from copstats.store.home import Home
from copstats.store.rows import FindingCount, NewSubmission, Provenance, State, Submission

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Ingested:
    """Outcome of taking in a submission.

    Attributes:
        submission: the registered submission.
        changed: False if exactly this content was registered before.
        checked: the check; None if nothing was changed.
    """

    submission: Submission
    changed: bool
    checked: Checked | None

    @property
    def state(self) -> str:
        """The submission's state, with ``, unchanged`` behind it if nothing was done."""
        state = str(self.submission.state)
        return state if self.changed else f"{state}, unchanged"


def at_hand(home: Home, manifest: SurveyManifest) -> AtHand:
    """Return what the home holds to compare a submission with."""
    from copstats.process.summary import read_summary

    same_survey = [
        submission.id
        for submission in home.registry.submissions()
        if (submission.ref_area, submission.survey) == (manifest.ref_area, manifest.survey)
        and submission.state in (State.ACCEPTED, State.SUPERSEDED)
    ]
    kept = ((id_, home.registry.check_summary(id_)) for id_ in same_survey)
    labels = home.releases.labels()
    return AtHand(
        summaries=tuple(read_summary(content.encode(), id_) for id_, content in kept if content),
        population=home.population if home.population.is_file() else None,
        release=home.releases.folder(labels[-1]) if labels else None,
        external=home.external if home.external.is_file() else None,
    )


def refuse_older(home: Home, manifest: SurveyManifest) -> None:
    """Refuse a version of a wave of which a newer one is kept: data are never replaced by older ones.

    Raises:
        SubmissionError: S317, names the newer version.
    """
    if newer := home.registry.newer_version(manifest.wave, manifest.version):
        raise SubmissionError("S317", where=manifest.submission_id, newer=newer)


def refuse_other_pseudonyms(home: Home, wave: str, custody: str, key_id: str) -> None:
    """Refuse records whose pseudonyms were made otherwise than those under which children were withdrawn.

    Args:
        home: open and locked.
        wave: for example ``KEN_2026_COPS``.
        custody: of the new records, see `copstats.store.rows.Provenance`.
        key_id: name of the root under which their pseudonyms were made.

    Raises:
        SubmissionError: S318.
    """
    if not home.tombstones.count(wave):
        return
    kept = [home.registry.provenance(one.id) for one in home.registry.submissions() if one.wave == wave]
    if any(one is not None and (one.custody, one.key_id) != (custody, key_id) for one in kept):
        raise SubmissionError("S318", where=wave)


def register(
    home: Home, checked: Checked, tables: Mapping[str, pa.Table], provenance: Provenance
) -> Submission:
    """Seal the records as a wave and register the submission, or register it as rejected.

    Args:
        home: open and locked.
        checked: what came of the check.
        tables: record kind -> framework columns, pseudonymised; empty if it is rejected.
        provenance: how they were protected on their way.
    """
    delivery, result = checked.delivery, checked.result
    new = NewSubmission.of_survey(
        delivery.manifest,
        delivery.crosswalk,
        framework_fingerprint=checked.framework.fingerprint,
        content_hash=delivery.content_hash,
        variables={record: table.column_names for record, table in tables.items()},
        records={record: rows for record, (_, rows) in result.files.items()},
    )
    summary = checked.summary.as_bytes().decode()
    counts = [
        FindingCount(outcome.rule.id, outcome.rule.severity, outcome.count)
        for outcome in result.outcomes
        if outcome.count
    ]
    keep_findings(home, new.id, checked, places=provenance.custody == "single")
    if not tables:
        errors = result.severities["error"]
        home.audit.append("submission.rejected", new.id, errors=errors)
        PROGRESS.info("%s: rejected, %s errors", new.id, f"{errors:,}")
        return home.registry.register(new, State.REJECTED, counts, summary=summary, provenance=provenance)
    home.waves.write(new.id, new.ref_area, _without_withdrawn(home, new.wave, tables), replace=True)
    home.audit.append(
        "submission.sealed", new.id, records=sum(new.records.values()), custody=provenance.custody
    )
    registered = decided_by_settings(
        home, home.registry.register(new, State.WAITING, counts, summary=summary, provenance=provenance)
    )
    PROGRESS.info("%s: sealed, %s", new.id, registered.state)
    return registered


def decided_by_settings(home: Home, submission: Submission) -> Submission:
    """Accept a submission that waits if the settings say so, also where a kill prevented that before."""
    provenance = home.registry.provenance(submission.id)
    by_itself = home.config.accept == "without_errors" and (
        provenance is None or provenance.agreement != "definitions"
    )
    if submission.state != State.WAITING or not by_itself:
        return submission
    return take_decision(home, submission.id, State.ACCEPTED, who="copstats.toml", reason="no error findings")


def _without_withdrawn(home: Home, wave: str, tables: Mapping[str, pa.Table]) -> Mapping[str, pa.Table]:
    """Leave out the children that were withdrawn from the wave: no version of it brings them back."""
    from copstats.process.withdrawal import without

    tokens = home.tombstones.tokens(wave)
    return without(tables, tokens) if tokens else tables


def take_decision(home: Home, submission_id: str, state: State, *, who: str, reason: str) -> Submission:
    """Accept or decline a submission that waits; the home is open and locked."""
    if home.registry.get(submission_id).state == State.WAITING:
        home.audit.append(f"submission.{state}", submission_id)
    decided = home.registry.decide(submission_id, state, who=who, reason=reason)
    if state == State.DECLINED and home.waves.exists(submission_id):
        # The country sends a corrected version; nobody needs this one any more.
        home.waves.destroy(submission_id)
        home.audit.append("wave.destroyed", submission_id, reason="declined")
    if state == State.DECLINED:
        home.warehouse.destroy(submission_id)
    destroy_uploads(home, submission_id, "accepted" if state == State.ACCEPTED else "declined")
    return decided
