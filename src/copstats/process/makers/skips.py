"""Rules on skips: who answered a question and who was led past it."""

from __future__ import annotations

from functools import partial

from copstats.framework.definitions import Variable
from copstats.framework.expressions import NOT_APPLICABLE, NOT_ASKED, Predicate, Rendering, skip_column
from copstats.process.conditions import Condition, NotApplicable, Outcome
from copstats.process.decidable import can_be
from copstats.process.makers.literals import literal
from copstats.process.phrases import Saying, asked_of
from copstats.process.records import RecordTable


def skip_ignored(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A child has an answer although the framework's filter leads past the question."""
    if (table.record, name) not in table.framework.universes:
        return None
    mapping = table.mappings.get(name)
    if mapping is not None and mapping.wording is not None and mapping.wording.asked_of == "everyone":
        return NotApplicable("asked_of_everyone")
    unasked = f"{name} NOT IN ({NOT_APPLICABLE}, {NOT_ASKED})"
    return _by_universe(table, name, unasked, asked=False)


def skip_unfounded(table: RecordTable, name: str, variable: Variable) -> Outcome:
    """A child was skipped although the question belongs to her."""
    codes = table.missing_codes(name, variable)
    if NOT_APPLICABLE not in codes or variable.type in ("string", "month") or variable.skipped_elsewhere:
        return None
    if (table.record, name) not in table.framework.universes:
        return Condition(f"{name} = {NOT_APPLICABLE}", (name,), told=_told(table, None))
    return _by_universe(table, name, f"{name} = {NOT_APPLICABLE}", asked=True)


def _by_universe(table: RecordTable, name: str, answer: str, asked: bool) -> Outcome:
    universe = table.framework.universes[table.record, name]
    if not can_be(universe.tree, asked, table.present):
        return NotApplicable("filter_absent", universe.variables - table.present)
    skipped = frozenset(other for other in universe.variables if skip_column(other) in table.skip)
    rendering = Rendering(
        present=table.present, skipped=skipped, age_floor=table.manifest.population.age_floor
    )
    filters = sorted(universe.variables & table.present)
    return Condition(
        f"{answer} AND ({rendering.sql(universe)}) IS {literal(asked)}",
        (name, *filters, *(skip_column(other) for other in sorted(skipped))),
        told=_told(table, universe),
    )


def _told(table: RecordTable, universe: Predicate | None) -> dict[str, Saying]:
    floor = table.manifest.population.age_floor
    return {"asked_of": partial(asked_of, table.framework, table.record, universe, floor)}
