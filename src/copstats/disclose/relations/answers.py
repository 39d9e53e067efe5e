"""The unknowns of one indicator: the weight of those who count, in each elementary group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from copstats.disclose.relations.cells import (
    EVERYONE,
    Cell,
    Codes,
    GroupKey,
    Measured,
    crosses_of,
    groups_of,
    members,
)
from copstats.disclose.relations.rows import Rows, Sum, plus


@dataclass(frozen=True)
class Answers:
    """The unknowns of one indicator.

    Attributes:
        sums: codes of a cell -> its groups.
        groups: elementary group -> unknown; everyone has one too.
        measured: numbers of each group.
        cells: published or not.
    """

    sums: Mapping[Codes, Sum]
    groups: Mapping[GroupKey, int]
    measured: Mapping[GroupKey, Measured]
    cells: Sequence[Cell]


def answers_of(rows: Rows, cells: Sequence[Cell]) -> Answers:
    """Write down an indicator's groups, and that its tables share their margins and the total.

    Raises:
        ContradictoryCells: the cells do not add up.
    """
    tables = [cell for cell in cells if not cell.common_age]
    measured = groups_of(tables)
    groups = {key: rows.unknown(part.weight, part.answers) for key, part in measured.items()}
    sums: dict[Codes, Sum] = {}
    everyone = next((cell.measured for cell in tables if not cell.codes), None)
    if everyone is not None:
        groups[EVERYONE] = rows.unknown(everyone.weight, everyone.answers)
        measured[EVERYONE] = everyone
        sums[EVERYONE[1]] = {groups[EVERYONE]: 1.0}
    for cross in crosses_of(tables):
        for cell in tables:
            if not cell.dimensions <= cross:
                continue
            found = {groups[key]: 1.0 for key in members(cell, cross, measured)}
            known = sums.setdefault(cell.codes, found)
            if known is not found and known != found:
                rows.relate(plus(known, found, times=-1.0), 0.0, 0.0)
    return Answers(sums, groups, measured, cells)


def in_respondents(of: Sum, measured: Measured) -> Sum:
    """Return a sum of weights in respondents of the group."""
    if measured.weight <= 0:
        return {}
    scale = measured.n / measured.weight
    return {unknown: times * scale for unknown, times in of.items()}
