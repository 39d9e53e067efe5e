"""The upload page. With scripts a file is sent in segments and resumed; without them as one form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from copstats.errors import CopstatsError
from copstats.language import Translations
from copstats.portal.context import Portal, PortalOf, WordsOf
from copstats.portal.pages import render
from copstats.portal.provider.common import Provider, area_of
from copstats.portal.provider.multipart import FormStream
from copstats.portal.security.answers import status_of
from copstats.portal.security.identity import Identity, check_csrf, signed_in
from copstats.portal.uploads.service import receive_whole, uploads_of
from copstats.store.portal_uploads import Kind, PortalUpload
from copstats.store.windows import open_for

router = APIRouter()
_HEAD = 64
_FIRST_OF_SEALED = b"seal.json"
_NAME = 30
"""Where in a zip the name of its first file stands."""
OwnForm = Annotated[Identity, Depends(signed_in("provider", own_form=True))]


@router.get("/upload")
def show(request: Request, portal: PortalOf, words: WordsOf, identity: Provider) -> Response:
    """Show the form, what of earlier uploads is unfinished, and what happens next."""
    return _page(request, portal, words, area_of(identity))


@router.post("/upload")
async def send(request: Request, portal: PortalOf, words: WordsOf, identity: OwnForm) -> Response:
    """Take a file of a browser without scripts, as it streams in."""
    form = FormStream(request.headers.get("content-type", ""), request.stream())
    fields = await form.fields()
    check_csrf(identity, fields.get("csrf", ""))
    try:
        upload = await _receive(request, portal, identity, form.file())
    except CopstatsError as error:
        return await run_in_threadpool(_page, request, portal, words, area_of(identity), error)
    return RedirectResponse(f"/{words.language}/submissions/{upload.id}", 303)


async def _receive(
    request: Request, portal: Portal, identity: Identity, pieces: AsyncIterator[bytes]
) -> PortalUpload:
    """Look at the beginning, which tells a sealed file from another zip, and take in the whole."""
    head = b""
    async for piece in pieces:
        head += piece
        if len(head) >= _HEAD:
            break

    async def whole() -> AsyncIterator[bytes]:
        yield head
        async for piece in pieces:
            yield piece

    return await receive_whole(request, portal, identity, _kind_of(head), whole())


def _kind_of(head: bytes) -> Kind:
    return "sealed" if head[_NAME:].startswith(_FIRST_OF_SEALED) else "raw"


def _page(
    request: Request, portal: Portal, words: Translations, area: str, problem: CopstatsError | None = None
) -> Response:
    config = portal.settings.config
    return render(
        request,
        "provider/upload.html.jinja",
        title=words.text("Upload"),
        status=status_of(problem) if problem else 200,
        scripts=["upload.js"],
        problems=[problem] if problem else (),
        accepts=config.accepts,
        megabytes=config.upload_megabytes,
        closed=not open_for(portal.home, area, portal.now()),
        unfinished=uploads_of(portal).uploads(area, ["receiving"]),
    )
