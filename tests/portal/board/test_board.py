from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest
from msgspec.structs import replace

from copstats import steps
from copstats.language import LANGUAGES
from copstats.store.home import Home
from copstats.store.prepared import Prepared
from copstats.store.rows import State
from tests.portal.board.registered import register
from tests.portal.conftest import PATIENT, Served, csrf_of, new_home, serve

PAGES = {
    "board": {"reviewer", "operator"},
    "board.csv": {"reviewer", "operator"},
    "board/countries/KEN": {"reviewer", "operator"},
    "board/submissions/KEN_2026_COPS_v01_M": {"reviewer", "operator"},
    "board/releases": {"reviewer", "operator"},
    "board/windows": {"operator"},
    "board/tokens": {"operator"},
    "board/log": {"auditor"},
}
SCRIPT = "<script>alert(1)</script>"


class SignedInOnce(Served):
    """Everybody keeps the browser in which they signed in first."""

    def browser(self, name: str | None = None, language: str = "en") -> httpx.Client:
        kept = self.__dict__.setdefault("kept", {})
        if name not in kept:
            kept[name] = super().browser(name, language)
        return kept[name]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A portal to which Kenya has sent four surveys, Uganda one with errors."""
    home = tmp_path_factory.mktemp("board") / "home"
    tokens, ids = new_home(home)
    register(home, "KEN", findings={"warning": 3}, sent_with=ids["KEN"])
    for survey in ("DECIDED", "DECLINED", "PROGRAM"):
        register(home, "KEN", survey=survey)
    register(home, "UGA", findings={"error": 7, "warning": 2}, state=State.REJECTED)
    with serve(home, tokens, ids, worker=False, limits=PATIENT) as served:
        yield SignedInOnce(**vars(served))


class Page(HTMLParser):
    """What a page holds that matters for assistive technology and for the content security policy."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.starts: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.starts.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.starts if name == tag]


