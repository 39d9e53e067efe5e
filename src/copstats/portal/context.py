"""What handlers get: the home, the portal's registry, the settings, the language."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request

from copstats.errors import PortalError
from copstats.language import LANGUAGES, Translations, translations
from copstats.portal.security.rates import Rates
from copstats.portal.settings import PortalSettings
from copstats.store.home import Home
from copstats.store.portal import PortalRegistry

if TYPE_CHECKING:
    from copstats.portal.supervisor import Supervisor

START = "/{language}/start"
"""Page to which a sign-in leads; it goes on to the one of the role."""
_MAIN = {
    "provider": "/{language}/country",
    "reviewer": "/{language}/board",
    "operator": "/{language}/board",
    "auditor": "/{language}/board/log",
}


@dataclass
class Portal:
    """One running portal.

    Attributes:
        home: of the installation; its parts may be used from several threads.
        settings: how it is reached and what it bears.
        rates: what clients have used.
        closing: True once the server is stopping: streams of events end then.
        supervisor: keeps the worker running; None where there is none.
    """

    home: Home
    settings: PortalSettings
    rates: Rates = field(default_factory=Rates)
    closing: bool = False
    supervisor: Supervisor | None = None

    @cached_property
    def registry(self) -> PortalRegistry:
        """Tokens and sessions."""
        return PortalRegistry(self.home.registry.database)

    def now(self) -> dt.datetime:
        """Return the present time in UTC."""
        return dt.datetime.now(dt.UTC)

    def words(self, language: str) -> Translations:
        """Return the texts in a language."""
        return _words(language)


@cache
def _words(language: str) -> Translations:
    return translations(language)


def portal_of(request: Request) -> Portal:
    """Return the portal that serves a request."""
    return cast(Portal, request.app.state.portal)


def words_of(request: Request) -> Translations:
    """Return the texts in the language of a request.

    A page's path names it; elsewhere the parameter ``language``, then the header Accept-Language.
    """
    named = request.path_params.get("language") or request.query_params.get("language", "")
    if named not in LANGUAGES:
        first = request.url.path.split("/", 2)[1]
        named = first if first in LANGUAGES else preferred(request.headers.get("accept-language", ""))
    return portal_of(request).words(named)


def preferred(header: str) -> str:
    """Return the language preferred by an Accept-Language header (RFC 9110, 12.5.4); English if none is."""
    weighed: list[tuple[float, int, str]] = []
    for place, item in enumerate(header[:500].split(",")):
        tag, _, parameters = item.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(parameters)
        if language in LANGUAGES and weight > 0:
            weighed.append((-weight, place, language))
    return min(weighed)[2] if weighed else "en"


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0


def main_page(role: str, language: str) -> str:
    """Return the path of the page where somebody of this role begins."""
    return _MAIN[role].format(language=language)


def not_found() -> PortalError:
    """Return the answer for what does not exist and for what others may not see: it is the same."""
    return PortalError("P110", status=404)


PortalOf = Annotated[Portal, Depends(portal_of)]
WordsOf = Annotated[Translations, Depends(words_of)]
