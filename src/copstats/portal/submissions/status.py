"""REST interface: what became of what a country sent."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from copstats.portal.context import Portal, PortalOf, not_found
from copstats.portal.security.identity import Identity, require
from copstats.portal.uploads.service import uploads_of
from copstats.portal.uploads.shapes import UploadStatus, status_of
from copstats.store.portal_uploads import PortalUpload
from copstats.store.rows import Submission

router = APIRouter(tags=["submissions"])
Reader = Annotated[Identity, Depends(require("provider", "reviewer", "operator"))]


class Registered(BaseModel):
    """A submission that was taken in."""

    id: str
    area: str
    survey: str
    reference_year: int
    version: int
    kind: str
    state: str = Field(description="rejected, waiting, accepted, declined, superseded or withdrawn")
    received_at: dt.datetime
    decided_at: dt.datetime | None
    records: dict[str, int] = Field(description="Records by kind.")
    findings: dict[str, int] = Field(description="Findings by severity.")


class Story(BaseModel):
    """Something that was sent, from its first byte to the decision."""

    id: str = Field(description="Of the submission; of the upload as long as there is none.")
    area: str
    state: str = Field(description="That of the submission; that of the upload as long as there is none.")
    upload: UploadStatus | None = Field(description="None if it did not come through the portal.")
    submission: Registered | None


class Stories(BaseModel):
    """What was sent, the newest first."""

    submissions: list[Story]


@dataclass(frozen=True)
class Found:
    """An upload, a submission, or an upload and what it was taken in as."""

    upload: PortalUpload | None
    submission: Submission | None

    @property
    def area(self) -> str:
        """ISO 3166-1 alpha-3; empty if nothing was found."""
        if self.submission is not None:
            return self.submission.ref_area
        return self.upload.area if self.upload is not None else ""


def found_for(portal: Portal, identity: Identity, id_: str) -> Found:
    """Return what goes by the id of an upload or a submission, if somebody may see it.

    Raises:
        PortalError: P110 (404), nothing does, or it is another country's.
    """
    registry, uploads = portal.home.registry, uploads_of(portal)
    submission = registry.find(id_)
    upload = uploads.of_submission(id_) if submission is not None else uploads.find(id_)
    if submission is None and upload is not None and upload.submission_id is not None:
        submission = registry.find(upload.submission_id)
    found = Found(upload, submission)
    if not found.area:
        raise not_found()
    identity.check_area(found.area)
    return found


def story_of(portal: Portal, found: Found) -> Story:
    """Return what became of something that was sent."""
    upload = None if found.upload is None else status_of(portal, found.upload)
    submission = None if found.submission is None else _registered(portal, found.submission)
    told = submission or upload
    assert told is not None  # noqa: S101 - `found_for` returns no other
    return Story(id=told.id, area=found.area, state=told.state, upload=upload, submission=submission)


@router.get("/api/submissions")
def stories(
    portal: PortalOf,
    identity: Reader,
    area: Annotated[str | None, Query(pattern="^[A-Z]{3}$", description="ISO 3166-1 alpha-3")] = None,
) -> Stories:
    """List what was sent: a country's own, or that of all or one for reviewers and operators."""
    if identity.area is not None:
        area = identity.area
    uploads = uploads_of(portal).uploads(area)
    latest = {one.submission_id: one for one in uploads if one.submission_id is not None}
    submissions = [one for one in portal.home.registry.submissions() if area in (None, one.ref_area)]
    found = [Found(latest.get(one.id), one) for one in submissions]
    found += [Found(one, None) for one in uploads if one.submission_id is None]
    return Stories(submissions=[story_of(portal, one) for one in sorted(found, key=_when, reverse=True)])


@router.get("/api/submissions/{submission_id}")
def story(submission_id: str, portal: PortalOf, identity: Reader) -> Story:
    """Tell what became of an upload or submission; both ids lead here."""
    return story_of(portal, found_for(portal, identity, submission_id))


def _registered(portal: Portal, submission: Submission) -> Registered:
    counts: Counter[str] = Counter()
    for one in portal.home.registry.findings(submission.id):
        counts[one.severity] += one.count
    return Registered(
        id=submission.id,
        area=submission.ref_area,
        survey=submission.survey,
        reference_year=submission.reference_year,
        version=submission.version,
        kind=submission.kind,
        state=str(submission.state),
        received_at=submission.received_at,
        decided_at=submission.decided_at,
        records=dict(submission.records),
        findings=dict(counts),
    )


def _when(found: Found) -> dt.datetime:
    if found.submission is not None:
        return found.submission.received_at
    return found.upload.created_at if found.upload is not None else dt.datetime.min.replace(tzinfo=dt.UTC)
