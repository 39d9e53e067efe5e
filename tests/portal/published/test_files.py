from __future__ import annotations

import hashlib
import http.client
import io
import socket
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import httpx
import pyarrow.parquet as pq
import pytest

from copstats.disseminate.manifest import BESIDE, read_manifest
from tests.portal.conftest import Served
from tests.portal.published.conftest import SITE

FILE = "/releases/2026-Q4/copstats.duckdb"
TYPES = {
    "copstats.duckdb": "application/vnd.duckdb",
    "parquet/indicator_value.parquet": "application/vnd.apache.parquet",
    "csv/indicator_value.csv": "text/csv; charset=utf-8",
    "sdmx/structure-2.1.xml": "application/xml",
    "MANIFEST.json": "application/json",
    "MANIFEST.sig": "application/octet-stream",
}


def test_the_list_names_published_releases_newest_first(reader: httpx.Client) -> None:
    answer = reader.get("/releases/")
    assert [one["label"] for one in answer.json()["releases"]] == ["2026-Q4", "2026-Q3"]
    assert reader.get("/releases").json() == answer.json()
    assert answer.headers["cache-control"] == "public, max-age=60"


def test_a_release_lists_what_its_manifest_lists(reader: httpx.Client, release: Path) -> None:
    listed = {one["path"]: one for one in reader.get("/releases/2026-Q4/").json()["files"]}
    signed = read_manifest(release).files
    assert listed.keys() - signed.keys() <= set(BESIDE)
    assert {name: (listed[name]["sha256"], listed[name]["size"]) for name in signed} == {
        name: (entry.sha256, entry.size) for name, entry in signed.items()
    }


@pytest.mark.parametrize(("name", "media_type"), TYPES.items())
def test_a_file_comes_whole_with_its_hash_as_entity_tag(
    reader: httpx.Client, release: Path, name: str, media_type: str
) -> None:
    answer = reader.get(f"/releases/2026-Q4/{name}")
    assert answer.content == (release / name).read_bytes()
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["accept-ranges"] == "bytes"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-99", slice(0, 100)),
        ("bytes=1000-1000", slice(1000, 1001)),
        ("bytes=-77", slice(-77, None)),
        ("bytes=4096-", slice(4096, None)),
        ("bytes=0-999999999", slice(0, None)),
    ],
)
def test_a_range_of_a_file(reader: httpx.Client, release: Path, asked: str, part: slice) -> None:
    whole = (release / "copstats.duckdb").read_bytes()
    answer = reader.get(FILE, headers={"range": asked})
    assert answer.status_code == 206
    assert answer.content == whole[part]
    begin, end, _ = part.indices(len(whole))
    assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{len(whole)}"


def test_several_ranges_come_as_parts(reader: httpx.Client, release: Path) -> None:
    whole = (release / "copstats.duckdb").read_bytes()
    answer = reader.get(FILE, headers={"range": "bytes=0-3, 8-11"})
    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges")
    assert whole[:4] in answer.content
    assert whole[8:12] in answer.content


@pytest.mark.parametrize("asked", ["lines=1-2", "bytes=a-b", "bytes=", "0-5", "bytes=" + "0-1," * 90])
def test_what_is_no_range_is_ignored(reader: httpx.Client, release: Path, asked: str) -> None:
    answer = reader.get(FILE, headers={"range": asked})
    assert answer.status_code == 200
    assert len(answer.content) == (release / "copstats.duckdb").stat().st_size


