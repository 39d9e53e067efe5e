"""What arrives at the portal piece by piece: encrypted as it comes, resumable, read in its place.

``inbox/KEN_4f1c09aa5e3b77d2/`` appears by one rename: ``upload.json`` with the wrapped data key of this
upload alone. Every segment that a client sends becomes one file beside it (:mod:`copstats.store.segments`),
written elsewhere and put in its place by one rename: from that moment it is kept. No lock is held while a
client sends. Of two that send the same place the first is kept and the other refused, so a connection that
hangs does not stop the one that takes its place.

No nonce is ever used twice: each attempt draws the name, and with it the key, of its file anew. Nothing of an
upload is ever on a disk in clear, and a process that is killed loses the segments under way at most.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import structs

from copstats.errors import ConfidentialityError, PortalError
from copstats.store.files import remove, staged_folder, sync_folder, write_private
from copstats.store.keys import KEY_BYTES, KeyStore
from copstats.store.lock import FileLock
from copstats.store.sealed_stream import StreamWriter, open_stream
from copstats.store.segments import Part, Segment, joined, part_name, parts_in

LAYOUT = 1
_ENTRY, _LOCK, _NOTE, _ARRIVING = "upload.json", ".lock", "note", "arriving"
_ID = re.compile(r"[A-Z]{3}_[0-9a-f]{16}")
_WAIT = 30.0
_MOST_NOTED = 2**20


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept beside the segments of an upload.

    Attributes:
        upload_id: for example ``KEN_4f1c09aa5e3b77d2``.
        size: bytes that were announced.
        created: when it was begun, UTC.
        key_id: name of the country's key under which the data key is wrapped.
        wrapped_key: the data key of this upload.
    """

    upload_id: Annotated[str, msgspec.Meta(pattern=f"^{_ID.pattern}$")]
    size: int
    created: dt.datetime
    key_id: str
    wrapped_key: bytes

    @property
    def area(self) -> str:
        """ISO 3166-1 alpha-3, the first part of the id."""
        return self.upload_id[:3]

    def context(self, name: str) -> bytes:
        """Return what binds a file to this upload and to its place in it."""
        parts = (f"copstats-inbox-{LAYOUT}", self.upload_id, self.created.isoformat(), name)
        return "|".join(parts).encode()


def new_upload_id(area: str) -> str:
    """Return an id for an upload of a country: nobody can guess it."""
    return f"{area}_{secrets.token_hex(8)}"


