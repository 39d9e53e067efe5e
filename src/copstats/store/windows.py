"""When countries may send files: ``windows.csv`` in the home, which the portal's page writes too.

Columns ``area`` (ISO 3166-1 alpha-3, ``*`` for all), ``opens``, ``closes``, ``title``. A time is a date, in
the home's time zone and, for ``closes``, including that day, or a date and time with its
zone (``2026-12-15T18:00+03:00``). Without a window, files are taken at any time.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from copstats.errors import PortalError
from copstats.store.files import atomic_write
from copstats.store.home import Home

FILE = "windows.csv"
EVERYWHERE = "*"
_COLUMNS = ("area", "opens", "closes", "title")
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for a formula, the wide forms of the signs too."""
_LONGEST = 200


@dataclass(frozen=True, order=True)
class Window:
    """A time in which files are taken.

    Attributes:
        opens: from when on (UTC).
        closes: until when, not included (UTC).
        area: ISO 3166-1 alpha-3, or ``*`` for all.
        title: what it is for.
    """

    opens: dt.datetime
    closes: dt.datetime
    area: str
    title: str

    def concerns(self, area: str) -> bool:
        """Whether it is one of this area."""
        return self.area in (EVERYWHERE, area)

    def open_at(self, moment: dt.datetime) -> bool:
        """Whether files are taken at this time."""
        return self.opens <= moment < self.closes


def open_for(home: Home, area: str, now: dt.datetime) -> bool:
    """Say whether an area may send files now: in one of its windows, or always if there is no window.

    Raises:
        PortalError: P302, ``windows.csv`` cannot be read.
    """
    windows = all_windows(home)
    return not windows or any(one.concerns(area) and one.open_at(now) for one in windows)


def windows_of(home: Home, area: str, now: dt.datetime) -> list[Window]:
    """Return the windows of an area that are open or to come, the earliest first.

    Raises:
        PortalError: P302, ``windows.csv`` cannot be read.
    """
    return [one for one in all_windows(home) if one.concerns(area) and now < one.closes]


def all_windows(home: Home) -> list[Window]:
    """Return all windows of a home, the earliest first.

    Raises:
        PortalError: P302, ``windows.csv`` cannot be read.
    """
    path = home.path / FILE
    if not path.is_file():
        return []
    return sorted(_read(path, home.config.zone, {*home.areas, EVERYWHERE}))


def window_of(home: Home, *, area: str, opens: str, closes: str, title: str) -> Window:
    """Return the window that somebody describes.

    Args:
        home: tells the areas and the time zone.
        area: ISO 3166-1 alpha-3, or ``*``.
        opens: date, or date and time with its zone.
        closes: the same; a date includes that day.
        title: what it is for.

    Raises:
        PortalError: P303 (422), one of them cannot be used; ``where`` names it.
    """
    row = {"area": area, "opens": opens, "closes": closes, "title": title}
    return _window(row, home.config.zone, {*home.areas, EVERYWHERE})


def add_window(home: Home, window: Window) -> None:
    """Add a window to the file; one that is there already changes nothing.

    Raises:
        PortalError: P302, ``windows.csv`` cannot be read.
    """
    with home.lock(wait=60):
        present = all_windows(home)
        if window not in present:
            _write(home.path / FILE, sorted([*present, window]))


def remove_window(home: Home, window: Window) -> bool:
    """Remove a window; with the last one the file goes. Returns whether it was there."""
    with home.lock(wait=60):
        present = all_windows(home)
        rest = [one for one in present if one != window]
        if rest:
            _write(home.path / FILE, rest)
        else:
            (home.path / FILE).unlink(missing_ok=True)
    return len(rest) < len(present)


def _read(path: Path, zone: dt.tzinfo, areas: set[str]) -> Iterable[Window]:
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        raise PortalError("P302", status=500, where=FILE, line=1, field="") from None
    for line, row in enumerate(rows, start=2):
        try:
            yield _window(row, zone, areas)
        except PortalError as error:
            raise PortalError("P302", status=500, where=FILE, line=line, field=error.where) from None


def _window(row: dict[str, str], zone: dt.tzinfo, areas: set[str]) -> Window:
    said = {name: (row.get(name) or "").strip() for name in _COLUMNS}
    if said["area"] not in areas:
        raise PortalError("P303", status=422, where="area")
    title = said["title"]
    if not 0 < len(title) <= _LONGEST or title.startswith(_FORMULA) or not title.isprintable():
        raise PortalError("P303", status=422, where="title")
    opens = _moment(said["opens"], zone, "opens")
    closes = _moment(said["closes"], zone, "closes", whole_day=True)
    if closes <= opens:
        raise PortalError("P303", status=422, where="closes")
    return Window(opens, closes, said["area"], title)


def _moment(text: str, zone: dt.tzinfo, name: str, *, whole_day: bool = False) -> dt.datetime:
    try:
        if len(text) == len("2026-12-15"):
            day = dt.date.fromisoformat(text) + dt.timedelta(days=whole_day)
            return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        pass
    raise PortalError("P303", status=422, where=name)


def _write(path: Path, windows: Iterable[Window]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows((one.area, one.opens.isoformat(), one.closes.isoformat(), one.title) for one in windows)
    atomic_write(path, text.getvalue().encode())
