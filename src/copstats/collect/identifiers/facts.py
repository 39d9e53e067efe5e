"""What is known of the cells of a column, summed over chunks; counts and hashes, never a value."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field

from copstats.collect.identifiers.forms import ANYWHERE, SHARES
from copstats.collect.identifiers.measure import SKETCH, Row

_HASHES = 2.0**64


@dataclass
class Facts:
    """What is known of one column.

    Attributes:
        cells: cells that are not blank.
        counted: those of them whose distinct values were counted; 0 for numbers in a narrow range.
        sampled: those whose forms were looked at.
        hits: form -> cells that have it.
        lowest: smallest number; None if there is none.
        highest: largest number.
        codes: whole numbers below `NARROW` that occur in columns which hold no others.
    """

    cells: int = 0
    counted: int = 0
    sampled: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    lowest: float | None = None
    highest: float | None = None
    codes: set[int] = field(default_factory=set)
    _sketch: list[int] = field(default_factory=list)

    def add_range(self, lowest: float | None, highest: float | None) -> None:
        """Widen the range of the numbers."""
        if lowest is not None and highest is not None:
            self.lowest = lowest if self.lowest is None else min(self.lowest, lowest)
            self.highest = highest if self.highest is None else max(self.highest, highest)

    def add_everywhere(self, row: Row) -> None:
        """Add a row of `Measures.everywhere`."""
        self.counted += int(row["cells"])
        self.hits.update({name: int(row[name]) for name in ANYWHERE})
        self._sketch = heapq.nsmallest(SKETCH, {*self._sketch, *row["sketch"]})

    def add_shares(self, row: Row) -> None:
        """Add a row of `Measures.shares`."""
        self.sampled += int(row["cells"])
        self.hits.update({name: int(row[name]) for name in SHARES})
        self.add_range(row["lowest"], row["highest"])

    @property
    def distinct(self) -> float:
        """Number of distinct cells, from the smallest hashes: (k - 1) / U(k) (Beyer et al. 2007)."""
        if not self.counted:
            return float(len(self.codes))
        if len(self._sketch) < SKETCH:
            return float(len(self._sketch))
        return (SKETCH - 1) / (self._sketch[-1] / _HASHES)

    @property
    def ratio(self) -> float:
        """Distinct cells as a share of the cells among which they were counted."""
        return min(1.0, self.distinct / (self.counted or self.cells or 1))

    def share(self, *forms: str) -> float:
        """Return the share of the sampled cells that have one of some forms, which exclude each other."""
        return sum(self.hits[form] for form in forms) / self.sampled if self.sampled else 0.0

    def anywhere(self, form: str) -> float:
        """Return the share of all cells that have a form which is looked for everywhere."""
        return self.hits[form] / self.counted if self.counted else 0.0

    @property
    def told(self) -> bool:
        """Whether a form turned up that tells enough wherever it stands."""
        return any(self.hits[form] for form in ANYWHERE)

    @property
    def numeric(self) -> bool:
        """Whether the cells are numbers."""
        return not self.sampled or self.share("number") > _MOST

    @property
    def fractional(self) -> bool:
        """Whether many of the cells have decimals."""
        return self.share("fractional") > _SOME

    @property
    def varied(self) -> bool:
        """Whether there are more different cells than a list of answers has."""
        return self.distinct >= _FEW and (self.distinct >= _LIST or self.ratio >= _SOME)

    @property
    def scattered(self) -> bool:
        """Whether most cells differ from each other, or very many do."""
        return self.distinct >= _FEW and (
            self.distinct >= _MANY or self.ratio >= (_HALF if self.counted >= _SMALL_FILE else _MOST)
        )


_FEW = 5
_LIST = 25
_MANY = 100
_SMALL_FILE = 40
_SOME = 0.3
_HALF = 0.5
_MOST = 0.7
