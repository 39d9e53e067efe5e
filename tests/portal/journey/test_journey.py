"""From a faulty survey to a published value, as people see it in Chromium.

An office whose language is French sends a survey with errors, mends it, two reviewers accept it, an operator
approves the release, and anybody reads the values. Then another office objects to what would be published.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page, expect

from copstats import steps
from copstats.language import Translations, translations
from copstats.portal.board.common import DONE
from copstats.portal.provider.course import sentence
from copstats.store.home import Home
from tests.portal.conftest import Served
from tests.portal.journey.visiting import SAMPLES, inaccessible, signed_in, visit, zipped

pytestmark = pytest.mark.flows

FAULTY, MENDED, OTHER = "XFF_2025_COPS_v01_M", "XFF_2025_COPS_v02_M", "XAA_2023_COPS_v01_M"
FIRST, SECOND, YEAR = "2026-Q4", "2026-Q4-r1", 2026
OBJECTED = "RCD4"
CHECKED = 120_000
"""Milliseconds in which a file is checked on a busy machine: the first one starts Prefect."""
BUILT = 300_000
"""And in which a release is built anew."""
EN, FR = translations("en"), translations("fr")
IDENTIFYING = ("child_id", "parent_id", "hh_id", "weight", "weight_parent")


@pytest.fixture(scope="module")
def published(browser: Browser, surveyed: Served, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """The portal after the journey of Faldoria."""
    folder = tmp_path_factory.mktemp("zips")
    with signed_in(browser, surveyed, "XFF", "fr") as page:
        expect(page).to_have_url(f"{surveyed.url}/fr/country")
        send(page, zipped("XFF_2025_COPS_v01", folder))
        followed(page, FAULTY, "rejected", FR)
        read_findings(page)
        page.goto(f"{surveyed.url}/fr/country")
        expect(page.locator(".tasks a").first).to_have_attribute("href", f"/fr/submissions/{FAULTY}/findings")
        send(page, zipped("XFF_2025_COPS_v02", folder))
        followed(page, MENDED, "waiting", FR)
        accept_by_two(browser, surveyed, MENDED)
        page.reload()
        expect(page.locator("#state")).to_contain_text(sentence("accepted", FR))
    prepare(surveyed.home, FIRST)
    with signed_in(browser, surveyed, "operator") as page:
        approve(page, FIRST)
        followed_to_its_place(page, FIRST)
    return surveyed


def send(page: Page, file: Path) -> None:
    """Choose a file on the upload page and send it."""
    page.locator(".sections a[href$='/upload']").click()
    page.set_input_files("#file", file)
    page.click("#upload button")
    page.wait_for_url("**/submissions/**")


def followed(page: Page, id_: str, state: str, words: Translations) -> None:
    """Wait on the page of an upload, without loading it anew, until it became a submission."""
    page.evaluate("window.same = true")
    bar = page.locator("#live progress")
    expect(bar).to_be_visible()
    expect(page.locator(f"#state .state-{state}")).to_be_visible(timeout=CHECKED)
    expect(page.locator("#head code")).to_have_text(id_)
    expect(page.locator("#state")).to_contain_text(sentence(state, words))
    expect(bar).to_have_count(0)
    assert page.evaluate("window.same")


def read_findings(page: Page) -> None:
    """Go to the findings of the submission on the page, and hold them against the list of planted faults."""
    page.locator("#live .buttons a[href$='/findings']").click()
    articles = page.locator("article.finding")
    expect(articles.first).to_be_visible()
    rules = articles.locator("dd:last-of-type code").all_inner_texts()
    planted = set(re.findall(r"^  rule: (\w+)$", (SAMPLES / "faults.yaml").read_text("utf-8"), re.MULTILINE))
    assert {rule.split(":")[0] for rule in rules} == planted | {"psu_numbered_in_strata"}
    for term in ("Why it matters", "How to put it right"):
        assert articles.locator("dt", has_text=FR.text(term)).count() == len(rules)
    with page.expect_download() as loading:
        page.click("main a[download]")
    table = Path(loading.value.path()).read_text("utf-8-sig")
    assert [row["rule"] for row in csv.DictReader(io.StringIO(table, newline=""))] == rules
    shown = page.locator("main").inner_text()
    assert shown.count("\n") > 100
    assert not [value for value in identifying(FAULTY) if value in shown or value in table]


def identifying(id_: str) -> set[str]:
    """Return what stands in the columns of the sample that single out a person."""
    folder = SAMPLES / "submissions" / id_.removesuffix("_M")
    values: set[str] = set()
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                values |= {row[name] for name in IDENTIFYING if row.get(name, "").strip()}
    return values


def accept_by_two(browser: Browser, portal: Served, id_: str) -> None:
    """Let two reviewers find a submission on the board and accept it; the first cannot do it twice."""
    for name, state in (("reviewer", "waiting"), ("second reviewer", "accepted")):
        with signed_in(browser, portal, name) as page:
            page.locator(f"table.board a[href$='/board/submissions/{id_}']").click()
            expect(page.locator("h1 code")).to_have_text(id_)
            assert not inaccessible(page)
            page.click("form button.approve")
            expect(page.locator(".told")).to_be_visible()
            expect(page.locator("main h1 + p .state")).to_have_class(f"state state-{state}")
            expect(page.locator("form button.approve")).to_have_count(0)
    assert (
        Home.open(portal.home).registry.decisions(id_)[-1].who
        == "Office of reviewer, Office of second reviewer"
    )


def prepare(home: Path, label: str) -> None:
    """Do what the release calendar does: estimate, and prepare a release."""
    for wave in steps.waves_to_estimate(home):
        steps.estimate(home, wave, as_of_year=YEAR)
    steps.publish(home, label, by="")


def approve(page: Page, label: str) -> None:
    """Approve a prepared release on the board."""
    page.locator(".sections a[href$='/board/releases']").click()
    page.click(f"form[action$='/{label}/approve'] button")
    expect(page.locator("#state")).to_contain_text(EN.text(DONE["approved"]))


def followed_to_its_place(page: Page, label: str) -> None:
    """Wait, without loading the page anew, until the worker has published an approved release."""
    page.evaluate("window.same = true")
    expect(page.locator("#state")).to_contain_text(EN.text(DONE["published"]), timeout=BUILT)
    expect(page.locator("section[aria-labelledby=published] th", has_text=label)).to_be_visible()
    expect(page.locator("#live progress")).to_have_count(0)
    assert page.evaluate("window.same")


def values_of(portal: Served, area: str) -> dict[str, list[float | None]]:
    """Return what the SDMX interface says of a country: indicator -> values, None for a hidden one."""
    answer = portal.client().get(f"/sdmx/2.1/data/DF_COP/.{area}{'.' * 10}?format=csv")
    found: dict[str, list[float | None]] = {}
    for row in csv.DictReader(io.StringIO(answer.raise_for_status().text)):
        value = float(row["OBS_VALUE"]) if row["OBS_VALUE"] else None
        found.setdefault(row["INDICATOR"], []).append(value)
    return found


def test_anybody_reads_the_values_of_the_survey(published: Served) -> None:
    cells = pq.read_table(published.home / "releases" / FIRST / "parquet" / "indicator_value.parquet")
    shown = [value for values in values_of(published, "XFF").values() for value in values]
    assert shown == cells["value"].to_pylist()
    assert sum(value is not None for value in shown) > 100
    assert published.client().get("/sdmx/2.1/data/DF_COP/.XAA..........?format=csv").status_code == 404


def test_all_that_was_done_stands_in_the_log_which_holds(browser: Browser, published: Served) -> None:
    log = Home.open(published.home).audit
    assert log.verify() == []
    ours = [entry["action"] for entry in log.entries() if entry["subject"] == MENDED]
    assert [one for one in ours if one.startswith("submission.")] == [
        "submission.sealed",
        *["submission.approved"] * 2,
        "submission.accepted",
    ]
    with signed_in(browser, published, "auditor") as page:
        expect(page.locator("main .problem")).to_have_count(0)
        expect(page.locator("table.log code", has_text="release.approved")).to_be_visible()


@pytest.mark.nightly
def test_a_country_objects_to_an_indicator_before_its_release(
    browser: Browser, published: Served, tmp_path: Path
) -> None:
    Home.open(published.home).change_settings(review_days=15, release_forms=("site", "sdmx"))
    before = values_of(published, "XFF")
    with signed_in(browser, published, "XAA") as page:
        send(page, zipped("XAA_2023_COPS_v01", tmp_path))
        followed(page, OTHER, "waiting", EN)
    accept_by_two(browser, published, OTHER)
    prepare(published.home, SECOND)
    with signed_in(browser, published, "XAA") as page:
        page.click(f".tasks a[href$='/values/{SECOND}']")
        object_to(page, "Our weights of 2023 were revised.")
    with signed_in(browser, published, "operator") as page:
        approve(page, SECOND)
        # What the country said has changed the release: the operator looks at what it is now.
        expect(page.locator("#state")).to_contain_text(EN.text(DONE["changed"]), timeout=BUILT)
        row = page.get_by_role("row").filter(has_text="Our weights of 2023 were revised.")
        expect(row.locator(".state")).to_have_class("state state-objected")
        expect(row).to_contain_text(OBJECTED)
        approve(page, SECOND)
        followed_to_its_place(page, SECOND)
    after = values_of(published, "XAA")
    assert set(after[OBJECTED]) == {None}
    assert sum(value is not None for value in after["ACC1"]) > 3
    assert values_of(published, "XFF") == before
    read_site(browser, published, after)


def object_to(page: Page, reason: str) -> None:
    """Look at the values of the country, which are of no other, and object to an indicator."""
    shown = page.locator("main").inner_text()
    assert "XFF" not in shown
    assert shown.count("%") > 0
    page.check(f"#indicator-{OBJECTED}")
    page.fill("#reason", reason)
    page.click("form button.danger")
    expect(page.locator(".told")).to_be_visible()
    expect(page.locator(".facts .state-objected")).to_be_visible()


def read_site(browser: Browser, portal: Served, values: dict[str, list[float | None]]) -> None:
    """Read the country's page in the site of the release, without having signed in."""
    with visit(browser, portal) as page:
        page.click("main a[href='/en/releases']")
        page.click(f"a[href='/releases/{SECOND}/site/en/index.html']")
        page.goto(page.url.replace("index.html", "areas/XAA.html"))
        row = page.get_by_role("row").filter(has=page.locator("a[href$='/ACC1.html']"))
        shown = float(row.first.locator(".value").inner_text())
        assert shown in {round(value, 1) for value in values["ACC1"] if value is not None}
        objected = page.get_by_role("row").filter(has=page.locator(f"a[href$='/{OBJECTED}.html']"))
        expect(objected.locator(".value")).to_have_count(0)
