"""``copstats check``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from copstats.cli.application import Command, settings
from copstats.errors import EXIT_DATA

if TYPE_CHECKING:
    from copstats.checking import Checked
    from copstats.language import Translations

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PLACE = click.Path(exists=True, path_type=Path)


@click.command(cls=Command)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--manifest", type=_FILE, help="Manifest of a bare data file, if not beside it.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the data files, if elsewhere.")
@click.option("--report", type=click.Path(path_type=Path), help="Write reports into this folder.")
@click.option(
    "--previous",
    type=_PLACE,
    multiple=True,
    help="Earlier round or version: its summary.json, its reports, or the submission.",
)
@click.option("--population", type=_FILE, help="CSV file of the population by sex and age.")
@click.option("--release", type=_PLACE, help="Release with the values of other countries.")
@click.option("--external", type=_FILE, help="CSV file of values that other organisations published.")
@click.option("--all-findings", is_flag=True, help="List every finding, however many.")
@click.option("--areas", type=_FILE, help="Table of further areas, for training with fictional ones.")
def check(  # noqa: PLR0917 - options
    path: Path,
    manifest: Path | None,
    data: Path | None,
    report: Path | None,
    previous: tuple[Path, ...],
    population: Path | None,
    release: Path | None,
    external: Path | None,
    all_findings: bool,
    areas: Path | None,
) -> None:
    """Check the submission at PATH against the framework that it follows.

    PATH is a folder, a zip, or a data file that has its manifest beside it: a survey, administrative counts
    or answers on policy.

    Works offline; nothing leaves this computer, and nothing is stored but the reports that you ask for. Ends
    with status 0 if the submission can be accepted, 1 if it must be corrected.
    """
    from copstats import steps
    from copstats.checking import FINDINGS_KEPT
    from copstats.cli.screen import progress, stdout
    from copstats.language import translations
    from copstats.process.report import as_json, render_terminal

    options = settings()
    words = translations(options.language)
    if steps.is_official(path):
        found = steps.check_official(path, areas=steps.area_table(areas))
        if options.json:
            print(json.dumps({"submission": found.id, "accepted": True, "rows": found.table.num_rows}))
        else:
            told = {"submission": found.id, "count": words.number(found.table.num_rows)}
            print(words.text("{submission}: nothing is wrong. Rows: {count}.", **told))
        return
    with progress(f"Checking {path.name} ..."):
        steps.prepare_gate()
        checked = steps.check(
            path,
            manifest=manifest,
            data=data,
            areas=steps.area_table(areas),
            previous=previous,
            population=population,
            release=release,
            external=external,
            pictures=report is not None,
            at_most=None if all_findings else FINDINGS_KEPT,
        )
        written = _reports(checked, words, report) if report is not None else []
    if options.json:
        print(json.dumps(as_json(checked.result, words), ensure_ascii=False))
    else:
        stdout().print(render_terminal(checked.result, checked.framework, words, written=written))
    if not checked.result.accepted:
        raise click.exceptions.Exit(EXIT_DATA)


def _reports(checked: Checked, words: Translations, folder: Path) -> list[Path]:
    from copstats.process.reports.folder import write_reports

    return write_reports(
        checked.result,
        checked.framework,
        words,
        folder,
        pictures=checked.pictures,
        summary=checked.summary.as_bytes(),
        places=checked.places,
    )
