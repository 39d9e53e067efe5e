"""The application: puts the portal's parts together."""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from copstats import __version__
from copstats.language import LANGUAGES
from copstats.portal.context import Portal
from copstats.portal.description import describe
from copstats.portal.security.answers import add_handlers
from copstats.portal.security.guard import Guard
from copstats.portal.settings import PortalSettings
from copstats.portal.supervisor import Supervisor
from copstats.store.home import Home

ROUTERS = (
    "copstats.portal.start",
    "copstats.portal.uploads.api",
    "copstats.portal.uploads.events",
    "copstats.portal.submissions.status",
    "copstats.portal.submissions.findings",
    "copstats.portal.submissions.decision",
    "copstats.portal.submissions.messages",
    "copstats.portal.published.sdmx",
    "copstats.portal.published.files",
    "copstats.portal.published.health",
)
"""Modules with a ``router`` for programs; their paths stand whole in them."""
PAGES = (
    "copstats.portal.signin",
    "copstats.portal.provider.pages",
    "copstats.portal.board.pages",
    "copstats.portal.published.pages",
)
"""Modules with a ``router`` of pages; their paths stand below ``/{language}``."""
_KEPT = dt.timedelta(days=1)
"""Sessions unused for so long have ended, under any limits."""
_ASSETS = Path(__file__).parent / "assets"
_SHARED = ("copstats.disseminate.site", "assets/shared")
"""Package and folder of the assets that the site of a release loads too."""


class _Language(Convertor[str]):
    """A part of a path that is one of the languages: others do not exist."""

    regex = "|".join(LANGUAGES)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("language", _Language())


def create_app(home: Path, settings: PortalSettings) -> FastAPI:
    """Return the portal over a home.

    Args:
        home: the home folder.
        settings: how it is reached and what it bears.

    Raises:
        UsageError: the folder is no home or its settings are wrong.
        PortalError: P104 to P108, the settings would let tokens travel readably.
    """
    settings.check()
    opened = Home.open(home)
    portal = Portal(opened, settings)
    app = FastAPI(
        title="copstats",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(portal),
    )
    app.state.portal = portal
    add_handlers(app)
    app.add_middleware(Guard, portal=portal)
    for name in ROUTERS:
        app.include_router(importlib.import_module(name).router)
    for name in PAGES:
        router = importlib.import_module(name).router
        app.include_router(router, prefix="/{language:language}", include_in_schema=False)
    app.mount("/assets", _Assets(directory=_ASSETS, packages=[_SHARED]))
    describe(app)
    return app


def _lifespan(portal: Portal) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what begins and ends with the server: the worker, and entries of the audit log."""

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        portal.home.audit.append("portal.started", "portal")
        portal.registry.expire_sessions(before=portal.now() - _KEPT)
        async with AsyncExitStack() as stack:
            if portal.settings.worker:
                portal.supervisor = Supervisor(portal.home.path)
                await stack.enter_async_context(portal.supervisor.running())
            yield
        portal.home.audit.append("portal.stopped", "portal")

    return running


class _Assets(StaticFiles):
    """Style sheets and scripts: they may be kept for an hour, and are the same for everybody."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = "public, max-age=3600"
        return answer
