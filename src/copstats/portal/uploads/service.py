"""What the REST interface and the pages do with uploads; nothing of a file is ever whole in memory."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import shutil
from collections.abc import AsyncIterator, Iterator

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from copstats.errors import CopstatsError, PortalError
from copstats.portal.context import Portal, not_found
from copstats.portal.security.identity import Identity
from copstats.portal.security.record import record
from copstats.steps import arriving
from copstats.store.inbox import new_upload_id
from copstats.store.parcel import LARGEST_FILE
from copstats.store.portal_uploads import Kind, PortalUpload, UploadRegistry
from copstats.store.segments import Segment
from copstats.store.windows import open_for

MEGABYTE = 1_000_000
_SPARE = 256 * MEGABYTE
"""Room on the disk that uploads leave for the checks."""
_PIECE = 2**20
"""Bytes that are gathered before they are encrypted: what a transfer holds in memory."""
_SEGMENT = 8 * 2**20
_FULL = {errno.ENOSPC, errno.EDQUOT}


def uploads_of(portal: Portal) -> UploadRegistry:
    """Return the uploads that the portal's registry knows."""
    return UploadRegistry(portal.home.registry.database)


def upload_for(portal: Portal, identity: Identity, upload_id: str) -> PortalUpload:
    """Return an upload that somebody may see.

    Raises:
        PortalError: P110 (404), there is none, or it is another country's.
    """
    found = uploads_of(portal).find(upload_id)
    if found is None:
        raise not_found()
    identity.check_area(found.area)
    return found


def offset_of(portal: Portal, upload: PortalUpload) -> int:
    """Return how many bytes of an upload are kept or were taken in."""
    if upload.state in ("complete", "checking", "done"):
        return upload.size
    if upload.state == "refused" or not portal.home.inbox.has(upload.id):
        return 0
    return portal.home.inbox.offset(upload.id)


def begin(
    request: Request, portal: Portal, identity: Identity, *, kind: Kind, size: int, sha256: str
) -> tuple[PortalUpload, bool]:
    """Begin an upload; the same content again gives the upload that is there.

    Args:
        request: that asks for it.
        portal: the portal.
        identity: a provider.
        kind: a sealed file, or a raw zip.
        size: in bytes.
        sha256: of the content, hexadecimal.

    Returns:
        The upload, and whether it begins now.

    Raises:
        PortalError: P203 (413) too large; P204 (409) too many are unfinished; P206 (403) this kind is not
            taken; P208 (403) no window is open; P209 (507) the disk is full; P214 (409) the same content is
            known with another size.
    """
    uploads, area, now = uploads_of(portal), _area(identity), portal.now()
    if not uploads.knows(area, sha256):
        _check(portal, area, kind, size)
    most_open = portal.settings.config.open_uploads
    found, begins = uploads.begin(
        area, identity.token_id, kind, size=size, sha256=sha256, most_open=most_open, now=now
    )
    # Where a process was killed between the two, the registry knows an upload that has no room.
    if begins or (found.state == "receiving" and not portal.home.inbox.has(found.id)):
        with _disk():
            portal.home.inbox.create(found.id, size, at=now)
    if begins:
        record(portal, "upload.begun", found.id, request, token=identity.token_id, kind=kind, size=size)
    return found, begins


async def receive(portal: Portal, upload: PortalUpload, offset: int, pieces: AsyncIterator[bytes]) -> int:
    """Take in a segment as it comes; what came before a cut is kept.

    Args:
        portal: the portal.
        upload: to which it belongs.
        offset: where it begins.
        pieces: of the body.

    Returns:
        The offset behind it. If the upload is whole then, it waits for its check.

    Raises:
        PortalError: P202 (409) it does not go on there; P203 (413) more came than was announced; P205, P207
            (422) the whole is not what was announced; P209 (507) the disk is full; P216 (409) nothing more is
            taken.
    """
    if upload.state != "receiving":
        raise PortalError("P216", status=409, where=upload.id)
    with _disk():
        segment = await run_in_threadpool(portal.home.inbox.segment, upload.id, offset)
        try:
            with contextlib.suppress(ClientDisconnect):
                await _write(segment, pieces)
            reached = await run_in_threadpool(segment.keep)
        finally:
            segment.close()
    if reached == upload.size:
        await run_in_threadpool(arriving.complete, portal.home, upload)
    return reached