def test_a_range_behind_the_end(reader: httpx.Client, release: Path) -> None:
    size = (release / "copstats.duckdb").stat().st_size
    answer = reader.get(FILE, headers={"range": f"bytes={size}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"


def test_if_range_gives_the_range_only_of_the_same_content(reader: httpx.Client) -> None:
    tag = reader.head(FILE).headers["etag"]
    same = reader.get(FILE, headers={"range": "bytes=0-9", "if-range": tag})
    other = reader.get(FILE, headers={"range": "bytes=0-9", "if-range": '"other"'})
    assert (same.status_code, len(same.content)) == (206, 10)
    assert (other.status_code, len(other.content) > 10) == (200, True)


def test_head_tells_the_size_and_ignores_ranges(reader: httpx.Client, release: Path) -> None:
    answer = reader.head(FILE, headers={"range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == (release / "copstats.duckdb").stat().st_size


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_who_has_the_content_gets_304(reader: httpx.Client, form: str) -> None:
    tag = reader.head(FILE).headers["etag"]
    answer = reader.get(FILE, headers={"if-none-match": form.format(tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag


def test_who_has_other_content_gets_it(reader: httpx.Client) -> None:
    assert reader.get(FILE, headers={"if-none-match": '"other"'}).status_code == 200


def test_current_leads_to_the_newest_for_a_minute(reader: httpx.Client) -> None:
    answer = reader.get("/releases/current/csv/area.csv")
    assert answer.status_code == 307
    assert answer.headers["location"] == "/releases/2026-Q4/csv/area.csv"
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert reader.get("/releases/current/").headers["location"] == "/releases/2026-Q4/"


def test_the_site_stands_beside(reader: httpx.Client, published: Served) -> None:
    assert reader.get("/site/en/").headers["location"] == "/releases/2026-Q4/site/en/"
    assert reader.get("/releases/2026-Q4/site/en").headers["location"] == "/releases/2026-Q4/site/en/"
    page = reader.get("/releases/2026-Q4/site/en/")
    assert (page.status_code, page.text) == (200, SITE)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'self'; object-src 'none'")
    browser = published.browser()
    assert browser.get("/releases/2026-Q4/").headers["location"] == "/releases/2026-Q4/site/"
    assert browser.get("/releases/").headers["location"] == "/en/releases"
    assert "2026-Q3" in browser.get("/en/releases").text


OUTSIDE = [
    "/releases/../copstats.toml",
    "/releases/2026-Q4/../../copstats.toml",
    "/releases/2026-Q4/..%2f..%2fcopstats.toml",
    "/releases/2026-Q4/%2e%2e/%2e%2e/copstats.toml",
    "/releases/2026-Q4/..\\..\\copstats.toml",
    "/releases/2026-Q4//copstats.duckdb",
    "/releases/2026-Q4/./copstats.duckdb",
    "/releases/2026-Q4/csv/../copstats.duckdb",
    "/releases/2026-Q4/copstats.duckdb%00",
    "/releases/2026-Q4/unlisted.txt",
    "/releases/2026-Q4/csv",
    "/releases/%2e%2e/copstats.toml",
    "/releases/../prepared/2027-Q1/copstats.duckdb",
    "/releases/2027-Q1/copstats.duckdb",
    "/releases/2027-Q1/",
    "/releases/.staging/copstats.duckdb",
    "/site/../../../copstats.toml",
    "/sdmx/2.1/data/DF_COP?release=2027-Q1",
    "/sdmx/2.1/data/DF_COP?release=../prepared/2027-Q1",
    "/releases/2027-Q1/sdmx/2.1/dataflow",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_else_is_reached(published: Served, path: str) -> None:
    place = urlsplit(published.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    content = answer.read()
    while answer.status in (307, 308):
        connection.request("GET", answer.headers["location"])
        answer = connection.getresponse()
        content = answer.read()
    connection.close()
    assert answer.status == 404
    assert b"layout" not in content
    assert b"DUCK" not in content


def test_links_and_changed_files_are_not_sent(reader: httpx.Client, release: Path, tmp_path: Path) -> None:
    place = release.parent / "2026-Q3" / "csv" / "area.csv"
    kept = tmp_path / "area.csv"
    place.rename(kept)
    place.symlink_to(kept)
    linked = reader.get("/releases/2026-Q3/csv/area.csv")
    place.unlink()
    place.write_bytes(kept.read_bytes() + b"one more")
    changed = reader.get("/releases/2026-Q3/csv/area.csv")
    place.unlink()
    missing = reader.get("/releases/2026-Q3/csv/area.csv")
    kept.rename(place)
    assert [answer.status_code for answer in (linked, changed, missing)] == [503, 503, 503]
    assert linked.json()["code"] == "P402"
    assert reader.get("/releases/2026-Q3/csv/area.csv").status_code == 200


def test_pages_of_other_origins_may_read_without_credentials(reader: httpx.Client) -> None:
    for path in (FILE, "/releases/", "/sdmx/2.1/dataflow"):
        answer = reader.get(path, headers={"origin": "https://elsewhere.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        asked = reader.options(path, headers={"origin": "https://elsewhere.example"})
        assert asked.status_code == 204
        assert "Range" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-origin" not in reader.get("/health").headers


class _OverHttp(io.RawIOBase):
    """A file read by ranges, as clients of Parquet and DuckDB do."""

    def __init__(self, client: httpx.Client, path: str) -> None:
        self._client, self._path, self._place, self.asked = client, path, 0, 0
        self._size = int(client.head(path).headers["content-length"])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = offset + {0: 0, 1: self._place, 2: self._size}[whence]
        return self._place

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._place + size, self._size)
        if end <= self._place:
            return b""
        answer = self._client.get(self._path, headers={"range": f"bytes={self._place}-{end - 1}"})
        assert answer.status_code == 206
        self._place, self.asked = end, self.asked + 1
        return answer.content


def test_parquet_is_read_by_ranges(reader: httpx.Client, release: Path) -> None:
    remote = _OverHttp(reader, "/releases/2026-Q4/parquet/indicator_value.parquet")
    found = pq.read_table(remote, columns=["ref_area", "value"])
    assert remote.asked > 1
    assert found == pq.read_table(
        release / "parquet" / "indicator_value.parquet", columns=["ref_area", "value"]
    )


def test_duckdb_reads_the_release_over_http(published: Served) -> None:
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        try:
            connection.execute("LOAD httpfs")
        except duckdb.Error:
            pytest.skip("DuckDB's extension httpfs is not installed, and tests download nothing")
        place = f"{published.url}/releases/current"
        values = f"'{place}/parquet/indicator_value.parquet'"
        found = connection.sql(f"SELECT count(*) FROM {values}").fetchone()
        connection.execute(f"ATTACH '{place}/copstats.duckdb' AS release (READ_ONLY)")
        assert connection.sql("SELECT count(*) FROM release.indicator_value").fetchone() == found


def test_a_client_that_goes_away_leaves_the_server_well(published: Served, reader: httpx.Client) -> None:
    place = urlsplit(published.url)
    for _ in range(20):
        with socket.create_connection((place.hostname or "", place.port or 0)) as connection:
            connection.sendall(f"GET {FILE} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
            connection.recv(100)
    assert reader.get("/health").json()["status"] == "ready"
