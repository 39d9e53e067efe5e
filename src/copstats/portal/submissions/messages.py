"""REST interface: messages between a country and the receiving side."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from copstats.errors import PortalError
from copstats.portal.context import Portal, PortalOf, not_found
from copstats.portal.security.identity import Identity, require
from copstats.portal.security.record import record
from copstats.portal.submissions.status import found_for
from copstats.store.portal_messages import LONGEST, Message, MessageRegistry

router = APIRouter(tags=["messages"])
Correspondent = Annotated[Identity, Depends(require("provider", "reviewer", "operator"))]
Area = Annotated[
    str | None, Query(pattern="^[A-Z]{3}$", description="ISO 3166-1 alpha-3; a country's own if left out.")
]


class Written(BaseModel):
    """What is to be said; without data of persons and values of records."""

    text: str = Field(min_length=1, max_length=LONGEST)


class Said(BaseModel):
    """A message."""

    number: int
    area: str
    submission: str | None = Field(description="Which it is about; null for a general one.")
    from_area: bool = Field(description="Whether the country sent it.")
    holder: str
    text: str
    at: dt.datetime
    read_at: dt.datetime | None = Field(description="When a page showed it to the other side first.")


class Thread(BaseModel):
    """Messages, the oldest first."""

    messages: list[Said]


@router.get("/api/messages")
def messages(portal: PortalOf, identity: Correspondent, area: Area = None) -> Thread:
    """List all messages of a country."""
    return _thread(portal, _area(portal, identity, area), None)


@router.post("/api/messages", status_code=201)
def write(
    request: Request, written: Written, portal: PortalOf, identity: Correspondent, area: Area = None
) -> Said:
    """Write a message that is about no submission."""
    return _said(send(request, portal, identity, _area(portal, identity, area), written.text, None))


@router.get("/api/submissions/{submission_id}/messages")
def messages_about(submission_id: str, portal: PortalOf, identity: Correspondent) -> Thread:
    """List the messages about a submission."""
    area, id_ = _about(portal, identity, submission_id)
    return _thread(portal, area, id_)


@router.post("/api/submissions/{submission_id}/messages", status_code=201)
def write_about(
    request: Request, submission_id: str, written: Written, portal: PortalOf, identity: Correspondent
) -> Said:
    """Write a message about a submission."""
    area, id_ = _about(portal, identity, submission_id)
    return _said(send(request, portal, identity, area, written.text, id_))


def send(  # noqa: PLR0917 - what a message is made of
    request: Request, portal: Portal, identity: Identity, area: str, text: str, submission_id: str | None
) -> Message:
    """Keep a message of whoever asks and enter it in the audit log, without its text.

    Raises:
        PortalError: P322 (422), it is empty or too long.
    """
    registry = MessageRegistry(portal.home.registry.database)
    number = registry.send(
        area,
        text,
        submission_id=submission_id,
        from_area=identity.area is not None,
        token_id=identity.token_id,
        holder=identity.holder,
        now=portal.now(),
    )
    record(portal, "portal.message", submission_id or area, request, token=identity.token_id, number=number)
    return next(one for one in registry.messages(area, submission_id) if one.number == number)


def _about(portal: Portal, identity: Identity, id_: str) -> tuple[str, str]:
    found = found_for(portal, identity, id_)
    if found.submission is None:
        raise not_found()
    return found.area, found.submission.id


def _area(portal: Portal, identity: Identity, area: str | None) -> str:
    """Return the area that is meant: a country's own, or the one that staff name."""
    chosen = area or identity.area
    if chosen is None:
        raise PortalError("P125", status=422)
    identity.check_area(chosen)
    if chosen not in portal.home.areas:
        raise not_found()
    return chosen


def _thread(portal: Portal, area: str, submission_id: str | None) -> Thread:
    found = MessageRegistry(portal.home.registry.database).messages(area, submission_id)
    return Thread(messages=[_said(one) for one in found])


def _said(one: Message) -> Said:
    return Said(
        number=one.number,
        area=one.area,
        submission=one.submission_id,
        from_area=one.from_area,
        holder=one.holder,
        text=one.text,
        at=one.at,
        read_at=one.read_at,
    )
