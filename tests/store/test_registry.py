from __future__ import annotations

import datetime as dt
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import create_engine

from copstats.errors import ReleaseError, Retriable, UsageError
from copstats.framework.manifest import Crosswalk, SurveyManifest
from copstats.store import tables
from copstats.store.home import Home
from copstats.store.registry import Registry
from copstats.store.rows import Decision, FindingCount, NewSubmission, State

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.timezone(dt.timedelta(hours=3)))
MANIFEST: dict[str, Any] = {
    "kind": "survey",
    "framework": "cop-2026",
    "ref_area": "XAA",
    "survey": "COPS",
    "reference_year": 2026,
    "version": 1,
    "title": {"en": "Children online", "fr": "Enfants en ligne é"},
    "fieldwork": {"start": "2026-03-01", "end": "2026-05-31"},
    "population": {
        "ages": {"min": 9, "max": 17},
        "universe": "internet_users",
        "setting": "household",
        "coverage": "national",
    },
    "design": {"weight": "wt", "stratum": None, "psu": "cluster"},
    "sampling": "probability_documented",
    "mode": "self_completed",
    "modules": ["access"],
    "ethics": {"review": None, "consent": "parent_and_child"},
    "dissemination": {"consent": True},
    "files": {"child": {"path": "Muthoni Secondary.xlsx", "sheet": "4B"}},
    "contact": {"organisation": "Statistics office"},
}
CROSSWALK = {
    "framework": "cop-2026",
    "child": {
        "sex": {"source": "q1", "map": {1: 1, "x": 2}, "wording": {"class": "adapted", "recall": "12m"}}
    },
}


def submission(version: int = 1, content: str = "a", **changes: Any) -> NewSubmission:
    manifest = msgspec.convert({**MANIFEST, "version": version, **changes}, SurveyManifest)
    return NewSubmission.of_survey(
        manifest,
        msgspec.convert(CROSSWALK, Crosswalk),
        framework_fingerprint="f" * 64,
        content_hash=content * 64,
        variables={"child": {"sex", "age"}},
        records={"child": 1200},
    )


@pytest.fixture(params=["sqlite", "server"])
def registry(request: pytest.FixtureRequest, home: Home) -> Iterator[Registry]:
    if request.param == "sqlite":
        yield home.registry
        return
    url = os.environ.get("COPSTATS_TEST_DATABASE")
    if not url:
        pytest.skip("set COPSTATS_TEST_DATABASE to the URL of an empty PostgreSQL database")
    engine = create_engine(url)
    yield Registry(url)
    tables.metadata.drop_all(engine)


def refusal(error: pytest.ExceptionInfo[UsageError]) -> str:
    assert error.value.title
    assert error.value.hint
    return error.value.code


def test_a_submission_comes_back_typed(registry: Registry) -> None:
    new = submission()
    stored = registry.register(new, State.WAITING, [FindingCount("range_age", "warning", 3)], at=NOON)
    assert stored == registry.get("XAA_2026_COPS_v01_M") == registry.find(new.id)
    assert (stored.wave, stored.state, stored.decided_at) == ("XAA_2026_COPS", State.WAITING, None)
    assert stored.received_at == NOON
    assert stored.received_at.utcoffset() == dt.timedelta(0)
    assert stored.variables == {"child": ["age", "sex"]}
    assert stored.records == {"child": 1200}
    unnamed = MANIFEST | {"files": {"child": {"path": "child.parquet"}}}
    assert stored.survey_manifest == msgspec.convert(unnamed, SurveyManifest)
    crosswalk = stored.survey_crosswalk
    assert crosswalk is not None
    wording = crosswalk.child["sex"].wording
    assert wording is not None
    assert (wording.kind, wording.recall) == ("adapted", "12m")
    assert registry.findings(new.id) == [FindingCount("range_age", "warning", 3)]


def test_unknown_submissions(registry: Registry) -> None:
    assert registry.find("XAA_2026_COPS_v01_M") is None
    assert registry.by_hash("a" * 64) is None
    assert registry.known("XAA_2026_COPS_v01_M", "a" * 64) is None
    for use in (
        lambda: registry.get("nothing"),
        lambda: registry.decide("nothing", State.ACCEPTED, who="me"),
        lambda: registry.record_estimates("nothing", "f"),
    ):
        with pytest.raises(UsageError) as error:
            use()
        assert refusal(error) == "U009"


