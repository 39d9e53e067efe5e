"""One page of each kind, in English by day and in Arabic by night: accessible, quiet, fit for a phone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from lxml import html
from playwright.sync_api import Browser, Page

from copstats.language import LANGUAGES
from tests.browser.conftest import Sandbox

pytestmark = pytest.mark.flows

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
HEAVIEST = 1_500_000
SCHEMES = {"en": "light", "ar": "dark"}
RICH = "indicator=RCD4&sex=M,F&classes=ABC&a=XAA&b=XBB"
NARROW = {"width": 320, "height": 640}


@dataclass(frozen=True)
class Visit:
    """What a reader met on a page."""

    path: str
    violations: list[str]
    said: list[str]
    outside: list[str]
    weight: int
    overflow: int


def kinds(folder: Path, *, heaviest: bool) -> list[Path]:
    """Return the pages at the top, and of each folder below its list and its heaviest or lightest page."""
    out = sorted(folder.glob("*.html"))
    for below in sorted(path for path in folder.iterdir() if path.is_dir()):
        first = below / "index.html"
        others = sorted(set(below.glob("*.html")) - {first}, key=lambda page: page.stat().st_size)
        out += [first, *(others[-1:] if heaviest else others[:1])]
    return out


def violations(page: Page) -> list[str]:
    # A page opened from a folder cannot read its style sheets as text: axe sees the computed styles.
    options = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


def visit(sandbox: Sandbox, page: Page, path: Path) -> Visit:
    compare = path.name == "compare.html"
    sandbox.said.clear()
    sandbox.outside.clear()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(path.as_uri() + (f"#{RICH}" if compare else ""))
    if compare:
        page.locator("#chart svg").wait_for()
    broken = violations(page)
    page.set_viewport_size(NARROW)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    name = str(path.relative_to(sandbox.folder))
    return Visit(name, broken, list(sandbox.said), list(sandbox.outside), sandbox.weight(), overflow)


@pytest.fixture(scope="module", params=SCHEMES)
def visits(browser: Browser, site: Path, request: pytest.FixtureRequest) -> Iterator[list[Visit]]:
    sandbox = Sandbox(browser, site, color_scheme=SCHEMES[request.param])
    page = sandbox.context.new_page()
    paths = [site / "index.html", *kinds(site / request.param, heaviest=request.param == "en")]
    yield [visit(sandbox, page, path) for path in paths]
    sandbox.context.close()


def test_every_kind_of_page_is_visited(visits: list[Visit]) -> None:
    seen = {visit.path.split("/", 1)[-1].split("/")[0] for visit in visits}
    assert {"index.html", "indicators", "areas", "regions", "method", "compare.html", "changes.html"} <= seen


def test_pages_break_no_rule_of_wcag(visits: list[Visit]) -> None:
    assert {visit.path: visit.violations for visit in visits if visit.violations} == {}


def test_pages_write_nothing_to_the_console(visits: list[Visit]) -> None:
    assert {visit.path: visit.said for visit in visits if visit.said} == {}


def test_pages_load_nothing_from_outside_their_folder(visits: list[Visit]) -> None:
    assert {visit.path: visit.outside for visit in visits if visit.outside} == {}


def test_pages_are_light(visits: list[Visit]) -> None:
    assert all(visit.weight > 0 for visit in visits)
    assert {visit.path: visit.weight for visit in visits if visit.weight > HEAVIEST} == {}


def test_no_page_of_any_language_is_heavy(site: Path) -> None:
    chosen = max(path.stat().st_size for path in (site / "data").glob("compare-*.js"))
    library = (site / "assets" / "vega.js").stat().st_size
    for path in site.rglob("*.html"):
        root = html.parse(path).getroot()
        parts = {
            str(part) for part in root.xpath("//script/@src | //img/@src | //link[@rel!='alternate']/@href")
        }
        weight = path.stat().st_size + sum((path.parent / part).stat().st_size for part in parts)
        assert weight + (chosen + library) * (path.name == "compare.html") < HEAVIEST, path


def test_pages_do_not_scroll_sideways_on_a_phone(visits: list[Visit]) -> None:
    assert {visit.path: visit.overflow for visit in visits if visit.overflow} == {}


def test_pages_are_read_without_scripts(browser: Browser, site: Path) -> None:
    sandbox = Sandbox(browser, site, java_script_enabled=False)
    page = sandbox.context.new_page()
    for path in kinds(site / "en", heaviest=False):
        page.goto(path.as_uri())
        assert page.locator("main h1").is_visible(), path
        # More than a title and a link or two.
        assert path.name == "compare.html" or len(page.locator("main").inner_text()) > 200, path
    page.goto((site / "en" / "compare.html").as_uri())
    assert page.locator("#choice").is_hidden()
    assert page.get_by_text("This page needs JavaScript").is_visible()
    sandbox.context.close()


def test_only_the_compare_page_has_scripts_and_no_page_has_inline_code(site: Path) -> None:
    with_scripts = set()
    for path in site.rglob("*.html"):
        root = html.parse(path).getroot()
        if root.xpath("//script"):
            with_scripts.add(path.relative_to(site).as_posix())
        inline = root.xpath("//script[not(@src)] | //style | //*[@style] | //@*[starts-with(name(), 'on')]")
        assert inline == [], path
    assert with_scripts == {f"{language}/compare.html" for language in LANGUAGES}


def choices(root: html.HtmlElement) -> set[str]:
    """Return the ends of addresses by which other pages open the compare page at an indicator."""
    return {f"indicator={code}" for code in root.xpath("//select[@id='indicator']//option/@value")}


def test_every_link_within_the_release_leads_somewhere(release: Path, site: Path) -> None:
    pages = {path.resolve(): html.parse(path).getroot() for path in site.rglob("*.html")}
    assert len({path.parts[len(site.parts)] for path in pages} & LANGUAGES.keys()) == len(LANGUAGES)
    places = {path: {"", *root.xpath("//@id"), *choices(root)} for path, root in pages.items()}
    lost = set()
    for path, root in pages.items():
        for link in {str(link) for link in root.xpath("//@href | //@src")}:
            if link.startswith(("http:", "https:", "mailto:")):
                continue
            address, _, fragment = link.partition("#")
            target = (path.parent / address).resolve() if address else path
            known = places.get(target, {"", fragment})
            if not target.is_file() or not target.is_relative_to(release) or fragment not in known:
                lost.add((path.relative_to(site).as_posix(), link))
    assert sorted(lost)[:20] == []
