"""Files and folders that are either wholly there or not there, whenever the process is killed.

Everything is written in a staging folder beside its final place (the same file system), forced to disk, and
then renamed in one step. A write is acknowledged when the function returns; its cost over a plain write is
two forced writes of a file and one of each folder, some milliseconds on a disk. The staging folder belongs to
whoever holds the lock in it: when the process dies the lock falls, and :func:`recover` removes what it left
behind.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from copstats.store.lock import FileLock

STAGING = ".staging-"
_OWNER = "owner.lock"
_CONTENT = "content"


def open_private(path: Path) -> BinaryIO:
    """Create a new file that only its owner can read (mode 0600 whatever the umask), open for writing.

    Raises:
        FileExistsError: the file is there already.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def write_private(path: Path, data: bytes) -> None:
    """Write a new file of mode 0600 and force it to disk."""
    with open_private(path) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_file(path: Path) -> None:
    """Force a file that someone else wrote to disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to disk, where the system can (Windows does it by itself)."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_to_others(path: Path) -> bool:
    """Say whether accounts other than the owner may use the file or folder; always False on Windows."""
    return sys.platform != "win32" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def atomic_write(path: Path, data: bytes) -> None:
    """Replace or create a file: readers see the old content or the new, never a part."""
    with _staging(path.parent) as room:
        content = room / _CONTENT
        write_private(content, data)
        content.replace(path)
        sync_folder(path.parent)


class StagedFolder:
    """A folder under construction.

    Attributes:
        folder: write into it.
        final: where :meth:`commit` puts it.
    """

    def __init__(self, folder: Path, final: Path) -> None:
        self.folder = folder
        self.final = final

    def commit(self, *, replace: bool = False) -> Path:
        """Force all files to disk and put the folder in its final place by one rename.

        Args:
            replace: put it in the place of the folder that is there, if one is.

        Raises:
            FileExistsError: the final place is taken.
        """
        _close_to_others_and_sync(self.folder)
        if not self.final.exists():
            return self._put()
        if not replace:
            raise FileExistsError(self.final.name)
        with _staging(self.final.parent) as room:
            self.final.rename(room / _CONTENT)
            return self._put()

    def _put(self) -> Path:
        try:
            self.folder.rename(self.final)
        except OSError:
            # Somebody else was faster: a folder with content is never renamed over.
            if self.final.exists():
                raise FileExistsError(self.final.name) from None
            raise
        sync_folder(self.final.parent)
        return self.final


@contextlib.contextmanager
def staged_folder(final: Path) -> Iterator[StagedFolder]:
    """Give a fresh private folder; without ``commit()`` it is gone at the end of the block."""
    with _staging(final.parent) as room:
        folder = room / _CONTENT
        folder.mkdir(mode=0o700)
        yield StagedFolder(folder, final)


def remove(path: Path) -> None:
    """Remove a file or folder: gone for readers by one rename, then deleted."""
    with _staging(path.parent) as room:
        path.rename(room / _CONTENT)
        sync_folder(path.parent)


def recover(folder: Path) -> int:
    """Remove what killed processes left half done in ``folder``; return how many such pieces there were.

    What a live process is writing is recognised by its lock and left alone.
    """
    removed = 0
    for room in folder.glob(f"{STAGING}*"):
        lock = FileLock(room / _OWNER)
        with contextlib.suppress(FileNotFoundError):
            if lock.acquire():
                _discard(_out_of_reach(room), lock)
                removed += 1
    return removed


@contextlib.contextmanager
def _staging(parent: Path) -> Iterator[Path]:
    room, lock = _new_room(parent)
    try:
        yield room
    finally:
        _discard(room, lock)


def _new_room(parent: Path) -> tuple[Path, FileLock]:
    while True:
        room = parent / f"{STAGING}{secrets.token_hex(8)}"
        room.mkdir(mode=0o700)
        lock = FileLock(room / _OWNER)
        # Between the two lines above a recovery elsewhere may take the room for abandoned: then make another.
        with contextlib.suppress(FileNotFoundError):
            if lock.acquire() and lock.path.exists():
                return room, lock
        lock.release()


def _out_of_reach(room: Path) -> Path:
    """Rename an abandoned room: a process that has just made it finds it gone and makes another."""
    gone = room.with_name(f"{room.name}.gone")
    with contextlib.suppress(PermissionError):  # Windows renames no folder with an open file
        return room.rename(gone)
    return room


def _discard(room: Path, lock: FileLock) -> None:
    content = room / _CONTENT
    if content.is_dir():
        shutil.rmtree(content)
    else:
        content.unlink(missing_ok=True)
    with contextlib.suppress(PermissionError):  # Windows deletes no open file
        lock.path.unlink(missing_ok=True)
    lock.release()
    shutil.rmtree(room, ignore_errors=True)


def _close_to_others_and_sync(folder: Path) -> None:
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            path.chmod(0o600)
            sync_file(path)
        Path(place).chmod(0o700)
        sync_folder(Path(place))
