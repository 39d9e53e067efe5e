"""Files on their way in: resumable, each its own country's, kept encrypted, acknowledged by a receipt."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from copstats.errors import PortalError
from copstats.store.home import Home
from copstats.store.upload_receipt import verified_receipt
from tests.portal.conftest import PATIENT, Served, new_home, serve
from tests.portal.uploads.sending import SEGMENT, begin, digest, offset_of, patch, send, zip_of


def kept(portal: Served, upload_id: str) -> bytes:
    with Home.open(portal.home).inbox.open(upload_id) as stream:
        return stream.read()


def test_a_file_in_segments_is_kept_encrypted_and_acknowledged(portal: Served) -> None:
    content, client = zip_of(2_500_000, 1), portal.client("KEN")
    upload_id = send(client, content, segment=999_999)
    assert upload_id.startswith("KEN_")
    told = client.get(f"/api/uploads/{upload_id}").json()
    assert (told["state"], told["offset"], told["sha256"]) == ("complete", len(content), digest(content))
    assert kept(portal, upload_id) == content
    on_disk = b"".join(p.read_bytes() for p in portal.home.rglob("*") if p.is_file())
    for start in range(0, len(content) - 32, 70_000):
        assert content[start : start + 32] not in on_disk
    receipt = client.get(f"/api/uploads/{upload_id}/receipt").content
    key = load_pem_public_key(portal.client().get("/api/key").content)
    said = verified_receipt(receipt, key)  # type: ignore[arg-type]
    assert (said.upload, said.area, said.sha256) == (upload_id, "KEN", digest(content))
    assert said.size == len(content)
    changed = receipt.replace(b'"KEN"', b'"UGA"')
    with pytest.raises(PortalError) as caught:
        verified_receipt(changed, key)  # type: ignore[arg-type]
    assert caught.value.code == "P213"
    actions = [
        entry["action"] for entry in Home.open(portal.home).audit.entries() if entry["subject"] == upload_id
    ]
    assert actions == ["upload.begun", "upload.received"]


def test_the_same_file_again_is_the_same_upload_and_another_country_has_its_own(portal: Served) -> None:
    content = zip_of(100_000, 2)
    ours, theirs = portal.client("KEN"), portal.client("UGA")
    one = send(ours, content)
    again = begin(ours, content)
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, one, "complete")
    other = begin(theirs, content)
    assert (other.status_code, other.json()["area"]) == (201, "UGA")
    assert begin(ours, content, size=len(content) + 1).json()["code"] == "P214"
    with ThreadPoolExecutor(8) as pool:
        fresh = zip_of(50_000, 3)
        answers = list(pool.map(lambda _: begin(portal.client("KEN"), fresh), range(8)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]


def cut(portal: Served, place: str, offset: int, piece: bytes, announced: int) -> None:
    """Send the beginning of a segment and break the connection."""
    target = urlsplit(portal.url)
    head = (
        f"PATCH {place} HTTP/1.1\r\nHost: {target.netloc}\r\nAuthorization: Bearer {portal.tokens['KEN']}\r\n"
        f"Content-Type: {SEGMENT['content-type']}\r\nUpload-Offset: {offset}\r\n"
        f"Content-Length: {announced}\r\n\r\n"
    )
    with socket.create_connection((target.hostname, target.port)) as connection:
        connection.sendall(head.encode() + piece)
        time.sleep(0.2)


def test_what_came_before_a_cut_is_kept(portal: Served) -> None:
    content, client = zip_of(1_200_000, 4), portal.client("KEN")
    place = begin(client, content).headers["location"]
    generator, at = random.Random(4), 0  # noqa: S311
    for _ in range(4):
        length = generator.randint(1, 300_000)
        cut(portal, place, at, content[at : at + length], announced=length + 1000)
        until = time.monotonic() + 5
        while (found := offset_of(client, place)) < at + length and time.monotonic() < until:
            time.sleep(0.05)
        assert found == at + length
        at = found
    assert send(client, content) == place.rpartition("/")[2]
    assert kept(portal, place.rpartition("/")[2]) == content


def test_of_two_at_one_place_one_is_kept(portal: Served) -> None:
    content = zip_of(900_000, 5)
    place = begin(portal.client("KEN"), content).headers["location"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: patch(portal.client("KEN"), place, 0, content[:700_000]), range(6)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [204] + [409] * 5
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"P202"}
    assert kept(portal, send(portal.client("KEN"), content)) == content


@pytest.mark.parametrize(
    ("offset", "piece", "status", "code"),
    [(7, b"x" * 10, 409, "P202"), (0, b"x" * 200_000, 413, "P203")],
    ids=["another place", "more than announced"],
)
def test_a_segment_that_does_not_fit_is_refused(
    portal: Served, offset: int, piece: bytes, status: int, code: str
) -> None:
    client = portal.client("KEN")
    place = begin(client, zip_of(100_000, 6)).headers["location"]
    answer = patch(client, place, offset, piece)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert offset_of(client, place) == 0


def test_what_cannot_be_announced(portal: Served) -> None:
    client, content = portal.client("KEN"), zip_of(1000, 7)
    for changes in (
        {"size": 0},
        {"size": -1},
        {"sha256": "0" * 63},
        {"sha256": "Z" * 64},
        {"kind": "other"},
        {"more": 1},
    ):
        assert begin(client, content, **changes).status_code == 422, changes
    assert begin(client, content, size=2**39).json()["code"] == "P203"
    assert begin(client, content, kind="sealed", size=2**30).json()["code"] == "P203"
    place = begin(client, content).headers["location"]
    assert client.patch(place, content=b"x", headers={"upload-offset": "0"}).status_code == 415
    assert client.patch(place, content=b"x", headers=SEGMENT).status_code == 422
    assert client.get(f"{place}/receipt").json()["code"] == "P219"


def test_another_content_than_announced_is_destroyed_and_may_be_sent_anew(portal: Served) -> None:
    client, content = portal.client("KEN"), zip_of(200_000, 8)
    place = begin(client, content).headers["location"]
    wrong = bytearray(content)
    wrong[100_000] ^= 1
    answer = patch(client, place, 0, bytes(wrong))
    assert (answer.status_code, answer.json()["code"]) == (422, "P205")
    told = client.get(place).json()
    assert (told["state"], told["error"], told["offset"]) == ("refused", ["P205"], 0)
    upload_id = place.rpartition("/")[2]
    assert not list((portal.home / "inbox" / upload_id).glob("*.part"))
    problems = client.get(f"/api/submissions/{upload_id}/findings?language=fr").json()["errors"]
    assert [one["code"] for one in problems] == ["P205"]
    assert begin(client, content).status_code == 201
    assert send(client, content) == upload_id
    assert kept(portal, upload_id) == content
    assert patch(client, place, 0, b"x").json()["code"] == "P216"


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"%PDF-1.7" * 100, "raw"), (zip_of(1000, 9), "sealed"), (b"PK\x03\x04", "sealed"), (b"x", "raw")],
    ids=["PDF as raw", "zip as sealed", "header alone", "one byte"],
)
def test_what_does_not_look_like_its_kind_is_refused(portal: Served, content: bytes, kind: str) -> None:
    client = portal.client("KEN")
    place = begin(client, content, kind).headers["location"]
    assert patch(client, place, 0, content).json()["code"] == "P207"


def test_who_may_see_an_upload(portal: Served) -> None:
    content = zip_of(5000, 10)
    upload_id = send(portal.client("KEN"), content)
    paths = [
        f"/api/uploads/{upload_id}",
        f"/api/uploads/{upload_id}/receipt",
        f"/api/submissions/{upload_id}",
    ]
    paths += [f"/api/submissions/{upload_id}/findings", f"/api/submissions/{upload_id}/events"]
    nobody = {path: path.replace(upload_id, "KEN_0123456789abcdef") for path in paths}
    for path in paths:
        strange, absent = (portal.client("UGA").get(one) for one in (path, nobody[path]))
        assert (strange.status_code, strange.content) == (404, absent.content)
        assert portal.client("auditor").get(path).status_code == 403
        assert portal.client().get(path).status_code == 401
        if not path.endswith("events"):
            assert portal.client("reviewer").get(path).status_code == 200
    place = paths[0]
    assert patch(portal.client("UGA"), place, 0, b"x").status_code == 404
    assert patch(portal.client("reviewer"), place, 0, b"x").status_code == 403
    assert portal.client("UGA").delete(place).status_code == 404
    assert begin(portal.client("operator"), content).status_code == 403
    mine = portal.client("UGA").get("/api/submissions?area=KEN").json()["submissions"]
    assert {one["area"] for one in mine} <= {"UGA"}
    theirs = portal.client("reviewer").get("/api/submissions?area=KEN").json()["submissions"]
    assert upload_id in {one["id"] for one in theirs}


def test_limits_of_the_operator(own_portal: Callable[..., Served]) -> None:
    portal = own_portal(config={"open_uploads": 2, "accepts": ["raw"], "upload_megabytes": 1})
    client = portal.client("KEN")
    assert begin(client, zip_of(1_000_001, 11)).json()["code"] == "P203"
    assert begin(client, b"x", kind="sealed").json()["code"] == "P206"
    places = [begin(client, zip_of(1000, seed)).headers["location"] for seed in (12, 13)]
    assert begin(client, zip_of(1000, 14)).json()["code"] == "P204"
    assert begin(portal.client("UGA"), zip_of(1000, 14)).status_code == 201
    assert client.delete(places[0]).status_code == 204
    assert client.get(places[0]).json()["error"] == ["P217"]
    assert client.delete(places[0]).json()["code"] == "P216"
    third = begin(client, zip_of(1000, 14))
    assert third.status_code == 201
    (portal.home / "windows.csv").write_text("area,opens,closes,title\nKEN,2020-01-01,2020-02-01,past\n")
    assert begin(client, zip_of(1000, 15)).json()["code"] == "P208"
    assert begin(client, zip_of(1000, 14)).status_code == 200  # what was begun may be finished
    send(client, zip_of(1000, 14))


def test_many_at_once_and_none_crossed(portal: Served) -> None:
    contents = {seed: zip_of(400_000 + seed, seed) for seed in range(100, 116)}
    who = {seed: ("KEN", "UGA")[seed % 2] for seed in contents}

    def one(seed: int) -> str:
        return send(portal.client(who[seed]), contents[seed], segment=150_000)

    with ThreadPoolExecutor(16) as pool:
        ids = dict(zip(contents, pool.map(one, contents), strict=True))
    for seed, upload_id in ids.items():
        assert upload_id.startswith(who[seed])
        assert kept(portal, upload_id) == contents[seed]


def test_a_server_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    home, content = tmp_path / "home", zip_of(3_000_000, 20)
    tokens, ids = new_home(home)
    with serve(home, tokens, ids, worker=False, limits=PATIENT) as portal:
        client = portal.client("KEN")
        place = begin(client, content).headers["location"]
        assert patch(client, place, 0, content[:1_000_000]).status_code == 204
        sender = threading.Thread(
            target=cut, args=(portal, place, 1_000_000, content[1_000_000:1_500_000], 10**6)
        )
        sender.start()
        time.sleep(0.1)
        os.kill(portal.process.pid, signal.SIGKILL)
        portal.process.wait()
        sender.join()
    with serve(home, tokens, ids, worker=False, limits=PATIENT) as portal:
        assert offset_of(portal.client("KEN"), place) == 1_000_000
        assert [p.name for p in (home / "inbox").iterdir() if p.name.startswith(".staging")] == []
        assert kept(portal, send(portal.client("KEN"), content)) == content


def test_events_tell_every_change_and_end(portal: Served) -> None:
    content, client = zip_of(300_000, 30), portal.client("KEN")
    begun = begin(client, content)
    assert begun.status_code == 201
    place = begun.headers["location"]
    upload_id = place.rpartition("/")[2]
    seen: list[dict[str, object]] = []

    def follow() -> None:
        with portal.client("KEN").stream("GET", f"/api/submissions/{upload_id}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            for line in stream.iter_lines():
                if line.startswith("data: {") and len(line) > len("data: {}"):
                    seen.append(json.loads(line.removeprefix("data: ")))
                if line == "event: end":
                    return

    listener = threading.Thread(target=follow)
    listener.start()
    for at in (0, 100_000):
        until = time.monotonic() + 5
        while not any(one["upload"]["offset"] == at for one in seen) and time.monotonic() < until:  # type: ignore[index]
            time.sleep(0.05)
        patch(client, place, at, content[at : at + 100_000])
    assert client.delete(place).status_code == 204
    listener.join(timeout=10)
    assert not listener.is_alive()
    assert [one["upload"]["offset"] for one in seen][:2] == [0, 100_000]  # type: ignore[index]
    assert seen[-1]["state"] == "refused"


def test_no_token_stands_in_the_log(portal: Served) -> None:
    send(portal.client("KEN"), zip_of(1000, 31))
    written = [portal.log, *(path for path in portal.home.rglob("*") if path.is_file())]
    assert [path for path in written if portal.tokens["KEN"].encode() in path.read_bytes()] == []
