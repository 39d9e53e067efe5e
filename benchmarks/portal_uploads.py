"""Parallel uploads to one portal: time, memory of the server, and whether each content is whole and its own.

    python benchmarks/portal_uploads.py [--uploads 50] [--megabytes 100] [--folder DIR]

The server is a real one on a free port of the loopback interface, without the worker. Every client sends
another content in segments of 4 MiB and breaks its connection once in the middle. At the end every upload is
read back from the disk, decrypted, and compared by hash. The folder needs room for all of them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from copstats.store.home import Home
from copstats.store.portal import PortalRegistry

SEGMENT = 4 * 2**20
CEILING = 600
SERVE = """
import dataclasses, sys
from pathlib import Path
from copstats.portal.server import run
from copstats.portal.settings import Limits, PortalSettings
from copstats.store.config import PortalConfig
config, limits = PortalConfig(open_uploads=1000), Limits(requests=10**6)
settings = PortalSettings(port=0, worker=False, limits=limits, config=config)
run(Path(sys.argv[1]), settings, ready=lambda url: print(url, flush=True))
"""


def pieces(number: int, size: int) -> Iterator[bytes]:
    """The content of one client, in segments; it begins as a zip does, and no two segments are alike."""
    block = hashlib.shake_256(str(number).encode()).digest(SEGMENT)
    for start in range(0, size, SEGMENT):
        piece = bytearray(block[: min(SEGMENT, size - start)])
        piece[:8] = b"PK\x03\x04\0\0\0\0" if not start else start.to_bytes(8, "big")
        yield bytes(piece)


class Client:
    def __init__(self, url: str, token: str) -> None:
        self.target = urlsplit(url)
        self.headers = {"authorization": f"Bearer {token}"}

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(str(self.target.hostname), self.target.port, timeout=600)
        connection.request(method, path, body, self.headers | named)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def cut(self, path: str, offset: int, piece: bytes) -> None:
        """Send a part of a segment and break the connection."""
        connection = http.client.HTTPConnection(str(self.target.hostname), self.target.port, timeout=600)
        connection.putrequest("PATCH", path)
        lines = {"content-type": "application/offset+octet-stream", "upload-offset": str(offset)}
        for name, value in {**self.headers, **lines, "content-length": str(len(piece))}.items():
            connection.putheader(name, value)
        connection.endheaders(piece[: len(piece) // 3])
        connection.close()

    def send(self, number: int, size: int) -> tuple[str, str]:
        """Send a content; return the id of the upload and the hash."""
        digest = hashlib.sha256()
        for piece in pieces(number, size):
            digest.update(piece)
        announced = {"size": size, "sha256": digest.hexdigest(), "kind": "raw"}
        answer = self.ask(
            "POST", "/api/uploads", json.dumps(announced).encode(), content_type="application/json"
        )
        place, at = str(answer.headers["location"]), 0
        for count, piece in enumerate(pieces(number, size)):
            if count == size // SEGMENT // 2:
                self.cut(place, at, piece)
            begins, end = at, at + len(piece)
            while at < end:
                body = piece[at - begins :]
                answer = self.ask(
                    *("PATCH", place, body),
                    content_type="application/offset+octet-stream",
                    upload_offset=str(at),
                )
                if answer.status == http.client.CONFLICT:
                    answer = self.ask("HEAD", place)
                at = int(str(answer.headers["upload-offset"]))
        return place.rpartition("/")[2], digest.hexdigest()


class Memory(threading.Thread):
    """Looks twenty times a second how much memory a process has, in MB."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.status = Path(f"/proc/{pid}/status")
        self.first = self.most = self.now()
        self.start()

    def now(self) -> int:
        lines = self.status.read_text("ascii").splitlines()
        return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)

    def run(self) -> None:
        while self.status.exists():
            self.most = max(self.most, self.now())
            time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--uploads", type=int, default=50)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        measure(Path(folder) / "home", given.uploads, given.megabytes * 2**20)


def measure(path: Path, uploads: int, size: int) -> None:
    home = Home.open(path, create=True)
    registry = PortalRegistry(home.registry.database)
    now = dt.datetime.now(dt.UTC)
    tokens = [
        registry.create_token("provider", area=area, holder="benchmark", days=1, now=now)[0]
        for area in ("XAA", "XBB", "XCC")
    ]
    command = [sys.executable, "-c", SERVE, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        memory, began = Memory(server.pid), time.perf_counter()
        with ThreadPoolExecutor(uploads) as pool:
            sent = list(
                pool.map(lambda n: Client(url, tokens[n % len(tokens)]).send(n, size), range(uploads))
            )
        seconds, most = time.perf_counter() - began, memory.most
        server.terminate()
    right = sum(home.inbox.sha256(upload_id) == sha256 for upload_id, sha256 in sent)
    print(f"{uploads} uploads of {size / 2**20:.0f} MiB, each cut once: {seconds:.0f} s, ", end="")
    print(f"{uploads * size / 2**20 / seconds:.0f} MiB/s; server: {memory.first} MB, at most {most} MB")
    print(f"whole and their own: {right} of {uploads}")
    assert right == uploads == len({upload_id for upload_id, _ in sent})
    assert most < CEILING


if __name__ == "__main__":
    main()
