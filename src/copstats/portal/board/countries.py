"""The board: one row a country - what it sent last, what waits for whom, quality at a glance; also as CSV."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response

from copstats.framework.aggregation import load_aggregation
from copstats.framework.loader import DEFAULT_FRAMEWORK
from copstats.language import N_, Translations
from copstats.portal.board.common import Staff, readable_windows
from copstats.portal.board.quality import Classes, comparability, response_rate
from copstats.portal.context import Portal, PortalOf, WordsOf
from copstats.portal.pages import STATES, area_name, render
from copstats.steps.approval import approvals_of
from copstats.store.portal import PortalRegistry
from copstats.store.portal_messages import MessageRegistry
from copstats.store.portal_uploads import UploadRegistry
from copstats.store.rows import State, Submission
from copstats.store.windows import Window

router = APIRouter()

REGIONS = "itu_region"
FILTERED = ("receiving", "complete", "checking", "refused", *(str(state) for state in State), "nothing")
_NOTHING = N_("nothing sent")
Waiting = Literal["reviewer", "country", "portal", "nobody"]
_WAITS: dict[Waiting, str] = {
    "reviewer": N_("approvals: {count}"),
    "country": N_("the country"),
    "portal": N_("the check"),
    "nobody": "",
}


@dataclass(frozen=True)
class Sent:
    """A submission, or an upload that did not become one."""

    at: dt.datetime
    id: str
    state: str
    submission: Submission | None


@dataclass(frozen=True)
class Row:
    """A country on the board.

    Attributes:
        area: ISO 3166-1 alpha-3.
        name: in the reader's language.
        region: ITU region; empty if it has none.
        last: what it delivered last; None if nothing.
        state: of that; ``nothing`` without one.
        waits_for: ``reviewer``, ``country``, ``portal`` or ``nobody``.
        waits: the same in words.
        errors: rules of severity error that the last submission breaks.
        warnings: the same for warnings.
        response: share of the sample that answered, 0 to 1.
        classes: class -> indicators of the same year in the newest release.
        custody: ``double`` or ``single``; empty where nothing is known.
        unread: messages of the country that nobody has seen.
        window: until when, or from when on, it may send files.
    """

    area: str
    name: str
    region: str
    last: Sent | None
    state: str
    waits_for: Waiting
    waits: str
    errors: int
    warnings: int
    response: float | None
    classes: Classes
    custody: str
    unread: int = 0
    window: str = ""


StateFilter = Annotated[str, Query(alias="state", max_length=16)]
RegionFilter = Annotated[str, Query(alias="region", max_length=16)]


@router.get("/board")
def show(  # noqa: PLR0917 - named by the framework
    request: Request,
    portal: PortalOf,
    words: WordsOf,
    identity: Staff,
    state: StateFilter = "",
    region: RegionFilter = "",
) -> Response:
    """Show all countries that hold a token or have sent something."""
    windows, problems = readable_windows(portal)
    everything = rows(portal, words, windows)
    found = chosen(everything, state, region)
    return render(
        request,
        "board/board.html.jinja",
        title=words.text("Countries"),
        section="board",
        problems=problems,
        rows=found,
        everything=len(everything),
        waiting=sum(one.waits_for == "reviewer" for one in everything),
        unread=sum(one.unread for one in everything),
        state=state,
        region=region,
        states={"": words.text("all")} | {one: state_words(one, words) for one in FILTERED},
        regions={"": words.text("all")} | _regions(everything, words),
        state_words=lambda code: state_words(code, words),
        local_day=lambda at: words.date(at.astimezone(portal.home.config.zone).date()),
        query=f"?state={state}&region={region}" if (state in FILTERED or region.isalpha()) else "",
    )


@router.get("/board.csv")
def download(
    portal: PortalOf, words: WordsOf, identity: Staff, state: StateFilter = "", region: RegionFilter = ""
) -> Response:
    """Give the same rows as CSV."""
    found = chosen(rows(portal, words, readable_windows(portal)[0]), state, region)
    headers = {"content-disposition": f'attachment; filename="countries-{portal.now():%Y-%m-%d}.csv"'}
    return Response(_as_csv(found), headers=headers, media_type="text/csv; charset=utf-8")


def _regions(found: Sequence[Row], words: Translations) -> dict[str, str]:
    """Return code -> name of the regions on the board."""
    named = load_aggregation(DEFAULT_FRAMEWORK)
    codes = sorted({one.region for one in found if one.region})
    return {code: words.text(named.label(REGIONS, code)) for code in codes}


def chosen(found: Sequence[Row], state: str, region: str) -> list[Row]:
    """Return the rows of a state and a region; empty: of all."""
    return [one for one in found if state in ("", one.state) and region in ("", one.region)]


def state_words(code: str, words: Translations) -> str:
    """Return a state in words, also that of a country that sent nothing."""
    return words.text(_NOTHING if code == "nothing" else STATES[code])


def rows(portal: Portal, words: Translations, windows: Sequence[Window]) -> list[Row]:
    """Return all countries that hold a valid token or have sent something, by name."""
    registry, now = portal.home.registry, portal.now()
    sent = _sent(portal)
    expected = {one.area for one in PortalRegistry(registry.database).tokens() if one.area and one.valid(now)}
    unread = MessageRegistry(registry.database).unread(from_area=True)
    classes = comparability(portal.home)
    made = [
        replace(
            _row(portal, words, area, sent.get(area, []), classes),
            unread=unread.get(area, 0),
            window=_window([one for one in windows if one.concerns(area)], portal, words),
        )
        for area in expected | sent.keys() | unread.keys()
    ]
    return sorted(made, key=lambda one: (one.name, one.area))


def _sent(portal: Portal) -> dict[str, list[Sent]]:
    """Return area -> what it sent, the oldest first."""
    found: dict[str, list[Sent]] = {}
    for one in portal.home.registry.submissions():
        sent = Sent(one.received_at, one.id, str(one.state), one)
        found.setdefault(one.ref_area, []).append(sent)
    for upload in UploadRegistry(portal.home.registry.database).uploads():
        if upload.submission_id is None:
            sent = Sent(upload.completed_at or upload.created_at, upload.id, upload.state, None)
            found.setdefault(upload.area, []).append(sent)
    return {area: sorted(items, key=lambda one: one.at) for area, items in found.items()}


def _row(
    portal: Portal,
    words: Translations,
    area: str,
    sent: Sequence[Sent],
    classes: Mapping[tuple[str, str], Classes],
) -> Row:
    last = sent[-1] if sent else None
    submission = last.submission if last is not None else None
    known = portal.home.areas.get(area)
    waits_for, missing = _waits(portal, sent)
    severities = {"error": 0, "warning": 0}
    provenance = None
    if submission is not None:
        provenance = portal.home.registry.provenance(submission.id)
        for finding in portal.home.registry.findings(submission.id):
            if finding.severity in severities:
                severities[finding.severity] += 1
    return Row(
        area=area,
        name=area_name(portal, area, words),
        region=known.groups.get(REGIONS, "") if known else "",
        last=last,
        state=last.state if last is not None else "nothing",
        waits_for=waits_for,
        waits=words.text(_WAITS[waits_for], count=words.number(missing)) if _WAITS[waits_for] else "",
        errors=severities["error"],
        warnings=severities["warning"],
        response=response_rate(submission) if submission is not None else None,
        classes=classes.get((area, str(submission.reference_year)), {}) if submission is not None else {},
        custody=provenance.custody if provenance is not None else "",
    )


def _waits(portal: Portal, sent: Sequence[Sent]) -> tuple[Waiting, int]:
    """Return for whom a country's deliveries wait, and how many approvals are missing."""
    waiting = [one.submission for one in sent if one.submission is not None and one.state == "waiting"]
    if waiting:
        return "reviewer", sum(approvals_of(portal.home, one).missing for one in waiting)
    state = sent[-1].state if sent else "nothing"
    if state in ("receiving", "refused", "rejected", "declined", "withdrawn", "nothing"):
        return "country", 0
    return ("portal", 0) if state in ("complete", "checking") else ("nobody", 0)


