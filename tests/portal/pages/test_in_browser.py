"""The pages in Chromium: a file is sent, cut, resumed and followed; accessible, quiet, fit for a phone."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from copstats import steps
from copstats.store.home import Home
from copstats.store.portal_uploads import UploadRegistry
from tests.portal.conftest import Served
from tests.portal.pages.conftest import PREPARED, REJECTED

pytestmark = pytest.mark.flows

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NARROW = {"width": 320, "height": 640}
MEGABYTE = 10**6
PAUSE_AFTER_THE_FIRST = """() => {
  const [stage, form] = [document.getElementById('stage'), document.getElementById('upload')];
  const watch = new MutationObserver(() => {
    const sending = stage.textContent === form.dataset.sending;
    if (!sending || document.querySelector('progress').value < 4 * 2 ** 20) return;
    watch.disconnect();
    document.getElementById('pause').click();
  });
  watch.observe(document.getElementById('progress'), { childList: true, subtree: true });
}"""


@contextmanager
def signed_in(
    browser: Browser, portal: Served, name: str, language: str, **options: object
) -> Iterator[Page]:
    """A page of somebody who signed in; at the end nothing was refused by the policies of the portal."""
    context = browser.new_context(**options)
    said: list[str] = []
    context.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
    context.on("weberror", lambda problem: said.append(str(problem.error)))
    page = context.new_page()
    page.goto(f"{portal.url}/{language}/sign-in")
    page.fill("#token", portal.tokens[name])
    page.click("main button")
    page.wait_for_url(f"**/{language}/country")
    yield page
    context.close()
    assert not [one for one in said if "Content Security Policy" in one or "rror:" in one], said


def zip_of(path: Path, size: int, seed: int) -> bytes:
    """Write what begins like a zip and is none."""
    content = b"PK\x03\x04" + random.Random(seed).randbytes(size - 4)  # noqa: S311 - a file
    path.write_bytes(content)
    return content


def on_segments(page: Page, cut: Callable[[int], bool]) -> None:
    """Ask before every segment, with its offset, whether to cut the connection."""

    def decide(route: Route) -> None:
        is_segment = route.request.method == "PATCH"
        if is_segment and cut(int(route.request.headers["upload-offset"])):
            route.abort()
        else:
            route.continue_()

    page.context.route("**/api/uploads/*", decide)


def test_a_transfer_goes_on_after_a_cut_and_is_followed_to_its_end(
    browser: Browser, portal: Served, tmp_path: Path
) -> None:
    content = zip_of(tmp_path / "large.zip", 9 * MEGABYTE, seed=1)
    sent: list[int] = []

    def cut_the_second(offset: int) -> bool:
        sent.append(offset)
        return len(sent) == 2

    with signed_in(browser, portal, "KEN", "en") as page:
        on_segments(page, cut_the_second)
        page.goto(f"{portal.url}/en/upload")
        page.set_input_files("#file", tmp_path / "large.zip")
        page.click("#upload button")
        page.wait_for_url("**/submissions/KEN_*")
        assert sent == [0, 4 * 2**20, 4 * 2**20, 8 * 2**20]
        expect(page.locator("main")).to_contain_text(hashlib.sha256(content).hexdigest())
        expect(page.locator("#state")).to_contain_text("waits for its check")
        upload_id = page.url.rsplit("/", 1)[1]
        page.evaluate("window.same = true")
        home = Home.open(portal.home)
        UploadRegistry(home.registry.database).claim(now=dt.datetime.now(dt.UTC))
        steps.ingest_uploaded(portal.home, upload_id)
        expect(page.locator("#state")).to_contain_text("could not be taken in", timeout=15_000)
        assert page.evaluate("window.same")  # the page was not loaded anew
        expect(page.locator(".problem code").first).to_have_text(_code(home, upload_id))


def test_pausing_keeps_what_was_sent(browser: Browser, portal: Served, tmp_path: Path) -> None:
    zip_of(tmp_path / "paused.zip", 9 * MEGABYTE, seed=2)
    offsets: list[int] = []
    with signed_in(browser, portal, "UGA", "ar") as page:
        on_segments(page, lambda offset: bool(offsets.append(offset)))
        page.goto(f"{portal.url}/ar/upload")
        page.evaluate(PAUSE_AFTER_THE_FIRST)
        page.set_input_files("#file", tmp_path / "paused.zip")
        page.click("#upload button")
        expect(page.locator("#resume")).to_be_focused()
        assert 8 * 2**20 not in offsets
        page.click("#resume")
        page.wait_for_url("**/submissions/UGA_*")
        assert (offsets.count(0), offsets[-1]) == (1, 8 * 2**20)


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 65, 119, 120, 4096, 1_000_003])
def test_the_checksum_in_the_browser_is_sha_256(browser: Browser, portal: Served, size: int) -> None:
    content = random.Random(size).randbytes(size)  # noqa: S311 - a file
    page = browser.new_page()
    page.goto(f"{portal.url}/en/sign-in")
    found = page.evaluate(
        """async ([bytes, cut]) => { const { Sha256 } = await import('/assets/sha256.js');
        const all = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
        const hash = new Sha256();
        for (let at = 0; at < all.length; at += cut) hash.update(all.subarray(at, at + cut));
        return hash.hex(); }""",
        [base64.b64encode(content).decode(), 61 + size // 7],
    )
    page.close()
    assert found == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ar", "dark")])
def test_pages_are_accessible_and_fit_a_phone(
    browser: Browser, full_portal: Served, language: str, scheme: str
) -> None:
    axe, problems = Axe(), []
    paths = {
        "XFF": (
            "country",
            "upload",
            f"submissions/{REJECTED}",
            f"submissions/{REJECTED}/findings",
            "messages",
        ),
        "XAA": ("values", f"values/{PREPARED}"),
    }
    for name, listed in paths.items():
        with signed_in(browser, full_portal, name, language, color_scheme=scheme, viewport=NARROW) as page:
            for path in listed:
                page.goto(f"{full_portal.url}/{language}/{path}")
                found = axe.run(page, options={"runOnly": WCAG}).response["violations"]
                problems += [f"{path}: {one['id']} {one['nodes'][0]['html'][:120]}" for one in found]
                wide = page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                problems += [f"{path}: {wide} pixels too wide"] if wide > 0 else []
    assert not problems


def _code(home: Home, upload_id: str) -> str:
    found = UploadRegistry(home.registry.database).find(upload_id)
    assert found is not None and found.error
    return found.error[0]
