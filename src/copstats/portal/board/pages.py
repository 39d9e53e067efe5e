"""All pages of those who receive."""

from __future__ import annotations

from fastapi import APIRouter

from copstats.portal.board import countries, country, log, releases, submission, tokens, windows

router = APIRouter()
for part in (countries, country, submission, releases, windows, tokens, log):
    router.include_router(part.router)
