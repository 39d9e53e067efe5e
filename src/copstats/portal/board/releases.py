"""Releases: what the prepared ones wait for, their approval, what the countries say, what is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from copstats.errors import CopstatsError
from copstats.language import Translations
from copstats.portal.board.common import Operator, Staff, back, told
from copstats.portal.context import Portal, PortalOf, WordsOf
from copstats.portal.pages import area_name, render
from copstats.portal.security.answers import status_of
from copstats.portal.security.forms import read_form
from copstats.steps import approval
from copstats.steps.review import reviews_of
from copstats.store.prepared import Prepared
from copstats.store.rows import Review

router = APIRouter()


@dataclass(frozen=True)
class Waiting:
    """A prepared release and what stands between it and its place.

    Attributes:
        prepared: the release.
        reviews: what the countries say of their new values.
        open_reviews: those that may still be answered.
        until: when the last of them ends.
        waits: what it waits for, in sentences; empty if for nothing.
    """

    prepared: Prepared
    reviews: Sequence[Review]
    open_reviews: Sequence[Review]
    until: dt.datetime | None
    waits: Sequence[str]


@router.get("/board/releases")
def show(request: Request, portal: PortalOf, words: WordsOf, identity: Staff, done: str = "") -> Response:
    """Show the prepared and the published releases."""
    return _page(request, portal, words, done=done)


@router.post("/board/releases/{label}/approve")
async def approve(
    request: Request, label: str, portal: PortalOf, words: WordsOf, identity: Operator
) -> Response:
    """Approve a release as it was shown; it is published when nothing else stands in its way."""
    form = await read_form(request)

    def keep() -> str:
        home, manifest = portal.home.path, form.get("manifest", "")
        found = approval.approve_release(home, label, identity.token_id, manifest=manifest, now=portal.now())
        return "published" if found.state == "unchanged" else found.state

    try:
        done = await run_in_threadpool(keep)
    except CopstatsError as error:
        return await run_in_threadpool(_page, request, portal, words, problem=error)
    return back(words, "board/releases", done)


def _page(
    request: Request,
    portal: Portal,
    words: Translations,
    *,
    done: str = "",
    problem: CopstatsError | None = None,
) -> Response:
    home = portal.home
    prepared = [home.prepared.find(label) for label in home.prepared.labels()]
    return render(
        request,
        "board/releases.html.jinja",
        title=words.text("Releases"),
        status=status_of(problem) if problem else 200,
        section="board/releases",
        told=told(done, words),
        problems=[problem] if problem else (),
        waiting=[_waiting(portal, one, words) for one in prepared if one is not None],
        published=home.registry.releases()[::-1],
        state_of=lambda one: _state(one, portal.now()),
    )


def _state(one: Review, now: dt.datetime) -> str:
    if one.answer != "waiting":
        return one.answer
    return "open" if one.open_at(now) else "closed"


def _waiting(portal: Portal, prepared: Prepared, words: Translations) -> Waiting:
    now = portal.now()
    reviews = reviews_of(portal.home, prepared)
    open_reviews = [one for one in reviews if one.open_at(now)]
    until = max((one.closes_at for one in open_reviews), default=None)
    waits = []
    if open_reviews:
        names = sorted({area_name(portal, one.ref_area, words) for one in open_reviews})
        waits.append(words.text("Countries that may still answer: {areas}", areas=words.listing(names)))
    if not prepared.approved_by and portal.home.config.approve_releases == "by_hand":
        waits.append(words.text("An operator has to approve it."))
    if prepared.not_before is not None and now < prepared.not_before:
        day = words.date(prepared.not_before.astimezone(portal.home.config.zone).date())
        waits.append(words.text("It is under embargo until {date}.", date=day))
    return Waiting(prepared, reviews, open_reviews, until, waits)
