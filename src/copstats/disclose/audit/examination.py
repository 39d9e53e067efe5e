"""Solves the systems of a wave and compares what follows from them with what must stay uncertain."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from copstats.disclose.audit.cells import Cells
from copstats.disclose.audit.implications import Filter, Logic, Relation
from copstats.disclose.audit.result import Cell, Weakness
from copstats.disclose.audit.statements import Flags, Floats
from copstats.disclose.audit.system import SystemBuilder
from copstats.disclose.audit.targets import Part, Target, targets
from copstats.disclose.intervals import InfeasibleSystem, feasible_intervals
from copstats.disclose.profile import DisclosureProfile


@dataclass(frozen=True)
class Examined:
    """A cell that must stay uncertain, and how exactly it is known.

    Attributes:
        part: cell, rest or difference.
        weakness: needed and found width.
        protected: whether that is enough.
    """

    part: Part
    weakness: Weakness
    protected: bool

    @property
    def key(self) -> tuple[Cell, Part]:
        """What tells it from others of its wave."""
        return self.weakness.cell, self.part


@dataclass
class Examination:
    """What the systems of a wave give.

    Attributes:
        examined: every cell that must stay uncertain.
        contradictory: indicators of which no answers agree with what is published.
    """

    examined: list[Examined] = field(default_factory=list)
    contradictory: set[str] = field(default_factory=set)


def examine(cells: Cells, logic: Logic, profile: DisclosureProfile) -> Examination:
    """Return how exactly each protected cell of a wave is known.

    Indicators that their definitions relate are one system. A filter is another: its yes are the base of
    other indicators, so who knew their weights would know its answers; there, only their shares are known.

    No cell needs to be more uncertain than it is for one who knows the numbers of answers and no figure:
    where an any-of has a valid answer and a part of it has none, the answer was yes.

    Args:
        cells: of the wave.
        logic: what the definitions say of each other.
        profile: thresholds and reasons.
    """
    wanted = targets(cells, logic.nestings, profile)
    wave = _Wave(cells, logic, wanted)
    wave.solve_all(range(len(wanted)))
    narrow = [k for k, interval in wave.intervals.items() if not wanted[k].is_protected(interval)]
    blank = _Wave(cells.without_figures(), _with_definitional_no(logic), wanted)
    blank.solve_all(narrow)
    return wave.result({k: wanted[k].width(interval) for k, interval in blank.intervals.items()})


def _with_definitional_no(logic: Logic) -> Logic:
    """Return the relations with those of children who count as no by definition: theirs is no secret."""
    nested = (one for one in logic.nestings if one.definitional)
    equal = (Relation({one.outer: 1.0, one.inner: -1.0}, routed=True) for one in nested)
    return replace(logic, relations=(*logic.relations, *equal))


class _Wave:
    def __init__(self, cells: Cells, logic: Logic, wanted: Sequence[Target]) -> None:
        self.cells = cells
        self.logic = logic
        self.wanted = wanted
        self.codes = cells.statements.indicators
        self.chosen: frozenset[int] = frozenset()
        self.intervals: dict[int, Floats] = {}
        self.contradictory: set[str] = set()

    def solve_all(self, chosen: Collection[int]) -> None:
        """Solve every system that says something of the chosen targets."""
        self.chosen = frozenset(chosen)
        for members in _related(self.cells, self.logic):
            self.solve(members, self._of(members), self._relate)
        if not self.cells.free.all():
            for source, filters in _filtered(self.logic):
                self.solve_filter(source, filters)

    def _of(self, indicators: Flags) -> list[int]:
        return [k for k, one in enumerate(self.wanted) if k in self.chosen and indicators[one.indicator]]

    def _relate(self, builder: SystemBuilder, routed: bool) -> None:
        builder.relate(self.logic.relations, routed=routed)

    def solve(
        self,
        indicators: Flags,
        wanted: list[int],
        also: Callable[[SystemBuilder, bool], None],
        cells: Cells | None = None,
    ) -> None:
        """Solve one system; trust the framework's filters unless what is published shows otherwise."""
        if not wanted:
            return
        for routed in (True, False):
            builder = SystemBuilder(cells or self.cells, indicators)
            also(builder, routed)
            measured = builder.unknowns.sums([self.wanted[k].terms for k in wanted])
            try:
                found = feasible_intervals(builder.system(), measured)
            except InfeasibleSystem:
                continue
            for k, interval in zip(wanted, found, strict=True):
                self._narrow(k, interval)
            return
        self.contradictory |= {code for code, one in zip(self.codes, indicators, strict=True) if one}

    def solve_filter(self, source: str, filters: Sequence[Filter]) -> None:
        """Solve the system of an indicator and those that are asked of its yes."""
        dependent = np.isin(self.codes, [one.dependent for one in filters])
        own = np.isin(self.codes, [source])
        present = [one for one in filters if one.dependent in self.codes]
        if own.any() and dependent.any():
            self.solve(
                own | dependent,
                self._of(own),
                lambda builder, routed: builder.couple(present, routed=routed),
                self.cells.asked_of(own, dependent),
            )

    def result(self, widest: Mapping[int, float]) -> Examination:
        """Return what was found.

        Args:
            widest: target -> width that its interval has without any figure; of those that are narrow.
        """
        out = Examination(contradictory=self.contradictory)
        for k, interval in self.intervals.items():
            one = self.wanted[k]
            target = replace(one, needed=min(one.needed, widest.get(k, np.inf)))
            cell = Cell(self.cells.statements.key, self.codes[one.indicator], one.place)
            weakness = Weakness(cell, float(target.needed), target.width(interval))
            out.examined.append(Examined(one.part, weakness, target.is_protected(interval)))
        return out

    def _narrow(self, k: int, interval: Floats) -> None:
        """Both systems hold: together they say what either says."""
        known = self.intervals.get(k, np.array([-np.inf, np.inf]))
        self.intervals[k] = np.array([max(known[0], interval[0]), min(known[1], interval[1])])


def _related(cells: Cells, logic: Logic) -> Iterator[Flags]:
    """Yield the groups of indicators that relations connect."""
    codes = cells.statements.indicators
    places = {code: i for i, code in enumerate(codes)}
    pairs = [
        (places[one], places[other])
        for relation in logic.relations
        if relation.indicators <= places.keys()
        for one in relation.indicators
        for other in relation.indicators
    ]
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    size = (len(codes), len(codes))
    count, label = connected_components(coo_array((np.ones(len(pairs)), (rows, columns)), shape=size))
    for number in range(count):
        yield label == number


def _filtered(logic: Logic) -> Iterator[tuple[str, list[Filter]]]:
    for source in sorted({one.source for one in logic.filters}):
        yield source, [one for one in logic.filters if one.source == source]
