"""What must not be known too exactly: withheld cells, rests, and differences of nested groups (R5, R10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np

from copstats.disclose.audit.cells import Cells
from copstats.disclose.audit.groups import TOTAL
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
    """A group without another that it holds, where that leaves children of more than one other group."""
    labels = cells.statements.groups.labels
    for (whole, part), k in _nested(cells).items():
        others = (
            [] if k is None else [one for one in (*cells.sums[k].parts, cells.sums[k].rest) if one != part]
        )
        several = k is None or cells.exists[:, others].sum(axis=1) > 1
        both = cells.exists[:, whole] & cells.exists[:, part] & (cells.n[:, whole] > cells.n[:, part])
        wanted = both & several & ~_certainly_many(cells, whole, part)
        for row in np.flatnonzero(wanted).tolist():
            place = f"{labels[whole]} but {labels[part]}"
            yield _implicit(cells, ("difference", place), {(row, whole): 1.0, (row, part): -1.0})


def _nested(cells: Cells) -> dict[tuple[int, int], int | None]:
    """Return (group, group in it) -> the sum that has them as whole and part, if there is one."""
    codes = cells.statements.groups.codes
    found: dict[tuple[int, int], int | None] = {
        (whole, part): None
        for whole, part in permutations(range(len(codes)), 2)
        if all(one in (TOTAL, other) for one, other in zip(codes[whole], codes[part], strict=True))
    }
    for k, one in enumerate(cells.sums):
        if one.whole < len(codes):
            found |= {(one.whole, part): k for part in one.parts}
    return found


def _certainly_many(cells: Cells, whole: int, part: int) -> Flags:
    """Return where a difference of enough answers has many yes and many no whatever else is known.

    What is published of the two groups says so by itself: no linear program is needed.
    """
    n = cells.n[:, whole] - cells.n[:, part]
    weight = cells.weight_lower[:, whole] - cells.weight_lower[:, part]
    low, high = (
        (one[:, whole] * cells.weight_lower[:, whole] - other[:, part] * cells.weight_lower[:, part])
        * np.divide(n, weight, out=np.zeros(len(n)), where=weight > 0)
        for one, other in ((cells.share_lower, cells.share_upper), (cells.share_upper, cells.share_lower))
    )
    return np.asarray((n >= cells.answers) & (low >= cells.events) & (high <= n - cells.events))


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
