"""One submission for those who decide on it: facts, findings, risk, custody, decisions, messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from copstats.errors import CopstatsError, PortalError
from copstats.language import N_, Translations
from copstats.portal.board.common import Reviewer, Staff, back, told
from copstats.portal.board.quality import comparability, response_rate
from copstats.portal.context import Portal, PortalOf, WordsOf, not_found
from copstats.portal.pages import area_name, render
from copstats.portal.provider.findings import TITLES, grouped
from copstats.portal.security.answers import status_of
from copstats.portal.security.forms import read_form
from copstats.portal.security.identity import Identity
from copstats.portal.submissions.messages import send
from copstats.portal.submissions.status import Found, found_for
from copstats.steps import approval
from copstats.steps.arriving import told_errors
from copstats.steps.findings import findings_of
from copstats.store.portal_messages import MessageRegistry
from copstats.store.rows import Submission

router = APIRouter()
RISKS = {
    "alone": N_("Records that are alone with their key"),
    "below_3": N_("Records whose key fewer than three share"),
    "at_risk": N_("Records above the largest risk"),
    "special_uniques": N_("Records that few of their values single out"),
    "same_answer": N_("Records in groups with the same sensitive answer"),
    "alone_in_cluster": N_("Records that are alone with their key in their cluster"),
}
"""Bands of the disclosure risk of a file, see `copstats.process.file_risk`."""
_FILES = {
    "all": N_("Whoever knows age, sex and place"),
    "known": N_("Whoever knows what the country's gate looks at"),
}
_CUSTODY = {
    "double": N_("double: the office made the pseudonyms, the receiving side replaced them"),
    "single": N_("single: the receiving side has seen the raw file"),
}
_AGREEMENT = {
    "own": N_("there is no other check"),
    "agrees": N_("agrees with the check that the office signed"),
    "definitions": N_("made by other definitions or code than the office's: decide with care"),
}


@router.get("/board/submissions/{id_}")
def show(  # noqa: PLR0917 - named by the framework
    request: Request, id_: str, portal: PortalOf, words: WordsOf, identity: Staff, done: str = ""
) -> Response:
    """Show a submission, or an upload that did not become one."""
    found = found_for(portal, identity, id_)
    return _page(request, portal, words, identity, found, told(done, words))


@router.post("/board/submissions/{id_}/decision")
async def decide(
    request: Request, id_: str, portal: PortalOf, words: WordsOf, identity: Reviewer
) -> Response:
    """Record what a reviewer says: ``decision`` is ``approve`` or ``decline``, the latter with a reason."""
    form = await read_form(request)
    return await run_in_threadpool(_decide, request, id_, portal, words, identity, form)


@router.post("/board/submissions/{id_}/messages")
async def write(request: Request, id_: str, portal: PortalOf, words: WordsOf, identity: Staff) -> Response:
    """Write to the country about a submission."""
    form = await read_form(request)
    return await run_in_threadpool(_write, request, id_, portal, words, identity, form)


def _decide(  # noqa: PLR0917 - called with what the framework gives
    request: Request,
    id_: str,
    portal: Portal,
    words: Translations,
    identity: Identity,
    form: Mapping[str, str],
) -> Response:
    found = found_for(portal, identity, id_)
    try:
        after = _said(portal, _submission(found), identity, form)
    except CopstatsError as error:
        found = found_for(portal, identity, id_)
        return _page(request, portal, words, identity, found, problem=error, reason=form.get("reason", ""))
    waits = after.submission.state == "waiting"
    return back(
        words,
        f"board/submissions/{after.submission.id}",
        "approved" if waits else str(after.submission.state),
    )


def _said(
    portal: Portal, submission: Submission, identity: Identity, form: Mapping[str, str]
) -> approval.Approved:
    home, now = portal.home.path, portal.now()
    if form.get("decision") == "approve":
        return approval.approve(home, submission.id, identity.token_id, now=now)
    if form.get("decision") == "decline":
        reason = form.get("reason", "")
        return approval.decline(home, submission.id, identity.token_id, reason=reason, now=now)
    raise PortalError("P306", status=422)


def _write(  # noqa: PLR0917 - called with what the framework gives
    request: Request,
    id_: str,
    portal: Portal,
    words: Translations,
    identity: Identity,
    form: Mapping[str, str],
) -> Response:
    found = found_for(portal, identity, id_)
    submission = _submission(found)
    try:
        send(request, portal, identity, found.area, form.get("text", ""), submission.id)
    except CopstatsError as error:
        return _page(request, portal, words, identity, found, problem=error, text=form.get("text", ""))
    return back(words, f"board/submissions/{submission.id}", "message")


def _submission(found: Found) -> Submission:
    if found.submission is None:
        raise not_found()
    return found.submission


def _page(  # noqa: PLR0917 - what a page is made of
    request: Request,
    portal: Portal,
    words: Translations,
    identity: Identity,
    found: Found,
    sentences: Sequence[str] = (),
    *,
    problem: CopstatsError | None = None,
    **said: str,
) -> Response:
    submission, upload = found.submission, found.upload
    country = area_name(portal, found.area, words)
    return render(
        request,
        "board/submission.html.jinja" if submission else "board/upload.html.jinja",
        title=submission.id if submission else upload.id if upload else "",
        status=status_of(problem) if problem else 200,
        section="board",
        parents=[("board", words.text("Countries")), (f"board/countries/{found.area}", country)],
        told=sentences,
        problems=[problem] if problem else (),
        country=country,
        upload=upload,
        severity_titles={severity: words.text(text) for severity, text in TITLES.items()},
        **(_facts(portal, words, identity, submission) if submission else _refusal(portal, words, found)),
        reason=said.get("reason", ""),
        text_said=said.get("text", ""),
    )


def _refusal(portal: Portal, words: Translations, found: Found) -> dict[str, Any]:
    refused = found.upload is not None and found.upload.state == "refused"
    return {"errors": told_errors(portal.home, found.upload, words) if refused and found.upload else []}


def _facts(portal: Portal, words: Translations, identity: Identity, submission: Submission) -> dict[str, Any]:
    registry = portal.home.registry
    messages = MessageRegistry(registry.database)
    thread = messages.messages(submission.ref_area, submission.id)
    if any(one.from_area and one.read_at is None for one in thread):
        messages.mark_read(submission.ref_area, from_area=True, now=portal.now(), submission_id=submission.id)
    approved = approval.approvals_of(portal.home, submission)
    classes = comparability(portal.home)
    return {
        "submission": submission,
        "manifest": list(_manifest(submission, words)),
        "classes": classes.get((submission.ref_area, str(submission.reference_year)), {}),
        "groups": grouped(findings_of(portal.home, submission.id, words.language), words),
        "provenance": list(_provenance(portal, submission, words)),
        "risks": _risks(portal, submission, words),
        "approved": approved,
        "may_decide": identity.role == "reviewer" and submission.state == "waiting",
        "said_already": approved.by(identity.holder),
        "decisions": registry.decisions(submission.id),
        "versions": [one for one in registry.submissions() if one.wave == submission.wave][::-1],
        "thread": thread,
    }


def _manifest(submission: Submission, words: Translations) -> Iterator[tuple[str, str]]:
    """Yield what the manifest says, as pairs of name and value; what it leaves out is left out."""
    said = submission.manifest
    titles = said.get("title") or {}
    yield words.text("Title"), titles.get(words.language) or next(iter(titles.values()), "")
    yield words.text("Survey"), submission.survey
    yield words.text("Year"), str(submission.reference_year)
    yield words.text("Framework"), submission.framework
    yield words.text("Records"), words.number(sum(submission.records.values()))
    fieldwork = said.get("fieldwork") or {}
    yield (
        words.text("Fieldwork"),
        " / ".join(str(fieldwork[key]) for key in ("start", "end") if key in fieldwork),
    )
    rate = response_rate(submission)
    yield words.text("Response rate (%)"), "" if rate is None else words.number(100 * rate, 1)
    for name, key in ((words.text("Sampling"), "sampling"), (words.text("Mode"), "mode")):
        yield name, str(said.get(key) or "")
    yield words.text("Modules"), ", ".join(said.get("modules") or ())
    yield words.text("Not asked"), ", ".join(said.get("not_asked") or ())
    contact = said.get("contact") or {}
    yield words.text("Contact"), ", ".join(filter(None, (contact.get("organisation"), contact.get("email"))))


def _provenance(portal: Portal, submission: Submission, words: Translations) -> Iterator[tuple[str, str]]:
    found = portal.home.registry.provenance(submission.id)
    if found is None:
        return
    yield words.text("Custody"), words.text(_CUSTODY[found.custody])
    yield words.text("Second check"), words.text(_AGREEMENT[found.agreement])
    yield (
        words.text("Pseudonyms hold for"),
        words.text("the panel") if found.linkage == "panel" else words.text("this wave"),
    )
    yield words.text("Key of the pseudonyms"), found.key_id
    yield words.text("Key of the signature"), found.signing_key


def _risks(
    portal: Portal, submission: Submission, words: Translations
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the bands of the disclosure risk, in words, by what somebody may know."""
    found = portal.home.registry.provenance(submission.id)
    tables = []
    for name, bands in (found.risk if found is not None else {}).items():
        if not isinstance(bands, Mapping):
            continue
        rows = [(words.text(text), str(bands[key])) for key, text in RISKS.items() if key in bands]
        if rows:
            tables.append((words.text(_FILES[name]) if name in _FILES else name, rows))
    return tables
