"""When releases come: the quarter that a label names, and the table ``release_calendar``."""

from __future__ import annotations

import calendar
import datetime as dt
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from copstats.language import N_

RELEASE_CALENDAR = pa.schema(dict.fromkeys(("label", "scheduled_at", "state"), pa.string()))
"""One row a release: this one and the planned ones after it."""

STATES: Mapping[str, str] = {"released": N_("Released"), "planned": N_("Planned")}
"""Codes of column ``state`` and their labels."""

PLANNED = 4
"""Quarters that are announced ahead."""
_LABEL = re.compile(r"([0-9]{4})-Q([1-4])(?![0-9])")
_QUARTERS = 4


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of a year.

    Attributes:
        year: for example 2026.
        number: 1 to 4.
    """

    year: int
    number: int

    @classmethod
    def named_by(cls, label: str) -> Quarter | None:
        """Return the quarter with which a label begins (``2026-Q4``, ``2026-Q4-r1``), or None."""
        found = _LABEL.match(label)
        return cls(int(found[1]), int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.year}-Q{self.number}"

    def later(self, quarters: int) -> Quarter:
        """Return the quarter that comes so many quarters later."""
        year, number = divmod(self.year * _QUARTERS + self.number - 1 + quarters, _QUARTERS)
        return Quarter(year, number + 1)

    def day(self, number: int) -> dt.date:
        """Return a day of the quarter's last month; its last day where the month is shorter."""
        month = 3 * self.number
        return dt.date(self.year, month, min(number, calendar.monthrange(self.year, month)[1]))


def release_calendar(label: str, day: int, time: str, zone: str) -> pa.Table:
    """Return when a release and those of the next four quarters are due.

    Args:
        label: of the release; its row says ``released``.
        day: of the last month of each quarter; the last one where the month is shorter.
        time: of day, ``09:00``.
        zone: IANA name of the time zone; its offset on that day stands in ``scheduled_at`` (ISO 8601).

    Returns:
        Schema ``RELEASE_CALENDAR``, in the order of time; no row for a label that names no quarter.
    """
    this = Quarter.named_by(label)
    if this is None:
        return RELEASE_CALENDAR.empty_table()
    rows = [(label, this, "released")]
    rows += [(str(this.later(ahead)), this.later(ahead), "planned") for ahead in range(1, PLANNED + 1)]
    due = [due_at(quarter, day, time, zone).isoformat(timespec="minutes") for _, quarter, _ in rows]
    columns = [[name for name, *_ in rows], due, [state for *_, state in rows]]
    return pa.table(columns, schema=RELEASE_CALENDAR)


def due_at(quarter: Quarter, day: int, time: str, zone: str) -> dt.datetime:
    """Return when the release of a quarter is due, in that time zone; see `release_calendar`."""
    # UTC needs no time zone database on the machine.
    where = dt.UTC if zone == "UTC" else zoneinfo.ZoneInfo(zone)
    return dt.datetime.combine(quarter.day(day), dt.time.fromisoformat(time), tzinfo=where)
