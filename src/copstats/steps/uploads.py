"""Raw uploads at the receiving side: encrypted before anything else is done, destroyed after the decision."""

from __future__ import annotations

import datetime as dt
import io
from itertools import count
from typing import TYPE_CHECKING

from copstats.steps.arriving import expire_arriving
from copstats.store.home import Home
from copstats.store.rows import State
from copstats.store.upload import Opener, Reason, Receipt, Upload

if TYPE_CHECKING:
    from copstats.collect.submission import Submission as Delivery

_HASH = 8
_DECIDED: dict[State, Reason] = {
    State.ACCEPTED: "accepted",
    State.SUPERSEDED: "accepted",
    State.DECLINED: "declined",
    State.WITHDRAWN: "withdrawn",
}


def keep_upload(home: Home, delivery: Delivery) -> Upload:
    """Encrypt the files of a raw submission into the quarantine, unless they are there; return them.

    Args:
        home: open and locked.
        delivery: the submission as it came.
    """
    for number in count(1):
        upload_id = f"{delivery.id}_{delivery.content_hash[:_HASH]}_{number:02d}"
        receipt = home.quarantine.receipt(upload_id)
        if receipt is None:
            receipt = home.quarantine.put(delivery.manifest.ref_area, _files(delivery), upload_id=upload_id)
            home.audit.append("upload.quarantined", delivery.id, sha256=receipt.sha256)
        if receipt.destroyed is None:
            break
    return home.quarantine.open(upload_id)


def uploads_of(home: Home, submission_id: str) -> list[Receipt]:
    """Return the receipts of the raw uploads of a submission that are kept."""
    return [one for one in home.quarantine.uploads() if one.upload_id.startswith(f"{submission_id}_")]


def destroy_uploads(home: Home, submission_id: str, reason: Reason) -> None:
    """Destroy the raw uploads of a submission; their receipts stay."""
    for upload in uploads_of(home, submission_id):
        home.quarantine.destroy(upload.upload_id, reason)
        home.audit.append("upload.destroyed", submission_id, reason=reason)


def expire_uploads(home: Home) -> None:
    """Destroy the raw uploads that were kept as long as the settings allow, or whose decision was taken.

    The second finishes what a process that was killed after a decision has left.
    """
    for receipt in home.quarantine.uploads():
        submission = home.registry.find(_submission_id(receipt))
        reason = _DECIDED.get(submission.state) if submission is not None else None
        if submission is not None and reason is not None:
            destroy_uploads(home, submission.id, reason)
    for receipt in home.quarantine.expire(now := dt.datetime.now(dt.UTC)):
        home.audit.append("upload.destroyed", receipt.upload_id, reason="expired")
    expire_arriving(home, now)


def _submission_id(receipt: Receipt) -> str:
    return receipt.upload_id.rsplit("_", 2)[0]


def _files(delivery: Delivery) -> dict[str, Opener]:
    documents = (delivery.manifest_document, delivery.crosswalk_document)
    files: dict[str, Opener] = {one.name: _bytes(one.content) for one in documents if one is not None}
    return files | {source.name: source.open for source in delivery.data_files.values()}


def _bytes(content: bytes) -> Opener:
    return lambda: io.BytesIO(content)
