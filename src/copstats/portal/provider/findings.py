"""What the check of a submission found: a page to read and print, and the same as CSV."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from fastapi import APIRouter, Request, Response

from copstats.language import N_, Translations
from copstats.portal.context import PortalOf, WordsOf
from copstats.portal.pages import SEVERITIES, render
from copstats.portal.provider.common import Provider
from copstats.portal.provider.deliveries import submission_of
from copstats.steps.findings import RuleFinding, findings_of

router = APIRouter()
_PLACES = 20
"""So many records of a rule stand on the page; the CSV file has all that are kept."""
TITLES = {"error": N_("Errors"), "warning": N_("Warnings"), "information": N_("Notes")}
_MEANING = {
    "error": N_("These have to be put right: with them the submission is not taken in."),
    "warning": N_("Look at these: put them right, or write to the receiving side why they are as they are."),
    "information": N_("For your information: nothing has to be done."),
}


@dataclass(frozen=True)
class Shown:
    """A rule that is broken, as the page shows it; see `copstats.steps.findings.RuleFinding`."""

    rule: str
    title: str
    why: str
    fix: str
    count: int
    variables: Sequence[str]
    places: str


@router.get("/submissions/{id_}/findings")
def show(request: Request, id_: str, portal: PortalOf, words: WordsOf, identity: Provider) -> Response:
    """Show every rule that the submission breaks, the gravest first, with how to put it right."""
    submission = submission_of(portal, identity, id_)
    found = findings_of(portal.home, submission.id, words.language)
    title = words.text("Findings in {id}", id=submission.id)
    return render(
        request,
        "provider/findings.html.jinja",
        title=title,
        section="country",
        parents=[("country", words.text("Overview")), (f"submissions/{submission.id}", submission.id)],
        submission=submission,
        summary=_summary(found, words),
        groups=grouped(found, words),
        severity_titles={severity: words.text(text) for severity, text in TITLES.items()},
        severity_meaning={severity: words.text(text) for severity, text in _MEANING.items()},
    )


@router.get("/submissions/{id_}/findings.csv")
def download(id_: str, portal: PortalOf, words: WordsOf, identity: Provider) -> Response:
    """Give the findings as CSV: one row a rule, with the numbers of the first records."""
    submission = submission_of(portal, identity, id_)
    found = findings_of(portal.home, submission.id, words.language)
    headers = {"content-disposition": f'attachment; filename="findings-{submission.id}-{words.language}.csv"'}
    return Response(as_csv(found), headers=headers, media_type="text/csv; charset=utf-8")


def grouped(found: Sequence[RuleFinding], words: Translations) -> dict[str, list[Shown]]:
    """Return severity -> rules that are broken, the gravest first; severities without any are left out."""
    groups = {
        severity: [_shown(one, words) for one in found if one.severity == severity] for severity in SEVERITIES
    }
    return {severity: rules for severity, rules in groups.items() if rules}


def as_csv(found: Sequence[RuleFinding]) -> bytes:
    """Return findings as CSV (UTF-8 with byte order mark, which spreadsheets need); no cell is a formula."""
    from copstats.disseminate.files import write_csv_table

    names = ("severity", "rule", "variables", "count", "title", "why", "fix", "records")
    columns = [
        [one.severity for one in found],
        [one.rule for one in found],
        [" ".join(one.variables) for one in found],
        [one.count for one in found],
        [one.title for one in found],
        [one.why for one in found],
        [one.fix for one in found],
        [" ".join(map(str, one.places)) for one in found],
    ]
    kinds = [pa.int64() if name == "count" else pa.string() for name in names]
    sink = io.BytesIO("\ufeff".encode())
    sink.seek(0, io.SEEK_END)
    write_csv_table(sink, pa.table(columns, schema=pa.schema(list(zip(names, kinds, strict=True)))))
    return sink.getvalue()


def _shown(one: RuleFinding, words: Translations) -> Shown:
    listed = ", ".join(map(str, one.places[:_PLACES]))
    rest = one.count - min(len(one.places), _PLACES)
    places = ""
    if listed and rest > 0:
        places = words.text("records {numbers}; and more: {count}", numbers=listed, count=words.number(rest))
    elif listed:
        places = words.text("records {numbers}", numbers=listed)
    return Shown(one.rule, one.title or one.rule, one.why, one.fix, one.count, one.variables, places)


def _summary(found: Sequence[RuleFinding], words: Translations) -> str:
    if not found:
        return words.text("The check found nothing to put right.")
    counts = [
        f"{words.text(TITLES[severity])}: {words.number(sum(one.severity == severity for one in found))}"
        for severity in SEVERITIES
    ]
    return (
        words.text("Rules broken: {count}", count=words.number(len(found))) + ". " + "; ".join(counts) + "."
    )
