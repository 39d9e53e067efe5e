"""``copstats review``: what countries say of their values before these are published."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from copstats.cli.application import Group, settings
from copstats.language import N_

if TYPE_CHECKING:
    from copstats.store.rows import Answer, Review

_ANSWERS: Mapping[Answer, str] = {
    "waiting": N_("waiting"),
    "confirmed": N_("confirmed"),
    "objected": N_("objected"),
}


@click.group(cls=Group, invoke_without_command=True)
@click.pass_context
def review(context: click.Context) -> None:
    """List what countries may answer, or show, confirm, object."""
    if context.invoked_subcommand is None:
        _list()


@review.command()
@click.argument("label")
@click.argument("area")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="here",
    help="Folder that the files are written to.",
)
def show(label: str, area: str, output: Path) -> None:
    """Write what AREA may see of the prepared release LABEL: a note (HTML, DOCX) and tables (CSV)."""
    from copstats import reporting

    options = settings()
    paths = reporting.write_preview(options.home_or(), label, area, output, language=options.language)
    for path in paths:
        print(path)


@review.command()
@click.argument("label")
@click.argument("area")
@click.option("--by", default=getpass.getuser, help="Who answers [the account that runs the command].")
def confirm(label: str, area: str, by: str) -> None:
    """Record that AREA agrees to its values in the prepared release LABEL."""
    from copstats import steps

    answered = steps.answer_review(settings().home_or(), label, area, who=by)
    _say(answered)


@review.command(name="object")
@click.argument("label")
@click.argument("area")
@click.option(
    "--indicator",
    "indicators",
    multiple=True,
    help="Code, or counts or answers as `copstats review` names them; may be repeated [all].",
)
@click.option("--reason", required=True, help="Why, in words; no data of persons.")
@click.option("--by", default=getpass.getuser, help="Who answers [the account that runs the command].")
def objection(label: str, area: str, indicators: tuple[str, ...], reason: str, by: str) -> None:
    """Record that AREA objects to values in the prepared release LABEL: they stay out of it."""
    from copstats import steps

    answered = steps.answer_review(
        settings().home_or(), label, area, who=by, indicators=indicators, reason=reason
    )
    _say(answered)


def _list() -> None:
    from copstats.store.home import Home

    _say(Home.open(settings().home_or()).registry.reviews())


def _say(reviews: list[Review]) -> None:
    if settings().json:
        print(json.dumps([_row(one) for one in reviews], ensure_ascii=False))
        return
    from rich.table import Table

    from copstats.cli.screen import stdout
    from copstats.language import translations

    words = translations(settings().language)
    table = Table(box=None, pad_edge=False)
    for title in (N_("Release"), N_("Wave"), N_("Answer"), N_("Until"), N_("Indicators"), N_("By")):
        table.add_column(words.text(title), no_wrap=True)
    for one in reviews:
        named = ", ".join(one.indicators) or (words.text("all") if one.answer == "objected" else "")
        until = f"{one.closes_at:%Y-%m-%d}"
        table.add_row(one.label, one.wave, words.text(_ANSWERS[one.answer]), until, named, one.who)
    stdout().print(table)


def _row(one: Review) -> dict[str, object]:
    return {
        "label": one.label,
        "wave": one.wave,
        "ref_area": one.ref_area,
        "submission": one.submission_id,
        "answer": one.answer,
        "indicators": list(one.indicators),
        "closes_at": one.closes_at.isoformat(),
        "by": one.who,
        "reason": one.reason,
    }
