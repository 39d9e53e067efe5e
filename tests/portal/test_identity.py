from __future__ import annotations

import datetime as dt
import hashlib
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copstats.errors import PortalError
from copstats.portal.context import preferred
from copstats.portal.security.origins import own_path
from copstats.portal.security.rates import Rates, client_key
from copstats.store.home import Home
from copstats.store.portal import PortalRegistry
from tests.portal.conftest import HOLDERS, Served, csrf_of

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
IDLE, LONGEST = 30 * MINUTE, 480 * MINUTE
START_OF = {
    "KEN": "/en/country",
    "reviewer": "/en/board",
    "operator": "/en/board",
    "auditor": "/en/board/log",
}


@pytest.fixture
def registry(tmp_path: Path) -> PortalRegistry:
    return PortalRegistry(Home.open(tmp_path / "home", create=True).registry.database)


def make(registry: PortalRegistry, days: int = 10) -> tuple[str, str]:
    secret, token = registry.create_token("provider", area="KEN", holder="KNBS", days=days, now=NOW)
    return secret, token.id


def session_at(registry: PortalRegistry, session: str, now: dt.datetime) -> bool:
    return registry.session_of(session, now=now, idle=IDLE, longest=LONGEST) is not None


def test_a_token_has_256_bits_and_only_its_hash_is_kept(registry: PortalRegistry, tmp_path: Path) -> None:
    secret, token_id = make(registry)
    session = registry.open_session(token_id, now=NOW)
    assert re.fullmatch(r"cop_[A-Za-z0-9_-]{43}", secret)
    with sqlite3.connect(tmp_path / "home" / "registry.sqlite") as database:
        assert database.execute("SELECT digest FROM token").fetchall() == [
            (hashlib.sha256(secret.encode()).hexdigest(),)
        ]
    for file in (tmp_path / "home").glob("registry.sqlite*"):
        content = file.read_bytes()
        assert secret.encode() not in content
        assert session.encode() not in content


def test_a_token_opens_until_it_expires_or_is_revoked(registry: PortalRegistry) -> None:
    secret, token_id = make(registry, days=10)
    last = NOW + dt.timedelta(days=10)
    assert registry.token_of(secret, now=last - MINUTE) is not None
    assert registry.token_of(secret, now=last) is None
    revoked = registry.revoke_token(token_id, now=NOW + MINUTE)
    assert registry.token_of(secret, now=NOW + MINUTE) is None
    assert registry.revoke_token(token_id, now=NOW + 5 * MINUTE).revoked_at == revoked.revoked_at


