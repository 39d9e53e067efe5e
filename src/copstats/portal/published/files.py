"""The files of releases: whole or in ranges, with hashes as entity tags; the site beside them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse, JSONResponse, RedirectResponse

from copstats.portal.context import PortalOf, WordsOf
from copstats.portal.published import caching
from copstats.portal.published.releases import CURRENT, PublishedRelease, find, labels

router = APIRouter(tags=["published files"])
_INDEX = "index.html"
_TYPES = {
    ".css": "text/css",
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".duckdb": "application/vnd.duckdb",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".parquet": "application/vnd.apache.parquet",
    ".pem": "application/x-pem-file",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
_SITE = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What the pages of the site allow themselves, and nobody may frame them."""
_DOCUMENT = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
"""Other files are documents: they run nothing, whatever is in them."""
_RANGES = re.compile(r"bytes=\s*(\d+-\d*|-\d+)(\s*,\s*(\d+-\d*|-\d+)){0,15}", re.IGNORECASE)


@router.options("/releases/{rest:path}", include_in_schema=False)
def ask(rest: str) -> Response:
    """Tell browsers that pages of other origins may read."""
    return caching.preflight()


@router.api_route("/releases", methods=["GET", "HEAD"], include_in_schema=False)
@router.get("/releases/", summary="List the releases")
@router.head("/releases/", include_in_schema=False)
def list_releases(request: Request, portal: PortalOf, words: WordsOf) -> Response:
    """List the published releases, the newest first; browsers get a page."""
    headers = {**caching.OPEN, "cache-control": caching.A_MINUTE, "vary": "Accept, Accept-Language"}
    if _wants_page(request):
        return RedirectResponse(f"/{words.language}/releases", 307, headers=headers)
    found = [summary(find(portal.home, label)) for label in labels(portal.home)]
    return JSONResponse({"releases": found}, headers=headers)


@router.get("/releases/{label}/", summary="List the files of a release")
@router.head("/releases/{label}/", include_in_schema=False)
def list_files(label: str, request: Request, portal: PortalOf) -> Response:
    """List the files of a release with size and hash; browsers get its site. ``current`` is the newest."""
    release = find(portal.home, label)
    headers = {**caching.OPEN, "cache-control": caching.A_MINUTE, "vary": "Accept"}
    if label == CURRENT:
        return RedirectResponse(_path(release, ""), 307, headers=headers)
    if _wants_page(request) and f"site/{_INDEX}" in release.files:
        return RedirectResponse(_path(release, "site/"), 307, headers=headers)
    files = [
        {"path": name, "url": _path(release, name), "size": entry.size, "sha256": entry.sha256}
        | {"type": media_type(name)}
        for name, entry in release.files.items()
    ]
    return JSONResponse({**summary(release), "files": files}, headers=headers)


@router.get("/releases/{label}/{name:path}", summary="Read a file of a release", response_class=FileResponse)
@router.head("/releases/{label}/{name:path}", include_in_schema=False)
def read_file(label: str, name: str, request: Request, portal: PortalOf) -> Response:
    """Send a file that the manifest of a release lists, or ranges of it.

    The entity tag is the SHA-256 of the content; under a label nothing ever changes. ``current`` leads to the
    newest release.
    """
    release = find(portal.home, label)
    if label == CURRENT:
        headers = {**caching.OPEN, "cache-control": caching.A_MINUTE}
        return RedirectResponse(_path(release, name), 307, headers=headers)
    if (folder := name.rstrip("/")) and f"{folder}/{_INDEX}" in release.files:
        if folder == name:
            return RedirectResponse(_path(release, f"{name}/"), 308, headers=caching.OPEN)
        name = f"{folder}/{_INDEX}"
    return _send(release, name, request)


@router.get("/site", include_in_schema=False)
@router.get("/site/{name:path}", include_in_schema=False)
def read_site(portal: PortalOf, name: str = "") -> Response:
    """Lead to the site of the newest release."""
    release = find(portal.home, CURRENT)
    return RedirectResponse(_path(release, f"site/{name}"), 307, headers={"cache-control": caching.A_MINUTE})


def summary(release: PublishedRelease) -> dict[str, Any]:
    """Return what the list of releases says of one."""
    size = sum(entry.size for entry in release.files.values())
    return {"label": release.label, "url": _path(release, ""), "files": len(release.files), "size": size}


def media_type(name: str) -> str:
    """Return the media type of a file of a release."""
    return _TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")


def _send(release: PublishedRelease, name: str, request: Request) -> Response:
    place, entry = release.place(name), release.files[name]
    etag = f'"{entry.sha256}"'
    headers = {
        **caching.OPEN,
        "cache-control": caching.FOREVER,
        "content-security-policy": _SITE if name.startswith("site/") else _DOCUMENT,
        "etag": etag,
    }
    if caching.unchanged(request, etag):
        return Response(status_code=304, headers=headers)
    _forget_unusual_ranges(request)
    return FileResponse(place, headers=headers, media_type=media_type(name), stat_result=place.stat())


def _forget_unusual_ranges(request: Request) -> None:
    """Ignore a Range header of another method, another unit or another form, as RFC 9110, 14.2 has it."""
    usual = request.method == "GET" and _RANGES.fullmatch(request.headers.get("range", ""))
    if not usual:
        request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"range"]


def _path(release: PublishedRelease, name: str) -> str:
    return f"/releases/{release.label}/{quote(name, safe='/')}"


def _wants_page(request: Request) -> bool:
    """Say whether a browser asks, and not for JSON by ``?format=json``."""
    return "text/html" in request.headers.get("accept", "") and "format" not in request.query_params
