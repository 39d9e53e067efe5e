from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from copstats.errors import PortalError
from copstats.language import translations
from copstats.portal.context import Portal
from copstats.portal.published import data
from copstats.portal.published.measures import exposition, observe
from copstats.portal.published.negotiation import DATA, STRUCTURE
from copstats.portal.published.releases import PublishedRelease, find
from copstats.portal.published.requested import DataRequest
from copstats.portal.published.structure_query import StructureQuery
from copstats.portal.published.structures import structure_message
from copstats.portal.settings import PortalSettings
from copstats.store.home import Home

PAGE = Path(__file__).parents[3] / "docs" / "portal-sdmx.md"


@pytest.fixture(scope="module")
def signed(release: Path) -> PublishedRelease:
    return find(Home.open(release.parents[1]), release.name)


def send(release: PublishedRelease) -> bytes:
    pieces = data.data_message(
        release, DATA["2.1"][0], DataRequest("DF_COP"), areas={}, words=translations("en")
    )
    return b"".join(pieces)


def test_answers_are_bounded(signed: PublishedRelease, monkeypatch: pytest.MonkeyPatch) -> None:
    assert send(signed)
    monkeypatch.setattr(data, "MOST_OBSERVATIONS", 3)
    with pytest.raises(PortalError, match="P414") as told:
        send(signed)
    assert told.value.status == 413


def test_queries_at_a_time_are_bounded(signed: PublishedRelease, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "_WAIT", 0.01)
    turns = 0
    while data._AT_ONCE.acquire(blocking=False):
        turns += 1
    try:
        with pytest.raises(PortalError, match="P417") as told:
            send(signed)
    finally:
        data._AT_ONCE.release(turns)
    assert (told.value.status, told.value.params["seconds"]) == (503, 5)
    assert send(signed)


def test_a_release_without_sdmx_files_has_data_but_no_structures(signed: PublishedRelease) -> None:
    bare = {name: entry for name, entry in signed.files.items() if not name.startswith("sdmx/")}
    release = dataclasses.replace(signed, files=bare)
    assert send(release)
    with pytest.raises(PortalError, match="P415") as told:
        structure_message(release, STRUCTURE["2.1"][0], StructureQuery("dataflow"))
    assert told.value.status == 501


def test_a_release_of_an_unknown_framework(signed: PublishedRelease) -> None:
    with pytest.raises(PortalError, match="P415"):
        send(dataclasses.replace(signed, framework="cop-2099 1.0.0"))


def test_requests_are_counted_by_route(release: Path) -> None:
    class Route:
        path = "/releases/{label}/{name:path}"

    portal = Portal(Home.open(release.parents[1]), PortalSettings())
    for method in ("GET", "GET", "BREW"):
        observe({"method": method, "route": Route()}, 200, 0.2, 1000)
    found = {
        (sample.name, sample.labels.get("method")): sample.value
        for family in parsed(exposition(portal).decode())
        for sample in family.samples
        if sample.labels.get("route") == Route.path and "le" not in sample.labels
    }
    assert found["copstats_requests_total", "GET"] == 2
    assert found["copstats_requests_total", "other"] == 1
    assert found["copstats_sent_bytes_total", None] == 3000
    assert found["copstats_request_seconds_sum", None] == pytest.approx(0.6)


def test_the_queries_of_the_page_are_answered(reader: httpx.Client) -> None:
    queries = re.findall(r"^/sdmx/\S+$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(queries) >= 7
    for query in queries:
        answer = reader.get(query.replace("KEN", "XAA").replace("UGA", "XBB"))
        assert answer.status_code == 200, query
