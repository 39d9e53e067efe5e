"""A browser that sees nothing but the files of a release.

The tests read the site of the demo's release. To test the pages of another one, name its folder in
COPSTATS_TEST_RELEASE.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Route, sync_playwright

from tests.journey.conftest import demo, demo_home  # noqa: F401 - fixtures

LABEL = "2026-Q4"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest) -> Path:
    """The folder of a release."""
    if named := os.environ.get("COPSTATS_TEST_RELEASE"):
        return Path(named).resolve()
    run = request.getfixturevalue("demo")
    assert run.status == 0, run.err
    home: Path = request.getfixturevalue("demo_home")
    return home / "releases" / LABEL


@pytest.fixture(scope="session")
def site(release: Path) -> Path:
    return release / "site"


# Not for the whole session: while it runs, no test of the same process could start an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of this machine."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        missing = f"no browser: install one of {', '.join(BROWSERS)}"
        if os.environ.get("COPSTATS_COMPLETE") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


class Sandbox:
    """Pages that may load files of one folder; what else they ask for is refused and written down."""

    def __init__(self, browser: Browser, folder: Path, **options: object) -> None:
        self.folder = folder
        self.loaded: list[Path] = []
        self.outside: list[str] = []
        self.said: list[str] = []
        self.context: BrowserContext = browser.new_context(**options)
        self.context.route("**/*", self._decide)
        self.context.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.context.on("weberror", lambda problem: self.said.append(f"error: {problem.error}"))

    def _decide(self, route: Route) -> None:
        address = route.request.url.split("#")[0]
        path = Path(address.removeprefix("file://"))
        if address.startswith("file://") and path.is_relative_to(self.folder) and path.is_file():
            self.loaded.append(path)
            route.continue_()
        else:
            self.outside.append(address)
            route.abort()

    def weight(self) -> int:
        """Return the bytes of the files loaded since the last call."""
        bytes_ = sum(path.stat().st_size for path in set(self.loaded))
        self.loaded.clear()
        return bytes_
