"""SDMX REST over the published releases: versions 1.x (SDMX 2.1) and 2.x (SDMX 3.0) of the interface."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from copstats.errors import PortalError
from copstats.portal.context import PortalOf, WordsOf
from copstats.portal.published import caching
from copstats.portal.published.data import data_message
from copstats.portal.published.negotiation import DATA, STRUCTURE, Api, negotiate
from copstats.portal.published.releases import CURRENT, PublishedRelease, find
from copstats.portal.published.requested import DataRequest
from copstats.portal.published.sdmx_answers import SdmxRoute, answer
from copstats.portal.published.structure_query import StructureQuery
from copstats.portal.published.structures import structure_message

_PLACES = ("agency", "name", "version", "item")
"""Parts of the path of a structure query behind the resource."""
api = APIRouter(route_class=SdmxRoute, default_response_class=Response, tags=["SDMX"])


@api.get("/2.1/data/{query:path}", summary="Data, SDMX REST 1.x")
@api.head("/2.1/data/{query:path}", include_in_schema=False)
def data_1(query: str, request: Request, portal: PortalOf, words: WordsOf) -> Response:
    """Send observations: ``/data/{flow}/{key}/{provider}``.

    ``flow`` is ``DF_COP``, ``COP,DF_COP`` or ``COP,DF_COP,1.0.0``; the key has the codes of the dimensions
    with dots between them, ``A.KEN+UGA.RCD4..........``. Parameters: startPeriod, endPeriod, detail,
    firstNObservations, lastNObservations, dimensionAtObservation, format, release.
    """
    return _data(request, portal, words, DataRequest.of_1(query, request.query_params), "2.1")


@api.get("/2.1/{resource}", summary="Structures, SDMX REST 1.x")
@api.get("/2.1/{resource}/{query:path}", summary="Structures, SDMX REST 1.x")
@api.head("/2.1/{resource}/{query:path}", include_in_schema=False)
def structure_1(resource: str, request: Request, portal: PortalOf, query: str = "") -> Response:
    """Send artefacts: ``/{resource}/{agency}/{id}/{version}/{item}`` with ``references`` and ``detail``.

    Releases have dataflows, data structures, code lists and a concept scheme.
    """
    return _structure(resource, query, request, portal, "2.1")


@api.get("/3.0/data/{query:path}", summary="Data, SDMX REST 2.x")
@api.head("/3.0/data/{query:path}", include_in_schema=False)
def data_2(query: str, request: Request, portal: PortalOf, words: WordsOf) -> Response:
    """Send observations: ``/data/{context}/{agency}/{id}/{version}/{key}``.

    The context is ``dataflow`` or ``datastructure``. Parameters: c[COMPONENT] with the operators eq, ne, lt,
    le, gt, ge, co, nc, sw, ew; attributes, measures, firstNObservations, lastNObservations, format, release.
    """
    return _data(request, portal, words, DataRequest.of_2(query, request.query_params), "3.0")


@api.get("/3.0/structure/{resource}", summary="Structures, SDMX REST 2.x")
@api.get("/3.0/structure/{resource}/{query:path}", summary="Structures, SDMX REST 2.x")
@api.head("/3.0/structure/{resource}/{query:path}", include_in_schema=False)
def structure_2(resource: str, request: Request, portal: PortalOf, query: str = "") -> Response:
    """Send artefacts: ``/structure/{resource}/{agency}/{id}/{version}/{item}``, as in version 1.x."""
    return _structure(resource, query, request, portal, "3.0")


@api.options("/{version}/{query:path}", include_in_schema=False)
def ask(version: str, query: str) -> Response:
    """Tell browsers that pages of other origins may read."""
    return caching.preflight()


@api.get("/2.1", include_in_schema=False)
@api.get("/3.0", include_in_schema=False)
@api.get("/3.0/{query:path}", include_in_schema=False)
def other(query: str = "") -> Response:
    """Refuse queries of other kinds: availability, schemas, metadata, registrations."""
    raise PortalError("P416", status=501)


def _structure(resource: str, query: str, request: Request, portal: PortalOf, version: Api) -> Response:
    parts = [part for part in query.split("/") if part]
    if len(parts) > len(_PLACES):
        raise PortalError("P413", where="path")
    asked = StructureQuery(
        resource,
        **dict(zip(_PLACES, parts, strict=False)),
        references=request.query_params.get("references", "none"),
        detail=request.query_params.get("detail", "full"),
    )
    asked.check()
    form = negotiate(request.headers.get("accept", ""), _short(request), STRUCTURE[version])
    release = _release(request, portal)
    message = structure_message(release, form, asked)
    return answer(request, release, form, lambda: [message])


def _data(request: Request, portal: PortalOf, words: WordsOf, asked: DataRequest, version: Api) -> Response:
    form = negotiate(request.headers.get("accept", ""), _short(request), DATA[version])
    release = _release(request, portal)
    areas = portal.home.areas
    return answer(
        request, release, form, lambda: data_message(release, form, asked, areas=areas, words=words)
    )


def _short(request: Request) -> str:
    return request.query_params.get("format", "")


def _release(request: Request, portal: PortalOf) -> PublishedRelease:
    """Return the release that the path or the parameter ``release`` names, else the newest."""
    label = request.path_params.get("label") or request.query_params.get("release") or CURRENT
    return find(portal.home, label)


def _of_newest(
    release: Annotated[str, Query(description="Label of a release; the newest without one.")] = "",
    short: Annotated[str, Query(alias="format", description="Goes before the header Accept.")] = "",
) -> None:
    """Let the description of the interface tell what all queries have in common."""


def _of_release(
    label: Annotated[str, Path(description="Label of the release, or ``current``.")],
    short: Annotated[str, Query(alias="format", description="Goes before the header Accept.")] = "",
) -> None:
    """Do the same where the path names the release."""


router = APIRouter()
router.include_router(api, prefix="/sdmx", dependencies=[Depends(_of_newest)])
router.include_router(api, prefix="/releases/{label}/sdmx", dependencies=[Depends(_of_release)])
