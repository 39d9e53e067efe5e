"""Shows a weighing on one screen: every step's effect, the population tables, what to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from copstats.language import N_
from copstats.weighting.figures import factors, margins, stages
from copstats.weighting.texts import FACTORS, KEEP, STAGES, figure, notes

if TYPE_CHECKING:
    from rich.console import RenderableType

    from copstats.language import Translations
    from copstats.weighting import Weighing

_NO_GAP = 0.0005


def render(weighing: Weighing, words: Translations, written: Sequence[Path]) -> RenderableType:
    """Return the screen."""
    parts: list[RenderableType] = [
        _heading(weighing, words),
        _stages(weighing, words),
        _factors(weighing, words),
    ]
    if weighing.tables:
        parts.append(_margins(weighing, words))
    parts += [escape("\n".join(notes(weighing, words)))] if notes(weighing, words) else []
    parts.append("\n".join(escape(str(path)) for path in written) + f"\n[dim]{escape(words.text(KEEP))}[/]")
    if words.notice:
        parts.append(f"[dim]{escape(words.notice)}[/]")
    return Group(*(part for pair in parts for part in (pair, "")))


def as_json(weighing: Weighing, written: Sequence[Path]) -> dict[str, object]:
    """Return the weighing as it is printed with ``--json``."""
    return {
        "data": weighing.data,
        "sampled": len(weighing.sample.records),
        "ineligible": weighing.sample.ineligible,
        "respondents": len(weighing.base),
        "response": weighing.response,
        "weighted_response": weighing.weighted_response,
        "stages": {name: one.as_dict() for name, one in stages(weighing)},
        "final": weighing.final_diagnostics.as_dict(),
        "files": [str(path) for path in written],
    }


def _heading(weighing: Weighing, words: Translations) -> str:
    counts = words.text("respondents: {count}", count=words.number(len(weighing.base)))
    if weighing.plan.says.respondent is not None:
        counts = words.text(
            "sampled: {sampled}, respondents: {count} ({share} %; by base weight {weighted} %)",
            sampled=words.number(len(weighing.sample.records)),
            count=words.number(len(weighing.base)),
            share=words.number(100 * weighing.response, 1),
            weighted=words.number(100 * weighing.weighted_response, 1),
        )
    return f"[bold]{escape(weighing.data)}[/]  {escape(counts)}"


def _stages(weighing: Weighing, words: Translations) -> Table:
    table = _table(
        [
            words.text("Weights"),
            words.text("Sum"),
            words.text("Smallest"),
            words.text("Largest"),
            words.text("Kish effect"),
            words.text("Effective size"),
        ]
    )
    for name, one in stages(weighing):
        table.add_row(
            words.text(STAGES[name]),
            words.number(one.sum_after),
            figure(one.minimum, 1, words),
            figure(one.maximum, 1, words),
            words.number(one.kish_effect, 3),
            words.number(one.effective_size),
        )
    return table


def _factors(weighing: Weighing, words: Translations) -> Table:
    table = _table(
        [
            words.text("Factors"),
            words.text(N_("smallest")),
            words.text(N_("median")),
            words.text(N_("largest")),
        ]
    )
    for name, values in factors(weighing):
        shown = (values[0], values[len(values) // 2], values[-1])
        table.add_row(words.text(FACTORS[name]), *(figure(value, 3, words) for value in shown))
    return table


def _margins(weighing: Weighing, words: Translations) -> Table:
    """Return one row a population table, with the largest difference before and after."""
    table = _table(
        [
            words.text("Population table"),
            words.text("Categories"),
            words.text("Smallest category"),
            words.text("Largest difference before"),
            words.text("After"),
        ]
    )
    for name, rows in margins(weighing):
        before = max(abs(row.gap_before or 0.0) for row in rows)
        after = max(abs(row.gap_after or 0.0) for row in rows)
        table.add_row(
            escape(name),
            words.number(len(rows)),
            words.text("respondents: {count}", count=words.number(min(row.respondents for row in rows))),
            words.text("{share} %", share=words.number(100 * before, 1)),
            words.text("{share} %", share=words.number(100 * after if after > _NO_GAP else 0.0, 1)),
        )
    return table


def _table(titles: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    for position, title in enumerate(titles):
        table.add_column(escape(title), justify="right" if position else "left")
    return table
