"""Styles, languages and fonts of a document."""

from __future__ import annotations

from typing import Any

from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

from copstats.language import Translations

INK, SOFT, ACCENT, SHADE, LINE = "1B2733", "4A5A6A", "0B5394", "E8EEF4", "9FB0C0"
_LANGUAGES = {"ar": "ar-SA", "en": "en-GB", "es": "es-ES", "fr": "fr-FR", "ru": "ru-RU", "zh": "zh-CN"}
_LATIN, _ARABIC, _CHINESE = "Arial", "Arial", "Microsoft YaHei"

# Name, size in points, bold, colour, space before and after in points, kept with the next paragraph.
_STYLES = (
    ("Normal", 10.5, False, INK, 0, 6, False),
    ("Title", 24, True, ACCENT, 0, 4, False),
    ("Subtitle", 12, False, SOFT, 0, 12, False),
    ("Heading 1", 16, True, ACCENT, 20, 8, True),
    ("Heading 2", 12.5, True, INK, 14, 5, True),
    ("Heading 3", 11, True, INK, 10, 4, True),
    ("Caption", 9.5, True, SOFT, 8, 4, False),
    ("List Bullet", 10.5, False, INK, 0, 3, False),
    ("Header", 8.5, False, SOFT, 0, 0, False),
    ("Footer", 8.5, False, SOFT, 0, 0, False),
    ("Report Kind", 11, True, SOFT, 36, 6, False),
    ("Contents Heading", 13, True, ACCENT, 18, 6, True),
    ("Note", 9, False, SOFT, 2, 8, False),
    ("Notice", 9.5, False, INK, 2, 8, False),
    ("Figure", 10.5, False, INK, 8, 2, True),
    ("Table Space", 4, False, INK, 0, 0, False),
    ("Table Text", 8.5, False, INK, 2, 2, False),
    ("Table Number", 8.5, False, INK, 2, 2, False),
    ("TOC 1", 10.5, True, INK, 5, 0, False),
    ("TOC 2", 10, False, INK, 1, 0, False),
)
_TABLE = f"""
<w:style {nsdecls("w")} w:type="table" w:customStyle="1" w:styleId="ReportTable">
  <w:name w:val="Report Table"/><w:basedOn w:val="TableNormal"/><w:uiPriority w:val="99"/><w:qFormat/>
  <w:tblPr><w:tblBorders>
    <w:top w:val="single" w:sz="8" w:space="0" w:color="{ACCENT}"/>
    <w:bottom w:val="single" w:sz="8" w:space="0" w:color="{ACCENT}"/>
    <w:insideH w:val="single" w:sz="4" w:space="0" w:color="{LINE}"/>
  </w:tblBorders><w:tblCellMar>
    <w:left w:w="70" w:type="dxa"/><w:right w:w="70" w:type="dxa"/>
  </w:tblCellMar></w:tblPr>
  <w:tblStylePr w:type="firstRow"><w:rPr><w:b/><w:bCs/></w:rPr><w:tcPr>
    <w:shd w:val="clear" w:color="auto" w:fill="{SHADE}"/><w:vAlign w:val="bottom"/>
  </w:tcPr></w:tblStylePr>
</w:style>
"""


def apply(document: Document, words: Translations, width: int) -> None:
    """Give a new document the styles of reports.

    Args:
        document: of python-docx's own template.
        words: language; sets direction, spelling and fonts.
        width: of a line, in twentieths of a point.
    """
    _defaults(document, words)
    for name, size, bold, colour, before, after, keep_next in _STYLES:
        style = _style(document, name)
        _set_run(style.element, size, bold, colour)
        _set_paragraph(
            style.element, name, before, after, keep_next=keep_next, rtl=words.direction == "rtl", width=width
        )
    document.styles.element.append(parse_xml(_TABLE))


def _style(document: Document, name: str) -> Any:
    if name in document.styles:
        return document.styles[name]
    style: Any = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Normal"]
    if name.startswith("TOC"):  # The names under which Word fills a table of contents.
        style.element.find(qn("w:name")).set(qn("w:val"), name.lower())
        style.element.attrib.pop(qn("w:customStyle"), None)
    return style


def _defaults(document: Document, words: Translations) -> None:
    tag = _LANGUAGES[words.language]
    language = parse_xml(
        f'<w:lang {nsdecls("w")} w:val="{_LANGUAGES["en"] if words.language in ("ar", "zh") else tag}" '
        f'w:eastAsia="{_LANGUAGES["zh"]}" w:bidi="{_LANGUAGES["ar"]}"/>'
    )
    properties = document.styles.element.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
    for name in ("w:lang", "w:rFonts"):
        for old in properties.findall(qn(name)):
            properties.remove(old)
    properties.insert(0, _fonts())
    properties.append(language)


def _fonts() -> Any:
    return parse_xml(
        f'<w:rFonts {nsdecls("w")} w:ascii="{_LATIN}" w:hAnsi="{_LATIN}" w:cs="{_ARABIC}" '
        f'w:eastAsia="{_CHINESE}"/>'
    )


def _set_run(style: Any, size: float, bold: bool, colour: str) -> None:
    if (old := style.find(qn("w:rPr"))) is not None:
        style.remove(old)
    weight = "<w:b/><w:bCs/>" if bold else '<w:b w:val="0"/><w:bCs w:val="0"/>'
    points = round(2 * size)
    properties = parse_xml(
        f'<w:rPr {nsdecls("w")}>{weight}<w:color w:val="{colour}"/><w:sz w:val="{points}"/>'
        f'<w:szCs w:val="{points}"/></w:rPr>'
    )
    properties.insert(0, _fonts())
    style.append(properties)


def _set_paragraph(
    style: Any, name: str, before: float, after: float, *, keep_next: bool, rtl: bool, width: int
) -> None:
    old = style.find(qn("w:pPr"))
    kept = {} if old is None else {child.tag: child for child in old}
    if old is not None:
        style.remove(old)
    tabs = (
        f'<w:tabs><w:tab w:val="right" w:leader="dot" w:pos="{width}"/></w:tabs>'
        if name.startswith("TOC")
        else ""
    )
    frame = _FRAMES.get(name, "")
    indent = '<w:ind w:left="280"/>' if name == "TOC 2" else ""
    direction = "<w:bidi/>" if rtl else ""
    align = '<w:jc w:val="right"/>' if name == "Table Number" else ""
    properties = parse_xml(
        f"<w:pPr {nsdecls('w')}>{'<w:keepNext/>' if keep_next else ''}{frame}{tabs}{direction}"
        f'<w:spacing w:before="{round(20 * before)}" w:after="{round(20 * after)}" w:line="264" '
        f'w:lineRule="auto"/>{indent}{align}</w:pPr>'
    )
    # The number of a list and the level of a heading are what the template gives.
    if (number := kept.get(qn("w:numPr"))) is not None:
        place = [child.tag for child in properties].index(qn("w:spacing")) - (1 if rtl else 0)
        properties.insert(place, number)
    if (level := kept.get(qn("w:outlineLvl"))) is not None:
        properties.append(level)
    style.insert(list(style).index(style.find(qn("w:rPr"))), properties)


_FRAMES = {"Notice": f'<w:shd w:val="clear" w:color="auto" w:fill="{SHADE}"/>'}
"""Shade of a paragraph, by style."""
