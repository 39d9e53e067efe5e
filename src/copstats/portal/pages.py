"""Renders pages: the frame, the reader's language, names of states, times in the home's zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from copstats.errors import CopstatsError
from copstats.language import LANGUAGES, N_, Translations
from copstats.portal.context import Portal, portal_of, words_of
from copstats.store.portal_states import STATES as UPLOAD_STATES

_TEMPLATES = Path(__file__).parent / "templates"

ROLES = {
    "provider": N_("statistics office"),
    "reviewer": N_("reviewer"),
    "operator": N_("operator"),
    "auditor": N_("auditor"),
}
"""Roles of those who sign in."""

STATES = UPLOAD_STATES | {
    "open": N_("open"),
    "confirmed": N_("confirmed"),
    "objected": N_("objected"),
    "closed": N_("closed"),
}
"""States of uploads, submissions and reviews."""

SEVERITIES = {"error": N_("error"), "warning": N_("warning"), "information": N_("note")}
"""Severities of findings, the gravest first."""

NAVIGATION: dict[str, tuple[tuple[str, str], ...]] = {
    "provider": (
        ("country", N_("Overview")),
        ("upload", N_("Upload")),
        ("messages", N_("Messages")),
        ("values", N_("Values before a release")),
    ),
    "reviewer": (("board", N_("Countries")), ("board/releases", N_("Releases"))),
    "operator": (
        ("board", N_("Countries")),
        ("board/releases", N_("Releases")),
        ("board/windows", N_("Windows")),
        ("board/tokens", N_("Tokens")),
    ),
    "auditor": (("board/log", N_("Audit log")),),
}
"""Role -> entries of the navigation: path below the folder of the language, and title."""


def render(
    request: Request,
    template: str,
    *,
    title: str,
    status: int = 200,
    section: str = "",
    parents: Sequence[tuple[str, str]] = (),
    scripts: Sequence[str] = (),
    told: Sequence[str] = (),
    problems: Iterable[CopstatsError] = (),
    **context: Any,
) -> HTMLResponse:
    """Return a page in the language of its path, with the frame of who is signed in.

    Args:
        request: its path begins with the language.
        template: file in ``templates``; it extends ``base.html.jinja``.
        title: of the page, in its language.
        status: of the answer.
        section: path of the entry of the navigation that the page belongs to.
        parents: breadcrumbs, as pairs of path and text.
        scripts: names of ``assets`` that the page runs, as modules.
        told: what was done, in sentences.
        problems: what could not be done.
        **context: what else the template shows.
    """
    words, portal = words_of(request), portal_of(request)
    identity = getattr(request.state, "identity", None)
    here = request.url.path.removeprefix(f"/{words.language}").strip("/")
    page = environment().get_template(template)
    return HTMLResponse(
        page.render(
            **_functions(portal, words),
            words=words,
            languages=LANGUAGES,
            identity=identity,
            csrf=identity.csrf if identity else "",
            role=words.text(ROLES[identity.role]) if identity else "",
            navigation=_navigation(identity.role, words) if identity else (),
            publisher=portal.home.config.publisher,
            in_language=lambda tag: in_language(request, tag),
            title=title,
            here=here,
            section=section,
            parents=parents,
            scripts=scripts,
            told=told,
            problems=[words.error(problem) for problem in problems],
            **context,
        ),
        status,
    )


@cache
def environment() -> Environment:
    """Return what reads the templates: every value is escaped, and one that is missing is an error."""
    return Environment(
        autoescape=True,
        loader=FileSystemLoader(_TEMPLATES),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )


def in_language(request: Request, language: str) -> str:
    """Return the address of the present page in another language."""
    first, _, rest = request.url.path.lstrip("/").partition("/")
    path = f"/{language}/{rest}" if first in LANGUAGES else f"/{language}/{first}"
    query = f"?{request.url.query}" if request.url.query and request.method == "GET" else ""
    return path + query


def moment(at: dt.datetime, zone: dt.tzinfo, words: Translations) -> str:
    """Write a time in a zone, with the zone's name."""
    local = at.astimezone(zone)
    return words.text("{date}, {time}", date=words.date(local.date()), time=f"{local:%H:%M %Z}")


def area_name(portal: Portal, code: str, words: Translations) -> str:
    """Return the name of a country or area; its code where it is not known."""
    area = portal.home.areas.get(code)
    return words.area(code, area.name) if area else code


def _functions(portal: Portal, words: Translations) -> Mapping[str, Any]:
    zone = portal.home.config.zone
    return {
        "text": words.text,
        "number": words.number,
        "day": words.date,
        "moment": lambda at: moment(at, zone, words),
        "area_name": lambda code: area_name(portal, code, words),
        "state_name": lambda code: words.text(STATES[code]),
        "severity_name": lambda code: words.text(SEVERITIES[code]),
        "role_name": lambda code: words.text(ROLES[code]),
        "link": lambda path: f"/{words.language}/{path}".rstrip("/"),
        "asset": lambda name: f"/assets/{name}",
    }


def _navigation(role: str, words: Translations) -> list[tuple[str, str]]:
    return [(path, words.text(title)) for path, title in NAVIGATION[role]]
