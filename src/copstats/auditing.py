"""The audit of releases in folders and homes: what ``copstats audit`` runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from copstats.disclose import load_profile
from copstats.disclose.profile import named_within
from copstats.disseminate import Problem, database, verify_release
from copstats.disseminate.manifest import ReleaseManifest, read_manifest
from copstats.framework import load_framework
from copstats.store.engine import published_connection
from copstats.store.schemas import INDICATOR_VALUE

if TYPE_CHECKING:
    import pyarrow as pa
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from copstats.disclose.audit import Audit
    from copstats.store.home import Home


@dataclass(frozen=True)
class AuditedRelease:
    """What is known of a release after its audit.

    Attributes:
        folder: where it stands.
        problems: release -> what is wrong with its files; of those that it is held against too.
        audit: the verdict on its values; None where a file is not as signed, so that nothing else counts.
    """

    folder: Path
    problems: tuple[tuple[str, Problem], ...] = ()
    audit: Audit | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return self.audit is not None and self.audit.passed


@dataclass(frozen=True)
class Placed:
    """A release that was named.

    Attributes:
        folder: where it stands.
        key: of whoever publishes in the home; None for a folder, which brings its own.
        attacker: the attacker's file, schema ``ATTACKER``; None where there is no home, or none in it.
    """

    folder: Path
    key: Ed25519PublicKey | None = None
    attacker: pa.Table | None = None


def audit_release(release: Path, home_path: Path, *, against: Sequence[Path] = ()) -> AuditedRelease:
    """Verify a release and say whether its figures give away what it withholds.

    Args:
        release: a folder, or the label of a release in the home.
        home_path: the home folder; opened only for a label.
        against: earlier releases, named in the same way.

    Raises:
        UsageError: U001, there is no home.
        ReleaseError: R024 there is no release in the folder; R091 or R092, in the home.
        DefinitionError: D011, this copstats does not know the framework of the release.
    """
    from copstats.disclose.audit import Published, audit_values

    names = [release, *against]
    placed = [_placed(name, home_path) for name in names]
    verified = [verify_release(one.folder, one.key) for one in placed]
    problems = tuple(
        (str(name), problem) for name, found in zip(names, verified, strict=True) for problem in found
    )
    if problems:
        return AuditedRelease(placed[0].folder, problems)
    manifest = read_manifest(placed[0].folder)
    framework = load_framework(_framework_of(manifest))
    profile = load_profile(framework.id, named=named_within(manifest.profile))
    earlier = [
        Published(str(name), values_of(one.folder), one.attacker)
        for name, one in zip(names[1:], placed[1:], strict=True)
    ]
    verdict = audit_values(
        values_of(placed[0].folder), placed[0].attacker, framework, profile, earlier=earlier
    )
    return AuditedRelease(placed[0].folder, audit=verdict)


def attacker_of(home: Home, label: str) -> pa.Table | None:
    """Return the attacker's file of a release, schema ``ATTACKER``; None if the home's ledger has none.

    Raises:
        ConfidentialityError: C001 to C005, a key or file is missing, changed or moved.
    """
    return home.ledger.attacker(label) if label in home.ledger.labels() else None


def values_of(folder: Path) -> pa.Table:
    """Return the values of a release, schema ``INDICATOR_VALUE``."""
    columns = ", ".join(INDICATOR_VALUE.names)
    with published_connection(folder / database.NAME) as connection:
        values = connection.sql(f"SELECT {columns} FROM indicator_value").to_arrow_table()  # noqa: S608
    return values.cast(INDICATOR_VALUE)


def _placed(name: Path, home_path: Path) -> Placed:
    if name.is_dir():
        return Placed(name)
    from copstats.store.home import Home

    home = Home.open(home_path)
    label = str(name)
    return Placed(home.releases.folder(label), home.keys.public_key(), attacker_of(home, label))


def _framework_of(manifest: ReleaseManifest) -> str:
    return manifest.framework.split(" ")[0]
