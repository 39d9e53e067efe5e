"""What an earlier release said of the same children, and by how few respondents two releases differ (R5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from copstats.disclose.audit.cells import Cells
from copstats.disclose.audit.result import Cell, Finding
from copstats.disclose.audit.statements import Flags, Floats

Places = npt.NDArray[np.int64]
Place = tuple[int, Places]
_SAME = 1e-9


@dataclass(frozen=True)
class Joined:
    """The cells of a wave as one knows them who kept an earlier release.

    Attributes:
        cells: with the narrower limits of both.
        corrected: cells of the same respondents of which the releases say what cannot both be true.
        more: whether the earlier release says anything that the later one does not.
    """

    cells: Cells
    corrected: Flags
    more: bool


def join(cells: Cells, earlier: Cells) -> Joined:
    """Return what both releases together say of cells with the same respondents.

    The same number and the same weight of valid answers are taken for the same respondents.
    """
    lower, upper = cells.share_lower.copy(), cells.share_upper.copy()
    corrected = np.zeros(cells.exists.shape, dtype=bool)
    for (row, before), (columns, columns_before) in _common(cells, earlier):
        same = _same_respondents((cells, row, columns), (earlier, before, columns_before))
        at, at_before = columns[same], columns_before[same]
        low = np.maximum(lower[row, at], earlier.share_lower[before, at_before])
        high = np.minimum(upper[row, at], earlier.share_upper[before, at_before])
        apart = (low > high) | _other_values(cells, earlier, (row, at), (before, at_before))
        corrected[row, at[apart]] = True
        lower[row, at[~apart]], upper[row, at[~apart]] = low[~apart], high[~apart]
    more = bool((lower > cells.share_lower).any() or (upper < cells.share_upper).any())
    return Joined(replace(cells, share_lower=lower, share_upper=upper), corrected, more)


def differences(cells: Cells, earlier: Cells, least: float) -> Iterator[Finding]:
    """Yield the cells, rests included, whose number of respondents differs from an earlier one by too few.

    Args:
        cells: of the release.
        earlier: of the same wave in an earlier release.
        least: number of changed records from which on a change is that of a group.
    """
    stated = cells.statements
    for (row, before), (columns, columns_before) in _common(cells, earlier):
        change = np.abs(cells.n[row, columns] - earlier.n[before, columns_before])
        for group, size in zip(columns.tolist(), change.tolist(), strict=True):
            if 0 < size < least:
                cell = Cell(stated.key, stated.indicators[row], stated.groups.labels[group])
                yield Finding("vintage", cell, needed=least, found=size)


def _common(cells: Cells, earlier: Cells) -> Iterator[tuple[tuple[int, int], tuple[Places, Places]]]:
    """Yield each indicator of both with the places of the groups that both have."""
    labels = {label: i for i, label in enumerate(earlier.statements.groups.labels)}
    pairs = [(i, labels[label]) for i, label in enumerate(cells.statements.groups.labels) if label in labels]
    if not pairs:
        return
    columns, columns_before = (np.array(one) for one in zip(*pairs, strict=True))
    rows = {code: i for i, code in enumerate(earlier.statements.indicators)}
    for row, code in enumerate(cells.statements.indicators):
        if code in rows:
            yield (row, rows[code]), (columns, columns_before)


def _same_respondents(one: tuple[Cells, int, Places], other: tuple[Cells, int, Places]) -> Flags:
    exist, n, weight = zip(*(_sizes(*each) for each in (one, other)), strict=True)
    alike = np.abs(weight[0] - weight[1]) <= _SAME * weight[0]
    return np.asarray(exist[0] & exist[1] & (n[0] == n[1]) & alike)


def _other_values(cells: Cells, earlier: Cells, of: Place, of_earlier: Place) -> Flags:
    """Return where both show a value, rounded alike, and not the same: limits that touch hide it."""
    value, step = _shown(cells, *of)
    value_before, step_before = _shown(earlier, *of_earlier)
    return np.asarray((step == step_before) & (np.abs(value - value_before) > _SAME))


def _shown(cells: Cells, row: int, columns: Places) -> tuple[Floats, Floats]:
    """Return values and steps of an indicator's groups; NaN for rests and what is withheld."""
    stated, size = cells.statements, cells.exists.shape[1]
    both = np.full((2, size), np.nan)
    both[:, : stated.value.shape[1]] = stated.value[row], stated.step[row]
    return both[0, columns], both[1, columns]


def _sizes(cells: Cells, row: int, columns: Places) -> tuple[Flags, Floats, Floats]:
    """Return whether an indicator's groups exist, their numbers, and their weights as the survey has them."""
    return cells.exists[row, columns], cells.n[row, columns], cells.unit * cells.weight_lower[row, columns]
