"""A report as a Word document."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from docx import Document as new_document
from docx.document import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Twips

from copstats.disseminate.reports import word_parts, word_styles
from copstats.disseminate.reports.document import Block, Bullets, Figure, Paragraph, Report, Section, Table
from copstats.framework.export.output import EPOCH

_LONG, _SHORT, _MARGIN = 16838, 11906, 1134
"""A4 and its margins, in twentieths of a point."""
_PICTURE = 9070
"""Width of a chart, in the same unit: 16 cm."""
_HERE, _THERE = "\x00", "\x01"
"""Where fields stand in a text."""
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def docx(report: Report, pictures: Mapping[int, bytes]) -> bytes:
    """Return a report as a document; the same report and pictures give the same bytes.

    Headings, captions with numbers that fields count, a table of contents, page numbers, headings of tables
    that repeat, and descriptions of pictures are those that Word knows.

    Args:
        report: in any language.
        pictures: place of a chart among the report's figures, from 0 -> PNG; without one its description
            stands in the document.
    """
    return _Writer(report, pictures).written()


class _Writer:
    def __init__(self, report: Report, pictures: Mapping[int, bytes]) -> None:
        self._report = report
        self._pictures = pictures
        self._rtl = report.words.direction == "rtl"
        self._document: Document = new_document()
        self._counts = {"Table": 0, "Figure": 0}
        self._wide = False

    def written(self) -> bytes:
        """Write everything and return the file."""
        word_styles.apply(self._document, self._report.words, self._line)
        self._lay_out_first()
        self._properties()
        self._front()
        for number, level, section in self._report.numbered():
            self._section(number, level, section)
        target = io.BytesIO()
        self._document.save(target)
        return _same_bytes(target.getvalue())

    @property
    def _line(self) -> int:
        return (_LONG if self._wide else _SHORT) - 2 * _MARGIN

    def _add(self, xml: str) -> Any:
        """Add an element at the end of the document."""
        tag, rest = xml.split(">", 1)
        element = parse_xml(f"{tag} {nsdecls('w')}>{rest}")
        self._document.element.body.sectPr.addprevious(element)
        return element

    def _paragraph(self, style: str, text: str, *, keep_next: bool = False) -> Any:
        content = word_parts.run(text, rtl=self._rtl)
        return self._add(word_parts.paragraph(style, content, rtl=self._rtl, keep_next=keep_next))

    def _front(self) -> None:
        report = self._report
        self._paragraph("ReportKind", report.kind)
        self._paragraph("Title", report.title)
        self._paragraph("Subtitle", report.subtitle)
        for note in (*report.notes, *filter(None, (report.publisher, report.contact))):
            self._paragraph("Notice" if note in report.notes else "Normal", note)
        self._paragraph("ContentsHeading", report.words.text("Contents"))
        entries = [
            (level, f"{number}  {part.title}", _bookmark(number)) for number, level, part in report.numbered()
        ]
        for entry in word_parts.contents(entries, rtl=self._rtl):
            self._add(entry)

    def _section(self, number: str, level: int, section: Section) -> None:
        if section.wide != self._wide:
            self._turn(section.wide)
        text = word_parts.run(f"{number}  {section.title}", rtl=self._rtl)
        marked = word_parts.bookmarked(_bookmark(number), int(number.replace(".", "0")), text)
        heading = self._add(word_parts.paragraph(f"Heading{level}", marked, rtl=self._rtl))
        if number == "1":
            heading.pPr.insert_element_before(
                parse_xml(f"<w:pageBreakBefore {nsdecls('w')}/>"), "w:bidi", "w:spacing", "w:jc"
            )
        for block, following in zip_longest(section.blocks, section.blocks[1:]):
            self._block(block, following)

    def _block(self, block: Block, following: Block | None) -> None:
        if isinstance(block, Paragraph):
            style = "Note" if block.quiet else "Normal"
            self._paragraph(style, block.text, keep_next=isinstance(following, Table | Figure))
        elif isinstance(block, Bullets):
            for item in block.items:
                self._paragraph("ListBullet", item)
        elif isinstance(block, Table):
            self._caption("Table", block.caption, keep_next=True)
            self._add(word_parts.table(block, self._line, rtl=self._rtl))
            self._paragraph("TableSpace", "")
        else:
            self._figure(block, noted=isinstance(following, Paragraph) and following.quiet)

    def _figure(self, figure: Figure, *, noted: bool) -> None:
        if (picture := self._pictures.get(self._counts["Figure"])) is None:
            self._paragraph("Normal", figure.description, keep_next=True)
            self._caption("Figure", figure.caption, keep_next=noted)
            return
        inline = self._document.part.new_pic_inline(io.BytesIO(picture), width=Twips(_PICTURE))
        inline.docPr.set("descr", figure.description)
        inline.docPr.set("title", figure.caption)
        holder = self._add(word_parts.paragraph("Figure", "<w:r/>", rtl=self._rtl, keep_next=True))
        holder.r_lst[0].add_drawing(inline)
        self._caption("Figure", figure.caption, keep_next=noted)

    def _caption(self, kind: str, text: str, *, keep_next: bool = False) -> None:
        self._counts[kind] += 1
        words = self._report.words
        table, figure = (
            words.text("Table {number}", number=_HERE),
            words.text("Figure {number}", number=_HERE),
        )
        label = table if kind == "Table" else figure
        before, _, after = label.replace("\u2068", "").replace("\u2069", "").partition(_HERE)
        number = word_parts.field(
            f"SEQ {kind} \\* ARABIC", word_parts.run(str(self._counts[kind]), rtl=False)
        )
        content = (
            word_parts.run(before, rtl=self._rtl) + number + word_parts.run(f"{after}. {text}", rtl=self._rtl)
        )
        self._add(word_parts.paragraph("Caption", content, rtl=self._rtl, keep_next=keep_next))

    def _lay_out_first(self) -> None:
        section = self._document.sections[0]
        section.page_width, section.page_height = Twips(_SHORT), Twips(_LONG)
        for edge in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
            setattr(section, edge, Twips(_MARGIN))
        section.different_first_page_header_footer = True
        if self._rtl:
            direction = parse_xml(f"<w:bidi {nsdecls('w')}/>")
            section._sectPr.insert_element_before(direction, "w:rtlGutter", "w:docGrid")
        report = self._report
        head = word_parts.run(f"{report.title} · {report.subject}", rtl=self._rtl)
        pages = report.words.text("Page {page} of {pages}", page=_HERE, pages=_THERE)
        _fill(section.header, "Header", head, rtl=self._rtl)
        for footer in (section.footer, section.first_page_footer):
            _fill(footer, "Footer", self._numbered(pages), rtl=self._rtl)

    def _numbered(self, pages: str) -> str:
        fields = {_HERE: "PAGE", _THERE: "NUMPAGES"}
        clean = pages.replace("\u2068", "").replace("\u2069", "")
        out, text = "", ""
        for letter in clean:
            if letter in fields:
                out += word_parts.run(text, rtl=self._rtl) + word_parts.field(
                    fields[letter], word_parts.run("1", rtl=False)
                )
                text = ""
            else:
                text += letter
        return out + word_parts.run(text, rtl=self._rtl)

    def _turn(self, wide: bool) -> None:
        section = self._document.add_section(WD_SECTION.NEW_PAGE)
        section.different_first_page_header_footer = False
        section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = (
            (Twips(_LONG), Twips(_SHORT)) if wide else (Twips(_SHORT), Twips(_LONG))
        )
        self._wide = wide

    def _properties(self) -> None:
        report, of = self._report, self._document.core_properties
        day = report.date
        at = dt.datetime(day.year, day.month, day.day) if day else EPOCH
        of.author = of.last_modified_by = report.publisher
        of.title, of.subject, of.category = report.title, report.subject, report.kind
        of.language, of.comments, of.keywords = report.words.language, "", ""
        of.created = of.modified = at
        of.revision = 1
        relations = self._document.part.package.rels
        for name in [key for key, rel in relations.items() if rel.reltype == RELATIONSHIP_TYPE.THUMBNAIL]:
            del relations[name]  # The template's own picture of an empty page.


def _bookmark(number: str) -> str:
    return f"_Toc{number.replace('.', '_')}"


def _fill(part: Any, style: str, content: str, *, rtl: bool) -> None:
    part.is_linked_to_previous = False
    old = part.paragraphs[0]._p
    xml = word_parts.paragraph(style, content, rtl=rtl)
    old.addprevious(parse_xml(xml.replace("<w:p>", f"<w:p {nsdecls('w')}>", 1)))
    old.getparent().remove(old)


def _same_bytes(written: bytes) -> bytes:
    """Return a zip file with the same members and no time in it."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(written)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name, _ZIP_EPOCH)
            member.external_attr = 0o644 << 16
            member.create_system = 3
            new.writestr(member, old.read(name), zipfile.ZIP_DEFLATED, 9)
    return target.getvalue()
