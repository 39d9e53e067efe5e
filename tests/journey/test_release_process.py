"""A release on its way: prepared, seen by the country, approved, published in one step, on the calendar."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from copstats import steps
from copstats.disseminate.verify import verify_release
from copstats.errors import ReleaseError, UsageError
from copstats.project import project_root
from copstats.steps.approval import approve_release
from copstats.store.home import Home
from copstats.store.portal import PortalRegistry
from tests.journey.conftest import copstats
from tests.official.material import answers, counts

SAMPLES = project_root() / "sample_data"
ID, WAVE, LABEL = "XAA_2023_COPS_v01_M", "XAA_2023_COPS", "2026-Q4"
NOW = dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)
SERVICES, POLICY = "XAA_2025_HELPLINE", "XAA_2025_POLICY"
LATER = NOW + dt.timedelta(days=15, minutes=1)
KILLS = 20


@pytest.fixture(scope="module")
def estimated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("releases") / "home"
    home = Home.open(folder, create=True)
    home.change_settings(accept="without_errors", release_forms=())
    home.keys.signing_key()
    shutil.copy(SAMPLES / "areas.csv", folder)
    steps.ingest(folder, SAMPLES / "submissions" / "XAA_2023_COPS_v01")
    steps.estimate(folder, ID, as_of_year=2026)
    return folder


@pytest.fixture
def home(estimated: Path, tmp_path: Path) -> Home:
    return Home.open(shutil.copytree(estimated, tmp_path / "home"))


def cells(folder: Path) -> list[dict[str, Any]]:
    return _rows(folder, "indicator_value")


def events(home: Home) -> list[str]:
    return [entry["action"] for entry in home.audit.entries()]


def test_a_country_sees_its_values_first_and_its_silence_is_no_objection(home: Home) -> None:
    waiting = steps.publish(home.path, LABEL, by="operator", now=NOW)
    assert (waiting.state, waiting.waits_for, home.releases.labels()) == ("in_review", ("XAA",), [])
    assert waiting.until == NOW + dt.timedelta(days=15)
    manifest = (waiting.folder / "MANIFEST.json").read_bytes()
    assert steps.publish_if_due(home.path, LABEL, now=NOW + dt.timedelta(days=14)).state == "in_review"
    published = steps.publish_if_due(home.path, LABEL, now=LATER)
    assert (published.state, home.prepared.labels()) == ("published", [])
    assert (published.folder / "MANIFEST.json").read_bytes() == manifest  # what the country saw
    assert [one.label for one in home.registry.releases()] == [LABEL]
    assert home.ledger.carried(LABEL) == {WAVE: 1}
    assert steps.publish(home.path, LABEL, by="operator", now=LATER).state == "unchanged"
    # what was published once is carried into the next release without another review
    assert steps.publish(home.path, f"{LABEL}-r1", by="", now=LATER).state == "to_be_approved"


def test_an_objection_keeps_values_and_counts_out_of_this_release_and_the_next(
    home: Home, tmp_path: Path
) -> None:
    lines = ["variable,period,sex,age,category,value", "le_victims,2025,_T,_T,_T,40"]
    lines.append("pop_child,2025,_T,Y0T17,_T,1000000")
    steps.ingest(home.path, counts(tmp_path / "counts", lines, ref_area="XAA"))
    steps.ingest(home.path, answers(tmp_path / "answers", ["item,answer", "Q01,yes"], ref_area="XAA"))
    steps.publish(home.path, LABEL, by="", now=NOW)
    objects = partial(steps.answer_review, home.path, who="office", reason="check")
    said = objects(LABEL, "XAA", indicators=["RCD4", SERVICES], now=NOW)
    assert {one.wave: (one.answer, one.indicators, one.reason) for one in said} == {
        WAVE: ("objected", ("RCD4",), "check"),
        SERVICES: ("objected", (), "check"),
        POLICY: ("confirmed", (), ""),
    }
    published = steps.publish(home.path, LABEL, by="operator", now=NOW)
    assert published.state == "published"
    objected = [row for row in cells(published.folder) if row["indicator"] == "RCD4"]
    assert objected and all(row["value"] is None and row["n_band"] is None for row in objected)
    assert {row["reason"] for row in objected} <= {
        "objection",
        "n",
        "psus",
        "dominance",
        "crossing",
        "secondary",
    }
    total = next(row for row in objected if row["sex"] == row["age"] == row["residence"] == "_T")
    assert (total["reason"], total["obs_status"], total["obs_conf"]) == ("objection", "Q", "N")
    shown = [
        row for row in cells(published.folder) if row["indicator"] == "RSK1" and row["value"] is not None
    ]
    assert shown
    withheld = (None, None, "objection")
    assert {_counted(published.folder, name) for name in ("le_victims", "ADM5", "pop_child")} == {withheld}
    assert _rows(published.folder, "policy_answer")
    # a year later the data are older, which the classes say, and counts come anew: the country is asked again
    steps.estimate(home.path, ID, as_of_year=2027)
    lines[1] = "le_victims,2025,_T,_T,_T,61"
    steps.ingest(home.path, counts(tmp_path / "again", lines, ref_area="XAA", version=2))
    silent = steps.publish(home.path, "2027-Q1", by="operator", now=LATER)
    assert silent.state == "in_review"
    assert not [
        row for row in cells(silent.folder) if row["indicator"] == "RCD4" and row["value"] is not None
    ]
    assert _counted(silent.folder, "le_victims") == withheld
    said = objects("2027-Q1", "XAA", indicators=["RCD4"], now=LATER)
    assert {one.wave: one.answer for one in said} == {WAVE: "objected", SERVICES: "confirmed"}
    confirmed = steps.publish(home.path, "2027-Q1", by="operator", now=LATER)
    assert confirmed.state == "published"
    assert not [
        row for row in cells(confirmed.folder) if row["indicator"] == "RCD4" and row["value"] is not None
    ]
    assert _counted(confirmed.folder, "ADM5") == (6.0, 1_000_000.0, None)
    (told,) = (row for row in _rows(confirmed.folder, "revision") if row["indicator"] == "le_victims")
    assert (told["value_from"], told["value_to"], told["revision_reason"]) == (None, 60.0, "shown")
    assert "review.objected" in events(home)


def test_an_objection_after_the_approval_counts_and_asks_for_another(home: Home) -> None:
    steps.publish(home.path, LABEL, by="Operator of the day", now=NOW)
    steps.answer_review(home.path, LABEL, "XAA", who="Office of Statistics", indicators=[], now=NOW)
    assert steps.publish_if_due(home.path, LABEL, now=LATER).state == "to_be_approved"
    published = steps.publish(home.path, LABEL, by="Operator of the day", now=LATER)
    assert published.state == "published"
    assert all(row["value"] is None for row in cells(published.folder))


def test_what_the_portal_approves_is_published_as_it_was_shown_and_once(home: Home) -> None:
    tokens = PortalRegistry(home.registry.database)
    operator = tokens.create_token("operator", area=None, holder="Operator", days=1, now=NOW)[1].id
    steps.publish(home.path, LABEL, by="", now=NOW)
    approve_release(home.path, LABEL, operator, manifest=home.prepared.get(LABEL).manifest, now=NOW)
    assert steps.approved_releases(home, now=NOW) == []  # in review
    steps.answer_review(home.path, LABEL, "XAA", who="Office of Statistics", indicators=[], now=NOW)
    assert [one.label for one in steps.approved_releases(home, now=NOW)] == [LABEL]
    shown = home.prepared.get(LABEL)
    with home.prepared.staging(LABEL) as draft:  # built, and killed before it was noted down
        (draft.folder / "MANIFEST.json").write_text("{}")
        draft.publish()
    assert not Home.open(home.path).prepared.is_whole(shown)
    assert steps.publish_if_due(home.path, LABEL, now=NOW).state == "to_be_approved"
    assert home.prepared.is_whole(home.prepared.get(LABEL))
    assert steps.approved_releases(home, now=LATER) == []  # it is another one now
    approve_release(home.path, LABEL, operator, manifest=home.prepared.get(LABEL).manifest, now=NOW)
    assert [one.label for one in steps.approved_releases(home, now=NOW)] == [LABEL]
    home.prepared.publish(LABEL)  # and then the process was killed
    found = Home.open(home.path)
    assert (found.registry.releases(), steps.approved_releases(found, now=NOW)) == ([], [])
    steps.record_published(found)
    steps.record_published(found)
    assert [one.label for one in found.registry.releases()] == [LABEL]
    assert found.ledger.carried(LABEL) == {WAVE: 1}
    assert steps.publish(home.path, LABEL, by="operator", now=NOW).state == "unchanged"


def _rows(folder: Path, table: str) -> list[dict[str, Any]]:
    return pq.read_table(folder / "parquet" / f"{table}.parquet").to_pylist()


def _counted(folder: Path, measure: str) -> tuple[Any, ...]:
    (row,) = (row for row in _rows(folder, "administrative_value") if row["measure"] == measure)
    return row["value"], row["denominator"], row["reason"]


def test_only_what_is_in_review_can_be_answered(home: Home) -> None:
    with pytest.raises(ReleaseError) as caught:
        steps.answer_review(home.path, LABEL, "XAA", who="office")
    assert caught.value.code == "R094"
    steps.publish(home.path, LABEL, by="", now=NOW)
    for area, indicators, now, code in (
        ("XBB", None, NOW, "U390"),
        ("XAA", None, LATER, "U391"),
        ("XAA", ["NONE"], NOW, "U392"),
    ):
        with pytest.raises(UsageError) as refused:
            steps.answer_review(home.path, LABEL, area, who="office", indicators=indicators, now=now)
        assert refused.value.code == code


def test_confirmed_values_are_published_at_the_end_of_the_embargo_and_not_before(home: Home) -> None:
    end = NOW + dt.timedelta(days=2)
    steps.publish(home.path, LABEL, by="", now=NOW)
    steps.answer_review(home.path, LABEL, "XAA", who="office", now=NOW)
    assert steps.publish_if_due(home.path, LABEL, now=NOW).state == "to_be_approved"
    embargoed = steps.publish(home.path, LABEL, by="operator", not_before=end, now=NOW)
    assert (embargoed.state, embargoed.until) == ("embargoed", end)
    assert steps.publish_if_due(home.path, LABEL, now=end - dt.timedelta(seconds=1)).state == "embargoed"
    assert steps.publish_if_due(home.path, LABEL, now=end).state == "published"


def test_an_approval_holds_for_what_was_approved_only(home: Home) -> None:
    end = NOW + dt.timedelta(days=2)
    home.change_settings(review_days=0)
    assert steps.publish(home.path, LABEL, by="operator", not_before=end, now=NOW).state == "embargoed"
    shutil.copy(SAMPLES / "denominators.csv", home.path)
    assert steps.publish(home.path, LABEL, by="", now=end).state == "to_be_approved"


def test_a_wave_is_not_carried_forward_under_other_rules(home: Home) -> None:
    home.change_settings(review_days=0, disclosure_profile="mics")
    steps.publish(home.path, LABEL, by="operator", now=NOW)
    again = steps.publish(home.path, f"{LABEL}-r1", by="operator", now=NOW)
    assert [one.outcome for one in again.settled] == ["carried"]
    home.change_settings(disclosure_profile="nchs")  # its version has the same number
    other = steps.publish(home.path, f"{LABEL}-r2", by="operator", now=NOW)
    assert [one.outcome for one in other.settled] != ["carried"]


def test_the_calendar_prepares_in_time_once_and_makes_up_for_the_newest_quarter_missed(home: Home) -> None:
    def due(moment: str) -> str | None:
        return steps.label_due(home.path, now=dt.datetime.fromisoformat(f"{moment}T10:00+00:00"))

    began = home.registry.get(ID).received_at
    year = began.year + 1
    assert due(f"{year}-02-27") != f"{year}-Q1"
    assert due(f"{year}-02-28") == f"{year}-Q1"  # fifteen days before 15 March
    assert due(f"{year}-11-01") == f"{year}-Q3"  # two were missed: the newest counts
    assert (
        due(began.date().isoformat()) is None or due(began.date().isoformat()) > began.date().isoformat()[:4]
    )
    steps.estimate(home.path, ID, as_of_year=year)
    steps.publish(home.path, f"{year}-Q1", by="", now=NOW)
    assert due(f"{year}-03-20") is None
    assert steps.prepared_labels(home.path) == [f"{year}-Q1"]


def test_the_team_is_told_and_a_program_that_fails_stops_nothing(home: Home, tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    script = f"import sys; open({str(said)!r}, 'a').write(sys.stdin.read())"
    home.change_settings(notify_command=(sys.executable, "-c", script))
    steps.publish(home.path, LABEL, by="", now=NOW)
    assert json.loads(said.read_text("utf-8")) == {"event": "release.prepared", "subject": LABEL}
    home.change_settings(notify_command=("/nonexistent",))
    assert not steps.tell(home.path, "flow.failed", "publication", code="U018")
    assert events(home)[-1] == "notice.failed"


def test_two_builds_give_the_same_bytes(home: Home, estimated: Path, tmp_path: Path) -> None:
    other = Home.open(shutil.copytree(estimated, tmp_path / "other"))
    one, two = (steps.publish(each.path, LABEL, by="", now=NOW).folder for each in (home, other))
    anchor = {"AUDIT.json", "AUDIT.sig"}  # the end of each home's own chain
    files = [
        path.relative_to(one) for path in sorted(one.rglob("*")) if path.is_file() and path.name not in anchor
    ]
    assert len(files) > 40
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in files)


@pytest.mark.nightly
def test_a_release_that_is_killed_is_whole_or_not_there(estimated: Path, tmp_path: Path) -> None:
    """Twenty times: killed a little later each time, then asked for again."""
    template = shutil.copytree(estimated, tmp_path / "template")
    Home.open(template).change_settings(review_days=0)
    began = time.monotonic()
    assert _release(shutil.copytree(template, tmp_path / "whole")).wait() == 0
    takes = time.monotonic() - began
    seen = set()
    home = shutil.copytree(template, tmp_path / "home")
    for kill in range(KILLS):
        process = _release(home)
        time.sleep(takes * (0.2 + kill / KILLS))
        process.send_signal(signal.SIGKILL)
        process.wait()
        labels = Home.open(home).releases.labels()
        seen.add(tuple(labels))
        if labels:
            assert verify_release(home / "releases" / LABEL) == []
            shutil.rmtree(home)
            home = shutil.copytree(template, tmp_path / "home")
    assert _release(home).wait() == 0
    final = Home.open(home)
    assert verify_release(final.releases.folder(LABEL)) == []
    assert (final.ledger.carried(LABEL), final.prepared.labels()) == ({WAVE: 1}, [])
    assert final.audit.verify() == []
    assert () in seen


def _release(home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "copstats", "release", LABEL, "--home", str(home)]
    return subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_the_commands_say_what_a_release_waits_for(home: Home, root: Path, tmp_path: Path) -> None:
    prepared = copstats("release", LABEL, "--prepare", "--json", "--home", home.path, cwd=root)
    assert (prepared.status, prepared.json["state"]) == (0, "in_review")
    assert prepared.json["waits_for"] == ["XAA"]
    said = copstats("release", LABEL, "--home", home.path, cwd=root)
    assert "copstats review show 2026-Q4 AREA" in said.out
    shown = copstats("review", "show", LABEL, "XAA", "--output", tmp_path, "--home", home.path, cwd=root)
    assert shown.status == 0, shown.err
    assert {Path(line).suffix for line in shown.out.split()} == {".html", ".docx", ".csv"}
    agreed = copstats(
        "review", "confirm", LABEL, "XAA", "--by", "office", "--json", "--home", home.path, cwd=root
    )
    assert [row["answer"] for row in json.loads(agreed.out)] == ["confirmed"]
    assert "confirmed" in copstats("review", "--home", home.path, cwd=root).out
    assert copstats("release", LABEL, "--json", "--home", home.path, cwd=root).json["state"] == "published"
    local = copstats("release", LABEL, "--embargo", "2026-12-15T09:00", "--home", home.path, cwd=root)
    assert (local.status, "time zone" in local.err) == (2, True)
