"""The OpenAPI description: how to sign in, and what every operation may answer besides its own results."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from copstats.portal.published.negotiation import DATA, STRUCTURE
from copstats.portal.security.answers import PROBLEM

_TEXT = {"type": "string"}
_PROBLEM = {
    "type": "object",
    "description": "An error (RFC 9457); `code` is the key under which docs/errors.md explains it.",
    "properties": {name: _TEXT for name in ("type", "title", "detail", "code", "where", "hint")}
    | {"status": {"type": "integer"}},
    "required": ["type", "title", "status", "detail", "code", "where", "hint"],
}
_ANSWERS = {
    "400": "The request cannot be read.",
    "401": "No valid token.",
    "403": "The token's role may not do this.",
    "404": "It does not exist, or belongs to another country.",
    "405": "The path does not know this method.",
    "406": "There is no such format.",
    "408": "The request came too slowly.",
    "409": "Not in the present state.",
    "413": "Too large.",
    "415": "Of another media type.",
    "422": "A field is missing or wrong.",
    "429": "Too many requests; `Retry-After` says when to go on.",
    "501": "A kind of query that is not offered.",
    "503": "Try again a little later.",
    "507": "The disk is full.",
}
_CONTENT: dict[str, Any] = {PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
_SDMX_ERRORS = {"application/xml": {"schema": _TEXT}, "application/vnd.sdmx.data+json": {"schema": {}}}
"""Forms of errors of the SDMX interface, besides those of what stands before it."""


def describe(app: FastAPI) -> None:
    """Let ``/openapi.json`` tell the problem answers of every operation."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(title=app.title, version=app.version, routes=app.routes)
            found.setdefault("components", {}).setdefault("schemas", {})["ProblemDetails"] = _PROBLEM
            for path, operations in found.get("paths", {}).items():
                for operation in operations.values():
                    _complete(path, operation)
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(path: str, operation: dict[str, Any]) -> None:
    answers, content = operation.setdefault("responses", {}), _CONTENT
    if "422" in answers:
        del answers["422"]  # FastAPI's own form of it, which is not what is sent
    if "/sdmx/" in path:
        content = _CONTENT | _SDMX_ERRORS
        forms = (DATA if "/data/" in path else STRUCTURE)["2.1"]
        answers["200"]["content"] = {one.media_type: {"schema": {}} for one in forms}
    for status, text in _ANSWERS.items():
        answers.setdefault(status, {"description": text, "content": content})
    declared = operation.setdefault("parameters", [])
    for name in sorted(set(re.findall(r"{(\w+)}", path)) - {one["name"] for one in declared}):
        declared.append({"name": name, "in": "path", "required": True, "schema": _TEXT})