@pytest.mark.parametrize(
    ("role", "area", "holder", "code"),
    [
        ("provider", None, "KNBS", "P101"),
        ("reviewer", "KEN", "KNBS", "P101"),
        ("operator", None, " ", "P102"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(
    registry: PortalRegistry, role: str, area: str | None, holder: str, code: str
) -> None:
    with pytest.raises(PortalError, match=code):
        registry.create_token(role, area=area, holder=holder, days=1, now=NOW)  # type: ignore[arg-type]
    assert registry.tokens() == []


def test_a_session_ends_unused_or_after_its_longest_time(registry: PortalRegistry) -> None:
    _, token_id = make(registry)
    left = registry.open_session(token_id, now=NOW)
    used = registry.open_session(token_id, now=NOW)
    for minutes in range(0, 480, 20):
        assert session_at(registry, used, NOW + minutes * MINUTE)
    assert not session_at(registry, used, NOW + 480 * MINUTE)
    assert not session_at(registry, left, NOW + 30 * MINUTE)
    assert registry.expire_sessions(before=NOW + 470 * MINUTE) == 2


@pytest.mark.parametrize("ending", ["sign-out", "revoked", "expired"])
def test_a_session_ends_with_its_token(registry: PortalRegistry, ending: str) -> None:
    _, token_id = make(registry, days=1)
    now = NOW + dt.timedelta(days=1) - MINUTE
    session = registry.open_session(token_id, now=now)
    assert session_at(registry, session, now)
    if ending == "sign-out":
        registry.end_session(session)
    if ending == "revoked":
        registry.revoke_token(token_id, now=now)
    assert not session_at(registry, session, now + (MINUTE if ending == "expired" else 0 * MINUTE))


@given(st.text(max_size=60) | st.from_regex(r"cop_[A-Za-z0-9_-]{43}", fullmatch=True))
def test_no_other_text_is_a_token(portal: Served, guess: str) -> None:
    registry = PortalRegistry(Home.open(portal.home).registry.database)
    assert registry.token_of(guess, now=dt.datetime.now(dt.UTC)) is None


@pytest.mark.parametrize("name", START_OF)
def test_signing_in_leads_to_the_page_of_the_role(portal: Served, name: str) -> None:
    browser = portal.browser(name)
    answer = browser.get("/en/start")
    assert (answer.status_code, answer.headers["location"]) == (303, START_OF[name])


def test_the_cookie_is_kept_from_scripts_and_other_sites(portal: Served) -> None:
    answer = portal.browser().post("/en/sign-in", data={"token": portal.tokens["KEN"]})
    name, *attributes = answer.headers["set-cookie"].lower().split("; ")
    assert name.startswith("copstats=")
    assert {"httponly", "samesite=strict", "path=/"} <= set(attributes)
    assert "domain" not in answer.headers["set-cookie"].lower()


def test_a_new_session_at_each_sign_in(portal: Served) -> None:
    browser = portal.browser("KEN")
    first = browser.cookies["copstats"]
    browser.post("/en/sign-in", data={"token": portal.tokens["KEN"]})
    assert browser.cookies["copstats"] != first
    assert leads_to(portal, first) == "/en/sign-in?next=/en/start"


def test_a_session_replayed_after_signing_out_is_none(portal: Served) -> None:
    browser = portal.browser("KEN")
    session = browser.cookies["copstats"]
    assert browser.post("/en/sign-out", data={"csrf": csrf_of(browser)}).status_code == 303
    assert "copstats" not in browser.cookies
    assert leads_to(portal, session) == "/en/sign-in?next=/en/start"


def leads_to(portal: Served, session: str) -> str:
    """Where the start page leads whoever sends this session's cookie."""
    return portal.client(cookie=f"copstats={session}").get("/en/start").headers["location"]


def test_a_revoked_token_opens_nothing_and_its_session_ends(portal: Served) -> None:
    registry, now = PortalRegistry(Home.open(portal.home).registry.database), dt.datetime.now(dt.UTC)
    secret, made = registry.create_token("reviewer", area=None, holder="To be revoked", days=1, now=now)
    browser = portal.browser()
    browser.post("/en/sign-in", data={"token": secret})
    assert browser.get("/en/start").headers["location"] == "/en/board"
    registry.revoke_token(made.id, now=now)
    assert browser.get("/en/start").headers["location"] == "/en/sign-in?next=/en/start"
    refused = portal.browser().post("/en/sign-in", data={"token": secret})
    assert (refused.status_code, "P119" in refused.text) == (403, True)


def test_an_expired_token_opens_nothing(portal: Served) -> None:
    registry, now = PortalRegistry(Home.open(portal.home).registry.database), dt.datetime.now(dt.UTC)
    before = now - dt.timedelta(days=2)
    secret, _ = registry.create_token("reviewer", area=None, holder="Expired", days=1, now=before)
    assert portal.browser().post("/en/sign-in", data={"token": secret}).status_code == 403
    refused = portal.client(authorization=f"Bearer {secret}").get("/api/submissions")
    assert (refused.status_code, refused.json()["code"]) == (401, "P111")


@pytest.mark.parametrize("sent", ["", "0" * 64, "of another session"])
def test_a_form_without_the_secret_of_its_session_changes_nothing(portal: Served, sent: str) -> None:
    browser = portal.browser("KEN")
    csrf = csrf_of(portal.browser("KEN")) if sent == "of another session" else sent
    answer = browser.post("/en/sign-out", data={"csrf": csrf})
    assert answer.status_code == 403
    assert "P114" in answer.text
    assert browser.get("/en/start").headers["location"] == "/en/country"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://other.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://127.0.0.1:1"},
    ],
)
@pytest.mark.parametrize("path", ["/en/sign-in", "/en/sign-out"])
def test_a_form_of_another_site_changes_nothing(portal: Served, path: str, headers: dict[str, str]) -> None:
    browser = portal.browser("KEN")
    form = {"csrf": csrf_of(browser), "token": portal.tokens["UGA"]}
    answer = browser.post(path, data=form, headers=headers)
    assert answer.status_code == 403
    assert "P113" in answer.text
    assert browser.get("/en/start").headers["location"] == "/en/country"


def test_a_form_that_no_browser_sent_is_refused(portal: Served) -> None:
    session = portal.browser("KEN").cookies["copstats"]
    bare = httpx.post(f"{portal.url}/en/sign-out", cookies={"copstats": session}, trust_env=False)
    assert bare.json()["code"] == "P113"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://other.example",
        "//other.example",
        "/\\other.example",
        "/en/../../x",
        "/en//x",
        "/en/a\nb",
        "en/x",
    ],
)
def test_signing_in_never_leads_elsewhere(portal: Served, wanted: str) -> None:
    answer = portal.browser().post("/en/sign-in", data={"token": portal.tokens["KEN"], "next": wanted})
    assert answer.headers["location"] == "/en/start"


