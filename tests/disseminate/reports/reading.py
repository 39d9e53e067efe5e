"""Finds parts of a report."""

from __future__ import annotations

from copstats.disseminate.reports.document import Bullets, Figure, Paragraph, Report, Section, Table


def section(report: Report, title: str) -> Section:
    """Return a section by its title, with what its parts hold."""
    found = next(part for _, _, part in report.numbered() if part.title == title)
    blocks = [*found.blocks, *(block for part in found.sections for block in part.blocks)]
    return Section(found.title, blocks)


def tables(of: Section) -> dict[str, Table]:
    """Return caption -> table."""
    return {block.caption: block for block in of.blocks if isinstance(block, Table)}


def cells(of: Table) -> dict[str, list[str]]:
    """Return first cell -> the others."""
    return {row[0]: list(row[1:]) for row in of.rows}


def said(of: Section) -> str:
    """Return everything that a section says in words."""
    out = []
    for block in of.blocks:
        if isinstance(block, Paragraph):
            out.append(block.text)
        elif isinstance(block, Bullets):
            out += block.items
        elif isinstance(block, Table):
            out += [block.caption, *block.head, *(cell for row in block.rows for cell in row)]
        else:
            out += [block.caption, block.description]
    return "\n".join(out)


def everything(report: Report) -> str:
    """Return all words of a report."""
    heads = [report.kind, report.title, report.subtitle, *report.notes]
    return "\n".join([*heads, *(f"{part.title}\n{said(part)}" for _, _, part in report.numbered())])


def drawn(figure: Figure) -> str:
    """Return the specification of a chart as text."""
    return str(figure.spec)
