"""Every page of the portal with Chromium: accessible (WCAG 2.2 AA), and fit for a narrow screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.portal.conftest import Served
from tests.portal.journey.visiting import inaccessible, signed_in, visit
from tests.portal.pages.conftest import PREPARED, REJECTED

pytestmark = pytest.mark.flows

NARROW = {"width": 320, "height": 640}
OF_STAFF = ("board", "board/countries/XFF", f"board/submissions/{REJECTED}", "board/releases")
PAGES = {
    "reviewer": OF_STAFF,
    "operator": ("board/releases", "board/windows", "board/tokens"),
    "auditor": ("board/log",),
}
OF_OFFICES = {
    "XFF": ("country", "upload", f"submissions/{REJECTED}", f"submissions/{REJECTED}/findings", "messages"),
    "XAA": ("values", f"values/{PREPARED}"),
}
READINGS = [("en", "light"), ("ar", "dark")]


@pytest.mark.parametrize(("language", "scheme"), READINGS)
def test_the_board_is_accessible_and_fits_a_phone(
    browser: Browser, full_board: Served, language: str, scheme: str
) -> None:
    assert not violations(browser, full_board, PAGES, language, color_scheme=scheme, viewport=NARROW)


@pytest.mark.parametrize(("language", "scheme"), READINGS)
def test_pages_for_everybody_are_accessible_and_fit_a_phone(
    browser: Browser, full_board: Served, language: str, scheme: str
) -> None:
    with visit(browser, full_board, language, color_scheme=scheme, viewport=NARROW) as page:
        found = inaccessible(page)
        page.goto(f"{full_board.url}/{language}/releases")
        found += inaccessible(page)
    assert not found


@pytest.mark.nightly
@pytest.mark.parametrize("language", ["en", "ar", "fr", "es", "ru", "zh"])
def test_all_pages_are_accessible_in_all_languages_on_a_wide_screen(
    browser: Browser, full_board: Served, language: str
) -> None:
    assert not violations(browser, full_board, PAGES | OF_OFFICES, language)


def violations(
    browser: Browser, portal: Served, pages: dict[str, tuple[str, ...]], language: str, **options: object
) -> list[str]:
    found = []
    for name, paths in pages.items():
        with signed_in(browser, portal, name, language, **options) as page:
            for path in paths:
                page.goto(f"{portal.url}/{language}/{path}")
                found += inaccessible(page)
    return found
