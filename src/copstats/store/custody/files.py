"""Keys in files that only the owner of the process can read."""

from __future__ import annotations

from pathlib import Path

from copstats.errors import ConfidentialityError
from copstats.store.custody.provider import checked_name
from copstats.store.files import atomic_write, open_to_others, remove
from copstats.store.lock import FileLock

_SUFFIX = ".key"
_WAIT = 10.0


class FileProvider:
    """One file a key, ``KEN.key``, of mode 0600; all of it is there or nothing, also after a crash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> bytes | None:
        """Return a secret, or None if there is none.

        Raises:
            ConfidentialityError: C003, the file is open to other accounts.
        """
        path = self._file(name)
        if not path.exists():
            return None
        if open_to_others(path):
            raise ConfidentialityError("C003", where=path.name)
        return path.read_bytes().strip()

    def put(self, name: str, secret: bytes, *, new: bool) -> bool:
        """Write a secret; see :class:`~copstats.store.custody.provider.KeyProvider`."""
        path = self._file(name)
        with FileLock(self.folder / ".lock", wait=_WAIT):
            if new and path.exists():
                return False
            atomic_write(path, secret + b"\n")
            return True

    def delete(self, name: str) -> None:
        """Delete a secret's file; copies in backups have to be destroyed too."""
        if self._file(name).exists():
            remove(self._file(name))

    def names(self) -> list[str]:
        """Return the names of all secrets, sorted."""
        return sorted(path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"*{_SUFFIX}"))

    def _file(self, name: str) -> Path:
        return self.folder / f"{checked_name(name)}{_SUFFIX}"
