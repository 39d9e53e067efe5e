"""The course of a submission in words: where it stands, what came before, what is to be done now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from copstats.language import N_, Translations
from copstats.portal.provider.deliveries import Delivery
from copstats.store.config import CONFIG_FILE
from copstats.store.rows import Decision

_SENTENCES = {
    "receiving": N_("The file is not complete. Choose it again on the upload page to go on."),
    "complete": N_("The file is received and waits for its check."),
    "checking": N_("The file is being checked. This takes some minutes for a large survey."),
    "refused": N_("The file could not be taken in. The reason stands below."),
    "done": N_("The check is done."),
    "rejected": N_("The check found errors. Nothing of the data was kept."),
    "waiting": N_("The check found no errors. A reviewer decides."),
    "accepted": N_("The submission is accepted. It is part of the coming releases."),
    "declined": N_("The submission was declined. The reason stands below."),
    "superseded": N_("A newer version has taken its place."),
    "withdrawn": N_("The submission was taken back. Its records are destroyed."),
}
_DECIDED = {
    "accepted": N_("Accepted"),
    "declined": N_("Declined"),
    "superseded": N_("Replaced by a newer version"),
    "withdrawn": N_("Withdrawn"),
}
_CHECKED = ("waiting", "accepted", "declined", "superseded", "withdrawn")
_GOOD = ("accepted",)
_BAD = ("declined", "withdrawn")


@dataclass(frozen=True)
class Step:
    """A step of the course.

    Attributes:
        kind: ``past``, ``good``, ``bad``, ``present`` or ``ahead``.
        title: in words.
        at: when it was taken.
        note: more about it, for example the reason of a decision.
    """

    kind: Literal["past", "good", "bad", "present", "ahead"]
    title: str
    at: dt.datetime | None = None
    note: str = ""


def sentence(state: str, words: Translations) -> str:
    """Return in a sentence where a delivery stands."""
    return words.text(_SENTENCES[state])


def course(found: Delivery, decisions: Sequence[Decision], words: Translations) -> list[Step]:
    """Return the steps of a delivery, those ahead too."""
    return [_received(found, words), _checked(found, words), *_decided(found, decisions, words)]


def resending(found: Delivery, words: Translations) -> str:
    """Return how a submission is sent again."""
    submission = found.submission
    if submission is None:
        return ""
    if found.state == "rejected":
        return words.text(
            "Mend the data and send it with the same version ({version}): nothing of it was kept.",
            version=submission.version,
        )
    return words.text(
        "To replace this submission, raise the version in the manifest to {version} and send it.",
        version=submission.version + 1,
    )


def _received(found: Delivery, words: Translations) -> Step:
    if found.upload is None:
        return Step("past", words.text("The file was received"), found.at)
    if found.upload.completed_at is None:
        ended = found.state == "refused"
        return Step(
            "bad" if ended else "present", words.text("The file is being received"), found.upload.created_at
        )
    return Step("past", words.text("The file was received"), found.upload.completed_at)


def _checked(found: Delivery, words: Translations) -> Step:
    title = words.text("Checked against the rules")
    if found.state == "rejected":
        return Step("bad", title, found.at, words.text("with errors"))
    if found.state in _CHECKED:
        return Step("past", title, found.at)
    if found.state == "refused":
        at = found.upload.changed_at if found.upload is not None else None
        return Step("bad", title, at, words.text(N_("refused")))
    return Step("present" if found.state in ("complete", "checking") else "ahead", title)


def _decided(found: Delivery, decisions: Sequence[Decision], words: Translations) -> list[Step]:
    taken = [
        Step(_kind(one), words.text(_DECIDED[one.state]), one.at, one.reason if _by_person(one) else "")
        for one in decisions
        if one.state in _DECIDED
    ]
    if taken:
        return taken
    if found.state in ("rejected", "refused"):
        return []
    title = words.text("Decision of the reviewers")
    return [Step("present" if found.state == "waiting" else "ahead", title)]


def _by_person(decision: Decision) -> bool:
    """Whether a person gave the reason: those that the program notes are for the file, in English."""
    return decision.state != "superseded" and decision.who != CONFIG_FILE


def _kind(decision: Decision) -> Literal["past", "good", "bad"]:
    if decision.state in _GOOD:
        return "good"
    return "bad" if decision.state in _BAD else "past"
