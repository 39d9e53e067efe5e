"""The OpenAPI description: how to sign in, and what every operation may answer besides its own results."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

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
    "409": "Not in the present state.",
    "413": "Too large.",
    "415": "Of another media type.",
    "422": "A field is missing or wrong.",
    "429": "Too many requests; `Retry-After` says when to go on.",
    "503": "Try again a little later.",
}


def describe(app: FastAPI) -> None:
    """Let ``/openapi.json`` tell the problem answers of every operation."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = get_openapi(title=app.title, version=app.version, routes=app.routes)
            found.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
            for path in found.get("paths", {}).values():
                for operation in path.values():
                    _complete(operation)
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(operation: dict[str, Any]) -> None:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answers = operation.setdefault("responses", {})
    if "422" in answers:
        del answers["422"]  # FastAPI's own form of it, which is not what is sent
    for status, text in _ANSWERS.items():
        answers.setdefault(status, {"description": text, "content": content})
