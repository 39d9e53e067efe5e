"""What the rules of a submission are compiled to, what can come of one, and why one was not decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from copstats.framework.definitions import Message, RecordKind, Severity
from copstats.language import N_
from copstats.process.conditions import Native
from copstats.process.phrases import Saying

HAND = "hand"
"""Rule class of the rules that are written by hand."""

State = Literal["passed", "failed", "blocked", "not_applicable", "not_supported", "crashed"]
"""What can come of a rule.

``blocked``: an earlier failure makes it meaningless. ``not_applicable``: the submission does not hold what
it speaks of. ``not_supported``: it needs material that is not at hand (an earlier round, a population table,
other countries, other organisations), or a form of design that it cannot judge. ``crashed``: a fault of the
program.
"""
Parameter = str | int | float

REASONS: Mapping[str, str] = {
    "variable_absent": N_("the file does not hold the variable"),
    "filter_absent": N_("the file does not hold the filter question"),
    "other_absent": N_("the file does not hold another variable that the rule compares"),
    "filled_in": N_("the column was filled in from the manifest or numbered, not delivered"),
    "asked_of_everyone": N_("the crosswalk says that the survey asked everybody"),
    "column_missing": N_("a column that is needed is missing"),
    "no_records": N_("the file has no records"),
    "engine": N_("the database engine refused the rule"),
    "own_key": N_("the records have a key of their own"),
    "few_variables": N_("the file has too few variables for the rule"),
    "no_previous_round": N_("no summary of the previous round is at hand"),
    "no_previous_version": N_("no summary of an earlier version is at hand"),
    "no_population": N_("no reference population of this area and year is at hand"),
    "no_estimates": N_("no estimates of other countries are at hand"),
    "few_countries": N_("fewer than five other countries have a value"),
    "others_alike": N_("other countries do not differ enough to compare with"),
    "no_external_values": N_("no values of other organisations of this area and about this year are at hand"),
    "no_own_estimates": N_("the records do not support any estimates"),
    "other_framework": N_("the earlier submission follows another framework"),
    "figures_withheld": N_("one of the two rounds has too few answers to be compared"),
    "reversed": N_("another rule says what has happened"),
    "not_all_children": N_("the survey does not speak of all children of the country"),
    "sealed": N_("it looks at the office's own file, which stays in the country"),
    "weights_not_expanded": N_("the weights do not add up to the population"),
}
"""Why a rule has neither passed nor failed."""


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
        kind: ``structure`` (of the columns), ``row`` (of each record), ``table`` (of all records) or
            ``aggregate`` (of the submission as a whole, decided outside this module).
        violation: for a row rule the predicate that is TRUE where it is broken; for a table rule a SELECT
            with a row for each finding; empty for a structure rule.
        reads: columns of the extended table that it reads.
        native: the condition as a native expectation, where one fits.
        places: names of the columns at which a structure rule is broken; one empty name for the file itself.
        place_params: place -> further parameters that the message of a structure rule shows.
        params: columns of a table rule's SELECT, other than ``record_no``, that the message shows.
        told: what the message says of the rule itself: codes, limits, who is asked; never of a record.
        state: ``ready`` to run, ``blocked``, ``not_applicable`` or ``not_supported``.
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
    kind: Literal["structure", "row", "table", "aggregate"]
    violation: str = ""
    reads: tuple[str, ...] = ()
    native: Native | None = None
    places: tuple[str, ...] = ()
    place_params: Mapping[str, Mapping[str, Parameter]] = field(default_factory=dict)
    params: tuple[str, ...] = ()
    told: Mapping[str, Saying] = field(default_factory=dict, repr=False, compare=False)
    state: Literal["ready", "blocked", "not_applicable", "not_supported"] = "ready"
    reason: str = ""

    @property
    def ready(self) -> bool:
        """Whether the rule can be run."""
        return self.state == "ready"

    @property
    def message_key(self) -> str:
        """Where ``rules.yaml`` holds the message: the class, or the rule written by hand."""
        return self.id if self.rule_class == HAND else self.rule_class


class AggregateFinding(TypedDict):
    """One finding of an aggregate rule: a variable, or None, and the parameters of the message."""

    variable: str | None
    params: Mapping[str, Parameter]


@dataclass(frozen=True)
class Judged:
    """What came of a rule that holds aggregates against what lies outside the submission.

    Attributes:
        rule: made by `copstats.process.rules.aggregate_rule`.
        state: what came of it; ``failed`` where there are findings.
        reason: key of `REASONS`, where it neither passed nor failed.
        findings: aggregates only, never a value of a record.
    """

    rule: CompiledRule
    state: State
    reason: str = ""
    findings: Sequence[AggregateFinding] = ()
