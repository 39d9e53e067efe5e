"""The release calendar of a home: what is due, also after the machine was down."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from msgspec import structs

from copstats.steps.common import quarter_of, sha256
from copstats.steps.notices import tell
from copstats.steps.standing import standing_of
from copstats.store.home import Home
from copstats.store.prepared import Prepared


def label_due(home_path: Path, *, now: dt.datetime | None = None) -> str | None:
    """Return the quarter whose release has to be prepared now, or None.

    A release is prepared so long before its day that the countries have their time to look at it. Of quarters
    that were missed only the newest is made up for: an older one would hold the same values.

    Args:
        home_path: the home folder.
        now: the present moment; for tests.
    """
    from copstats.disseminate.release_calendar import Quarter, due_at

    home = Home.open(home_path)
    moment = (now or dt.datetime.now(dt.UTC)).astimezone(home.config.zone)
    ahead = dt.timedelta(days=home.config.review_days)
    this = Quarter.named_by(quarter_of(moment + ahead))
    waves = home.registry.current_waves()
    if this is None or not waves:
        return None
    began = min(wave.received_at for wave in waves)
    dates = {str(one): due_at(one, *home.config.calendar) for one in (this, this.later(-1))}
    due = [label for label, date in dates.items() if date - ahead <= moment and date > began]
    known = {*home.releases.labels(), *home.prepared.labels()}
    return due[0] if due and not any(label.startswith(due[0]) for label in known) else None


def prepared_labels(home_path: Path) -> list[str]:
    """Return the labels of the releases that are prepared and wait."""
    return Home.open(home_path).prepared.labels()


def record_published(home: Home) -> None:
    """Enter the releases that are in their place and that the registry lacks.

    A process that was killed right after the rename leaves such a one.
    """
    from copstats.disseminate.release import read_manifest

    recorded = {one.label for one in home.registry.releases()}
    for label in home.releases.labels():
        if label not in recorded:
            folder = home.releases.folder(label)
            manifest = sha256(folder / "MANIFEST.json")
            home.registry.record_release(label, read_manifest(folder).fingerprint, manifest)


def approved_releases(home: Home, *, now: dt.datetime | None = None) -> list[Prepared]:
    """Return the prepared releases that somebody approved as they are and that wait for nothing.

    Args:
        home: open.
        now: the present moment; for tests.
    """
    moment = now or dt.datetime.now(dt.UTC)
    prepared = [home.prepared.find(label) for label in home.prepared.labels()]
    standings = [standing_of(home, one, moment) for one in prepared if one is not None]
    return [one.prepared for one in standings if one.approved_by and one.due]


def note_outcome(home_path: Path, label: str, failure: str) -> None:
    """Note for what a prepared release could not be published when that was tried last, and tell the team.

    Args:
        home_path: the home folder.
        label: of the release.
        failure: code of the error; empty if there was none.
    """
    home = Home.open(home_path)
    with home.lock(wait=60):
        prepared = home.prepared.find(label)
        if prepared is not None and prepared.failure != failure:
            home.prepared.note(structs.replace(prepared, failure=failure))
    if failure:
        tell(home_path, "release.failed", label, code=failure)
