"""The attack on one part of a problem, repeated while cells are withheld and published again.

Every solution of a linear program is a point that agrees with what is published. The points are kept: between
them they often show that a sum can vary enough, and no program needs to be solved for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from copstats.disclose.intervals import Extremes, Floats, Side
from copstats.disclose.suppression.problem import ALWAYS, Problem

TOLERANCE = 1e-7
"""Of widths, in the unit of the sums."""

_AGREES = 1e-7
_BINDS = 1e-9


class Attack:
    """What follows for the sums of one part from the cells that are published at the moment."""

    def __init__(self, part: Problem) -> None:
        """Start from the cells that the problem says are withheld.

        Raises:
            InfeasibleSystem: the relations contradict each other.
        """
        self._part = part
        self._sums = part.measured.toarray()
        self._width = part.width.copy()
        self._below, self._above = part.below.copy(), part.above.copy()
        self._rows_of = {
            int(cell): np.flatnonzero(part.cell_of_row == cell)
            for cell in np.unique(part.cell_of_row)
            if cell != ALWAYS
        }
        self._withheld = {cell for cell in self._rows_of if part.withheld[cell]}
        self._programs = Extremes(part.system)
        for cell in self._withheld:
            self._limit(cell, published=False)
        self._seen = [part.value]
        self._fits = [np.ones(len(part.cell_of_row), np.bool_)]
        self.conceded: set[int] = set()
        """Sums of which relations alone tell more than their protection allows."""

    @property
    def cells(self) -> set[int]:
        """Cells that have a relation in this part."""
        return set(self._rows_of)

    def withhold(self, cell: int) -> None:
        """Take a cell's relations out of force."""
        self._withheld.add(cell)
        self._limit(cell, published=False)

    def publish(self, cell: int) -> None:
        """Put a cell's relations in force."""
        self._withheld.discard(cell)
        self._limit(cell, published=True)

    def unprotected(self, first: int | None = None) -> int | None:
        """Return a sum that is not protected, or None.

        Args:
            first: the sum to look at first.
        """
        low, high = self._known()
        for side in _SIDES:
            if not (short := self._short(low, high)).any():
                return None
            self._visit(short @ self._sums, side, low, high)
        waiting = [int(number) for number in np.flatnonzero(self._short(low, high))]
        for number in sorted(waiting, key=lambda number: number != first):
            if self._short(low, high)[number] and self.shortfall(number, low, high) > TOLERANCE:
                return number
        return None

    def shortfall(self, number: int, low: Floats | None = None, high: Floats | None = None) -> float:
        """Return by how much the interval of a sum misses what it needs."""
        least, largest = (self._visit(self._sums[number], side, low, high) for side in _SIDES)
        value, (low_end, high_end) = self._part.value[number], self._part.spared[number]
        missing = (
            max(0.0, self._width[number] - (largest - least))
            + max(0.0, least - (value - self._below[number]))
            + max(0.0, value + self._above[number] - largest)
        )
        return float(min(missing, max(0.0, least - low_end) + max(0.0, high_end - largest)))

    def binding(self, number: int) -> set[int]:
        """Return the published cells that limit a sum, of those that may be withheld."""
        found: set[int] = set()
        for side in _SIDES:
            if not np.isfinite(self._visit(self._sums[number], side)):
                continue
            rows = np.flatnonzero(np.abs(self._programs.duals()) > _BINDS)
            found |= {int(cell) for cell in self._part.cell_of_row[rows]}
        return {c for c in found - {ALWAYS} - self._withheld if np.isfinite(self._part.costs[c])}

    @contextmanager
    def without(self, cells: Iterable[int]) -> Iterator[None]:
        """Withhold cells for a moment."""
        tried = [cell for cell in cells if cell not in self._withheld]
        for cell in tried:
            self.withhold(cell)
        yield
        for cell in tried:
            self.publish(cell)

    def concede(self, number: int) -> None:
        """Require of a sum no more than it has: nothing that may be withheld limits it."""
        least, largest = (self._visit(self._sums[number], side) for side in _SIDES)
        value = self._part.value[number]
        self._width[number] = min(self._width[number], largest - least)
        self._below[number] = min(self._below[number], value - least)
        self._above[number] = min(self._above[number], largest - value)
        self.conceded.add(number)

    def _visit(
        self, target: Floats, side: Side, low: Floats | None = None, high: Floats | None = None
    ) -> float:
        extreme = self._programs.extreme(target, side)
        if np.isfinite(extreme):
            point = self._programs.point()
            sums = self._sums @ point
            values = self._part.system.rows @ point
            fits = (values >= self._part.system.row_lower - _AGREES) & (
                values <= self._part.system.row_upper + _AGREES
            )
            self._seen.append(sums)
            self._fits.append(fits)
            if low is not None and high is not None:
                np.minimum(low, sums, out=low)
                np.maximum(high, sums, out=high)
        return extreme

    def _known(self) -> tuple[Floats, Floats]:
        """Return the least and largest sums among the points that agree with what is published now."""
        in_force = ~np.isin(self._part.cell_of_row, list(self._withheld))
        agrees = np.array(self._fits)[:, in_force].all(axis=1)
        points = np.array(self._seen)[agrees]
        return points.min(axis=0), points.max(axis=0)

    def _short(self, low: Floats, high: Floats) -> npt.NDArray[np.bool_]:
        value, spared = self._part.value, self._part.spared
        missing = high - low < self._width - TOLERANCE
        missing |= low > value - self._below + TOLERANCE
        missing |= high < value + self._above - TOLERANCE
        return np.asarray(missing & ((low > spared[:, 0]) | (high < spared[:, 1])))

    def _limit(self, cell: int, *, published: bool) -> None:
        system = self._part.system
        for row in self._rows_of.get(cell, ()):
            lower = system.row_lower[row] if published else -np.inf
            upper = system.row_upper[row] if published else np.inf
            self._programs.limit_row(int(row), float(lower), float(upper))


_SIDES: tuple[Side, Side] = (1, -1)
