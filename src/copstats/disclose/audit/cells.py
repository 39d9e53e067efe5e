"""What an attacker knows of the cells of a wave and of the rests that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from copstats.disclose.audit.groups import Sum
from copstats.disclose.audit.statements import HIGH, LOW, Flags, Floats, Statements
from copstats.disclose.profile import DisclosureProfile

Numbers = npt.NDArray[np.int64]
T = TypeVar("T", bound=np.generic)
_SLACK = 1e-9
"""Share by which limits are widened, so that sums of computed weights do not exclude the truth."""
_UNEQUAL = 2.0
"""The mean weight of those who gave valid answers may be so many times that of all."""
_NOTHING = 1e-7
"""Smaller differences of weights are those of the order of summation."""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Arrays of indicators by groups, the rests behind the published groups.

    Weights are in units of the wave's mean weight: a weight is a number of average respondents.

    Attributes:
        statements: what is published.
        unit: the mean weight, in the units of the survey's weights.
        exists: the cell may hold children.
        n: number of valid answers; NaN where only bands are known.
        weight_lower: least weight of the valid answers.
        weight_upper: largest one.
        share_lower: least share of yes.
        share_upper: largest one.
        most_yes: largest number of yes, where a coded cell says so and only bands are known.
        most_no: the same of no.
        holds: indicators by sums: the sum is one of this indicator's cells.
        impossible: indicators whose numbers contradict each other.
        events: threshold of each answer, by indicator.
        answers: threshold of valid answers, by indicator.
    """

    statements: Statements
    unit: float
    exists: Flags
    n: Floats
    weight_lower: Floats
    weight_upper: Floats
    share_lower: Floats
    share_upper: Floats
    most_yes: Floats
    most_no: Floats
    holds: Flags
    impossible: Flags
    events: Numbers
    answers: Numbers

    @property
    def sums(self) -> Sequence[Sum]:
        """How groups add up."""
        return self.statements.groups.sums

    @property
    def free(self) -> Flags:
        """Indicators of which a weight is not known."""
        return np.asarray((self.exists & (self.weight_lower < self.weight_upper)).any(axis=1))

    def without_figures(self) -> Cells:
        """Return the cells as one knows them who has not seen what is published of them."""
        nowhere = np.full(self.exists.shape, np.inf)
        return replace(
            self,
            share_lower=np.zeros(self.exists.shape),
            share_upper=np.ones(self.exists.shape),
            most_yes=nowhere,
            most_no=nowhere,
        )

    def asked_of(self, source: Flags, dependent: Flags) -> Cells:
        """Return the cells as one knows them who does not know of how many an indicator is asked.

        A group that is published without a valid answer may have some, and so may a rest; one that is not
        there at all has none: where a filter's yes are asked, its absence tells that nobody said yes.

        Args:
            source: the indicator whose yes are asked.
            dependent: those that are asked of them.
        """
        chosen, exists = dependent[:, None], self.exists.copy()
        size = self.statements.published.shape[1]
        exists[:, :size] |= chosen & self.statements.published
        for k, one in enumerate(self.sums):
            exists[:, one.rest] |= dependent & self.holds[:, k] & self.exists[source, one.rest].any()
        return replace(
            self,
            exists=exists,
            weight_lower=np.where(chosen, 0.0, self.weight_lower),
            weight_upper=np.where(chosen, np.inf, self.weight_upper),
        )


def known_cells(statements: Statements, profile: DisclosureProfile) -> Cells:
    """Return the cells as one knows them who knows every number and weight of valid answers."""
    groups = statements.groups
    exists = _padded(statements.known & (statements.n > 0), groups.size, fill=False)
    n = _padded(np.where(statements.n > 0, statements.n, 0.0), groups.size, fill=0.0)
    weight = _padded(np.where(statements.n > 0, statements.weight, 0.0), groups.size, fill=0.0)
    unit = float(weight.sum() / n.sum()) if weight.sum() > 0 else 1.0
    weight /= unit
    holds = np.zeros((len(n), len(groups.sums)), dtype=bool)
    impossible = np.zeros(len(n), dtype=bool)
    for k, one in enumerate(groups.sums):
        parts = list(one.parts)
        n_rest = n[:, one.whole] - n[:, parts].sum(axis=1)
        weight_rest = weight[:, one.whole] - weight[:, parts].sum(axis=1)
        nobody = np.abs(weight_rest) <= _NOTHING * np.maximum(weight[:, one.whole], 1)
        agrees = np.where(n_rest > 0, weight_rest > 0, (n_rest == 0) & nobody)
        here = exists[:, one.whole] & exists[:, parts].any(axis=1)
        holds[:, k] = here & agrees
        # A rest may overlap with parts that other tables leave out: then it is no whole of them.
        impossible |= here & ~agrees & (one.whole < len(groups.codes))
        exists[:, one.rest] = holds[:, k] & (n_rest > 0)
        n[:, one.rest] = np.where(exists[:, one.rest], n_rest, 0.0)
        weight[:, one.rest] = np.where(exists[:, one.rest], weight_rest, 0.0)
    shape = _Shape(unit, exists, n, weight, weight, holds, impossible)
    return _cells(statements, profile, shape)


