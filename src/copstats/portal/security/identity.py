"""Who asks: a token for programs, a session for pages. To be named as a dependency by every handler."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from copstats.errors import PortalError
from copstats.portal.context import Portal, not_found, portal_of
from copstats.portal.security.forms import read_form
from copstats.portal.security.origins import check_origin
from copstats.portal.security.rates import client_key
from copstats.portal.security.record import record
from copstats.store.portal import Role, Token

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token: `cop_...`.")


class SignInNeeded(Exception):
    """A page was asked for without a session: the answer leads to the sign-in page."""


@dataclass(frozen=True)
class Identity:
    """Who asks.

    Attributes:
        token_id: of the token; it stands in the audit log.
        role: what they may do.
        area: of a provider (ISO 3166-1 alpha-3); None for other roles.
        holder: name of the person or office.
        csrf: to be sent with every form of the session, as the field ``csrf`` or the header ``X-CSRF``;
            empty for a program.
    """

    token_id: str
    role: Role
    area: str | None
    holder: str
    csrf: str = ""

    def check_area(self, area: str) -> None:
        """Refuse a provider who asks for what belongs to another area, as if it did not exist.

        Raises:
            PortalError: P110 (404).
        """
        if self.area is not None and self.area != area:
            raise not_found()


def require(*roles: Role) -> Callable[..., Awaitable[Identity]]:
    """Return a dependency of a REST handler: the identity, if it has one of these roles (any without names).

    A program sends ``Authorization: Bearer cop_...``; a page's script its session's cookie and, to change
    something, the header ``X-CSRF``.

    Raises:
        PortalError: P111 (401) no valid token or session; P112 (403) another role; P113, P114 (403) the
            request does not come from a page of this portal.
    """

    async def dependency(request: Request, _: Annotated[object, Depends(_bearer)]) -> Identity:
        found = await run_in_threadpool(_by_token, request)
        if found is None:
            found = await _by_session(request)
            if found is None:
                raise PortalError("P111", status=401)
            if request.method not in _SAFE:
                check_csrf(found, request.headers.get("x-csrf", ""))
        return await _allowed(request, found, roles)

    return dependency


def signed_in(*roles: Role, own_form: bool = False) -> Callable[..., Awaitable[Identity]]:
    """Return a dependency of a page's handler: who is signed in, if with one of these roles.

    Without a session the answer leads to the sign-in page. A form has to bring the session's ``csrf`` as a
    field or the header ``X-CSRF``.

    Args:
        roles: that may see the page; all if none is named.
        own_form: the handler reads the form itself, as it streams, and calls :func:`check_csrf`.

    Raises:
        PortalError: P112 (403) another role; P113, P114 (403) the form does not come from a page of this
            portal.
    """

    async def dependency(request: Request) -> Identity:
        found = await _by_session(request)
        if found is None:
            raise SignInNeeded
        if request.method not in _SAFE and not own_form:
            sent = request.headers.get("x-csrf") or (await read_form(request)).get("csrf", "")
            check_csrf(found, sent)
        return await _allowed(request, found, roles)

    return dependency


def check_csrf(identity: Identity, sent: str) -> None:
    """Refuse a form that does not carry the session's own secret.

    Raises:
        PortalError: P114 (403).
    """
    if not identity.csrf or not hmac.compare_digest(identity.csrf.encode(), sent.encode()):
        raise PortalError("P114", status=403)


def csrf_of(session: str) -> str:
    """Return the secret that a session's forms carry; it follows from the session's id, not the other way."""
    return hashlib.sha256(b"csrf " + session.encode()).hexdigest()


def _by_token(request: Request) -> Identity | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    portal = portal_of(request)
    found = portal.registry.token_of(secret.strip(), now=portal.now())
    if found is None:
        _count_failure(request, portal)
        raise PortalError("P111", status=401)
    return _noted(request, _identity(found))


async def _by_session(request: Request) -> Identity | None:
    portal = portal_of(request)
    cookie = request.cookies.get(portal.settings.cookie, "")
    found = await run_in_threadpool(_session, portal, cookie) if cookie else None
    if found is None:
        return None
    if request.method not in _SAFE:
        check_origin(request, portal.settings)
    return _noted(request, _identity(found, csrf_of(cookie)))


def _session(portal: Portal, cookie: str) -> Token | None:
    limits = portal.settings.limits
    idle, longest = dt.timedelta(seconds=limits.idle), dt.timedelta(seconds=limits.session)
    return portal.registry.session_of(cookie, now=portal.now(), idle=idle, longest=longest)


async def _allowed(request: Request, found: Identity, roles: tuple[Role, ...]) -> Identity:
    portal = portal_of(request)
    if request.method != "PATCH":  # segments of an upload are bounded by their bytes
        check_rate(portal, "token", found.token_id, portal.settings.limits.requests)
    if roles and found.role not in roles:
        await run_in_threadpool(record, portal, "portal.refused", found.token_id, request)
        raise PortalError("P112", status=403)
    return found


def _count_failure(request: Request, portal: Portal) -> None:
    """Count a wrong token as an attempt to sign in, so that guessing is as slow here as there."""
    check_sign_in_rate(request, portal)
    record(portal, "portal.refused", "unknown", request)


def check_sign_in_rate(request: Request, portal: Portal) -> None:
    """Count an attempt to sign in.

    Raises:
        PortalError: P115 (429).
    """
    client = client_key(request.client.host if request.client else "")
    check_rate(portal, "sign-in", client, portal.settings.limits.sign_ins)


def check_rate(portal: Portal, kind: str, client: str, a_minute: int) -> None:
    """Count one use of a kind.

    Raises:
        PortalError: P115 (429), with the seconds to wait.
    """
    if wait := portal.rates.take(kind, client, a_minute):
        raise PortalError("P115", status=429, seconds=wait)


def _identity(found: Token, csrf: str = "") -> Identity:
    return Identity(found.id, found.role, found.area, found.holder, csrf)


def _noted(request: Request, identity: Identity) -> Identity:
    request.state.identity = identity
    return identity
