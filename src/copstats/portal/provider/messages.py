"""Messages between a statistics office and the receiving side, about a submission or in general."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from copstats.errors import CopstatsError
from copstats.language import Translations
from copstats.portal.context import Portal, PortalOf, WordsOf
from copstats.portal.pages import render
from copstats.portal.provider.common import MESSAGE_SENT, Provider, area_of
from copstats.portal.provider.deliveries import deliveries, submission_of
from copstats.portal.security.answers import status_of
from copstats.portal.security.forms import read_form
from copstats.portal.security.identity import Identity
from copstats.portal.submissions.messages import send as sent
from copstats.store.portal_messages import Message, MessageRegistry

router = APIRouter()


@router.get("/messages")
def show(request: Request, portal: PortalOf, words: WordsOf, identity: Provider, done: str = "") -> Response:
    """Show all messages of the country; from then on they count as read."""
    told = [words.text(MESSAGE_SENT)] if done == "message" else []
    return _page(request, portal, words, area_of(identity), told=told)


@router.post("/messages")
async def send(request: Request, portal: PortalOf, words: WordsOf, identity: Provider) -> Response:
    """Send a message, about a submission or in general."""
    form, area = await read_form(request), area_of(identity)
    about, text = form.get("about", ""), form.get("text", "")
    try:
        await run_in_threadpool(keep, request, portal, identity, about, text)
    except CopstatsError as error:
        return await run_in_threadpool(_page, request, portal, words, area, problem=error, said=text)
    return RedirectResponse(f"/{words.language}/messages?done=message", 303)


@router.post("/submissions/{id_}/messages")
async def send_about(
    request: Request, id_: str, portal: PortalOf, words: WordsOf, identity: Provider
) -> Response:
    """Send a message about a submission, from its page."""
    form = await read_form(request)
    await run_in_threadpool(keep, request, portal, identity, id_, form.get("text", ""))
    return RedirectResponse(f"/{words.language}/submissions/{id_}?done=message#messages", 303)


def keep(request: Request, portal: Portal, identity: Identity, about: str, text: str) -> None:
    """Keep a message of an office; ``about`` is a submission of its own, or empty.

    Raises:
        PortalError: P110 (404), there is no such submission; P322 (422), the text is empty or too long.
    """
    area = area_of(identity)
    submission_id = submission_of(portal, identity, about).id if about else None
    sent(request, portal, identity, area, text, submission_id)


def _page(
    request: Request,
    portal: Portal,
    words: Translations,
    area: str,
    *,
    told: Sequence[str] = (),
    problem: CopstatsError | None = None,
    said: str = "",
) -> Response:
    registry = MessageRegistry(portal.home.registry.database)
    found = registry.messages(area)
    registry.mark_read(area, from_area=False, now=portal.now())
    subjects = [one.id for one in deliveries(portal, area) if one.submission is not None]
    return render(
        request,
        "provider/messages.html.jinja",
        title=words.text("Messages"),
        status=status_of(problem) if problem else 200,
        told=told,
        problems=[problem] if problem else (),
        threads=_threads(found),
        subjects={"": words.text("General")} | {id_: id_ for id_ in subjects},
        said=said,
    )


def _threads(found: Sequence[Message]) -> list[tuple[str | None, list[Message]]]:
    """Return the messages by submission, the one with the newest message first."""
    threads: dict[str | None, list[Message]] = {}
    for one in found:
        threads.setdefault(one.submission_id, []).append(one)
    return sorted(threads.items(), key=lambda thread: thread[1][-1].number, reverse=True)
