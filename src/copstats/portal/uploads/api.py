"""REST interface of uploads: plain HTTP after the manner of tus, described in docs/portal-api.md."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from starlette.concurrency import run_in_threadpool

from copstats.errors import PortalError
from copstats.portal.context import PortalOf
from copstats.portal.security.identity import Identity, require
from copstats.portal.uploads import service
from copstats.portal.uploads.shapes import NewUpload, Receipt, UploadStatus, status_of
from copstats.steps.arriving import receipt_of
from copstats.store.portal_uploads import PortalUpload

router = APIRouter(tags=["uploads"])
SEGMENT = "application/offset+octet-stream"
Provider = Annotated[Identity, Depends(require("provider"))]
Reader = Annotated[Identity, Depends(require("provider", "reviewer", "operator"))]
_EMPTY = {"description": "`Upload-Offset` says how many bytes are kept."}
_SEGMENT_BODY = {
    "requestBody": {
        "required": True,
        "content": {SEGMENT: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/api/submissions", status_code=201, responses={200: {"model": UploadStatus}})
@router.post("/api/uploads", status_code=201, responses={200: {"model": UploadStatus}})
def begin(
    announced: NewUpload, request: Request, response: Response, portal: PortalOf, identity: Provider
) -> UploadStatus:
    """Begin an upload; `Location` is its address. The same file again gives the one that is there (200)."""
    upload, begins = service.begin(
        request, portal, identity, kind=announced.kind, size=announced.size, sha256=announced.sha256
    )
    status = status_of(portal, upload)
    response.status_code = 201 if begins else 200
    response.headers.update({"location": f"/api/uploads/{upload.id}", **_where(upload, status.offset)})
    return status


@router.get("/api/uploads/{upload_id}")
def status(upload_id: str, portal: PortalOf, identity: Reader) -> UploadStatus:
    """Tell where an upload stands."""
    return status_of(portal, service.upload_for(portal, identity, upload_id))


@router.head("/api/uploads/{upload_id}", response_class=Response, responses={200: _EMPTY})
def offset(upload_id: str, portal: PortalOf, identity: Reader) -> Response:
    """Tell how many bytes are kept: where to go on after a cut."""
    upload = service.upload_for(portal, identity, upload_id)
    return Response(headers=_where(upload, service.offset_of(portal, upload)))


@router.patch(
    "/api/uploads/{upload_id}",
    status_code=204,
    response_class=Response,
    responses={204: _EMPTY},
    openapi_extra=_SEGMENT_BODY,
)
async def send(
    upload_id: str,
    request: Request,
    portal: PortalOf,
    identity: Provider,
    upload_offset: Annotated[int, Header(ge=0, le=2**40)],
) -> Response:
    """Send the next segment. When the last one has come, the hash is compared and the check begins."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != SEGMENT:
        raise PortalError("P116", status=415)
    upload = await run_in_threadpool(service.upload_for, portal, identity, upload_id)
    reached = await service.receive(portal, upload, upload_offset, request.stream())
    now = await run_in_threadpool(service.upload_for, portal, identity, upload_id)
    return Response(status_code=204, headers=_where(now, reached))


@router.delete("/api/uploads/{upload_id}", status_code=204, response_class=Response)
def discard(upload_id: str, portal: PortalOf, identity: Provider) -> Response:
    """Give up an unfinished upload: what came of it is destroyed."""
    service.discard(portal, service.upload_for(portal, identity, upload_id))
    return Response(status_code=204)


@router.get("/api/uploads/{upload_id}/receipt", response_model=Receipt)
def receipt(upload_id: str, portal: PortalOf, identity: Reader) -> Response:
    """Return the signed receipt of an upload that came whole; always the same bytes."""
    signed = receipt_of(portal.home, service.upload_for(portal, identity, upload_id))
    if signed is None:
        raise PortalError("P219", status=409, where=upload_id)
    name = f'attachment; filename="{upload_id}.receipt.json"'
    return Response(signed.as_bytes(), media_type="application/json", headers={"content-disposition": name})


@router.get(
    "/api/key",
    response_class=Response,
    responses={200: {"content": {"application/x-pem-file": {"schema": {"type": "string"}}}}},
)
def key(portal: PortalOf) -> Response:
    """Return the public key (PEM) with which receipts and releases are verified."""
    portal.home.keys.signing_key()
    return Response(portal.home.keys.public_key_file.read_bytes(), media_type="application/x-pem-file")


def _where(upload: PortalUpload, offset: int) -> dict[str, str]:
    return {
        "upload-offset": str(offset),
        "upload-length": str(upload.size),
        "upload-state": upload.state,
    }
