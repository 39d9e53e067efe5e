"""The compare page, used as a reader does, against the same questions asked of the analysts' database."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Sandbox

pytestmark = pytest.mark.flows

INDICATOR = "RCD4"
SETTLED = """begins => {
  const said = document.getElementById("status").textContent;
  const rest = said.slice(begins.length);
  return said.startsWith(begins) && /^(\\. | · )/.test(rest) && rest.includes("Countries compared");
}"""


@pytest.fixture(scope="module")
def sandbox(browser: Browser, site: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(browser, site)
    yield sandbox
    sandbox.context.close()


@pytest.fixture
def page(sandbox: Sandbox) -> Iterator[Page]:
    """A new page; what it says to the console or asks of others fails the test."""
    sandbox.said.clear()
    page = sandbox.context.new_page()
    yield page
    page.close()
    assert (sandbox.said, sandbox.outside) == ([], [])


@pytest.fixture(scope="module")
def database(release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(release / "copstats.duckdb"), read_only=True) as connection:
        yield connection


def ask(database: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = database.execute(query)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def title(database: duckdb.DuckDBPyConnection, code: str) -> str:
    return ask(database, f"SELECT title FROM indicator WHERE indicator = '{code}'")[0]["title"]


def settled(page: Page, begins: str) -> None:
    """Wait until the sentence that is read out says that the choice is shown."""
    page.wait_for_function(SETTLED, arg=begins)


def opened(page: Page, site: Path, address: str, begins: str = "", language: str = "en") -> Page:
    """Open the page anew, and wait until it shows the choice; ``begins`` is empty where it is not known."""
    page.goto("about:blank")
    page.goto(f"{(site / language / 'compare.html').as_uri()}#{address}")
    if begins:
        settled(page, begins)
    else:
        page.locator("#chart svg").wait_for()
    return page


def lines(page: Page, table: str = "#table") -> list[list[str]]:
    script = (
        "table => [...table.querySelectorAll('tbody tr')].map(r => [...r.cells].map(c => c.innerText.trim()))"
    )
    return page.locator(table).evaluate(script)


def shown(page: Page) -> list[tuple[str, float, float, float, str]]:
    """Return country, value, limits and year of the lines with a value."""
    out = []
    for country, value, interval, year, *_ in (line for line in lines(page) if len(line) > 2):
        lower, upper = interval.split(" to ")
        out.append((country, float(value.split()[0]), float(lower), float(upper), year))
    return out


def expected(rows: list[dict[str, Any]]) -> list[tuple[str, float, float, float, str]]:
    return [(r["area"], r["value"], r["ci_lower"], r["ci_upper"], str(r["time_period"])) for r in rows]


def test_an_indicator_shows_what_the_macro_compare_gives(
    page: Page, site: Path, database: duckdb.DuckDBPyConnection
) -> None:
    titles = {row["indicator"]: row["title"] for row in ask(database, "FROM indicator")}
    offered = opened(page, site, "").locator("#indicator option")
    codes = offered.evaluate_all("options => options.map(option => option.value)")
    published = ask(database, "SELECT DISTINCT indicator FROM indicator_value")
    assert set(codes) == {row["indicator"] for row in published}
    compared = 0
    for code in codes[::3]:
        page.locator("#indicator").select_option(code)
        settled(page, titles[code])
        wanted = expected(ask(database, f"FROM compare('{code}')"))
        assert sorted(shown(page)) == sorted(wanted), code
        values = [value for _, value, *_ in shown(page)]
        assert values == sorted(values, reverse=True), code
        compared += len(values)
    assert compared > 50


@pytest.mark.parametrize(
    ("dimension", "group"),
    [("sex", "F"), ("age", "Y12T14"), ("residence", "R"), ("wealth_quintile", "Q1"), ("disability", "PWD")],
)
def test_a_group_shows_what_the_macro_gives(
    page: Page, site: Path, database: duckdb.DuckDBPyConnection, dimension: str, group: str
) -> None:
    opened(page, site, f"indicator={INDICATOR}&{dimension}={group}", title(database, INDICATOR))
    wanted = ask(database, f"FROM compare('{INDICATOR}', {dimension} := '{group}')")
    assert wanted
    assert sorted(shown(page)) == sorted(expected(wanted))


def test_a_withheld_value_stands_with_its_reason(
    page: Page, site: Path, database: duckdb.DuckDBPyConnection
) -> None:
    hidden = ask(
        database,
        """
        SELECT a.area, v.indicator, c.label
        FROM indicator_value v JOIN area a USING (ref_area)
        JOIN codelist c ON c.codelist = 'reason' AND c.code = v.reason
        WHERE v.sex = 'F' AND v.age = '_T' AND v.standardised = 'N' AND v.time_period = '2025'
        ORDER BY ALL LIMIT 1
        """,
    )[0]
    opened(page, site, f"indicator={hidden['indicator']}&sex=F", title(database, hidden["indicator"]))
    texts = {line[0]: line[1] for line in lines(page) if len(line) == 2}
    assert texts[hidden["area"]].startswith(hidden["label"])


def test_class_c_stands_apart_and_only_when_asked_for(
    page: Page, site: Path, database: duckdb.DuckDBPyConnection
) -> None:
    rows = ask(
        database,
        f"""
        SELECT a.area FROM latest_value v JOIN area a USING (ref_area)
        WHERE v.indicator = '{INDICATOR}' AND v.disaggregation = 'total' AND v.comparability = 'C'
          AND v.standardised = 'N'
        ORDER BY ALL
        """,
    )
    countries = [row["area"] for row in rows]
    assert countries
    opened(page, site, f"indicator={INDICATOR}", title(database, INDICATOR))
    assert page.locator("#apart").is_hidden()
    expect(page.locator("#hidden")).to_contain_text(str(len(countries)))
    page.get_by_label("Show class C too, apart").check()
    page.locator("#apart").wait_for()
    assert [line[0] for line in lines(page, "#apart-table")] == countries
    assert page.url.endswith("classes=ABC")
    assert not set(countries) & {line[0] for line in lines(page)}
    assert page.locator("#apart .notice").is_visible()


@pytest.mark.parametrize("sex", ["_T", "F"])
def test_a_difference_is_that_of_the_macro(
    page: Page, site: Path, database: duckdb.DuckDBPyConnection, sex: str
) -> None:
    codes = [row["ref_area"] for row in ask(database, f"FROM compare('{INDICATOR}', sex := '{sex}')")]
    group = "" if sex == "_T" else f"&sex={sex}"
    for a, b in [(codes[0], codes[-1]), (codes[1], codes[0])]:
        opened(page, site, f"indicator={INDICATOR}{group}&a={a}&b={b}", title(database, INDICATOR))
        (told,) = ask(database, f"FROM difference('{INDICATOR}', '{a}', '{b}', sex := '{sex}')")
        expect(page.locator("#difference tbody tr")).to_have_count(1)
        _, _, _, difference, interval, reading = lines(page, "#difference")[0]
        lower, upper = (float(part) for part in interval.split(" to "))
        found = (float(difference), lower, upper)
        assert found == (told["difference"], told["ci_lower"], told["ci_upper"])
        assert reading.startswith(
            "The interval leaves out" if lower > 0 or upper < 0 else "The interval holds"
        )


def test_of_medians_and_of_class_c_no_difference_is_told(
    page: Page, site: Path, database: duckdb.DuckDBPyConnection
) -> None:
    median = ask(database, "SELECT indicator FROM indicator_value WHERE unit_measure = 'YR' AND value > 0")[0]
    pair = [row["ref_area"] for row in ask(database, f"FROM compare('{median['indicator']}')")][:2]
    address = f"indicator={median['indicator']}&a={pair[0]}&b={pair[1]}"
    opened(page, site, address, title(database, median["indicator"]))
    assert "no difference can be told" in lines(page, "#difference")[0][-1]
    worst = ask(
        database,
        f"""
        FROM latest_value
        WHERE indicator = '{INDICATOR}' AND disaggregation = 'total' AND comparability = 'C'
        """,
    )[0]
    other = ask(database, f"FROM compare('{INDICATOR}')")[0]
    address = f"indicator={INDICATOR}&a={worst['ref_area']}&b={other['ref_area']}"
    opened(page, site, address, title(database, INDICATOR))
    assert "no value of class A or B" in lines(page, "#difference")[0][-1]


def test_a_region_narrows_the_countries_and_shows_its_mean(
    page: Page, site: Path, database: duckdb.DuckDBPyConnection
) -> None:
    (mean,) = ask(
        database,
        f"""
        FROM aggregate_value
        WHERE indicator = '{INDICATOR}' AND sex = '_T' AND scheme <> 'world' AND value IS NOT NULL LIMIT 1
        """,
    )
    region = f"{mean['scheme']}:{mean['area_group']}"
    opened(page, site, f"indicator={INDICATOR}&region={region}", title(database, INDICATOR))
    members = ask(
        database,
        f"""
        SELECT a.area FROM area_group g JOIN area a USING (ref_area)
        WHERE g.scheme = '{mean["scheme"]}' AND g.area_group = '{mean["area_group"]}'
        """,
    )
    assert {line[0] for line in lines(page)} <= {row["area"] for row in members}
    expect(page.locator("#mean")).to_contain_text(
        f"{mean['value']:g} ({mean['ci_lower']:g} to {mean['ci_upper']:g})"
    )


def test_an_interval_is_drawn_where_the_numbers_say(
    page: Page, site: Path, database: duckdb.DuckDBPyConnection
) -> None:
    opened(page, site, f"indicator={INDICATOR}", title(database, INDICATOR))
    rows = expected(ask(database, f"FROM compare('{INDICATOR}')"))
    marks = page.locator("#chart .mark-rule.role-mark line").evaluate_all(
        "all => all.map(line => line.getBoundingClientRect()).map(box => [box.left, box.right])"
    )
    assert len(marks) == len(rows)
    # Ends of intervals and their pixels lie on one straight line.
    drawn = sorted(
        {
            (value, pixel)
            for row, ends in zip(rows, marks, strict=True)
            for value, pixel in zip(row[2:4], ends, strict=True)
        }
    )
    (low, left), (high, right) = drawn[0], drawn[-1]
    for value, pixel in drawn:
        assert pixel == pytest.approx(left + (value - low) / (high - low) * (right - left), abs=2.5)


def test_the_keyboard_reaches_everything(page: Page, site: Path, database: duckdb.DuckDBPyConnection) -> None:
    opened(page, site, f"indicator={INDICATOR}", title(database, INDICATOR))
    page.locator("#indicator").focus()
    reached = []
    for _ in range(25):
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.name"))
        page.keyboard.press("Tab")
    order = [
        "indicator",
        "dimension",
        "region",
        "sort",
        "standardised",
        "apart",
        "definition",
        "download",
        "copy",
    ]
    assert [name for name in reached if name in order] == order
    page.locator("#dimension").focus()
    page.keyboard.press("ArrowDown")
    settled(page, f"{title(database, INDICATOR)} · Male and Female")
    assert page.evaluate("document.activeElement.id") == "dimension"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    settled(page, f"{title(database, INDICATOR)} · Female")
    assert sorted(shown(page)) == sorted(expected(ask(database, f"FROM compare('{INDICATOR}', sex := 'F')")))
    page.locator("#countries summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("No country has a comparable value for this choice.")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#count")).to_have_text("(1)")


def test_the_address_holds_the_choice_and_the_other_languages_keep_it(
    page: Page, site: Path, database: duckdb.DuckDBPyConnection
) -> None:
    opened(page, site, "")
    page.locator("#indicator").select_option(INDICATOR)
    page.locator("#dimension").select_option("sex")
    page.get_by_role("checkbox", name="Female").uncheck()
    settled(page, f"{title(database, INDICATOR)} · Male")
    assert page.url.endswith(f"#indicator={INDICATOR}&sex=M")
    before = shown(page)
    page.get_by_role("link", name="français").click()
    page.locator("#chart svg").wait_for()
    assert page.url.endswith(f"fr/compare.html#indicator={INDICATOR}&sex=M")
    assert len(lines(page)) >= len(before)
    assert page.locator("#table tbody tr td.num").first.inner_text() == f"{before[0][1]:g}".replace(".", ",")


def test_an_address_that_offers_nothing_is_passed_over(page: Page, site: Path) -> None:
    address = "indicator=<script>&sex=X&region=no:where&sort=wild&a=QQQ&areas=..%2F..&standardised=%00"
    page.goto(f"{(site / 'en' / 'compare.html').as_uri()}#{address}")
    expect(page.locator("#status")).to_contain_text("No country has a comparable value for this choice.")


def test_the_download_holds_what_is_shown(
    page: Page, site: Path, database: duckdb.DuckDBPyConnection
) -> None:
    opened(page, site, f"indicator={INDICATOR}&sex=F,M", title(database, INDICATOR))
    with page.expect_download() as started:
        page.locator("#download").click()
    download = started.value
    assert download.suggested_filename == f"compare-{INDICATOR}-2026-Q4.csv"
    with Path(download.path()).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(lines(page))
    values = sorted((row["Country"], row["Group"], float(row["Value"])) for row in rows if row["Value"])
    wanted = [
        (row["area"], label, row["value"])
        for sex, label in (("F", "Female"), ("M", "Male"))
        for row in ask(database, f"FROM compare('{INDICATOR}', sex := '{sex}')")
    ]
    assert values == sorted(wanted)
    assert all(row["Why there is no value"] for row in rows if not row["Value"])


def test_a_text_in_the_download_is_no_formula(page: Page, site: Path) -> None:
    opened(page, site, "")
    texts = ["=1+1", "@x", "-cmd", "\uff1da", "-1.5", 'a"b', "a,b", "\tx"]
    written = page.evaluate("texts => copstats.rows.csv(['h'], texts.map(text => [text]))", texts)
    read = [row[0] for row in csv.reader(written.splitlines(keepends=True))]
    assert read == ["h", "'=1+1", "'@x", "'-cmd", "'\uff1da", "-1.5", 'a"b', "a,b", "'\tx"]


def test_the_link_is_copied_or_shown(page: Page, site: Path) -> None:
    opened(page, site, f"indicator={INDICATOR}")
    page.locator("#copy").click()
    expect(page.locator("#done")).to_have_text(re.compile("The link is copied|Copy the link from this field"))
    if page.locator("#link-field").is_visible():
        assert page.locator("#address").input_value() == page.url


def test_a_print_has_the_chart_and_the_table_alone(page: Page, site: Path) -> None:
    opened(page, site, f"indicator={INDICATOR}")
    page.emulate_media(media="print")
    assert page.locator("#choice").is_hidden()
    assert page.locator(".actions").is_hidden()
    assert page.locator("#chart svg").is_visible()
    assert page.locator("#table").is_visible()


def test_arabic_runs_from_right_to_left(page: Page, site: Path) -> None:
    opened(page, site, f"indicator={INDICATOR}", language="ar")
    ticks = page.locator("#chart .role-axis-label text")
    places = ticks.evaluate_all(
        "all => all.map(text => [text.getBoundingClientRect().left, text.textContent])"
    )
    numbers = [float(text) for _, text in sorted(places) if re.fullmatch(r"[0-9.]+", text)]
    assert len(numbers) > 2
    assert numbers == sorted(numbers, reverse=True)


def test_a_script_holds_no_more_than_the_database(site: Path, database: duckdb.DuckDBPyConnection) -> None:
    text = (site / "data" / f"compare-{INDICATOR}.js").read_text("utf-8")
    call = re.fullmatch(r'window\.copstats\.receive\("(\w+)", (.*)\);\n', text, re.S)
    assert call is not None and call[1] == INDICATOR
    values = json.loads(call[2])["values"]
    published = ask(database, f"FROM indicator_value WHERE indicator = '{INDICATOR}'")
    known = {tuple(row[name] for name in values) for row in published}
    rows = list(zip(*values.values(), strict=True))
    assert len(rows) > 50
    assert set(rows) <= known
