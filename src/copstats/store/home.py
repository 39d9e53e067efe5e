"""The home folder: everything that one installation of copstats keeps."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from copstats.errors import UsageError
from copstats.framework.areas import Area, load_areas
from copstats.project import project_root
from copstats.store.audit import AuditLog
from copstats.store.config import CONFIG_FILE, TEMPLATE, HomeConfig, read_config, with_settings
from copstats.store.counts import COUNTS, POLICY_ANSWERS
from copstats.store.custody.passphrase import read_passphrase_file
from copstats.store.files import STAGING, atomic_write, recover
from copstats.store.findings import FINDINGS_KEPT
from copstats.store.inbox import Inbox
from copstats.store.keys import KeyStore, Passphrases
from copstats.store.ledger import Ledger
from copstats.store.lock import FileLock
from copstats.store.prepared import PreparedReleases
from copstats.store.quarantine import Quarantine
from copstats.store.registry import Registry
from copstats.store.releases import ReleaseStore
from copstats.store.tombstones import Tombstones
from copstats.store.warehouse import Warehouse
from copstats.store.waves import WaveStore

FOLDERS = (
    *("keys", "inbox", "quarantine", "waves", "findings", "warehouse", "ledger", "tombstones", "prepared"),
    "releases",
)
PASSPHRASE_FILE = "COPSTATS_PASSPHRASE_FILE"  # noqa: S105 - a name
"""Environment variable: name of a file (0600) with the passphrase of locked keys."""
_LOCK = ".lock"


@dataclass
class Home:
    """An open home. Its parts are made at first use; none holds anything open between calls.

    Attributes:
        path: the folder.
        config: its settings.
    """

    path: Path
    config: HomeConfig

    @classmethod
    def open(cls, path: Path | str, *, create: bool = False) -> Home:
        """Open a home, undo what killed processes left half done, and check its keys.

        Args:
            path: the folder.
            create: make a home of a folder that does not exist or is empty.

        Raises:
            UsageError: U001 the folder is no home; U002 it holds something else, so none is made there; U003
                a newer version of copstats made it; U004 a setting is wrong.
            ConfidentialityError: C002 or C003, a key file is malformed or open to other accounts.
        """
        folder = Path(path).absolute()
        settings = folder / CONFIG_FILE
        if not settings.is_file():
            if not create:
                raise UsageError("U001", where=str(folder))
            _create(folder)
        home = cls(folder, read_config(settings))
        for name in FOLDERS:  # An earlier version of copstats made fewer.
            (folder / name).mkdir(mode=0o700, exist_ok=True)
        home.keys.check()
        home.recover()
        return home

    def recover(self) -> int:
        """Undo what killed processes left half done; return how many pieces were removed.

        Work of live processes is left alone. :meth:`open` calls it.
        """
        pieces = sum(recover(folder) for folder in (self.path, *(self.path / name for name in FOLDERS)))
        self.audit.mend()
        sealed = (self.waves, self.findings, self.warehouse, self.ledger, self.quarantine)
        return pieces + sum(part.recover() for part in (*sealed, self.prepared))

    def lock(self, *, wait: float = 0.0) -> FileLock:
        """Return the lock of the home, for ``with``: steps that belong together exclude each other.

        Single writes need no lock. Not re-entrant.

        Args:
            wait: seconds to wait for the present holder.

        Raises:
            Retriable: T001 on entering, if another process still holds it.
        """
        return FileLock(self.path / _LOCK, wait=wait)

    def change_settings(self, **values: str | int | Sequence[str]) -> None:
        """Write other values into ``copstats.toml``; comments in the file stay."""
        settings = self.path / CONFIG_FILE
        atomic_write(settings, with_settings(settings.read_text("utf-8"), **values).encode())
        self.config = read_config(settings)

    @cached_property
    def keys(self) -> KeyStore:
        """Country keys, signing key, audit key."""
        return KeyStore(self.path / "keys", passphrases=_passphrases())

    @cached_property
    def registry(self) -> Registry:
        """Submissions, decisions, releases."""
        if self.config.registry_url:
            return Registry(self.config.registry_url)
        return Registry.sqlite(self.path / "registry.sqlite")

    @cached_property
    def waves(self) -> WaveStore:
        """Sealed microdata: restricted."""
        return WaveStore(self.path / "waves", self.keys)

    @cached_property
    def inbox(self) -> Inbox:
        """What arrives at the portal, encrypted, until it is taken in: restricted."""
        return Inbox(self.path / "inbox", self.keys)

    @cached_property
    def findings(self) -> Warehouse:
        """What the check of a submission found, in words and with record numbers: restricted."""
        return Warehouse(self.path / "findings", self.keys, schema=FINDINGS_KEPT, record="findings")

    @cached_property
    def quarantine(self) -> Quarantine:
        """Raw uploads, encrypted and for some days: restricted."""
        return Quarantine(self.path / "quarantine", self.keys, days=self.config.quarantine_days)

    @cached_property
    def tombstones(self) -> Tombstones:
        """Pseudonyms of children whose records were withdrawn: restricted."""
        return Tombstones(self.path / "tombstones", self.keys)

    @cached_property
    def warehouse(self) -> Warehouse:
        """Sealed estimates: restricted."""
        return Warehouse(self.path / "warehouse", self.keys)

    @cached_property
    def counts(self) -> Warehouse:
        """Sealed administrative counts: restricted."""
        return Warehouse(self.path / "warehouse", self.keys, schema=COUNTS, record="counts")

    @cached_property
    def answers(self) -> Warehouse:
        """Sealed answers to the policy questionnaire."""
        return Warehouse(self.path / "warehouse", self.keys, schema=POLICY_ANSWERS, record="answers")

    @cached_property
    def releases(self) -> ReleaseStore:
        """Published folders."""
        return ReleaseStore(self.path / "releases", self.config.release_label)

    @cached_property
    def prepared(self) -> PreparedReleases:
        """Releases that are built and signed, and wait for a review, an approval or their hour."""
        return PreparedReleases(self.path / "prepared", self.releases)

    @cached_property
    def ledger(self) -> Ledger:
        """What was published of each wave, and when: restricted."""
        return Ledger(self.path / "ledger", self.keys, self.releases)

    @cached_property
    def audit(self) -> AuditLog:
        """The chain of what was done."""
        return AuditLog(self.path / "audit.log", self.keys)

    @property
    def population(self) -> Path:
        """The reference population that the operator laid there, if any: ``population.csv``."""
        return self.path / "population.csv"

    @property
    def external(self) -> Path:
        """Values of other organisations that the operator laid there, if any: ``external.csv``."""
        return self.path / "external.csv"

    @property
    def denominators(self) -> Path:
        """Children by area that the operator laid there as denominators, if any: ``denominators.csv``."""
        return self.path / "denominators.csv"

    @property
    def own_areas(self) -> Path:
        """Areas that the operator adds to those of the framework, if any: ``areas.csv``."""
        return self.path / "areas.csv"

    @cached_property
    def areas(self) -> dict[str, Area]:
        """Areas of the framework, with those of the home's own ``areas.csv`` added, by code."""
        tables = [project_root() / "schemas" / "areas.csv", self.own_areas]
        return load_areas(*(table for table in tables if table.is_file()))


def _passphrases() -> Passphrases | None:
    """Return what answers with the passphrase of locked keys: the file that PASSPHRASE_FILE names, if any."""
    named = os.environ.get(PASSPHRASE_FILE)
    return None if named is None else lambda _: read_passphrase_file(Path(named))


def _create(folder: Path) -> None:
    """Make a home; the settings come last, so a folder that has them is complete."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        present = {path.name for path in folder.iterdir() if not path.name.startswith(STAGING)}
        if foreign := present - {*FOLDERS, CONFIG_FILE}:
            raise UsageError("U002", where=str(folder), count=len(foreign))
        folder.chmod(0o700)
        for name in FOLDERS:
            (folder / name).mkdir(exist_ok=True)
            (folder / name).chmod(0o700)
        atomic_write(folder / CONFIG_FILE, TEMPLATE.encode())
    except (FileExistsError, NotADirectoryError, PermissionError):
        raise UsageError("U005", where=str(folder)) from None