def _window(windows: Sequence[Window], portal: Portal, words: Translations) -> str:
    """Say until when, or from when on, a country may send files."""
    now, zone = portal.now(), portal.home.config.zone
    ahead = [one for one in windows if now < one.closes]
    if not ahead:
        return ""
    if ahead[0].opens <= now:
        last = ahead[0].closes - dt.timedelta(seconds=1)
        return words.text("open until {date}", date=words.date(last.astimezone(zone).date()))
    return words.text("opens {date}", date=words.date(ahead[0].opens.astimezone(zone).date()))


def _as_csv(found: Sequence[Row]) -> bytes:
    """Return the rows as CSV (UTF-8 with byte order mark, which spreadsheets need); no cell is a formula."""
    from copstats.disseminate.files import write_csv_table

    texts = {
        "area": [one.area for one in found],
        "name": [one.name for one in found],
        "region": [one.region for one in found],
        "submission": [one.last.id if one.last else "" for one in found],
        "state": [one.state for one in found],
        "received": [one.last.at.isoformat(timespec="seconds") if one.last else "" for one in found],
        "waits_for": [one.waits_for for one in found],
        "custody": [one.custody for one in found],
        "comparability": [" ".join(f"{k}:{n}" for k, n in one.classes.items()) for one in found],
        "window": [one.window for one in found],
    }
    numbers = {
        "errors": [one.errors for one in found],
        "warnings": [one.warnings for one in found],
        "unread": [one.unread for one in found],
    }
    columns = {name: pa.array(column, pa.string()) for name, column in texts.items()}
    columns |= {name: pa.array(column, pa.int64()) for name, column in numbers.items()}
    columns["response_rate"] = pa.array([one.response for one in found], pa.float64())
    sink = io.BytesIO("\ufeff".encode())
    sink.seek(0, io.SEEK_END)
    write_csv_table(sink, pa.table(columns))
    return sink.getvalue()
