"""Degrees of freedom of replicate weights: the rank of the weights minus 1, as R survey ``degf`` has it."""

from __future__ import annotations

import numpy as np

from copstats.analyse.records import Floats, Integers, Truths

_RANK = 1e-5
"""Relative size below which a direction of the replicate weights counts as none; as in R ``degf``."""

_SAME = 1e-9
"""Relative difference up to which ratios of weights are the same."""

_SPREAD = 8
"""Records for each replicate among which the full rank is sought first."""

_TOGETHER = 16_384
"""Records of a piece of work."""


class Ratios:
    """Ratios of replicate weight to weight; records of a PSU mostly share them, and one stands for all."""

    def __init__(self, weights: Floats, psu: Integers) -> None:
        """Look whether the records of each PSU share their ratios.

        Args:
            weights: the weight and the replicate weights: records x (1 + replicates).
            psu: number of the PSU of each record, from 0.
        """
        self._psu = psu
        example = np.empty(int(psu.max(initial=-1)) + 1, np.int64)
        example[psu] = np.arange(len(psu))
        self._of_psu = weights[example, 1:] / weights[example, :1]
        shared = all(
            np.allclose(weights[piece, 1:], self._of_psu[psu[piece]] * weights[piece, :1], _SAME, 0)
            for piece in (slice(i, i + _TOGETHER) for i in range(0, len(psu), _TOGETHER))
        )
        self._weights = None if shared else weights

    def rank(self, records: Truths) -> tuple[int, int]:
        """Return the rank of the ratios of some records, and the number of their PSUs."""
        psus = np.flatnonzero(np.bincount(self._psu[records], minlength=len(self._of_psu)))
        if self._weights is None:
            return _rank(self._of_psu[psus]), len(psus)
        own = self._weights[records]
        return _rank(own[:, 1:] / own[:, :1]), len(psus)


def _rank(rows: Floats) -> int:
    """Rank of a matrix: its squared singular values are the eigenvalues of its smaller product."""
    most, some = rows.shape[1], rows[:: max(1, len(rows) // (_SPREAD * rows.shape[1]))]
    if len(some) < len(rows) and _rank(some) == most:
        return int(most)
    product = rows @ rows.T if len(rows) < most else rows.T @ rows
    sizes = np.linalg.eigvalsh(product) if len(product) else np.zeros(1)
    return int(np.count_nonzero(sizes > _RANK**2 * sizes[-1]))