class Inbox:
    """Takes, opens and destroys uploads in one folder."""

    def __init__(self, folder: Path, keys: KeyStore) -> None:
        self.folder = folder
        self._keys = keys

    def create(self, upload_id: str, size: int, *, at: dt.datetime) -> None:
        """Make room for an upload; anything that an earlier attempt of this id left is removed.

        Args:
            upload_id: see `new_upload_id`.
            size: bytes that are announced.
            at: the time.

        Raises:
            Retriable: T001, another process kept the keys too long.
        """
        place = self._place(upload_id)
        with self._keys.sealing():
            if place.exists():
                remove(place)
            with staged_folder(place) as staged:
                data_key, area = secrets.token_bytes(KEY_BYTES), upload_id[:3]
                wrapped = self._keys.wrap(area, data_key)
                entry = Entry(
                    upload_id=upload_id,
                    size=size,
                    created=at.astimezone(dt.UTC),
                    key_id=self._keys.key_id(area),
                    wrapped_key=wrapped,
                )
                write_private(staged.folder / _ENTRY, msgspec.json.encode(entry))
                staged.commit()

    def has(self, upload_id: str) -> bool:
        """Say whether an upload of this id is kept."""
        return (self._place(upload_id) / _ENTRY).is_file()

    def offset(self, upload_id: str) -> int:
        """Return how many bytes of an upload are kept: where the client goes on.

        Raises:
            PortalError: P201, there is no such upload.
            ConfidentialityError: C005, segments are missing between others.
        """
        self._required(upload_id)
        parts = self._parts(upload_id)
        return parts[-1].end if parts else 0

    def segment(self, upload_id: str, offset: int) -> Segment:
        """Begin a segment; to be closed by the caller.

        Raises:
            PortalError: P201, there is no such upload; P202, it does not go on at ``offset``.
            ConfidentialityError: C001 to C005, a key or the entry is missing or was changed.
        """
        entry = self._required(upload_id)
        self._refuse_other_place(entry, offset)
        token = secrets.token_hex(16)
        data_key = self._keys.unwrap(entry.area, entry.wrapped_key)
        with contextlib.ExitStack() as stack:
            path = stack.enter_context(staged_folder(self.folder / upload_id)).folder / _ARRIVING
            context, room = entry.context(f"{offset}|{token}"), entry.size - offset
            writer = stack.enter_context(contextlib.closing(StreamWriter(path, data_key, context, most=room)))

            def keep(size: int) -> None:
                self._place_beside(entry, offset, path, part_name(offset, size, token))

            return Segment(upload_id, offset, writer, keep, stack.pop_all())

    def _place_beside(self, entry: Entry, offset: int, written: Path, name: str) -> None:
        """Put a finished segment beside the others, if it still is the next one."""
        folder = self._place(entry.upload_id)
        with self._locked(entry.upload_id):
            # Begun anew since, it has another data key. (A rotation of keys changes the wrapping alone.)
            if self._required(entry.upload_id).created != entry.created:
                raise _unknown(entry.upload_id)
            self._refuse_other_place(entry, offset)
            written.rename(folder / name)
            sync_folder(folder)

    def open(self, upload_id: str) -> io.BufferedReader:
        """Return the content as a seekable stream, decrypted in memory as it is read.

        Raises:
            PortalError: P201, there is no such upload.
            ConfidentialityError: C001 to C005, a key is missing, a segment is missing or was changed.
        """
        entry = self._required(upload_id)
        data_key = self._keys.unwrap(entry.area, entry.wrapped_key)

        def opened(part: Part) -> io.BufferedReader:
            context = entry.context(f"{part.offset}|{part.token}")
            return open_stream(part.path, data_key, context, upload_id)

        return joined(self._parts(upload_id), opened)

    def sha256(self, upload_id: str) -> str:
        """Return the hash of the content as it is on the disk: 1.5 s a GB."""
        with self.open(upload_id) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def note(self, upload_id: str, content: bytes) -> None:
        """Keep, encrypted, what the country has to be told, in the place of an earlier note."""
        entry = self._required(upload_id)
        data_key = self._keys.unwrap(entry.area, entry.wrapped_key)
        token = secrets.token_hex(16)
        folder = self._place(upload_id)
        with self._locked(upload_id), staged_folder(folder) as staged:
            path = staged.folder / _ARRIVING
            writer = StreamWriter(path, data_key, entry.context(f"note|{token}"), most=_MOST_NOTED)
            with contextlib.closing(writer):
                writer.write(content)
                writer.finish()
            earlier = list(folder.glob(f"{_NOTE}.*"))
            path.rename(folder / f"{_NOTE}.{token}")
            sync_folder(folder)
            for old in earlier:
                old.unlink(missing_ok=True)

    def empty(self, upload_id: str) -> None:
        """Destroy the content of an upload; a note stays. Nothing happens if there is none."""
        if self.has(upload_id):
            with self._locked(upload_id):
                for part in self._parts(upload_id):
                    part.path.unlink(missing_ok=True)

    def noted(self, upload_id: str) -> bytes | None:
        """Return what was noted, or None.

        Raises:
            ConfidentialityError: C001 to C005, a key is missing or the note was changed.
        """
        if not self.has(upload_id):
            return None
        entry = self._entry(upload_id)
        for path in self._place(upload_id).glob(f"{_NOTE}.*"):
            data_key = self._keys.unwrap(entry.area, entry.wrapped_key)
            context = entry.context(f"note|{path.suffix.removeprefix('.')}")
            with open_stream(path, data_key, context, upload_id) as stream:
                return stream.read()
        return None

    def destroy(self, upload_id: str) -> None:
        """Delete an upload with its wrapped key; nothing happens if there is none."""
        with self._keys.sealing():
            if self.has(upload_id):
                remove(self._place(upload_id))

    def uploads(self) -> list[Entry]:
        """Return the uploads that are kept, by id."""
        names = sorted(path.name for path in self.folder.glob("*_*") if _ID.fullmatch(path.name))
        return [self._entry(name) for name in names if self.has(name)]

    def rewrap(self, area: str) -> int:
        """Wrap the data keys of a country under its present key; return how many. See `store.rotation`.

        Raises:
            ConfidentialityError: C001 to C005, a key is missing or an entry was changed.
            Retriable: T001, another process kept the keys too long.
        """
        # Made beside the uploads, where what a killed process leaves is found and removed.
        with self._keys.sealing(), staged_folder(self.folder / _ENTRY) as staged:
            entries = [entry for entry in self.uploads() if entry.area == area]
            for entry in entries:
                wrapped = self._keys.wrap(area, self._keys.unwrap(area, entry.wrapped_key))
                renewed = structs.replace(entry, key_id=self._keys.key_id(area), wrapped_key=wrapped)
                write_private(staged.folder / _ENTRY, msgspec.json.encode(renewed))
                (staged.folder / _ENTRY).replace(self._place(entry.upload_id) / _ENTRY)
                sync_folder(self._place(entry.upload_id))
        return len(entries)

    def _refuse_other_place(self, entry: Entry, offset: int) -> None:
        present = self.offset(entry.upload_id)
        if offset != present:
            raise PortalError("P202", status=409, where=entry.upload_id, offset=present)

    def _parts(self, upload_id: str) -> list[Part]:
        try:
            return parts_in(self._place(upload_id))
        except FileNotFoundError:  # destroyed a moment ago
            raise _unknown(upload_id) from None

    def _required(self, upload_id: str) -> Entry:
        if not self.has(upload_id):
            raise _unknown(upload_id)
        return self._entry(upload_id)

    def _entry(self, upload_id: str) -> Entry:
        path = self._place(upload_id) / _ENTRY
        try:
            entry = msgspec.json.decode(path.read_bytes(), type=Entry)
        except (OSError, msgspec.DecodeError):
            raise ConfidentialityError("C005", where=upload_id) from None
        if entry.upload_id != upload_id:
            raise ConfidentialityError("C005", where=upload_id)
        return entry

    @contextlib.contextmanager
    def _locked(self, upload_id: str) -> Iterator[None]:
        lock = FileLock(self._place(upload_id) / _LOCK, wait=_WAIT)
        try:
            lock.__enter__()
        except FileNotFoundError:  # destroyed a moment ago
            raise _unknown(upload_id) from None
        try:
            yield
        finally:
            lock.release()

    def _place(self, upload_id: str) -> Path:
        if not _ID.fullmatch(upload_id):
            raise _unknown(upload_id)
        return self.folder / upload_id


def _unknown(upload_id: str) -> PortalError:
    return PortalError("P201", status=404, where=upload_id if _ID.fullmatch(upload_id) else "")
