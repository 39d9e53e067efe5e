"""A delivery of a statistics office: where it stands, live; its course, versions, receipt and messages."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from copstats.language import N_, Translations
from copstats.portal.context import Portal, PortalOf, WordsOf
from copstats.portal.pages import render
from copstats.portal.provider.common import MESSAGE_SENT, Provider, area_of
from copstats.portal.provider.course import course, resending, sentence
from copstats.portal.provider.deliveries import Delivery, deliveries, delivery
from copstats.portal.uploads.service import offset_of
from copstats.steps.arriving import told_errors
from copstats.store.portal_messages import Message, MessageRegistry
from copstats.store.rows import Decision

router = APIRouter()
_RECORDS = {
    "child": N_("children"),
    "parent": N_("parents"),
    "administrative": N_("counts"),
    "policy": N_("answers"),
}
_READABLE = ("rejected", "waiting", "accepted", "declined", "superseded")


@dataclass(frozen=True)
class Action:
    """A link to what can be done with a delivery."""

    text: str
    path: str
    download: bool = False


@router.get("/submissions/{id_}")
def show(
    request: Request, id_: str, *, portal: PortalOf, words: WordsOf, identity: Provider, done: str = ""
) -> Response:
    """Show where an upload or a submission stands; the page follows it while it is under way."""
    area = area_of(identity)
    found = delivery(portal, identity, id_)
    steps = course(found, _decisions(portal, found), words)
    return render(
        request,
        "provider/submission.html.jinja",
        title=found.id,
        section="country",
        parents=[("country", words.text("Overview"))],
        scripts=["live.js"] if _under_way(found) else (),
        told=[words.text(MESSAGE_SENT)] if done == "message" else (),
        item=found,
        sentence=sentence(found.state, words),
        events=f"/api/submissions/{found.id}/events" if _under_way(found) else "",
        received=offset_of(portal, found.upload) if found.upload is not None else 0,
        errors=_errors(portal, found, words),
        steps=steps,
        actions=_actions(found, words),
        records=_records(found, words),
        versions=_versions(portal, area, found),
        resend=resending(found, words),
        thread=_thread(portal, area, found),
    )


def _under_way(found: Delivery) -> bool:
    return found.upload is not None and not found.upload.final


def _errors(portal: Portal, found: Delivery, words: Translations) -> list[dict[str, str]]:
    if found.upload is None or found.state != "refused":
        return []
    return told_errors(portal.home, found.upload, words)


def _decisions(portal: Portal, found: Delivery) -> list[Decision]:
    return portal.home.registry.decisions(found.submission.id) if found.submission is not None else []


def _actions(found: Delivery, words: Translations) -> list[Action]:
    here = f"/{words.language}/submissions/{found.id}"
    actions = []
    if found.submission is not None and found.state in _READABLE:
        actions.append(Action(words.text("See the findings"), f"{here}/findings"))
    if found.state in ("receiving", "refused"):
        actions.append(Action(words.text("Upload a file"), f"/{words.language}/upload"))
    if found.upload is not None and found.upload.completed_at is not None:
        actions.append(
            Action(words.text("Receipt"), f"/api/uploads/{found.upload.id}/receipt", download=True)
        )
    return actions


def _records(found: Delivery, words: Translations) -> list[tuple[str, int]]:
    held = found.submission.records if found.submission is not None else {}
    return [(words.text(_RECORDS[kind]), count) for kind, count in held.items()]


def _versions(portal: Portal, area: str, found: Delivery) -> list[Delivery]:
    """Return all versions of the same survey round, if there are others."""
    if found.submission is None:
        return []
    wave = found.submission.wave
    alike = [
        one for one in deliveries(portal, area) if one.submission is not None and one.submission.wave == wave
    ]
    return alike if len(alike) > 1 else []


def _thread(portal: Portal, area: str, found: Delivery) -> list[Message]:
    """Return the messages about a submission; from then on they count as read."""
    if found.submission is None:
        return []
    registry = MessageRegistry(portal.home.registry.database)
    messages = registry.messages(area, found.submission.id)
    if any(one.read_at is None and not one.from_area for one in messages):
        registry.mark_read(area, from_area=False, now=portal.now(), submission_id=found.submission.id)
    return messages
