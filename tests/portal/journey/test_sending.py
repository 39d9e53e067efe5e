"""Sending a file as people do: by keyboard alone, over a page that was loaded anew, without scripts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from copstats.store.home import Home
from copstats.store.portal_uploads import UploadRegistry
from tests.portal.conftest import Served
from tests.portal.journey.visiting import broken_zip, signed_in, visit

SEGMENT = 4 * 2**20


def tab_to(page: Page, selector: str) -> None:
    """Press the tabulator until something has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("(one) => document.activeElement.matches(one)", selector):
            return
    pytest.fail(f"the tabulator does not lead to {selector}")


def received(portal: Served, page: Page) -> str:
    """Return the hash of the complete upload whose page this is."""
    upload = UploadRegistry(Home.open(portal.home).registry.database).find(page.url.rsplit("/", 1)[1])
    assert upload is not None and upload.completed_at is not None
    return upload.sha256


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_signing_in_and_sending_need_no_mouse(
    browser: Browser, portal: Served, tmp_path: Path, language: str
) -> None:
    file = broken_zip(tmp_path / f"{language}.zip", 1000 + len(language) * ord(language[0]))
    with visit(browser, portal, language) as page:
        page.keyboard.press("Tab")
        expect(page.locator("a.skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        tab_to(page, "#token")
        page.keyboard.type(portal.tokens["KEN"])
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{language}/country")
        tab_to(page, ".sections a[href$='/upload']")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{language}/upload")
        tab_to(page, "#file")
        with page.expect_file_chooser() as opened:
            page.keyboard.press("Space")
        opened.value.set_files(file)
        tab_to(page, "#upload button")
        page.keyboard.press("Enter")
        page.wait_for_url("**/submissions/KEN_*")
        assert received(portal, page) == sha256(file)


def test_a_page_loaded_anew_in_the_middle_goes_on_where_it_was(
    browser: Browser, portal: Served, tmp_path: Path
) -> None:
    file = broken_zip(tmp_path / "large.zip", 2 * SEGMENT + 1000)
    offsets: list[int] = []

    def hold_the_second(route: Route) -> None:
        if route.request.method == "PATCH":
            offsets.append(int(route.request.headers["upload-offset"]))
            if len(offsets) == 2:
                return  # neither sent on nor refused: the network is slow
        route.continue_()

    with signed_in(browser, portal, "UGA") as page:
        page.context.route("**/api/uploads/*", hold_the_second)
        page.on("dialog", lambda asked: asked.accept())  # that the transfer would be interrupted
        page.goto(f"{portal.url}/en/upload")
        page.set_input_files("#file", file)
        with page.expect_request(lambda one: one.headers.get("upload-offset") == str(SEGMENT)):
            page.click("#upload button")
        page.reload()
        expect(page.locator("#unfinished-table")).to_be_visible()
        page.set_input_files("#file", file)
        page.click("#upload button")
        page.wait_for_url("**/submissions/UGA_*")
        assert offsets == [0, SEGMENT, SEGMENT, 2 * SEGMENT]
        assert received(portal, page) == sha256(file)


def test_without_scripts_a_file_is_sent_as_a_form(browser: Browser, portal: Served, tmp_path: Path) -> None:
    file = broken_zip(tmp_path / "plain.zip", SEGMENT)
    with signed_in(browser, portal, "KEN", "fr", java_script_enabled=False) as page:
        page.click(".sections a[href$='/upload']")
        page.set_input_files("#file", file)
        page.click("#upload button")
        page.wait_for_url("**/fr/submissions/KEN_*")
        assert received(portal, page) == sha256(file)
        expect(page.locator("#state")).to_be_visible()
        page.click("noscript a")  # what the script would do
        expect(page.locator("#state .state-complete")).to_be_visible()
        page.click(".who button")
        page.wait_for_url("**/fr/sign-in")
