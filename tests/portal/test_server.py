from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from copstats.errors import PortalError
from copstats.portal.settings import Limits, PortalSettings
from copstats.store.config import PortalConfig
from copstats.store.home import Home
from tests.portal.conftest import SERVING, Served

TLS = "https://cop.example.org"


@pytest.mark.parametrize(
    ("code", "host", "config"),
    [
        ("P106", "0.0.0.0", PortalConfig()),  # noqa: S104 - refused
        ("P106", "::", PortalConfig()),
        ("P106", "192.0.2.1", PortalConfig(trusted_proxies=("192.0.2.9",))),
        ("P105", "127.0.0.1", PortalConfig(public_url="http://cop.example.org")),
        ("P107", "127.0.0.1", PortalConfig(public_url=TLS)),
        ("P107", "0.0.0.0", PortalConfig(public_url=TLS)),  # noqa: S104
        ("P108", "127.0.0.1", PortalConfig(public_url=TLS, trusted_proxies=("proxy.example",))),
        ("P104", "127.0.0.1", PortalConfig(public_url="cop.example.org")),
        ("P104", "127.0.0.1", PortalConfig(public_url="ftp://cop.example.org")),
        ("P104", "127.0.0.1", PortalConfig(public_url="https://cop.example.org/portal")),
        ("P104", "127.0.0.1", PortalConfig(public_url="https://cop.example.org?x")),
        ("P104", "127.0.0.1", PortalConfig(public_url="https://a:b@cop.example.org")),
        ("P104", "127.0.0.1", PortalConfig(public_url="https://cop.example.org:99999")),
    ],
)
def test_settings_that_would_let_tokens_be_read_are_refused(
    code: str, host: str, config: PortalConfig
) -> None:
    with pytest.raises(PortalError, match=code):
        PortalSettings(host=host, config=config).check()


@pytest.mark.parametrize(
    ("host", "config"),
    [
        ("127.0.0.1", PortalConfig()),
        ("::1", PortalConfig()),
        ("localhost", PortalConfig(public_url="http://localhost:8000")),
        ("0.0.0.0", PortalConfig(public_url=TLS, trusted_proxies=("10.0.0.4", "10.1.0.0/24"))),  # noqa: S104
    ],
)
def test_settings_under_which_nobody_reads_along_are_taken(host: str, config: PortalConfig) -> None:
    PortalSettings(host=host, config=config).check()


def test_the_server_does_not_start_open_to_all(tmp_path: Path) -> None:
    Home.open(tmp_path / "home", create=True)
    command = (sys.executable, str(SERVING), str(tmp_path / "home"), '{"host": "0.0.0.0"}')
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "P106" in done.stderr
    assert done.stdout == ""


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> object:
    from tests.portal.conftest import new_home, serve

    home = tmp_path_factory.mktemp("impatient") / "home"
    limits = {"header_time": 0.6, "body_time": 0.5, "connections": 12}
    with serve(home, *new_home(home), worker=False, limits=limits) as served:
        yield served


def connected(portal: Served) -> socket.socket:
    host, port = portal.url.removeprefix("http://").split(":")
    found = socket.create_connection((host, int(port)), timeout=10)
    return found


def read_all(connection: socket.socket) -> bytes:
    came = b""
    try:
        while piece := connection.recv(4096):
            came += piece
    except ConnectionResetError:
        pass
    return came


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\n"])
def test_a_header_that_does_not_end_is_cut_off(impatient: Served, first: bytes) -> None:
    began = time.monotonic()
    with connected(impatient) as slow:
        slow.settimeout(0.1)
        slow.sendall(first)
        came = b""
        while time.monotonic() - began < 5 and b"408" not in came:
            try:
                slow.sendall(b"X-A: b\r\n" if first else b"")
                came += slow.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                break
    assert came.startswith(b"HTTP/1.1 408")
    assert 0.5 < time.monotonic() - began < 3


def test_a_second_request_of_a_connection_has_to_come_in_time_too(impatient: Served) -> None:
    with connected(impatient) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert slow.recv(4096).startswith(b"HTTP/1.1 307")
        slow.sendall(b"GET / HT")
        assert b"408" in read_all(slow)


@pytest.mark.parametrize("piece", [b"", b"x"])
def test_a_body_that_does_not_come_is_cut_off(impatient: Served, piece: bytes) -> None:
    head = (
        "POST /en/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nContent-Length: 999\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    began = time.monotonic()
    with connected(impatient) as slow:
        slow.settimeout(0.2)
        slow.sendall(head.encode())
        came = b""
        while time.monotonic() - began < 6 and not came:
            try:
                slow.sendall(piece)
                came = slow.recv(4096)
            except TimeoutError:
                continue
    assert came.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < 4


def test_a_header_too_large_is_refused(impatient: Served) -> None:
    with connected(impatient) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: " + b"a" * (Limits().header + 1))
        assert read_all(connection).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: other.example\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"POST /en/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_refused(impatient: Served, request_line: bytes) -> None:
    with connected(impatient) as connection:
        connection.sendall(request_line)
        status = read_all(connection)[:12]
    assert status in (b"HTTP/1.1 400", b"HTTP/1.1 408", b"HTTP/1.1 421", b"HTTP/1.1 405", b"")


def test_a_body_with_two_lengths_is_refused(impatient: Served) -> None:
    head = "POST /en/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n"
    with connected(impatient) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 400")


def test_many_idle_connections_keep_nobody_out_for_long(impatient: Served) -> None:
    held = [connected(impatient) for _ in range(20)]
    time.sleep(1.5)
    assert impatient.client().get("/en/sign-in").status_code == 200
    for connection in held:
        connection.close()


def test_a_forwarded_address_of_no_proxy_buys_no_attempts(impatient: Served) -> None:
    browser = impatient.browser()
    statuses = [
        browser.post(
            "/en/sign-in", data={"token": "x"}, headers={"x-forwarded-for": f"192.0.2.{turn}"}
        ).status_code
        for turn in range(13)
    ]
    assert statuses[-3:] == [429, 429, 429]
    assert set(statuses[:-3]) <= {403, 429}


def test_a_refused_body_is_not_read_for_ever(impatient: Served) -> None:
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
    began = time.monotonic()
    with connected(impatient) as slow:
        slow.settimeout(0.1)
        slow.sendall(head)
        ended = False
        while not ended and time.monotonic() - began < 5:
            try:
                slow.sendall(b"x")
                ended = slow.recv(4096) == b""
            except TimeoutError:
                continue
            except OSError:
                ended = True
    assert 0.5 < time.monotonic() - began < 3


def test_a_taken_port_is_named(portal: Served) -> None:
    port = int(portal.url.rpartition(":")[2])
    settings = PortalSettings(port=port)
    from copstats.portal.server import run

    with pytest.raises(PortalError, match="P123"):
        run(portal.home, settings)
