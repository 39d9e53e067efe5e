"""Forms without files: the fields by name."""

from __future__ import annotations

from typing import cast
from urllib.parse import parse_qsl

from fastapi import Request

from copstats.errors import PortalError

_FIELDS = 200


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of an ``application/x-www-form-urlencoded`` body; of several values the last one.

    Its size is bounded before. It is read once: later calls give the same fields.

    Raises:
        PortalError: P116 (415) it is no such form; P117 (400) it cannot be read.
    """
    return dict(await _pairs(request))


async def read_values(request: Request, name: str) -> list[str]:
    """Return all values of one field of a form, as boxes that may be ticked together send them.

    Raises:
        PortalError: as :func:`read_form`.
    """
    return [value for field, value in await _pairs(request) if field == name]


async def _pairs(request: Request) -> list[tuple[str, str]]:
    if not hasattr(request.state, "form"):
        request.state.form = await _read(request)
    return cast("list[tuple[str, str]]", request.state.form)


async def _read(request: Request) -> list[tuple[str, str]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise PortalError("P116", status=415)
    try:
        body = (await request.body()).decode()
        return parse_qsl(body, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    except ValueError:
        raise PortalError("P117", where="form") from None
