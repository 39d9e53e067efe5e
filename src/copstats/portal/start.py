"""The address without a path: leads to the start page in the language that the client prefers."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from copstats.portal.context import START, words_of

router = APIRouter(include_in_schema=False)


@router.get("/")
def choose_language(request: Request) -> Response:
    """Lead to the start page; shared caches keep one answer a language."""
    target = START.format(language=words_of(request).language)
    return RedirectResponse(target, 307, headers={"vary": "Accept-Language"})
