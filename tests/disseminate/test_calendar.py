"""The release calendar against dates of the wall calendar."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copstats.disseminate.release_calendar import RELEASE_CALENDAR, STATES, Quarter, release_calendar


def test_this_release_and_the_next_four() -> None:
    table = release_calendar("2026-Q3", 15, "09:00", "Europe/Zurich")
    assert table.schema == RELEASE_CALENDAR
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("2026-Q3", "2026-09-15T09:00+02:00", "released"),
        ("2026-Q4", "2026-12-15T09:00+01:00", "planned"),
        ("2027-Q1", "2027-03-15T09:00+01:00", "planned"),
        ("2027-Q2", "2027-06-15T09:00+02:00", "planned"),
        ("2027-Q3", "2027-09-15T09:00+02:00", "planned"),
    ]
    assert set(table["state"].to_pylist()) == set(STATES)


def test_a_day_that_the_month_lacks_is_its_last() -> None:
    due = release_calendar("2026-Q4", 31, "18:30", "UTC")["scheduled_at"].to_pylist()
    assert due[:3] == ["2026-12-31T18:30+00:00", "2027-03-31T18:30+00:00", "2027-06-30T18:30+00:00"]


def test_a_repeated_release_keeps_its_label() -> None:
    assert release_calendar("2026-Q4-r1", 1, "00:00", "UTC")["label"].to_pylist()[:2] == [
        "2026-Q4-r1",
        "2027-Q1",
    ]


@pytest.mark.parametrize("label", ["demo", "2026", "2026-Q5", "2026-Q12", "Q4-2026", ""])
def test_a_label_without_a_quarter_has_no_calendar(label: str) -> None:
    assert Quarter.named_by(label) is None
    assert release_calendar(label, 15, "09:00", "UTC").equals(RELEASE_CALENDAR.empty_table())


@given(st.integers(1990, 2200), st.integers(1, 4), st.integers(0, 40))
def test_later_quarters_follow_the_months(year: int, number: int, ahead: int) -> None:
    quarter = Quarter(year, number)
    assert Quarter.named_by(str(quarter)) == quarter
    months = year * 12 + 3 * number - 1 + 3 * ahead
    later = quarter.later(ahead).day(1)
    assert later == dt.date(months // 12, months % 12 + 1, 1)
    end = quarter.day(31)
    assert (end + dt.timedelta(days=1)).day == 1
