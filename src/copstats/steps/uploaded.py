"""Takes in what arrived at the portal, in the order in which it came whole."""

from __future__ import annotations

import datetime as dt
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from copstats import official
from copstats.errors import ConfidentialityError, CopstatsError, PortalError, Retriable
from copstats.steps.arriving import complete, refuse
from copstats.steps.common import PROGRESS
from copstats.steps.intake import is_official, take_in
from copstats.steps.receiving import receive
from copstats.steps.uploads import expire_uploads
from copstats.store.files import open_private, staged_folder
from copstats.store.home import Home
from copstats.store.parcel import SUFFIX, open_parcel
from copstats.store.portal_uploads import PortalUpload, UploadRegistry
from copstats.store.rows import Submission

if TYPE_CHECKING:
    from copstats.collect.package import Archive

MOST_ATTEMPTS = 5
"""A check that was begun so often without coming to an end is not begun again."""


def ingest_uploaded(home_path: Path, upload_id: str) -> str:
    """Take in an upload of the portal; doing so again changes nothing.

    A sealed file is written beside the upload while it is taken in: it is encrypted by itself. A raw zip is
    read in its place, decrypted in memory, and goes from there into the quarantine. Of both nothing is left
    in the inbox at the end.

    Args:
        home_path: the home folder.
        upload_id: for example ``KEN_4f1c09aa5e3b77d2``.

    Returns:
        State of the submission, or ``refused`` and the codes of the errors.

    Raises:
        PortalError: P201, there is no such upload.
        ConfidentialityError: an invariant broke, or a signature cannot be believed; the upload is refused.
        Retriable: T001, another process works on the home.
    """
    home = Home.open(home_path)
    uploads = UploadRegistry(home.registry.database)
    with home.lock(wait=60):
        expire_uploads(home)
        upload = uploads.find(upload_id)
        if upload is None:
            raise PortalError("P201", status=404, where=upload_id)
        if upload.final:
            return upload.state
        try:
            submission = _taken_in(home, upload)
        except Retriable:
            raise
        except CopstatsError as error:
            refused = refuse(home, upload, error)
            PROGRESS.info("%s: refused", upload_id)
            if isinstance(error, ConfidentialityError):
                raise
            return f"refused {'+'.join(refused.error or ())}"
        uploads.finish(upload.id, submission.id, now=_now())
        home.inbox.destroy(upload.id)
        return str(submission.state)


def take_up(home: Home) -> int:
    """Let what a worker that died has left wait again, and complete what came whole; return how many wait.

    To be called by the one worker of a home, before anything else.
    """
    uploads = UploadRegistry(home.registry.database)
    uploads.wait_again(now=_now())
    for upload in uploads.uploads(states=["receiving"]):
        if home.inbox.has(upload.id) and home.inbox.offset(upload.id) == upload.size:
            try:
                complete(home, upload)
            except PortalError:
                PROGRESS.info("%s: refused", upload.id)
    return len(uploads.uploads(states=["complete"]))


def next_upload(home: Home) -> str | None:
    """Claim the upload that waits longest; None if none does.

    One whose check did not come to an end several times is refused: it would stop all others.
    """
    uploads = UploadRegistry(home.registry.database)
    while (upload := uploads.claim(now=_now())) is not None:
        if upload.attempts <= MOST_ATTEMPTS:
            return upload.id
        refuse(home, upload, PortalError("P211", where=upload.id))
    return None


def put_back(home: Home, upload_id: str, *, counts: bool) -> None:
    """Let an upload whose check came to no end wait again; one that was decided stays as it is.

    Args:
        home: open.
        upload_id: for example ``KEN_4f1c09aa5e3b77d2``.
        counts: whether the attempt counts; one that ended for another reason than the file does not.
    """
    UploadRegistry(home.registry.database).wait_again(upload_id, counts=counts, now=_now())


def _taken_in(home: Home, upload: PortalUpload) -> Submission:
    if upload.kind == "sealed":
        return _sealed(home, upload)
    from copstats.collect.package import Archive

    package = Archive(Path(f"{upload.id}.zip"), partial(home.inbox.open, upload.id))
    _refuse_other_area(upload, _area_of(package))
    if is_official(package):
        return official.take_in(home, package).submission
    return take_in(home, package).submission


def _sealed(home: Home, upload: PortalUpload) -> Submission:
    with staged_folder(home.inbox.folder / upload.id) as staged:
        path = staged.folder / f"{upload.id}{SUFFIX}"
        with home.inbox.open(upload.id) as content, open_private(path) as beside:
            shutil.copyfileobj(content, beside, 2**20)
        _refuse_other_area(upload, open_parcel(path).head.ref_area)
        return receive(home, path).submission


def _area_of(package: Archive) -> str | None:
    """Return the area that a manifest names; None if it does not, which is told when it is read."""
    from copstats.collect.documents import Document
    from copstats.collect.submission import MANIFEST

    content = package.document(MANIFEST)
    return None if content is None else Document(MANIFEST, content).text("ref_area")


def _refuse_other_area(upload: PortalUpload, area: str | None) -> None:
    if area is not None and area != upload.area:
        raise PortalError("P210", status=422, where=upload.id, area=upload.area)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
