"""REST interface: reviewers approve or decline what waits."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from copstats.portal.context import PortalOf, not_found
from copstats.portal.security.identity import Identity, require
from copstats.portal.submissions.status import found_for
from copstats.steps import approval
from copstats.store.portal_review import LONGEST
from copstats.store.rows import Submission

router = APIRouter(tags=["submissions"])
Reviewer = Annotated[Identity, Depends(require("reviewer"))]
Staff = Annotated[Identity, Depends(require("reviewer", "operator"))]


class Decided(BaseModel):
    """What a reviewer says."""

    decision: Literal["approve", "decline"]
    reason: str = Field("", max_length=LONGEST, description="Why it is declined; the country reads it.")


class Approver(BaseModel):
    """Somebody who approved."""

    holder: str
    at: dt.datetime


class Standing(BaseModel):
    """Where a submission stands with those who decide on it."""

    id: str
    state: str
    approvals: list[Approver]
    needed: int = Field(description="Approvals of different persons that accept it.")
    missing: int = Field(description="How many it still waits for.")


@router.get("/api/submissions/{submission_id}/decision")
def standing(submission_id: str, portal: PortalOf, identity: Staff) -> Standing:
    """Tell who has approved a submission and how many more it takes."""
    submission = _submission(found_for(portal, identity, submission_id).submission)
    return _standing(approval.approvals_of(portal.home, submission))


@router.post("/api/submissions/{submission_id}/decision")
def decide(submission_id: str, decided: Decided, portal: PortalOf, identity: Reviewer) -> Standing:
    """Approve or decline a submission; the last approval that it takes accepts it, one decline is enough."""
    submission = _submission(found_for(portal, identity, submission_id).submission)
    home, by = portal.home.path, identity.token_id
    if decided.decision == "approve":
        return _standing(approval.approve(home, submission.id, by, now=portal.now()))
    return _standing(approval.decline(home, submission.id, by, reason=decided.reason, now=portal.now()))


def _submission(found: Submission | None) -> Submission:
    if found is None:
        raise not_found()
    return found


def _standing(found: approval.Approved) -> Standing:
    return Standing(
        id=found.submission.id,
        state=str(found.submission.state),
        approvals=[Approver(holder=one.holder, at=one.at) for one in found.approvals],
        needed=found.needed,
        missing=found.missing,
    )
