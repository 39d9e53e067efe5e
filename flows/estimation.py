"""ANALYSE: every accepted wave without estimates gets them."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task

from copstats import steps

from .guard import NOT_KEPT, guarded, if_retriable, outcome


@task(name="estimate", retries=3, retry_delay_seconds=2, retry_condition_fn=if_retriable, **NOT_KEPT)
@guarded
def estimate(home: str, submission_id: str, as_of_year: int) -> str:
    """Estimate one wave; return ``estimated`` or ``unchanged``."""
    return steps.estimate(Path(home), submission_id, as_of_year=as_of_year)


@flow(name="estimation", log_prints=False, persist_result=False, validate_parameters=False)
def estimation(home: str, as_of_year: int = 0) -> dict[str, str]:
    """Estimate all accepted waves; one that fails does not stop the others.

    Args:
        home: the home folder.
        as_of_year: year against which the age of the data is judged; 0: that of the current quarter.

    Returns:
        Submission id -> ``estimated``, ``unchanged`` or ``failed CODE``.
    """
    outcomes = {}
    as_of_year = as_of_year or steps.year_of(steps.current_quarter(Path(home)))
    for submission_id in steps.waves_to_estimate(Path(home)):
        state = estimate(home, submission_id, as_of_year, return_state=True)
        outcomes[submission_id] = outcome(state)
    return outcomes
