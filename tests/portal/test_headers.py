from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import httpx
import pytest

from copstats.portal.settings import Limits
from tests.portal.conftest import Served, csrf_of, new_home, serve

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 307),
        ("GET", "/en/sign-in", 200),
        ("GET", "/fr/start", 303),
        ("GET", "/de/sign-in", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/en/sign-in", 405),
        ("POST", "/en/sign-in", 403),
        ("GET", "/openapi.json", 200),
        ("GET", "/assets/portal.css", 200),
        ("GET", "/assets/base.css", 200),
        ("GET", "/assets/icon.svg", 200),
        ("GET", "/assets/../signin.py", 404),
        ("GET", "/assets/%2e%2e/signin.py", 404),
    ],
)
def test_every_answer_is_guarded(portal: Served, method: str, path: str, status: int) -> None:
    answer = portal.client().request(method, path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert len(answer.headers["x-request-id"]) == 16
    assert "server" not in answer.headers
    kept = "public, max-age=3600" if (status, path[:8]) == (200, "/assets/") else "no-store"
    assert answer.headers["cache-control"] == kept
    assert "strict-transport-security" not in answer.headers


def test_no_page_has_code_or_style_of_its_own(portal: Served) -> None:
    for page in (portal.browser().get("/en/sign-in"), portal.browser("KEN").get("/en/nothing")):
        assert page.headers["content-type"].startswith("text/html")
        assert "<script>" not in page.text
        assert "<style" not in page.text
        assert " style=" not in page.text
        assert "onclick" not in page.text


def test_a_program_gets_problems_and_a_reader_pages(portal: Served) -> None:
    program = portal.client().get("/en/nothing", headers={"accept": "application/json"})
    assert program.headers["content-type"] == "application/problem+json"
    assert program.json() == {
        "type": "urn:copstats:error:P110",
        "title": "There is nothing at this address",
        "status": 404,
        "detail": "It does not exist, or this account may not see it.",
        "code": "P110",
        "where": "",
        "hint": "Look for it in the lists, from the start page.",
    }
    reader = portal.browser().get("/ar/nothing")
    assert reader.status_code == 404
    assert 'dir="rtl"' in reader.text


def test_what_was_asked_does_not_come_back(portal: Served) -> None:
    marker = "<b>marked</b>"
    for answer in (
        portal.browser().get(f"/en/{marker}"),
        portal.browser().get("/en/sign-in", params={"next": marker}),
        portal.browser().post("/en/sign-in", data={"token": marker, "next": marker}),
        portal.client().get("/nothing", params={"language": marker}),
    ):
        assert marker not in answer.text


@pytest.mark.parametrize(
    "host", ["other.example", "127.0.0.1.other.example", "other.example:80", "127.0.0.1@x", ""]
)
def test_another_host_is_refused(portal: Served, host: str) -> None:
    answer = portal.client().get("/en/sign-in", headers={"host": host, "x-forwarded-host": "127.0.0.1"})
    assert answer.status_code == 421
    assert answer.json()["code"] == "P122"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1234", "[::1]:80", "[::1]"])
def test_this_machine_may_be_called_by_its_names(portal: Served, host: str) -> None:
    assert portal.client().get("/en/sign-in", headers={"host": host}).status_code == 200


def test_what_does_not_exist_and_what_is_anothers_look_the_same(portal: Served) -> None:
    new = {"size": 1000, "sha256": "5" * 64, "kind": "raw"}
    own = portal.client("UGA").post("/api/uploads", json=new)
    assert own.status_code in (200, 201), own.text
    place = own.headers["location"].removeprefix(portal.url)
    assert portal.client("UGA").head(place).status_code in (200, 204)
    client, none = portal.client("KEN"), f"{place[:-6]}{'0' * 6}"
    times: dict[str, list[float]] = {}
    answers = set()
    for path in (place, none) * 15:
        began = time.perf_counter()
        answer = client.get(path.replace("/uploads/", "/submissions/"))
        times.setdefault(path, []).append(time.perf_counter() - began)
        answers.add((answer.status_code, answer.content))
        assert client.head(path).status_code == 404
    assert [status for status, _ in answers] == [404]
    first, second = (statistics.median(found) for found in times.values())
    assert abs(first - second) < 0.05


@pytest.fixture(scope="module")
def behind_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A portal with tight limits; each test comes from addresses of its own."""
    home = tmp_path_factory.mktemp("behind-proxy") / "home"
    config = {"public_url": "https://cop.example.org", "trusted_proxies": ["127.0.0.1"]}
    limits = {"sign_ins": 3, "requests": 20}
    with serve(home, *new_home(home), worker=False, config=config, limits=limits) as served:
        yield served


def test_too_many_attempts_to_sign_in_have_to_wait(behind_proxy: Served) -> None:
    browser = proxied(behind_proxy, "192.0.2.50")
    statuses = [browser.post("/en/sign-in", data={"token": "x"}).status_code for _ in range(4)]
    assert statuses == [403, 403, 403, 429]
    refused = browser.post("/en/sign-in", data={"token": behind_proxy.tokens["KEN"]})
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 20


def test_too_many_requests_have_to_wait(behind_proxy: Served) -> None:
    client = proxied(behind_proxy, "192.0.2.51")
    statuses = [client.get("/en/sign-in").status_code for _ in range(25)]
    assert statuses[:20] == [200] * 20
    refused = client.get("/en/sign-in", headers={"accept": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (429, "P115")
    assert 1 <= int(refused.headers["retry-after"]) <= 3
    assert client.get("/assets/portal.css").status_code == 200


def proxied(portal: Served, address: str, **headers: str) -> httpx.Client:
    sent = {
        "host": "cop.example.org",
        "x-forwarded-for": address,
        "x-forwarded-proto": "https",
        "origin": "https://cop.example.org",
        "accept": "text/html",
    }
    return portal.client(**(sent | headers))


def test_behind_a_proxy_the_cookie_is_tied_to_tls_and_host(behind_proxy: Served) -> None:
    form = {"token": behind_proxy.tokens["KEN"]}
    answer = proxied(behind_proxy, "192.0.2.1").post("/en/sign-in", data=form)
    assert answer.status_code == 303
    assert answer.headers["strict-transport-security"].startswith("max-age=63072000")
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-copstats=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(attributes)


def test_behind_a_proxy_each_client_is_counted(behind_proxy: Served) -> None:
    first, second = proxied(behind_proxy, "192.0.2.7"), proxied(behind_proxy, "192.0.2.8")
    # A client may write earlier addresses itself: the last one, which the proxy wrote, counts.
    forged = [proxied(behind_proxy, f"198.51.100.{turn}, 192.0.2.7") for turn in range(2)]
    statuses = [one.post("/en/sign-in", data={"token": "x"}).status_code for one in (first, *forged, first)]
    assert statuses == [403, 403, 403, 429]
    assert second.post("/en/sign-in", data={"token": "x"}).status_code == 403


def test_behind_a_proxy_plain_http_and_other_origins_are_refused(behind_proxy: Served) -> None:
    form, address = {"token": behind_proxy.tokens["KEN"]}, "192.0.2.2"
    plain = proxied(behind_proxy, address, **{"x-forwarded-proto": "http"})
    assert plain.get("/en/sign-in").json()["code"] == "P109"
    silent = behind_proxy.client(host="cop.example.org")
    assert silent.get("/en/sign-in").json()["code"] == "P109"
    assert behind_proxy.client().get("/en/sign-in").status_code == 200  # a probe on the same machine
    other = proxied(behind_proxy, address, origin="http://cop.example.org")
    assert other.post("/en/sign-in", data=form).status_code == 403
    assert proxied(behind_proxy, address, host="other.example").get("/en/sign-in").status_code == 421


def test_a_body_too_large_is_refused_before_and_while_it_comes(portal: Served) -> None:
    browser = portal.browser("KEN")
    largest = Limits().body
    announced = browser.post("/en/sign-out", data={"csrf": "x" * largest})
    assert (announced.status_code, "P120" in announced.text) == (413, True)

    def pieces() -> object:
        for _ in range(largest // 1024 + 2):
            yield b"x" * 1024

    kind = {"content-type": "application/x-www-form-urlencoded"}
    streamed = browser.post("/en/sign-out", content=pieces(), headers=kind)  # type: ignore[arg-type]
    assert (streamed.status_code, "P120" in streamed.text) == (413, True)
    assert browser.post("/en/sign-out", data={"csrf": csrf_of(browser)}).status_code == 303


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"--x--", "multipart/form-data; boundary=x", 415),
        (b"\xff\xfe=1", "application/x-www-form-urlencoded", 400),
        (b"token=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(201)), "application/x-www-form-urlencoded", 400),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(
    portal: Served, content: bytes, kind: str, status: int
) -> None:
    answer = portal.browser().post("/en/sign-in", content=content, headers={"content-type": kind})
    assert answer.status_code == status


def test_the_description_tells_problems_and_how_to_sign_in(portal: Served) -> None:
    found = portal.client().get("/openapi.json").json()
    assert "Problem" in found["components"]["schemas"]
    for path, operations in found["paths"].items():
        for operation in operations.values():
            assert "application/problem+json" in operation["responses"]["404"]["content"], path
    for path in ("/docs", "/redoc"):
        assert portal.client().get(path).status_code == 404
