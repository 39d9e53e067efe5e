"""Estimates of every submission: unrounded and with their counts, so restricted and sealed like microdata.

What a submission that is no survey reported is kept likewise, in the same folder: no submission is both.

``warehouse/KEN_2026_COPS_v01_M.json`` names the encrypted Parquet file beside it that holds the submission's
estimates and carries its wrapped key. Replacing this small file is the one step by which new estimates take
the place of old ones.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import structs

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.files import atomic_write, remove, staged_folder, sync_file
from copstats.store.keys import KeyStore
from copstats.store.lock import FileLock
from copstats.store.schemas import ESTIMATES
from copstats.store.sealed import (
    Seal,
    Subject,
    checked_submission_id,
    open_sealed,
    refuse_outdated,
    rewrapped,
    seal_table,
)

_LOCK = ".lock"
_WAIT = 30.0


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The present estimates of a submission; ``token`` tells their file from earlier ones."""

    token: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    fingerprint: str
    seal: Seal


class Warehouse:
    """Writes and reads sealed estimates in one folder.

    Reading and replacing exclude each other for the milliseconds they take; sealing goes on beside.
    """

    def __init__(
        self, folder: Path, keys: KeyStore, *, schema: pa.Schema = ESTIMATES, record: str = "estimates"
    ) -> None:
        """Open a folder of sealed tables.

        Args:
            folder: where they lie.
            keys: of the home.
            schema: of the tables; column ``submission_id`` names their submission.
            record: name of their kind, bound to every file.
        """
        self.folder = folder
        self._keys = keys
        self._schema = schema
        self._record = record

    def has(self, submission_id: str, fingerprint: str) -> bool:
        """Say whether the present estimates were computed from exactly this framework, code and wave.

        Raises:
            ConfidentialityError: C005, the entry was changed.
        """
        entry = self._entry(submission_id)
        return entry is not None and entry.fingerprint == fingerprint

    def kept(self, submission_id: str) -> bool:
        """Say whether there is anything of a submission.

        Raises:
            ConfidentialityError: C005, the entry was changed.
        """
        return self._entry(submission_id) is not None

    def write(self, submission_id: str, fingerprint: str, table: pa.Table) -> None:
        """Seal a submission's estimates in the place of its earlier ones.

        Args:
            submission_id: for example ``KEN_2026_COPS_v01_M``.
            fingerprint: hash of what they were computed from (framework, code, wave).
            table: of the warehouse's schema, all rows of this submission.

        Raises:
            ConfidentialityError: C007, the table is something else.
            Retriable: T001, another process kept the warehouse too long.
        """
        self._refuse_other(table, submission_id)
        final = self._data(submission_id, token := secrets.token_hex(8))
        with staged_folder(final) as staged:
            path = staged.folder / final.name
            seal = seal_table(table, path, self._subject(submission_id, fingerprint), self._keys)
            sync_file(path)
            with self._lock():
                refuse_outdated([seal], submission_id[:3], self._keys)
                earlier = self._entry(submission_id)
                path.rename(final)
                entry = _Entry(token=token, fingerprint=fingerprint, seal=seal)
                atomic_write(self._pointer(submission_id), msgspec.json.encode(entry))
                if earlier is not None:
                    self._data(submission_id, earlier.token).unlink(missing_ok=True)

    def read(self, submission_ids: Iterable[str]) -> pa.Table:
        """Return the estimates of these submissions, in the order given; the warehouse's schema.

        Raises:
            UsageError: U018, a submission has no estimates.
            ConfidentialityError: C001 to C005, a key or file is missing, changed or moved.
            Retriable: T001, another process kept the warehouse too long.
        """
        with self._lock():
            tables = [self._read_one(submission_id) for submission_id in submission_ids]
        return pa.concat_tables(tables) if tables else self._schema.empty_table()

    def destroy(self, submission_id: str) -> None:
        """Delete a submission's estimates with their wrapped key; nothing happens if there are none."""
        with self._lock():
            entry = self._entry(submission_id)
            if entry is not None:
                remove(self._pointer(submission_id))
                self._data(submission_id, entry.token).unlink(missing_ok=True)

    def rewrap(self, area: str) -> int:
        """Wrap the data keys of a country under its present key; return how many. See `store.rotation`.

        Raises:
            ConfidentialityError: C001 to C005, a key is missing or an entry was changed.
            Retriable: T001, another process kept the warehouse too long.
        """
        with self._lock():
            entries = {p.stem: self._entry(p.stem) for p in sorted(self.folder.glob(f"{area}_*.json"))}
            for submission_id, entry in entries.items():
                if entry is not None:
                    renewed = structs.replace(entry, seal=rewrapped(entry.seal, area, self._keys))
                    atomic_write(self._pointer(submission_id), msgspec.json.encode(renewed))
        return len(entries)

    def recover(self) -> int:
        """Remove encrypted files that no entry names (left by a killed process); return how many."""
        lock = FileLock(self.folder / _LOCK)
        if not lock.acquire():
            return 0
        try:
            entries = {path.stem: self._entry(path.stem) for path in self.folder.glob("*.json")}
            named = {self._data(name, entry.token) for name, entry in entries.items() if entry is not None}
            abandoned = set(self.folder.glob("*.parquet")) - named
            for path in abandoned:
                path.unlink()
            return len(abandoned)
        finally:
            lock.release()

    def _lock(self) -> FileLock:
        return FileLock(self.folder / _LOCK, wait=_WAIT)

    def _read_one(self, submission_id: str) -> pa.Table:
        entry = self._entry(submission_id)
        if entry is None:
            raise UsageError("U018", where=submission_id)
        path = self._data(submission_id, entry.token)
        subject = self._subject(submission_id, entry.fingerprint)
        return open_sealed(path, entry.seal, subject, self._keys).read_all().cast(self._schema)

    def _entry(self, submission_id: str) -> _Entry | None:
        path = self._pointer(submission_id)
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Entry)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError):
            raise ConfidentialityError("C005", where=path.name) from None

    def _pointer(self, submission_id: str) -> Path:
        return self.folder / f"{checked_submission_id(submission_id)}.json"

    def _data(self, submission_id: str, token: str) -> Path:
        return self.folder / f"{checked_submission_id(submission_id)}.{token}.parquet"

    def _subject(self, submission_id: str, fingerprint: str) -> Subject:
        return Subject(submission_id=submission_id, record=self._record, fingerprint=fingerprint)

    def _refuse_other(self, table: pa.Table, submission_id: str) -> None:
        if not table.schema.equals(self._schema):
            raise ConfidentialityError("C007", where=submission_id)
        gaps = any(table[field.name].null_count for field in self._schema if not field.nullable)
        if gaps or pc.unique(table["submission_id"]).to_pylist() != [submission_id]:
            raise ConfidentialityError("C007", where=submission_id)
