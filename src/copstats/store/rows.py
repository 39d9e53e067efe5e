"""What the registry takes in and gives out: frozen, typed rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeVar

import msgspec

from copstats.framework.manifest import Crosswalk, SurveyManifest
from copstats.framework.official import AdministrativeManifest, OfficialManifest, PolicyManifest

T = TypeVar("T")


class State(StrEnum):
    """Where a submission stands."""

    REJECTED = "rejected"
    """Findings of severity error; nothing of it is kept but their counts and places. The same version may be
    sent again."""
    WAITING = "waiting"
    """Checked and sealed; a person has to decide."""
    ACCEPTED = "accepted"
    """The present version of its wave."""
    DECLINED = "declined"
    """A person said no."""
    SUPERSEDED = "superseded"
    """A newer version of the wave was accepted."""
    WITHDRAWN = "withdrawn"
    """The country took it back: its records and estimates are gone, and it is not taken in again."""


@dataclass(frozen=True, kw_only=True)
class NewSubmission:
    """A submission as it is registered.

    Attributes:
        id: after IHSN, for example ``KEN_2026_COPS_v01_M``.
        ref_area: ISO 3166-1 alpha-3.
        survey: acronym of the survey.
        reference_year: year that the values speak of.
        version: 1 for the first delivery of the wave.
        wave: the id without its version, for example ``KEN_2026_COPS``.
        kind: ``survey``, ``administrative`` or ``policy``.
        framework: version that it follows, for example ``cop-2026``.
        framework_fingerprint: hash of that framework's definitions at the time of the check.
        content_hash: SHA-256 over all files of the submission, hexadecimal.
        manifest: ``manifest.yaml``, as JSON values.
        crosswalk: ``crosswalk.yaml``, as JSON values; empty if there is none.
        variables: record kind -> framework variables present.
        records: record kind -> number of records.
    """

    id: str
    ref_area: str
    survey: str
    reference_year: int
    version: int
    wave: str
    kind: str
    framework: str
    framework_fingerprint: str
    content_hash: str
    manifest: Mapping[str, Any]
    crosswalk: Mapping[str, Any]
    variables: Mapping[str, Sequence[str]]
    records: Mapping[str, int]

    @classmethod
    def of_official(
        cls, manifest: OfficialManifest, *, framework_fingerprint: str, content_hash: str, records: int
    ) -> NewSubmission:
        """Build the row of administrative counts or policy answers."""
        return cls(
            id=manifest.submission_id,
            ref_area=manifest.ref_area,
            survey=manifest.collection,
            reference_year=manifest.reference_year,
            version=manifest.version,
            wave=manifest.wave,
            kind=manifest.kind,
            framework=manifest.framework,
            framework_fingerprint=framework_fingerprint,
            content_hash=content_hash,
            manifest=msgspec.to_builtins(manifest, str_keys=True),
            crosswalk={},
            variables={},
            records={manifest.kind: records},
        )

    @classmethod
    def of_survey(
        cls,
        manifest: SurveyManifest,
        crosswalk: Crosswalk | None,
        *,
        framework_fingerprint: str,
        content_hash: str,
        variables: Mapping[str, Sequence[str]],
        records: Mapping[str, int],
    ) -> NewSubmission:
        """Build the row of a survey from its manifest and crosswalk."""
        return cls(
            id=manifest.submission_id,
            ref_area=manifest.ref_area,
            survey=manifest.survey,
            reference_year=manifest.reference_year,
            version=manifest.version,
            wave=manifest.wave,
            kind=manifest.kind,
            framework=manifest.framework,
            framework_fingerprint=framework_fingerprint,
            content_hash=content_hash,
            manifest=without_file_names(manifest),
            crosswalk=msgspec.to_builtins(crosswalk, str_keys=True) if crosswalk else {},
            variables={record: sorted(names) for record, names in variables.items()},
            records=dict(records),
        )


@dataclass(frozen=True, kw_only=True)
class Submission(NewSubmission):
    """A registered submission.

    Attributes:
        state: where it stands.
        received_at: when it was registered (UTC).
        decided_at: when it got its present state; None while it waits.
    """

    state: State
    received_at: dt.datetime
    decided_at: dt.datetime | None

    @property
    def survey_manifest(self) -> SurveyManifest:
        """The manifest of a survey, typed."""
        return _typed(self.manifest, SurveyManifest)

    @property
    def official_manifest(self) -> OfficialManifest:
        """The manifest of administrative counts or policy answers, typed."""
        if self.kind == "administrative":
            return _typed(self.manifest, AdministrativeManifest)
        return _typed(self.manifest, PolicyManifest)

    @property
    def survey_crosswalk(self) -> Crosswalk | None:
        """The crosswalk of a survey, typed; None if it came without one."""
        return _typed(self.crosswalk, Crosswalk) if self.crosswalk else None


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """How the records of a submission were protected on their way, and by whom.

    Attributes:
        custody: ``double``: the office made the pseudonyms and the receiving side replaced them, so that
            neither alone can link; ``single``: the receiving side has seen the raw file and made them alone,
            which protects less.
        linkage: ``wave``, or ``panel`` where a child keeps her pseudonym between waves.
        key_id: name of the key that made the pseudonyms: the office's, or the home's own.
        signing_key: fingerprint of the key that signed the sealed file; empty for a raw one.
        agreement: whether the check of the records that arrived says what the office's check said:
            ``own`` there is no other check, ``agrees``, or ``definitions`` they were made by different
            definitions or code, so that a person has to decide.
        risk: bands of the disclosure risk of the file, see `copstats.process.file_risk.FileRisk.coarse`.
    """

    custody: Literal["single", "double"]
    linkage: Literal["wave", "panel"]
    key_id: str
    signing_key: str = ""
    agreement: Literal["own", "agrees", "definitions"] = "own"
    risk: dict[str, Any] = {}


@dataclass(frozen=True)
class FindingCount:
    """How often a rule was broken.

    Attributes:
        rule: the rule's id.
        severity: as the rule book says.
        count: number of records or places.
    """

    rule: str
    severity: str
    count: int


@dataclass(frozen=True)
class Decision:
    """A change of a submission's state, by whom and why."""

    submission_id: str
    state: State
    who: str
    reason: str
    at: dt.datetime


