"""Published releases: folders that appear in one step and are never changed afterwards."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from copstats.errors import ReleaseError
from copstats.store.files import StagedFolder, staged_folder

SAFE_LABEL = r"[A-Za-z0-9][A-Za-z0-9-]{0,39}"
QUARTER_LABEL = r"[0-9]{4}-Q[1-4](-[a-z0-9]+)?"


class ReleaseDraft:
    """A release under construction.

    Attributes:
        label: for example ``2026-Q4``.
        folder: fresh and private; the builders write into it.
    """

    def __init__(self, label: str, staged: StagedFolder, *, replace: bool = False) -> None:
        self.label = label
        self.folder = staged.folder
        self._staged = staged
        self._replace = replace

    def publish(self) -> Path:
        """Force everything to disk, put the folder in its place by one rename and return that place.

        Raises:
            ReleaseError: R090, the label was taken meanwhile.
        """
        try:
            return self._staged.commit(replace=self._replace)
        except FileExistsError:
            raise ReleaseError("R090", label=self.label) from None


class ReleaseStore:
    """The releases of a home."""

    def __init__(self, folder: Path, label_pattern: str = SAFE_LABEL) -> None:
        self._folder = folder
        self._pattern = re.compile(label_pattern)

    @contextlib.contextmanager
    def staging(self, label: str) -> Iterator[ReleaseDraft]:
        """Give a draft; what is not published at the end of the block is gone.

        Raises:
            ReleaseError: R090 the label exists; R091 it has not the form that the home asks for.
        """
        with staged_folder(self.refuse_taken(label)) as staged:
            yield ReleaseDraft(label, staged)

    def refuse_taken(self, label: str) -> Path:
        """Return the place of a release that is not there yet.

        Raises:
            ReleaseError: R090 the label exists; R091 it has not the form that the home asks for.
        """
        final = self._place(label)
        if final.exists():
            raise ReleaseError("R090", label=label)
        return final

    def folder(self, label: str) -> Path:
        """Return the folder of a release.

        Raises:
            ReleaseError: R091 not a label; R092 there is no such release.
        """
        place = self._place(label)
        if not place.is_dir():
            raise ReleaseError("R092", label=label)
        return place

    def labels(self) -> list[str]:
        """Return the labels of all releases, sorted."""
        return sorted(p.name for p in self._folder.iterdir() if p.is_dir() and not p.name.startswith("."))

    def _place(self, label: str) -> Path:
        # The configured pattern may be any; a label also has to be a plain folder name on every system.
        if not (re.fullmatch(SAFE_LABEL, label) and self._pattern.fullmatch(label)):
            raise ReleaseError("R091", pattern=self._pattern.pattern)
        return self._folder / label
