"""Decisions of several persons: reviewers on submissions, operators on releases.

A submission is accepted once as many reviewers as ``approvals`` in the home's settings have approved exactly
this content; one who declines, with a reason, is enough. Nobody counts twice, by another token neither, and
nobody decides on what they sent. Of a release the approval is recorded here; who publishes it looks for it.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from copstats.errors import PortalError, UsageError
from copstats.steps.registration import take_decision
from copstats.steps.uploads import expire_uploads
from copstats.store.home import Home
from copstats.store.portal import PortalRegistry, Role, Token
from copstats.store.portal_review import Approval, ApprovalRegistry, Verdict, checked_reason
from copstats.store.portal_uploads import UploadRegistry
from copstats.store.rows import State, Submission


@dataclass(frozen=True)
class Approved:
    """Where a submission stands with those who decide on it.

    Attributes:
        submission: as it is now.
        approvals: those that count, one a person, the oldest first.
        needed: how many accept it.
    """

    submission: Submission
    approvals: Sequence[Approval]
    needed: int

    @property
    def missing(self) -> int:
        """How many more approvals it waits for; 0 once it waits for none."""
        waits = self.submission.state == State.WAITING
        return max(0, self.needed - len(self.approvals)) if waits else 0

    def by(self, holder: str) -> bool:
        """Whether this person has approved it."""
        return any(_same_person(one.holder, holder) for one in self.approvals)


def approvals_of(home: Home, submission: Submission) -> Approved:
    """Return who has approved a submission, and how many it takes."""
    said = ApprovalRegistry(home.registry.database).approvals(submission.id, submission.content_hash)
    persons: dict[str, Approval] = {}
    for one in said:
        if one.verdict == "approved":
            persons.setdefault(_person(one.holder), one)
    return Approved(submission, tuple(persons.values()), home.config.portal.approvals)


def approve(
    home_path: Path, submission_id: str, token_id: str, *, now: dt.datetime | None = None
) -> Approved:
    """Approve a submission that waits; with the last approval that it takes, it is accepted.

    Args:
        home_path: the home folder.
        submission_id: which one.
        token_id: of the reviewer.
        now: the present moment; for tests.

    Raises:
        PortalError: P112 not a reviewer's token; P304 they sent it; P305 they have approved it, and it waits
            for others.
        UsageError: U009 no such submission; U010 it does not wait; U011 a newer version is accepted.
    """
    moment = now or dt.datetime.now(dt.UTC)
    home = Home.open(home_path)
    with home.lock(wait=60):
        expire_uploads(home)
        by = _holder(home, token_id, "reviewer", moment)
        before = approvals_of(home, _to_decide(home, submission_id, by))
        if not before.by(by.holder):
            home.audit.append("submission.approved", submission_id, token=by.id)
            said = _said(submission_id, before.submission.content_hash, by, at=moment)
            ApprovalRegistry(home.registry.database).enter(said)
        elif before.missing:
            raise PortalError("P305", status=409, where=submission_id)
        after = approvals_of(home, before.submission)
        if after.missing:
            return after
        who = ", ".join(one.holder for one in after.approvals)
        accepted = take_decision(home, submission_id, State.ACCEPTED, who=who, reason="")
        return Approved(accepted, after.approvals, after.needed)


def decline(
    home_path: Path, submission_id: str, token_id: str, *, reason: str, now: dt.datetime | None = None
) -> Approved:
    """Decline a submission that waits: one reviewer is enough, also one who approved it before.

    Raises:
        PortalError: P112 not a reviewer's token; P301 no reason, or a very long one; P304 they sent it.
        UsageError: U009 no such submission; U010 it does not wait.
    """
    said, moment = checked_reason(reason), now or dt.datetime.now(dt.UTC)
    home = Home.open(home_path)
    with home.lock(wait=60):
        expire_uploads(home)
        by = _holder(home, token_id, "reviewer", moment)
        submission = _to_decide(home, submission_id, by)
        home.audit.append("submission.opposed", submission_id, token=by.id)
        opposed = _said(
            submission_id, submission.content_hash, by, at=moment, verdict="declined", reason=said
        )
        ApprovalRegistry(home.registry.database).enter(opposed)
        declined = take_decision(home, submission_id, State.DECLINED, who=by.holder, reason=said)
        return approvals_of(home, declined)


def approve_release(
    home_path: Path,
    label: str,
    token_id: str,
    *,
    manifest: str,
    now: dt.datetime | None = None,
) -> None:
    """Record that a prepared release may be published; doing so again changes nothing.

    It takes no lock and builds nothing: the portal's worker publishes it, the calendar, or ``copstats
    release``. They build in first what has come since, for example an objection; if that changes it, this
    approval is of other content and does not count.

    Args:
        home_path: the home folder.
        label: for example ``2026-Q4``.
        token_id: of the operator.
        manifest: SHA-256 of the manifest of what they looked at.
        now: the present moment; for tests.

    Raises:
        ReleaseError: R094, none of this label is prepared.
        PortalError: P112 not an operator's token; P307 it was prepared anew since.
    """
    moment = now or dt.datetime.now(dt.UTC)
    home = Home.open(home_path)
    by = _holder(home, token_id, "operator", moment)
    if home.prepared.get(label).manifest != manifest:
        raise PortalError("P307", status=409, where=label)
    approvals = ApprovalRegistry(home.registry.database)
    if not any(one.token_id == by.id for one in approvals.approvals(label, manifest)):
        home.audit.append("release.approved", label, token=by.id)
        approvals.enter(_said(label, manifest, by, at=moment))


def _holder(home: Home, token_id: str, role: Role, moment: dt.datetime) -> Token:
    """Return what is known of a valid token of this role."""
    tokens = PortalRegistry(home.registry.database).tokens()
    by = next((one for one in tokens if one.id == token_id), None)
    if by is None or by.role != role or not by.valid(moment):
        raise PortalError("P112", status=403)
    return by


def _to_decide(home: Home, submission_id: str, by: Token) -> Submission:
    """Return a submission that waits, unless this person sent it."""
    submission = home.registry.get(submission_id)
    if submission.state != State.WAITING:
        raise UsageError("U010", where=submission_id, state=submission.state)
    holders = {token.id: token.holder for token in PortalRegistry(home.registry.database).tokens()}
    sent = [
        one.token_id
        for one in UploadRegistry(home.registry.database).uploads(submission.ref_area)
        if one.submission_id == submission_id
    ]
    if any(id_ == by.id or _same_person(holders[id_], by.holder) for id_ in sent):
        raise PortalError("P304", status=403, where=submission_id)
    return submission


def _said(
    subject: str,
    content_hash: str,
    by: Token,
    *,
    at: dt.datetime,
    verdict: Verdict = "approved",
    reason: str = "",
) -> Approval:
    return Approval(
        subject=subject,
        content_hash=content_hash,
        token_id=by.id,
        holder=by.holder,
        verdict=verdict,
        reason=reason,
        at=at,
    )


def _same_person(one: str, other: str) -> bool:
    return _person(one) == _person(other)


def _person(holder: str) -> str:
    """Return a name without differences of writing: letters' case, blanks, forms of the same sign."""
    return " ".join(unicodedata.normalize("NFKC", holder).casefold().split())