@dataclass(frozen=True)
class EstimateRun:
    """An estimation of a submission; ``fingerprint`` names framework, code and wave."""

    submission_id: str
    fingerprint: str
    at: dt.datetime


Answer = Literal["waiting", "confirmed", "objected"]


@dataclass(frozen=True, kw_only=True)
class Review:
    """What a country says of new or revised values, counts or answers of its before they are published.

    Attributes:
        wave: of a survey, for example ``KEN_2026_COPS``, or of counts or answers, ``KEN_2026_HELPLINE``.
        values_hash: SHA-256 of the values; others ask for another review.
        label: of the release that the values were first prepared for.
        submission_id: the version of the wave behind the values.
        ref_area: ISO 3166-1 alpha-3.
        opened_at: when the country could see them.
        closes_at: when its time is over; silence is no objection.
        answer: ``waiting``, ``confirmed`` or ``objected``.
        indicators: of a survey that it objects to; none named: all.
        who: answered.
        reason: of an objection, in words; without data of persons.
        answered_at: when it answered.
    """

    wave: str
    values_hash: str
    label: str
    submission_id: str
    ref_area: str
    opened_at: dt.datetime
    closes_at: dt.datetime
    answer: Answer = "waiting"
    indicators: tuple[str, ...] = ()
    who: str = ""
    reason: str = ""
    answered_at: dt.datetime | None = None

    def open_at(self, moment: dt.datetime) -> bool:
        """Whether the country may still answer and has not."""
        return self.answer == "waiting" and moment < self.closes_at


@dataclass(frozen=True)
class Release:
    """A published release; ``fingerprint`` names what it was computed from."""

    label: str
    fingerprint: str
    manifest_sha256: str
    at: dt.datetime


def without_file_names(manifest: SurveyManifest) -> dict[str, Any]:
    """Return the manifest without names of data files and sheets, which may name a person or a school."""
    said: dict[str, Any] = msgspec.to_builtins(manifest, str_keys=True)
    held = {kind: file for kind, file in said["files"].items() if file is not None}
    said["files"] = {kind: {"path": f"{kind}.parquet"} for kind in held}
    return said


def _typed(data: Mapping[str, Any], kind: type[T]) -> T:
    return msgspec.convert(data, kind, str_keys=True)
