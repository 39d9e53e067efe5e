"""Keys in the keyring of the operating system: Windows Credential Locker, macOS Keychain, Secret Service.

A keyring cannot list what it holds, so the names stand in an entry of their own.
"""

from __future__ import annotations

import json
from typing import Any

from copstats.errors import ConfidentialityError
from copstats.store.custody.provider import checked_name

_NAMES = "(names)"


class KeyringProvider:
    """Entries of the service ``copstats TOKEN``; needs the extra ``copstats[keyring]``.

    The keyring opens when the person logs in: whoever works under the same account can use the keys.
    """

    def __init__(self, token: str) -> None:
        """Prepare the provider.

        Args:
            token: tells the homes of one account apart.
        """
        self.service = f"copstats {token}"

    def get(self, name: str) -> bytes | None:
        """Return a secret, or None if there is none.

        Raises:
            ConfidentialityError: C320, no keyring can be used here.
        """
        secret = self._call("get_password", checked_name(name))
        return None if secret is None else str(secret).encode()

    def put(self, name: str, secret: bytes, *, new: bool) -> bool:
        """Keep a secret; see :class:`~copstats.store.custody.provider.KeyProvider`."""
        if new and self.get(name) is not None:
            return False
        # The name first: a secret that no list names could not be found again.
        self._list({*self.names(), checked_name(name)})
        self._call("set_password", name, secret.decode("ascii"))
        return True

    def delete(self, name: str) -> None:
        """Destroy a secret; nothing happens if there is none of this name."""
        if self.get(name) is not None:
            self._call("delete_password", name)
        self._list(set(self.names()) - {name})

    def names(self) -> list[str]:
        """Return the names of all secrets, sorted."""
        listed = self._call("get_password", _NAMES)
        return [name for name in json.loads(listed or "[]") if self.get(name) is not None]

    def _list(self, names: set[str]) -> None:
        self._call("set_password", _NAMES, json.dumps(sorted(names)))

    def _call(self, method: str, *arguments: str) -> Any:
        try:
            import keyring
            import keyring.errors
        except ImportError:
            raise ConfidentialityError("C320", where="keyring") from None
        try:
            return getattr(keyring, method)(self.service, *arguments)
        except (keyring.errors.KeyringError, RuntimeError, OSError):
            raise ConfidentialityError("C320", where="keyring") from None
