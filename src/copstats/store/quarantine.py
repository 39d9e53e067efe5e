"""Raw uploads of countries that cannot seal: encrypted on arrival, kept for some days, then destroyed.

``quarantine/KEN_4f1c.../`` appears by one rename: ``upload.json`` with the receipt and the wrapped data key,
and the encrypted files (:mod:`copstats.store.upload`). Nothing of an upload is ever on a disk in clear.

Of a destroyed upload the receipt stays, ``quarantine/KEN_4f1c....json``: number, sizes and hash of its files,
when it came, when and why it went. What a backup holds of it can be read as long as the wrapping key exists
that the country had then: rotate that key, or let the backups age.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import structs

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.files import atomic_write, remove, staged_folder, sync_folder, write_private
from copstats.store.keys import KEY_BYTES, KeyStore
from copstats.store.upload import MOST_BYTES, Opener, Reason, Receipt, Upload, open_upload, seal_upload

KEPT_DAYS = 30
_ENTRY = "upload.json"
_ID = re.compile(r"[A-Z]{3}_[A-Za-z0-9_]{1,60}")
T = TypeVar("T")


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept beside the encrypted files."""

    receipt: Receipt
    key_id: str
    wrapped_key: bytes


class Quarantine:
    """Takes, opens and destroys raw uploads in one folder."""

    def __init__(self, folder: Path, keys: KeyStore, *, days: int = KEPT_DAYS) -> None:
        """Prepare the quarantine.

        Args:
            folder: of the uploads.
            keys: of the countries.
            days: after which an upload expires.
        """
        self.folder = folder
        self.days = days
        self._keys = keys

    def put(
        self,
        area: str,
        files: Mapping[str, Opener],
        *,
        upload_id: str = "",
        at: dt.datetime | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> Receipt:
        """Encrypt the files of an upload as they are read; they are all there when this returns, or none.

        Args:
            area: ISO 3166-1 alpha-3; under its key the data key is wrapped.
            files: name -> what opens it; one after the other is opened, read to its end and closed.
            upload_id: begins with the area, for example a submission's id; drawn at random if empty.
            at: when the upload came; by default now.
            most_bytes: limit of all files together.

        Raises:
            UsageError: U340, U013, the id cannot be used; U342, there was an upload of this id.
            SubmissionError: S340, there are too many files or bytes; S341, a name cannot be used.
            Retriable: T001, another process kept the keys too long.
        """
        upload_id = upload_id or f"{area}_{secrets.token_hex(8)}"
        if not upload_id.startswith(f"{area}_"):
            raise UsageError("U013", where=upload_id)
        if self.receipt(upload_id) is not None:
            raise UsageError("U342", where=upload_id)
        data_key = secrets.token_bytes(KEY_BYTES)
        with staged_folder(self._place(upload_id)) as staged:
            arriving = Receipt(upload_id=upload_id, area=area, received=_utc(at))
            receipt = seal_upload(files, staged.folder, arriving, data_key, most_bytes=most_bytes)
            # Wrapped under the lock, so that a rotation that began meanwhile asks nobody to send it again.
            with self._keys.sealing():
                entry = self._wrapped(receipt, data_key)
                write_private(staged.folder / _ENTRY, msgspec.json.encode(entry))
                try:
                    staged.commit()
                except FileExistsError:
                    raise UsageError("U342", where=upload_id) from None
        return receipt

    def open(self, upload_id: str) -> Upload:
        """Return the files of an upload; each is decrypted when it is read, in memory only.

        Raises:
            UsageError: U341, there is no such upload, or it was destroyed.
            ConfidentialityError: a key is missing or another, a file was changed or moved (C001 to C005).
        """
        entry = self._entry(upload_id)
        data_key = self._keys.unwrap(entry.receipt.area, entry.wrapped_key)
        return open_upload(self._place(upload_id), entry.receipt, data_key)

    def uploads(self) -> list[Receipt]:
        """Return the uploads that are kept, sorted by id."""
        folders = sorted(path for path in self.folder.glob("*_*") if _ID.fullmatch(path.name))
        return [self._known(path.name) for path in folders if self._is_held(path.name)]

    def receipt(self, upload_id: str) -> Receipt | None:
        """Return what is known of an upload, kept or destroyed; None if there never was one of this id.

        Raises:
            UsageError: U340, this is no id.
            ConfidentialityError: C005, the receipt of a destroyed upload was damaged.
        """
        if self._is_held(upload_id):
            return self._known(upload_id)
        path = self._receipt(upload_id)
        return _decoded(path, Receipt) if path.exists() else None

    def destroy(self, upload_id: str, reason: Reason, *, at: dt.datetime | None = None) -> Receipt:
        """Delete an upload with its wrapped key and keep the receipt; the receipt comes first.

        Raises:
            UsageError: U341, there is no such upload, or it was destroyed.
            Retriable: T001, another process kept the keys too long.
        """
        with self._keys.sealing():
            if not self._is_held(upload_id):
                raise UsageError("U341", where=upload_id)
            receipt = structs.replace(self._known(upload_id), destroyed=_utc(at), reason=reason)
            atomic_write(self._receipt(upload_id), msgspec.json.encode(receipt))
            remove(self._place(upload_id))
        return receipt

    def expire(self, now: dt.datetime) -> list[Receipt]:
        """Destroy what came ``days`` days ago or earlier; return the receipts.

        An upload that was damaged expires by the time of its folder.
        """
        limit = now - dt.timedelta(days=self.days)
        due = [receipt for receipt in self.uploads() if receipt.received <= limit]
        return [self.destroy(receipt.upload_id, "expired", at=now) for receipt in due]

    def rewrap(self, area: str) -> int:
        """Wrap the data keys of a country under its present key; return how many. See `store.rotation`.

        Raises:
            ConfidentialityError: C001 to C005, a key is missing or an entry was changed.
            Retriable: T001, another process kept the keys too long.
        """
        # Made beside the uploads, where what a killed process leaves is found and removed.
        with self._keys.sealing(), staged_folder(self.folder / _ENTRY) as staged:
            paths = sorted(self.folder.glob(f"{area}_*/{_ENTRY}"))
            for path in paths:
                entry = _decoded(path, _Entry)
                renewed = self._wrapped(entry.receipt, self._keys.unwrap(area, entry.wrapped_key))
                write_private(staged.folder / _ENTRY, msgspec.json.encode(renewed))
                (staged.folder / _ENTRY).replace(path)
                sync_folder(path.parent)
        return len(paths)

    def recover(self) -> int:
        """Finish destroying what a killed process began to destroy; return how many uploads."""
        destroyed = [path.with_suffix("") for path in self.folder.glob("*_*.json")]
        begun = [path for path in destroyed if path.is_dir()]
        lock = self._keys.sealing()
        lock.wait = 0.0
        if not begun or not lock.acquire():
            return 0  # What a live process destroys is not half done.
        try:
            # Once more under the lock: that process may have come to its end meanwhile.
            for path in filter(Path.is_dir, begun):
                remove(path)
        finally:
            lock.release()
        return len(begun)

    def _is_held(self, upload_id: str) -> bool:
        """Say whether an upload is there and not being destroyed."""
        return self._place(upload_id).is_dir() and not self._receipt(upload_id).exists()

    def _entry(self, upload_id: str) -> _Entry:
        if not self._is_held(upload_id):
            raise UsageError("U341", where=upload_id)
        entry = _decoded(self._place(upload_id) / _ENTRY, _Entry)
        if (entry.receipt.upload_id, entry.receipt.area) != (upload_id, upload_id[:3]):
            raise ConfidentialityError("C005", where=upload_id)
        return entry

    def _known(self, upload_id: str) -> Receipt:
        """Return the receipt; of a damaged upload, which nobody can open again, what its folder tells."""
        try:
            return self._entry(upload_id).receipt
        except ConfidentialityError:
            since = dt.datetime.fromtimestamp(self._place(upload_id).stat().st_mtime, dt.UTC)
            return Receipt(upload_id=upload_id, area=upload_id[:3], received=since)

    def _wrapped(self, receipt: Receipt, data_key: bytes) -> _Entry:
        wrapped = self._keys.wrap(receipt.area, data_key)
        return _Entry(receipt=receipt, key_id=self._keys.key_id(receipt.area), wrapped_key=wrapped)

    def _place(self, upload_id: str) -> Path:
        if not _ID.fullmatch(upload_id):
            raise UsageError("U340")
        return self.folder / upload_id

    def _receipt(self, upload_id: str) -> Path:
        return self._place(upload_id).with_suffix(".json")


def _utc(at: dt.datetime | None) -> dt.datetime:
    return (at or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)


def _decoded(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        raise ConfidentialityError("C005", where=path.name) from None
