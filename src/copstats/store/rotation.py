"""Rotation: another key of a country in the place of the present one, without loss wherever it stops.

The data stay as they are: only their data keys, some bytes each, are wrapped anew. First the next key is
drawn, and everything sealed from then on takes it; then every seal is replaced, by one rename each; last, the
earlier key is forgotten. Until that both keys open what they sealed, and whoever calls again goes on.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.home import Home
from copstats.store.keys import KeyStore, signing_name

_WAIT = 60.0
SEALED_IN = ("waves", "findings", "warehouse", "ledger", "inbox", "quarantine", "tombstones")
"""Folders of a home that hold sealed files."""


@dataclass(frozen=True)
class Rotated:
    """What a rotation did.

    Attributes:
        fingerprint: of the country's new signing key, at its office; else empty.
        rewrapped: data keys wrapped anew, at the receiving side.
    """

    fingerprint: str = ""
    rewrapped: int = 0


def rotate(home: Path, keys: KeyStore, area: str, on: dt.date) -> Rotated:
    """Replace the keys of a country that can be replaced here.

    At the office that is the key that signs; the earlier public part stays known as superseded. At the
    receiving side it is the key under which data keys are wrapped. Pseudonyms hang on the country's root,
    which stays: with another one, later versions and withdrawals would not find their records.

    Args:
        home: the home folder; without settings in it, only the key that signs is replaced.
        keys: its keys, with what asks for passphrases.
        area: ISO 3166-1 alpha-3.
        on: the day.

    Raises:
        UsageError: U322, there is nothing to rotate.
        ConfidentialityError: C001 to C005, a key or seal is missing or unfit; C326, something is sealed
            under the earlier key still, which therefore stays.
        Retriable: T001, the home is at work.
    """
    fingerprint, rewrapped = "", 0
    signs = signing_name(area) in keys.names()
    sealed = area in keys.areas() and any(True for name in SEALED_IN for _ in (home / name).glob(f"{area}_*"))
    if not signs and not sealed:
        raise UsageError("U322", area=area)
    if signs:
        fingerprint = keys.rotate_signing(area, on).fingerprint
    if sealed:
        rewrapped = rotate_wrapping(Home.open(home), keys, area)
    return Rotated(fingerprint, rewrapped)


def rotate_wrapping(home: Home, keys: KeyStore, area: str) -> int:
    """Wrap all data keys of a country under a new key; return how many there are.

    Raises:
        ConfidentialityError: C001 to C005, a key or seal is missing or unfit; C326, something is sealed
            under the earlier key still.
        Retriable: T001, the home is at work.
    """
    home.keys = keys
    with home.lock(wait=_WAIT):
        keys.begin_rotation(area)
        kept = (home.waves, home.findings, home.warehouse, home.ledger, home.inbox, home.quarantine)
        count = sum(part.rewrap(area) for part in (*kept, home.tombstones))
        if left := _still_under(home.path, keys.key_ids(area)[1:]):
            raise ConfidentialityError("C326", area=area, count=left)
        keys.finish_rotation(area)
    return count


def _still_under(home: Path, key_ids: list[str]) -> int:
    """Count the seals, of whatever kind, that name one of these keys: forgetting it would destroy them."""
    seals = [path for name in SEALED_IN for path in (home / name).rglob("*.json")]
    names = [key_id.encode() for key_id in key_ids]
    return sum(any(name in content for name in names) for content in map(Path.read_bytes, seals))
