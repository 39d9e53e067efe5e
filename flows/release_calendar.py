"""The calendar: prepares the release that is due, publishes what waited and may now be seen."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task

from copstats import steps

from .guard import NOT_KEPT, guarded, if_retriable, outcome, told_of_failure
from .publication import publication


@task(name="publish if due", retries=3, retry_delay_seconds=2, retry_condition_fn=if_retriable, **NOT_KEPT)
@guarded
def publish_if_due(home: str, label: str) -> str:
    """Put a prepared release in its place if its review and embargo are over; return its state."""
    return steps.publish_if_due(Path(home), label).state


@flow(name="due release", log_prints=False, persist_result=False, validate_parameters=False)
def due_release(home: str, label: str) -> str:
    """Publish a prepared release if nothing stands in its way; why it could not be is noted and told.

    Args:
        home: the home folder.
        label: of the release.

    Returns:
        ``published``, ``unchanged``, ``in_review``, ``to_be_approved``, ``embargoed`` or ``failed CODE``.
    """
    told = outcome(publish_if_due(home, label, return_state=True))
    if told == "failed U018":  # prepared by other code: estimated anew, and to be approved anew
        told = outcome(publication(home, label, return_state=True))
    steps.note_outcome(Path(home), label, told.removeprefix("failed ") if told.startswith("failed") else "")
    return told


@flow(
    name="release calendar",
    log_prints=False,
    persist_result=False,
    validate_parameters=False,
    on_failure=[told_of_failure],
    on_crashed=[told_of_failure],
)
def release_calendar(home: str) -> dict[str, str]:
    """Do what the calendar asks for now; nothing is published twice, nor older quarters that were missed.

    Args:
        home: the home folder.

    Returns:
        Label -> ``published``, ``in_review``, ``to_be_approved``, ``embargoed`` or ``failed CODE``.
    """
    outcomes = {}
    if (due := steps.label_due(Path(home))) is not None:
        outcomes[due] = publication(home, due)
    for label in steps.prepared_labels(Path(home)):
        outcomes[label] = due_release(home, label)
    return outcomes
