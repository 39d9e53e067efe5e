"""The linear system of one wave: its unknowns are the weights of those who count, in elementary groups.

The attacker knows of every group how many answered and with what weight, and the rounding. A published cell
limits the sum of its groups; tables share their margins; definitions relate indicators group by group.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from copstats.disclose.relations.answers import Answers, answers_of, in_respondents
from copstats.disclose.relations.cells import Cell, ContradictoryCells, GroupKey
from copstats.disclose.relations.definitions import Relation, Relations
from copstats.disclose.relations.rests import common_age, protect_rests
from copstats.disclose.relations.rows import Rows, plus
from copstats.disclose.suppression.problem import Problem


def wave_problem(cells: Sequence[Cell], relations: Sequence[Relations]) -> Problem:
    """Return what must be protected in one wave.

    Args:
        cells: of all proportions of the wave.
        relations: among its indicators, by record kind.

    Raises:
        ContradictoryCells: cells of an indicator do not add up.
    """
    rows, of = Rows(), defaultdict[str, list[Cell]](list)
    for cell in cells:
        of[cell.indicator].append(cell)
    answers = {code: answers_of(rows, mine) for code, mine in of.items()}
    for mine in answers.values():
        _publish(rows, mine)
        protect_rests(rows, mine)
    for found in relations:
        for relation in found.bounds:
            _relate(rows, relation, answers)
        for inner, outer in found.nested:
            _protect_between(rows, answers[inner], answers[outer])
        _condition(rows, found.conditional, answers)
    withheld = [cell.number for cell in cells if cell.shown is None]
    return rows.problem({cell.number: cell.cost for cell in cells}, withheld)


def _publish(rows: Rows, answers: Answers) -> None:
    for cell in answers.cells:
        of = common_age(rows, answers, cell) if cell.common_age else answers.sums[cell.codes]
        if not math.isclose(rows.true(of), cell.measured.answers, rel_tol=1e-6, abs_tol=1e-6):
            raise ContradictoryCells
        if cell.shown is not None:
            lower, upper = (share * cell.measured.weight for share in cell.shown)
            rows.relate(of, lower, upper, cell.number)
        rows.protect(in_respondents(of, cell.measured), cell.needed())


def _relate(rows: Rows, relation: Relation, answers: Mapping[str, Answers]) -> None:
    """Write down a relation in every group that the tables of its indicators share."""
    mine = {code: answers[code] for code in relation.answers if code in answers}
    if len(mine) < len(relation.answers):
        return
    for key in _shared_groups(list(mine.values())):
        measured = {code: a.measured[key] for code, a in mine.items() if key in a.measured}
        of = {mine[code].groups[key]: relation.answers[code] for code in measured}
        limit = sum(times * measured[c].weight for c, times in relation.weights.items() if c in measured)
        rows.relate(of, -math.inf, limit)


def _shared_groups(answers: Sequence[Answers]) -> Iterator[GroupKey]:
    """Yield the groups of the crosses that all indicators have; a group may be empty for some of them."""
    crosses = set.intersection(*({key[0] for key in each.groups} for each in answers))
    keys = dict.fromkeys(key for each in answers for key in each.groups)
    return (key for key in keys if key[0] in crosses)


def _protect_between(rows: Rows, inner: Answers, outer: Answers) -> None:
    """Protect the records that the denominators of two indicators with one numerator do not share."""
    of_inner = {cell.codes: cell for cell in inner.cells if not cell.common_age}
    for cell in outer.cells:
        if cell.common_age or cell.codes not in of_inner:
            continue
        between = cell.measured.without(of_inner[cell.codes].measured)
        if between.n > 0 and between.weight > 0:
            of = plus(outer.sums[cell.codes], inner.sums[cell.codes], times=-1.0)
            rows.protect(in_respondents(of, between), cell.needed_of_rest(between))


def _condition(rows: Rows, pairs: Sequence[tuple[str, str]], answers: Mapping[str, Answers]) -> None:
    """Write down indicators whose denominator is who counts for another: their shares are of unknown sums.

    They get a second set of unknowns: elsewhere an attacker knows the weight of every denominator, and with
    it the condition itself would be no secret.
    """
    of = defaultdict[str, list[str]](list)
    for condition, indicator in pairs:
        if condition in answers and indicator in answers:
            of[condition].append(indicator)
    for condition, indicators in of.items():
        if not any(cell.protected for cell in answers[condition].cells):
            continue
        for indicator in indicators:
            _publish_given(rows, answers_of(rows, answers[indicator].cells), answers[condition])


def _publish_given(rows: Rows, answers: Answers, base: Answers) -> None:
    for key, unknown in answers.groups.items():
        if key in base.groups:
            rows.relate({unknown: 1.0, base.groups[key]: -1.0}, -math.inf, 0.0)
    for cell in answers.cells:
        if cell.shown is None or cell.common_age or cell.codes not in base.sums:
            continue
        lower, upper = cell.shown
        of, among = answers.sums[cell.codes], base.sums[cell.codes]
        rows.relate(plus(of, among, times=-upper), -math.inf, 0.0, cell.number)
        answered = cell.measured.weight / cell.measured.eligible
        if lower > 0 and math.isfinite(answered):
            least = {unknown: -times for unknown, times in of.items()}
            rows.relate(plus(least, among, times=lower * answered), -math.inf, 0.0, cell.number)
