from __future__ import annotations

import dataclasses
from pathlib import Path

from copstats.disseminate.published import Published, Publisher
from copstats.disseminate.site.names import DOMAINS
from copstats.disseminate.site.pages import overview
from copstats.disseminate.site.reading import Content
from copstats.language import translations
from copstats.store.engine import published_connection
from tests.disseminate.site.reading import page, table, text

NONE = "\N{EN DASH}"


def test_the_numbers_are_those_of_the_database(site: Path, release: Path) -> None:
    cards = page(site / "en" / "index.html").xpath("//dl[@class='cards']/div")
    shown = {text(card.find("dt")): text(card.find("dd")) for card in cards}
    with published_connection(release / "copstats.duckdb") as connection:
        query = """
        SELECT count(DISTINCT ref_area), count(DISTINCT indicator), max(time_period) FROM latest_value
        WHERE disaggregation = 'total' AND standardised = 'N'
        """
        areas, indicators, newest = connection.sql(query).fetchall()[0]
        (rounds,) = connection.sql("SELECT count(*) FROM source").fetchall()[0]
    assert shown == {
        "countries and areas": str(areas),
        "indicators with a value": str(indicators),
        "rounds of surveys": str(rounds),
        "newest survey": newest,
    }


def test_countries_are_counted_by_class(site: Path) -> None:
    rows = {row[0]: row[1:] for row in table(page(site / "en" / "index.html"), "by-domain")}
    # XBB is of class A, XAA of B, XCC of C: tests/disseminate/conftest.py.
    assert rows["RCD4"] == ["Cyberbullying victimisation, all children", "1", "1", "1"]
    assert rows["HLP5"] == ["Know the child helpline", *[NONE] * 3]


def test_indicators_stand_in_their_domains(site: Path, published: Published) -> None:
    rows = table(page(site / "en" / "indicators" / "index.html"), "by-domain")
    assert [row[0] for row in rows if len(row) == 1][:2] == ["Access to the internet", "Use of the internet"]
    assert sorted(row[0] for row in rows[1:] if len(row) > 1) == sorted(published.framework.indicators)


def test_every_domain_of_the_framework_has_a_name(published: Published) -> None:
    domains = {parsed.definition.domain for parsed in published.framework.indicators.values()}
    assert domains <= DOMAINS.keys()


def test_the_citation_says_what_is_known_of_the_publisher(published: Published) -> None:
    words = translations("en")
    (start,) = overview.pages(Content(published), words)
    assert start.context["citation"] == (
        "Office & partners. Child online protection: indicators by country. "
        "Release 2026-Q4, framework cop-2026 1.0.0. https://data.example.org/cop"
    )
    (bare,) = overview.pages(Content(dataclasses.replace(published, publisher=Publisher())), words)
    assert bare.context["citation"] == (
        "Child online protection: indicators by country. Release 2026-Q4, framework cop-2026 1.0.0"
    )
