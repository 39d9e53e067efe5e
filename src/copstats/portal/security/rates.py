"""How often a client may ask: a bucket of tokens each, in memory, of bounded number."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

_MINUTE = 60.0
_BUCKETS = 20_000
_IPV6_SITE = 64


class Rates:
    """Buckets that hold a minute's worth and fill evenly; the longest unused ones make room for new ones."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, buckets: int = _BUCKETS) -> None:
        self._clock = clock
        self._most = buckets
        self._levels: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, kind: str, client: str, a_minute: int) -> int:
        """Count one use.

        Args:
            kind: of use: each has buckets of its own.
            client: address or id.
            a_minute: how many uses a minute are allowed.

        Returns:
            0 if it is allowed, else the seconds until the next one is.
        """
        now = self._clock()
        with self._lock:
            level, filled = self._levels.pop((kind, client), (float(a_minute), now))
            level = min(float(a_minute), level + (now - filled) * a_minute / _MINUTE)
            allowed = level >= 1
            self._levels[kind, client] = (level - 1 if allowed else level, now)
            while len(self._levels) > self._most:
                self._levels.popitem(last=False)
        return 0 if allowed else math.ceil((1 - level) * _MINUTE / a_minute)


def client_key(address: str) -> str:
    """Return what a client is counted by: its address, for IPv6 the network that one site has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:  # noqa: PLR2004 - of the protocol
        return address
    return str(ipaddress.ip_network((int(found), _IPV6_SITE), strict=False).network_address)
