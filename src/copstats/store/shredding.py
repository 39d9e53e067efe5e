"""Destroying by key: proof that what was sealed under some data keys can never be read again.

A sealed file can be read by whoever has its data key, and that stands beside it, wrapped under the country's
key. Deleting both is not enough: a backup may hold them. Once the country's key is destroyed, or another one
has taken its place, no copy of the wrapped key opens anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from copstats.errors import ConfidentialityError
from copstats.store.keys import KeyStore

_WRAPPED = "wrapped_key"


def wrapped_keys(home: Path, folders: Iterable[str], subject: str) -> list[bytes]:
    """Return the wrapped data keys of everything that is sealed on a subject.

    Args:
        home: the home folder.
        folders: of it, in which sealed files lie.
        subject: country, wave or submission: what the names of files and folders begin with.
    """
    places = [place for name in folders for place in sorted((home / name).glob(f"{subject}*"))]
    entries = (path for place in places for path in (place.rglob("*.json") if place.is_dir() else [place]))
    return [key for path in entries if path.suffix == ".json" for key in _within(_decoded(path))]


def still_readable(keys: KeyStore, area: str, wrapped: Iterable[bytes]) -> int:
    """Return how many of the data keys the present keys of the country still open."""
    return sum(_opens(keys, area, one) for one in wrapped)


def _opens(keys: KeyStore, area: str, wrapped: bytes) -> bool:
    try:
        keys.unwrap(area, wrapped)
    except ConfidentialityError:
        return False
    return True


def _decoded(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


def _within(content: Any) -> Iterator[bytes]:
    if isinstance(content, list):
        for one in content:
            yield from _within(one)
    elif isinstance(content, dict):
        for name, value in content.items():
            if name == _WRAPPED and isinstance(value, str):
                yield msgspec.convert(value, bytes)
            else:
                yield from _within(value)
