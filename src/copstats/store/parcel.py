"""The sealed file that a national office sends: ``KEN_2026_COPS_v01_M.copsealed``.

An archive of three parts. ``seal.json``, the head, says in clear what is sent: wording, columns and counts,
no record. ``seal.sig`` is the office's Ed25519 signature over ``copstats-sealed-1``, a line feed and the
head. ``payload.age`` holds the records: an age envelope (X25519) to the receiving side's key around encrypted
Parquet files (:mod:`copstats.store.parcel_payload`), whose SHA-256 stands in the head.

Reading goes in an order that cannot be left out: :func:`open_parcel` looks at the form alone,
:meth:`Parcel.verify` checks signature and hash, and only then :meth:`Parcel.tables` decrypts, in memory. On
two cores 100,000 records of 300 columns take 0.5 to 1.2 s to write, and as long to read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

import msgspec
import pyarrow as pa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from copstats.errors import ConfidentialityError, SubmissionError, UsageError
from copstats.store.archive import NotThisForm, pack, unpack
from copstats.store.custody.public import ReceivingKeyPublic, SigningKeyPublic
from copstats.store.files import atomic_write
from copstats.store.parcel_payload import Binding, decrypt_tables, encrypt_tables
from copstats.store.sealed import checked_submission_id

FORMAT = "copstats-sealed-1"
SUFFIX = ".copsealed"
LARGEST_FILE = 512 * 2**20
LARGEST_HEAD = 16 * 2**20
_HEAD, _SIGNATURE, _PAYLOAD = "seal.json", "seal.sig", "payload.age"
_SIGNATURE_BYTES = 64


class ParcelHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sealed file says of itself, in clear and signed; `write_parcel` fills in the last six fields.

    Attributes:
        submission_id: for example ``KEN_2026_COPS_v01_M``.
        ref_area: ISO 3166-1 alpha-3.
        survey: acronym.
        reference_year: of the survey.
        version: of the submission.
        framework: for example ``cop-2026``.
        framework_fingerprint: hash of its definition files.
        code_version: version of copstats that sealed.
        content_hash: of the submission's files, which stay in the country.
        key_id: name of the office's key that made the pseudonyms; says nothing of the key.
        linkage: ``wave`` if a child's pseudonym is of this wave only, ``panel`` if it is kept between waves.
        manifest: of the submission.
        crosswalk: of the submission, if it has one.
        summary: JSON text of the check's summary (`copstats.process.summary`).
        risk: measures of disclosure risk of the file; counts and shares.
        format: `FORMAT`.
        columns: record kind -> names of columns, in order.
        records: record kind -> number of records.
        parts: name -> SHA-256 of the encrypted part.
        signing_key: fingerprint of the office's key.
        receiving_key: fingerprint of the key to which it is encrypted.
    """

    submission_id: str
    ref_area: str
    survey: str
    reference_year: int
    version: int
    framework: str
    framework_fingerprint: str
    code_version: str
    content_hash: str
    linkage: Literal["wave", "panel"]
    key_id: str
    manifest: dict[str, Any]
    crosswalk: dict[str, Any] | None
    summary: str
    risk: dict[str, Any]
    format: str = FORMAT
    columns: dict[str, list[str]] = {}
    records: dict[str, int] = {}
    parts: dict[str, str] = {}
    signing_key: str = ""
    receiving_key: str = ""

    @property
    def wave(self) -> str:
        """Identifier of the survey round, for example ``KEN_2026_COPS``."""
        return f"{self.ref_area}_{self.reference_year}_{self.survey}"

    @property
    def binding(self) -> Binding:
        """What every encrypted file of the payload is bound to."""
        return Binding(self.ref_area, self.wave, self.version)

    def as_bytes(self) -> bytes:
        """Return the canonical JSON: the bytes that are signed."""
        return msgspec.json.encode(self, order="sorted")


class _Form(msgspec.Struct, frozen=True):
    format: str


@dataclass
class Parcel:
    """A sealed file that was opened but not yet decrypted. No scheduler can keep it: it is not pickled.

    Attributes:
        head: what the file says of itself; to be believed after :meth:`verify`.
        name: of the file, for messages.
    """

    head: ParcelHead
    name: str
    _signed: bytes = field(repr=False)
    _signature: bytes = field(repr=False)
    _payload: bytes = field(repr=False)
    _verified: bool = field(default=False, repr=False)

    def verify(self, public_key: Ed25519PublicKey) -> None:
        """Check that the country's key signed this head, and that the payload is the one it was signed with.

        Args:
            public_key: the country's registered key; see
                :meth:`~copstats.store.custody.registered.RegisteredKeys.signer`.

        Raises:
            ConfidentialityError: C311, another key signed; C313, head, signature or payload was changed.
        """
        if SigningKeyPublic.of(self.head.ref_area, public_key).fingerprint != self.head.signing_key:
            raise ConfidentialityError("C311", where=self.name)
        try:
            public_key.verify(self._signature, _message(self._signed))
        except InvalidSignature:
            raise ConfidentialityError("C313", where=self.name) from None
        if self.head.parts != {_PAYLOAD: _sha256(self._payload)}:
            raise ConfidentialityError("C313", where=self.name)
        self._verified = True

    def tables(self, identity: Any) -> dict[str, pa.Table]:
        """Return the records by kind, decrypted in memory only.

        Args:
            identity: the receiving side's age identity; see
                :meth:`~copstats.store.keys.KeyStore.receiving_identity`.

        Raises:
            SubmissionError: S314, it was sealed for another receiving side.
            ConfidentialityError: C314, it holds other columns, records or files than the head says; C315, a
                file is of another wave, not encrypted or changed; C316, it was not verified.
        """
        if not self._verified:
            raise ConfidentialityError("C316", where=self.name)
        if ReceivingKeyPublic(str(identity.to_public())).fingerprint != self.head.receiving_key:
            raise SubmissionError("S314", where=self.name)
        head = self.head
        return decrypt_tables(self._payload, identity, head.binding, head.columns, head.records)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealed file is never stored or sent: pass its path")


