"""Estimators as smooth functions of totals, each with its gradient.

A statistic names the totals that it needs and says how estimates follow from them. Point estimates, Taylor
linearisation and replication all use these same two functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from copstats.analyse.survey.columns import guarded, quoted
from copstats.analyse.survey.formula import Formula
from copstats.analyse.survey.sample import Sample
from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]

MOST_CATEGORIES = 1000


@dataclass(frozen=True)
class Statistic:
    """Estimates of one formula.

    Attributes:
        name: of the estimator.
        variable: what is estimated, as the user wrote it.
        categories: one label for each of the k estimates; empty texts where there are no categories.
        terms: SQL over the records of the m totals that it needs; the last is NULL for records that do not
            count and not NULL for those that do.
        value: totals (..., m) -> estimates (..., k).
        gradient: totals (..., m) -> derivatives (..., k, m).
        spread: SQL of the variables whose means or totals are estimated, for design effects; may be empty.
        limits: which confidence limits suit: of a proportion, of a mean that may be one, of other numbers.
    """

    name: str
    variable: str
    categories: tuple[str, ...]
    terms: tuple[str, ...]
    value: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    spread: tuple[str, ...] = ()
    limits: str = "number"


def _ratio_value(totals: Array) -> Array:
    """Several numerators, one denominator: the last total."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Array = totals[..., :-1] / totals[..., -1:]
    return ratio


def _ratio_gradient(totals: Array) -> Array:
    """d(a/b) = (da - a/b db) / b."""
    count = totals.shape[-1] - 1
    numerators = np.broadcast_to(np.eye(count), (*totals.shape[:-1], count, count))
    denominator = -_ratio_value(totals)[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        gradient: Array = np.concatenate([numerators, denominator], axis=-1) / totals[..., -1:, None]
    return gradient


def _total_value(totals: Array) -> Array:
    """Every total but the last, which only marks who counts."""
    return totals[..., :-1]


def _total_gradient(totals: Array) -> Array:
    count = totals.shape[-1] - 1
    return np.broadcast_to(np.eye(count, count + 1), (*totals.shape[:-1], count, count + 1))


def mean(sample: Sample, formula: Formula) -> Statistic:
    """``mean(y)``: weighted mean of the records with an answer, a ratio of two totals.

    Source: Särndal, Swensson and Wretman (1992), section 5.7; Lumley (2010), section 2.2.
    """
    y = sample.check(formula.arguments[0])
    terms = (y, f"CASE WHEN {y} IS NOT NULL THEN 1 END")
    return Statistic(
        "mean", formula.arguments[0], ("",), terms, _ratio_value, _ratio_gradient, (y,), limits="mean"
    )


def ratio(sample: Sample, formula: Formula) -> Statistic:
    """``ratio(x, y)``: total of x over total of y, of the records with both.

    Source: Särndal, Swensson and Wretman (1992), section 5.6; Woodruff (1971).
    """
    x, y = (sample.check(argument) for argument in formula.arguments)
    terms = (f"CASE WHEN {y} IS NOT NULL THEN {x} END", f"CASE WHEN {x} IS NOT NULL THEN {y} END")
    return Statistic("ratio", ", ".join(formula.arguments), ("",), terms, _ratio_value, _ratio_gradient)


def total(sample: Sample, formula: Formula) -> Statistic:
    """``total(x)``: weighted total; ``total(1)`` is the size of the population.

    Source: Särndal, Swensson and Wretman (1992), section 2.8.
    """
    x = sample.check(formula.arguments[0])
    terms = (x, f"CASE WHEN {x} IS NOT NULL THEN 0 END")
    return Statistic("total", formula.arguments[0], ("",), terms, _total_value, _total_gradient, (x,))


def proportion(sample: Sample, formula: Formula) -> Statistic:
    """``proportion(q)``: share of every category of q among the records with an answer.

    Source: as the mean of an indicator variable for each category.
    """
    categories, indicators, answered = _indicators(sample, formula)
    terms = (*indicators, f"CASE WHEN {answered} THEN 1 END")
    return Statistic(
        "proportion",
        formula.arguments[0],
        categories,
        terms,
        _ratio_value,
        _ratio_gradient,
        indicators,
        limits="proportion",
    )


def count(sample: Sample, formula: Formula) -> Statistic:
    """``count(q)``: estimated number of units in every category of q."""
    categories, indicators, answered = _indicators(sample, formula)
    terms = (*indicators, f"CASE WHEN {answered} THEN 0 END")
    return Statistic(
        "count", formula.arguments[0], categories, terms, _total_value, _total_gradient, indicators
    )


def _indicators(sample: Sample, formula: Formula) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    q = sample.check(formula.arguments[0])
    query = f"SELECT ({q})::VARCHAR FROM records WHERE {q} IS NOT NULL GROUP BY {q} ORDER BY {q}"  # noqa: S608
    with guarded():
        found = sample.connection.sql(f"{query} LIMIT {MOST_CATEGORIES + 1}").fetchall()
    if len(found) > MOST_CATEGORIES:
        raise EstimationError("E039", variable=formula.arguments[0], most=MOST_CATEGORIES)
    categories = tuple(row[0] for row in found)
    indicators = tuple(f"(({q})::VARCHAR = {quoted(category, chr(39))})" for category in categories)
    return categories, indicators, f"{q} IS NOT NULL"


_ARGUMENTS = {"mean": 1, "ratio": 2, "total": 1, "proportion": 1, "count": 1}
_STATISTICS: dict[str, Callable[[Sample, Formula], Statistic]] = {
    "mean": mean,
    "ratio": ratio,
    "total": total,
    "proportion": proportion,
    "count": count,
}


def shares_of(formula: Formula) -> tuple[str, tuple[float, ...]]:
    """Return the variable and the shares of ``quantile(x, 0.25, 0.75)`` or ``median(x)``.

    Raises:
        EstimationError: E030, no variable, no share, or a share that is no number.
    """
    variable, *given = formula.arguments
    if formula.name == "median":
        given = [*given, "0.5"]
    if not given or (formula.name == "median" and len(given) > 1):
        raise _wrong_arguments(formula, 1 if formula.name == "median" else 2)
    try:
        return variable, tuple(float(share) for share in given)
    except ValueError:
        raise _wrong_arguments(formula, len(given) + 1) from None


def _wrong_arguments(formula: Formula, wanted: int) -> EstimationError:
    caret = " " * formula.text.index("(") + "^"
    arguments = {1: "one argument", 2: "two arguments"}.get(wanted, "numbers between 0 and 1")
    return EstimationError("E030", formula=formula.text, caret=caret, wanted=arguments)


def statistic_of(sample: Sample, formula: Formula) -> Statistic:
    """Return what a formula asks for.

    Raises:
        EstimationError: E030, unknown statistic or a wrong number of arguments; E031, E032, its expressions;
            E039, too many categories.
    """
    wanted = _ARGUMENTS.get(formula.name)
    if wanted is None:
        known = ", ".join([*_STATISTICS, "quantile", "median"])
        raise EstimationError("E030", formula=formula.text, caret="^", wanted=known)
    if len(formula.arguments) != wanted:
        raise _wrong_arguments(formula, wanted)
    return _STATISTICS[formula.name](sample, formula)
