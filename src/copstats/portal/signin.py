"""Pages to sign in with a token and to sign out."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from copstats.errors import PortalError
from copstats.portal.context import START, Portal, PortalOf, main_page, words_of
from copstats.portal.security.forms import read_form
from copstats.portal.security.identity import Identity, check_sign_in_rate, signed_in
from copstats.portal.security.origins import check_origin, own_path
from copstats.portal.security.record import record
from copstats.store.portal import Token

router = APIRouter()


class _Attributes(TypedDict):
    """Attributes of the session's cookie."""

    path: str
    httponly: bool
    samesite: Literal["strict"]
    secure: bool


SignedIn = Annotated[Identity, Depends(signed_in())]


@router.get("/sign-in")
def show(request: Request, next: str = "") -> Response:
    """Show the form that takes a token."""
    return _form(request, next)


@router.post("/sign-in")
async def sign_in(request: Request, portal: PortalOf) -> Response:
    """Begin a session for the token in the form, in the place of the one there was."""
    check_origin(request, portal.settings)
    check_sign_in_rate(request, portal)
    form = await read_form(request)
    token = await run_in_threadpool(portal.registry.token_of, form.get("token", "").strip(), now=portal.now())
    if token is None:
        await run_in_threadpool(record, portal, "portal.signin-refused", "unknown", request)
        return _form(request, form.get("next", ""), PortalError("P119", status=403))
    await run_in_threadpool(_end, request, portal)
    secret = await run_in_threadpool(_begin, request, portal, token)
    start = START.format(language=request.path_params["language"])
    answer = RedirectResponse(own_path(form.get("next", ""), start), 303)
    answer.set_cookie(portal.settings.cookie, secret, **_cookie(portal))
    return answer


@router.post("/sign-out")
def sign_out(request: Request, portal: PortalOf, identity: SignedIn) -> Response:
    """End the session, here and on the server."""
    _end(request, portal)
    record(portal, "portal.signed-out", identity.token_id, request)
    answer = RedirectResponse(f"/{request.path_params['language']}/sign-in", 303)
    answer.delete_cookie(portal.settings.cookie, **_cookie(portal))
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


@router.get("")
@router.get("/")
@router.get("/start")
def start(request: Request, identity: SignedIn) -> Response:
    """Lead to the page where somebody of this role begins."""
    return RedirectResponse(main_page(identity.role, request.path_params["language"]), 303)


def _form(request: Request, wanted: str, error: PortalError | None = None) -> Response:
    from copstats.portal.pages import render

    return render(
        request,
        "signin.html.jinja",
        title=words_of(request).text("Sign in"),
        status=error.status if error else 200,
        problems=[error] if error else (),
        next=own_path(wanted, ""),
    )


def _begin(request: Request, portal: Portal, token: Token) -> str:
    record(portal, "portal.signed-in", token.id, request, role=token.role)
    return portal.registry.open_session(token.id, now=portal.now())


def _end(request: Request, portal: Portal) -> None:
    if present := request.cookies.get(portal.settings.cookie):
        portal.registry.end_session(present)


def _cookie(portal: Portal) -> _Attributes:
    """Attributes of the cookie: it goes to this host alone, not to scripts, not along from other sites."""
    return {"path": "/", "httponly": True, "samesite": "strict", "secure": portal.settings.https}
