"""The ledger: what was published of each country-wave, as vintages, and which release carried which vintage.

``ledger/KEN_2026_COPS.json`` lists the vintages 1, 2, ... of a wave and holds their wrapped keys; the values
as published and the attacker's file of each lie beside it, encrypted. A vintage is never changed; replacing
the list is the one step by which one is added. Which vintage of each wave a release carries, `store.carried`
says.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pyarrow as pa
from msgspec import structs

from copstats.errors import ConfidentialityError, UsageError
from copstats.store.carried import CarriedVintages
from copstats.store.files import atomic_write, staged_folder, sync_file
from copstats.store.keys import KeyStore
from copstats.store.lock import FileLock
from copstats.store.releases import ReleaseStore
from copstats.store.sealed import Seal, open_sealed, refuse_outdated, rewrapped, seal_table
from copstats.store.vintage import TABLES, Content, Vintage, checked_wave, refuse_others

_LOCK = ".lock"
_WAIT = 30.0


class Ledger:
    """Writes and reads vintages in one folder.

    A publication calls `propose` for each wave that changed, `prepare` before the release appears, and
    `confirm` afterwards. Publications exclude each other by the home's lock.
    """

    def __init__(self, folder: Path, keys: KeyStore, releases: ReleaseStore) -> None:
        self.folder = folder
        self._keys = keys
        self._carried = CarriedVintages(folder, releases)

    def published(self, wave: str) -> Vintage | None:
        """Return the vintage of a wave that was published last, or None.

        Raises:
            ConfidentialityError: C005, an entry was changed.
        """
        vintages = self.all_published(wave)
        return vintages[-1] if vintages else None

    def all_published(self, wave: str) -> list[Vintage]:
        """Return the vintages of a wave that were ever published, oldest first: whoever has one keeps it.

        Raises:
            ConfidentialityError: C005, an entry was changed.
        """
        return [self.vintage(wave, number) for number in range(1, self._carried.newest(wave) + 1)]

    def vintage(self, wave: str, number: int) -> Vintage:
        """Return a vintage of a wave, published or proposed.

        Raises:
            UsageError: U019, there is none of this number.
            ConfidentialityError: C005, an entry was changed.
        """
        vintages = self._vintages(wave)
        if not 1 <= number <= len(vintages):
            raise UsageError("U019", where=f"{wave} {number}")
        return vintages[number - 1]

    def content(self, wave: str, number: int) -> Content:
        """Return what a vintage holds.

        Raises:
            UsageError: U019, there is none of this number, or it was destroyed.
            ConfidentialityError: C001 to C005, a key or file is missing, changed or moved.
        """
        vintage = self.vintage(wave, number)
        if not vintage.kept:
            raise UsageError("U019", where=f"{wave} {number}")
        tables = {
            name: open_sealed(
                self._data(wave, vintage, name), seal, vintage.subject(name), self._keys
            ).read_all()
            for name, seal in vintage.seals.items()
        }
        if tables.keys() != TABLES.keys():
            raise ConfidentialityError("C005", where=self._pointer(wave).name)
        return Content(**{name: table.cast(TABLES[name]) for name, table in tables.items()})

    def propose(
        self,
        wave: str,
        content: Content,
        *,
        submission_id: str,
        fingerprint: str,
        withdrawn: int = 0,
        at: dt.datetime | None = None,
    ) -> int:
        """Seal a vintage as a candidate and return its number; it takes the place of an earlier candidate.

        It counts as published once a release that carries it is there.

        Args:
            wave: for example ``KEN_2026_COPS``.
            content: what is to be published.
            submission_id: the version of the wave that it was computed from.
            fingerprint: of what it was computed from.
            withdrawn: how many children of the wave have been withdrawn.
            at: when it was computed; now by default.

        Raises:
            ConfidentialityError: C009, a table is none of this wave, or something else.
            Retriable: T001, another process kept the ledger too long.
        """
        refuse_others(content, wave, submission_id)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with staged_folder(self._pointer(wave)) as staged, self._lock():
            kept = self._vintages(wave)[: self._carried.newest(wave)]
            vintage = Vintage(
                number=len(kept) + 1,
                submission_id=submission_id,
                fingerprint=fingerprint,
                withdrawn=withdrawn,
                computed_at=at or dt.datetime.now(dt.UTC),
                token=secrets.token_hex(8),
                seals={},
            )
            vintage = structs.replace(vintage, seals=self._seal(wave, vintage, content, staged.folder))
            refuse_outdated(vintage.seals.values(), wave[:3], self._keys)
            self._carried.forget_failed(wave)
            for name in vintage.seals:
                (staged.folder / self._data(wave, vintage, name).name).rename(self._data(wave, vintage, name))
            self._write(wave, [*kept, vintage])
            self._discard_unnamed(wave)
        return vintage.number

    def prepare(self, label: str, vintages: Mapping[str, int]) -> None:
        """Note which vintages a release carries, before the release appears.

        Args:
            label: of the release.
            vintages: wave -> number.

        Raises:
            ReleaseError: R090, a release of this label was published with other vintages.
            UsageError: U019, there is no such vintage.
        """
        for wave, number in vintages.items():
            self.vintage(wave, number)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with self._lock():
            self._carried.prepare(label, vintages)

    def confirm(self, label: str, vintages: Mapping[str, int]) -> None:
        """Note that a release is there, so that its vintages stay published whatever becomes of its folder.

        Raises:
            ReleaseError: R090, it was prepared with other vintages, or not at all; R092, it is not there.
        """
        with self._lock():
            self._carried.confirm(label, vintages)

    def carried(self, label: str) -> dict[str, int]:
        """Return the vintage of each wave that a published release carries.

        Raises:
            ReleaseError: R093, the ledger does not know this release.
        """
        return self._carried.of(label)

    def labels(self) -> list[str]:
        """Return the labels of the published releases that the ledger knows, sorted."""
        return self._carried.labels()

    def values(self, label: str) -> pa.Table:
        """Return what a release says of its waves, schema ``INDICATOR_VALUE``; destroyed waves are left out.

        Raises:
            ReleaseError: R093, the ledger does not know this release.
            ConfidentialityError: C001 to C005, a key or file is missing, changed or moved.
        """
        return self._together(label, "values", lambda content: content.values)

    def attacker(self, label: str) -> pa.Table:
        """Return the attacker's file of a release, schema ``ATTACKER``; destroyed waves are left out.

        Raises:
            ReleaseError: R093, the ledger does not know this release.
            ConfidentialityError: C001 to C005, a key or file is missing, changed or moved.
        """
        return self._together(label, "attacker", lambda content: content.attacker)

    def destroy(self, wave: str) -> None:
        """Delete what the vintages of a wave hold, with their wrapped keys; that they were stays known."""
        if self._pointer(wave).exists():
            with self._lock():
                emptied = [structs.replace(vintage, seals={}) for vintage in self._vintages(wave)]
                self._write(wave, emptied)
                self._discard_unnamed(wave)

    def rewrap(self, area: str) -> int:
        """Wrap the data keys of a country under its present key; return how many. See `store.rotation`.

        Raises:
            ConfidentialityError: C001 to C005, a key is missing or an entry was changed.
            Retriable: T001, another process kept the ledger too long.
        """
        count = 0
        if not self.folder.is_dir():
            return count
        with self._lock():
            for path in sorted(self.folder.glob(f"{area}_*.json")):
                vintages = self._vintages(path.stem)
                for place, vintage in enumerate(vintages):
                    seals = {name: rewrapped(seal, area, self._keys) for name, seal in vintage.seals.items()}
                    vintages[place] = structs.replace(vintage, seals=seals)
                    count += len(seals)
                self._write(path.stem, vintages)
        return count

    def recover(self) -> int:
        """Finish what a killed process left: confirm releases that are there, remove files without an entry.

        Returns:
            How many releases and files that were.
        """
        if not self.folder.is_dir():
            return 0
        lock = FileLock(self.folder / _LOCK)
        if not lock.acquire():
            return 0
        try:
            late = self._carried.confirm_late()
            waves = {path.name.split(".")[0] for path in self.folder.glob("*.parquet")}
            return late + sum(self._discard_unnamed(wave) for wave in waves)
        finally:
            lock.release()

    def _seal(self, wave: str, vintage: Vintage, content: Content, folder: Path) -> dict[str, Seal]:
        seals = {}
        for name in TABLES:
            path = folder / self._data(wave, vintage, name).name
            seals[name] = seal_table(getattr(content, name), path, vintage.subject(name), self._keys)
            sync_file(path)
        return seals

    def _together(self, label: str, name: str, part: Callable[[Content], pa.Table]) -> pa.Table:
        carried = self.carried(label)
        there = [(wave, n) for wave, n in sorted(carried.items()) if self.vintage(wave, n).kept]
        tables = [part(self.content(wave, number)) for wave, number in there]
        return pa.concat_tables([TABLES[name].empty_table(), *tables])

    def _discard_unnamed(self, wave: str) -> int:
        """Remove a wave's encrypted files that no entry names; return how many."""
        vintages = self._vintages(wave)
        named = {self._data(wave, vintage, name) for vintage in vintages for name in vintage.seals}
        abandoned = set(self.folder.glob(f"{checked_wave(wave)}.*.parquet")) - named
        for path in abandoned:
            path.unlink()
        return len(abandoned)

    def _vintages(self, wave: str) -> list[Vintage]:
        path = self._pointer(wave)
        try:
            vintages = msgspec.json.decode(path.read_bytes(), type=list[Vintage])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError):
            raise ConfidentialityError("C005", where=path.name) from None
        if [vintage.number for vintage in vintages] != list(range(1, len(vintages) + 1)):
            raise ConfidentialityError("C005", where=path.name)
        return vintages

    def _write(self, wave: str, vintages: list[Vintage]) -> None:
        atomic_write(self._pointer(wave), msgspec.json.encode(vintages))

    def _lock(self) -> FileLock:
        return FileLock(self.folder / _LOCK, wait=_WAIT)

    def _pointer(self, wave: str) -> Path:
        return self.folder / f"{checked_wave(wave)}.json"

    def _data(self, wave: str, vintage: Vintage, name: str) -> Path:
        return self.folder / f"{checked_wave(wave)}.{vintage.token}.{name}.parquet"
