from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from copstats.store.home import Home
from copstats.store.portal import PortalRegistry, Role

SERVING = Path(__file__).with_name("serving.py")
PATIENT = {"sign_ins": 100_000, "requests": 100_000}
"""Limits under which the tests do not hinder each other; those of the rates have servers of their own."""
HOLDERS: dict[str, tuple[Role, str | None]] = {
    "KEN": ("provider", "KEN"),
    "UGA": ("provider", "UGA"),
    "reviewer": ("reviewer", None),
    "second reviewer": ("reviewer", None),
    "operator": ("operator", None),
    "auditor": ("auditor", None),
}


@dataclass
class Served:
    """A running portal.

    `tokens` and `ids` are by name: KEN, UGA, reviewer, second reviewer, operator, auditor.
    """

    url: str
    home: Path
    log: Path
    tokens: dict[str, str]
    ids: dict[str, str]
    process: subprocess.Popen[str]
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, name: str | None = None, **headers: str) -> httpx.Client:
        """A program: it sends the token of that name, or none."""
        if name is not None:
            headers["authorization"] = f"Bearer {self.tokens[name]}"
        return self._kept(httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30))

    def browser(self, name: str | None = None, language: str = "en") -> httpx.Client:
        """A browser, signed in with the token of that name, or not signed in."""
        headers = {"origin": self.url, "accept": "text/html", "sec-fetch-site": "same-origin"}
        found = self._kept(httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30))
        if name is not None:
            answer = found.post(f"/{language}/sign-in", data={"token": self.tokens[name]})
            assert answer.status_code == 303, answer.text
        return found

    def _kept(self, client: httpx.Client) -> httpx.Client:
        self.clients.append(client)
        return client


def csrf_of(browser: httpx.Client) -> str:
    """The secret that the forms of a signed-in browser carry."""
    from copstats.portal.security.identity import csrf_of as of_session

    return of_session(next(iter(browser.cookies.values())))


def new_home(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Make a home with a token of every name; return the tokens and their ids."""
    registry = PortalRegistry(Home.open(folder, create=True).registry.database)
    tokens, ids = {}, {}
    for name, (role, area) in HOLDERS.items():
        secret, made = registry.create_token(
            role, area=area, holder=f"Office of {name}", days=30, now=dt.datetime.now(dt.UTC)
        )
        tokens[name], ids[name] = secret, made.id
    return tokens, ids


@contextmanager
def serve(home: Path, tokens: dict[str, str], ids: dict[str, str], **settings: Any) -> Iterator[Served]:
    """Serve a home until the block ends; `settings` are those of PortalSettings."""
    log = home.with_name(f"{home.name}.log")
    with log.open("a", encoding="utf-8") as messages:
        process = start(home, messages, **settings)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url, log.read_text("utf-8")
    served = Served(url, home, log, tokens, ids, process)
    try:
        yield served
    finally:
        for client in served.clients:
            client.close()
        process.terminate()
        process.wait(timeout=60)


def start(home: Path, messages: IO[str], **settings: Any) -> subprocess.Popen[str]:
    """Start a server; its first line on standard output is its address."""
    command = (sys.executable, str(SERVING), str(home), json.dumps(settings))
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages, text=True)


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A portal over a new home, without the worker; tests leave it usable for the others."""
    home = tmp_path_factory.mktemp("portal") / "home"
    with serve(home, *new_home(home), worker=False, limits=PATIENT) as served:
        yield served


@pytest.fixture(scope="session")
def working_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A portal over a new home whose worker takes uploads in."""
    home = tmp_path_factory.mktemp("working-portal") / "home"
    with serve(home, *new_home(home), limits=PATIENT) as served:
        yield served


@pytest.fixture
def own_portal(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Serves homes with settings of the test's own; they stop when the test ends."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def make(**settings: Any) -> Served:
            home = tmp_path / f"home-{len(list(tmp_path.iterdir()))}"
            given = {"worker": False, "limits": PATIENT} | settings
            return stack.enter_context(serve(home, *new_home(home), **given))

        yield make
