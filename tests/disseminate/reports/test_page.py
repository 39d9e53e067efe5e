"""The HTML page of a report."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from lxml import html

from copstats.disseminate.published import Published
from copstats.disseminate.reports import Report, feedback_note, html_text, quarterly_report
from copstats.disseminate.reports.document import Table


def test_nothing_is_loaded_and_no_script_runs(page: str) -> None:
    tree = html.fromstring(page)
    targets = [value for name in ("src", "href") for value in tree.xpath(f"//@{name}")]
    assert targets and all(target.startswith("#") for target in targets)
    assert not tree.xpath(
        "//script | //link | //iframe | //img | //object | //*[starts-with(name(@*), 'on')]"
    )
    assert "url(" not in page and "@import" not in page


def test_every_link_has_its_place_and_every_id_is_one(page: str) -> None:
    tree = html.fromstring(page)
    ids = Counter(tree.xpath("//@id"))
    assert max(ids.values()) == 1
    links = [href[1:] for href in tree.xpath("//@href")]
    labels = [one for joined in tree.xpath("//@aria-labelledby") for one in joined.split()]
    assert {*links, *labels} <= ids.keys()


def test_headings_tables_and_figures(report: Report, page: str) -> None:
    tree = html.fromstring(page)
    titles = [" ".join(h.text_content().split()) for h in tree.xpath("//main//h2 | //main//h3")]
    assert titles == [f"{number} {part.title}" for number, _, part in report.numbered()]
    tables = [b for _, _, part in report.numbered() for b in part.blocks if isinstance(b, Table)]
    found = [
        [[cell.text_content() for cell in row.xpath("./th | ./td")] for row in table.xpath(".//tr")]
        for table in tree.xpath("//main//table")
    ]
    assert found == [[list(of.head), *map(list, of.rows)] for of in tables]
    assert len(tree.xpath("//figure//*[local-name()='svg']")) == len(report.figures())


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("zh", "ltr")])
def test_language_and_direction(published: Published, language: str, direction: str) -> None:
    tree = html.fromstring(html_text(feedback_note(published, "XBB", language)))
    assert (tree.get("lang"), tree.get("dir")) == (language, direction)
    assert tree.xpath("//p[@class='notice']")


def test_texts_with_markup_stay_texts(published: Published) -> None:
    hostile = "<script>alert('x')</script> & \"قسرية\""
    areas = {code: replace(area, name=f"{hostile} {code}") for code, area in published.areas.items()}
    page = html_text(quarterly_report(replace(published, areas=areas), "en"))
    assert "<script" not in page
    assert f"{hostile} XAA" in re.sub(r"\s+", " ", html.fromstring(page).text_content())
