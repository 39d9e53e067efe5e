"""Compiles the edit rules of a framework for one submission.

Rules follow from the definitions (variables, code lists, ranges, universes) or are written by hand in
``rules.yaml``. What a submission does not hold makes a rule *not applicable*; what it should hold and does
not makes the rules that depend on it *blocked*: their result would mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from typing import Literal

from copstats.errors import DefinitionError
from copstats.framework import Framework
from copstats.framework import manifest as says
from copstats.framework.definitions import Message, RecordKind, Rule, RuleClass, Severity
from copstats.framework.expressions import Rendering
from copstats.language import N_
from copstats.process.conditions import Condition, Native, NotApplicable, Outcome
from copstats.process.decidable import can_be
from copstats.process.makers import MAKERS
from copstats.process.records import Harmonised, RecordTable, record_tables

STRUCTURE = ("no_records", "column_missing", "not_asked_declared", "unknown_column")
HAND = "hand"
"""Rule class of the rules that are written by hand."""

REASONS: Mapping[str, str] = {
    "variable_absent": N_("the file does not hold the variable"),
    "filter_absent": N_("the file does not hold the filter question"),
    "other_absent": N_("the file does not hold another variable that the rule compares"),
    "filled_in": N_("the column was filled in from the manifest or numbered, not delivered"),
    "asked_of_everyone": N_("the crosswalk says that the survey asked everybody"),
    "column_missing": N_("a column that is needed is missing"),
    "no_records": N_("the file has no records"),
}


@dataclass(frozen=True)
class CompiledRule:
    """One rule for one variable of one submission.

    Attributes:
        id: class and variable (``code_list:sex``; in a parent file ``blank:parent.psu``, where the child file
            has the variable too), or the id of a rule written by hand.
        rule_class: id of its class; ``hand`` for those written by hand.
        record: ``child`` or ``parent``.
        variable: the variable at which findings are shown; None for the file as a whole.
        label: label of the variable.
        column: its national column; empty if it has none.
        withheld: whether the shape of a value stays out of the findings (tier B).
        level: ESS validation level.
        severity: ``error``, ``warning`` or ``information``.
        message: what, why, fix, with placeholders.
        kind: ``structure`` (of the columns), ``row`` (of each record) or ``table`` (of all records).
        violation: for a row rule the predicate that is TRUE where it is broken; for a table rule a SELECT
            with a row for each finding; empty for a structure rule.
        reads: columns of the extended table that it reads.
        native: the condition as a native expectation, where one fits.
        places: names of the columns at which a structure rule is broken; one empty name for the file itself.
        state: ``ready`` to run, ``blocked`` or ``not_applicable``.
        reason: key of `REASONS`, where it is not ready.
    """

    id: str
    rule_class: str
    record: RecordKind
    variable: str | None
    label: str
    column: str
    withheld: bool
    level: int
    severity: Severity
    message: Message
    kind: Literal["structure", "row", "table"]
    violation: str = ""
    reads: tuple[str, ...] = ()
    native: Native | None = None
    places: tuple[str, ...] = ()
    state: Literal["ready", "blocked", "not_applicable"] = "ready"
    reason: str = ""

    @property
    def ready(self) -> bool:
        """Whether the rule can be run."""
        return self.state == "ready"


def compile_rules(
    framework: Framework,
    manifest: says.SurveyManifest,
    harmonised: Harmonised,
    crosswalk: says.Crosswalk | None,
) -> tuple[CompiledRule, ...]:
    """Return all rules of a submission: structure first, then by class, then those written by hand.

    Args:
        framework: the framework version that the manifest names.
        manifest: modules, variables not asked, ages, area, national age floor.
        harmonised: which variables each table holds.
        crosswalk: says where the survey asked everybody; None if the file follows the framework.

    Raises:
        DefinitionError: ``rules.yaml`` lacks a class that is checked, or names one that nothing checks.
    """
    known, defined = {*STRUCTURE, *MAKERS}, set(framework.rules.classes)
    if known != defined:
        odd = ", ".join(sorted(known ^ defined))
        raise DefinitionError("D201", where="rules.yaml", classes=odd)
    tables = record_tables(framework, manifest, harmonised, crosswalk)
    rules: list[CompiledRule] = []
    for table in tables.values():
        rules += _structure_rules(table)
        rules += _variable_rules(table)
        rules += _hand_rules(table)
    return tuple(rules)


def _structure_rules(table: RecordTable) -> Iterator[CompiledRule]:
    def structure(rule_class: str, variable: str | None, *places: str) -> CompiledRule:
        rule = _generated(table, rule_class, variable)
        return replace(rule, kind="structure", places=places)

    yield structure("no_records", None, *([""] if table.held.rows == 0 else []))
    for name, variable in table.expected.items():
        if variable.series:
            continue
        if table.due(name, variable):
            yield structure("column_missing", name, *([name] if name in table.missing else []))
        elif variable.status == "core":
            yield structure("not_asked_declared", name, name)
    unknown = structure("unknown_column", None, *table.held.not_taken_over)
    # A file of which no column is known may have no header: its first record must not be shown as names.
    yield unknown if table.held.source_columns else _not_ready(unknown, "blocked", "column_missing")


def _variable_rules(table: RecordTable) -> Iterator[CompiledRule]:
    for rule_class, make in MAKERS.items():
        for name, variable in table.expected.items():
            columns = table.columns(name, variable) or (name,)
            outcome = _either([make(table, column, variable) for column in columns])
            if outcome is not None:
                yield _with(table, _generated(table, rule_class, name), outcome)


def _either(outcomes: list[Outcome]) -> Outcome:
    """Return the outcome of one column, or of a numbered series: broken where one of its columns is."""
    first = outcomes[0]
    conditions = [outcome for outcome in outcomes if isinstance(outcome, Condition)]
    if len(outcomes) == 1 or not conditions:
        return first
    return Condition(
        violation=" OR ".join(f"({condition.violation})" for condition in conditions),
        reads=tuple(column for condition in conditions for column in condition.reads),
    )


def _hand_rules(table: RecordTable) -> Iterator[CompiledRule]:
    for rule_id, rule in table.framework.rules.rules.items():
        if rule.record != table.record:
            continue
        predicate = table.framework.violations[rule_id]
        outcome: Condition | NotApplicable = NotApplicable(
            "other_absent", predicate.variables - table.present
        )
        if can_be(predicate.tree, True, table.present):
            rendering = Rendering(present=table.present)
            reads = (rule.variable, *sorted(predicate.variables & table.present))
            outcome = Condition(f"({rendering.sql(predicate)}) IS TRUE", reads)
        yield _with(table, replace(_rule(table, HAND, rule.variable, rule), id=rule_id), outcome)


def _generated(table: RecordTable, rule_class: str, variable: str | None) -> CompiledRule:
    return _rule(table, rule_class, variable, table.framework.rules.classes[rule_class])


def _rule(
    table: RecordTable, rule_class: str, variable: str | None, definition: RuleClass | Rule
) -> CompiledRule:
    variables = table.framework.variables(table.record)
    described = variables[variable] if variable else None
    shared = table.record == "parent" and variable in table.framework.variables("child")
    name = f"parent.{variable}" if shared else variable or table.record
    return CompiledRule(
        id=f"{rule_class}:{name}",
        rule_class=rule_class,
        record=table.record,
        variable=variable,
        label=described.label if described else "",
        column=table.held.source_columns.get(variable, "") if variable else "",
        withheld=described is not None and described.tier == "B",
        level=definition.level,
        severity=definition.severity,
        message=definition.message,
        kind="row",
    )


def _with(table: RecordTable, rule: CompiledRule, outcome: Condition | NotApplicable) -> CompiledRule:
    """Return the rule with its condition, or with the reason why it cannot be run."""
    if table.held.rows == 0:
        return _not_ready(rule, "blocked", "no_records")
    name = rule.variable or ""
    variable = table.framework.variables(table.record)[name]
    if not table.columns(name, variable):
        return _absent(table, rule, {name}, "variable_absent")
    if isinstance(outcome, NotApplicable):
        return _absent(table, rule, outcome.lacking, outcome.reason)
    if lacking := outcome.needs - table.present:
        return _absent(table, rule, lacking, "other_absent")
    return replace(
        rule,
        kind="table" if outcome.table else "row",
        violation=outcome.violation,
        reads=tuple(dict.fromkeys(outcome.reads)),
        native=outcome.native,
    )


def _absent(table: RecordTable, rule: CompiledRule, lacking: Set[str], reason: str) -> CompiledRule:
    if lacking & table.missing:
        return _not_ready(rule, "blocked", "column_missing")
    return _not_ready(rule, "not_applicable", reason)


def _not_ready(rule: CompiledRule, state: Literal["blocked", "not_applicable"], reason: str) -> CompiledRule:
    return replace(rule, state=state, reason=reason, places=())
