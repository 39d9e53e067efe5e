"""A server that is told to stop lets go of those who follow events, in time, and leaves all in order."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import httpx

from copstats.store.home import Home
from tests.portal.conftest import Served
from tests.portal.uploads.sending import begin, patch, zip_of

FOLLOWERS, SECONDS = 4, 5.0


def test_streams_end_and_the_server_stops_when_it_is_told(own_portal: Callable[..., Served]) -> None:
    portal = own_portal()
    content = zip_of(100_000, 70)
    place = begin(portal.client("KEN"), content).headers["location"]
    patch(portal.client("KEN"), place, 0, content[:40_000])
    path = place.replace("/uploads/", "/submissions/") + "/events"
    told, ended = threading.Semaphore(0), []

    def follow() -> None:
        with portal.client("KEN").stream("GET", path) as stream:
            for line in stream.iter_lines():
                if line.startswith("event: state"):
                    told.release()
            ended.append(time.monotonic())  # not reached by a connection that breaks

    followers = [threading.Thread(target=follow) for _ in range(FOLLOWERS)]
    for one in followers:
        one.start()
    assert all(told.acquire(timeout=20) for _ in followers)
    began = time.monotonic()
    portal.process.send_signal(signal.SIGTERM)
    portal.process.wait(timeout=30)
    assert time.monotonic() - began < SECONDS
    for one in followers:
        one.join(timeout=10)
    assert len(ended) == FOLLOWERS
    home = Home.open(portal.home)
    assert [entry["action"] for entry in home.audit.entries()][-1] == "portal.stopped"
    assert home.inbox.offset(place.rpartition("/")[2]) == 40_000
    with suppress(httpx.TransportError):
        portal.client("KEN").get(path)
        raise AssertionError("the server still answers")
