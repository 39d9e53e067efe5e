"""Number 24: nothing leaves the machine while the tests run, and what tries to is heard of."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.offline.sitecustomize import EGRESS

NOWHERE = "192.0.2.1"
"""Never assigned to anybody (RFC 5737)."""


def _datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"x", (NOWHERE, 53))


def _asynchronous() -> None:
    asyncio.run(asyncio.open_connection(NOWHERE, 443))


ATTEMPTS: dict[str, Callable[[], object]] = {
    "connection": lambda: socket.create_connection((NOWHERE, 80), timeout=0.2),
    "IPv6": lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80)),
    "datagram": _datagram,
    "look-up": lambda: socket.getaddrinfo("statistics.example", 443),
    "look-up, bytes": lambda: socket.getaddrinfo(b"statistics.example", 443),
    "old look-up": lambda: socket.gethostbyname("statistics.example"),
    "disguised": lambda: socket.getaddrinfo("127.statistics.example", 443),
    "urllib": lambda: urllib.request.urlopen(f"http://{NOWHERE}/", timeout=0.2),
    "asyncio": _asynchronous,
}


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Attempts of this test are meant, so they are noted elsewhere."""
    log = tmp_path / "egress.txt"
    monkeypatch.setenv(EGRESS, str(log))
    return log


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_what_would_leave_the_machine_is_refused_and_noted(
    noted: Path, attempt: Callable[[], object]
) -> None:
    with pytest.raises((ConnectionError, urllib.error.URLError)) as refusal:
        attempt()
    assert "the tests stay on this machine" in str(refusal.value)
    assert len(noted.read_text("utf-8").splitlines()) == 1


CONNECT = f"import socket; socket.create_connection(('{NOWHERE}', 80), timeout=0.2)"


def run(*options: str) -> str:
    command = [sys.executable, *options, "-c", CONNECT]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_processes_that_tests_start_are_refused_too(noted: Path) -> None:
    # Twin: without site-packages nothing stands in the way, and whatever happens is the network's doing.
    assert "NetworkBlocked" not in run("-S")
    assert not noted.exists()
    assert "NetworkBlocked" in run()
    assert noted.read_text("utf-8") == f"socket.getaddrinfo '{NOWHERE}'\n"


def test_this_machine_may_talk_to_itself(noted: Path) -> None:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as server:
            try:
                server.bind((host, 0))
            except OSError:
                continue  # a machine without IPv6
            server.listen()
            with socket.create_connection(server.getsockname()[:2]) as client:
                assert client.getpeername()[0] == host
    one, other = socket.socketpair()
    one.sendall(b"x")
    assert other.recv(1) == b"x"
    socket.getaddrinfo("localhost", 80)
    socket.getaddrinfo(None, 80)
    assert not noted.exists()
