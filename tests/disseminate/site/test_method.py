from __future__ import annotations

from pathlib import Path

from copstats.disseminate.published import Published
from copstats.disseminate.site.pages.method_rules import LEVELS, VARIANTS, criteria
from tests.disseminate.site.reading import page, table, text


def test_thresholds_are_those_of_the_profile(site: Path, published: Published) -> None:
    rows = table(page(site / "en" / "method" / "disclosure.html"), "thresholds")[1:]
    given = [threshold for _, threshold in published.profile.thresholds.given()]
    assert [(row[0], float(row[2]), float(row[3])) for row in rows] == [
        (one.rule, one.tiers["A"], one.tiers["B"]) for one in given
    ]


def test_every_reason_of_the_profile_is_explained(site: Path, published: Published) -> None:
    rows = {row[0] for row in table(page(site / "en" / "method" / "disclosure.html"), "reasons-table")}
    assert {reason.label for reason in published.profile.reasons.values()} <= rows


def test_classes_are_graded_as_the_criteria_say(site: Path) -> None:
    rows = {
        row[0]: row[1:4] for row in table(page(site / "en" / "method" / "comparability.html"), "criteria")
    }
    assert rows["Coverage of the target population"] == [
        "at least 95 %",
        "Reached in schools at least 80 %",
        "A part of the country less than 80 %",
    ]
    assert rows["Recall period"] == ["The same", "at least 50 %", "Different less than 50 %"]
    assert rows["Completeness of the module"] == [
        "at least 80 %",
        "Not delivered as a module of the framework less than 80 %",
        "not by this criterion",
    ]
    assert rows["Age of the data"] == ["at most 3", "at most 5", "more than 5"]


def test_every_level_of_every_criterion_is_in_words(published: Published) -> None:
    known = criteria(published.framework.id).values()
    assert {level for one in known for level in one.levels} <= LEVELS.keys()
    assert {variant for one in known for variant in one.variants} <= VARIANTS.keys()


def test_every_variable_leads_to_the_indicators_that_read_it(site: Path, published: Published) -> None:
    document = page(site / "en" / "method" / "variables.html")
    named = {text(code) for code in document.xpath("//th/code")}
    assert named == {name for module in published.framework.modules.values() for name in module.variables}
    (row,) = document.xpath("//tr[th/code='rct_sexask']")
    assert "../indicators/RCT3.html" in row.xpath(".//a/@href")


def test_the_glossary_is_in_order(site: Path) -> None:
    terms = [text(term) for term in page(site / "en" / "method" / "glossary.html").xpath("//main//dt")]
    assert terms == sorted(terms)
    assert "Low reliability (U)" in terms
