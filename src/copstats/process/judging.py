"""Makes the outcomes of rules on aggregates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from copstats.process.compiled import AggregateFinding, Judged, Parameter, State
from copstats.process.phrases import Saying
from copstats.process.records import RecordTable
from copstats.process.rules import aggregate_rule


def decided(
    table: RecordTable,
    rule_class: str,
    variable: str | None,
    params: Mapping[str, Parameter] | None,
    *,
    subject: str | None = None,
    told: Mapping[str, Saying] | None = None,
) -> Judged:
    """Return a rule that was decided.

    Args:
        table: the file that it speaks of.
        rule_class: its class.
        variable: the variable that it speaks of; None for the file.
        params: parameters of the message where the rule is broken, None where it holds.
        subject: stands in the rule's id in place of the variable.
        told: parameters of the message that differ between languages.
    """
    rule = replace(aggregate_rule(table, rule_class, variable), told=told or {})
    if subject is not None:
        rule = replace(rule, id=f"{rule_class}:{subject}")
    if params is None:
        return Judged(rule, "passed")
    return Judged(rule, "failed", findings=(AggregateFinding(variable=variable, params=params),))


def undecided(  # noqa: PLR0917 - what stays the default is seldom given
    table: RecordTable,
    rule_class: str,
    reason: str,
    variable: str | None = None,
    state: State = "not_supported",
    subject: str | None = None,
) -> Judged:
    """Return a rule that could not be decided; see `copstats.process.compiled.REASONS`."""
    rule = aggregate_rule(table, rule_class, variable)
    if subject is not None:
        rule = replace(rule, id=f"{rule_class}:{subject}")
    return Judged(rule, state, reason)
