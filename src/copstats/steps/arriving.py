"""What arrives at the portal until it is taken in: whole or not, told to the office, destroyed in time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from copstats.errors import CopstatsError, PortalError, SubmissionErrors
from copstats.language import Translations
from copstats.store.home import Home
from copstats.store.portal_uploads import Kind, PortalUpload, UploadRegistry
from copstats.store.upload_receipt import SignedReceipt, signed_receipt

_ZIP = b"PK\x03\x04"
_HEADER_BYTES = 30
_FIRST_OF_SEALED = b"seal.json"
_MOST_TOLD = 50
_UNKNOWN_KEPT = dt.timedelta(days=1)


class _Told(msgspec.Struct, frozen=True):
    """An error as it is noted: in which words it is told is decided when somebody reads it."""

    code: str
    where: str
    params: dict[str, str | int | float]


def complete(home: Home, upload: PortalUpload) -> PortalUpload:
    """Look whether an upload of which all bytes came is what was announced; if so, it waits for its check.

    The hash is that of the bytes as they are on the disk, decrypted: what is acknowledged can be read.

    Args:
        home: open.
        upload: of which everything was received.

    Returns:
        The upload: ``complete``, or ``refused``.

    Raises:
        PortalError: P205, the content has another hash than was announced; P207, it is no file of its kind.
        ConfidentialityError: C001 to C005, a key or segment is missing or was changed.
    """
    uploads = UploadRegistry(home.registry.database)
    problem: PortalError | None = None
    if home.inbox.sha256(upload.id) != upload.sha256:
        problem = PortalError("P205", status=422, where=upload.id)
    elif not _looks_like(_head(home, upload.id), upload.kind):
        problem = PortalError("P207", status=422, where=upload.id, kind=upload.kind)
    if problem is not None:
        refuse(home, upload, problem)
        raise problem
    done = uploads.complete(upload.id, now=_now())
    home.audit.append("upload.received", upload.id, sha256=upload.sha256, size=upload.size, kind=upload.kind)
    return done


def refuse(home: Home, upload: PortalUpload, error: CopstatsError) -> PortalUpload:
    """Refuse an upload: its content is destroyed, its office reads why.

    The codes go into the registry and the audit chain. Places and names can tell more (names of files do), so
    they are kept encrypted.
    """
    told = [_Told(one.code, one.where, one.params) for one in _gathered(error)]
    if home.inbox.has(upload.id):
        home.inbox.note(upload.id, msgspec.json.encode(told[:_MOST_TOLD]))
    codes = sorted({one.code for one in told})
    refused = UploadRegistry(home.registry.database).refuse(upload.id, codes, now=_now())
    home.inbox.empty(upload.id)
    home.audit.append("upload.refused", upload.id, codes="+".join(codes)[:200])
    return refused


def told_errors(home: Home, upload: PortalUpload, words: Translations) -> list[dict[str, str]]:
    """Return why an upload was refused, in words: ``code, where, title, why, hint`` of every error.

    Raises:
        ConfidentialityError: C001 to C005, a key is missing or the note was changed.
    """
    content = home.inbox.noted(upload.id) if upload.state == "refused" else None
    if content is not None:
        noted = msgspec.json.decode(content, type=list[_Told])
        return [words.error(CopstatsError(one.code, where=one.where, **one.params)) for one in noted]
    return [{"code": code, "where": "", "title": "", "why": "", "hint": ""} for code in upload.error or ()]


def receipt_of(home: Home, upload: PortalUpload) -> SignedReceipt | None:
    """Return the signed receipt of an upload; None as long as it is not whole."""
    if upload.completed_at is None:
        return None
    return signed_receipt(
        home.keys.signing_key(),
        upload=upload.id,
        area=upload.area,
        sha256=upload.sha256,
        size=upload.size,
        received_at=upload.completed_at,
    )


def expire_arriving(home: Home, now: dt.datetime) -> None:
    """Destroy what is not needed any more: of uploads that were taken in, unfinished or refused long ago.

    Args:
        home: open and locked.
        now: the time; limits are counted in ``quarantine_days``.
    """
    uploads = UploadRegistry(home.registry.database)
    limit = now - dt.timedelta(days=home.config.quarantine_days)
    for upload in uploads.uploads(states=["receiving"]):
        if upload.created_at <= limit:
            refuse(home, upload, PortalError("P215", where=upload.id, days=home.config.quarantine_days))
    for entry in home.inbox.uploads():
        known = uploads.find(entry.upload_id)
        if known is None:
            superfluous = entry.created <= now - _UNKNOWN_KEPT
        else:
            superfluous = known.state == "done" or (known.state == "refused" and known.changed_at <= limit)
        if superfluous:
            home.inbox.destroy(entry.upload_id)
        elif known is not None and known.state == "refused":
            home.inbox.empty(entry.upload_id)


def _looks_like(head: bytes, kind: Kind) -> bool:
    """Say whether a file begins as one of its kind does: both are zips, of which one has fixed parts."""
    sealed = head[_HEADER_BYTES:].startswith(_FIRST_OF_SEALED)
    return head.startswith(_ZIP) and sealed == (kind == "sealed")


def _head(home: Home, upload_id: str) -> bytes:
    with home.inbox.open(upload_id) as content:
        return content.read(_HEADER_BYTES + len(_FIRST_OF_SEALED))


def _gathered(error: CopstatsError) -> Sequence[CopstatsError]:
    return error.errors if isinstance(error, SubmissionErrors) else [error]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
