"""The first page of a statistics office: what to do next, what it sent, the dates ahead."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from copstats.language import Translations
from copstats.portal.context import Portal, PortalOf, WordsOf
from copstats.portal.pages import area_name, render
from copstats.portal.provider.common import Provider, area_of
from copstats.portal.provider.deliveries import Delivery, deliveries
from copstats.portal.provider.values import reviews_of
from copstats.store.portal_messages import MessageRegistry
from copstats.store.windows import windows_of

router = APIRouter()
_AHEAD = 2


@dataclass(frozen=True)
class Task:
    """Something that waits for the office: a sentence, and the link to it."""

    text: str
    path: str
    action: str


@router.get("/country")
def show(request: Request, portal: PortalOf, words: WordsOf, identity: Provider) -> Response:
    """Show the office what waits for it and what it sent."""
    area = area_of(identity)
    found = deliveries(portal, area)
    return render(
        request,
        "provider/country.html.jinja",
        title=area_name(portal, area, words),
        tasks=list(_tasks(portal, area, found, words)),
        items=found,
        windows=windows_of(portal.home, area, portal.now()),
        releases=_releases(portal),
    )


def _tasks(portal: Portal, area: str, found: Sequence[Delivery], words: Translations) -> Iterator[Task]:
    for one in _newest_of_each_wave(found):
        if one.state == "rejected":
            text = words.text("{id} has errors. Mend the data and send the file again.", id=one.id)
            yield Task(text, f"submissions/{one.id}/findings", words.text("See the findings"))
        elif one.state == "declined":
            text = words.text("{id} was declined. Read why, and send a new version.", id=one.id)
            yield Task(text, f"submissions/{one.id}", words.text("See the reason"))
    for one in found:
        if one.state == "receiving":
            text = words.text("An upload is not complete. Choose the same file again to go on.")
            yield Task(text, "upload", words.text("Go on"))
            break
    if unread := MessageRegistry(portal.home.registry.database).unread(from_area=False).get(area):
        text = words.text("Messages that you have not read: {count}", count=words.number(unread))
        yield Task(text, "messages", words.text("Read"))
    for label, waiting in reviews_of(portal, area).items():
        ends = [one.closes_at for one in waiting if one.open_at(portal.now())]
        if ends:
            until = words.date(min(ends).astimezone(portal.home.config.zone).date())
            text = words.text("Look at your values in release {label} until {date}.", label=label, date=until)
            yield Task(text, f"values/{label}", words.text("See the values"))


def _newest_of_each_wave(found: Sequence[Delivery]) -> list[Delivery]:
    """Return the last version of each wave: what was put right since is no task any more."""
    newest: dict[str, Delivery] = {}
    for one in found:
        if one.submission is not None:
            present = newest.setdefault(one.submission.wave, one)
            if present.submission is not None and one.submission.version > present.submission.version:
                newest[one.submission.wave] = one
    return list(newest.values())


def _releases(portal: Portal) -> list[tuple[str, dt.datetime]]:
    """Return the releases that come next, and when."""
    from copstats.disseminate.release_calendar import Quarter, due_at

    config, now = portal.home.config, portal.now()
    today = now.astimezone(config.zone).date()
    this = Quarter(today.year, (today.month + 2) // 3)
    due = [(str(one), due_at(one, *config.calendar)) for one in map(this.later, range(_AHEAD + 1))]
    return [(label, at) for label, at in due if at > now][:_AHEAD]
