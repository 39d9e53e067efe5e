"""What must not be known too exactly: withheld cells, rests, and differences of nested groups (R5, R10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from copstats.disclose.audit.cells import Cells
from copstats.disclose.audit.implications import Nesting
from copstats.disclose.audit.statements import Flags, Floats
from copstats.disclose.profile import DisclosureProfile

Part = Literal["cell", "rest", "difference"]
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Target:
    """A sum of answers that is to stay uncertain.

    Attributes:
        part: a withheld cell, the rest of a table, or the difference of two nested groups.
        indicator: position of its indicator.
        place: which children, for a report.
        terms: (indicator, group) -> factor of X.
        n: number of respondents; NaN where only bands are known.
        weight: their weight, in mean weights.
        needed: width that its interval must have, in respondents.
        few: it may be known exactly unless that shows fewer yes, or fewer no, than this; None: never.
    """

    part: Part
    indicator: int
    place: str
    terms: Mapping[tuple[int, int], float]
    n: float
    weight: float
    needed: float
    few: int | None = None

    def width(self, interval: Floats) -> float:
        """Return the width of an interval of X, in respondents."""
        low, high = self._respondents(interval)
        return float(high - low)

    def is_protected(self, interval: Floats) -> bool:
        """Return whether an interval of X says little enough."""
        low, high = self._respondents(interval)
        if self.few is not None and high >= self.few and self.n - low >= self.few:
            return True
        return bool(high - low >= self.needed - _TOLERANCE)

    def _respondents(self, interval: Floats) -> Floats:
        return interval if np.isnan(self.n) else interval / self.weight * self.n


def targets(cells: Cells, nestings: Iterable[Nesting], profile: DisclosureProfile) -> list[Target]:
    """Return what a release must keep uncertain.

    A cell withheld by a primary rule needs the width of its tier's threshold of events (or of its
    respondents, where there are fewer), a cell coded low or high one less, one withheld to protect others
    none. The rest of a table is a cell that nobody declared: R1 and R2 hold for it. Two groups of which one
    holds the other differ by a cell too.
    """
    found = [*_withheld(cells, profile)]
    if cells.free.all():
        return found  # nobody who knows bands only knows that there is a rest
    return [*found, *_rests(cells), *_differences(cells), *_bases(cells, nestings)]


def _withheld(cells: Cells, profile: DisclosureProfile) -> Iterator[Target]:
    stated = cells.statements
    size = stated.reason.shape[1]
    coded = np.isin(stated.reason, [code for code, reason in profile.reasons.items() if reason.coded])
    open_ = [code for code, reason in profile.reasons.items() if not reason.protected]
    protected = cells.exists[:, :size] & ~np.isin(stated.reason, ["", *open_])
    for row, group in np.argwhere(protected).tolist():
        n, weight = cells.n[row, group], cells.weight_lower[row, group]
        events = int(cells.events[row])
        most = cells.weight_upper[row, group] if np.isnan(n) else n
        needed = events - 1 if coded[row, group] else min(events, most)
        yield Target("cell", row, stated.groups.labels[group], {(row, group): 1.0}, n, weight, needed)


def _rests(cells: Cells) -> Iterator[Target]:
    stated = cells.statements
    for row, k in np.argwhere(cells.holds).tolist():
        rest = cells.sums[k].rest
        if cells.exists[row, rest]:
            yield _implicit(cells, ("rest", stated.groups.labels[rest]), {(row, rest): 1.0})


def _differences(cells: Cells) -> Iterator[Target]:
    """A group without one of its parts, where that leaves few children of more than one other group."""
    n, labels = cells.n, cells.statements.groups.labels
    for k, one in enumerate(cells.sums):
        if one.whole >= len(cells.statements.groups.codes):
            continue
        several = cells.exists[:, [*one.parts, one.rest]].sum(axis=1) > 2  # noqa: PLR2004
        for part in one.parts:
            left = n[:, one.whole] - n[:, part]
            both = _published(cells, one.whole) & _published(cells, part)
            few = cells.holds[:, k] & both & (left > 0) & (left < cells.answers) & several
            for row in np.flatnonzero(few).tolist():
                place = f"{labels[one.whole]} but {labels[part]}"
                terms = {(row, one.whole): 1.0, (row, part): -1.0}
                yield _implicit(cells, ("difference", place), terms)


def _bases(cells: Cells, nestings: Iterable[Nesting]) -> Iterator[Target]:
    """The same question in a narrower and a wider base, where few children are outside the narrower one."""
    stated = cells.statements
    places = {code: i for i, code in enumerate(stated.indicators)}
    for one in nestings:
        if one.definitional or not {one.inner, one.outer} <= places.keys():
            continue
        inner, outer = places[one.inner], places[one.outer]
        left = cells.n[outer] - cells.n[inner]
        both = stated.shown[inner] & stated.shown[outer]
        few = (left > 0)[: len(both)] & (left < cells.answers[outer])[: len(both)] & both
        for group in np.flatnonzero(few).tolist():
            terms = {(outer, group): 1.0, (inner, group): -1.0}
            place = f"{stated.groups.labels[group]} but those of {one.inner}"
            yield _implicit(cells, ("difference", place), terms)


def _published(cells: Cells, group: int) -> Flags:
    return cells.statements.shown[:, group]


def _implicit(cells: Cells, what: tuple[Part, str], terms: Mapping[tuple[int, int], float]) -> Target:
    """R1 with too few answers: never exact; else R2: not exact if it then shows too few yes or too few no."""
    row = next(iter(terms))[0]
    n = float(sum(factor * cells.n[at] for at, factor in terms.items()))
    weight = float(sum(factor * cells.weight_lower[at] for at, factor in terms.items()))
    part, place = what
    events = int(cells.events[row])
    if n < cells.answers[row]:
        return Target(part, row, place, terms, n, weight, min(events, n))
    return Target(part, row, place, terms, n, weight, events - 1, few=events)
