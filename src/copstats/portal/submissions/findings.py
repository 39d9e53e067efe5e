"""REST interface: what the check of a submission found, in the reader's language."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from copstats.language import LANGUAGES
from copstats.portal.context import PortalOf, WordsOf
from copstats.portal.submissions.status import Reader, found_for
from copstats.steps.arriving import told_errors
from copstats.steps.findings import findings_of

router = APIRouter(tags=["submissions"])


class Problem(BaseModel):
    """Why a file could not be read or believed."""

    code: str
    where: str = Field(description="File, line or column.")
    title: str
    why: str
    hint: str


class Finding(BaseModel):
    """A rule that the submission breaks."""

    rule: str
    severity: Literal["error", "warning", "information"]
    level: int = Field(description="Validation level of the European Statistical System.")
    record: str
    variables: list[str]
    count: int = Field(description="Number of findings.")
    title: str
    why: str
    fix: str
    places: list[int] = Field(
        description="First records concerned, by number in the file sent, from 1; empty for sealed files."
    )


class Findings(BaseModel):
    """What the check found; never the value of a cell."""

    id: str
    state: str
    errors: list[Problem] = Field(description="Why the upload was refused, if it was.")
    findings: list[Finding] = Field(description="Errors first.")


@router.get("/api/submissions/{submission_id}/findings")
def findings(  # noqa: PLR0917 - named by the framework
    submission_id: str,
    response: Response,
    portal: PortalOf,
    identity: Reader,
    words: WordsOf,
    language: Annotated[
        str | None, Query(pattern=f"^({'|'.join(LANGUAGES)})$", description="Else as Accept-Language says.")
    ] = None,
) -> Findings:
    """Tell which rules a submission breaks, where, why it matters, how to put it right."""
    found = found_for(portal, identity, submission_id)
    response.headers["content-language"] = words.language
    upload, submission = found.upload, found.submission
    if submission is not None:
        told = findings_of(portal.home, submission.id, words.language)
        shown = [Finding.model_validate(asdict(one)) for one in told]
        return Findings(id=submission.id, state=str(submission.state), errors=[], findings=shown)
    assert upload is not None  # noqa: S101 - `found_for` returns no other
    problems = [Problem(**one) for one in told_errors(portal.home, upload, words)]
    return Findings(id=upload.id, state=upload.state, errors=problems, findings=[])
