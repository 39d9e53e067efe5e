"""Compiles the edit rules of a framework for one submission.

Rules follow from the definitions (variables, code lists, ranges, universes) or are written by hand in
``rules.yaml``. What a submission does not hold makes a rule *not applicable*; what it should hold and does
not makes the rules that depend on it *blocked*: their result would mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from typing import Literal

from copstats.errors import DefinitionError
from copstats.framework import Framework
from copstats.framework import manifest as says
from copstats.framework.definitions import RecordKind, Rule, RuleClass
from copstats.framework.expressions import Rendering
from copstats.process.compiled import HAND, CompiledRule
from copstats.process.conditions import Condition, NotApplicable, NotSupported, Outcome
from copstats.process.coverage import module_coverage
from copstats.process.decidable import can_be
from copstats.process.identifying import IDENTIFYING, identifying
from copstats.process.makers import MAKERS
from copstats.process.records import Harmonised, RecordTable, record_tables

STRUCTURE = (
    "no_records",
    "column_missing",
    "not_asked_declared",
    "unknown_column",
    "module_thin",
    "module_undeclared",
    *IDENTIFYING,
)
AGGREGATE = (
    "round_records",
    "round_weight_sum",
    "round_sample",
    "round_variable_gone",
    "round_distribution",
    "round_reversed",
    "version_records",
    "version_weight_sum",
    "version_variable",
    "indicator_far",
    "population_structure",
    "population_total",
    "external_far",
)
"""Rule classes that hold aggregates against what lies outside the submission; see
`copstats.process.compiled.Judged`."""


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
    known, defined = {*STRUCTURE, *MAKERS, *AGGREGATE}, set(framework.rules.classes)
    if known != defined:
        odd = ", ".join(sorted(known ^ defined))
        raise DefinitionError("D201", where="rules.yaml", classes=odd)
    tables = record_tables(framework, manifest, harmonised, crosswalk)
    rules: list[CompiledRule] = []
    for table in tables.values():
        rules += _structure_rules(table)
        rules += _variable_rules(table)
        rules += _hand_rules(table)
    return tuple(
        _not_ready(rule, "not_applicable", "sealed") if _stayed(rule, tables) else rule for rule in rules
    )


def _stayed(rule: CompiledRule, tables: Mapping[RecordKind, RecordTable]) -> bool:
    """Whether a rule looks at what sealing has left behind."""
    table = tables[rule.record]
    known = table.framework.rules.classes.get(rule.rule_class)
    return table.held.sealed and known is not None and known.of_source


def aggregate_rule(table: RecordTable, rule_class: str, variable: str | None = None) -> CompiledRule:
    """Return a rule of one of the classes `AGGREGATE`, for `copstats.process.compiled.Judged`."""
    return replace(_generated(table, rule_class, variable), kind="aggregate")


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
    for covered in module_coverage(table):
        rule = structure(covered.rule_class, None, *([covered.module] if covered.broken else []))
        about = {covered.module: covered.counts}
        yield replace(rule, id=f"{covered.rule_class}:{covered.module}", place_params=about)
    for rule_class, places in identifying(table).items():
        rule = replace(structure(rule_class, None, *places), place_params=places)
        yield rule if table.held.source_columns else _not_ready(rule, "blocked", "column_missing")


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
    if len(conditions) == 1:
        return conditions[0]
    return Condition(
        violation=" OR ".join(f"({condition.violation})" for condition in conditions),
        reads=tuple(column for condition in conditions for column in condition.reads),
        told=conditions[0].told,
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


def _with(
    table: RecordTable, rule: CompiledRule, outcome: Condition | NotApplicable | NotSupported
) -> CompiledRule:
    """Return the rule with its condition, or with the reason why it cannot be run."""
    if table.held.rows == 0:
        return _not_ready(rule, "blocked", "no_records")
    name = rule.variable or ""
    variable = table.framework.variables(table.record)[name]
    if not table.columns(name, variable):
        return _absent(table, rule, {name}, "variable_absent")
    if isinstance(outcome, NotSupported):
        return _not_ready(rule, "not_supported", outcome.reason)
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
        params=outcome.params,
        told=outcome.told,
    )


def _absent(table: RecordTable, rule: CompiledRule, lacking: Set[str], reason: str) -> CompiledRule:
    if lacking & table.missing:
        return _not_ready(rule, "blocked", "column_missing")
    return _not_ready(rule, "not_applicable", reason)


def _not_ready(
    rule: CompiledRule, state: Literal["blocked", "not_applicable", "not_supported"], reason: str
) -> CompiledRule:
    return replace(rule, state=state, reason=reason, places=())
