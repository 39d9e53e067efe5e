"""What readers and caches may keep, who may read across origins, and when nothing has changed (RFC 9110)."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

OPEN = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Accept-Ranges, Content-Range, ETag, Location, Retry-After",
    "cross-origin-resource-policy": "cross-origin",
}
"""Headers of what is published: pages of any origin may read it, and without credentials only."""
FOREVER = "public, max-age=31536000, immutable"
"""A release is never changed."""
A_MINUTE = "public, max-age=60"
"""What depends on which release is the newest."""
_PREFLIGHT = {
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "Accept, Accept-Language, If-None-Match, If-Range, Range",
    "access-control-max-age": "86400",
    "allow": "GET, HEAD, OPTIONS",
}
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def preflight() -> Response:
    """Return the answer to a browser that asks whether a page of another origin may read."""
    return Response(status_code=204, headers={**OPEN, **_PREFLIGHT})


def unchanged(request: Request, etag: str) -> bool:
    """Say whether the client has this state already: weak comparison of If-None-Match (RFC 9110, 13.1.2)."""
    sent = request.headers.get("if-none-match", "")
    return sent.strip() == "*" or etag.removeprefix("W/") in _TAG.findall(sent)