def test_the_same_content_again_changes_nothing(registry: Registry) -> None:
    first = registry.register(submission(), State.WAITING, [FindingCount("r", "warning", 1)])
    again = registry.register(submission(), State.WAITING, [FindingCount("r", "warning", 9)])
    assert again == first
    assert registry.findings(first.id) == [FindingCount("r", "warning", 1)]
    assert registry.by_hash("a" * 64) == registry.known(first.id, "a" * 64) == first


def test_other_content_needs_a_new_version(registry: Registry) -> None:
    registry.register(submission(), State.WAITING)
    with pytest.raises(UsageError) as error:
        registry.register(submission(content="b"), State.WAITING)
    assert refusal(error) == "U007"
    assert "2" in error.value.hint
    with pytest.raises(UsageError) as error:
        registry.known("XAA_2026_COPS_v01_M", "b" * 64)
    assert refusal(error) == "U007"
    assert registry.get("XAA_2026_COPS_v01_M").content_hash == "a" * 64


def test_a_rejected_submission_is_corrected_under_the_same_version(registry: Registry) -> None:
    findings = [FindingCount("weight_missing", "error", 2), FindingCount("age", "error", 1)]
    rejected = registry.register(submission(), State.REJECTED, findings, at=NOON)
    assert (rejected.state, rejected.decided_at) == (State.REJECTED, NOON)
    assert registry.findings(rejected.id) == sorted(findings, key=lambda f: f.rule)
    with pytest.raises(UsageError) as error:
        registry.decide(rejected.id, State.ACCEPTED, who="me")
    assert refusal(error) == "U010"
    assert registry.known(rejected.id, "a" * 64) == rejected
    assert registry.known(rejected.id, "b" * 64) is None
    corrected = registry.register(submission(content="b"), State.WAITING)
    assert (corrected.state, corrected.decided_at) == (State.WAITING, None)
    assert registry.findings(corrected.id) == []
    assert [s.content_hash for s in registry.submissions()] == ["b" * 64]


def test_accepting_supersedes_the_version_before(registry: Registry) -> None:
    for version, content in ((1, "a"), (2, "b")):
        registry.register(submission(version, content), State.WAITING)
    registry.register(submission(1, "c", reference_year=2027), State.WAITING)
    first = registry.decide("XAA_2026_COPS_v01_M", State.ACCEPTED, who="reviewer", reason="all well", at=NOON)
    assert (first.state, first.decided_at) == (State.ACCEPTED, NOON)
    assert [s.id for s in registry.current_waves()] == ["XAA_2026_COPS_v01_M"]
    registry.decide("XAA_2026_COPS_v02_M", State.ACCEPTED, who="reviewer", at=NOON)
    registry.decide("XAA_2027_COPS_v01_M", State.ACCEPTED, who="reviewer")
    assert [s.id for s in registry.current_waves()] == ["XAA_2026_COPS_v02_M", "XAA_2027_COPS_v01_M"]
    assert [s.id for s in registry.submissions(State.SUPERSEDED)] == ["XAA_2026_COPS_v01_M"]
    assert registry.decisions("XAA_2026_COPS_v01_M") == [
        Decision("XAA_2026_COPS_v01_M", State.ACCEPTED, "reviewer", "all well", NOON),
        Decision("XAA_2026_COPS_v01_M", State.SUPERSEDED, "reviewer", "accepted XAA_2026_COPS_v02_M", NOON),
    ]


def test_an_older_version_never_takes_the_place_of_a_newer_one(registry: Registry) -> None:
    for version, content in ((1, "a"), (2, "b")):
        registry.register(submission(version, content), State.WAITING)
    registry.decide("XAA_2026_COPS_v02_M", State.ACCEPTED, who="me")
    with pytest.raises(UsageError) as error:
        registry.decide("XAA_2026_COPS_v01_M", State.ACCEPTED, who="me")
    assert refusal(error) == "U011"
    assert registry.get("XAA_2026_COPS_v01_M").state == State.WAITING
    assert registry.decide("XAA_2026_COPS_v01_M", State.DECLINED, who="me").state == State.DECLINED


