"""What the board's pages share: who may see them, and what stands after a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Depends
from starlette.responses import RedirectResponse

from copstats.errors import PortalError
from copstats.language import N_, Translations
from copstats.portal.context import Portal
from copstats.portal.security.identity import Identity, signed_in
from copstats.store.windows import Window, all_windows

Staff = Annotated[Identity, Depends(signed_in("reviewer", "operator"))]
Reviewer = Annotated[Identity, Depends(signed_in("reviewer"))]
Operator = Annotated[Identity, Depends(signed_in("operator"))]
Auditor = Annotated[Identity, Depends(signed_in("auditor"))]

DONE: Mapping[str, str] = {
    "approved": N_("Your approval is recorded."),
    "accepted": N_("The submission is accepted."),
    "declined": N_("The submission is declined."),
    "message": N_("Your message is sent."),
    "window": N_("The windows are changed."),
    "revoked": N_("The token is revoked; its sessions have ended."),
    "published": N_("The release is published."),
    "changed": N_("It has changed since it was approved: an operator has to approve it anew."),
}
"""What a form that was taken has done."""


def told(done: str, words: Translations) -> Sequence[str]:
    """Return the sentence for what a form has done; none for what is not known."""
    return [words.text(DONE[done])] if done in DONE else []


def back(words: Translations, path: str, done: str) -> RedirectResponse:
    """Lead from a form to a page that says what it has done."""
    return RedirectResponse(f"/{words.language}/{path}?done={done}", 303)


def readable_windows(portal: Portal) -> tuple[list[Window], list[PortalError]]:
    """Return all windows, or none and why ``windows.csv`` cannot be read: the pages have to say so."""
    try:
        return all_windows(portal.home), []
    except PortalError as error:
        return [], [error]
