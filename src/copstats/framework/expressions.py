"""Predicates over framework variables: parsed once with sqlglot, rendered to SQL with three truth values.

An answer is a code of zero or more; missing codes are negative. A comparison with a missing answer is
unknown (NULL), so AND, OR and NOT of SQL give what the method asks of composites: an any-of is true if one
part is true, else unknown if one part is unknown, else false.

The code -7 (not applicable) is the exception. Where a valid negative answer caused the skip ("not a user",
"no such contact") the comparison is false; where an age floor or a missing filter caused it, it is unknown.
`skip_columns` derives this from the universes, once for each variable, as the column ``NAME__no``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import expressions as exp

from copstats.framework.definitions import CodeList, MissingTreatment, Variable

NOT_APPLICABLE, DOES_NOT_KNOW, REFUSED, NOT_ASKED = -7, -8, -9, -1

_COMPARISONS: dict[type[exp.Expression], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}


class ExpressionProblem(ValueError):
    """A predicate is not usable; carries a code of the error catalogue and its parameters."""

    def __init__(self, code: str, **params: str) -> None:
        self.code = code
        self.params = params
        super().__init__(code, params)


@dataclass(frozen=True)
class Predicate:
    """A parsed predicate.

    Attributes:
        text: as written.
        tree: sqlglot expression of the permitted kinds only.
        variables: names of the framework variables that it reads.
        floor: age floor of a sensitive item, in its universe; a national floor above it takes its place.
    """

    text: str
    tree: Any
    variables: frozenset[str]
    floor: int | None = None

    @property
    def always(self) -> bool:
        """Whether the predicate is the constant TRUE."""
        return isinstance(self.tree, exp.Boolean) and bool(self.tree.this)


def parse_predicate(
    text: str,
    variables: Mapping[str, Variable],
    codelists: Mapping[str, CodeList],
    *,
    floor: int | None = None,
) -> Predicate:
    """Parse a predicate and check its variables and codes.

    Args:
        text: SQL over variable names, for example ``net_3m = 1 AND age BETWEEN 12 AND 17``.
        variables: variables that it may read.
        codelists: code lists by name.
        floor: age floor of a sensitive item; its universe must hold it as ``age >= FLOOR``.

    Raises:
        ExpressionProblem: syntax, unknown variable or code, a construct that is not permitted, no floor.
    """
    try:
        trees = sqlglot.parse(text, dialect="duckdb")
    except sqlglot.errors.SqlglotError:
        raise ExpressionProblem("D005", problem=text) from None
    if len(trees) != 1 or trees[0] is None:
        raise ExpressionProblem("D005", problem=text)
    tree = trees[0]
    seen: set[str] = set()
    _check(tree, variables, codelists, seen)
    if floor is not None and not any(_is_floor(node, floor) for node in tree.find_all(exp.GTE)):
        raise ExpressionProblem("D015", floor=str(floor))
    return Predicate(text=text, tree=tree, variables=frozenset(seen), floor=floor)


def _is_floor(node: Any, floor: int | None) -> bool:
    return floor is not None and bool(
        node == exp.GTE(this=exp.column("age"), expression=exp.Literal.number(floor))
    )


def _check(
    node: Any, variables: Mapping[str, Variable], codelists: Mapping[str, CodeList], seen: set[str]
) -> None:
    if isinstance(node, exp.And | exp.Or | exp.Not | exp.Paren):
        for child in node.iter_expressions():
            _check(child, variables, codelists, seen)
    elif not isinstance(node, exp.Boolean):
        _check_atom(node, variables, codelists, seen)


def _check_atom(
    node: Any, variables: Mapping[str, Variable], codelists: Mapping[str, CodeList], seen: set[str]
) -> None:
    names, numbers = _operands(node)
    for name in names:
        if name not in variables:
            raise ExpressionProblem("D006", variable=name)
        variable = variables[name]
        if variable.type in ("string", "month"):
            raise ExpressionProblem("D012", problem=f"the text variable {name}")
        for number in numbers:
            if not _possible(variable, number, codelists):
                raise ExpressionProblem("D007", variable=name, number=f"{number:g}")
    seen.update(names)


def _possible(variable: Variable, number: float, codelists: Mapping[str, CodeList]) -> bool:
    if variable.type == "code" and variable.codelist:
        return number in codelists[variable.codelist].codes
    low = variable.minimum if variable.minimum is not None else number
    high = variable.maximum if variable.maximum is not None else number
    return low <= number <= high


def _operands(node: Any) -> tuple[list[str], list[float]]:
    """Return the variables and the literals of one comparison, or refuse its kind."""
    if isinstance(node, exp.In) and node.args.get("query") is None:
        parts = [node.this, *node.expressions]
    elif isinstance(node, exp.Between):
        parts = [node.this, node.args["low"], node.args["high"]]
    elif type(node) in _COMPARISONS:
        parts = [node.this, node.expression]
    else:
        raise ExpressionProblem("D012", problem=node.sql(dialect="duckdb"))
    names, numbers = [], []
    for part in parts:
        if isinstance(part, exp.Column) and not part.table:
            names.append(part.name)
        elif isinstance(part, exp.Literal) and part.is_number:
            numbers.append(float(part.this))
        else:
            raise ExpressionProblem("D012", problem=part.sql(dialect="duckdb"))
    if not names:
        raise ExpressionProblem("D012", problem=node.sql(dialect="duckdb"))
    return names, numbers


@dataclass(frozen=True)
class Rendering:
    """How missing codes enter the comparisons of a rendered predicate.

    Attributes:
        present: variables that the table holds; a comparison with any other is unknown.
        skipped: variables for which the column ``NAME__no`` exists beside the table's own.
        treatment: missing code -> ``drop`` (unknown), ``zero`` (false) or ``keep`` (compared as it stands).
        age_floor: national age floor of sensitive items; it takes the place of a lower `Predicate.floor`.
    """

    present: frozenset[str]
    skipped: frozenset[str] = frozenset()
    treatment: Mapping[int, MissingTreatment] | None = None
    age_floor: int | None = None

    def sql(self, predicate: Predicate) -> str:
        """Return SQL that is TRUE, FALSE or NULL (unknown) for every record."""
        return self._render(predicate.tree, predicate.floor)

    def _render(self, node: Any, floor: int | None) -> str:
        if isinstance(node, exp.Boolean):
            return "TRUE" if node.this else "FALSE"
        if isinstance(node, exp.Paren):
            return f"({self._render(node.this, floor)})"
        if isinstance(node, exp.Not):
            return f"(NOT {self._render(node.this, floor)})"
        if isinstance(node, exp.And | exp.Or):
            word = "AND" if isinstance(node, exp.And) else "OR"
            return f"({self._render(node.this, floor)} {word} {self._render(node.expression, floor)})"
        return self._atom(node, floor)

    def _atom(self, node: Any, floor: int | None) -> str:
        names, _ = _operands(node)
        if any(name not in self.present for name in names):
            return "NULL::BOOLEAN"
        comparison = self._comparison(node, floor)
        if len(names) > 1:
            answered = " AND ".join(f"{name} >= 0" for name in names)
            return f"(CASE WHEN {answered} THEN {comparison} END)"
        name = names[0]
        branches = [f"WHEN {name} >= 0 THEN {comparison}"]
        treatment = self.treatment or {}
        for code, how in treatment.items():
            if how != "drop":
                branches.append(f"WHEN {name} = {code} THEN {'FALSE' if how == 'zero' else comparison}")
        if name in self.skipped and NOT_APPLICABLE not in treatment:
            branches.append(f"WHEN {skip_column(name)} THEN FALSE")
        return f"(CASE {' '.join(branches)} END)"

    def _comparison(self, node: Any, floor: int | None) -> str:
        if isinstance(node, exp.In):
            codes = ", ".join(part.sql(dialect="duckdb") for part in node.expressions)
            return f"{node.this.name} IN ({codes})"
        if isinstance(node, exp.Between):
            return f"{node.this.name} BETWEEN {node.args['low'].sql()} AND {node.args['high'].sql()}"
        if self.age_floor is not None and floor is not None and _is_floor(node, floor):
            return f"age >= {max(self.age_floor, floor)}"
        return f"{node.this.sql()} {_COMPARISONS[type(node)]} {node.expression.sql()}"


def skip_column(variable: str) -> str:
    """Return the name of the column that tells whether a valid negative answer caused the skip."""
    return f"{variable}__no"


def skip_columns(
    universes: Mapping[str, Predicate], present: Iterable[str], *, age_floor: int | None = None
) -> dict[str, str]:
    """Return column name -> SQL for every present variable that has a universe, in order of dependence.

    ``NAME__no`` is TRUE where NAME is -7, the age floor of its universe is met, and the rest of its universe
    is false by a valid answer. Later columns use earlier ones, so they belong in one SELECT in this order
    (DuckDB resolves lateral aliases).

    Args:
        universes: variable -> parsed universe; free of circles.
        present: variables that the table holds.
        age_floor: national age floor of sensitive items.
    """
    held = frozenset(present)
    columns: dict[str, str] = {}

    def add(name: str) -> None:
        if skip_column(name) in columns or name not in universes or name not in held:
            return
        for parent in sorted(universes[name].variables - {name}):
            add(parent)
        universe = universes[name]
        ages, answers = _split_age(universe.tree)
        if not answers:
            return
        known = frozenset(n for n in held if skip_column(n) in columns)
        rendering = Rendering(present=held, skipped=known, age_floor=age_floor)
        of_age = " AND ".join(rendering._render(part, universe.floor) for part in ages) or "TRUE"
        asked = " AND ".join(rendering._render(part, universe.floor) for part in answers)
        columns[skip_column(name)] = (
            f"coalesce({name} = {NOT_APPLICABLE} AND coalesce({of_age}, TRUE) AND NOT ({asked}), FALSE)"
        )

    for name in universes:
        add(name)
    return columns


def _split_age(tree: Any) -> tuple[list[Any], list[Any]]:
    """Return the conjuncts of a universe that speak of age alone, and the others."""
    parts = list(tree.flatten()) if isinstance(tree, exp.And) else [tree]
    age: list[Any] = []
    others: list[Any] = []
    for part in parts:
        bare = part.unnest()
        if isinstance(bare, exp.Boolean):
            continue
        columns = {column.name for column in bare.find_all(exp.Column)}
        (age if columns == {"age"} else others).append(part)
    return age, others
