"""A first proposal by Gaussian elimination: no sum to protect is a combination of published cells.

After Langsrud, Secondary cell suppression by Gaussian elimination, 2024: cells are published in descending
order of the information they carry, each unless a sum to protect would follow exactly. The arithmetic is
modulo a prime, so that it is exact. Zeros are published first: unknowns below a published zero are zero, and
a withheld zero hides nothing. That unknowns are not negative is left to the feasibility intervals.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from copstats.disclose.suppression.problem import ALWAYS, Problem

_PRIME = 2_147_483_629


def proposed(part: Problem) -> list[int]:
    """Return cells to withhold beside those withheld already; none where no cell has an exact value."""
    system = part.system
    exact = (system.row_lower == system.row_upper) & np.isfinite(system.row_lower)
    exact &= ~np.isin(part.cell_of_row, np.flatnonzero(part.withheld))
    if not (exact & (part.cell_of_row != ALWAYS)).any():
        return []
    rows, sums = system.rows.toarray(), part.measured.toarray()
    # Pieces of a published zero are zero themselves where none of them can be negative.
    zero = exact & (system.row_lower == 0) & (rows >= 0).all(axis=1) & (rows @ system.lower == 0)
    fixed = (rows[zero] > 0).any(axis=0) | (system.lower == system.upper)
    span = _Span(sums[:, ~fixed])
    carried = np.where(part.cell_of_row == ALWAYS, np.inf, part.costs[part.cell_of_row])
    order = [row for row in np.argsort(-carried, kind="stable") if exact[row] and not zero[row]]
    return [int(part.cell_of_row[row]) for row in order if not span.takes(rows[row, ~fixed], carried[row])]


class _Span:
    """What follows from the published cells, and what is left of the sums beside it."""

    def __init__(self, sums: npt.NDArray[np.float64]) -> None:
        left = _modulo(sums)
        self._left = left[left.any(axis=1)]
        self._pivots: list[tuple[int, npt.NDArray[np.int64]]] = []

    def takes(self, row: npt.NDArray[np.float64], carried: float) -> bool:
        """Publish a cell unless a sum would follow; a cell that may not be withheld is published anyway."""
        rest = _modulo(row)
        for column, pivot in self._pivots:
            if rest[column]:
                rest = (rest - rest[column] * pivot) % _PRIME
        columns = np.flatnonzero(rest)
        if not columns.size:
            return True
        column = int(columns[0])
        pivot = rest * pow(int(rest[column]), _PRIME - 2, _PRIME) % _PRIME
        touched = np.flatnonzero(self._left[:, column])
        left = (self._left[touched] - self._left[touched, column][:, None] * pivot) % _PRIME
        follows = ~left.any(axis=1)
        if follows.any() and np.isfinite(carried):
            return False
        self._left[touched] = left
        self._left = self._left[self._left.any(axis=1)]
        self._pivots.append((column, pivot))
        return True


def _modulo(coefficients: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    if (coefficients != np.rint(coefficients)).any():
        raise ValueError("elimination needs whole coefficients")
    return coefficients.astype(np.int64) % _PRIME
