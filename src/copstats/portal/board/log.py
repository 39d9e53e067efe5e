"""The audit log for an auditor: whether it is whole, and its entries, the newest first."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from copstats.language import N_
from copstats.portal.board.common import Auditor
from copstats.portal.context import Portal, PortalOf, WordsOf
from copstats.portal.pages import render
from copstats.store.audit import AuditProblem, Head

router = APIRouter()
SHOWN = 100
"""Entries on a page."""
_PROBLEMS = {
    "unreadable": N_("Line {line}: this is no entry."),
    "edited": N_("Line {line}: the entry was changed or not written by this home."),
    "order": N_("Line {line}: entries before this one were removed, added or moved."),
    "cut": N_("Line {line}: the log ends before an entry that a release names."),
}
_OTHER_KEY = N_("Release {label} names no entry of this log.")


@dataclass(frozen=True)
class Verified:
    """Result of the verification.

    Attributes:
        problems: places where the chain does not hold.
        releases: whose last entry it was held against.
        without: labels of releases that name none, or one of another home's key.
        head: end of the chain; None if it does not hold.
    """

    problems: Sequence[AuditProblem]
    releases: Sequence[str]
    without: Sequence[str]
    head: Head | None


@router.get("/board/log")
def show(  # noqa: PLR0917 - named by the framework
    request: Request,
    portal: PortalOf,
    words: WordsOf,
    identity: Auditor,
    subject: Annotated[str, Query(max_length=200)] = "",
    before: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """Verify the whole chain, also against the releases, and show a page of its entries."""
    found = verified(portal)
    entries = _entries(portal, subject.strip(), before)
    problems = [words.text(_PROBLEMS[one.kind], line=words.number(one.line)) for one in found.problems]
    problems += [words.text(_OTHER_KEY, label=label) for label in found.without]
    return render(
        request,
        "board/log.html.jinja",
        title=words.text("Audit log"),
        section="board/log",
        found=found,
        broken=problems,
        entries=entries,
        subject=subject.strip(),
        earlier=entries[-1]["sequence"] if len(entries) == SHOWN and entries[-1]["sequence"] > 1 else 0,
        when=lambda entry: dt.datetime.fromisoformat(entry["at"]),
        facts=lambda entry: " ".join(
            f"{name}={value}" for name, value in entry["facts"].items() if value is not None
        ),
    )


def verified(portal: Portal) -> Verified:
    """Verify the chain of a home, and that it still holds the entry that each release names."""
    from copstats.disseminate.anchor import ANCHOR, read_anchor

    home = portal.home
    anchors, without = {}, []
    for label in home.releases.labels():
        folder = home.releases.folder(label)
        anchor = read_anchor(folder, home.keys.public_key()) if (folder / ANCHOR).exists() else None
        if anchor is None:
            without.append(label)
        else:
            anchors[label] = Head(anchor.sequence, anchor.mac)
    problems = home.audit.verify(*anchors.values())
    return Verified(problems, list(anchors), without, None if problems else home.audit.head())


def _entries(portal: Portal, subject: str, before: int) -> list[Mapping[str, Any]]:
    """Return the newest entries (on a subject, before a number), the newest first."""
    kept: deque[Mapping[str, Any]] = deque(maxlen=SHOWN)
    kept.extend(
        entry
        for entry in portal.home.audit.entries()
        if subject in ("", entry["subject"]) and (not before or entry["sequence"] < before)
    )
    return list(kept)[::-1]
