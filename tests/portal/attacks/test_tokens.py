"""Number 22 of the attacks: tokens of another country, expired, revoked, replayed, guessed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from copstats.store.home import Home
from copstats.store.portal import PortalRegistry
from tests.portal.board.registered import register
from tests.portal.conftest import Served
from tests.portal.uploads.sending import SEGMENT, begin, offset_of, patch, send, zip_of

BODIES: dict[str, dict[str, Any]] = {
    "decision": {"decision": "approve"},
    "messages": {"text": "x"},
}
NOBODYS = {"upload_id": "KEN_0123456789abcdef", "submission_id": "KEN_2026_NOTHING_v01_M"}


def calls(portal: Served) -> list[tuple[str, str]]:
    """Method and path of every operation on something that belongs to a country."""
    described = portal.client().get("/openapi.json").json()
    return [
        (method, path)
        for path, operations in described["paths"].items()
        for method in operations
        if path.startswith("/api/") and "{" in path
    ]


def asked(client: httpx.Client, method: str, path: str) -> tuple[int, bytes]:
    if method == "patch":
        answer = client.patch(path, content=b"x", headers=SEGMENT | {"upload-offset": "0"})
    elif method == "post":
        answer = client.post(path, json=BODIES[path.rpartition("/")[2]])
    else:
        answer = client.request(method, path)
    return answer.status_code, answer.content


def test_22_a_token_of_another_country_finds_nothing_by_any_operation(portal: Served) -> None:
    """The answer is to the byte the one for what does not exist."""
    place = begin(portal.client("KEN"), zip_of(5000, 60)).headers["location"]
    ours = {
        "upload_id": place.rpartition("/")[2],
        "submission_id": register(portal.home, "KEN", survey="FOREIGN").id,
    }
    operations = calls(portal)
    assert len(operations) >= 12
    for method, path in operations:
        strange, absent = (asked(portal.client("UGA"), method, path.format(**ids)) for ids in (ours, NOBODYS))
        assert strange == absent, (method, path)
        assert strange[0] in (403, 404)
    assert offset_of(portal.client("KEN"), place) == 0
    for path in {path for method, path in operations if method == "get" and "decision" not in path}:
        if not path.endswith(("events", "receipt")):  # twin: its own office finds all of it
            assert asked(portal.client("KEN"), "get", path.format(**ours))[0] == 200, path


@pytest.mark.parametrize("query", ["area=KEN", "area=KEN&area=UGA", "area=UGA&area=KEN", "Area=KEN"])
def test_22_naming_another_country_gives_nothing_of_it(portal: Served, query: str) -> None:
    mine = register(portal.home, "KEN", survey="NAMED").id
    portal.client("operator").post("/api/messages?area=KEN", json={"text": "for Kenya alone"})
    for path in ("/api/submissions", "/api/messages"):
        answer = portal.client("UGA").get(f"{path}?{query}")
        assert mine not in answer.text and "for Kenya alone" not in answer.text
    assert mine in portal.client("KEN").get("/api/submissions").text
    assert portal.client("UGA").post("/api/messages?area=KEN", json={"text": "x"}).status_code == 404


def test_22_a_token_that_is_revoked_in_the_middle_of_an_upload_sends_no_more(portal: Served) -> None:
    registry, now = PortalRegistry(Home.open(portal.home).registry.database), dt.datetime.now(dt.UTC)
    secret, made = registry.create_token("provider", area="KEN", holder="Left", days=1, now=now)
    leaving, content = portal.client(authorization=f"Bearer {secret}"), zip_of(20_000, 61)
    place = begin(leaving, content).headers["location"]
    assert patch(leaving, place, 0, content[:10_000]).status_code == 204
    registry.revoke_token(made.id, now=now)
    refused = patch(leaving, place, 10_000, content[10_000:])
    assert (refused.status_code, refused.json()["code"]) == (401, "P111")
    assert begin(leaving, content).status_code == 401
    assert send(portal.client("KEN"), content) == place.rpartition("/")[2]  # its office may go on


def test_22_segments_that_are_sent_again_change_nothing(portal: Served) -> None:
    client, content = portal.client("KEN"), zip_of(30_000, 62)
    place = begin(client, content).headers["location"]
    assert patch(client, place, 0, content[:10_000]).status_code == 204
    for offset, end in ((0, 10_000), (0, 30_000), (9_999, 30_000), (20_000, 30_000)):
        answer = patch(client, place, offset, content[offset:end])
        assert (answer.status_code, answer.json()["code"]) == (409, "P202")
    assert offset_of(client, place) == 10_000
    assert patch(client, place, 10_000, content[10_000:]).status_code == 204
    receipt = client.get(f"{place}/receipt").content
    for offset in (0, 10_000, len(content)):
        assert patch(client, place, offset, b"PK\x03\x04").json()["code"] == "P216"
    assert client.get(f"{place}/receipt").content == receipt
    begun = [e for e in Home.open(portal.home).audit.entries() if e["subject"] == place.rpartition("/")[2]]
    assert [entry["action"] for entry in begun] == ["upload.begun", "upload.received"]


def test_22_who_guesses_tokens_has_few_attempts_and_others_are_not_hindered(
    own_portal: Callable[..., Served],
) -> None:
    portal = own_portal(limits={"sign_ins": 5, "requests": 12})
    guesses = [portal.client(authorization=f"Bearer cop_{n:043d}").get("/api/submissions") for n in range(9)]
    assert [one.status_code for one in guesses[:5]] == [401] * 5
    late = [one for one in guesses if one.status_code == 429]
    assert len(late) >= 3 and all(int(one.headers["retry-after"]) > 0 for one in late)
    assert portal.client("KEN").get("/api/submissions").status_code == 200
    held = [portal.client("UGA").get("/api/submissions").status_code for _ in range(15)]
    assert set(held) == {200, 429}
    told = json.dumps(list(Home.open(portal.home).audit.entries())) + portal.log.read_text("utf-8")
    assert "cop_0" not in told


def test_22_a_sign_in_cookie_is_no_token_and_a_token_no_cookie(portal: Served) -> None:
    session = portal.browser("KEN").cookies["copstats"]
    assert portal.client(authorization=f"Bearer {session}").get("/api/submissions").status_code == 401
    swapped = portal.client(cookie=f"copstats={portal.tokens['KEN']}")
    assert swapped.get("/api/submissions").status_code == 401
    # The token decides where both are sent: no session of another office widens it.
    both = portal.client("UGA", cookie=f"copstats={session}").get("/api/submissions").json()["submissions"]
    assert {one["area"] for one in both} <= {"UGA"}
    bare = portal.client(cookie=f"copstats={session}", origin=portal.url)
    assert begin(bare, zip_of(100, 63)).status_code == 403  # without the secret of its pages
