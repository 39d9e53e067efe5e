from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from copstats import steps
from copstats.errors import CopstatsError, PortalError, ReleaseError, UsageError
from copstats.steps.approval import approvals_of, approve, approve_release, decline
from copstats.steps.standing import standing_of
from copstats.store.home import Home
from copstats.store.portal import PortalRegistry, Role
from copstats.store.portal_review import Approval, ApprovalRegistry
from copstats.store.prepared import Prepared
from copstats.store.rows import State
from tests.portal.board.registered import register

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
ID = "KEN_2026_COPS_v01_M"
Make = Callable[..., str]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return Home.open(tmp_path / "home", create=True).path


@pytest.fixture
def token(home: Path) -> Make:
    """Makes a token and gives its id."""
    registry = PortalRegistry(Home.open(home).registry.database)

    def make(holder: str, role: Role = "reviewer", area: str | None = None, days: int = 10) -> str:
        return registry.create_token(role, area=area, holder=holder, days=days, now=NOW)[1].id

    return make


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(CopstatsError) as error:
        call()
    assert error.value.title
    assert error.value.why
    assert error.value.hint
    return error.value.code


def test_two_reviewers_accept_a_submission(home: Path, token: Make) -> None:
    register(home, "KEN")
    one, two = token("A. Otieno"), token("B. Wanjiru")
    first = approve(home, ID, one, now=NOW)
    assert (first.submission.state, first.missing, first.needed) == (State.WAITING, 1, 2)
    second = approve(home, ID, two, now=NOW)
    assert (second.submission.state, second.missing) == (State.ACCEPTED, 0)
    opened = Home.open(home)
    (decision,) = opened.registry.decisions(ID)
    assert decision.who == "A. Otieno, B. Wanjiru"
    actions = [(e["action"], e["facts"].get("token")) for e in opened.audit.entries() if e["subject"] == ID]
    assert actions == [
        ("submission.approved", one),
        ("submission.approved", two),
        ("submission.accepted", None),
    ]
    assert opened.audit.verify() == []


@pytest.mark.parametrize("again", ["A. Otieno", "a. OTIENO", " A.\u00a0 Otieno ", "\uff21. Otieno"])
def test_nobody_approves_twice_whatever_the_token_and_the_spelling(
    home: Path, token: Make, again: str
) -> None:
    register(home, "KEN")
    first = token("A. Otieno")
    approve(home, ID, first, now=NOW)
    other = token(again)
    assert code_of(lambda: approve(home, ID, first, now=NOW)) == "P305"
    assert code_of(lambda: approve(home, ID, other, now=NOW)) == "P305"
    assert Home.open(home).registry.get(ID).state == State.WAITING


def test_nobody_decides_on_what_they_sent(home: Path, token: Make) -> None:
    sender = token("Bureau of Statistics", "provider", "KEN")
    register(home, "KEN", sent_with=sender)
    same_person = token("bureau of statistics")
    assert code_of(lambda: approve(home, ID, same_person, now=NOW)) == "P304"
    assert code_of(lambda: decline(home, ID, same_person, reason="no", now=NOW)) == "P304"
    assert approvals_of(Home.open(home), Home.open(home).registry.get(ID)).approvals == ()


@pytest.mark.parametrize("role", ["provider", "operator", "auditor"])
def test_reviewers_alone_decide(home: Path, token: Make, role: Role) -> None:
    register(home, "KEN")
    by = token("C. Njeri", role, "KEN" if role == "provider" else None)
    assert code_of(lambda: approve(home, ID, by, now=NOW)) == "P112"
    assert code_of(lambda: decline(home, ID, by, reason="no", now=NOW)) == "P112"


def test_a_token_that_has_ended_or_never_was_decides_nothing(home: Path, token: Make) -> None:
    register(home, "KEN")
    late = token("A. Otieno", days=1)
    assert code_of(lambda: approve(home, ID, late, now=NOW + dt.timedelta(days=1))) == "P112"
    assert code_of(lambda: approve(home, ID, "00000000", now=NOW)) == "P112"


def test_an_approval_by_a_token_that_was_revoked_does_not_count(home: Path, token: Make) -> None:
    register(home, "KEN")
    stolen = token("A. Otieno")
    approve(home, ID, stolen, now=NOW)
    PortalRegistry(Home.open(home).registry.database).revoke_token(stolen, now=NOW)
    assert approve(home, ID, token("B. Wanjiru"), now=NOW).missing == 1
    assert approve(home, ID, token("A. Otieno"), now=NOW).submission.state == State.ACCEPTED


def test_one_decline_is_enough_and_needs_a_reason(home: Path, token: Make) -> None:
    register(home, "KEN")
    one, two = token("A. Otieno"), token("B. Wanjiru")
    approve(home, ID, one, now=NOW)
    for reason in ("", " \r\n ", "x" * 4001):
        assert code_of(lambda reason=reason: decline(home, ID, two, reason=reason, now=NOW)) == "P301"
    declined = decline(home, ID, two, reason=" Weights are missing. ", now=NOW)
    assert declined.submission.state == State.DECLINED
    (decision,) = Home.open(home).registry.decisions(ID)
    assert (decision.who, decision.reason) == ("B. Wanjiru", "Weights are missing.")
    assert code_of(lambda: approve(home, ID, token("C. Njeri"), now=NOW)) == "U010"


