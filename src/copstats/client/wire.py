"""One request to a portal and its answer, over the standard library's HTTP client.

No redirect is followed, so the token never goes to another place. What a moment later may go well is
:class:`Broken`; everything else ends in an error that says what to do.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from copstats import __version__
from copstats.client.address import Address, Proxy, proxy_for
from copstats.errors import CopstatsError, Retriable, UsageError

TIMEOUT = 60.0
"""Seconds without a sign from the other side after which a connection counts as broken."""
_LARGEST_ANSWER = 8 * 2**20
_LONGEST_TEXT = 600
_NO_ROOM = 507
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_PROXY_REFUSALS = (" 401", " 403", " 405", " 407")
_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
_CERTIFICATES = {9: "U427", 10: "U427", 62: "U428", 64: "U428"}
"""Why a certificate is refused (X509_verify_cert_error of OpenSSL) -> error; U416 for all others."""


class Broken(Exception):
    """The request was cut or came too early: it may go well a moment later.

    Attributes:
        wait: seconds that the portal asks to wait; 0 if it says nothing.
    """

    def __init__(self, wait: float = 0.0) -> None:
        super().__init__()
        self.wait = wait


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP.
        headers: names in small letters.
        body: at most 8 MiB.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def content(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Wire:
    """A connection to one portal, opened when it is needed and again after it broke."""

    def __init__(self, address: Address, token: str, language: str = "en", timeout: float = TIMEOUT) -> None:
        """Prepare the connection.

        Args:
            address: of the portal.
            token: with which the office signs in; empty for what is public.
            language: of the portal's answers.
            timeout: see `TIMEOUT`.

        Raises:
            UsageError: U425, the environment names a proxy that cannot be used.
        """
        self.address = address
        self._token = token
        self._language = language
        self._proxy = proxy_for(address)
        self._connection = _connection(address, self._proxy, timeout)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        also: frozenset[int] = frozenset(),
    ) -> Answer:
        """Send one request and return its answer.

        Args:
            method: of HTTP.
            path: below the portal's address.
            body: in one piece, or in several together with the header Content-Length.
            headers: besides the token and the language.
            also: statuses above 299 that the caller deals with.

        Raises:
            Broken: the connection broke, or the portal asks to come again.
            UsageError: U416, U427, U428, its certificate is not trusted; U417, it refused; U418, it sends on
                to another place; U419, it is no portal; U425, the proxy refused; U429, it speaks no TLS.
            Retriable: T111, it has no room.
        """
        answer = self._exchange(method, path, body, headers or {})
        if answer.status < http.client.MULTIPLE_CHOICES or answer.status in also:
            return answer
        raise refusal(answer)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _exchange(
        self, method: str, path: str, body: bytes | Iterable[bytes] | None, headers: Mapping[str, str]
    ) -> Answer:
        connection, kept = self._connection, False
        try:
            try:
                connection.request(method, path, body, {**self._headers(), **headers})
            except (BrokenPipeError, ConnectionResetError):
                # A portal that refuses before it has read all closes its side; its answer may be there.
                if connection.sock is None:
                    raise
            answer = _whole(connection.getresponse())
            kept = True
            return answer
        except (OSError, http.client.HTTPException) as problem:
            raise _explained(problem, self._proxy) from None
        finally:
            if not kept:
                connection.close()

    def _headers(self) -> dict[str, str]:
        common = {
            "Accept": "application/json",
            "Accept-Language": self._language,
            "User-Agent": f"copstats/{__version__}",
        }
        return common | ({"Authorization": f"Bearer {self._token}"} if self._token else {})


def _connection(address: Address, proxy: Proxy | None, timeout: float) -> http.client.HTTPConnection:
    if address.scheme == "http":
        return http.client.HTTPConnection(address.host, address.port, timeout=timeout)
    context = ssl.create_default_context()
    if proxy is None:
        return http.client.HTTPSConnection(address.host, address.port, timeout=timeout, context=context)
    connection = http.client.HTTPSConnection(proxy.host, proxy.port, timeout=timeout, context=context)
    connection.set_tunnel(address.host, address.port, proxy.headers)
    return connection


def _whole(response: http.client.HTTPResponse) -> Answer:
    """Read an answer to its end; the standard library takes one that was cut for a whole one.

    Raises:
        Broken: it was cut, or is larger than any answer of a portal.
    """
    content = response.read(_LARGEST_ANSWER)
    # What was cut within its headers has neither a length nor a body.
    unframed = response.length is None and not response.chunked
    if response.length or (unframed and not content):
        raise Broken
    named = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, named, content)


def _explained(problem: Exception, proxy: Proxy | None) -> Exception:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return UsageError(_CERTIFICATES.get(problem.verify_code, "U416"))
    if isinstance(problem, ssl.SSLError) and not isinstance(problem, _CUT):
        return UsageError("U429")
    if proxy is not None and str(problem).startswith("Tunnel connection failed:"):
        said = str(problem).partition(":")[2]
        return UsageError("U425", where=proxy.host) if said.startswith(_PROXY_REFUSALS) else Broken()
    return Broken()


def refusal(answer: Answer) -> Exception:
    """Return what an answer that is no success means; see :meth:`Wire.ask`."""
    if answer.status == _NO_ROOM:
        return Retriable("T111")
    if answer.status in _AGAIN:
        wait = answer.headers.get("retry-after", "")
        return Broken(float(wait) if wait.isdecimal() else 0.0)
    if answer.status < http.client.BAD_REQUEST:
        return UsageError("U418", place=_place(answer.headers.get("location", "")))
    return _told(answer)


def _told(answer: Answer) -> CopstatsError:
    """Return what the portal says of its refusal, in its own words and under its own code."""
    said = {name: plain(answer.content.get(name)) for name in ("code", "title", "detail", "hint", "where")}
    if not said["code"] or not said["title"]:
        return UsageError("U419", status=answer.status)
    place = " ".join(filter(None, (said["code"], said["where"])))
    return UsageError("U417", where=place, title=said["title"], why=said["detail"], hint=said["hint"])


def plain(said: object) -> str:
    """Return a text of the other side without anything that could move a terminal's cursor."""
    text = said if isinstance(said, str) else ""
    return "".join(sign if sign.isprintable() else " " for sign in text[:_LONGEST_TEXT])


def _place(location: str) -> str:
    try:
        parts = urlsplit(location)
    except ValueError:
        return "?"
    return plain(f"{parts.scheme}://{parts.hostname}" if parts.hostname else parts.path)[:200]
