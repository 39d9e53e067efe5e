"""COLLECT and PROCESS: each submission becomes a sealed wave, or is rejected with its findings."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task

from copstats import steps

from .guard import NOT_KEPT, guarded, if_retriable, outcome, told_of_failure


@task(name="take in", retries=3, retry_delay_seconds=2, retry_condition_fn=if_retriable, **NOT_KEPT)
@guarded
def take_in(home: str, folder: str) -> str:
    """Check, pseudonymise and seal; return the state of the submission."""
    return steps.ingest(Path(home), Path(folder)).state


@task(name="take in upload", retries=3, retry_delay_seconds=2, retry_condition_fn=if_retriable, **NOT_KEPT)
@guarded
def take_in_upload(home: str, upload_id: str) -> str:
    """Check, pseudonymise and seal what arrived at the portal; return the state of the submission."""
    return steps.ingest_uploaded(Path(home), upload_id)


@flow(
    name="intake_upload",
    log_prints=False,
    persist_result=False,
    validate_parameters=False,
    on_failure=[told_of_failure],
)
def intake_upload(home: str, upload_id: str) -> str:
    """Take in one upload of the portal.

    Args:
        home: the home folder.
        upload_id: for example ``KEN_4f1c09aa5e3b77d2``.

    Returns:
        State of the submission, or ``refused`` and the codes of the errors.
    """
    return take_in_upload(home, upload_id)


@flow(name="intake", log_prints=False, persist_result=False, validate_parameters=False)
def intake(home: str, inbox: str) -> dict[str, str]:
    """Take in one submission, or all of a folder; one that fails does not stop the others.

    Args:
        home: the home folder.
        inbox: a submission (folder or zip), or a folder that holds submissions.

    Returns:
        Name of the submission's folder -> its state, or ``failed CODE``.
    """
    outcomes = {}
    for folder in steps.submissions_in(Path(inbox)):
        state = take_in(home, str(folder), return_state=True)
        outcomes[folder.name] = outcome(state)
    return outcomes
