"""ANALYSE: accepted waves get estimates and sums by PSU, sealed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from copstats.differences import KEPT_GROUP_ERRORS
from copstats.errors import UsageError
from copstats.framework import load_framework
from copstats.steps.common import PROGRESS, estimates_fingerprint
from copstats.steps.withdrawal import finish_withdrawals
from copstats.store.home import Home
from copstats.store.rows import State

if TYPE_CHECKING:
    import pyarrow as pa


def waves_to_estimate(home_path: Path) -> list[str]:
    """Return the ids of the accepted submissions, one a wave."""
    return [submission.id for submission in Home.open(home_path).registry.current_waves()]


def estimate(home_path: Path, submission_id: str, *, as_of_year: int) -> str:
    """Estimate all indicators of an accepted wave; keep the estimates and the sums by PSU, sealed.

    Args:
        home_path: the home folder.
        submission_id: of an accepted submission.
        as_of_year: year against which the age of the data is judged.

    Returns:
        ``estimated``, or ``unchanged`` if the same wave was estimated by the same framework and code.
    """
    home = Home.open(home_path)
    submission = home.registry.get(submission_id)
    if submission.state != State.ACCEPTED:
        raise UsageError("U105", submission=submission_id, state=str(submission.state), needed="accepted")
    framework = load_framework(submission.framework)
    fingerprint = estimates_fingerprint(home, submission, as_of_year)
    if home.warehouse.has(submission_id, fingerprint):
        PROGRESS.info("%s: estimates unchanged", submission_id)
        return "unchanged"
    from copstats.analyse.groups import group_errors
    from copstats.analyse.wave import estimate_wave

    finish_withdrawals(home, submission)
    home.audit.append("wave.opened", submission_id, purpose="estimation")
    wave = home.waves.open(submission_id)
    sums: dict[str, pa.Table] = {}
    table = estimate_wave(
        wave.read("child"),
        wave.read("parent") if "parent" in wave.records else None,
        submission.survey_manifest,
        submission.survey_crosswalk,
        framework,
        as_of_year=as_of_year,
        keep=sums.update,
    )
    errors = group_errors(table, sums, submission.survey_manifest, framework)
    home.waves.write_cells(submission_id, fingerprint, sums | {KEPT_GROUP_ERRORS: errors})
    home.warehouse.write(submission_id, fingerprint, table)
    home.audit.append("wave.estimated", submission_id, rows=table.num_rows)
    home.registry.record_estimates(submission_id, fingerprint)
    PROGRESS.info("%s: %s estimates", submission_id, f"{table.num_rows:,}")
    return "estimated"
