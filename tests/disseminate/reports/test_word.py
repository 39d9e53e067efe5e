"""The Word document, read back by python-docx and LibreOffice."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.oxml.ns import qn
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from copstats.disseminate.published import Published
from copstats.disseminate.reports import Report, docx_bytes, quarterly_report, write_reports
from copstats.disseminate.reports.document import Table
from copstats.disseminate.reports.word import docx
from copstats.disseminate.reports.word_parts import run
from copstats.language import translations

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def opened(documents: dict[str, bytes], language: str) -> Any:
    return Document(io.BytesIO(documents[language]))


def shown(element: Any) -> str:
    """Return the text of an element, without the instructions of its fields."""
    return "".join(part.text or "" for part in element.iter(qn("w:t")))


def test_headings_and_contents(report: Report, documents: dict[str, bytes]) -> None:
    document = opened(documents, "en")
    headings = [p for p in document.paragraphs if p.style.name.startswith("Heading")]
    expected = [(f"Heading {level}", f"{number}  {part.title}") for number, level, part in report.numbered()]
    assert [(p.style.name, p.text) for p in headings] == expected
    entries = [p for p in document.paragraphs if p.style.name.startswith("toc")]
    assert [shown(p._p) for p in entries] == [text for _, text in expected]
    anchors = [link.get(qn("w:anchor")) for p in entries for link in p._p.iter(qn("w:hyperlink"))]
    marks = [mark.get(qn("w:name")) for p in headings for mark in p._p.iter(qn("w:bookmarkStart"))]
    assert anchors == marks and len(set(marks)) == len(marks)


def test_fields_are_whole(documents: dict[str, bytes]) -> None:
    for language in documents:
        body = opened(documents, language).element.body
        depth, instructions = 0, []
        for element in body.iter(qn("w:fldChar"), qn("w:instrText")):
            if element.tag == qn("w:instrText"):
                instructions.append(element.text.split()[0])
            else:
                kind = element.get(qn("w:fldCharType"))
                depth += {"begin": 1, "separate": 0, "end": -1}[kind]
                assert depth >= 0
        assert depth == 0
        assert instructions[0] == "TOC" and set(instructions[1:]) == {"SEQ"}


def test_captions_are_numbered(report: Report, documents: dict[str, bytes]) -> None:
    captions = [shown(p._p) for p in opened(documents, "en").paragraphs if p.style.name == "Caption"]
    blocks = [block for _, _, part in report.numbered() for block in part.blocks]
    tables = [block.caption for block in blocks if isinstance(block, Table)]
    figures = [figure.caption for figure in report.figures()]
    assert [c for c in captions if c.startswith("Table")] == [
        f"Table {number}. {caption}" for number, caption in enumerate(tables, start=1)
    ]
    assert [c for c in captions if c.startswith("Figure")] == [
        f"Figure {number}. {caption}" for number, caption in enumerate(figures, start=1)
    ]


def test_pictures_have_descriptions(report: Report, documents: dict[str, bytes]) -> None:
    document = opened(documents, "en")
    assert len(document.inline_shapes) == len(report.figures()) > 0
    for shape, figure in zip(document.inline_shapes, report.figures(), strict=True):
        assert shape._inline.docPr.get("descr") == figure.description
        assert shape.width.cm <= 17


def test_without_pictures_their_descriptions_stand_in_the_text(report: Report) -> None:
    document = Document(io.BytesIO(docx(report, {})))
    texts = [p.text for p in document.paragraphs]
    assert not document.inline_shapes and all(figure.description in texts for figure in report.figures())


def test_tables_hold_the_cells_and_repeat_their_headings(report: Report, documents: dict[str, bytes]) -> None:
    found = opened(documents, "en").tables
    expected = [b for _, _, part in report.numbered() for b in part.blocks if isinstance(b, Table)]
    assert len(found) == len(expected)
    for table, of in zip(found, expected, strict=True):
        texts = [[shown(cell) for cell in row.iter(qn("w:tc"))] for row in table._tbl.tr_lst]
        assert texts == [list(of.head), *map(list, of.rows)]
        heads = [row.trPr.find(qn("w:tblHeader")) is not None for row in table._tbl.tr_lst]
        assert heads == [True] + [False] * len(of.rows)


def test_properties_and_page_numbers(documents: dict[str, bytes]) -> None:
    document = opened(documents, "en")
    of = document.core_properties
    assert (of.author, of.language, of.created.isoformat()[:10]) == (
        "Office <b>&</b> “partners”",
        "en",
        "2026-12-31",
    )
    footer = document.sections[0].footer._element
    assert [i.text.strip() for i in footer.iter(qn("w:instrText"))] == ["PAGE", "NUMPAGES"]
    assert "Release 2026-Q4" in document.sections[0].header.paragraphs[0].text
    assert [section.orientation for section in document.sections] == [0, 1]


def test_arabic_runs_from_right_to_left(documents: dict[str, bytes]) -> None:
    document = opened(documents, "ar")
    paragraphs = list(document.element.body.iter(qn("w:p")))
    styled = [p for p in paragraphs if p.pPr is not None and p.pPr.style is not None]
    assert all(p.pPr.find(qn("w:bidi")) is not None for p in styled) and len(styled) > 100
    assert all(t._tbl.tblPr.find(qn("w:bidiVisual")) is not None for t in document.tables)
    assert document.sections[0]._sectPr.find(qn("w:bidi")) is not None
    for r in document.element.body.iter(qn("w:r")):
        if re.search("[\u0600-\u06ff]", shown(r)):
            assert r.rPr.find(qn("w:rtl")) is not None
    defaults = document.styles.element.find(f".//{qn('w:docDefaults')}//{qn('w:lang')}")
    assert defaults.get(qn("w:bidi")) == "ar-SA" and defaults.get(qn("w:eastAsia")) == "zh-CN"


def test_isolates_become_runs() -> None:
    text = translations("ar").text("Release {label}", label="2026-Q4")
    xml = etree.fromstring(f'<w:p xmlns:w="{W}">{run(text, rtl=True)}</w:p>')
    found = {shown(r): r.find(f"{{{W}}}rPr/{{{W}}}rtl") is not None for r in xml}
    assert found["\u200e2026-Q4\u200e"] is False and True in found.values()


@given(st.text(), st.booleans())
def test_any_text_is_valid_xml_and_comes_back(text: str, rtl: bool) -> None:
    xml = etree.fromstring(f'<w:p xmlns:w="{W}">{run(text, rtl=rtl)}</w:p>')
    kept = re.sub("[\u2068\u2069\u200e\ufffd\r\n]", "", shown(xml))
    clean = re.sub(
        "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff\u2068\u2069\u200e\ufffd\r\n]", "", text
    )
    assert kept == clean


def test_the_same_bytes_twice(published: Published, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_reports(tmp_path / name, published, ["fr"])
    names = sorted(path.name for path in (tmp_path / "one" / "reports").iterdir())
    assert names == ["quarterly-fr.docx", "quarterly-fr.html"]
    for name in names:
        first, second = ((tmp_path / folder / "reports" / name).read_bytes() for folder in ("one", "two"))
        assert first == second
    with zipfile.ZipFile(tmp_path / "one" / "reports" / "quarterly-fr.docx") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert "docProps/thumbnail.jpeg" not in archive.namelist()


def test_texts_with_markup(published: Published) -> None:
    hostile = "<script>alert('x')</script> & \"قسرية\""
    areas = {code: replace(area, name=f"{hostile} {code}") for code, area in published.areas.items()}
    document = Document(io.BytesIO(docx_bytes(quarterly_report(replace(published, areas=areas), "en"))))
    assert any(f"{hostile} XAA" in shown(table._tbl) for table in document.tables)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_libreoffice_opens_it(written: dict[str, Path], language: str, tmp_path: Path) -> None:
    program = shutil.which("soffice")
    if program is None:
        missing = "no LibreOffice: install soffice"
        if os.environ.get("COPSTATS_COMPLETE") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    target = ["--headless", "--convert-to", "txt:Text (encoded):UTF8", "--outdir", str(tmp_path)]
    done = subprocess.run(
        [program, profile, *target, str(written[language])],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / f"{language}.txt").read_text("utf-8-sig")
    assert "RCD1" in text and "55.3 C" in text
