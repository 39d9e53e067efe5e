"""Sealed microdata: one folder a submission, one encrypted Parquet file a record kind.

``waves/KEN_2026_COPS_v01_M/child.parquet`` with ``child.key.json`` (the wrapped data key) beside it. The
folder appears by one rename. Microdata leave it only as Arrow batches in memory. The folder ``cells`` in it
holds sums by PSU, which are microdata too: an encrypted file a table and ``cells.json`` with their keys; they
come from the wave, are replaced as one and go with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import msgspec
import pyarrow as pa

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.files import StagedFolder, remove, staged_folder, sync_folder, write_private
from copstats.store.keys import KeyStore
from copstats.store.sealed import (
    Seal,
    Subject,
    checked_record,
    checked_submission_id,
    open_sealed,
    read_seal,
    refuse_outdated,
    rewrapped,
    seal_table,
)

_CELLS = "cells"
_CELLS_ENTRY = "cells.json"
_EARLIER = "earlier"
_REPLACED = ".replaced-"


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


class _Cells(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept beside the sealed cells: what they were computed from, and each table's seal."""

    fingerprint: str
    seals: dict[str, Seal]


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
            replace: take the place of a wave that is there; a killed process leaves the earlier one or the
                new one. For a submission that was interrupted after sealing and before it was registered,
                and for one from which children are withdrawn.

        Raises:
            UsageError: U016 the wave is there; U012 to U014 a name cannot be used.
        """
        final = self._wave(submission_id)
        if submission_id[:3] != area:
            raise UsageError("U013", where=submission_id)
        with staged_folder(final) as staged:
            seals = []
            for record, table in tables.items():
                subject = Subject(submission_id=submission_id, record=checked_record(record))
                seals.append(seal_table(table, _data(staged.folder, record), subject, self._keys))
                write_private(_key(staged.folder, record), msgspec.json.encode(seals[-1]))
            with self._keys.sealing():
                refuse_outdated(seals, area, self._keys)
                self._settle(submission_id)
                if replace and final.exists():
                    final.rename(self._replaced(submission_id))
                try:
                    staged.commit()
                except FileExistsError:
                    raise UsageError("U016", where=submission_id) from None
                finally:
                    self._settle(submission_id)

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

    def write_cells(self, submission_id: str, fingerprint: str, tables: Mapping[str, pa.Table]) -> None:
        """Seal sums by PSU beside the wave in the place of earlier ones, all tables or none.

        A process that is killed in between leaves the earlier ones, the new ones or none: they can be made
        again.

        Args:
            submission_id: for example ``KEN_2026_COPS_v01_M``.
            fingerprint: hash of what they were computed from (framework, code, wave).
            tables: name -> table.

        Raises:
            UsageError: U017, no wave of this submission is kept; U014, a name cannot be used.
        """
        if not self.exists(submission_id):
            raise UsageError("U017", where=submission_id)
        final = self._wave(submission_id) / _CELLS
        # Made beside the waves, where what a killed process leaves is found and removed.
        with staged_folder(self.folder / _CELLS) as staged:
            seals = {}
            for name, table in tables.items():
                subject = _cells_subject(submission_id, checked_record(name), fingerprint)
                seals[name] = seal_table(table, _data(staged.folder, name), subject, self._keys)
            entry = _Cells(fingerprint=fingerprint, seals=seals)
            write_private(staged.folder / _CELLS_ENTRY, msgspec.json.encode(entry))
            with self._keys.sealing():
                refuse_outdated(seals.values(), submission_id[:3], self._keys)
                if final.exists():
                    final.rename(staged.folder.parent / _EARLIER)
                StagedFolder(staged.folder, final).commit()

    def read_cells(self, submission_id: str, fingerprint: str) -> dict[str, pa.Table] | None:
        """Return the sums by PSU, or None if there are none of this fingerprint.

        Raises:
            UsageError: U017, no wave of this submission is kept.
            ConfidentialityError: the key is missing or another, or a file was changed or moved (C001 to
                C005).
        """
        if not self.exists(submission_id):
            raise UsageError("U017", where=submission_id)
        folder = self._wave(submission_id) / _CELLS
        entry = _read_entry(folder)
        if entry is None or entry.fingerprint != fingerprint:
            return None
        return {
            name: open_sealed(
                _data(folder, name), seal, _cells_subject(submission_id, name, fingerprint), self._keys
            ).read_all()
            for name, seal in entry.seals.items()
        }

    def rewrap(self, area: str) -> int:
        """Wrap the data keys of a country under its present key; return how many. See `store.rotation`.

        Raises:
            ConfidentialityError: C001 to C005, a key is missing or a seal was changed.
            Retriable: T001, another process kept the waves too long.
        """
        count = 0
        # Made beside the waves, where what a killed process leaves is found and removed.
        with self._keys.sealing(), staged_folder(self.folder / _CELLS) as staged:
            for path in sorted(self.folder.glob(f"{area}_*/*.key.json")):
                _replace(path, rewrapped(read_seal(path), area, self._keys), staged.folder)
                count += 1
            for folder in sorted(self.folder.glob(f"{area}_*/{_CELLS}")):
                entry = _read_entry(folder)
                if entry is not None:
                    seals = {name: rewrapped(seal, area, self._keys) for name, seal in entry.seals.items()}
                    _replace(
                        folder / _CELLS_ENTRY, msgspec.structs.replace(entry, seals=seals), staged.folder
                    )
                    count += len(seals)
        return count

    def recover(self) -> int:
        """Finish or undo what killed processes began to replace; return how many waves."""
        begun = [path.name.removeprefix(_REPLACED) for path in self.folder.glob(f"{_REPLACED}*")]
        lock = self._keys.sealing()
        lock.wait = 0.0
        if not begun or not lock.acquire():
            return 0  # What a live process replaces is not half done.
        try:
            for submission_id in begun:
                self._settle(submission_id)
        finally:
            lock.release()
        return len(begun)

    def _settle(self, submission_id: str) -> None:
        """Delete a wave that was replaced, or put it back where the new one is not there."""
        replaced, final = self._replaced(submission_id), self._wave(submission_id)
        if replaced.exists() and final.exists():
            remove(replaced)
        elif replaced.exists():
            replaced.rename(final)
            sync_folder(self.folder)

    def _replaced(self, submission_id: str) -> Path:
        return self.folder / f"{_REPLACED}{checked_submission_id(submission_id)}"

    def _wave(self, submission_id: str) -> Path:
        return self.folder / checked_submission_id(submission_id)


def _data(folder: Path, record: str) -> Path:
    return folder / f"{record}.parquet"


def _key(folder: Path, record: str) -> Path:
    return folder / f"{record}.key.json"


def _replace(path: Path, content: Seal | _Cells, room: Path) -> None:
    new = room / path.name
    write_private(new, msgspec.json.encode(content))
    new.replace(path)
    sync_folder(path.parent)


def _cells_subject(submission_id: str, name: str, fingerprint: str) -> Subject:
    return Subject(submission_id=submission_id, record=f"{_CELLS}_{name}", fingerprint=fingerprint)


def _read_entry(folder: Path) -> _Cells | None:
    try:
        return msgspec.json.decode((folder / _CELLS_ENTRY).read_bytes(), type=_Cells)
    except FileNotFoundError:
        if folder.exists():
            raise ConfidentialityError("C005", where=_CELLS_ENTRY) from None
        return None
    except (OSError, msgspec.DecodeError):
        raise ConfidentialityError("C005", where=_CELLS_ENTRY) from None
