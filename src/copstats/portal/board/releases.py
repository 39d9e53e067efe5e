"""Releases: what the prepared ones wait for, their approval, what the countries say, what is published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from copstats.errors import CopstatsError, error_catalogue
from copstats.language import Translations
from copstats.portal.board.common import DONE, Operator, Staff, back, told
from copstats.portal.context import Portal, PortalOf, WordsOf
from copstats.portal.pages import area_name, render
from copstats.portal.security.answers import status_of
from copstats.portal.security.forms import read_form
from copstats.steps import approval
from copstats.steps.standing import Standing, standing_of
from copstats.store.rows import Review

router = APIRouter()
PATH = "board/releases"


@dataclass(frozen=True)
class Waiting:
    """A prepared release as the page shows it.

    Attributes:
        standing: what stands between it and its place.
        waits: what it waits for, in sentences; empty if for nothing.
        publishing: whether the worker is about to publish it.
        failed: why it could not be published; empty where a code alone is known.
    """

    standing: Standing
    waits: Sequence[str]
    publishing: bool
    failed: str


@router.get(f"/{PATH}")
def show(request: Request, portal: PortalOf, words: WordsOf, identity: Staff, done: str = "") -> Response:
    """Show the prepared and the published releases; `done`: label of the one that was just approved."""
    return _page(request, portal, words, approved=done)


@router.post(f"/{PATH}/{{label}}/approve")
async def approve(
    request: Request, label: str, portal: PortalOf, words: WordsOf, identity: Operator
) -> Response:
    """Record the approval of a release as it was shown; the worker publishes it."""
    form = await read_form(request)

    def keep() -> None:
        home, manifest = portal.home.path, form.get("manifest", "")
        approval.approve_release(home, label, identity.token_id, manifest=manifest, now=portal.now())

    try:
        await run_in_threadpool(keep)
    except CopstatsError as error:
        return await run_in_threadpool(_page, request, portal, words, problem=error)
    return back(words, PATH, label)


def _page(
    request: Request,
    portal: Portal,
    words: Translations,
    *,
    approved: str = "",
    problem: CopstatsError | None = None,
) -> Response:
    home = portal.home
    prepared = [home.prepared.find(label) for label in home.prepared.labels()]
    standings = [standing_of(home, one, portal.now()) for one in prepared if one is not None]
    waiting = [_waiting(portal, one, words) for one in standings]
    published = home.registry.releases()[::-1]
    return render(
        request,
        "board/releases.html.jinja",
        title=words.text("Releases"),
        status=status_of(problem) if problem else 200,
        section=PATH,
        scripts=["live.js"] if any(one.publishing for one in waiting) else (),
        problems=[problem] if problem else (),
        said=told(_became(approved, standings, {one.label for one in published}), words),
        waiting=waiting,
        published=published,
        state_of=lambda one: _state(one, portal.now()),
    )


def _state(one: Review, now: dt.datetime) -> str:
    if one.answer != "waiting":
        return one.answer
    return "open" if one.open_at(now) else "closed"


def _became(label: str, standings: Sequence[Standing], published: Collection[str]) -> str:
    """Return what became of an approval: a key of `DONE`; empty if there is none."""
    if label in published:
        return "published"
    found = next((one for one in standings if one.prepared.label == label), None)
    if found is None:
        return ""
    return "approved" if found.approved_by else "changed" if found.approved_before else ""


def _waiting(portal: Portal, standing: Standing, words: Translations) -> Waiting:
    working = portal.supervisor is not None and not standing.prepared.failure
    publishing = bool(standing.approved_by) and standing.due and working
    failed = _title(standing.prepared.failure, words)
    return Waiting(standing, list(_waits(portal, standing, words)), publishing, failed)


def _title(code: str, words: Translations) -> str:
    """Return the title of an error; empty if there is none, or if it says what is not known here."""
    title = error_catalogue().get(code, {}).get("title", "")
    return words.text(title) if title and "{" not in title else ""


def _waits(portal: Portal, standing: Standing, words: Translations) -> Iterator[str]:
    if standing.open_reviews:
        names = sorted({area_name(portal, one.ref_area, words) for one in standing.open_reviews})
        yield words.text("Countries that may still answer: {areas}", areas=words.listing(names))
    if standing.to_be_approved:
        yield words.text(DONE["changed"] if standing.approved_before else "An operator has to approve it.")
    if standing.embargoed and standing.prepared.not_before is not None:
        day = words.date(standing.prepared.not_before.astimezone(portal.home.config.zone).date())
        yield words.text("It is under embargo until {date}.", date=day)
