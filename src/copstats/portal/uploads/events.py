"""What happens to an upload, as it happens: server-sent events (WHATWG HTML, 9.2)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from copstats.errors import PortalError
from copstats.portal.context import Portal, PortalOf
from copstats.portal.security.identity import Identity, require
from copstats.portal.submissions.status import found_for, story_of

router = APIRouter(tags=["submissions"])
_PAUSE, _HEARTBEAT, _LONGEST = 0.5, 15.0, 600.0
"""Seconds between two looks, between signs of life, and until a client has to ask, and sign in, again."""
_STREAMS = 10
"""Streams that one token may have open."""
_open_streams: Counter[str] = Counter()


@router.get(
    "/api/submissions/{submission_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {}}}}},
)
def events(
    submission_id: str,
    portal: PortalOf,
    identity: Annotated[Identity, Depends(require("provider", "reviewer", "operator"))],
) -> StreamingResponse:
    """Follow an upload until it was taken in or refused.

    The present state comes first, then every change as an event `state` with the object that
    `/api/submissions/{id}` returns; at the end comes an event `end`.
    """
    found_for(portal, identity, submission_id)
    if _open_streams[identity.token_id] >= _STREAMS:
        raise PortalError("P220", status=429, limit=_STREAMS, seconds=30)
    return StreamingResponse(
        _told(portal, identity, submission_id),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _told(portal: Portal, identity: Identity, submission_id: str) -> AsyncIterator[str]:
    _open_streams[identity.token_id] += 1
    began = spoken = time.monotonic()
    before = ""
    try:
        yield "retry: 2000\n\n"
        while time.monotonic() - began < _LONGEST and not portal.closing:
            found = await run_in_threadpool(found_for, portal, identity, submission_id)
            now = (await run_in_threadpool(story_of, portal, found)).model_dump_json()
            if now != before:
                before, spoken = now, time.monotonic()
                yield f"event: state\ndata: {now}\n\n"
            elif time.monotonic() - spoken > _HEARTBEAT:
                spoken = time.monotonic()
                yield ": still here\n\n"
            if found.upload is None or found.upload.final:
                yield "event: end\ndata: {}\n\n"
                return
            await asyncio.sleep(_PAUSE)
    finally:
        _open_streams[identity.token_id] -= 1
