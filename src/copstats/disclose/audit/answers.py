"""What a record can answer: the combinations of codes that two indicators can meet in one record.

Whether one indicator's yes implies another's follows from their definitions alone. Each variable takes one
code of every class that the predicates tell apart, or a missing code; the predicates themselves are
evaluated, with their three truth values, over all combinations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
from sqlglot import expressions as exp

from copstats.framework.definitions import MissingTreatment, Variable
from copstats.framework.expressions import (
    DOES_NOT_KNOW,
    NOT_APPLICABLE,
    Predicate,
    Rendering,
    skip_column,
    skip_columns,
)
from copstats.framework.loader import Framework

Truth = bool | None
_BESIDE = 0.5
"""Between two neighbouring numbers that predicates name, for variables that are not whole numbers."""


@dataclass(frozen=True)
class Question:
    """A yes or no of a record: an indicator, or one of the alternatives that its numerator joins.

    Attributes:
        base: predicates that must all hold for a record to count at all.
        yes: predicate of a record that counts as yes.
        missing: treatment of missing codes in ``yes``.
    """

    base: tuple[Predicate, ...]
    yes: Predicate
    missing: Mapping[int, MissingTreatment]

    @property
    def variables(self) -> frozenset[str]:
        """Variables that decide it."""
        return self.yes.variables.union(*(predicate.variables for predicate in self.base))


@dataclass(frozen=True)
class Combination:
    """One way in which a record can answer two questions.

    Attributes:
        first: yes, no, or no valid answer to the first question.
        second: the same of the second.
        outside_first: whether the record is known to be outside the first question's base.
        routed: whether the questions were put as the framework's filters say.
    """

    first: Truth
    second: Truth
    outside_first: bool
    routed: bool


def combinations(
    first: Question,
    second: Question,
    record: str,
    framework: Framework,
    connection: duckdb.DuckDBPyConnection,
) -> list[Combination]:
    """Return every way in which a record can answer two questions.

    Args:
        first: one question.
        second: the other.
        record: ``child``, ``parent`` or ``dyad``.
        framework: variables, code lists and filters.
        connection: in memory.
    """
    names = sorted(with_filters(first.variables | second.variables, record, framework))
    filters = {name: one for name, one in _universes(framework, record).items() if name in names}
    literals = _literals([*first.base, first.yes, *second.base, second.yes, *filters.values()])
    missing = {NOT_APPLICABLE, DOES_NOT_KNOW, *first.missing, *second.missing}
    variables = framework.variables(record)
    states = {
        name: [*_representatives(variables[name], literals.get(name, set()), framework), *sorted(missing)]
        for name in names
    }
    found = connection.execute(_query(first, second, states, filters)).fetchall()
    return [Combination(*row) for row in found]


def with_filters(names: Iterable[str], record: str, framework: Framework) -> set[str]:
    """Return variables with those that decide whether they are asked, and so on."""
    universes, read = _universes(framework, record), set(names)
    while more := {n for name in read & universes.keys() for n in universes[name].variables} - read:
        read |= more
    return read


def _query(
    first: Question, second: Question, states: Mapping[str, list[float]], filters: Mapping[str, Predicate]
) -> str:
    skips = skip_columns(filters, states)
    skipped = frozenset(name for name in states if skip_column(name) in skips)
    rendering = Rendering(present=frozenset(states), skipped=skipped)
    columns = " CROSS JOIN ".join(
        f"(SELECT unnest([{', '.join(f'{code:g}' for code in codes)}]) AS {name})"
        for name, codes in states.items()
    )
    also = "".join(f", {sql} AS {name}" for name, sql in skips.items())
    routed = " AND ".join(
        f"coalesce({name} < 0 OR {rendering.sql(universe)}, FALSE)" for name, universe in filters.items()
    )
    return (
        f"WITH records AS (SELECT *{also} FROM {columns})\n"  # noqa: S608
        f"SELECT DISTINCT {_truth(first, rendering)}, {_truth(second, rendering)},\n"
        f"  coalesce(NOT ({_base(first, rendering)}), FALSE), {routed or 'TRUE'}\n"
        "FROM records"
    )


def _base(question: Question, rendering: Rendering) -> str:
    return " AND ".join(rendering.sql(predicate) for predicate in question.base) or "TRUE"


def _truth(question: Question, rendering: Rendering) -> str:
    treated = Rendering(rendering.present, rendering.skipped, treatment=question.missing)
    return f"CASE WHEN {_base(question, rendering)} THEN {treated.sql(question.yes)} END"


def _universes(framework: Framework, record: str) -> dict[str, Predicate]:
    kinds = ("child", "parent") if record == "dyad" else (record,)
    return {name: p for (kind, name), p in framework.universes.items() if kind in kinds}


def _literals(predicates: Iterable[Predicate]) -> dict[str, set[float]]:
    """Return variable -> the numbers with which a predicate compares it."""
    found: dict[str, set[float]] = {}
    for predicate in predicates:
        for node in predicate.tree.find_all(exp.Predicate, exp.In, exp.Between):
            columns = {column.name for column in node.find_all(exp.Column)}
            numbers = {float(literal.this) for literal in node.find_all(exp.Literal)}
            for name in columns:
                found.setdefault(name, set()).update(numbers)
    return found


def _representatives(variable: Variable, literals: set[float], framework: Framework) -> list[float]:
    """Return one valid answer of each class that comparisons with these numbers can tell apart."""
    answers = [float(code) for code in sorted(framework.codes(variable))]
    if not answers:
        low, high = variable.minimum or 0.0, variable.maximum
        near = (number + step for number in sorted(literals) for step in (-_BESIDE, 0, _BESIDE))
        answers = [low, *(one for one in near if one >= low and (high is None or one <= high))]
    classes = {tuple((one > n) - (one < n) for n in sorted(literals)): one for one in answers}
    return list(classes.values())
