"""Which vintage of each wave a release carries: a plain file a release, without values.

``ledger/2026-Q4.label.json`` is written before the release is there, and believed once the release is: a
process that is killed in between has published nothing, and one that is killed afterwards has.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import structs

from copstats.errors import ConfidentialityError, ReleaseError
from copstats.store.files import atomic_write
from copstats.store.releases import ReleaseStore

_LABEL = ".label.json"


class _Carried(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Wave -> vintage; ``confirmed`` once the release was seen."""

    vintages: dict[str, int]
    confirmed: bool = False


class CarriedVintages:
    """Reads and writes these files. Writers hold the ledger's lock."""

    def __init__(self, folder: Path, releases: ReleaseStore) -> None:
        self._folder = folder
        self._releases = releases

    def of(self, label: str) -> dict[str, int]:
        """Return wave -> vintage of a published release; R093 if it is not known."""
        found = self._published().get(label)
        if found is None:
            raise ReleaseError("R093", label=label)
        return dict(found.vintages)

    def labels(self) -> list[str]:
        """Return the labels of the published releases, sorted."""
        return sorted(self._published())

    def newest(self, wave: str) -> int:
        """Return the number of the newest vintage of a wave that a release carried; 0 if none did."""
        return max((carried.vintages.get(wave, 0) for carried in self._published().values()), default=0)

    def prepare(self, label: str, vintages: Mapping[str, int]) -> None:
        """Note what a release is going to carry; R090 if it was published with something else."""
        published = self._published().get(label)
        if published is None:
            self._write(label, _Carried(vintages=dict(vintages)))
        elif published.vintages != dict(vintages):
            raise ReleaseError("R090", label=label)

    def confirm(self, label: str, vintages: Mapping[str, int]) -> None:
        """Note that a release is there; R092 if it is not, R090 if it was prepared with something else."""
        self._releases.folder(label)
        carried = self._all().get(label)
        if carried is None or carried.vintages != dict(vintages):
            raise ReleaseError("R090", label=label)
        self._write(label, structs.replace(carried, confirmed=True))

    def confirm_late(self) -> int:
        """Confirm the releases that are there and were not confirmed; return how many."""
        late = {label: carried for label, carried in self._published().items() if not carried.confirmed}
        for label, carried in late.items():
            self._write(label, structs.replace(carried, confirmed=True))
        return len(late)

    def forget_failed(self, wave: str) -> None:
        """Remove the notes of releases that never appeared and name this wave: the number is given again."""
        published = self._published()
        for label, carried in self._all().items():
            if wave in carried.vintages and label not in published:
                self._path(label).unlink()

    def _published(self) -> dict[str, _Carried]:
        there = set(self._releases.labels())
        return {label: c for label, c in self._all().items() if c.confirmed or label in there}

    def _all(self) -> dict[str, _Carried]:
        try:
            return {
                path.name.removesuffix(_LABEL): msgspec.json.decode(path.read_bytes(), type=_Carried)
                for path in sorted(self._folder.glob(f"*{_LABEL}"))
            }
        except (OSError, msgspec.DecodeError):
            raise ConfidentialityError("C005", where=self._folder.name) from None

    def _write(self, label: str, carried: _Carried) -> None:
        atomic_write(self._path(label), msgspec.json.encode(carried))

    def _path(self, label: str) -> Path:
        return self._folder / f"{label}{_LABEL}"
