"""The pattern of withheld cells: proposal, repair, pruning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from copstats.disclose.suppression.attack import TOLERANCE, Attack
from copstats.disclose.suppression.elimination import proposed
from copstats.disclose.suppression.problem import Problem

_TRIED = 8
"""Cells that the repair of a sum compares."""


@dataclass(frozen=True)
class Pattern:
    """What is withheld in the end.

    Attributes:
        withheld: every cell that is not published.
        secondary: those of them that were not withheld from the start.
        conceded: sums that the relations tell more of than their protection allows, whatever is withheld.
    """

    withheld: npt.NDArray[np.bool_]
    secondary: npt.NDArray[np.bool_]
    conceded: int


def suppress(problem: Problem) -> Pattern:
    """Return a pattern in which every sum is protected and no secondary cell could be published.

    The same problem gives the same pattern. Withholding more never narrows an interval, so that one pass of
    pruning, from the cell that carries most to the one that carries least, leaves nothing superfluous.

    Raises:
        InfeasibleSystem: the relations contradict each other.
    """
    search = _Search(problem)
    numbers = range(len(search.attacks))
    for number in numbers:
        search.propose(number)
    for number in numbers:
        search.repair(number)
    search.prune()
    withheld = problem.withheld.copy()
    withheld[list(search.chosen)] = True
    return Pattern(withheld, withheld & ~problem.withheld, sum(len(a.conceded) for a in search.attacks))


class _Search:
    """The cells chosen so far, and the attacks in which they count."""

    def __init__(self, problem: Problem) -> None:
        self._costs = problem.costs
        self._parts = problem.parts()
        self.attacks = [Attack(part) for part in self._parts]
        self.chosen: dict[int, tuple[int, int | None]] = {}
        """Chosen cell -> the part and the sum for which it was chosen."""

    def propose(self, number: int) -> None:
        """Withhold what elimination proposes for a part."""
        for cell in proposed(self._parts[number]):
            self._choose(cell, number, None)

    def repair(self, number: int) -> None:
        """Withhold cells until every sum of a part is protected."""
        attack, last = self.attacks[number], None
        while (last := attack.unprotected(first=last)) is not None:
            remedies = sorted(attack.binding(last), key=lambda cell: (self._costs[cell], cell))
            if remedies:
                self._choose(self._best(attack, last, remedies[:_TRIED]), number, last)
            else:
                attack.concede(last)

    def prune(self) -> None:
        """Publish again what is not needed."""
        for cell in sorted(self.chosen, key=lambda cell: (-self._costs[cell], cell)):
            number, cause = self.chosen[cell]
            concerned = [n for n, attack in enumerate(self.attacks) if cell in attack.cells]
            for n in concerned:
                self.attacks[n].publish(cell)
            concerned.sort(key=lambda n: n != number)
            if all(self.attacks[n].unprotected(cause if n == number else None) is None for n in concerned):
                del self.chosen[cell]
            else:
                for n in concerned:
                    self.attacks[n].withhold(cell)

    def _choose(self, cell: int, number: int, cause: int | None) -> None:
        self.chosen[cell] = number, cause
        for attack in self.attacks:
            if cell in attack.cells:
                attack.withhold(cell)

    def _best(self, attack: Attack, number: int, remedies: list[int]) -> int:
        """Return the cheapest cell that protects the sum by itself, else what helps most for its cost."""
        if len(remedies) == 1:
            return remedies[0]
        before = attack.shortfall(number)
        helps: dict[int, float] = {}
        for cell in remedies:
            with attack.without([cell]):
                after = attack.shortfall(number)
            if after <= TOLERANCE:
                return cell
            helps[cell] = (before - after) / self._costs[cell] if np.isfinite(before) else 0.0
        return max(remedies, key=lambda cell: (helps[cell], -self._costs[cell], -cell))
