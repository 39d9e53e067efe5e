"""COLLECT at the receiving side: a sealed file becomes a wave under the receiving side's own keys.

Nothing is believed before the signature of the country's registered key, nothing is decrypted before that,
and nothing decrypted leaves the memory of this process. The pseudonyms of the office are replaced by those of
the receiving side, so that neither alone can link them (double pseudonymisation).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from copstats import checking
from copstats.errors import ConfidentialityError, CopstatsError, SubmissionError
from copstats.framework import load_framework
from copstats.steps.common import PROGRESS, sha256
from copstats.steps.registration import (
    Ingested,
    at_hand,
    decided_by_settings,
    refuse_older,
    refuse_other_pseudonyms,
    register,
)
from copstats.store.home import Home
from copstats.store.parcel import Parcel, ParcelHead, open_parcel
from copstats.store.rows import Provenance

if TYPE_CHECKING:
    import pyarrow as pa

    from copstats.checking import Checked
    from copstats.collect.received import Received


def receive(home: Home, path: Path) -> Ingested:
    """Take in a sealed file: verify, decrypt, check, replace the pseudonyms, seal, register.

    A file that is refused changes nothing; the audit chain says that it came, and with which code it was
    refused. The same submission again changes nothing.

    Args:
        home: open and locked.
        path: of the ``.copsealed`` file.

    Raises:
        SubmissionError: S310 to S317, S111, the file is not whole, not for this side, older than what is kept
            or describes something else than it holds.
        ConfidentialityError: C311 to C315, signature, country or content cannot be believed; C317, the
            records are not those that the office checked.
        UsageError: the id belongs to other content (U007).
    """
    try:
        return _received(home, path)
    except CopstatsError as error:
        home.audit.append("parcel.refused", _name(path), code=error.code)
        raise


def _received(home: Home, path: Path) -> Ingested:
    parcel = open_parcel(path)
    head = parcel.head
    _verify(home, parcel)
    present = home.registry.known(head.submission_id, head.content_hash)
    if present is not None:
        settled = decided_by_settings(home, present)
        PROGRESS.info("%s: unchanged (%s)", settled.id, settled.state)
        return Ingested(settled, changed=settled != present, checked=None)
    home.audit.append(
        "parcel.verified", head.submission_id, signing_key=head.signing_key, sha256=head.parts["payload.age"]
    )
    received = _decrypted(home, parcel)
    refuse_older(home, received.manifest)
    refuse_other_pseudonyms(home, received.wave, "double", head.key_id)
    checked, _ = checking.check(received, at_hand(home, received.manifest), at_most=checking.FINDINGS_KEPT)
    provenance = Provenance(
        custody="double",
        linkage=head.linkage,
        key_id=head.key_id,
        signing_key=head.signing_key,
        agreement="agrees" if _agrees(head, checked) else "definitions",
        risk=head.risk,
    )
    tables = _own_pseudonyms(home, received) if checked.result.accepted else {}
    return Ingested(register(home, checked, tables, provenance), changed=True, checked=checked)


def _verify(home: Home, parcel: Parcel) -> None:
    area = parcel.head.ref_area
    if area not in home.areas:
        raise SubmissionError("S111", where=parcel.name, area=area, known="")
    signer = home.keys.registered.signer(area, parcel.head.signing_key)
    parcel.verify(signer.public(area).public_key)


def _decrypted(home: Home, parcel: Parcel) -> Received:
    """Return the records with what was said of them, which must be of the same survey."""
    from copstats.collect.received import Received, documents, refuse_foreign_columns

    head = parcel.head
    manifest, crosswalk = documents(head.manifest, head.crosswalk, parcel.name)
    if manifest.submission_id != head.submission_id or manifest.framework != head.framework:
        raise SubmissionError("S313", where=parcel.name)
    tables = parcel.tables(home.keys.receiving_identity())
    refuse_foreign_columns(tables, load_framework(manifest.framework), parcel.name)
    return Received(manifest, crosswalk, head.content_hash, tables)


def _agrees(head: ParcelHead, checked: Checked) -> bool:
    """Hold the check of the records that arrived against the office's, which is signed.

    Returns:
        False if they were made by different definitions or code, so that a difference proves nothing.

    Raises:
        ConfidentialityError: C317, they were made alike and differ.
    """
    from copstats.process.summary import read_summary

    office, own = read_summary(head.summary.encode(), head.submission_id), checked.summary
    if (office.submission, office.content_hash) != (head.submission_id, head.content_hash):
        raise SubmissionError("S313", where=head.submission_id)
    alike = ("framework_fingerprint", "code_version")
    if any(getattr(office, name) != getattr(own, name) for name in alike):
        return False
    coarser = {
        name
        for kind in ("child", "parent")
        for name, variable in checked.framework.variables(kind).items()
        if variable.privacy == "coarsen"
    }
    differ = office.disagreements(own)
    if rules := [rule for rule in differ if rule.partition(":")[2].removeprefix("parent.") not in coarser]:
        raise ConfidentialityError("C317", where=head.submission_id, rules=", ".join(rules[:5]))
    return True


def _own_pseudonyms(home: Home, received: Received) -> dict[str, pa.Table]:
    from copstats.process.sealing import pseudonymised_again

    manifest = received.manifest
    return pseudonymised_again(received.tables, load_framework(manifest.framework), manifest, home.keys)


def _name(path: Path) -> str:
    """Return a name of the file for the audit chain that tells nothing of where it came from."""
    try:
        return f"sha256:{sha256(path)[:16]}"
    except OSError:
        return "unreadable"
