"""``copstats weight``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from copstats.cli.application import Command, settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(cls=Command)
@click.argument("data", type=_FILE)
@click.option("--plan", type=_FILE, required=True, help="weighting.yaml: the steps, and what they need.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for the weights, the report and the lines of the manifest.",
)
def weight(data: Path, plan: Path, out: Path) -> None:
    """Compute final weights from base weights: non-response, trimming, calibration.

    DATA has one record for each sampled person, respondents and others, in any format that a submission may
    have. For a country that has base weights only: final weights are used as they are. Works offline; merge
    weights.csv with your data here.
    """
    from copstats.cli.screen import progress, stdout
    from copstats.cli.weight_view import as_json, render
    from copstats.language import translations
    from copstats.weighting import weigh, write_results

    options = settings()
    words = translations(options.language)
    with progress(words.text("Weighting {file} ...", file=data.name)):
        found = weigh(data, plan)
        tables = [Path(plan.parent, table.file) for table in found.plan.says.margins]
        written = write_results(found, words, out, read=(data, plan, *tables))
    if options.json:
        print(json.dumps(as_json(found, written), ensure_ascii=False))
        return
    stdout().print(render(found, words, written))
