"""Tokens: an operator makes and revokes them; each is shown once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from copstats.errors import CopstatsError, PortalError
from copstats.language import N_, Translations
from copstats.portal.board.common import Operator, back, told
from copstats.portal.context import Portal, PortalOf, WordsOf
from copstats.portal.pages import ROLES, area_name, render
from copstats.portal.security.answers import status_of
from copstats.portal.security.forms import read_form
from copstats.portal.security.identity import Identity
from copstats.portal.security.record import record
from copstats.store.portal import Role, Token

router = APIRouter()
PATH = "board/tokens"
_LONGEST_LIFE = 1096
_LONGEST_NAME = 200
_FIELDS = ("role", "area", "holder", "days")
_STATES = {"valid": N_("valid"), "expired": N_("expired"), "revoked": N_("revoked")}


@router.get("/board/tokens")
def show(request: Request, portal: PortalOf, words: WordsOf, identity: Operator, done: str = "") -> Response:
    """List all tokens, never the tokens themselves, and the form for another."""
    return _page(request, portal, words, identity, done=done)


@router.post("/board/tokens")
async def create(request: Request, portal: PortalOf, words: WordsOf, identity: Operator) -> Response:
    """Make a token and show it this once; the page is kept by no cache."""
    form = await read_form(request)
    try:
        secret, made = await run_in_threadpool(_create, request, portal, identity, form)
    except CopstatsError as error:
        return await run_in_threadpool(_page, request, portal, words, identity, problem=error, said=form)
    return await run_in_threadpool(_page, request, portal, words, identity, made=made, secret=secret)


@router.post("/board/tokens/{token_id}/revoke")
async def revoke(
    request: Request, token_id: str, portal: PortalOf, words: WordsOf, identity: Operator
) -> Response:
    """Refuse a token from now on."""

    def keep() -> None:
        if token_id == identity.token_id:
            raise PortalError("P308", status=409)
        gone = portal.registry.revoke_token(token_id, now=portal.now())
        record(portal, "token.revoked", gone.id, request, token=identity.token_id)

    try:
        await run_in_threadpool(keep)
    except CopstatsError as error:
        return await run_in_threadpool(_page, request, portal, words, identity, problem=error)
    return back(words, PATH, "revoked")


def _create(
    request: Request, portal: Portal, identity: Identity, form: Mapping[str, str]
) -> tuple[str, Token]:
    role, area = form.get("role", ""), form.get("area", "") or None
    days = form.get("days", "").strip()
    if role not in ROLES:
        raise PortalError("P101", status=422, role="?")
    if area is not None and area not in portal.home.areas:
        raise PortalError("P125", status=422)
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:5]) <= _LONGEST_LIFE):
        raise PortalError("P309", status=422)
    holder = form.get("holder", "").strip()
    if not 0 < len(holder) <= _LONGEST_NAME or not holder.isprintable():
        raise PortalError("P102", status=422)
    secret, made = portal.registry.create_token(
        cast("Role", role), area=area, holder=holder, days=int(days), now=portal.now()
    )
    record(
        portal,
        "token.created",
        made.id,
        request,
        token=identity.token_id,
        role=role,
        area=area or "",
        days=int(days),
    )
    return secret, made


def _page(
    request: Request,
    portal: Portal,
    words: Translations,
    identity: Identity,
    *,
    done: str = "",
    problem: CopstatsError | None = None,
    said: Mapping[str, str] | None = None,
    made: Token | None = None,
    secret: str = "",
) -> Response:
    now = portal.now()
    areas = {area_name(portal, code, words): code for code in portal.home.areas}
    given = {"role": "provider", "days": str(portal.home.config.portal.token_days), **(said or {})}
    return render(
        request,
        "board/tokens.html.jinja",
        title=words.text("Tokens"),
        status=status_of(problem) if problem else 200,
        section=PATH,
        told=told(done, words),
        problems=[problem] if problem else (),
        tokens=portal.registry.tokens()[::-1],
        state_of=lambda one: _state(one, now, words),
        valid=lambda one: one.valid(now),
        own=identity.token_id,
        roles={role: words.text(name) for role, name in ROLES.items()},
        areas={"": words.text("none")} | {areas[name]: name for name in sorted(areas)},
        said={name: given.get(name, "") for name in _FIELDS},
        made=made,
        secret=secret,
    )


def _state(one: Token, now: object, words: Translations) -> str:
    if one.revoked_at is not None:
        return words.text(_STATES["revoked"])
    return words.text(_STATES["valid" if one.expires_at > now else "expired"])  # type: ignore[operator]
