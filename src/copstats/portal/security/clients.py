"""Who stands at the other end of a connection, and by which name they called: proxies and hosts."""

from __future__ import annotations

from starlette.types import Scope

from copstats.errors import PortalError
from copstats.portal.settings import LOOPBACK_NAMES, PortalSettings, is_loopback


def settle_client(scope: Scope, settings: PortalSettings) -> None:
    """Put the client's address and scheme into the scope, as declared proxies tell them.

    What X-Forwarded-For and X-Forwarded-Proto say is believed only from a declared proxy: of the addresses
    the last one that is no proxy, since clients may write the earlier ones themselves.

    Raises:
        PortalError: P109 (403), the request came by plain HTTP although TLS is declared.
    """
    peer = scope["client"][0] if scope.get("client") else ""
    headers = dict(scope["headers"])
    scheme = "http"
    if settings.trusts(peer):
        scheme = headers.get(b"x-forwarded-proto", b"").decode("latin-1").strip().lower()
        scope["client"] = (_forwarded(headers.get(b"x-forwarded-for", b""), peer, settings), 0)
    scope["scheme"] = "https" if scheme == "https" else "http"
    forwarded = b"x-forwarded-for" in headers
    if settings.https and scope["scheme"] != "https" and (forwarded or not is_loopback(peer)):
        raise PortalError("P109", status=403)


def _forwarded(header: bytes, peer: str, settings: PortalSettings) -> str:
    for address in reversed(header.decode("latin-1").split(",")):
        found = address.strip()
        if not settings.trusts(found):
            return found[:45] or peer
    return peer


def check_host(scope: Scope, settings: PortalSettings) -> None:
    """Refuse a request for another host than this: links and cookies would be another's.

    Raises:
        PortalError: P122 (421) another host; P109 (403) this one, without its proxy's word that TLS was used.
    """
    named = [value for name, value in scope["headers"] if name == b"host"]
    host = named[0].decode("latin-1").lower() if len(named) == 1 else ""
    if settings.public_host and host == settings.public_host:
        if settings.https and scope["scheme"] != "https":
            raise PortalError("P109", status=403)
        return
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    by_loopback = is_loopback(scope["client"][0]) if scope.get("client") else False
    if by_loopback and name.strip("[]") in LOOPBACK_NAMES:
        return
    raise PortalError("P122", status=421)
