"""``copstats demo``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from copstats.cli.application import Command, settings
from copstats.errors import EXIT_FAULT, FlowStopped, UsageError

if TYPE_CHECKING:
    from copstats.store.home import Home

SHOWN = ("ACC1", "SKL5", "RCD4", "RCT3", "RSK1", "HRM1", "HLP5", "MED4")
"""Indicators of the table at the end: access, skills, the risks, harm, help, mediation."""

PLANTED = "XFF_2025_COPS_v01"
"""The sample with thirty planted faults; sample_data/faults.yaml lists them."""

QUESTION = """\
SELECT ref_area, value, se, ci_lower, ci_upper, comparability
FROM indicator_value
WHERE indicator = 'RCD4' AND sex = '_T' AND age = '_T' AND residence = '_T'
  AND wealth_quintile = '_T' AND disability = '_T' AND region = '_T';"""


@click.command(cls=Command)
@click.option("--label", default="2026-Q4", show_default=True, help="Label of the release.")
@click.option(
    "--samples",
    type=click.Path(path_type=Path),
    default=Path("sample_data"),
    show_default=True,
    help="Folder of the sample data.",
)
def demo(label: str, samples: Path) -> None:
    """Run the main job on sample data: check, seal, estimate, protect, publish.

    Works in ./copstats-demo (or --home). One of the samples has planted faults and is rejected. A second run
    changes nothing and says so.
    """
    if not (samples / "submissions").is_dir():
        raise UsageError("U102", folder=str(samples))
    options = settings()
    folder = options.home_or("copstats-demo")
    from copstats.cli.screen import progress

    with progress(f"Sample surveys of eight fictional countries -> release {label} in {folder}"):
        from copstats.steps import PROGRESS, prepare_gate

        home = _demo_home(folder, samples)
        before = _state(home)
        PROGRESS.info("Starting the workflow engine (10 to 30 seconds the first time)")
        prepare_gate()
        label, outcome = _run(folder, samples, label)
    unchanged = before == _state(home)
    if options.json:
        summary = {"home": str(folder), "label": label, "unchanged": unchanged, "outcome": outcome}
        print(json.dumps(summary, ensure_ascii=False))
    else:
        _show(home, label, outcome, unchanged=unchanged)
    if _went_wrong(outcome):
        raise click.exceptions.Exit(EXIT_FAULT)


def _run(folder: Path, samples: Path, label: str) -> tuple[str, dict[str, str]]:
    """Run the pipeline; where the label is taken by other code or data, publish a revision of it."""
    from copstats.runner import run_flow

    revision = label
    for number in range(1, 100):
        try:
            outcome = run_flow("pipeline", home=folder, inbox=str(samples / "submissions"), label=revision)
        except FlowStopped as stopped:
            if stopped.params["reason"] != "R090":
                raise
            revision = f"{label}-r{number}"
        else:
            break
    return revision, outcome


def _demo_home(folder: Path, samples: Path) -> Home:
    """Open the demo's home; a new one knows the fictional areas and accepts what has no errors."""
    from copstats.store.home import Home

    home = Home.open(folder, create=True)
    if not (home.path / "areas.csv").exists():
        home.change_settings(accept="without_errors", review_days=0, approve_releases="on_schedule")
        for name in ("areas.csv", "denominators.csv"):
            shutil.copyfile(samples / name, home.path / name)
    return Home.open(folder)


def _state(home: Home) -> tuple[object, ...]:
    """Return what a repeated run must leave as it is."""
    registry = home.registry
    return (registry.submissions(), registry.releases(), home.audit.head())


def _went_wrong(outcome: Mapping[str, str]) -> bool:
    """Say whether anything but the submission with the planted faults fell short."""
    rejected = {name for name, state in outcome.items() if state.startswith("rejected")}
    failed = {name for name, state in outcome.items() if state.startswith("failed")}
    return bool(failed) or rejected != {PLANTED}


def _show(home: Home, label: str, outcome: Mapping[str, str], *, unchanged: bool) -> None:
    from copstats.cli.screen import stdout
    from copstats.disseminate.summary import countries_by_indicators

    screen = stdout()
    folder = _shortest(home.releases.folder(label))
    screen.print()
    screen.print(countries_by_indicators(folder / "copstats.duckdb", SHOWN))
    for name, state in outcome.items():
        if state.startswith(("rejected", "failed")):
            screen.print(f"[yellow]{name}: {state}[/]")
            screen.print(f"  [dim]why:[/] copstats check {_samples_path(name)} --areas sample_data/areas.csv")
    if unchanged:
        screen.print("\n[bold]Nothing had to change:[/] the same submissions, the same release.")
    screen.print(
        f"\n[bold]Open[/] {folder / 'copstats.duckdb'} in DuckDB, R or Python, or the same tables in"
    )
    screen.print(f"     {folder / 'csv'} and {folder / 'parquet'}. A question to begin with:\n")
    screen.print(QUESTION, soft_wrap=True)
    screen.print(f"\n[bold]Verify[/] it: copstats audit {folder}   [bold]Read on:[/] docs/analysts.md")


def _samples_path(name: str) -> Path:
    return Path("sample_data") / "submissions" / name


def _shortest(folder: Path) -> Path:
    """Return a path relative to the working folder where that is possible."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
