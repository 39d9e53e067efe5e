"""The whole way: every submission of a folder, then estimation, then publication."""

from __future__ import annotations

from prefect import flow

from .intake import intake
from .publication import publication


@flow(name="pipeline", log_prints=False, persist_result=False, validate_parameters=False)
def pipeline(home: str, inbox: str, label: str) -> dict[str, str]:
    """Run the main job.

    Args:
        home: the home folder.
        inbox: folder that holds one folder or zip a submission.
        label: of the release.

    Returns:
        Name of the submission's folder -> its state or ``failed CODE``; and ``release`` -> its state.
    """
    outcome = intake(home, inbox)
    outcome["release"] = publication(home, label)
    return outcome
