"""Entries of the portal in the audit log."""

from __future__ import annotations

from fastapi import Request

from copstats.portal.context import Portal

_REFUSALS = 60
"""Refusals entered a minute: whoever floods the portal with wrong tokens does not flood the audit log."""


def record(portal: Portal, action: str, subject: str, request: Request, **facts: str | int | bool) -> None:
    """Enter what was done, with the request's id, by which the access log tells the rest.

    Args:
        portal: in whose home.
        action: what was done; refusals end with ``refused``.
        subject: id of a token, upload or submission, never the token.
        request: that did it.
        **facts: more ids, counts and flags.

    Raises:
        Retriable: T001, the log is busy: what cannot be recorded is not done.
    """
    if action.endswith("refused") and portal.rates.take("refusals", "", _REFUSALS):
        return
    portal.home.audit.append(action, subject, request=request.scope["copstats.request_id"], **facts)
