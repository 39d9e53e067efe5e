"""The numbers of answers that make a release weakest, where only their bands are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from copstats.disclose.audit.cells import Cells
from copstats.disclose.audit.statements import Flags, Floats
from copstats.disclose.audit.system import SystemBuilder
from copstats.disclose.intervals import Extremes, InfeasibleSystem


def assumed_cells(cells: Cells) -> Cells | None:
    """Return banded cells with the smallest numbers of answers that fit the bands and add up.

    The fewer respondents there are, the fewer of them the rounding of a share hides. Each indicator is taken
    alone: the numbers of two need not fit each other.

    Args:
        cells: of which bands are known.

    Returns:
        None if no numbers fit.
    """
    n = np.zeros(cells.exists.shape)
    for row in range(len(n)):
        if not cells.exists[row].any():
            continue
        smallest = _smallest(cells, np.arange(len(n)) == row)
        if smallest is None:
            return None
        n[row] = smallest[row]
    exists = cells.exists & (n > 0)
    holds = cells.holds & exists[:, [one.whole for one in cells.sums]]
    return replace(cells, exists=exists, n=n, weight_lower=n, weight_upper=n, holds=holds)


def _smallest(cells: Cells, indicator: Flags) -> Floats | None:
    builder = SystemBuilder(cells, indicator)
    base = builder.unknowns.base
    cost = np.zeros(builder.unknowns.count)
    cost[base[base >= 0]] = 1.0
    try:
        programs = Extremes(builder.system())
    except InfeasibleSystem:
        return None
    programs.extreme(cost, 1)
    point = np.append(programs.point(), 0.0)
    return np.asarray(np.where(base >= 0, point[base], 0.0))
