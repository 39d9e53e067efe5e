"""What an audit found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from copstats.disclose.audit.statements import WaveKey

Kind = Literal["interval", "nested", "vintage", "inconsistent", "shape"]


@dataclass(frozen=True, order=True)
class Cell:
    """Which children of which wave; of no value.

    Attributes:
        wave: the survey round.
        indicator: code; empty for the wave as a whole.
        place: the group, or the difference of groups.
    """

    wave: WaveKey
    indicator: str = ""
    place: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (*self.wave, self.indicator, self.place) if part)


@dataclass(frozen=True)
class Finding:
    """Something that a release gives away or contradicts.

    Attributes:
        kind: ``interval``: a withheld cell is known too exactly; ``nested``: the rest of a table or the
            difference of two nested groups is; ``vintage``: only together with an earlier release, or its
            respondents differ by too few from those of an earlier one; ``inconsistent``: the release
            contradicts itself, the attacker's file or an earlier release; ``shape``: a cell shows what the
            profile does not permit.
        cell: what it is about.
        needed: width, or number of changed records, that is needed, in respondents.
        found: what there is.
    """

    kind: Kind
    cell: Cell
    needed: float | None = None
    found: float | None = None


@dataclass(frozen=True)
class Weakness:
    """How exactly a protected cell is known.

    Attributes:
        cell: what it is about.
        needed: width that is needed, in respondents.
        found: width of the interval in which it must lie.
    """

    cell: Cell
    needed: float
    found: float

    @property
    def margin(self) -> float:
        """Respondents that it has to spare; negative if it is not protected."""
        return self.found - self.needed


Assumption = Literal["known", "bands", "vintages_not_compared"]
"""``known``: the attacker's file says every number and weight of answers. ``bands``: only the bands of the
numbers of answers are known. ``vintages_not_compared``: an earlier release says other things, and there are
no numbers to tell whether of other children."""


@dataclass(frozen=True)
class Audit:
    """The verdict on a release.

    Attributes:
        findings: why it must not be published; none if it may.
        weakest: protected cells that come closest to being known, the closest first; without groups of many
            answers, of which it is enough that it stays open whether few answered so.
        weak: cells that would be known too exactly if all weights were equal, or if there were as few answers
            as the bands permit; empty where the numbers are known. No reason to refuse: it follows from the
            assumption, not from the release.
        assumptions: what was taken for granted, by wave.
        waves: number of waves.
        protected: number of cells that were examined.
    """

    findings: tuple[Finding, ...] = ()
    weakest: tuple[Weakness, ...] = ()
    weak: tuple[Weakness, ...] = ()
    assumptions: tuple[tuple[WaveKey, Assumption], ...] = ()
    waves: int = 0
    protected: int = 0

    @property
    def passed(self) -> bool:
        """Whether the release may be published."""
        return not self.findings
