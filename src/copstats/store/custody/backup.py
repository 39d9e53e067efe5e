"""A copy of keys to lay in a safe: one line of text, locked with a passphrase.

Keys that are locked stay so in it: to use them after a restore takes their own passphrase too.
"""

from __future__ import annotations

import msgspec

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.custody.passphrase import is_locked, lock, unlock
from copstats.store.custody.provider import KeyProvider, checked_name
from copstats.store.custody.registered import RegisteredKeys

_NAME = "copstats-keys-backup-1"


class _Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    keys: dict[str, bytes]
    registered: dict[str, bytes]


def write_backup(
    provider: KeyProvider, registered: RegisteredKeys, passphrase: str, *, only: str | None = None
) -> bytes:
    """Return all keys, or those of one name or country, locked with a passphrase.

    Args:
        provider: where the keys are.
        registered: signing keys of countries; in the backup of all keys.
        passphrase: of the backup.
        only: a key's name; a country's code takes all keys of the country, its root and what belongs to it.

    Raises:
        UsageError: U312, the passphrase is too weak.
        ConfidentialityError: C001, there is no such key.
    """
    wanted = [n for n in provider.names() if only is None or n == only or n.startswith(f"{only}.")]
    held = {name: provider.get(name) for name in wanted}
    keys = {name: secret for name, secret in held.items() if secret is not None}
    if not keys:
        raise ConfidentialityError("C001", where=only or "")
    content = _Content(format=_NAME, keys=keys, registered=registered.content() if only is None else {})
    return lock(msgspec.json.encode(content), passphrase, _NAME) + b"\n"


def restore_backup(
    content: bytes, provider: KeyProvider, registered: RegisteredKeys, passphrase: str
) -> list[str]:
    """Put keys back; return the names of those that were not there.

    Nothing that is there is replaced; run again after a crash, it does the rest.

    Raises:
        UsageError: U317, this is no backup; U318, another key of the same name is there: nothing was
            changed.
        ConfidentialityError: C322, the passphrase is another, or the backup was damaged.
    """
    line = content.strip()
    if not is_locked(line):
        raise UsageError("U317")
    try:
        held = msgspec.json.decode(unlock(line, passphrase, _NAME), type=_Content)
    except msgspec.DecodeError:
        raise UsageError("U317") from None
    for name, secret in held.keys.items():
        present = provider.get(checked_name(name))
        if present not in {None, secret}:
            raise UsageError("U318", where=name)
    for area, document in held.registered.items():
        registered.restore(area, document)
    return [name for name, secret in held.keys.items() if provider.put(name, secret, new=True)]
