from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families as parsed

from tests.portal.conftest import Served


def test_the_portal_is_ready(reader: httpx.Client) -> None:
    assert reader.get("/health/live").json() == {"status": "live"}
    answer = reader.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        **{"status": "ready", "registry": "ok", "disk": "ok", "worker": "none", "release": "2026-Q4"}
    }


def test_without_its_registry_it_is_not_ready(own_portal: Callable[..., Served]) -> None:
    served = own_portal()
    client = served.client()
    assert client.get("/health").json()["release"] is None
    for path in served.home.glob("registry.sqlite*"):
        path.unlink()
    (served.home / "registry.sqlite").write_bytes(b"no database " * 1000)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert (answer.json()["status"], answer.json()["registry"]) == ("failing", "failing")
    assert client.get("/health/live").status_code == 200


def test_a_worker_that_runs_is_told(working_portal: Served) -> None:
    client = working_portal.client()
    until = time.monotonic() + 20
    while client.get("/health").json()["worker"] != "ok" and time.monotonic() < until:
        time.sleep(0.1)
    assert client.get("/health").json()["worker"] == "ok"
    assert "copstats_worker_up" in client.get("/metrics").text


def test_metrics_tell_the_state_of_the_home(reader: httpx.Client, release: Path) -> None:
    answer = reader.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {family.name: family for family in parsed(answer.text)}
    assert found["copstats_releases"].samples[0].value == 2
    assert found["copstats_newest_release_info"].samples[0].labels == {"label": release.name}
    assert found["copstats_disk_free_bytes"].samples[0].value > 0


def test_metrics_are_for_this_machine_and_the_operator(published: Served) -> None:
    forwarded = {"x-forwarded-for": "192.0.2.7"}
    assert published.client(**forwarded).get("/metrics").status_code == 401
    assert published.client("KEN", **forwarded).get("/metrics").status_code == 403
    for name in ("operator", "auditor"):
        assert published.client(name, **forwarded).get("/metrics").status_code == 200
