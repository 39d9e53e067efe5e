"""``copstats ingest``, ``status``, ``accept`` and ``reject``."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from copstats.cli.application import Command, settings
from copstats.errors import EXIT_DATA

if TYPE_CHECKING:
    from copstats.store.registry import Registry
    from copstats.store.rows import Submission


@click.command(cls=Command)
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the data files, if elsewhere.")
@click.option("--create-home", is_flag=True, help="Make the home folder if there is none.")
def ingest(path: Path, data: Path | None, create_home: bool) -> None:
    """Take in the submission at PATH: a sealed file of an office, or a raw submission.

    PATH is a sealed file, a folder or zip with a raw submission, or a folder of several. A sealed file is
    verified, decrypted in memory and checked; a raw one is encrypted, checked and pseudonymised here. Ends
    with status 1 if one was rejected, with 2 if one could not be read; the others go on.
    """
    from copstats import steps
    from copstats.cli.application import show_error
    from copstats.cli.screen import progress, stdout
    from copstats.errors import CopstatsError
    from copstats.language import translations
    from copstats.store.home import Home

    options = settings()
    home = options.home_or()
    words = translations(options.language)
    status = 0
    outcomes = []
    with progress(f"Taking in {path}"):
        Home.open(home, create=create_home)
        for one in steps.submissions_in(path):
            try:
                outcome = steps.ingest(home, one, data=data)
            except CopstatsError as error:
                status = max(status, show_error(error, language=options.language))
                outcomes.append({"path": str(one), "state": f"failed {error.code}"})
                continue
            outcomes.append({"path": str(one), "id": outcome.submission.id, "state": outcome.state})
            if outcome.submission.state == "rejected":
                status = max(status, EXIT_DATA)
            if outcome.checked is not None and not outcome.checked.result.accepted and not options.json:
                from copstats.process.report import render_terminal

                checked = outcome.checked
                stdout().print(render_terminal(checked.result, checked.framework, words))
    if options.json:
        print(json.dumps({"submissions": outcomes}, ensure_ascii=False))
    else:
        for line in outcomes:
            print(f"{line.get('id', line['path'])}: {line['state']}")
    if status:
        raise click.exceptions.Exit(status)


@click.command(cls=Command)
@click.argument("submission_id", required=False)
def status(submission_id: str | None) -> None:
    """List submissions and releases, or show one submission with its findings and decisions."""
    from copstats.store.home import Home

    registry = Home.open(settings().home_or()).registry
    if submission_id is None:
        _list(registry)
    else:
        _show(registry, submission_id)


def _list(registry: Registry) -> None:
    from rich.table import Table

    from copstats.cli.screen import stdout

    submissions = registry.submissions()
    if settings().json:
        print(json.dumps([_row(s) for s in submissions], ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("Submission", no_wrap=True)
    table.add_column("State", no_wrap=True)
    for title in ("Records", "Errors", "Warnings"):
        table.add_column(title, justify="right")
    table.add_column("Received", no_wrap=True)
    for one in submissions:
        counts = dict.fromkeys(("error", "warning", "information"), 0)
        for finding in registry.findings(one.id):
            counts[finding.severity] += finding.count
        numbers = (sum(one.records.values()), counts["error"], counts["warning"])
        table.add_row(one.id, str(one.state), *(f"{n:,}" for n in numbers), f"{one.received_at:%Y-%m-%d}")
    stdout().print(table)
    labels = [release.label for release in registry.releases()]
    stdout().print(f"Releases: {', '.join(labels) or 'none yet'}")


def _show(registry: Registry, submission_id: str) -> None:
    import msgspec

    one = registry.get(submission_id)
    findings, decisions = registry.findings(submission_id), registry.decisions(submission_id)
    provenance = registry.provenance(submission_id)
    if settings().json:
        found = [{"rule": f.rule, "severity": f.severity, "count": f.count} for f in findings]
        taken = [
            {"state": str(d.state), "who": d.who, "reason": d.reason, "at": d.at.isoformat()}
            for d in decisions
        ]
        further = {"provenance": msgspec.to_builtins(provenance), "findings": found, "decisions": taken}
        print(json.dumps(_row(one) | further, ensure_ascii=False))
        return
    records = ", ".join(f"{kind} {number:,}" for kind, number in one.records.items())
    shown = _row(one) | {"records": records, "received": f"{one.received_at:%Y-%m-%d %H:%M} UTC"}
    if provenance is not None:
        shown |= {
            name: getattr(provenance, name) for name in ("custody", "linkage", "signing_key", "agreement")
        }
    for key, value in shown.items():
        print(f"{key:<16} {value or '-'}")
    for finding in findings:
        print(f"{finding.severity:<16} {finding.rule}: {finding.count:,}")
    for decision in decisions:
        print(f"{decision.state!s:<16} by {decision.who}, {decision.at:%Y-%m-%d %H:%M} {decision.reason}")


def _row(one: Submission) -> dict[str, object]:
    return {
        "submission": one.id,
        "state": str(one.state),
        "framework": one.framework,
        "records": dict(one.records),
        "received": one.received_at.isoformat(),
        "content_sha256": one.content_hash,
    }


@click.command(cls=Command)
@click.argument("submission_id")
@click.option("--by", default=getpass.getuser, help="Who decides [the account that runs the command].")
def accept(submission_id: str, by: str) -> None:
    """Accept the submission SUBMISSION_ID, which waits; an earlier version of its wave is superseded."""
    _decide(submission_id, accepted=True, by=by, reason="")


@click.command(cls=Command)
@click.argument("submission_id")
@click.option("--reason", required=True, help="Why, for the country: no data of persons.")
@click.option("--by", default=getpass.getuser, help="Who decides [the account that runs the command].")
def reject(submission_id: str, reason: str, by: str) -> None:
    """Decline the submission SUBMISSION_ID, which waits."""
    _decide(submission_id, accepted=False, by=by, reason=reason)


def _decide(submission_id: str, *, accepted: bool, by: str, reason: str) -> None:
    from copstats import steps

    options = settings()
    decided = steps.decide(options.home_or(), submission_id, accept=accepted, who=by, reason=reason)
    if options.json:
        print(json.dumps(_row(decided), ensure_ascii=False))
    else:
        print(f"{decided.id}: {decided.state}")
