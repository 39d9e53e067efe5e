"""Groups that are no cells and follow by subtraction: R1 and R2 hold for them too (R5)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from copstats.disclose.relations.answers import Answers, in_respondents
from copstats.disclose.relations.cells import Cell, ContradictoryCells, Measured
from copstats.disclose.relations.rows import Rows, Sum, plus
from copstats.store.schemas import DIMENSIONS


def protect_rests(rows: Rows, answers: Answers) -> None:
    """Protect groups that are no cells: those of unknown category, and differences of nested cells (R5)."""
    tables, seen = [cell for cell in answers.cells if not cell.common_age], set()
    for of, rest in itertools.chain(
        _unknown(answers), _rests(answers, tables), _differences(answers, tables)
    ):
        terms = frozenset(of.items())
        if terms not in seen and rest.n:
            seen.add(terms)
            rows.protect(in_respondents(of, rest), tables[0].needed_of_rest(rest))


def _unknown(answers: Answers) -> Iterator[tuple[Sum, Measured]]:
    for (dimensions, codes), part in answers.measured.items():
        if len(codes) < len(dimensions):
            yield {answers.groups[dimensions, codes]: 1.0}, part


def _rests(answers: Answers, tables: Sequence[Cell]) -> Iterator[tuple[Sum, Measured]]:
    """Yield what a table leaves of each of its margins."""
    for whole, name in itertools.product(tables, DIMENSIONS):
        parts = [c for c in tables if c.codes > whole.codes and c.dimensions == whole.dimensions | {name}]
        if parts:
            yield _left(answers, answers.sums[whole.codes], whole.measured, parts)


def _differences(answers: Answers, tables: Sequence[Cell]) -> Iterator[tuple[Sum, Measured]]:
    for whole, part in itertools.permutations(tables, 2):
        if part.codes > whole.codes:
            yield _left(answers, answers.sums[whole.codes], whole.measured, [part])


def _left(answers: Answers, of: Sum, rest: Measured, parts: Sequence[Cell]) -> tuple[Sum, Measured]:
    """Return what a group holds beside some cells in it."""
    for part in parts:
        of, rest = plus(of, answers.sums[part.codes], times=-1.0), rest.without(part.measured)
    return {unknown: times for unknown, times in of.items() if times}, rest


def common_age(rows: Rows, answers: Answers, cell: Cell) -> Sum:
    """Write down the ages common to survey and indicator: part of all, and around some age bands."""
    common = {rows.unknown(cell.measured.weight, cell.measured.answers): 1.0}
    bands = [c for c in answers.cells if not c.common_age and c.dimensions == {"age"}]
    inside = [c for c in bands if _holds(cell, c)]
    for part in [inside, *([one] for one in inside)] if inside else []:
        _protect_rest(rows, cell, *_left(answers, common, cell.measured, part))
    whole = next((c for c in answers.cells if not c.codes), None)
    if whole is not None:
        rest = whole.measured.without(cell.measured)
        others = plus(answers.sums[whole.codes], common, times=-1.0)
        _protect_rest(rows, cell, others, rest)
        _protect_rest(rows, cell, *_left(answers, others, rest, [c for c in bands if _apart(cell, c)]))
    return common


def _protect_rest(rows: Rows, cell: Cell, of: Sum, rest: Measured) -> None:
    if rest.n < 0:
        raise ContradictoryCells
    rows.relate(of, 0.0, rest.weight if rest.n else 0.0)
    if rest.n:
        rows.protect(in_respondents(of, rest), cell.needed_of_rest(rest))


def _ages(cell: Cell) -> tuple[int, int]:
    low, high = dict(cell.codes)["age"].removeprefix("Y").split("T")
    return int(low), int(high)


def _holds(outer: Cell, inner: Cell) -> bool:
    (low, high), (first, last) = _ages(outer), _ages(inner)
    return low <= first and last <= high


def _apart(one: Cell, other: Cell) -> bool:
    (low, high), (first, last) = _ages(one), _ages(other)
    return last < low or high < first