def post(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    return browser.post(path, data={"csrf": csrf_of(browser), **fields})


@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_for_its_roles(board: Served, path: str) -> None:
    for name in ("KEN", "reviewer", "operator", "auditor"):
        expected = 200 if name in PAGES[path] else 403
        assert board.browser(name).get(f"/en/{path}").status_code == expected, name
    assert board.browser().get(f"/en/{path}").headers["location"].startswith("/en/sign-in")


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_accessible_in_every_language(board: Served, language: str) -> None:
    for path, roles in PAGES.items():
        if path.endswith(".csv"):
            continue
        answer = board.browser(sorted(roles)[0]).get(f"/{language}/{path}")
        page = Page(answer.text)
        (document,) = page.all("html")
        assert document == {"lang": language, "dir": "rtl" if language == "ar" else "ltr"}
        assert len(page.all("h1")) == 1
        assert len(page.all("table")) == len(page.all("caption"))
        assert all("scope" in one for one in page.all("th"))
        ids = [attributes["id"] for _, attributes in page.starts if "id" in attributes]
        assert len(ids) == len(set(ids)), path
        labelled = {one["for"] for one in page.all("label")}
        fields = page.all("input") + page.all("select") + page.all("textarea")
        assert {one["id"] for one in fields if one.get("type") != "hidden"} <= labelled
        assert not page.all("style")
        assert all(one.get("src") for one in page.all("script"))
        assert not any(key.startswith("on") or key == "style" for _, found in page.starts for key in found)
        posts = [one for one in page.all("form") if one.get("method") == "post"]
        assert len([one for one in page.all("input") if one.get("name") == "csrf"]) == len(posts)


def test_the_board_says_what_waits_for_whom(board: Served) -> None:
    reviewer = board.browser("reviewer")
    found = list(csv.DictReader(io.StringIO(reviewer.get("/en/board.csv").content.decode("utf-8-sig"))))
    kenya, uganda = found
    assert (kenya["area"], kenya["region"], kenya["waits_for"]) == ("KEN", "AFR", "reviewer")
    assert (uganda["state"], uganda["waits_for"]) == ("rejected", "country")
    assert (uganda["errors"], uganda["warnings"], uganda["custody"]) == ("1", "1", "double")
    assert float(uganda["response_rate"]) == pytest.approx(0.815)
    only = reviewer.get("/en/board.csv", params={"state": "rejected"}).content.decode("utf-8-sig")
    assert [row["area"] for row in csv.DictReader(io.StringIO(only))] == ["UGA"]
    page = reviewer.get("/en/board", params={"state": "rejected", "region": "AFR"}).text
    assert "UGA_2026_COPS_v01_M" in page
    assert "KEN_2026" not in page
    assert 'value="rejected" selected' in page
    nobody = reviewer.get("/en/board", params={"region": "EUR"}).text
    assert "No country is in this state." in nobody


def test_two_reviewers_accept_on_the_page(board: Served) -> None:
    path = "/en/board/submissions/KEN_2026_DECIDED_v01_M"
    first, second = board.browser("reviewer"), board.browser("second reviewer")
    assert "Approvals: 0 of 2" in first.get(path).text
    answer = post(first, f"{path}/decision", decision="approve")
    assert answer.headers["location"] == f"{path}?done=approved"
    page = first.get(answer.headers["location"]).text
    assert "Your approval is recorded." in page
    assert 'class="approve"' not in page
    again = post(first, f"{path}/decision", decision="approve")
    assert (again.status_code, "P305" in again.text) == (409, True)
    answer = post(second, f"{path}/decision", decision="approve")
    assert answer.headers["location"] == f"{path}?done=accepted"
    page = second.get(path).text
    assert "Office of reviewer, Office of second reviewer" in page
    assert 'name="decision"' not in page


def test_a_decline_needs_its_reason_and_the_operator_does_not_decide(board: Served) -> None:
    path = "/en/board/submissions/KEN_2026_DECLINED_v01_M"
    reviewer, operator = board.browser("reviewer"), board.browser("operator")
    assert 'name="decision"' not in operator.get(path).text
    assert post(operator, f"{path}/decision", decision="approve").status_code == 403
    assert "P301" in post(reviewer, f"{path}/decision", decision="decline", reason=" ").text
    assert "P306" in post(reviewer, f"{path}/decision").text
    answer = post(reviewer, f"{path}/decision", decision="decline", reason=f"Weights {SCRIPT}")
    assert answer.headers["location"] == f"{path}?done=declined"
    assert SCRIPT not in reviewer.get(path).text
    assert "Weights &lt;script&gt;" in reviewer.get(path).text


def test_without_the_session_s_secret_nothing_is_decided(board: Served) -> None:
    reviewer, path = board.browser("reviewer"), "/en/board/submissions/KEN_2026_COPS_v01_M/decision"
    for fields in ({}, {"csrf": "0" * 64}, {"csrf": csrf_of(board.browser("second reviewer"))}):
        assert reviewer.post(path, data={"decision": "approve", **fields}).status_code == 403
    foreign = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    fields = {"decision": "approve", "csrf": csrf_of(reviewer)}
    assert reviewer.post(path, data=fields, headers=foreign).status_code == 403
    standing = board.client("reviewer").get("/api/submissions/KEN_2026_COPS_v01_M/decision").json()
    assert (standing["state"], standing["missing"]) == ("waiting", 2)


def test_programs_decide_by_the_same_rules(board: Served) -> None:
    path = "/api/submissions/KEN_2026_PROGRAM_v01_M/decision"
    for name in ("KEN", "operator", "auditor"):
        assert board.client(name).post(path, json={"decision": "approve"}).status_code == 403
    first = board.client("reviewer").post(path, json={"decision": "approve"}).json()
    assert (first["state"], first["missing"]) == ("waiting", 1)
    again = board.client("reviewer").post(path, json={"decision": "approve"})
    assert (again.status_code, again.json()["code"]) == (409, "P305")
    assert board.client("second reviewer").post(path, json={"decision": "decline"}).json()["code"] == "P301"
    second = board.client("second reviewer").post(path, json={"decision": "approve"}).json()
    assert (second["state"], second["missing"]) == ("accepted", 0)
    late = board.client("second reviewer").post(path, json={"decision": "approve"})
    assert (late.status_code, late.json()["code"]) == (409, "U010")
    assert board.client("reviewer").post("/api/submissions/no/decision", json={}).status_code == 422


def test_messages_go_between_a_country_and_the_receiving_side_alone(board: Served) -> None:
    path = "/api/submissions/KEN_2026_COPS_v01_M/messages"
    said = board.client("KEN").post(path, json={"text": f"Please look {SCRIPT}"})
    assert (said.status_code, said.json()["from_area"], said.json()["read_at"]) == (201, True, None)
    assert board.client("UGA").get(path).json()["code"] == "P110"
    assert board.client("UGA").post(path, json={"text": "x"}).status_code == 404
    assert board.client("UGA").get("/api/messages", params={"area": "KEN"}).status_code == 404
    assert board.client("auditor").get(path).status_code == 403
    assert board.client("reviewer").get("/api/messages").json()["code"] == "P125"
    assert board.client("KEN").post(path, json={"text": " "}).json()["code"] == "P322"
    reviewer = board.browser("reviewer")
    assert '<span class="unread">1</span>' in reviewer.get("/en/board").text
    page = reviewer.get("/en/board/submissions/KEN_2026_COPS_v01_M").text
    assert "Please look &lt;script&gt;" in page
    assert SCRIPT not in page
    assert 'class="unread"' not in reviewer.get("/en/board").text
    answer = post(reviewer, "/en/board/submissions/KEN_2026_COPS_v01_M/messages", text="We will.")
    assert answer.headers["location"].endswith("?done=message")
    post(reviewer, "/en/board/countries/KEN/messages", text="In general.")
    assert [one["text"] for one in board.client("KEN").get("/api/messages").json()["messages"]] == [
        f"Please look {SCRIPT}",
        "We will.",
        "In general.",
    ]
    general = board.client("KEN").post("/api/messages", json={"text": "Thank you."}).json()
    assert (general["area"], general["submission"]) == ("KEN", None)
    assert reviewer.get("/en/board/countries/ZZZ").status_code == 404
    log = (board.home / "audit.log").read_text("utf-8")
    assert "portal.message" in log
    assert "Please look" not in log


@pytest.mark.parametrize("area", ["KEN", "*"])
def test_an_operator_opens_and_removes_windows(board: Served, area: str) -> None:
    operator = board.browser("operator")
    said = {"area": area, "opens": "2020-01-01", "closes": "2020-12-31", "title": "Round of 2020"}
    wrong = post(operator, "/en/board/windows", **{**said, "closes": "31/12/2020"})
    assert (wrong.status_code, 'id="closes-error"' in wrong.text) == (422, True)
    assert 'value="Round of 2020"' in wrong.text
    answer = post(operator, "/en/board/windows", **said)
    assert answer.headers["location"] == "/en/board/windows?done=window"
    page = operator.get("/en/board/windows").text
    assert ">over<" in page
    found = re.search(r'name="remove" value="([^"]+)"', page)
    assert found
    post(operator, "/en/board/windows", remove=found[1])
    assert "There is no window." in operator.get("/en/board/windows").text
    assert post(board.browser("reviewer"), "/en/board/windows", **said).status_code == 403


def test_windows_that_cannot_be_read_do_not_hide_the_board(board: Served) -> None:
    path = board.home / "windows.csv"
    path.write_text("area,opens,closes,title\nKEN,soon,later,x\n", "utf-8")
    try:
        for page in ("board", "board/windows"):
            answer = board.browser("operator").get(f"/en/{page}")
            assert (answer.status_code, "P302" in answer.text) == (200, True)
    finally:
        path.unlink()


def test_a_token_is_shown_once_and_revoked(board: Served) -> None:
    operator = board.browser("operator")
    fields = {"role": "reviewer", "area": "", "holder": "Third reviewer", "days": "30"}
    page = post(operator, "/en/board/tokens", **fields).text
    (secret,) = re.findall(r"<code>(cop_[A-Za-z0-9_-]{43})</code>", page)
    assert secret not in operator.get("/en/board/tokens").text
    assert secret not in board.log.read_text("utf-8")
    bearer = {"authorization": f"Bearer {secret}"}
    assert board.client(**bearer).get("/api/submissions").status_code == 200
    found = re.search(r"Token (\w+) is made", page)
    assert found
    answer = post(operator, f"/en/board/tokens/{found[1]}/revoke")
    assert answer.headers["location"] == "/en/board/tokens?done=revoked"
    assert board.client(**bearer).get("/api/submissions").status_code == 401
    assert "P308" in post(operator, f"/en/board/tokens/{board.ids['operator']}/revoke").text
    assert "P103" in post(operator, "/en/board/tokens/no/revoke").text


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"role": "root"}, "P101"),
        ({"role": "provider"}, "P101"),
        ({"area": "KEN"}, "P101"),
        ({"area": "ZZZ"}, "P125"),
        ({"holder": " "}, "P102"),
        ({"days": "0"}, "P309"),
        ({"days": "1097"}, "P309"),
        ({"days": "-1"}, "P309"),
        ({"days": "9" * 5000}, "P309"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(board: Served, changed: dict[str, str], code: str) -> None:
    fields = {"role": "reviewer", "area": "", "holder": "Somebody", "days": "30", **changed}
    answer = post(board.browser("operator"), "/en/board/tokens", **fields)
    assert answer.status_code in (400, 422)
    assert f"<code>{code}</code>" in answer.text
    assert "Somebody" not in board.browser("operator").get("/en/board/tokens").text


def test_releases_that_are_not_prepared_are_not_approved(board: Served) -> None:
    operator = board.browser("operator")
    answer = post(operator, "/en/board/releases/2026-Q4/approve", manifest="0" * 64)
    assert (answer.status_code, "R094" in answer.text) == (409, True)
    reviewer = board.browser("reviewer")
    assert post(reviewer, "/en/board/releases/2026-Q4/approve", manifest="0").status_code == 403


def test_a_release_is_approved_at_once_and_the_page_says_what_becomes_of_it(board: Served) -> None:
    home, operator, path = Home.open(board.home), board.browser("operator"), "/en/board/releases"
    prepared = Prepared(
        label="2026-Q4", made_from="a" * 64, fingerprint="b" * 64, manifest="c" * 64, vintages={}, new={}
    )
    (home.path / "prepared" / "2026-Q4").mkdir()
    home.prepared.note(prepared)
    try:
        assert "P307" in post(operator, f"{path}/2026-Q4/approve", manifest="d" * 64).text
        with home.lock():
            answer = post(operator, f"{path}/2026-Q4/approve", manifest="c" * 64)
        assert answer.headers["location"] == f"{path}?done=2026-Q4"
        page = operator.get(answer.headers["location"]).text
        assert "Your approval is recorded." in page
        assert "the release calendar puts it in its place" in page  # no worker runs here
        assert "/approve" not in page
        steps.note_outcome(home.path, "2026-Q4", "C104")
        assert "<code>C104</code>" in operator.get(path).text
        steps.note_outcome(home.path, "2026-Q4", "")
        assert "C104" not in operator.get(path).text
        home.prepared.note(replace(prepared, manifest="d" * 64))
        page = operator.get(answer.headers["location"]).text
        assert page.count("It has changed since it was approved") == 2  # what became of it; what it waits for
        assert "/approve" in page
    finally:
        home.prepared.discard("2026-Q4")


def test_the_auditor_reads_the_log_and_sees_that_it_is_whole(board: Served) -> None:
    auditor = board.browser("auditor")
    page = auditor.get("/en/board/log").text
    assert "The chain holds" in page
    assert Home.open(board.home).audit.verify() == []
    only = auditor.get("/en/board/log", params={"subject": board.ids["auditor"]}).text
    assert "portal.signed-in" in only
    assert board.ids["reviewer"] not in only
    shown = [int(one.replace(",", "")) for one in re.findall(r'class="num">([\d,]+)</th>', page)]
    assert shown == sorted(shown, reverse=True)
    earlier = auditor.get("/en/board/log", params={"before": shown[2]}).text
    assert re.findall(r'class="num">([\d,]+)</th>', earlier)[0] == f"{shown[3]:,}"


def test_an_entry_that_somebody_changed_is_told(board: Served) -> None:
    log = board.home / "audit.log"
    before = log.read_bytes()
    auditor = board.browser("auditor")
    whole = log.read_bytes()
    lines = whole.splitlines(keepends=True)
    log.write_bytes(b"".join([lines[0].replace(b"portal", b"pirate"), *lines[1:]]))
    try:
        page = auditor.get("/en/board/log").text
        assert "Line 1: the entry was changed or not written by this home." in page
        assert "The chain holds" not in page
    finally:
        log.write_bytes(whole)
    assert whole.startswith(before)
