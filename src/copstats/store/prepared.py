"""Releases that are built and signed and wait: for the countries' review, an approval, or their hour.

``prepared/2026-Q4`` is the folder as it will be published; ``prepared/2026-Q4.json`` says what it was made
from and who approved it. Publishing is one rename into ``releases``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import structs

from copstats.errors import ConfidentialityError, ReleaseError
from copstats.store.files import atomic_write, remove, staged_folder, sync_folder
from copstats.store.releases import ReleaseDraft, ReleaseStore

_NOTE = ".json"


class Prepared(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A release that waits.

    Attributes:
        label: for example ``2026-Q4``.
        made_from: hash of everything that it was made from, withdrawals included.
        fingerprint: the same as its manifest and the registry have it.
        manifest: SHA-256 of its manifest.
        vintages: wave -> number of the vintage that it carries.
        new: wave -> hash of its values, counts or answers, for those that were not published before.
        approved_by: who let it be published; empty while nobody has.
        not_before: hour at which the embargo ends (UTC); None without one.
        failure: code of the error for which it could not be published when that was tried last.
    """

    label: str
    made_from: str
    fingerprint: str
    manifest: str
    vintages: Mapping[str, int]
    new: Mapping[str, str]
    approved_by: str = ""
    not_before: dt.datetime | None = None
    failure: str = ""


class PreparedReleases:
    """The prepared releases of a home. Callers hold the home's lock."""

    def __init__(self, folder: Path, releases: ReleaseStore) -> None:
        self._folder = folder
        self._releases = releases

    def find(self, label: str) -> Prepared | None:
        """Return a prepared release, or None.

        Raises:
            ConfidentialityError: C005, its note was changed.
        """
        try:
            return msgspec.json.decode(self._note(label).read_bytes(), type=Prepared)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            raise ConfidentialityError("C005", where=self._note(label).name) from None

    def get(self, label: str) -> Prepared:
        """Return a prepared release.

        Raises:
            ReleaseError: R094, none of this label is prepared.
        """
        found = self.find(label)
        if found is None:
            raise ReleaseError("R094", label=label)
        return found

    def labels(self) -> list[str]:
        """Return the labels of the prepared releases, sorted."""
        return sorted(path.name.removesuffix(_NOTE) for path in self._folder.glob(f"*{_NOTE}"))

    def folder(self, label: str) -> Path:
        """Return the folder of a prepared release.

        Raises:
            ReleaseError: R094, none of this label is prepared, or it has to be built again.
        """
        folder = self._folder / self.get(label).label
        if not folder.is_dir():
            raise ReleaseError("R094", label=label)
        return folder

    @contextmanager
    def staging(self, label: str) -> Iterator[ReleaseDraft]:
        """Give a draft; what is not published at the end of the block is gone.

        Published, it takes the place of the release that was prepared before, whose note stands until `note`
        replaces it: see `is_whole`.

        Raises:
            ReleaseError: R090 the label is published; R091 it has not the form that the home asks for.
        """
        self._releases.refuse_taken(label)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with staged_folder(self._folder / label) as staged:
            yield ReleaseDraft(label, staged, replace=True)

    def is_whole(self, prepared: Prepared) -> bool:
        """Say whether the folder is the one of this note, not of a build that was killed before its own."""
        manifest = self._folder / prepared.label / "MANIFEST.json"
        return manifest.is_file() and sha256(manifest.read_bytes()).hexdigest() == prepared.manifest

    def note(self, prepared: Prepared) -> None:
        """Write down what a folder that stands in its place was made from: from now on it is prepared."""
        atomic_write(self._note(prepared.label), msgspec.json.encode(prepared))

    def approve(self, label: str, *, by: str, not_before: dt.datetime | None = None) -> Prepared:
        """Note who lets a release be published, and from when on.

        Raises:
            ReleaseError: R094, none of this label is prepared.
        """
        present = self.get(label)
        approved = structs.replace(present, approved_by=by, not_before=not_before or present.not_before)
        self.note(approved)
        return approved

    def publish(self, label: str) -> Path:
        """Put a prepared release in its place by one rename and return that place.

        Raises:
            ReleaseError: R090 the label is published; R094 none of this label is prepared.
        """
        folder = self.folder(label)
        place = self._releases.refuse_taken(label)
        folder.rename(place)
        sync_folder(place.parent)
        sync_folder(self._folder)
        self._note(label).unlink()
        return place

    def discard(self, label: str) -> None:
        """Remove a prepared release, if there is one."""
        self._note(label).unlink(missing_ok=True)
        if (self._folder / label).is_dir():
            remove(self._folder / label)

    def recover(self) -> int:
        """Remove the notes of releases that are published; killed processes leave them.

        A note whose folder was lost while another took its place stays: it holds the end of the embargo, and
        the release is built again.
        """
        if not self._folder.is_dir():
            return 0
        published = {*self._releases.labels()}
        late = [label for label in self.labels() if label in published]
        for label in late:
            self._note(label).unlink(missing_ok=True)
        return len(late)

    def _note(self, label: str) -> Path:
        return self._folder / f"{label}{_NOTE}"
