"""Shows an assessment: modules covered, columns proposed, indicators with class and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from copstats.analyse.assessment import Outlook
    from copstats.analyse.indicators import Absence
    from copstats.collect.proposals import Candidate, Proposal
    from copstats.planning import Assessment, ModuleCoverage

_BAR = 10
_STATES = {"computable": "[green]yes[/]", "possible": "[yellow]perhaps[/]", "absent": "[dim]no[/]"}
_WITHOUT_DATA = "item_nonresponse"
_LEGEND = """\
[dim]Class: what the documents show; behind the arrow, what it can be if all that they do not tell (marked ?)
turns out well. Item non-response is known after estimation only.
Proposals are applied nowhere; a score orders candidates and is no probability.[/]"""


def render(assessment: Assessment) -> RenderableType:
    """Return the assessment for the terminal."""
    parts: list[RenderableType] = [_heading(assessment), _modules(assessment)]
    if assessment.proposals:
        parts.append(_proposals(assessment))
    parts += [_indicators(assessment), _LEGEND]
    return Group(*(part for pair in parts for part in (pair, "")))


def as_json(assessment: Assessment) -> dict[str, object]:
    """Return the assessment as it is printed with ``--json``."""
    manifest = assessment.manifest
    return {
        "name": assessment.name,
        "framework": assessment.framework.id,
        "submission": manifest.submission_id if manifest is not None else None,
        "files_read": dict(assessment.read),
        "as_of_year": assessment.as_of_year,
        "modules": [
            {
                "module": one.module,
                "record": one.record,
                "declared": one.declared,
                "held": list(one.held),
                "proposed": list(one.proposed),
                "missing": list(one.missing),
            }
            for one in assessment.modules
        ],
        "variables": [
            {"record": f.record, "variable": f.variable, "source": f.source, "columns": list(f.columns)}
            for f in assessment.feedings
        ],
        "proposals": [
            {
                "record": one.record,
                "variable": one.variable,
                "likely": one.likely,
                "candidates": [_candidate_json(candidate) for candidate in one.candidates],
            }
            for one in assessment.proposals
        ],
        "indicators": [_outlook_json(one) for one in assessment.outlooks],
    }


def _candidate_json(candidate: Candidate) -> dict[str, object]:
    return {
        "column": candidate.column,
        "label": candidate.label,
        "score": candidate.score,
        "recode": [{"value": value, "code": code} for value, code in candidate.recode.items()],
    }


def _outlook_json(outlook: Outlook) -> dict[str, object]:
    prospect = outlook.prospect
    return {
        "indicator": outlook.indicator,
        "record": outlook.record,
        "state": outlook.state,
        "needs": list(outlook.needs),
        "missing": list(outlook.missing),
        "absent_reason": outlook.absence.reason if outlook.absence else None,
        "absent_detail": outlook.absence.detail if outlook.absence else None,
        "comparability": prospect.documented if prospect else None,
        "comparability_at_best": prospect.best if prospect else None,
        "reasons": list(prospect.reasons) if prospect else [],
        "unknown": [*prospect.unknown, _WITHOUT_DATA] if prospect else [],
    }


def _heading(assessment: Assessment) -> str:
    manifest = assessment.manifest
    what = "a data file without manifest" if manifest is None else manifest.submission_id
    files = ", ".join(escape(name) for name in assessment.read.values())
    read = (
        f"columns and labels read from {files}" if files else "no data file: judged by manifest and crosswalk"
    )
    head = f"[bold]{escape(assessment.name)}[/]  {what}, against {assessment.framework.id}\n{read}"
    if manifest is None:
        head += "\nWithout a manifest nothing is known of sampling, coverage or response: no class is given."
    return head


def _modules(assessment: Assessment) -> Table:
    table = Table("Module", "Record", "Covered", "Required and core variables", "Lacking", title="Modules")
    table.title_justify = "left"
    for one in assessment.modules:
        covered = {None: "", True: "yes", False: "[dim]no[/]"}[one.declared]
        table.add_row(one.module, one.record, covered, _coverage(one), ", ".join(one.missing))
    return table


def _coverage(one: ModuleCoverage) -> str:
    here = one.size - len(one.missing)
    return f"{_bar(here / one.size if one.size else 1.0)} {here} of {one.size}"


def _proposals(assessment: Assessment) -> Table:
    table = Table("Variable", "Column", "Label", "Score", "Or", title="Proposed columns (none is applied)")
    table.title_justify = "left"
    for one in sorted(assessment.proposals, key=lambda proposal: not proposal.likely):
        table.add_row(*_proposal(one), style="" if one.likely else "dim")
    return table


def _proposal(one: Proposal) -> tuple[str, ...]:
    others = ", ".join(f"{escape(other.column)} {other.score:.2f}" for other in one.candidates[1:])
    record = "" if one.record == "child" else " [dim](parent)[/]"
    score = f"{_bar(one.best.score)} {one.best.score:.2f}"
    return one.variable + record, escape(one.best.column), escape(one.best.label or ""), score, others


def _indicators(assessment: Assessment) -> Table:
    table = Table("Code", "Title", "Can be fed", "Class", "Why", title="Indicators", title_justify="left")
    for one in assessment.outlooks:
        table.add_row(one.indicator, one.title, _STATES[one.state], _class(one), _why(one))
    return table


def _class(one: Outlook) -> str:
    if one.prospect is None:
        return ""
    shown, best = one.prospect.documented, one.prospect.best
    return shown if shown == best else f"{shown} → {best}"


def _why(one: Outlook) -> str:
    if one.absence is not None:
        return _why_absent(one, one.absence)
    reasons = [f"if {', '.join(one.needs)}"] if one.needs else []
    if one.prospect is not None:
        reasons += one.prospect.reasons
        reasons += [f"{name}?" for name in one.prospect.unknown]
    return "; ".join(reasons)


def _why_absent(one: Outlook, absence: Absence) -> str:
    words = absence.reason
    detail, missing = (absence.detail or "").replace(";", ", "), ", ".join(one.missing)
    if detail:
        words += f": {detail}"
    return words if missing in ("", detail) else f"{words} ({missing})"


def _bar(share: float) -> str:
    full = round(share * _BAR)
    return "█" * full + "░" * (_BAR - full)
