from __future__ import annotations

import copy
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import StreamingResponse
from starlette.types import Message

from copstats.errors import (
    ConfidentialityError,
    CopstatsError,
    PortalError,
    ReleaseError,
    Retriable,
    SubmissionError,
    UsageError,
)
from copstats.portal.context import Portal
from copstats.portal.description import describe
from copstats.portal.security.answers import add_handlers
from copstats.portal.security.guard import Guard
from copstats.portal.security.redaction import Redaction
from copstats.portal.settings import PortalSettings
from copstats.store.home import Home

CELL = "the answer of a child"
ERRORS: dict[str, tuple[CopstatsError, int]] = {
    "portal": (PortalError("P116", status=415, where="body"), 415),
    "submission": (SubmissionError("S310", where="KEN.copsealed"), 422),
    "usage": (UsageError("U009", where="/srv/home/x"), 409),
    "release": (ReleaseError("R090", where="/srv/home/x", label="2026-Q4"), 409),
    "busy": (Retriable("T001", where="/srv/home/x"), 503),
    "broken": (ConfidentialityError("C001", where="/srv/home/x"), 500),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """An application whose handlers fail in every way, behind the real guard."""
    app = FastAPI()
    home = Home.open(tmp_path_factory.mktemp("answers") / "home", create=True)
    app.state.portal = Portal(home, PortalSettings())
    add_handlers(app)
    app.add_middleware(Guard, portal=app.state.portal)

    @app.get("/errors/{name}")
    def fails(name: str) -> None:
        raise ERRORS[name][0]

    @app.get("/fault")
    def breaks() -> None:
        raise ValueError(CELL)

    @app.get("/cut")
    def is_cut() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"a first piece"
            raise ValueError(CELL)

        return StreamingResponse(pieces())

    @app.post("/json")
    async def reads(request: Request, number: int) -> dict[str, int]:
        return {"size": len(await request.body()), "number": number}

    describe(app)
    return app


@pytest.fixture
def client(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


def ask(client: httpx.AsyncClient, method: str, path: str, **options: object) -> httpx.Response:
    import asyncio

    async def run() -> httpx.Response:
        async with client:
            return await client.request(method, path, **options)  # type: ignore[arg-type]

    return asyncio.run(run())


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_has_its_status_and_names_no_folder(client: httpx.AsyncClient, name: str) -> None:
    error, status = ERRORS[name]
    answer = ask(client, "GET", f"/errors/{name}", headers={"accept-language": "fr"})
    told = answer.json()
    assert answer.status_code == told["status"] == status
    assert told["code"] == error.code
    assert told["where"] == (error.where if name in ("portal", "submission") else "")
    assert answer.headers["content-language"] == "fr"
    assert ("retry-after" in answer.headers) == (name == "busy")
    assert "/srv/home" not in answer.text


def test_the_text_of_a_fault_goes_nowhere(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "copstats.portal"):
        answer = ask(client, "GET", "/fault")
    assert (answer.status_code, answer.json()["code"]) == (500, "P199")
    assert "x-request-id" in answer.headers
    assert CELL not in answer.text + caplog.text
    assert f"{answer.headers['x-request-id']} ValueError at" in caplog.text


def test_an_answer_that_breaks_off_tells_nothing_more(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    import asyncio

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        await asyncio.Event().wait()  # a client that stays and says nothing
        raise AssertionError

    host = [(b"host", b"127.0.0.1")]
    asked = {"type": "http", "method": "GET", "path": "/cut", "headers": host, "query_string": b""}
    with caplog.at_level(logging.INFO, "copstats.portal"):
        asyncio.run(app({**asked, "client": ("127.0.0.1", 1)}, receive, send))
    assert [message.get("body") for message in sent] == [None, b"a first piece"]
    assert sent[-1]["more_body"]
    assert CELL not in caplog.text
    assert "ValueError at" in caplog.text


def test_what_cannot_be_read_is_named_by_its_place(client: httpx.AsyncClient) -> None:
    answer = ask(client, "POST", "/json", params={"number": CELL})
    assert (answer.status_code, answer.json()["where"]) == (422, "query.number")
    assert CELL not in answer.text


def test_a_portal_error_can_be_copied_as_processes_do() -> None:
    error = copy.copy(PortalError("P115", status=429, where="x", seconds=3))
    assert (error.status, error.where, error.params) == (429, "x", {"seconds": 3})


@given(st.from_regex(r"cop_[A-Za-z0-9_-]{43}", fullmatch=True), st.text(max_size=20))
def test_no_token_gets_into_the_log(token: str, around: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", (f"{around} {token} {around}",), None)
    assert Redaction().filter(record)
    assert token not in record.getMessage()


def test_an_exception_is_logged_by_its_name_alone() -> None:
    formatter = logging.Formatter("%(message)s")
    try:
        raise ValueError(CELL)
    except ValueError as fault:
        found = (type(fault), fault, fault.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "failed %s", ("here",), found)
    Redaction().filter(record)
    assert formatter.format(record) == "failed here (ValueError)"


def test_no_template_switches_the_escaping_off(root: Path) -> None:
    for template in (root / "src/copstats/portal/templates").rglob("*.jinja"):
        text = template.read_text("utf-8")
        assert "autoescape" not in text, template
        assert "|safe" not in text.replace(" ", ""), template
        assert " style=" not in text, template
        assert " on" + "click" not in text, template
