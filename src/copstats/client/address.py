"""Where a portal is, and the proxy on the way to it; a token goes nowhere else."""

from __future__ import annotations

import base64
import ipaddress
import urllib.request
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from copstats.errors import UsageError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """Scheme, host and port of a portal.

    Attributes:
        scheme: ``https``; ``http`` for this computer alone.
        host: name or IP address, in ASCII.
        port: of the host.
    """

    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """The address as a URL without path; the port stands there if it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    @property
    def name(self) -> str:
        """Host and port as a name for files and entries of a keyring."""
        return f"portal.{self.host.replace(':', '-')}.{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this computer."""
        return _is_loopback(self.host)


def address_of(text: str) -> Address:
    """Read the address of a portal; a path, as one copies it from a browser, is left out.

    Raises:
        UsageError: U410, it is none; U411, it is plain http to another computer.
    """
    try:
        parts = urlsplit(text.strip() if "://" in text else f"https://{text.strip()}")
        host, port = _host(parts), parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise UsageError("U410") from None
    if parts.username is not None or parts.query:
        raise UsageError("U410")
    found = Address(parts.scheme, host, port)
    if found.scheme == "http" and not found.is_loopback:
        raise UsageError("U411", where=host)
    return found


@dataclass(frozen=True)
class Proxy:
    """A proxy that passes encrypted connections on; it sees the name of the portal, not what is sent.

    Attributes:
        host: of the proxy.
        port: of the proxy.
        headers: that it asks for.
    """

    host: str
    port: int
    headers: dict[str, str] = field(default_factory=dict, repr=False)


def proxy_for(address: Address) -> Proxy | None:
    """Return the proxy that the environment (or the system's settings) names for a portal, or None.

    Raises:
        UsageError: U425, it cannot be used.
    """
    if address.is_loopback or urllib.request.proxy_bypass(address.host):
        return None
    named = urllib.request.getproxies()
    url = named.get("https") or named.get("all")
    if not url:
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = _host(parts), parts.port or _PORTS["http"]
    except ValueError:
        raise UsageError("U425") from None
    if parts.scheme != "http":
        raise UsageError("U425", where=host)
    return Proxy(host, port, _credentials(parts))


def _credentials(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    held = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(held).decode()}"}


def _host(parts: SplitResult) -> str:
    """Return the host in the form that DNS and certificates have it.

    Raises:
        ValueError: there is none, or no name can be made of it.
    """
    if not parts.hostname:
        raise ValueError
    if ":" in parts.hostname:
        return str(ipaddress.IPv6Address(parts.hostname))
    host = parts.hostname.encode("idna").decode("ascii")
    if not all(sign.isalnum() or sign in ".-_" for sign in host):
        raise ValueError
    return host


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
