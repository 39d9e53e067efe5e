"""One country: everything that it sent, and the messages that are about no submission."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from copstats.errors import CopstatsError
from copstats.language import Translations
from copstats.portal.board.common import Staff, back, told
from copstats.portal.context import Portal, PortalOf, WordsOf, not_found
from copstats.portal.pages import area_name, render
from copstats.portal.provider.deliveries import deliveries
from copstats.portal.security.answers import status_of
from copstats.portal.security.forms import read_form
from copstats.portal.security.identity import Identity
from copstats.portal.submissions.messages import send
from copstats.store.portal_messages import MessageRegistry

router = APIRouter()


@router.get("/board/countries/{area}")
def show(  # noqa: PLR0917 - named by the framework
    request: Request, area: str, portal: PortalOf, words: WordsOf, identity: Staff, done: str = ""
) -> Response:
    """Show what a country sent and its general messages; from then on these count as read."""
    return _page(request, portal, words, area, done=done)


@router.post("/board/countries/{area}/messages")
async def write(request: Request, area: str, portal: PortalOf, words: WordsOf, identity: Staff) -> Response:
    """Write to a country."""
    form = await read_form(request)
    return await run_in_threadpool(_write, request, area, portal, words, identity, form.get("text", ""))


def _write(  # noqa: PLR0917 - called with what the framework gives
    request: Request, area: str, portal: Portal, words: Translations, identity: Identity, text: str
) -> Response:
    if area not in portal.home.areas:
        raise not_found()
    try:
        send(request, portal, identity, area, text, None)
    except CopstatsError as error:
        return _page(request, portal, words, area, problem=error, text=text)
    return back(words, f"board/countries/{area}", "message")


def _page(
    request: Request,
    portal: Portal,
    words: Translations,
    area: str,
    *,
    done: str = "",
    problem: CopstatsError | None = None,
    text: str = "",
) -> Response:
    if area not in portal.home.areas:
        raise not_found()
    registry = MessageRegistry(portal.home.registry.database)
    messages = registry.messages(area)
    if any(one.from_area and one.read_at is None for one in messages):
        registry.mark_read(area, from_area=True, now=portal.now())
    return render(
        request,
        "board/country.html.jinja",
        title=area_name(portal, area, words),
        status=status_of(problem) if problem else 200,
        section="board",
        parents=[("board", words.text("Countries"))],
        told=told(done, words),
        problems=[problem] if problem else (),
        area=area,
        items=deliveries(portal, area),
        messages=messages,
        said=text,
    )