def banded_cells(statements: Statements, profile: DisclosureProfile) -> Cells:
    """Return the cells as one knows them who knows the bands of valid answers, if all weights are equal."""
    groups = statements.groups
    exists = _padded(statements.published, groups.size, fill=False)
    holds = np.zeros((len(exists), len(groups.sums)), dtype=bool)
    for k, one in enumerate(groups.sums):
        holds[:, k] = exists[:, one.whole] & exists[:, list(one.parts)].any(axis=1)
        exists[:, one.rest] = holds[:, k]
    # A group that is withheld has respondents, or it would not be there; a rest may have none.
    lower = _padded(statements.n_lower, groups.size, fill=0.0)
    upper = _padded(statements.n_upper, groups.size, fill=np.inf)
    nobody = np.zeros(len(exists), dtype=bool)
    shape = _Shape(1.0, exists, np.full(exists.shape, np.nan), lower, upper, holds, nobody)
    return _cells(statements, profile, shape)


def weightless_cells(banded: Cells) -> Cells:
    """Return banded cells without the assumption of equal weights.

    Of groups no weight is known; that of a total lies in its band, or up to twice beyond it.
    """
    total = [not table for table in banded.statements.groups.tables]
    nowhere = np.full(banded.most_yes.shape, np.inf)
    return replace(
        banded,
        weight_lower=np.where(total, banded.weight_lower / _UNEQUAL, 0.0),
        weight_upper=np.where(total, banded.weight_upper * _UNEQUAL, np.inf),
        most_yes=nowhere,
        most_no=nowhere,
    )


class _Shape(NamedTuple):
    """Which cells there are, how large, and which add up: as in `Cells`."""

    unit: float
    exists: Flags
    n: Floats
    weight_lower: Floats
    weight_upper: Floats
    holds: Flags
    impossible: Flags


def _cells(statements: Statements, profile: DisclosureProfile, shape: _Shape) -> Cells:
    """Add what is published of the cells."""
    size = shape.exists.shape[1]
    of = profile.thresholds
    tiers = statements.tier.tolist()
    events = np.array([int(of.minimum_events.tiers[tier]) for tier in tiers])
    heaviest = np.array([float(of.largest_weight_share.tiers[tier]) for tier in tiers])
    low, high = statements.reason == LOW, statements.reason == HIGH
    possible = np.minimum((events - 1) * heaviest, 1.0)[:, None]
    limit = np.where(np.isnan(statements.coded_limit), possible, statements.coded_limit)
    half = np.where(statements.shown, statements.step / 2, 0.0)
    lower = np.where(statements.shown, statements.value - half, np.where(high, 1 - limit, 0.0))
    upper = np.where(statements.shown, statements.value + half, np.where(low, limit, 1.0))
    unknown = np.isnan(statements.coded_limit)
    most = np.repeat((events - 1.0)[:, None], low.shape[1], axis=1)
    return Cells(
        **shape._asdict(),
        statements=statements,
        share_lower=np.clip(_padded(lower, size, fill=0.0) - _SLACK, 0, 1),
        share_upper=np.clip(_padded(upper, size, fill=1.0) + _SLACK, 0, 1),
        most_yes=_padded(np.where(low & unknown, most, np.inf), size, fill=np.inf),
        most_no=_padded(np.where(high & unknown, most, np.inf), size, fill=np.inf),
        events=events,
        answers=np.array([int(of.minimum_n.tiers[tier]) for tier in tiers]),
    )


def _padded(values: npt.NDArray[T], size: int, *, fill: float) -> npt.NDArray[T]:
    out = np.full((values.shape[0], size), fill, dtype=values.dtype)
    out[:, : values.shape[1]] = values
    return out
