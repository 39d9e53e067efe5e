"""What a country delivered: each upload with the submission that it became."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from copstats.portal.context import Portal, not_found
from copstats.portal.pages import SEVERITIES
from copstats.portal.security.identity import Identity
from copstats.portal.submissions.status import found_for
from copstats.portal.uploads.service import uploads_of
from copstats.store.portal_uploads import PortalUpload
from copstats.store.rows import Submission


@dataclass(frozen=True)
class Delivery:
    """An upload, a submission, or an upload and what it was taken in as.

    Attributes:
        id: of the submission; of the upload where there is none.
        state: of the submission; of the upload where there is none.
        at: when it came.
        upload: None for what came otherwise than through the portal.
        submission: None while, and if, an upload is not taken in.
        broken: severity -> number of rules broken; only those that are.
    """

    id: str
    state: str
    at: dt.datetime
    upload: PortalUpload | None
    submission: Submission | None
    broken: Mapping[str, int]


def deliveries(portal: Portal, area: str) -> list[Delivery]:
    """Return what a country delivered, the newest first."""
    uploads = uploads_of(portal).uploads(area)
    latest = {one.submission_id: one for one in uploads if one.submission_id is not None}
    mine = [one for one in portal.home.registry.submissions() if one.ref_area == area]
    found = [_of_submission(portal, one, latest.get(one.id)) for one in mine]
    found += [_of_upload(one) for one in uploads if one.submission_id is None]
    return sorted(found, key=lambda one: one.at, reverse=True)


def delivery(portal: Portal, identity: Identity, id_: str) -> Delivery:
    """Return what goes by the id of an upload or a submission.

    Raises:
        PortalError: P110 (404), nothing that this office may see does.
    """
    found = found_for(portal, identity, id_)
    if found.submission is not None:
        return _of_submission(portal, found.submission, found.upload)
    if found.upload is not None:
        return _of_upload(found.upload)
    raise not_found()


def submission_of(portal: Portal, identity: Identity, id_: str) -> Submission:
    """Return the submission of this id, or that an upload of this id was taken in as.

    Raises:
        PortalError: P110 (404), there is none that this office may see.
    """
    found = found_for(portal, identity, id_).submission
    if found is None:
        raise not_found()
    return found


def _of_submission(portal: Portal, submission: Submission, upload: PortalUpload | None) -> Delivery:
    counts = dict.fromkeys(SEVERITIES, 0)
    for one in portal.home.registry.findings(submission.id):
        counts[one.severity] += 1
    broken = {severity: count for severity, count in counts.items() if count}
    state, at = str(submission.state), submission.received_at
    return Delivery(submission.id, state, at, upload, submission, broken)


def _of_upload(upload: PortalUpload) -> Delivery:
    return Delivery(upload.id, upload.state, upload.completed_at or upload.created_at, upload, None, {})
