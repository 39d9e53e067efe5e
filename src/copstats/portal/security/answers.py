"""Errors as answers: problem+json (RFC 9457) for programs, a page for readers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from copstats import errors
from copstats.errors import CopstatsError, PortalError
from copstats.language import LANGUAGES, Translations
from copstats.portal.context import words_of
from copstats.portal.security.identity import SignInNeeded

PROBLEM = "application/problem+json"
_STATUS: tuple[tuple[type[CopstatsError], int], ...] = (
    (errors.SubmissionError, 422),
    (errors.SubmissionRejected, 422),
    (errors.UsageError, 409),
    (errors.ReleaseError, 409),
    (errors.Retriable, 503),
)
_BY_HTTP = {404: "P110", 405: "P118", 413: "P120", 415: "P116"}
_INTERNAL, _SLOW = 500, 408


class BodyRefused(HTTPException):
    """A body is too large or too slow: of the kind that FastAPI passes on while it reads one."""

    def __init__(self, error: PortalError) -> None:
        super().__init__(error.status)
        self.error = error


def add_handlers(app: FastAPI) -> None:
    """Let every error of the application end in an answer of its own."""
    app.add_exception_handler(CopstatsError, _copstats)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(SignInNeeded, _sign_in)


def status_of(error: CopstatsError) -> int:
    """Return the HTTP status of an error: its own, or that of its class; what is our fault is 500."""
    if isinstance(error, PortalError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), _INTERNAL)


def problem(error: CopstatsError, words: Translations) -> dict[str, Any]:
    """Return an error as RFC 9457 has it.

    The place of an error that is not of the request could name folders of the server: it is left out.
    """
    texts, status = words.error(error), status_of(error)
    told = isinstance(error, (PortalError, errors.SubmissionError, errors.SubmissionRejected))
    return {
        "type": f"urn:copstats:error:{error.code}",
        "title": texts["title"],
        "status": status,
        "detail": texts["why"],
        "code": error.code,
        "where": error.where if told else "",
        "hint": texts["hint"],
    }


def problem_answer(error: CopstatsError, words: Translations) -> Response:
    """Return the answer to a program."""
    content = json.dumps(problem(error, words), ensure_ascii=False).encode()
    headers = {"content-language": words.language, **_extra(error)}
    return Response(content, status_of(error), headers, media_type=PROBLEM)


def error_answer(
    request: Request, error: CopstatsError, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer to whoever asked: a page if it was one that they asked for, else problem+json."""
    words = words_of(request)
    answer = _page(request, error, words) if _is_page(request) else problem_answer(error, words)
    answer.headers.update({**(headers or {}), **_extra(error)})
    return answer


def _page(request: Request, error: CopstatsError, words: Translations) -> Response:
    from copstats.portal.pages import render

    found = problem(error, words)
    return render(request, "error.html.jinja", title=found["title"], status=found["status"], problem=found)


def _is_page(request: Request) -> bool:
    first = request.url.path.split("/", 2)[1]
    return first in LANGUAGES and "text/html" in request.headers.get("accept", "")


def _extra(error: CopstatsError) -> dict[str, str]:
    status = status_of(error)
    if status == 401:  # noqa: PLR2004 - the status that has to say how to sign in
        return {"www-authenticate": 'Bearer realm="copstats"'}
    if "seconds" in error.params:
        return {"retry-after": str(error.params["seconds"])}
    return {"retry-after": "5"} if isinstance(error, errors.Retriable) else {}


async def _copstats(request: Request, error: Exception) -> Response:
    assert isinstance(error, CopstatsError)  # noqa: S101 - registered for it
    return error_answer(request, error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if isinstance(error, BodyRefused):
        return error_answer(
            request, error.error, {"connection": "close"} if error.error.status == _SLOW else {}
        )
    code = _BY_HTTP.get(error.status_code, "P117" if error.status_code < _INTERNAL else "P199")
    return error_answer(request, PortalError(code, status=error.status_code), error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    """Name the place of what cannot be read, not what stood there."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    place = ".".join(str(part) for part in error.errors()[0]["loc"][:2])
    return error_answer(request, PortalError("P117", status=422, where=place[:100]))


async def _sign_in(request: Request, _: Exception) -> Response:
    language = words_of(request).language
    wanted = quote(request.url.path, safe="/") if request.method == "GET" else ""
    return RedirectResponse(f"/{language}/sign-in" + (f"?next={wanted}" if wanted else ""), 303)
