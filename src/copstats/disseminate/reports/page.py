"""A report as one HTML page: nothing is loaded from elsewhere, and no script runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from copstats.disseminate.reports.document import Block, Bullets, Figure, Paragraph, Report, Table


def page(report: Report, drawings: Sequence[str]) -> str:
    """Return the page.

    Args:
        report: in any language; sets the direction.
        drawings: SVG of each figure of the report, in order.
    """
    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(Path(__file__).parent),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    words = report.words
    return environment.get_template("report.html.jinja").render(
        report=report,
        sections=_sections(report, drawings),
        language=words.language,
        direction=words.direction,
        say={"skip": words.text("Skip to the content"), "contents": words.text("Contents")},
    )


def _sections(report: Report, drawings: Sequence[str]) -> list[dict[str, Any]]:
    counts = {"table": 0, "figure": 0}
    out = []
    for number, level, section in report.numbered():
        blocks = [_block(report, block, counts, drawings) for block in section.blocks]
        anchor = f"s{number.replace('.', '-')}"
        out.append(
            {"number": number, "level": level, "anchor": anchor, "title": section.title, "blocks": blocks}
        )
    return out


def _block(report: Report, block: Block, counts: dict[str, int], drawings: Sequence[str]) -> dict[str, Any]:
    words = report.words
    if isinstance(block, Paragraph):
        return {"kind": "paragraph", "of": block}
    if isinstance(block, Bullets):
        return {"kind": "bullets", "of": block}
    if isinstance(block, Table):
        counts["table"] += 1
        label = words.text("Table {number}", number=counts["table"])
        return {"kind": "table", "of": block, "label": label, "anchor": f"t{counts['table']}"}
    return _figure(report, block, counts, drawings)


def _figure(report: Report, block: Figure, counts: dict[str, int], drawings: Sequence[str]) -> dict[str, Any]:
    # Drawn by copstats itself; what it shows is escaped there.
    drawing = Markup(drawings[counts["figure"]])  # noqa: S704
    counts["figure"] += 1
    label = report.words.text("Figure {number}", number=counts["figure"])
    return {"kind": "figure", "of": block, "label": label, "drawing": drawing}
