"""``copstats report``."""

from __future__ import annotations

from pathlib import Path

import click

from copstats.cli.application import Command, settings


@click.command(cls=Command)
@click.option("--quarter", required=True, metavar="QUARTER", help="2026Q4, or the label of a release.")
@click.option("--country", metavar="AREA", help="Write the feedback note of this country instead.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="here",
    help="Folder that the files are written to.",
)
def report(quarter: str, country: str | None, output: Path) -> None:
    """Write the quarterly report to the working group, or a country's feedback note: DOCX and HTML.

    Its figures are those of the published release. Countries are named only where values of theirs are
    published; other submissions are counted.
    """
    from copstats import reporting

    options = settings()
    home, language = options.home_or(), options.language
    if country is None:
        paths = reporting.write_quarterly(home, quarter, output, language=language)
    else:
        paths = reporting.write_feedback(home, quarter, country, output, language=language)
    for path in paths:
        print(path)
