"""People who visit the portal with Chromium, and what they bring."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from copstats.project import project_root
from tests.portal.conftest import Served

SAMPLES = project_root() / "sample_data"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
REFUSED = "the server responded with a status of"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Watched:
    """What a browser complained of, and whom else than the portal it asked."""

    portal: Served
    said: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("console", lambda one: one.type in {"error", "warning"} and self.said.append(one.text))
        context.on("weberror", lambda problem: self.said.append(str(problem.error)))
        context.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        if not url.startswith(f"{self.portal.url}/"):
            self.elsewhere.append(url)


@contextmanager
def visit(
    browser: Browser, portal: Served, language: str = "en", refusals: int = 0, **options: object
) -> Iterator[Page]:
    """A browser before the sign-in page; in the end it complained of nothing and asked nobody else.

    `refusals`: so many pages were answered with a status of 400 or more, which browsers write down.
    """
    context = browser.new_context(**options)
    watched = Watched(portal)
    watched.watch(context)
    page = context.new_page()
    page.goto(f"{portal.url}/{language}/sign-in")
    yield page
    context.close()
    refused = [one for one in watched.said if REFUSED in one]
    assert len(refused) == refusals, refused
    assert not set(watched.said) - set(refused), watched.said
    assert not watched.elsewhere, watched.elsewhere


@contextmanager
def signed_in(
    browser: Browser, portal: Served, name: str, language: str = "en", **options: object
) -> Iterator[Page]:
    """The same, of somebody who has signed in; `options` are those of `visit`."""
    with visit(browser, portal, language, **options) as page:
        page.fill("#token", portal.tokens[name])
        page.click("main form button")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        yield page


def zipped(submission: str, folder: Path) -> Path:
    """Write the zip of a submission of the sample data."""
    target = folder / f"{submission}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((SAMPLES / "submissions" / submission).iterdir()):
            archive.write(path, path.name)
    return target


def broken_zip(path: Path, size: int) -> Path:
    """Write a zip whose only file is whole, of about a size, and no submission."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("notes.txt", b"x" * size)
    path.write_bytes(content.getvalue())
    return path


def inaccessible(page: Page) -> list[str]:
    """Return what violates WCAG 2.2 AA, and by how much the page is wider than its window."""
    path = page.url.split("/", 3)[3]
    violations = Axe().run(page, options={"runOnly": WCAG}).response["violations"]
    found = [f"{path}: {one['id']} {one['nodes'][0]['html'][:120]}" for one in violations]
    wide = page.evaluate(TOO_WIDE)
    return [*found, f"{path}: {wide} pixels too wide"] if wide > 0 else found
