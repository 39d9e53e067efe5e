"""Answers of the SDMX interface: messages in pieces, packed if the client likes; errors as SDMX has them."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any
from xml.etree.ElementTree import Element, tostring

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import StreamingResponse

from copstats import __version__
from copstats.disseminate.manifest import MANIFEST
from copstats.errors import CopstatsError, PortalError
from copstats.portal.context import words_of
from copstats.portal.published import caching
from copstats.portal.published.negotiation import Form
from copstats.portal.published.releases import PublishedRelease
from copstats.portal.security.answers import status_of

_SDMX_CODES = {401: 110, 403: 150, 404: 100, 413: 510, 500: 500, 501: 501, 503: 503}
"""HTTP status -> code of the error message (SDMX 2.1, section 7, 4.3); what is not here is a syntax error."""
_SYNTAX = 140
_MESSAGE = "http://www.sdmx.org/resources/sdmxml/schemas/v{version}/message"
_COMMON = "http://www.sdmx.org/resources/sdmxml/schemas/v{version}/common"
_VARY = "Accept, Accept-Encoding, Accept-Language"
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
_PIECE = 64 * 1024


class SdmxRoute(APIRoute):
    """A route whose errors are SDMX error messages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, its errors caught."""
        handle = super().get_route_handler()

        async def handle_with_errors(request: Request) -> Response:
            try:
                return await handle(request)
            except CopstatsError as error:
                return error_message(request, error)
            except RequestValidationError:
                return error_message(request, PortalError("P413"))

        return handle_with_errors


def error_message(request: Request, error: CopstatsError) -> Response:
    """Return an error as SDMX-ML 2.1 or 3.0 has it, or SDMX-JSON 2.0 for clients that read JSON."""
    words, status = words_of(request), status_of(error)
    texts = words.error(error)
    place = f"{error.where}: " if isinstance(error, PortalError) and error.where else ""
    text = f"[{error.code}] {place}{texts['title']}. {texts['hint']}"
    code = _SDMX_CODES.get(status, _SYNTAX)
    modern = "/sdmx/3.0/" in request.url.path
    accept = request.headers.get("accept", "") + request.query_params.get("format", "")
    headers = {**caching.OPEN, "cache-control": "no-store", "vary": _VARY, "content-language": words.language}
    if "seconds" in error.params:
        headers["retry-after"] = str(error.params["seconds"])
    if "json" in accept or (modern and "xml" not in accept):
        told = {"errors": [{"code": code, "title": text, "titles": {words.language: text}}]}
        content = json.dumps(told, ensure_ascii=False).encode()
        return Response(content, status, headers, media_type="application/vnd.sdmx.data+json; version=2.0.0")
    content = _error_xml(code, text, words.language, "3_0" if modern else "2_1")
    return Response(content, status, headers, media_type="application/xml")


def _error_xml(code: int, text: str, language: str, version: str) -> bytes:
    names = {"xmlns:mes": _MESSAGE.format(version=version), "xmlns:com": _COMMON.format(version=version)}
    root = Element("mes:Error", names)
    message = Element("mes:ErrorMessage", {"code": str(code)})
    told = Element("com:Text", {"xml:lang": language})
    told.text = text
    message.append(told)
    root.append(message)
    found: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return found


def answer(
    request: Request, release: PublishedRelease, form: Form, make: Callable[[], Iterable[bytes]]
) -> Response:
    """Return a message made of a release, or 304 if the client has it.

    A release and the code that writes messages of it do not change, so the entity tag is known before the
    message is made; it is weak, since packed and plain bytes share it.

    Args:
        request: the request.
        release: that the message is made of.
        form: of the message.
        make: returns the message in pieces; it is called only if it is needed.
    """
    words = words_of(request)
    asked = (request.url.path, sorted(request.query_params.multi_items()), form, words.language)
    basis = (__version__, release.files[MANIFEST].sha256, asked)
    digest = hashlib.sha256(repr(basis).encode()).hexdigest()
    current = "release" not in request.query_params and "/releases/" not in request.url.path
    headers = {
        **caching.OPEN,
        "cache-control": caching.A_MINUTE if current else "public, max-age=86400",
        "etag": f'W/"{digest[:32]}"',
        "link": f'</releases/{release.label}/>; rel="version-history"',
        "vary": _VARY,
    }
    if caching.unchanged(request, headers["etag"]):
        return Response(status_code=304, headers=headers)
    pieces: Iterable[bytes] = make()
    if _GZIP.search(request.headers.get("accept-encoding", "")):
        headers["content-encoding"] = "gzip"
        pieces = _packed(pieces)
    return StreamingResponse(_gathered(pieces), headers=headers, media_type=form.content_type)


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces that are worth a write."""
    waiting, size = [], 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
