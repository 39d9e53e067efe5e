"""``copstats token``: who may sign in to the portal."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, cast

import click

from copstats.cli.application import Group, settings
from copstats.errors import PortalError
from copstats.language import N_, translations

if TYPE_CHECKING:
    from copstats.store.home import Home
    from copstats.store.portal import PortalRegistry, Role, Token

_ROLES = ("provider", "reviewer", "operator", "auditor")
_STATES = {"valid": N_("valid"), "expired": N_("expired"), "revoked": N_("revoked")}


@click.group(cls=Group)
def token() -> None:
    """Make, list and revoke the tokens with which countries and staff sign in to the portal."""


@token.command()
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What the token opens.")
@click.option("--area", help="Country of a provider (ISO 3166-1 alpha-3).")
@click.option("--holder", required=True, help="Person or office that it is made for.")
@click.option("--days", type=click.IntRange(1, 1096), help="Valid for so long [token_days of copstats.toml].")
def create(role: str, area: str | None, holder: str, days: int | None) -> None:
    """Make a token and print it once: it cannot be shown again."""
    home, registry = _opened()
    if area is not None and area not in home.areas:
        raise PortalError("P125", where=area)
    chosen = days or home.config.portal.token_days
    secret, made = registry.create_token(
        cast("Role", role), area=area, holder=holder, days=chosen, now=_now()
    )
    home.audit.append("token.created", made.id, role=role, area=area, days=chosen)
    if settings().json:
        print(json.dumps({**_row(made), "token": secret}, ensure_ascii=False))
        return
    from copstats.cli.screen import stderr

    words = translations(settings().language)
    day = words.date(made.expires_at.date())
    stderr().print(words.text("Token {id}, valid until {day}. It is shown this once.", id=made.id, day=day))
    print(secret)


@token.command(name="list")
def list_() -> None:
    """List the tokens: whose they are and whether they are valid, never the tokens themselves."""
    _, registry = _opened()
    found = registry.tokens()
    if settings().json:
        print(json.dumps([_row(one) for one in found], ensure_ascii=False))
        return
    from rich.table import Table

    from copstats.cli.screen import Screen, stdout

    words = translations(settings().language)
    table = Table(box=None, pad_edge=False)
    for title in (N_("Token"), N_("Role"), N_("Area"), N_("Holder"), N_("Until"), N_("State")):
        table.add_column(words.text(title), no_wrap=True)
    for one in found:
        state = words.text(_STATES[_state(one)])
        until = f"{one.expires_at:%Y-%m-%d}"
        table.add_row(one.id, one.role, one.area or "", Screen.plain(one.holder), until, state)
    stdout().print(table)


@token.command()
@click.argument("token_id", metavar="ID")
def revoke(token_id: str) -> None:
    """Refuse a token from now on and end its sessions. ID is the first column of 'copstats token list'."""
    home, registry = _opened()
    revoked = registry.revoke_token(token_id, now=_now())
    home.audit.append("token.revoked", revoked.id)
    if settings().json:
        print(json.dumps(_row(revoked), ensure_ascii=False))


def _opened() -> tuple[Home, PortalRegistry]:
    from copstats.store.home import Home
    from copstats.store.portal import PortalRegistry

    home = Home.open(settings().home_or())
    return home, PortalRegistry(home.registry.database)


def _row(one: Token) -> dict[str, object]:
    return {
        "id": one.id,
        "role": one.role,
        "area": one.area,
        "holder": one.holder,
        "created_at": one.created_at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
        "state": _state(one),
    }


def _state(one: Token) -> str:
    if one.revoked_at is not None:
        return "revoked"
    return "valid" if one.valid(_now()) else "expired"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
