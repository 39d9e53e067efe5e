"""From a faulty survey to a published value, as people see it in Chromium.

An office whose language is French sends a survey with errors, mends it, two reviewers accept it, an operator
approves the release, and anybody reads the value. Then another office objects to what would be published of it.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from pathlib import Path

import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page, expect

from copstats import steps
from copstats.language import translations
from copstats.portal.provider.course import sentence
from copstats.store.home import Home
from copstats.store.rows import State
from tests.portal.conftest import Served
from tests.portal.journey.visiting import SAMPLES, signed_in, zipped

pytestmark = pytest.mark.flows

FAULTY, MENDED, OTHER = "XFF_2025_COPS_v01_M", "XFF_2025_COPS_v02_M", "XAA_2023_COPS_v01_M"
FIRST, SECOND = "2026-Q4", "2027-Q1"
CHECKED = 120_000
"""Milliseconds in which a file is checked on a busy machine: the first one starts Prefect."""
FR = translations("fr")
IDENTIFYING = ("child_id", "parent_id", "hh_id", "weight", "weight_parent")


@pytest.fixture(scope="module")
def published(browser: Browser, surveyed: Served, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """The portal after the journey of Faldoria."""
    folder = tmp_path_factory.mktemp("zips")
    with signed_in(browser, surveyed, "XFF", "fr") as page:
        expect(page).to_have_url(f"{surveyed.url}/fr/country")
        send(page, zipped("XFF_2025_COPS_v01", folder))
        followed(page, FAULTY, "rejected")
        read_findings(page)
        page.goto(f"{surveyed.url}/fr/country")
        expect(page.locator(".tasks a").first).to_have_attribute("href", f"/fr/submissions/{FAULTY}/findings")
        send(page, zipped("XFF_2025_COPS_v02", folder))
        followed(page, MENDED, "waiting")
        with signed_in(browser, surveyed, "reviewer") as first:
            accept(first, MENDED)
            expect(first.locator("#decision + p + ul")).to_contain_text("Office of reviewer")
            expect(first.locator("form button.approve")).to_have_count(0)
        with signed_in(browser, surveyed, "second reviewer") as second:
            accept(second, MENDED)
            expect(second.locator("main .state").first).to_have_class("state state-accepted")
        page.reload()
        expect(page.locator("#state")).to_have_text(re.compile(re.escape(sentence("accepted", FR))))
    prepare(surveyed.home, MENDED, FIRST)
    with signed_in(browser, surveyed, "operator") as page:
        approve(page, FIRST)
        expect(page.locator("table", has_text=FIRST)).to_be_visible()
    return surveyed


def send(page: Page, file: Path) -> None:
    """Choose a file on the upload page and send it."""
    page.locator(".sections a[href$='/upload']").click()
    page.set_input_files("#file", file)
    page.click("#upload button")
    page.wait_for_url("**/submissions/**")


def followed(page: Page, id_: str, state: str) -> None:
    """Wait on the page of an upload, without loading it anew, until it became a submission."""
    page.evaluate("window.same = true")
    bar = page.locator("#live progress")
    expect(bar).to_be_visible()
    expect(page.locator(f"#state .state-{state}")).to_be_visible(timeout=CHECKED)
    expect(page.locator("#head code")).to_have_text(id_)
    expect(page.locator("#state")).to_contain_text(sentence(state, FR))
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


def accept(page: Page, id_: str) -> None:
    """Find a submission on the board and accept it."""
    page.locator(f"table.board a[href$='/board/submissions/{id_}']").click()
    page.click("form button.approve")
    expect(page.locator(".told")).to_be_visible()


def prepare(home: Path, submission_id: str, label: str) -> None:
    """Do what the release calendar does: estimate, and prepare a release."""
    steps.estimate(home, submission_id, as_of_year=int(label[:4]))
    steps.publish(home, label, by="")


def approve(page: Page, label: str) -> None:
    """Approve a prepared release on the board."""
    page.locator(".sections a[href$='/board/releases']").click()
    page.click(f"form[action$='/{label}/approve'] button")
    page.wait_for_load_state()


def values_of(portal: Served, area: str) -> dict[tuple[str, ...], str]:
    """Return what the SDMX interface says of a country: all dimensions -> value."""
    answer = portal.client().get(f"/sdmx/2.1/data/DF_COP/.{area}{'.' * 10}?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.raise_for_status().text)))
    names = [name for name in rows[0] if name in ("INDICATOR", "SEX", "AGE", "TIME_PERIOD")]
    return {(*(row[name] for name in names), str(at)): row["OBS_VALUE"] for at, row in enumerate(rows)}


def test_anybody_reads_what_the_office_sent(browser: Browser, published: Served) -> None:
    import shutil
    shutil.copytree(published.home, "/tmp/w/j10home", dirs_exist_ok=True)
    assert Home.open(published.home).registry.get(MENDED).state == State.ACCEPTED
    shown = values_of(published, "XFF")
    assert shown
