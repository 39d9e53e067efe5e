"""What a release will say of a country, before it is published: the country sees it, confirms or objects."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from copstats import steps
from copstats.errors import CopstatsError, PortalError
from copstats.language import N_, Translations
from copstats.portal.context import Portal, PortalOf, WordsOf, not_found
from copstats.portal.pages import render
from copstats.portal.provider.common import Provider, area_of
from copstats.portal.security.answers import status_of
from copstats.portal.security.forms import read_form
from copstats.portal.security.record import record
from copstats.reporting import Preview, preview
from copstats.steps import review
from copstats.store.home import Home
from copstats.store.rows import Review

router = APIRouter()
SECTION = "values"
_TABLES = {"values": N_("Values (CSV)"), "counts": N_("Counts (CSV)"), "answers": N_("Answers (CSV)")}
_MEDIA = {
    **dict.fromkeys(_TABLES, "text/csv; charset=utf-8"),
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "html": "text/html; charset=utf-8",
}
_BOX = "indicator-"
_LONGEST = 4000
_TOLD = {
    "confirmed": N_("You have confirmed the values."),
    "objected": N_("Your objection is recorded: the values that you named stay out of the release."),
}


@router.get("/values")
def list_reviews(request: Request, portal: PortalOf, words: WordsOf, identity: Provider) -> Response:
    """List the releases that wait for the office, and what it answered before."""
    area = area_of(identity)
    waiting = reviews_of(portal, area)
    answered = [one for one in portal.home.registry.reviews() if one.ref_area == area]
    return render(
        request,
        "provider/values.html.jinja",
        title=words.text("Values before a release"),
        section=SECTION,
        waiting=waiting,
        states={label: state_of(found, portal) for label, found in waiting.items()},
        answered=[one for one in reversed(answered) if one.answered_at is not None],
    )


@router.get("/values/{label}")
def show(
    request: Request, label: str, *, portal: PortalOf, words: WordsOf, identity: Provider, done: str = ""
) -> Response:
    """Show the office what a prepared release says of its country."""
    told = [words.text(_TOLD[done])] if done in _TOLD else []
    return _page(request, portal, words, identity.area or "", label, told=told)


@router.get("/values/{label}/{form}")
def download(label: str, form: str, portal: PortalOf, words: WordsOf, identity: Provider) -> Response:
    """Give the preview as a file: ``docx`` or ``html``, or one of its tables as CSV."""
    area = area_of(identity)
    _reviews_required(portal, area, label)
    files = preview(portal.home.path, label, area, language=words.language).files()
    told = (name for name in files if name.startswith(f"{form}-") or name.endswith(f".{form}"))
    name = next(told, None) if form in _MEDIA else None
    if name is None:
        raise not_found()
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(files[name], headers=headers, media_type=_MEDIA[form])


@router.post("/values/{label}")
async def answer(
    request: Request, label: str, portal: PortalOf, words: WordsOf, identity: Provider
) -> Response:
    """Record what the office says: ``answer`` is ``confirm`` or ``object``, the latter with a reason."""
    area, form = area_of(identity), await read_form(request)
    await run_in_threadpool(_reviews_required, portal, area, label)
    reason = form.get("reason", "").strip()
    chosen = [name.removeprefix(_BOX) for name in form if name.startswith(_BOX)]
    confirms = form.get("answer") == "confirm"

    def keep() -> None:
        if form.get("answer") not in ("confirm", "object"):
            raise PortalError("P320", status=422)
        if not confirms and not 0 < len(reason) <= _LONGEST:
            raise PortalError("P321", status=422, most=_LONGEST)
        steps.answer_review(
            portal.home.path,
            label,
            area,
            who=identity.holder,
            indicators=None if confirms else chosen,
            reason="" if confirms else reason,
            account=identity.token_id,
        )
        record(portal, "portal.review-answered", label, request, token=identity.token_id)

    try:
        await run_in_threadpool(keep)
    except CopstatsError as error:
        return await run_in_threadpool(
            _page, request, portal, words, area, label, problem=error, said=reason, chosen=chosen
        )
    done = "confirmed" if confirms else "objected"
    return RedirectResponse(f"/{words.language}/values/{label}?done={done}", 303)


def reviews_of(portal: Portal, area: str) -> dict[str, list[Review]]:
    """Return label -> reviews of a country, for the releases that are prepared."""
    home = portal.home
    found = {}
    for label in home.prepared.labels():
        prepared = home.prepared.find(label)
        if prepared is not None:  # published a moment ago
            found[label] = [one for one in review.reviews_of(home, prepared) if one.ref_area == area]
    return {label: reviews for label, reviews in found.items() if reviews}


def state_of(reviews: Sequence[Review], portal: Portal) -> str:
    """Return where the reviews of a release stand: ``open``, ``closed``, or what the country answered."""
    answers = {one.answer for one in reviews}
    if answers == {"waiting"}:
        return "open" if any(one.open_at(portal.now()) for one in reviews) else "closed"
    return "objected" if "objected" in answers else "confirmed"


def _reviews_required(portal: Portal, area: str, label: str) -> list[Review]:
    found = reviews_of(portal, area).get(label)
    if found is None:
        raise not_found()
    return found


def _page(
    request: Request,
    portal: Portal,
    words: Translations,
    area: str,
    label: str,
    *,
    told: Sequence[str] = (),
    problem: CopstatsError | None = None,
    said: str = "",
    chosen: Sequence[str] = (),
) -> Response:
    reviews = _reviews_required(portal, area, label)
    shown = preview(portal.home.path, label, area, language=words.language)
    closes = max(one.closes_at for one in reviews)
    return render(
        request,
        "provider/value.html.jinja",
        title=words.text("Values of your country in release {label}", label=label),
        status=status_of(problem) if problem else 200,
        section=SECTION,
        parents=[(SECTION, words.text("Values before a release"))],
        told=told,
        problems=[problem] if problem else (),
        label=label,
        reviews=reviews,
        state=state_of(reviews, portal),
        closes=closes,
        open=portal.now() < closes,
        tables={name: words.text(_TABLES[name]) for name in shown.with_rows},
        numbered=list(shown.note.numbered()),
        choices=_indicators(shown, words) | _collections(portal.home, reviews, words),
        said=said,
        chosen=chosen,
    )


def _indicators(shown: Preview, words: Translations) -> dict[str, str]:
    """Return code -> title of the indicators that the preview has rows of."""
    known = shown.framework.indicators
    codes = sorted(set(shown.tables["values"]["indicator"].to_pylist()))
    return {code: words.text(known[code].definition.title) if code in known else code for code in codes}


def _collections(home: Home, reviews: Sequence[Review], words: Translations) -> dict[str, str]:
    """Return wave -> title of the counts and answers in review, in the language if the office gave one."""
    found = [home.registry.get(one.submission_id) for one in reviews]
    told = {one.wave: one.official_manifest.title for one in found if one.kind != "survey"}
    return {
        wave: titles.get(words.language) or titles.get("en") or next(iter(titles.values()))
        for wave, titles in told.items()
    }