def parcel_name(submission_id: str) -> str:
    """Return the name of a submission's sealed file."""
    return f"{checked_submission_id(submission_id)}{SUFFIX}"


def write_parcel(
    path: Path,
    head: ParcelHead,
    tables: Mapping[str, pa.Table],
    signing_key: Ed25519PrivateKey,
    recipient: ReceivingKeyPublic,
) -> ParcelHead:
    """Encrypt and sign tables, and write them as one file in the place of an earlier one, or nothing.

    Args:
        path: of the file.
        head: what is to be said of it; what follows from the tables and keys is filled in here.
        tables: record kind -> table, pseudonymised.
        signing_key: of the country's office.
        recipient: the receiving side's key.

    Returns:
        The head as it stands in the file.

    Raises:
        UsageError: U321, the file cannot be written here; U012, U014, an id or name cannot be used.
        SubmissionError: S312, it would be too large to be read; S313, the id does not fit the other fields.
    """
    _refuse_contradiction(head, path.name)
    payload = encrypt_tables(tables, recipient.age_recipient, head.binding)
    complete = msgspec.structs.replace(
        head,
        format=FORMAT,
        columns={kind: table.column_names for kind, table in tables.items()},
        records={kind: table.num_rows for kind, table in tables.items()},
        parts={_PAYLOAD: _sha256(payload)},
        signing_key=SigningKeyPublic.of(head.ref_area, signing_key.public_key()).fingerprint,
        receiving_key=recipient.fingerprint,
    )
    signed = complete.as_bytes()
    packed = pack({_HEAD: signed, _SIGNATURE: signing_key.sign(_message(signed)), _PAYLOAD: payload})
    if len(packed) > LARGEST_FILE or len(signed) > LARGEST_HEAD:
        raise SubmissionError("S312", where=path.name, megabytes=LARGEST_FILE // 2**20)
    try:
        atomic_write(path, packed)
    except OSError:
        raise UsageError("U321", where=path.name) from None
    return complete


def open_parcel(path: Path) -> Parcel:
    """Read a sealed file and look at its form; nothing is decrypted and nothing can be believed yet.

    Raises:
        SubmissionError: S310, it is not whole or no sealed file; S311, another version of copstats made it;
            S312, it is too large; S313, its head contradicts itself.
    """
    parts = _parts(path)
    signed = parts[_HEAD]
    head = _head(signed, path.name)
    _refuse_contradiction(head, path.name)
    return Parcel(head, path.name, signed, parts[_SIGNATURE], parts[_PAYLOAD])


def _parts(path: Path) -> dict[str, bytes]:
    try:
        with path.open("rb") as file:
            packed = file.read(LARGEST_FILE + 1)
        if len(packed) > LARGEST_FILE:
            raise SubmissionError("S312", where=path.name, megabytes=LARGEST_FILE // 2**20)
        parts = unpack(packed, (_HEAD, _SIGNATURE, _PAYLOAD))
    except (OSError, NotThisForm):
        raise SubmissionError("S310", where=path.name) from None
    if len(parts[_SIGNATURE]) != _SIGNATURE_BYTES or len(parts[_HEAD]) > LARGEST_HEAD:
        raise SubmissionError("S310", where=path.name)
    return parts


def _head(signed: bytes, where: str) -> ParcelHead:
    try:
        made_by = msgspec.json.decode(signed, type=_Form).format
        if made_by.startswith("copstats-sealed-") and made_by != FORMAT:
            raise SubmissionError("S311", where=where)
        head = msgspec.json.decode(signed, type=ParcelHead)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise SubmissionError("S310", where=where) from None
    # One way to write a head: what is signed is what is read.
    if head.format != FORMAT or head.as_bytes() != signed:
        raise SubmissionError("S310", where=where)
    return head


def _refuse_contradiction(head: ParcelHead, where: str) -> None:
    if head.submission_id != f"{head.wave}_v{head.version:02d}_M":
        raise SubmissionError("S313", where=where)
    try:
        checked_submission_id(head.submission_id)
    except UsageError:
        raise SubmissionError("S313", where=where) from None


def _message(signed: bytes) -> bytes:
    return FORMAT.encode() + b"\n" + signed


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
