"""Elements of a WordprocessingML document (ECMA-376, part 1, chapter 17) as text.

In a right-to-left document, ``left`` and ``right`` mean the leading and the trailing edge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from copstats.disseminate.reports.document import Table

_ISOLATE = re.compile("\u2068([^\u2069]*)\u2069")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufefc]")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHORT = 12
"""Rows of a table that is kept on one page."""


def run(text: str, *, rtl: bool, bold: bool = False) -> str:
    """Return the runs of a text.

    Not every program that reads documents knows isolating characters. What they hold becomes a run of its
    own, whose direction is that of its letters; so does a text without a letter of the document's direction.

    Args:
        text: may hold first-strong isolates.
        rtl: direction of the document.
        bold: for all of it.
    """
    return "".join(_run(part, towards, bold) for part, towards in _parts(text, rtl) if part)


def _parts(text: str, rtl: bool) -> Iterator[tuple[str, bool]]:
    if rtl and not _RIGHT_TO_LEFT.search(text):
        text = "\u2068" + _ISOLATE.sub(r"\1", text) + "\u2069"
    at = 0
    for found in _ISOLATE.finditer(text):
        yield text[at : found.start()], rtl
        is_rtl = _RIGHT_TO_LEFT.search(found[1]) is not None
        # Marks on either side keep figures and codes such as 2026-Q4 in their order.
        yield found[1] if is_rtl or not rtl else f"\u200e{found[1]}\u200e", is_rtl
        at = found.end()
    yield text[at:], rtl


def _run(text: str, rtl: bool, bold: bool) -> str:
    weight = "<w:b/><w:bCs/>" if bold else ""
    direction = "<w:rtl/>" if rtl else ""
    properties = f"<w:rPr>{weight}{direction}</w:rPr>" if weight or direction else ""
    clean = escape(_NOT_XML.sub("\ufffd", text))
    return f'<w:r>{properties}<w:t xml:space="preserve">{clean}</w:t></w:r>'


def paragraph(style: str, content: str, *, rtl: bool, keep_next: bool = False) -> str:
    """Return a paragraph.

    Args:
        style: identifier of its style.
        content: runs and the like.
        rtl: direction of the document.
        keep_next: on the page of the next one.
    """
    kept = "<w:keepNext/>" if keep_next else ""
    direction = "<w:bidi/>" if rtl else ""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{kept}{direction}</w:pPr>{content}</w:p>'


def field(instruction: str, result: str) -> str:
    """Return a field with the result that shows until it is updated.

    Args:
        instruction: for example ``PAGE``.
        result: runs.
    """
    return (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {escape(instruction)} </w:instrText></w:r>'
        f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{result}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def bookmarked(name: str, number: int, content: str) -> str:
    """Return content with a bookmark around it."""
    return f'<w:bookmarkStart w:id="{number}" w:name="{name}"/>{content}<w:bookmarkEnd w:id="{number}"/>'


def contents(entries: Sequence[tuple[int, str, str]], *, rtl: bool) -> Iterator[str]:
    """Yield the paragraphs of a table of contents that shows its entries before anybody updates it.

    Page numbers are known once a program has laid the document out: they come with the first update.

    Args:
        entries: level, text and bookmark of each heading.
        rtl: direction of the document.
    """
    begin = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        '<w:r><w:instrText xml:space="preserve"> TOC \\o "1-2" \\h \\z \\u </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
    )
    end = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    for number, (level, text, bookmark) in enumerate(entries):
        link = f'<w:hyperlink w:anchor="{bookmark}" w:history="1">{run(text, rtl=rtl)}</w:hyperlink>'
        content = (begin if number == 0 else "") + link + (end if number == len(entries) - 1 else "")
        yield paragraph(f"TOC{level}", content, rtl=rtl)


def table(of: Table, width: int, *, rtl: bool) -> str:
    """Return a table whose headings repeat on every page.

    Args:
        of: the table.
        width: in twentieths of a point.
        rtl: columns run from right to left.
    """
    shares = of.widths or [1 / len(of.head)] * len(of.head)
    widths = [round(width * share / sum(shares)) for share in shares]
    grid = "".join(f'<w:gridCol w:w="{one}"/>' for one in widths)
    visual = "<w:bidiVisual/>" if rtl else ""
    properties = (
        f'<w:tblPr><w:tblStyle w:val="ReportTable"/>{visual}<w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
        '<w:tblLayout w:type="fixed"/><w:tblLook w:val="0420" w:firstRow="1" w:lastRow="0" w:firstColumn="0" '
        'w:lastColumn="0" w:noHBand="0" w:noVBand="1"/>'
        f"<w:tblCaption w:val={quoteattr(_NOT_XML.sub('', of.caption))}/></w:tblPr>"
    )
    together = len(of.rows) <= _SHORT
    last = len(of.rows) - 1
    rows = [_row(of, of.head, widths, rtl=rtl, head=True, keep_next=True)]
    rows += [
        _row(of, row, widths, rtl=rtl, bold=number in of.strong, keep_next=together and number < last)
        for number, row in enumerate(of.rows)
    ]
    return f"<w:tbl>{properties}<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"


def _row(
    of: Table,
    cells: Sequence[str],
    widths: Sequence[int],
    *,
    rtl: bool,
    head: bool = False,
    bold: bool = False,
    keep_next: bool = False,
) -> str:
    properties = "<w:trPr><w:cantSplit/>" + ("<w:tblHeader/>" if head else "") + "</w:trPr>"
    out = []
    for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        style = "TableText" if of.is_text(column) else "TableNumber"
        content = paragraph(style, run(cell, rtl=rtl, bold=bold), rtl=rtl, keep_next=keep_next)
        out.append(f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{content}</w:tc>')
    return f"<w:tr>{properties}{''.join(out)}</w:tr>"
