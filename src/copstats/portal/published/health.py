"""Whether the portal lives and is ready, for load balancers; measures, for Prometheus."""

from __future__ import annotations

import logging
import shutil

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy import select
from starlette.responses import JSONResponse, PlainTextResponse

from copstats.errors import CopstatsError, PortalError
from copstats.portal.context import Portal, PortalOf
from copstats.portal.published.measures import exposition
from copstats.portal.published.releases import labels
from copstats.portal.security.identity import require
from copstats.portal.settings import is_loopback

router = APIRouter(tags=["operation"])
_FAULTS = logging.getLogger("copstats.portal.faults")
_LEAST_FREE = 1_000_000_000
"""Bytes that have to be free where the home lies for the portal to take uploads and write its registry."""
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-real-ip")


@router.get("/health/live", summary="Say whether the server answers")
def live() -> dict[str, str]:
    """Answer, which is all that a supervisor has to see."""
    return {"status": "live"}


@router.get("/health", summary="Say whether the portal is ready")
def ready(portal: PortalOf) -> Response:
    """Check what the portal needs: 200 if it is ready or works in part, 503 if it cannot serve.

    ``degraded`` is said of a portal that takes uploads but whose worker is not running at the moment.
    """
    registry, disk = _registry(portal), _disk(portal)
    worker = "none" if portal.supervisor is None else ("ok" if portal.supervisor.alive else "failing")
    broken = "failing" in (registry, disk)
    parts = {
        "status": "failing" if broken else ("degraded" if worker == "failing" else "ready"),
        "registry": registry,
        "disk": disk,
        "worker": worker,
        "release": next(iter(labels(portal.home)), None),
    }
    return JSONResponse(parts, 503 if broken else 200)


async def _operator(request: Request) -> None:
    """Let pass who asks from this machine, not through a proxy, or has a token of an operator or auditor."""
    direct = request.client is not None and is_loopback(request.client.host)
    if direct and not any(name in request.headers for name in _FORWARDED):
        return
    if "authorization" not in request.headers:
        raise PortalError("P404", status=401)
    await require("operator", "auditor")(request, None)


@router.get(
    "/metrics",
    summary="Measures for Prometheus",
    dependencies=[Depends(_operator)],
    response_class=PlainTextResponse,
)
def metrics(portal: PortalOf) -> Response:
    """Return counts of requests, uploads and submissions by state, free space, the worker's state."""
    return Response(exposition(portal), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _registry(portal: Portal) -> str:
    try:
        with portal.home.registry.database.reading() as connection:
            connection.execute(select(1))
    except CopstatsError as fault:
        _FAULTS.error("health: the registry does not answer: %s", fault.code)
        return "failing"
    return "ok"


def _disk(portal: Portal) -> str:
    return "ok" if shutil.disk_usage(portal.home.path).free > _LEAST_FREE else "failing"
