"""DISSEMINATE: the disclosure gate, then one immutable release."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task

from copstats import steps

from .estimation import estimation
from .guard import NOT_KEPT, guarded, if_retriable, told_of_failure


@task(name="publish", retries=3, retry_delay_seconds=2, retry_condition_fn=if_retriable, **NOT_KEPT)
@guarded
def publish(home: str, label: str) -> str:
    """Build the release and put it in its place if nothing stands in the way; return its state."""
    return steps.publish(Path(home), label, by="").state


@flow(
    name="publication",
    log_prints=False,
    persist_result=False,
    validate_parameters=False,
    on_failure=[told_of_failure],
    on_crashed=[told_of_failure],
)
def publication(home: str, label: str = "") -> str:
    """Estimate what is still to be estimated, then prepare the release; publish it if that is approved.

    Args:
        home: the home folder.
        label: of the release, for example ``2026-Q4``; empty: the quarter that it is in the home's time zone.

    Returns:
        ``published``, ``unchanged``, ``in_review``, ``to_be_approved`` or ``embargoed``.
    """
    label = label or steps.current_quarter(Path(home))
    estimation(home, steps.year_of(label))
    return publish(home, label)
