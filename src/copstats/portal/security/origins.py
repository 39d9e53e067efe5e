"""Where a request comes from: refuses forms and scripts of other sites."""

from __future__ import annotations

import re

from fastapi import Request

from copstats.errors import PortalError
from copstats.portal.settings import PortalSettings

_OWN_PATH = re.compile(r"/[a-z]{2}(/[A-Za-z0-9_.-]+)*/?")


def check_origin(request: Request, settings: PortalSettings) -> None:
    """Refuse a request that changes something unless a page of this portal sent it.

    Every present browser says so itself (Sec-Fetch-Site, Origin); one that says neither is refused.

    Raises:
        PortalError: P113 (403).
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = settings.origin or f"http://{request.headers.get('host', '')}".lower()
    same_site = site in (None, "same-origin")
    same_origin = origin is None or origin.lower() == own
    if (site is None and origin is None) or not same_site or not same_origin:
        raise PortalError("P113", status=403)


def own_path(path: str, default: str) -> str:
    """Return ``path`` if it is one of this portal's pages, else ``default``: no redirect leads elsewhere."""
    return path if _OWN_PATH.fullmatch(path) and ".." not in path else default
