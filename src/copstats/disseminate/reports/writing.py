"""Writes reports as files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from copstats.disseminate.charts import letters_available, render_png, render_svg
from copstats.disseminate.published import Published
from copstats.disseminate.reports.document import Report
from copstats.disseminate.reports.facts import Facts
from copstats.disseminate.reports.page import page
from copstats.disseminate.reports.quarterly import compose
from copstats.disseminate.reports.word import docx
from copstats.language import LANGUAGES

FOLDER = "reports"


def write_reports(folder: Path, published: Published, languages: Iterable[str] = tuple(LANGUAGES)) -> None:
    """Write the quarterly report in each language, as ``reports/quarterly-LANG.docx`` and ``.html``.

    Args:
        folder: of the release.
        published: the release.
        languages: BCP 47.
    """
    facts = Facts(published)
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    for language in languages:
        for name, content in report_files(compose(facts, language), f"quarterly-{language}").items():
            (target / name).write_bytes(content)


def report_files(report: Report, name: str) -> dict[str, bytes]:
    """Return file name -> content of a report in both formats.

    Args:
        report: any report.
        name: of the files, without the suffix.
    """
    return {f"{name}.docx": docx_bytes(report), f"{name}.html": html_text(report).encode()}


def docx_bytes(report: Report) -> bytes:
    """Return a report as a Word document.

    Charts are pictures whose letters come from the fonts of this machine. Where it has none for the language,
    the description of each chart takes its place.
    """
    if not letters_available(report.words.language):
        return docx(report, {})
    return docx(report, {place: render_png(figure.spec) for place, figure in enumerate(report.figures())})


def html_text(report: Report) -> str:
    """Return a report as one HTML page."""
    return page(report, render_svg([figure.spec for figure in report.figures()]))