def test_signing_in_leads_on_to_the_page_that_was_asked_for(portal: Served) -> None:
    answer = portal.browser().post(
        "/fr/sign-in", data={"token": portal.tokens["KEN"], "next": "/fr/country/KEN_2026_COPS_v01_M"}
    )
    assert answer.headers["location"] == "/fr/country/KEN_2026_COPS_v01_M"


@given(st.text())
def test_a_redirect_stays_on_this_host(wanted: str) -> None:
    found = own_path(wanted, "/en/start")
    assert re.fullmatch(r"/[a-z]{2}(/[^/\\\s]+)*/?", found)


def test_what_was_done_stands_in_the_audit_log_without_a_secret(own_portal: Callable[..., Served]) -> None:
    portal = own_portal()
    browser = portal.browser("KEN")
    session = browser.cookies["copstats"]
    portal.browser().post("/en/sign-in", data={"token": "cop_" + "x" * 43})
    browser.get(f"/en/nothing?token={portal.tokens['KEN']}")
    browser.get(f"/en/{portal.tokens['KEN']}")
    browser.post("/en/sign-out", data={"csrf": csrf_of(browser)})
    done = [(e["action"], e["subject"]) for e in Home.open(portal.home).audit.entries()]
    assert done == [
        ("portal.started", "portal"),
        ("portal.signed-in", portal.ids["KEN"]),
        ("portal.signin-refused", "unknown"),
        ("portal.signed-out", portal.ids["KEN"]),
    ]
    portal.process.terminate()
    portal.process.wait(timeout=10)
    assert [e["action"] for e in Home.open(portal.home).audit.entries()][4:] == ["portal.stopped"]
    log = portal.log.read_text("utf-8")
    assert "Traceback" not in log
    assert "POST /en/sign-in 303" in log
    assert "token=" not in log
    told = log + (portal.home / "audit.log").read_text("utf-8")
    for secret in (portal.tokens["KEN"], session, csrf_of_session(session), "x" * 43):
        assert secret not in told


def csrf_of_session(session: str) -> str:
    return hashlib.sha256(b"csrf " + session.encode()).hexdigest()


def test_every_name_has_another_token(portal: Served) -> None:
    assert len(set(portal.tokens.values())) == len(HOLDERS)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("de, es;q=0.5, ar;q=0.7", "ar"),
        ("zh-Hant", "zh"),
        ("fr;q=0, ru", "ru"),
        ("*", "en"),
        ("", "en"),
        ("fr;q=x, es;q=0.1", "es"),
        ("fr;q=nan", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_prefers(header: str, language: str) -> None:
    assert preferred(header) == language


def test_the_first_page_is_in_the_preferred_language(portal: Served) -> None:
    answer = portal.browser().get("/", headers={"accept-language": "ar, en;q=0.5"})
    assert answer.headers["location"] == "/ar/start"
    page = portal.browser().get("/ar/sign-in").text
    assert '<html lang="ar" dir="rtl">' in page


def test_rates_fill_evenly_and_apart() -> None:
    time = [0.0]
    rates = Rates(clock=lambda: time[0], buckets=3)
    assert [rates.take("sign-in", "a", 6) for _ in range(7)] == [0] * 6 + [10]
    assert rates.take("sign-in", "b", 6) == 0
    assert rates.take("request", "a", 6) == 0
    time[0] = 9.9
    assert rates.take("sign-in", "a", 6) == 1
    time[0] = 10.1
    assert rates.take("sign-in", "a", 6) == 0
    for client in "cdef":
        rates.take("sign-in", client, 6)
    assert len(rates._levels) == 3


def test_addresses_of_one_ipv6_site_count_together() -> None:
    assert client_key("2001:db8:1:2:a::1") == client_key("2001:db8:1:2:b::9") != client_key("2001:db8:1:3::1")
    assert client_key("192.0.2.1") != client_key("192.0.2.2")
