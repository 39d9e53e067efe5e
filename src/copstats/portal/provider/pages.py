"""All pages of a statistics office."""

from __future__ import annotations

from fastapi import APIRouter

from copstats.portal.provider import findings, messages, overview, submission, upload, values

router = APIRouter()
for part in (overview, upload, submission, findings, messages, values):
    router.include_router(part.router)
