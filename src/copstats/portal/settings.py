"""How the portal is reached and what it bears; refuses to serve tokens over a readable connection."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from copstats.errors import PortalError
from copstats.store.config import PortalConfig

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Limits:
    """What one client may use; all times in seconds, all sizes in bytes.

    Attributes:
        sign_ins: attempts a minute and client.
        requests: requests a minute and client or token; segments of uploads are not counted.
        body: of a request that is no segment of an upload.
        segment: of a segment of an upload.
        header: all header lines of a request together.
        header_time: from the start of a connection or request to the end of its header.
        body_time: between two pieces of a body.
    slowest: bytes a second that a body has to bring on average, after twice that time.
        connections: at the same time, of all clients.
        idle: a session that was not used ends.
        session: a session ends.
        shutdown: for running requests to end when the server stops.
    """

    sign_ins: int = 10
    requests: int = 600
    body: int = 64 * 1024
    segment: int = 8 * 1024 * 1024
    header: int = 16 * 1024
    header_time: float = 10.0
    body_time: float = 20.0
    slowest: int = 500
    connections: int = 256
    idle: float = 30 * 60.0
    session: float = 8 * 3600.0
    shutdown: float = 20.0


@dataclass(frozen=True)
class PortalSettings:
    """Settings of a running portal: those of the home, the address it listens on, its limits.

    Attributes:
        host: address to listen on.
        port: to listen on; 0 for a free one.
        config: table ``[portal]`` of ``copstats.toml``.
        limits: what one client may use.
        worker: whether to start the process that takes uploads in.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    config: PortalConfig = field(default_factory=PortalConfig)
    limits: Limits = field(default_factory=Limits)
    worker: bool = True

    def check(self) -> None:
        """Refuse settings under which a token could travel readably.

        Raises:
            PortalError: P104, ``public_url`` is no plain address; P105, it is not https although others can
                reach it; P106, it listens for other machines without https; P107, nobody is declared to speak
                TLS for it; P108, ``trusted_proxies`` holds something else than addresses.
        """
        self._check_public_url()
        if not is_loopback(self.host) and not self.https:
            raise PortalError("P106", where=self.host)
        try:
            _ = self.proxies
        except ValueError:
            raise PortalError("P108", where="copstats.toml") from None
        if self.https and not self.proxies:
            raise PortalError("P107", where="copstats.toml")

    def _check_public_url(self) -> None:
        url = self.config.public_url
        if not url:
            return
        try:
            parts = urlsplit(url)
            plain = bool(parts.hostname) and (parts.port or True)
        except ValueError:
            plain = False
        if not plain or parts.scheme not in ("http", "https") or parts.path.strip("/"):
            raise PortalError("P104", where="copstats.toml")
        if parts.query or parts.fragment or parts.username is not None:
            raise PortalError("P104", where="copstats.toml")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_NAMES:
            raise PortalError("P105", where="copstats.toml")

    @property
    def https(self) -> bool:
        """Whether clients reach it by TLS, which a declared proxy speaks."""
        return self.config.public_url.startswith("https://")

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; ``__Host-`` ties it to this host and to TLS (RFC 6265bis, 4.1.3)."""
        return "__Host-copstats" if self.https else "copstats"

    @cached_property
    def origin(self) -> str:
        """Scheme, host and port of ``public_url``; empty if it is not set."""
        scheme = urlsplit(self.config.public_url).scheme
        return f"{scheme}://{self.public_host}" if self.public_host else ""

    @cached_property
    def public_host(self) -> str:
        """Host that requests name, with its port if that is not the scheme's own; empty if none is set."""
        parts = urlsplit(self.config.public_url)
        own_port = ":443" if parts.scheme == "https" else ":80"
        return parts.netloc.lower().removesuffix(own_port)

    @cached_property
    def proxies(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """Addresses and networks of ``trusted_proxies``."""
        return tuple(ipaddress.ip_network(one) for one in self.config.trusted_proxies)

    def trusts(self, address: str) -> bool:
        """Whether this is the address of a declared proxy."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.proxies)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Headers of every answer that does not set them itself.

``same-origin``, not ``no-referrer``: under the latter browsers send forms with ``Origin: null``.
"""
STRICT_TRANSPORT = "max-age=63072000; includeSubDomains"
