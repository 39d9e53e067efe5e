"""The release calendar of a home: what is due, also after the machine was down."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from copstats.steps.common import quarter_of
from copstats.store.home import Home


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
