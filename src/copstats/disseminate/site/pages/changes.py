"""What is new in a release: revised values and counts, new and deprecated indicators, the calendar."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from copstats.disseminate.codes import LISTS
from copstats.disseminate.site.page import Page
from copstats.disseminate.site.reading import Content
from copstats.language import Translations
from copstats.store.schemas import DIMENSIONS

PATH = "changes.html"
MOST_ROWS = 400
"""Revised values that the page lists; of more it says how many there are."""

_TOTAL = " AND ".join(f"{name} = '_T'" for name in DIMENSIONS)
_SURVEYS = "FROM source ORDER BY fieldwork_end DESC, ref_area, source"
# In the first release, nothing is new.
_NEW = """
FROM indicator
WHERE first_release = '${label}' AND EXISTS (FROM indicator WHERE first_release <> '${label}')
ORDER BY indicator
"""
_MEASURES = "FROM measure"
_DEPRECATED = "FROM indicator WHERE deprecated_since IS NOT NULL ORDER BY indicator"


class Release(NamedTuple):
    """What the release is and what made it."""

    label: str
    quarter_end: dt.date | None
    framework: str
    framework_version: str
    profile: str
    profile_version: str
    code_version: str
    fingerprint: str
    submissions: int
    cells: int
    shown: int


class Survey(NamedTuple):
    """A survey in the release."""

    ref_area: str
    source: str
    survey: str
    time_period: str
    version: int
    fieldwork_end: dt.date


class Revised(NamedTuple):
    """Values of a country that a release changed for one reason."""

    release_to: str
    release_from: str
    ref_area: str
    reason: str
    cells: int
    indicators: int


class RevisedValue(NamedTuple):
    """A national value or count before and after; None where it is not shown."""

    ref_area: str
    indicator: str
    time_period: str
    value_from: float | None
    value_to: float | None
    obs_status_to: str | None
    reason: str


class New(NamedTuple):
    """An indicator of which no earlier release held a value."""

    indicator: str


class Measure(NamedTuple):
    """What is counted."""

    measure: str
    title: str


class Deprecated(NamedTuple):
    """An indicator that goes."""

    indicator: str
    deprecated_since: str
    replaced_by: str | None
    deprecation_reason: str | None


class Planned(NamedTuple):
    """A release of the calendar."""

    label: str
    scheduled_at: str
    state: str


@dataclass(frozen=True)
class _Changes:
    release: Sequence[Release]
    surveys: Sequence[Survey]
    revised: Sequence[Revised]
    values: Sequence[RevisedValue]
    measures: Sequence[Measure]
    new: Sequence[New]
    deprecated: Sequence[Deprecated]
    calendar: Sequence[Planned]


def pages(content: Content, words: Translations) -> Iterator[Page]:
    """Yield the page."""
    changes = content.once(_changes)
    context: dict[str, Any] = {
        "release": changes.release[0] if changes.release else None,
        "paged": set(content.areas),
        "surveys": changes.surveys,
        "now": [row for row in changes.revised if row.release_to == content.published.label],
        "before": [row for row in changes.revised if row.release_to != content.published.label],
        "values": changes.values[:MOST_ROWS],
        "all_values": len(changes.values),
        "measures": {row.measure: words.text(row.title) for row in changes.measures},
        "new": [row.indicator for row in changes.new],
        "deprecated": changes.deprecated,
        "calendar": [(row.label, _when(row.scheduled_at, words), row.state) for row in changes.calendar],
        "reasons": _labels("revision_reason", words),
        "states": _labels("state", words),
    }
    yield Page(PATH, words.text("Changes"), "changes.html.jinja", context)


def _labels(column: str, words: Translations) -> dict[str, str]:
    return {code: words.text(label) for code, label in LISTS[column].items()}


def _when(scheduled_at: str, words: Translations) -> str:
    """Return date, time and distance from universal time of a release."""
    when = dt.datetime.fromisoformat(scheduled_at)
    return words.text(
        "{date}, {time} ({zone})", date=words.date(when), time=f"{when:%H:%M}", zone=f"UTC{when:%z}"
    )


def _changes(content: Content) -> _Changes:
    def filled(text: str) -> str:
        return Template(text).substitute(total=_TOTAL, label=content.published.label.replace("'", "''"))

    def file(name: str) -> str:
        return filled(Path(__file__).with_name(name).read_text("utf-8"))

    revised = content.has("revision")
    return _Changes(
        release=content.rows("FROM release", Release),
        surveys=content.rows(_SURVEYS, Survey),
        revised=content.rows(file("changes.sql"), Revised) if revised else [],
        values=content.rows(file("changes_national.sql"), RevisedValue) if revised else [],
        measures=content.rows(_MEASURES, Measure) if revised else [],
        new=content.rows(filled(_NEW), New),
        deprecated=content.rows(_DEPRECATED, Deprecated),
        calendar=content.rows("FROM release_calendar", Planned) if content.has("release_calendar") else [],
    )
