from __future__ import annotations

import csv
import datetime as dt
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.errors import PortalError
from copstats.store.home import Home
from copstats.store.windows import add_window, all_windows, open_for, remove_window, window_of, windows_of

HEADER = "area,opens,closes,title\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home.open(tmp_path / "home", create=True)
    made.change_settings(time_zone="Africa/Nairobi")
    return Home.open(made.path)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def write(home: Home, *lines: str) -> None:
    (home.path / "windows.csv").write_text(HEADER + "".join(f"{line}\n" for line in lines), "utf-8")


def test_without_a_window_files_are_taken_at_any_time(home: Home) -> None:
    assert open_for(home, "KEN", at("2026-12-01T00:00Z"))
    write(home)
    assert open_for(home, "KEN", at("2026-12-01T00:00Z"))


def test_a_date_is_a_whole_day_in_the_time_zone_of_the_home(home: Home) -> None:
    write(home, "KEN,2026-12-01,2026-12-02,Annual round")
    # Nairobi is three hours ahead of UTC.
    assert not open_for(home, "KEN", at("2026-11-30T20:59:59Z"))
    assert open_for(home, "KEN", at("2026-11-30T21:00:00Z"))
    assert open_for(home, "KEN", at("2026-12-02T20:59:59Z"))
    assert not open_for(home, "KEN", at("2026-12-02T21:00:00Z"))
    assert not open_for(home, "UGA", at("2026-12-01T12:00:00Z"))


def test_a_time_has_its_own_zone_and_a_star_is_everybody(home: Home) -> None:
    write(home, "*,2026-12-01T08:00+01:00,2026-12-01T09:00+01:00,Test")
    assert open_for(home, "UGA", at("2026-12-01T07:30Z"))
    assert not open_for(home, "UGA", at("2026-12-01T08:00Z"))


def test_those_of_a_country_that_are_not_over_are_listed_in_order(home: Home) -> None:
    write(
        home,
        "KEN,2027-01-01,2027-01-31,Later",
        "*,2026-12-01,2026-12-31,Now",
        "UGA,2026-12-01,2026-12-31,Other",
    )
    assert [one.title for one in windows_of(home, "KEN", at("2026-12-10T00:00Z"))] == ["Now", "Later"]
    assert [one.title for one in windows_of(home, "KEN", at("2027-01-10T00:00Z"))] == ["Later"]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("KENYA,2026-12-01,2026-12-31,x", "area"),
        ("KEN,2026-13-01,2026-12-31,x", "opens"),
        ("KEN,2026-12-01T08:00,2026-12-31,x", "opens"),
        ("KEN,2026-12-01,9999-12-31,x", "closes"),
        ("KEN,2026-12-31,2026-12-01,x", "closes"),
        ("KEN,2026-12-01,2026-12-31,=HYPERLINK(1)", "title"),
        ("KEN,2026-12-01", "title"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_closes_nothing_silently(
    home: Home, line: str, field: str
) -> None:
    write(home, "UGA,2026-12-01,2026-12-31,fine", line)
    with pytest.raises(PortalError) as error:
        open_for(home, "KEN", at("2026-12-10T00:00Z"))
    assert error.value.code == "P302"
    assert error.value.params == {"line": 3, "field": field}
    assert "HYPERLINK" not in str(error.value)


def test_a_window_is_added_once_and_removed(home: Home) -> None:
    said = {"area": "KEN", "opens": "2026-12-01", "closes": "2026-12-31", "title": "Round, 2026"}
    made = window_of(home, **said)
    add_window(home, made)
    add_window(home, window_of(home, **said))
    assert all_windows(home) == [made]
    assert remove_window(home, made)
    assert not remove_window(home, made)
    assert not (home.path / "windows.csv").exists()


@given(title=st.text(min_size=1, max_size=30), days=st.integers(0, 400), zone=st.integers(-12, 14))
@settings(max_examples=25, deadline=None)
def test_what_is_taken_is_read_again_as_it_was_and_is_no_formula(title: str, days: int, zone: int) -> None:
    opens = dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=zone)))
    closes = (opens + dt.timedelta(days=days)).isoformat()
    with tempfile.TemporaryDirectory() as folder:
        home = Home.open(Path(folder) / "home", create=True)
        try:
            made = window_of(home, area="*", opens=opens.isoformat(), closes=closes, title=title)
        except PortalError as error:
            assert error.code == "P303"
            return
        add_window(home, made)
        assert days
        assert made.title == title.strip()
        assert all_windows(home) == [made]
        with (home.path / "windows.csv").open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
