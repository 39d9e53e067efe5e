"""What the REST interface says of an upload."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from copstats.portal.context import Portal
from copstats.portal.uploads.service import offset_of, uploads_of
from copstats.store.portal_uploads import Kind, PortalUpload, UploadState


class NewUpload(BaseModel):
    """What a client announces."""

    model_config = ConfigDict(extra="forbid")

    size: int = Field(ge=1, le=2**40, description="Bytes of the file.")
    sha256: str = Field(
        pattern="^[0-9a-f]{64}$", description="SHA-256 of the file, as `sha256sum` prints it."
    )
    kind: Kind = Field(
        description="`sealed`: a .copsealed file. `raw`: a zip with manifest.yaml and data files."
    )


class UploadStatus(BaseModel):
    """Where an upload stands."""

    id: str
    area: str
    kind: Kind
    size: int
    sha256: str
    offset: int = Field(description="Bytes that are kept: where to go on.")
    state: UploadState
    ahead: int | None = Field(description="While it waits: uploads that are checked before it.")
    submission: str | None = Field(description="Id of the submission that it was taken in as.")
    error: list[str] = Field(description="Codes of the errors for which it was refused; docs/errors.md.")
    created_at: dt.datetime
    changed_at: dt.datetime
    completed_at: dt.datetime | None


class ReceiptContent(BaseModel):
    """What was received."""

    upload: str
    area: str
    sha256: str
    size: int
    received_at: dt.datetime
    key: str = Field(description="Fingerprint of the key that signed.")


class Receipt(BaseModel):
    """A receipt with its Ed25519 signature; docs/portal-api.md says over what."""

    receipt: ReceiptContent
    signature: str
    format: Literal["copstats-receipt-1"]


def status_of(portal: Portal, upload: PortalUpload) -> UploadStatus:
    """Return where an upload stands."""
    waits = upload.state == "complete"
    return UploadStatus(
        id=upload.id,
        area=upload.area,
        kind=upload.kind,
        size=upload.size,
        sha256=upload.sha256,
        offset=offset_of(portal, upload),
        state=upload.state,
        ahead=uploads_of(portal).ahead(upload) if waits else None,
        submission=upload.submission_id,
        error=list(upload.error or ()),
        created_at=upload.created_at,
        changed_at=upload.changed_at,
        completed_at=upload.completed_at,
    )
