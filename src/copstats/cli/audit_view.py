"""Shows the audit of a release: what was found, what was taken for granted, the weakest cells."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from copstats.language import N_

if TYPE_CHECKING:
    from rich.console import RenderableType

    from copstats.auditing import AuditedRelease
    from copstats.disclose.audit import Audit, Cell, Finding, Weakness
    from copstats.language import Translations

_SHOWN = 20
_KINDS = {
    "interval": N_("A withheld cell can be worked out too exactly"),
    "nested": N_("A group that no table shows can be worked out too exactly from nested ones"),
    "vintage": N_("Together with an earlier release it tells of too few children"),
    "inconsistent": N_("It contradicts itself, or what is known of its cells"),
    "shape": N_("It shows what the disclosure profile does not permit"),
}
_ASSUMPTIONS = {
    "known": N_("The attacker knows the number and the weight of the answers of every cell. Waves: {count}"),
    "bands": N_(
        "No attacker's file: the attacker knows the bands of the numbers of answers only. Waves: {count}"
    ),
    "vintages_not_compared": N_(
        "An earlier release says other things, and no file tells whether of other children. Waves: {count}"
    ),
}


def render(audited: AuditedRelease, words: Translations) -> RenderableType:
    """Return the screen."""
    heading = f"[bold]{escape(str(audited.folder))}[/]"
    if audited.audit is None:
        problems = (escape(f"{name}: {problem}") for name, problem in audited.problems)
        return Group(heading, *problems)
    audit = audited.audit
    parts: list[RenderableType] = [
        heading,
        escape(words.text("The signature holds and every file is as signed.")),
        *(escape(text) for text in _assumptions(audit, words)),
        *_findings(audit, words),
        *_weak(audit, words),
        *_weakest(audit, words),
        _verdict(audit, words),
    ]
    return Group(*parts)


def as_json(audited: AuditedRelease) -> dict[str, object]:
    """Return the audit as it is printed with ``--json``."""
    audit = audited.audit
    return {
        "release": str(audited.folder),
        "passed": audited.passed,
        "problems": [f"{name}: {problem}" for name, problem in audited.problems],
        "findings": [] if audit is None else [_finding(one) for one in audit.findings],
        "weakest": [] if audit is None else [_weakness(one) for one in audit.weakest],
        "weak": [] if audit is None else [_weakness(one) for one in audit.weak],
        "assumptions": []
        if audit is None
        else [{"wave": list(wave), "assumption": what} for wave, what in audit.assumptions],
        "waves": 0 if audit is None else audit.waves,
        "protected_cells": 0 if audit is None else audit.protected,
    }


def _finding(one: Finding) -> dict[str, object]:
    return {"kind": one.kind, **_cell(one.cell), "needed": one.needed, "found": one.found}


def _weakness(one: Weakness) -> dict[str, object]:
    return {**_cell(one.cell), "needed": one.needed, "found": one.found if isfinite(one.found) else None}


def _cell(cell: Cell) -> dict[str, object]:
    return {**cell.wave._asdict(), "indicator": cell.indicator, "place": cell.place}


def _assumptions(audit: Audit, words: Translations) -> Iterable[str]:
    stated = [what for _, what in audit.assumptions]
    for what, text in _ASSUMPTIONS.items():
        if what in stated:
            yield words.text(text, count=words.number(stated.count(what)))


def _findings(audit: Audit, words: Translations) -> Iterable[RenderableType]:
    for kind, text in _KINDS.items():
        found = [one for one in audit.findings if one.kind == kind]
        if found:
            title = words.text(
                "{what}. Cells: {count}", what=words.text(text), count=words.number(len(found))
            )
            yield ""
            yield _table(f"[red]{escape(title)}[/]", found, words)


def _weak(audit: Audit, words: Translations) -> Iterable[RenderableType]:
    if audit.weak:
        text = words.text(
            "Too exact if weights are equal, or numbers of answers the least of their bands. Cells: {count}",
            count=words.number(len(audit.weak)),
        )
        yield ""
        yield _table(f"[yellow]{escape(text)}[/]", audit.weak, words)


def _weakest(audit: Audit, words: Translations) -> Iterable[RenderableType]:
    if audit.weakest:
        title = words.text("The weakest of the protected cells")
        yield ""
        yield _table(escape(title), audit.weakest, words)


def _table(title: str, rows: Iterable[Any], words: Translations) -> Table:
    """A table of findings or weaknesses: where, and the width of the interval in respondents."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column(escape(words.text("Survey")))
    table.add_column(escape(words.text("Indicator")))
    table.add_column(escape(words.text("Group")))
    table.add_column(escape(words.text("Needed, in respondents")), justify="right")
    table.add_column(escape(words.text("Found")), justify="right")
    rows = list(rows)
    for one in rows[:_SHOWN]:
        numbers = (_number(number, words) for number in (one.needed, one.found))
        table.add_row(
            *(escape(text) for text in (" ".join(one.cell.wave), one.cell.indicator, one.cell.place)),
            *numbers,
        )
    if len(rows) > _SHOWN:
        table.add_row("...", *[""] * 4)
    return table


def _number(number: float | None, words: Translations) -> str:
    return "" if number is None else escape(words.number(number, 1))


def _verdict(audit: Audit, words: Translations) -> str:
    counts = {"waves": words.number(audit.waves), "count": words.number(audit.protected)}
    if audit.passed:
        text = words.text(
            "Passed: nothing that is withheld can be worked out. Waves: {waves}, protected cells: {count}",
            **counts,
        )
        return f"\n[green]{escape(text)}[/]"
    text = words.text("Failed: see above. Waves: {waves}, protected cells: {count}", **counts)
    return f"\n[red]{escape(text)}[/]"