def test_decisions_are_final_and_repeatable(registry: Registry) -> None:
    registry.register(submission(), State.WAITING)
    declined = registry.decide("XAA_2026_COPS_v01_M", State.DECLINED, who="me")
    assert registry.decide("XAA_2026_COPS_v01_M", State.DECLINED, who="you") == declined
    assert len(registry.decisions(declined.id)) == 1
    with pytest.raises(UsageError) as error:
        registry.decide(declined.id, State.ACCEPTED, who="me")
    assert refusal(error) == "U010"


@pytest.mark.parametrize("state", [State.ACCEPTED, State.DECLINED, State.SUPERSEDED])
def test_registering_is_no_decision(registry: Registry, state: State) -> None:
    with pytest.raises(UsageError) as error:
        registry.register(submission(), state)
    assert refusal(error) == "U008"
    with pytest.raises(UsageError):
        registry.decide("XAA_2026_COPS_v01_M", State.WAITING, who="me")
    assert registry.submissions() == []


def test_estimates_and_releases_are_recorded(registry: Registry) -> None:
    registry.register(submission(), State.WAITING)
    for fingerprint in ("1", "2"):
        registry.record_estimates("XAA_2026_COPS_v01_M", fingerprint, at=NOON)
    assert [(r.fingerprint, r.at) for r in registry.estimate_runs("XAA_2026_COPS_v01_M")] == [
        ("1", NOON),
        ("2", NOON),
    ]
    registry.record_release("2026-Q4", "f", "a" * 64, at=NOON)
    registry.record_release("2026-Q4", "f", "a" * 64)
    with pytest.raises(ReleaseError):
        registry.record_release("2026-Q4", "f", "b" * 64)
    assert [(r.label, r.manifest_sha256, r.at) for r in registry.releases()] == [("2026-Q4", "a" * 64, NOON)]


def test_a_failing_transaction_leaves_nothing(registry: Registry) -> None:
    doubled = [FindingCount("r", "error", 1), FindingCount("r", "error", 2)]
    with pytest.raises(Retriable):
        registry.register(submission(), State.WAITING, doubled)
    assert registry.submissions() == []


def test_writers_wait_for_each_other(registry: Registry, home: Home) -> None:
    def take_in(version: int) -> State:
        new = replace(submission(version), content_hash=f"{version:064d}")
        registry.register(new, State.WAITING)
        try:
            return registry.decide(new.id, State.ACCEPTED, who="me").state
        except UsageError as error:
            assert error.code == "U011"
            return State.WAITING

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take_in, range(1, 13)))
    states = [s.state for s in registry.submissions()]
    assert len(states) == 12
    assert states.count(State.ACCEPTED) == 1
    assert registry.current_waves()[0].version == 12


def test_the_file_is_durable_and_can_be_read_by_others(home: Home) -> None:
    home.registry.register(submission(), State.WAITING)
    connection = sqlite3.connect(home.path / "registry.sqlite")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT id, state FROM submission").fetchall() == [
        ("XAA_2026_COPS_v01_M", "waiting")
    ]


def test_a_locked_or_damaged_registry_is_told_apart(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copstats.store.database._BUSY_SECONDS", 0.1)
    path = home.path / "registry.sqlite"
    registry = Registry.sqlite(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Retriable) as locked:
        registry.register(submission(), State.WAITING)
    assert (locked.value.code, locked.value.__cause__) == ("T002", None)
    other.execute("ROLLBACK")
    other.close()
    path.write_bytes(b"this is no database, whatever its name may say. " * 100)
    with pytest.raises(UsageError) as damaged:
        registry.submissions()
    assert refusal(damaged) == "U006"


@pytest.mark.parametrize(
    "url", ["nonsense secret", "nosuch://me:secret@host/db", "mysql+nodriver://me:secret@host/db"]
)
def test_an_unusable_url_is_said_without_quoting_it(url: str) -> None:
    with pytest.raises(UsageError) as error:
        Registry(url)
    assert refusal(error) == "U004"
    assert "secret" not in f"{error.value}{error.value.as_dict()}"


def test_a_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    registry = Registry.sqlite(tmp_path / "r.sqlite")
    with pytest.raises(Exception, match="ambiguous"):
        registry.register(submission(), State.WAITING, at=dt.datetime(2026, 1, 1))
