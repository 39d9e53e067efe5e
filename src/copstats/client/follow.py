"""What becomes of an upload: asked for until the check is over."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from copstats.client.patience import Patience
from copstats.client.wire import Answer, Wire, plain
from copstats.errors import UsageError

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
"""Seconds between two questions: soon at first, since a check takes some seconds."""
_FINAL = frozenset({"refused", "rejected", "waiting", "accepted", "declined", "superseded", "withdrawn"})
_SEVERITIES = ("error", "warning", "information")


@dataclass(frozen=True)
class Story:
    """Where something stands that was sent.

    Attributes:
        id: of the submission; of the upload as long as there is none.
        state: of the submission; of the upload as long as there is none.
        ahead: uploads that are checked before it, while it waits.
        findings: severity -> number; empty before the check is over.
    """

    id: str
    state: str
    ahead: int = 0
    findings: Mapping[str, int] = field(default_factory=dict)

    @property
    def checked(self) -> bool:
        """Whether the check is over."""
        return self.state in _FINAL


def story_of(wire: Wire, patience: Patience, upload: str) -> Story:
    """Ask where an upload stands.

    Raises:
        UsageError: U419, the answer is not one of a portal; others see
            :meth:`~copstats.client.wire.Wire.ask`.
        Retriable: T110, the portal is out of reach.
    """
    answer = patience.repeat(lambda: wire.ask("GET", f"/api/submissions/{upload}"))
    patience.progress()
    return _read(answer)


def follow(wire: Wire, patience: Patience, upload: str) -> Iterator[Story]:
    """Yield where an upload stands, at once and at every change, until its check is over.

    Raises:
        UsageError: see :func:`story_of`.
        Retriable: T110, the portal is out of reach.
    """
    before, pause = None, FIRST_PAUSE
    while True:
        now = story_of(wire, patience, upload)
        if now != before:
            before, pause = now, FIRST_PAUSE
            yield now
        if now.checked:
            return
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def refusals(wire: Wire, patience: Patience, upload: str) -> list[UsageError]:
    """Ask why an upload was refused; each reason under the portal's own code (U417).

    Raises:
        UsageError: see :meth:`~copstats.client.wire.Wire.ask`.
        Retriable: T110, the portal is out of reach.
    """
    answer = patience.repeat(lambda: wire.ask("GET", f"/api/submissions/{upload}/findings"))
    told = [one for one in answer.content.get("errors", []) if isinstance(one, dict)]
    return [_refusal({name: plain(one.get(name)) for name in one}) for one in told]


def _refusal(said: Mapping[str, str]) -> UsageError:
    place = " ".join(filter(None, (said.get("code"), said.get("where"))))
    title, why, hint = (said.get(part, "") for part in ("title", "why", "hint"))
    return UsageError("U417", where=place, title=title, why=why, hint=hint)


def _read(answer: Answer) -> Story:
    content = answer.content
    upload, submission = (content.get(part) or {} for part in ("upload", "submission"))
    try:
        findings = {one: int(submission["findings"].get(one, 0)) for one in _SEVERITIES} if submission else {}
        ahead = int(upload.get("ahead") or 0)
        return Story(plain(content["id"]), plain(content["state"]), ahead, findings)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UsageError("U419", status=answer.status) from None
