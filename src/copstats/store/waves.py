"""Sealed microdata: one folder a submission, one encrypted Parquet file a record kind.

``waves/KEN_2026_COPS_v01_M/child.parquet`` with ``child.key.json`` (the wrapped data key) beside it. The
folder appears by one rename. Microdata leave it only as Arrow batches in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import msgspec
import pyarrow as pa

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.files import remove, staged_folder, write_private
from copstats.store.keys import KeyStore
from copstats.store.sealed import (
    Subject,
    checked_record,
    checked_submission_id,
    open_sealed,
    read_seal,
    seal_table,
)


@dataclass(frozen=True)
class RestrictedWave:
    """A wave in the hands of a step that may see microdata. No scheduler can keep it: it is not pickled.

    Attributes:
        submission_id: for example ``KEN_2026_COPS_v01_M``.
        area: ISO 3166-1 alpha-3.
        records: the record kinds at hand, for example ``("child", "parent")``.
    """

    submission_id: str
    area: str
    records: tuple[str, ...]
    _store: WaveStore

    def read(self, record: str) -> pa.RecordBatchReader:
        """Return one record kind as a stream of batches; see :meth:`WaveStore.read`."""
        return self._store.read(self.submission_id, record)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a handle on microdata is never stored or sent: pass the submission's id")


class WaveStore:
    """Writes, reads and destroys sealed waves in one folder."""

    def __init__(self, folder: Path, keys: KeyStore) -> None:
        self.folder = folder
        self._keys = keys

    def write(
        self, submission_id: str, area: str, tables: Mapping[str, pa.Table], *, replace: bool = False
    ) -> None:
        """Seal the tables of a submission; they are all there when this returns, or none.

        Args:
            submission_id: for example ``KEN_2026_COPS_v01_M``.
            area: ISO 3166-1 alpha-3; under its key the wave is sealed. The id begins with it.
            tables: record kind -> framework columns, pseudonymised.
            replace: take the place of a wave that is there: for a submission that was interrupted after
                sealing and before it was registered.

        Raises:
            UsageError: U016 the wave is there; U012 to U014 a name cannot be used.
        """
        final = self._wave(submission_id)
        if submission_id[:3] != area:
            raise UsageError("U013", where=submission_id)
        with staged_folder(final) as staged:
            for record, table in tables.items():
                subject = Subject(submission_id=submission_id, record=checked_record(record))
                seal = seal_table(table, _data(staged.folder, record), subject, self._keys)
                write_private(_key(staged.folder, record), msgspec.json.encode(seal))
            if replace and final.exists():
                remove(final)
            try:
                staged.commit()
            except FileExistsError:
                raise UsageError("U016", where=submission_id) from None

    def open(self, submission_id: str) -> RestrictedWave:
        """Return the handle on a wave.

        Raises:
            UsageError: U017, no wave of this submission is kept.
        """
        records = self.records(submission_id)
        return RestrictedWave(submission_id, submission_id[:3], records, self)

    def read(self, submission_id: str, record: str) -> pa.RecordBatchReader:
        """Return one record kind as a stream of Arrow batches, decrypted in memory only.

        Raises:
            UsageError: U017, this wave or record kind is not kept.
            ConfidentialityError: the key is missing or another, or the file was changed or moved (C001 to
                C005).
        """
        if record not in self.records(submission_id):
            raise UsageError("U017", where=f"{submission_id} {record}")
        folder = self._wave(submission_id)
        subject = Subject(submission_id=submission_id, record=record)
        return open_sealed(_data(folder, record), read_seal(_key(folder, record)), subject, self._keys)

    def records(self, submission_id: str) -> tuple[str, ...]:
        """Return the record kinds of a wave, sorted.

        Raises:
            UsageError: U017, no wave of this submission is kept.
            ConfidentialityError: C005, a file was removed from or added to the wave's folder.
        """
        folder = self._wave(submission_id)
        if not folder.is_dir():
            raise UsageError("U017", where=submission_id)
        data = {path.name.removesuffix(".parquet") for path in folder.glob("*.parquet")}
        sealed = {path.name.removesuffix(".key.json") for path in folder.glob("*.key.json")}
        if data != sealed:
            raise ConfidentialityError("C005", where=submission_id)
        return tuple(sorted(data))

    def exists(self, submission_id: str) -> bool:
        """Say whether a wave of this submission is kept."""
        return self._wave(submission_id).is_dir()

    def destroy(self, submission_id: str) -> None:
        """Delete a wave with its wrapped keys, in one step for every reader.

        Raises:
            UsageError: U017, no wave of this submission is kept.
        """
        if not self.exists(submission_id):
            raise UsageError("U017", where=submission_id)
        remove(self._wave(submission_id))

    def _wave(self, submission_id: str) -> Path:
        return self.folder / checked_submission_id(submission_id)


def _data(folder: Path, record: str) -> Path:
    return folder / f"{record}.parquet"


def _key(folder: Path, record: str) -> Path:
    return folder / f"{record}.key.json"
