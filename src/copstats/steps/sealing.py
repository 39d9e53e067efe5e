"""At the office: what may leave the country of a checked submission, in one sealed file. Works offline."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from copstats import __version__, checking
from copstats.checking import AtHand, Checked, summaries_at
from copstats.framework import Area, load_framework
from copstats.steps.common import PROGRESS, area_table
from copstats.store.keys import KeyStore
from copstats.store.parcel import ParcelHead, parcel_name, write_parcel
from copstats.store.rows import without_file_names

if TYPE_CHECKING:
    import duckdb

    from copstats.collect.harmonise import Harmonised
    from copstats.collect.submission import Submission as Delivery
    from copstats.process.check import CheckResult
    from copstats.process.sealing import Prepared, PseudonymKeys
    from copstats.store.custody.public import ReceivingKeyPublic


@dataclass(frozen=True)
class Sealed:
    """Outcome of sealing.

    Attributes:
        checked: the check.
        prepared: what leaves the country; None if the check found errors.
        head: what the sealed file says of itself in clear; None if none was written.
        path: of the sealed file; None if none was written.
    """

    checked: Checked
    prepared: Prepared | None
    head: ParcelHead | None = None
    path: Path | None = None


@dataclass(frozen=True)
class Seals:
    """What a sealed file is made with.

    Attributes:
        keys: of the office.
        recipient: public key of the receiving side.
        folder: the sealed file is written into it.
    """

    keys: KeyStore
    recipient: ReceivingKeyPublic
    folder: Path


def seal(
    path: Path,
    seals: Seals | None,
    *,
    manifest: Path | None = None,
    data: Path | None = None,
    areas: Mapping[str, Area] | None = None,
    previous: Iterable[Path] = (),
) -> Sealed:
    """Check a submission and write what may leave the country of it into one sealed file.

    Nothing but that file is written. A submission with error findings is not sealed. Sealing it again writes
    the same records under other data keys in its place. All rules are run, but not the acceptance suite
    beside them: `check` does that, and the receiving side before it accepts anything.

    Args:
        path: folder, zip, or a bare data file.
        seals: keys and place; None shows what would leave, for which no key is needed.
        manifest: the manifest, if it lies elsewhere.
        data: folder of the data files, if elsewhere.
        areas: the area table; the framework's own by default.
        previous: earlier rounds or versions, see `copstats.checking.summaries_at`.

    Raises:
        SubmissionErrors: it cannot be read.
        ConfidentialityError: a key of the office is missing, unfit or locked (C001 to C003, C325).
        SubmissionError: S230, pseudonyms would not be unique; S312, the file would be too large.
        UsageError: U321, the file cannot be written.
    """
    from copstats.collect.submission import open_submission

    known = areas or area_table()
    delivery = open_submission(path, manifest=manifest, data=data, areas=known)
    area, framework = delivery.manifest.ref_area, load_framework(delivery.manifest.framework)
    pseudonyms: PseudonymKeys = _Throwaway()
    if seals is not None:
        # Missing keys show before the minutes that a large file takes.
        signing, pseudonyms = seals.keys.national_signing_key(area), seals.keys
        seals.keys.root_id(area)

    def prepared(
        connection: duckdb.DuckDBPyConnection, harmonised: Harmonised, result: CheckResult
    ) -> Prepared | None:
        from copstats.process.sealing import prepare

        if not result.sound:
            return None
        PROGRESS.info("%s: no errors; making pseudonyms and measuring the risk", delivery.id)
        return prepare(connection, harmonised, framework, delivery.manifest, pseudonyms)

    at_hand = AtHand(summaries_at(previous, areas=known))
    # The acceptance suite judges at the receiving side; here it would only take its seconds.
    checked, leaving = checking.check(
        delivery, at_hand, at_most=checking.FINDINGS_KEPT, gate=False, then=prepared
    )
    if leaving is None or seals is None:
        return Sealed(checked, leaving)
    PROGRESS.info("%s: encrypting and signing", delivery.id)
    target = seals.folder / parcel_name(delivery.id)
    tables = {str(kind): table for kind, table in leaving.tables.items()}
    head = write_parcel(target, _head(delivery, checked, leaving), tables, signing, seals.recipient)
    return Sealed(checked, leaving, head, target)


class _Throwaway:
    """Keys of pseudonyms that nobody will see."""

    def root_id(self, area: str) -> str:
        return ""

    def pseudonym_key(self, area: str, scope: str, field: str, *, permitted: bool = False) -> bytes:
        return secrets.token_bytes(32)


def _head(delivery: Delivery, checked: Checked, leaving: Prepared) -> ParcelHead:
    manifest = delivery.manifest
    return ParcelHead(
        submission_id=manifest.submission_id,
        ref_area=manifest.ref_area,
        survey=manifest.survey,
        reference_year=manifest.reference_year,
        version=manifest.version,
        framework=manifest.framework,
        framework_fingerprint=checked.framework.fingerprint,
        code_version=__version__,
        content_hash=delivery.content_hash,
        linkage="panel" if leaving.linkage == "panel" else "wave",
        key_id=leaving.key_id,
        manifest=without_file_names(manifest),
        crosswalk=msgspec.to_builtins(delivery.crosswalk, str_keys=True) if delivery.crosswalk else None,
        summary=checked.summary.as_bytes().decode(),
        risk={"all": leaving.risk.coarse(), "known": leaving.gate.coarse()},
    )
