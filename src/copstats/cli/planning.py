"""``copstats framework assess`` and ``copstats framework sample-size``."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from copstats.cli.application import Command, settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from copstats.framework.sampling_design import Precision, SampleSize

_TITLES = {
    "prevalence": "Share",
    "margin": "Margin +-",
    "relative_margin": "Relative margin",
    "standard_error": "SE",
    "deff": "DEFF",
    "valid_answers": "Valid answers",
    "effective": "Effective n",
    "children": "Interviews",
    "children_to_select": "Children to ask",
    "households_to_select": "Households to draw",
    "psus": "PSUs",
    "psus_to_select": "PSUs to draw",
    "households_per_psu": "Households a PSU",
    "domains": "Domains",
    "tier A": "Tier A: interviews",
    "tier B": "Tier B: interviews",
}
_SHARES = ("prevalence", "margin", "relative_margin", "standard_error")


@click.command(cls=Command)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the data files, if elsewhere.")
@click.option(
    "--areas",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Table of further areas, for training with fictional ones.",
)
@click.option(
    "--crosswalk",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the proposals here, commented out.",
)
def assess(path: Path, data: Path | None, areas: Path | None, target: Path | None) -> None:
    """Say which indicators a national file could feed, and how comparable they would be.

    PATH is a submission (manifest and crosswalk; data are not needed), or an SPSS, Stata or other data file,
    whose names and labels are matched with the framework. Matches are proposals; none is applied.
    """
    from copstats import planning, steps
    from copstats.cli.assess_view import as_json, render
    from copstats.cli.screen import progress, stdout

    with progress(f"Assessing {path.name}"):
        found = planning.assess(path, data=data, areas=steps.area_table(areas))
    if target is not None:
        target.write_text(planning.proposed_crosswalk(found), "utf-8")
    if settings().json:
        print(json.dumps(as_json(found), ensure_ascii=False))
        return
    stdout().print(render(found))
    if target is not None:
        print(target)


@click.command("sample-size", cls=Command)
@click.option(
    "--prevalence", "-p", type=float, multiple=True, help="Expected share, 0 to 1; may be repeated."
)
@click.option("--margin", type=float, help="Half-width of the interval, as a share: 0.05 is 5 points.")
@click.option("--relative-margin", type=float, help="Half-width as a share of the prevalence.")
@click.option(
    "--children", type=float, help="Go back: the precision that so many interviews in a domain give."
)
@click.option("--confidence", type=float, default=0.95, show_default=True)
@click.option("--deff", type=float, help="Design effect, if known from an earlier survey.")
@click.option("--icc", type=float, help="Intracluster correlation, in place of --deff.")
@click.option("--per-psu", type=float, help="Children interviewed in each primary sampling unit.")
@click.option(
    "--base-share", type=float, default=1.0, show_default=True, help="Share in the indicator's base."
)
@click.option("--population", type=int, help="Children of the domain in the population.")
@click.option("--domains", type=int, default=1, show_default=True, help="Domains that get this precision.")
@click.option("--psu-response", type=float, default=1.0, show_default=True)
@click.option("--household-response", type=float, default=1.0, show_default=True)
@click.option("--child-response", type=float, default=1.0, show_default=True)
@click.option("--eligible-share", type=float, default=1.0, show_default=True, help="Households with a child.")
def sample_size(  # noqa: PLR0917 - click passes them by name
    prevalence: tuple[float, ...],
    margin: float | None,
    relative_margin: float | None,
    children: float | None,
    confidence: float,
    deff: float | None,
    icc: float | None,
    per_psu: float | None,
    base_share: float,
    population: int | None,
    domains: int,
    psu_response: float,
    household_response: float,
    child_response: float,
    eligible_share: float,
) -> None:
    r"""From expected prevalence, design effect and response to the children and PSUs needed, and back.

    \b
    copstats framework sample-size -p 0.15 --margin 0.03 --icc 0.05 --per-psu 20 --child-response 0.8
    copstats framework sample-size -p 0.15 --children 1500 --deff 1.8
    """
    from copstats.framework.publishable import publishable
    from copstats.framework.sample_size import precisions, sizes
    from copstats.framework.sampling_design import Design, Fieldwork

    design = Design(deff, icc, per_psu, base_share, population, confidence)
    shares = prevalence or (0.01, 0.05, 0.10, 0.20, 0.50)
    rows: Iterable[SampleSize | Precision]
    if children is not None:
        rows = precisions(shares, children, design=design)
    else:
        fieldwork = Fieldwork(psu_response, household_response, child_response, eligible_share)
        wanted = None if relative_margin is not None else margin if margin is not None else 0.05
        rows = sizes(
            shares,
            margin=wanted,
            relative_margin=relative_margin,
            design=design,
            fieldwork=fieldwork,
            domains=domains,
        )
    found = [dataclasses.asdict(row) for row in rows]
    needed = [
        dataclasses.asdict(one) for share in shares for one in publishable(share, base_share=base_share)
    ]
    if settings().json:
        print(json.dumps({"results": found, "publishable": needed}, ensure_ascii=False))
        return
    from copstats.cli.screen import stdout

    stdout().print(_table(found))
    stdout().print(
        "\nInterviews in a domain from which on its value is published; tier B is the most sensitive:"
    )
    of_share = [{"prevalence": s, **_published(needed, i)} for i, s in enumerate(shares)]
    stdout().print(_table(of_share))


def _published(needed: list[dict[str, object]], index: int) -> dict[str, object]:
    tiers = needed[2 * index : 2 * index + 2]
    return {f"tier {tier['tier']}": tier["children"] for tier in tiers}


def _table(rows: list[dict[str, object]]) -> Table:
    from rich.table import Table

    columns = [name for name in _TITLES if any(row.get(name) is not None for row in rows)]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    for name in columns:
        table.add_column(_TITLES[name], justify="right")
    for row in rows:
        table.add_row(*(_written(name, row[name]) for name in columns))
    return table


def _written(name: str, value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1%}" if name in _SHARES else f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
