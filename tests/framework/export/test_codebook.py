from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import lxml.html
import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from copstats.errors import UsageError
from copstats.framework import load_framework
from copstats.framework.export.codebook import write_codebook
from copstats.language import LANGUAGES, translations
from tests.framework.export.hostile import FORMULA, MARKUP, hostile_framework


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """Both files in English."""
    folder = tmp_path_factory.mktemp("codebook")
    return {path.suffix: path for path in write_codebook(load_framework(), folder)}


@pytest.fixture(scope="module")
def page(files):
    return lxml.html.parse(str(files[".html"])).getroot()


def sheets(path: Path) -> dict[str, list[list]]:
    """Read all sheets with a reader other than the library that wrote them."""
    workbook = CalamineWorkbook.from_path(str(path))
    return {name: workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names}


def by(rows: list[list], column: str) -> dict[str, dict]:
    header, *others = rows
    at = header.index(column)
    return {row[at]: dict(zip(header, row, strict=True)) for row in others}


def test_the_workbook_holds_the_whole_framework(files):
    framework = load_framework()
    read = sheets(files[".xlsx"])
    assert list(read) == ["About", "Variables", "Code lists", "Indicators", "Edit rules", "Missing codes"]
    assert framework.head.notice in [row[0] for row in read["About"]]
    variables = by(read["Variables"], "Variable")
    assert len(read["Variables"]) - 1 == sum(len(m.variables) for m in framework.modules.values())
    assert variables["rct_met"] == {
        "Record": "Child",
        "Module": "Contact risks",
        "Variable": "rct_met",
        "Label": "CONTACT: met such a person face to face",
        "Definition": framework.variables("child")["rct_met"].definition,
        "Type": "Code of a code list",
        "Permitted values": "0 = No\n1 = Yes",
        "Missing codes": "-1 = Not asked\n-7 = Not applicable\n-8 = Does not know\n-9 = Prefers not to say",
        "Asked of": "“CONTACT: had contact online with someone not met face to face before”: Yes",
        "Asked of (predicate)": "rct_unknown = 1",
        "Recall period": "12 months",
        "Minimum age": "",
        "Status": "Core: expected where its module is covered",
        "Sensitivity": "Sensitive",
        "Disclosure tier": "B",
        "Treatment at sealing": "Kept at sealing",
        "Code list": "CL_YESNO",
        "Comparable sources": "EU Kids Online\nGlobal Kids Online\nCOSI risky contacts",
        "Indicators": "RCT2",
    }
    assert variables["age"]["Permitted values"] == "5 to 24"
    assert variables["rct_gift"]["Minimum age"] == 12
    assert "repw_001, ..." in variables
    assert len(read["Code lists"]) - 1 == sum(len(c.codes) for c in framework.codelists.values())
    indicators = by(read["Indicators"], "Indicator")
    assert list(indicators) == list(framework.indicators)
    assert indicators["SKL5"]["Counted"] == "All of these indicators: SKL1, SKL2, SKL3, SKL4"
    assert indicators["MED5"]["Restricted to (predicate)"] == "hrm_upset >= 2"
    rules = by(read["Edit rules"], "Rule")
    assert list(rules) == [*framework.rules.classes, *framework.rules.rules]
    assert rules["age_first_use"]["A record breaks it if (predicate)"] == "net_age1 > age"
    assert [row[0] for row in read["Missing codes"][1:]] == list(framework.head.missing)


def test_sheets_are_easy_to_read(files):
    book = openpyxl.load_workbook(files[".xlsx"])
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == sheet.dimensions
        assert all(sheet.column_dimensions[cell.column_letter].width >= 8 for cell in sheet[1])
        assert all(cell.alignment.wrap_text for cell in sheet[2])
        assert not sheet.sheet_view.rightToLeft


def test_arabic_runs_from_right_to_left(tmp_path):
    workbook, html = write_codebook(load_framework(), tmp_path, language="ar")
    book = openpyxl.load_workbook(workbook)
    assert all(sheet.sheet_view.rightToLeft for sheet in book)
    root = lxml.html.parse(str(html)).getroot()
    assert (root.get("lang"), root.get("dir")) == ("ar", "rtl")
    # Names and predicates keep their order inside right-to-left text.
    assert all(code.get("dir") == "ltr" for code in root.iter("code"))
    arabic = translations("ar")
    if arabic.notice:
        assert arabic.notice in root.xpath("//aside")[0].text_content()


def test_texts_are_neither_formulas_nor_markup(tmp_path):
    workbook, html = write_codebook(hostile_framework(), tmp_path)
    cells = [cell for sheet in openpyxl.load_workbook(workbook) for row in sheet for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    assert [(cell.value, cell.quotePrefix) for cell in cells if cell.value == FORMULA] == [(FORMULA, True)]
    root = lxml.html.parse(str(html)).getroot()
    assert list(root.iter("script")) == []
    assert MARKUP in root.get_element_by_id("child-age").text_content()


def test_the_page_asks_nothing_of_the_network(page, files):
    assert not page.xpath("//script | //link | //img | //iframe | //*[@src]")
    assert all(link.get("href").startswith("#") for link in page.iter("a"))
    assert not re.search(r"url\(|@import", files[".html"].read_text("utf-8"))


def test_every_link_has_its_target_and_every_anchor_is_unique(page):
    anchors = page.xpath("//@id")
    assert len(anchors) == len(set(anchors))
    links = {link.get("href")[1:] for link in page.iter("a")}
    assert links <= set(anchors)
    framework = load_framework()
    for record in ("child", "parent"):
        assert {f"{record}-{name}" for name in framework.variables(record)} <= links
    assert {f"indicator-{code}" for code in framework.indicators} <= set(anchors)


def test_the_page_can_be_used_without_seeing_it(page):
    levels = [int(h.tag[1]) for h in page.xpath("//h1 | //h2 | //h3")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    named = page.xpath("//*[@aria-labelledby]")
    assert all(page.get_element_by_id(n.get("aria-labelledby")).text_content().strip() for n in named)
    assert len(page.xpath("//main")) == len(page.xpath("//nav")) == 1
    assert page.xpath("//body/a[@class='skip']/@href") == ["#content"]
    assert all(cell.get("scope") for cell in page.iter("th"))
    assert page.xpath("//meta[@name='viewport']")


def test_the_page_and_the_workbook_say_the_same(page, files):
    article = page.get_element_by_id("child-rct_sexask").text_content()
    row = by(sheets(files[".xlsx"])["Variables"], "Variable")["rct_sexask"]
    for column in ("Label", "Definition", "Asked of", "Asked of (predicate)", "Recall period", "Sensitivity"):
        assert row[column] in article


def test_part_of_the_framework(tmp_path):
    path = tmp_path / "deep" / "contact.html"
    assert write_codebook(load_framework(), path, modules=["contact"]) == [path]
    root = lxml.html.parse(str(path)).getroot()
    assert root.xpath("//article[starts-with(@id, 'child-rct_')]")
    assert not root.xpath("//article[starts-with(@id, 'child-rcd_')]")
    assert not root.xpath("//article[starts-with(@id, 'parent-')]")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_framework_gives_the_same_bytes(tmp_path, language):
    first, second = (
        [path.read_bytes() for path in write_codebook(load_framework(), tmp_path / run, language=language)]
        for run in ("one", "two")
    )
    assert first == second


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError) as caught:
        write_codebook(load_framework(), tmp_path / "out")
    assert caught.value.code == "U143"
