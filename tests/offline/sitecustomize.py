"""Keeps the tests off the network, in every Python process that they start.

Python imports a module of this name from PYTHONPATH before anything else; `tests/conftest.py` puts this
folder there and imports it itself. What would leave the machine (a connection, a datagram, the look-up of a
name) is refused, and written down in the file that COPSTATS_TEST_EGRESS names: code that takes a refusal
for a missing network does not go unnoticed.
"""

from __future__ import annotations

import os
import sys

EGRESS = "COPSTATS_TEST_EGRESS"
_HOST_AT = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
}
"""Audit event -> which of its arguments names the other end; see docs.python.org, "Audit events table"."""
_THIS_MACHINE = {"", "localhost", "::1", "::", "0.0.0.0"}  # noqa: S104 - nothing is bound here


class NetworkBlocked(ConnectionError):
    """Something tried to leave this machine."""


def _stays_here(address: object) -> bool:
    host = address[0] if isinstance(address, tuple) and address else address
    if isinstance(host, bytes):
        host = host.decode("utf-8", "replace")
    if not isinstance(host, str):
        return True  # nothing to look up, or neither IPv4 nor IPv6
    return host in _THIS_MACHINE or (host.startswith("127.") and host.replace(".", "").isdigit())


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _HOST_AT:
        return
    address = arguments[_HOST_AT[event]]
    named = event.startswith("socket.get") or isinstance(address, tuple)  # a path is a socket of this machine
    if not named or _stays_here(address):
        return
    if log := os.environ.get(EGRESS):
        with open(log, "a", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would slow every start
            file.write(f"{event} {address!r}\n")
    raise NetworkBlocked(f"the tests stay on this machine: {event} {address!r}")


sys.addaudithook(_refuse)