def test_who_approved_may_still_decline(home: Path, token: Make) -> None:
    register(home, "KEN")
    one = token("A. Otieno")
    approve(home, ID, one, now=NOW)
    assert decline(home, ID, one, reason="Seen too late.", now=NOW).submission.state == State.DECLINED


def test_a_decision_that_was_cut_off_is_taken_when_somebody_asks_again(home: Path, token: Make) -> None:
    made = register(home, "KEN")
    tokens = {holder: token(holder) for holder in ("A. Otieno", "B. Wanjiru")}
    registry = ApprovalRegistry(Home.open(home).registry.database)
    for holder, id_ in tokens.items():
        said = Approval(
            subject=ID,
            content_hash=made.content_hash,
            token_id=id_,
            holder=holder,
            verdict="approved",
            reason="",
            at=NOW,
        )
        assert registry.enter(said)
        assert not registry.enter(said)
    assert approve(home, ID, tokens["B. Wanjiru"], now=NOW).submission.state == State.ACCEPTED


def test_an_approval_is_of_one_content_alone(home: Path, token: Make) -> None:
    register(home, "KEN")
    register(home, "KEN", version=2)
    approve(home, ID, token("A. Otieno"), now=NOW)
    newer = approve(home, "KEN_2026_COPS_v02_M", token("B. Wanjiru"), now=NOW)
    assert newer.submission.state == State.WAITING


def test_reviewers_at_the_same_time_are_all_counted(home: Path, token: Make) -> None:
    register(home, "KEN")
    tokens = [token(f"Reviewer {number}") for number in range(2)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda by: approve(home, ID, by, now=NOW).missing, tokens))
    assert sorted(found) == [0, 1]
    assert Home.open(home).registry.get(ID).state == State.ACCEPTED


def test_the_settings_say_how_many_it_takes(home: Path, token: Make) -> None:
    settings = home / "copstats.toml"
    settings.write_text(settings.read_text("utf-8").replace("approvals = 2", "approvals = 1"), "utf-8")
    register(home, "KEN")
    assert approve(home, ID, token("A. Otieno"), now=NOW).submission.state == State.ACCEPTED


def test_what_is_not_there_is_not_decided(home: Path, token: Make) -> None:
    with pytest.raises(UsageError) as error:
        approve(home, "KEN_2020_COPS_v01_M", token("A. Otieno"), now=NOW)
    assert error.value.code == "U009"


def test_a_release_is_approved_by_an_operator_who_saw_exactly_it(home: Path, token: Make) -> None:
    operator, reviewer = token("D. Kamau", "operator"), token("A. Otieno")
    prepared = Prepared(
        label="2026-Q4", made_from="a" * 64, fingerprint="b" * 64, manifest="c" * 64, vintages={}, new={}
    )
    opened = Home.open(home)
    (home / "prepared" / "2026-Q4").mkdir()
    opened.prepared.note(prepared)
    with pytest.raises(PortalError) as error:
        approve_release(home, "2026-Q4", operator, manifest="d" * 64, now=NOW)
    assert error.value.code == "P307"
    with pytest.raises(PortalError) as error:
        approve_release(home, "2026-Q4", reviewer, manifest="c" * 64, now=NOW)
    assert error.value.code == "P112"
    with pytest.raises(ReleaseError) as unknown:
        approve_release(home, "2026-Q3", operator, manifest="c" * 64, now=NOW)
    assert unknown.value.code == "R094"
    assert opened.prepared.get("2026-Q4") == prepared
    assert not standing_of(opened, prepared, NOW).approved_by


def test_an_approval_of_a_release_waits_for_nobody_and_is_of_one_content_alone(
    home: Path, token: Make
) -> None:
    operator, other = token("D. Kamau", "operator"), token("E. Achieng", "operator")
    prepared = Prepared(
        label="2026-Q4", made_from="a" * 64, fingerprint="b" * 64, manifest="c" * 64, vintages={}, new={}
    )
    opened = Home.open(home)
    (home / "prepared" / "2026-Q4").mkdir()
    opened.prepared.note(prepared)
    with opened.lock():  # as while something is taken in or built
        for by in (operator, operator, other):
            approve_release(home, "2026-Q4", by, manifest="c" * 64, now=NOW)
    standing = standing_of(opened, prepared, NOW)
    assert (standing.approved_by, standing.due, standing.approved_before) == (
        "D. Kamau, E. Achieng",
        True,
        False,
    )
    assert steps.approved_releases(opened, now=NOW) == [prepared]
    said = [e["facts"]["token"] for e in opened.audit.entries() if e["action"] == "release.approved"]
    assert said == [operator, other]
    tokens = PortalRegistry(opened.registry.database)
    tokens.revoke_token(other, now=NOW)
    assert standing_of(opened, prepared, NOW).approved_by == "D. Kamau"
    opened.prepared.note(anew := replace(prepared, manifest="d" * 64))
    standing = standing_of(opened, anew, NOW)
    assert (standing.approved_by, standing.due, standing.approved_before) == ("", False, True)
    assert steps.approved_releases(opened, now=NOW) == []
    tokens.revoke_token(operator, now=NOW)
    assert not standing_of(opened, anew, NOW).approved_before
