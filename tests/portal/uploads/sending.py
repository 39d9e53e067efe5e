"""A client of the portal's uploads, as plain as the documents describe it."""

from __future__ import annotations

import hashlib
import io
import random
import zipfile

import httpx

SEGMENT = {"content-type": "application/offset+octet-stream"}


def zip_of(size: int, seed: int) -> bytes:
    """A zip that nothing compresses."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("child.csv"), random.Random(seed).randbytes(size))  # noqa: S311
    return packed.getvalue()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def begin(client: httpx.Client, content: bytes, kind: str = "raw", **changes: object) -> httpx.Response:
    announced = {"size": len(content), "sha256": digest(content), "kind": kind}
    return client.post("/api/uploads", json=announced | changes)


def patch(client: httpx.Client, place: str, offset: int, piece: bytes) -> httpx.Response:
    return client.patch(place, content=piece, headers=SEGMENT | {"upload-offset": str(offset)})


def offset_of(client: httpx.Client, place: str) -> int:
    answer = client.head(place)
    assert answer.status_code == 200
    return int(answer.headers["upload-offset"])


def send(client: httpx.Client, content: bytes, kind: str = "raw", segment: int = 1_000_000) -> str:
    """Send a file, or what is missing of it; return the id of the upload."""
    answer = begin(client, content, kind)
    assert answer.status_code in (200, 201), answer.text
    place = answer.headers["location"]
    at = offset_of(client, place)
    while at < len(content):
        answer = patch(client, place, at, content[at : at + segment])
        assert answer.status_code == 204, answer.text
        at = int(answer.headers["upload-offset"])
    return place.rpartition("/")[2]