async def receive_whole(
    request: Request, portal: Portal, identity: Identity, kind: Kind, pieces: AsyncIterator[bytes]
) -> PortalUpload:
    """Take in a file of which neither size nor hash is known before: the form of a browser without scripts.

    It cannot be resumed: what was cut is destroyed.

    Raises:
        PortalError: as `begin` and `receive`; P218 (400), it was cut or empty.
    """
    largest = portal.settings.config.upload_megabytes * MEGABYTE
    area = _area(identity)
    await run_in_threadpool(_check, portal, area, kind, 1)
    upload_id, now, digest, size = new_upload_id(area), portal.now(), hashlib.sha256(), 0
    with _disk():
        await run_in_threadpool(portal.home.inbox.create, upload_id, largest, at=now)
        try:
            async for piece in _gathered(pieces, _SEGMENT):
                digest.update(piece)
                size = await run_in_threadpool(_place, portal, upload_id, size, piece)
            if not size:
                raise PortalError("P218", where=upload_id)
            await run_in_threadpool(_check, portal, area, kind, size)
            known = await run_in_threadpool(
                uploads_of(portal).begin,
                area,
                identity.token_id,
                kind,
                size=size,
                sha256=digest.hexdigest(),
                most_open=portal.settings.config.open_uploads,
                now=now,
                upload_id=upload_id,
            )
        except (CopstatsError, OSError, ClientDisconnect):
            await run_in_threadpool(portal.home.inbox.destroy, upload_id)
            raise
    found, begins = known
    if not begins:
        await run_in_threadpool(portal.home.inbox.destroy, upload_id)
        return found
    await run_in_threadpool(
        record, portal, "upload.begun", found.id, request, token=identity.token_id, kind=kind, size=size
    )
    return await run_in_threadpool(arriving.complete, portal.home, found)


def discard(portal: Portal, upload: PortalUpload) -> None:
    """Give up an unfinished upload at its office's wish.

    Raises:
        PortalError: P216 (409), it is whole already.
    """
    if upload.state != "receiving":
        raise PortalError("P216", status=409, where=upload.id)
    arriving.refuse(portal.home, upload, PortalError("P217", where=upload.id))


def _area(identity: Identity) -> str:
    if identity.area is None:
        raise not_found()
    return identity.area


def _check(portal: Portal, area: str, kind: Kind, size: int) -> None:
    """Refuse a file that an area may not send, or not now."""
    config = portal.settings.config
    if kind not in config.accepts:
        raise PortalError("P206", status=403, kind=kind)
    largest = config.upload_megabytes * MEGABYTE
    if size > (min(largest, LARGEST_FILE) if kind == "sealed" else largest):
        raise PortalError("P203", status=413)
    if not open_for(portal.home, area, portal.now()):
        raise PortalError("P208", status=403, area=area)
    if shutil.disk_usage(portal.home.path).free < size + _SPARE:
        raise PortalError("P209", status=507)


async def _write(segment: Segment, pieces: AsyncIterator[bytes]) -> None:
    async for piece in _gathered(pieces, _PIECE):
        await run_in_threadpool(segment.write, piece)


async def _gathered(pieces: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """Join small pieces to larger ones; what came before a cut is given before the cut is told."""
    held = bytearray()
    cut: ClientDisconnect | None = None
    try:
        async for piece in pieces:
            held += piece
            if len(held) >= size:
                yield bytes(held)
                held.clear()
    except ClientDisconnect as disconnect:
        cut = disconnect
    if held:
        yield bytes(held)
    if cut is not None:
        raise cut


def _place(portal: Portal, upload_id: str, offset: int, piece: bytes) -> int:
    with contextlib.closing(portal.home.inbox.segment(upload_id, offset)) as segment:
        segment.write(piece)
        return segment.keep()


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    """Tell a full disk from other faults."""
    try:
        yield
    except OSError as problem:
        if problem.errno in _FULL:
            raise PortalError("P209", status=507) from None
        raise
