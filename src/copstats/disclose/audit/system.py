"""The linear system of a wave: what every answer that agrees with a release must fulfil.

Unknowns are X, the weighted number of yes, of each cell and rest, and W, the weight of the valid answers,
where it is not known. Cells and rests add up; a published share bounds X between multiples of W; the
definitions relate indicators to each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from copstats.disclose.audit.cells import Cells
from copstats.disclose.audit.implications import Filter, Relation
from copstats.disclose.audit.statements import Flags, Floats
from copstats.disclose.intervals import LinearSystem

Columns = npt.NDArray[np.int64]
_NONE = -1


@dataclass(frozen=True)
class Unknowns:
    """Places of the unknowns: arrays of indicators by groups, -1 for none.

    Attributes:
        yes: X.
        base: W, where it is not known.
        count: number of unknowns.
    """

    yes: Columns
    base: Columns
    count: int

    def sums(self, terms: Sequence[Mapping[tuple[int, int], float]]) -> csr_array:
        """Return sums of X as rows: (indicator, group) -> factor."""
        rows = [row for row, one in enumerate(terms) for _ in one]
        columns = [self.yes[cell] for one in terms for cell in one]
        factors = [factor for one in terms for factor in one.values()]
        return csr_array(coo_array((factors, (rows, columns)), shape=(len(terms), self.count)))


class SystemBuilder:
    """Builds the system of some indicators of a wave."""

    def __init__(self, cells: Cells, indicators: Flags) -> None:
        """Give every cell of the indicators its unknowns and what is published of it.

        Args:
            cells: of the wave.
            indicators: those of the system.
        """
        self.cells = cells
        self.here = cells.exists & indicators[:, None]
        self.free = cells.free & indicators
        with_base = self.here & self.free[:, None]
        count = int(self.here.sum())
        yes, base = np.full(self.here.shape, _NONE), np.full(self.here.shape, _NONE)
        yes[self.here] = np.arange(count)
        base[with_base] = count + np.arange(int(with_base.sum()))
        self.unknowns = Unknowns(yes, base, count + int(with_base.sum()))
        nothing = np.zeros(0)
        self._entries: list[tuple[Floats, Columns, Columns]] = [
            (nothing, nothing.astype(int), nothing.astype(int))
        ]
        self._limits: list[tuple[Floats, Floats]] = [(nothing, nothing)]
        self._rows = 0
        self._shares()
        self._sums()

    def system(self) -> LinearSystem:
        """Return what was put together."""
        data, rows, columns = (np.concatenate(parts) for parts in zip(*self._entries, strict=True))
        matrix = coo_array((data, (rows, columns)), shape=(self._rows, self.unknowns.count))
        lower, upper = (np.concatenate(parts) for parts in zip(*self._limits, strict=True))
        return LinearSystem(csr_array(matrix), lower, upper, *self._bounds())

    def relate(self, relations: Iterable[Relation], *, routed: bool) -> None:
        """Add what the definitions say of indicators, in every cell that they have in common.

        Args:
            relations: of any indicators; those of others than the system's are left out.
            routed: whether to trust that questions were put as the framework's filters say.
        """
        places = {code: i for i, code in enumerate(self.cells.statements.indicators)}
        for relation in relations:
            rows = [places.get(code, _NONE) for code in sorted(relation.indicators)]
            if (
                min(rows) == _NONE
                or not self.here[rows].any(axis=1).all()
                or (relation.routed and not routed)
            ):
                continue
            at = np.flatnonzero(self._common(rows))
            terms = [(self.unknowns.yes[places[c], at], factor) for c, factor in relation.yes.items()]
            known = np.zeros(len(at))
            for code, factor in relation.base.items():
                row = places[code]
                if self.free[row]:
                    terms.append((self.unknowns.base[row, at], factor))
                else:
                    known += factor * self.cells.weight_lower[row, at]
            self._add(terms, np.full(len(at), -np.inf), -known)

    def couple(self, filters: Iterable[Filter], *, routed: bool) -> None:
        """Add that the base of an indicator is the yes of another, but for item non-response.

        Args:
            filters: of which the system has both indicators; the dependent one's weights are not known.
            routed: whether to trust that questions were put as the framework's filters say.
        """
        places = {code: i for i, code in enumerate(self.cells.statements.indicators)}
        for one in filters:
            source, dependent = places[one.source], places[one.dependent]
            if one.routed and not routed:
                continue
            at = np.flatnonzero(self._common([source, dependent]))
            base, yes = self.unknowns.base[dependent, at], self.unknowns.yes[source, at]
            nothing = np.zeros(len(at))
            self._add([(base, 1), (yes, -1)], nothing - np.inf, nothing)
            stated = self.cells.statements.nonresponse[dependent]
            if one.complete:
                answered = np.zeros(self.here.shape[1])
                answered[: len(stated)] = 1 - stated
                self._add([(yes, answered[at]), (base, -1)], nothing - np.inf, nothing)

    def _common(self, rows: list[int]) -> Flags:
        """Return the groups that all these indicators have; a rest only if it is left of the same groups."""
        cells, both = self.cells, np.asarray(self.here[rows].all(axis=0))
        for k, one in enumerate(cells.sums):
            parts = cells.exists[rows][:, list(one.parts)]
            alike = bool(cells.holds[rows, k].all() and (parts == parts[0]).all())
            # The same parts of different wholes leave different rests.
            both[one.rest] &= alike and bool(both[one.whole])
        return both

    def _bounds(self) -> tuple[Floats, Floats]:
        cells, count = self.cells, self.unknowns.count
        lower, upper = np.zeros(count), np.full(count, np.inf)
        fixed = self.here & ~self.free[:, None]
        least = np.maximum(cells.share_lower * cells.weight_lower, cells.weight_lower - cells.most_no)
        lower[self.unknowns.yes[fixed]] = least[fixed]
        upper[self.unknowns.yes[fixed]] = (cells.share_upper * cells.weight_upper)[fixed]
        upper[self.unknowns.yes[self.here]] = np.minimum(
            upper[self.unknowns.yes[self.here]], cells.most_yes[self.here]
        )
        free = self.unknowns.base >= 0
        lower[self.unknowns.base[free]] = cells.weight_lower[free]
        upper[self.unknowns.base[free]] = cells.weight_upper[free]
        return lower, upper

    def _shares(self) -> None:
        """A share of a weight that is not known: two rows; of a known weight it bounds the unknown itself."""
        free, cells = self.unknowns.base >= 0, self.cells
        yes, base = self.unknowns.yes[free], self.unknowns.base[free]
        nothing = np.zeros(len(yes))
        self._add([(yes, 1), (base, -cells.share_upper[free])], nothing - np.inf, nothing)
        self._add([(yes, -1), (base, cells.share_lower[free])], nothing - np.inf, nothing)
        few = free & np.isfinite(cells.most_no)
        yes, base, most = self.unknowns.yes[few], self.unknowns.base[few], cells.most_no[few]
        self._add([(base, 1), (yes, -1)], np.full(len(yes), -np.inf), most)

    def _sums(self) -> None:
        for k, one in enumerate(self.cells.sums):
            at = np.flatnonzero(self.cells.holds[:, k] & self.here.any(axis=1))
            for places in (self.unknowns.yes, self.unknowns.base):
                held = at[places[at, one.whole] >= 0]
                terms = [(places[held, one.whole], 1.0)]
                terms += [(places[held, part], -1.0) for part in (*one.parts, one.rest)]
                self._add(terms, np.zeros(len(held)), np.zeros(len(held)))

    def _add(self, terms: Sequence[tuple[Columns, float | Floats]], lower: Floats, upper: Floats) -> None:
        """Add rows; a term without an unknown is nothing."""
        size = len(lower)
        if size == 0:
            return
        rows = np.arange(self._rows, self._rows + size)
        for columns, factor in terms:
            there = columns >= 0
            factors = np.broadcast_to(np.asarray(factor, dtype=np.float64), (size,))
            self._entries.append((factors[there], rows[there], columns[there]))
        self._limits.append((lower, upper))
        self._rows += size
