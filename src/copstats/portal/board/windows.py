"""Windows: when countries may send files."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from copstats.errors import CopstatsError
from copstats.language import Translations
from copstats.portal.board.common import Operator, back, readable_windows, told
from copstats.portal.context import Portal, PortalOf, WordsOf
from copstats.portal.pages import area_name, render
from copstats.portal.security.answers import status_of
from copstats.portal.security.forms import read_form
from copstats.portal.security.record import record
from copstats.store.windows import EVERYWHERE, Window, add_window, all_windows, remove_window, window_of

router = APIRouter()
PATH = "board/windows"
_FIELDS = ("area", "opens", "closes", "title")


@router.get("/board/windows")
def show(request: Request, portal: PortalOf, words: WordsOf, identity: Operator, done: str = "") -> Response:
    """Show all windows and the form for another."""
    return _page(request, portal, words, done=done)


@router.post("/board/windows")
async def change(request: Request, portal: PortalOf, words: WordsOf, identity: Operator) -> Response:
    """Add a window, or remove the one that ``remove`` names."""
    form = await read_form(request)

    def keep() -> None:
        if (gone := form.get("remove")) is not None:
            for one in [one for one in all_windows(portal.home) if key_of(one) == gone]:
                record(portal, "window.removed", _subject(one), request, token=identity.token_id)
                remove_window(portal.home, one)
            return
        made = window_of(portal.home, **{name: form.get(name, "") for name in _FIELDS})
        record(portal, "window.added", _subject(made), request, token=identity.token_id)
        add_window(portal.home, made)

    try:
        await run_in_threadpool(keep)
    except CopstatsError as error:
        return await run_in_threadpool(_page, request, portal, words, problem=error, said=form)
    return back(words, PATH, "window")


def key_of(window: Window) -> str:
    """Return what names a window in a form."""
    return f"{window.area} {window.opens.isoformat()} {window.closes.isoformat()} {window.title}"


def _subject(window: Window) -> str:
    """Return what names a window's countries in the audit log."""
    return "all" if window.area == EVERYWHERE else window.area


def _page(
    request: Request,
    portal: Portal,
    words: Translations,
    *,
    done: str = "",
    problem: CopstatsError | None = None,
    said: Mapping[str, str] | None = None,
) -> Response:
    windows, unreadable = readable_windows(portal)
    areas = {area_name(portal, code, words): code for code in portal.home.areas}
    everywhere = words.text("all countries")
    options = {EVERYWHERE: everywhere} | {areas[name]: name for name in sorted(areas)}
    return render(
        request,
        "board/windows.html.jinja",
        title=words.text("Windows"),
        status=status_of(problem) if problem else 200,
        section=PATH,
        told=told(done, words),
        problems=[problem] if problem else unreadable,
        windows=windows,
        key_of=key_of,
        now=portal.now(),
        options=options,
        zone=str(portal.home.config.time_zone),
        said={name: (said or {}).get(name, "") for name in _FIELDS},
        wrong=problem.where if problem is not None else "",
    )
