"""The groups of a wave and how they add up, with the children of whom a category is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from copstats.framework.definitions import AgeBand
from copstats.store.schemas import DIMENSIONS

TOTAL = "_T"
Codes = tuple[str, ...]
"""Codes of a published cell, in the order of `DIMENSIONS`."""


@dataclass(frozen=True)
class Sum:
    """A group consists of others and of a rest that no table shows.

    Attributes:
        whole: position of the group.
        parts: positions of groups that share no child.
        rest: position of the rest.
    """

    whole: int
    parts: tuple[int, ...]
    rest: int


@dataclass(frozen=True)
class Groups:
    """Published groups and the rests that follow from them.

    Attributes:
        codes: of each published group; the rests come after them.
        sums: how groups add up; a rest is that of one sum before it is the whole of another.
        labels: of all, the rests included, for a report.
        tables: dimensions that the group, or the parts of which a rest is left, cross.
    """

    codes: tuple[Codes, ...]
    sums: tuple[Sum, ...]
    labels: tuple[str, ...]
    tables: tuple[Codes, ...]

    @property
    def size(self) -> int:
        """Number of groups and rests."""
        return len(self.labels)


def groups_of(published: Iterable[Codes], bands: Iterable[AgeBand]) -> Groups:
    """Return the groups of a wave and their sums.

    Args:
        published: codes of every cell of any indicator.
        bands: age groups of the framework; any other age is that of the ages common to survey and indicator.
    """
    codes = tuple(sorted(set(published)))
    builder = _Builder(codes, {band.code: (band.minimum, band.maximum) for band in bands})
    builder.build()
    return Groups(codes, tuple(builder.sums), tuple(builder.labels), tuple(builder.tables))


def crossed(codes: Codes) -> Codes:
    """Return the dimensions that a group crosses; none for the total."""
    return tuple(name for name, code in zip(DIMENSIONS, codes, strict=True) if code != TOTAL)


def label(codes: Codes) -> str:
    """Return a group for a report, for example ``sex=F age=Y9T11``."""
    named = zip(DIMENSIONS, codes, strict=True)
    return " ".join(f"{name}={code}" for name, code in named if code != TOTAL) or TOTAL


class _Builder:
    def __init__(self, codes: tuple[Codes, ...], bands: Mapping[str, tuple[int, int]]) -> None:
        self.codes = codes
        self.bands = bands
        self.labels = [label(one) for one in codes]
        self.tables = [crossed(one) for one in codes]
        self.sums: list[Sum] = []
        self.common = [i for i, one in enumerate(codes) if self._is_common(one)]
        self.members: dict[Codes, list[int]] = {}
        for i, one in enumerate(codes):
            if i not in self.common:
                self.members.setdefault(crossed(one), []).append(i)

    def build(self) -> None:
        for table in sorted(self.members, key=len):
            for whole, parts in self._margins(table):
                self._add(whole, parts, table)
        for table in self.members:
            if len(table) == 2:  # noqa: PLR2004
                self._corner(table)
        for i in self.common:
            self._common_age(i)

    def _is_common(self, codes: Codes) -> bool:
        return crossed(codes) == ("age",) and codes[DIMENSIONS.index("age")] not in self.bands

    def _margins(self, table: Codes) -> Iterator[tuple[int, list[int]]]:
        """Yield each group of the tables with one dimension less, and its parts in this one."""
        found = False
        for dimension in table:
            margin = tuple(name for name in table if name != dimension)
            for whole in self.members.get(margin, ()):
                found = True
                yield whole, [i for i in self.members[table] if self._within(i, whole, margin)]
        if table and not found:
            for whole in self.members.get((), ()):
                yield whole, self.members[table]

    def _within(self, part: int, whole: int, margin: Codes) -> bool:
        places = [DIMENSIONS.index(name) for name in margin]
        return all(self.codes[part][place] == self.codes[whole][place] for place in places)

    def _add(self, whole: int, parts: list[int], table: Codes) -> int:
        rest = len(self.labels)
        if not parts:
            return whole
        self.labels.append(f"{self.labels[whole]} but {' x '.join(table)}")
        self.tables.append(table)
        self.sums.append(Sum(whole, tuple(parts), rest))
        return rest

    def _corner(self, table: Codes) -> None:
        """Those without a category of the first dimension, by the second."""
        first, second = table
        of_total = [s for s in self.sums if self.tables[s.rest] == (first,) and not self.tables[s.whole]]
        of_second = [
            s.rest for s in self.sums if self.tables[s.rest] == table and self.tables[s.whole] == (second,)
        ]
        if of_total and of_second:
            self._add(of_total[0].rest, of_second, table)

    def _common_age(self, common: int) -> None:
        """The common ages in the total, and the age groups that lie inside or outside them."""
        low, high = _ages(self.codes[common])
        ages = {i: self.bands[self.codes[i][DIMENSIONS.index("age")]] for i in self.members.get(("age",), ())}
        inside = [i for i, (first, last) in ages.items() if low <= first and last <= high]
        outside = [i for i, (first, last) in ages.items() if last < low or high < first]
        for total in self.members.get((), ()):
            rest = self._add(total, [common], ("age",))
            self._add(common, inside, ("age",))
            self._add(rest, outside, ("age",))


def _ages(codes: Codes) -> tuple[int, int]:
    low, _, high = codes[DIMENSIONS.index("age")].removeprefix("Y").partition("T")
    return int(low), int(high)
