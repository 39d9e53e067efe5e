"""The PSUs behind estimates, from which degrees of freedom are counted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Support:
    """What degrees of freedom are counted from.

    Attributes:
        present: PSUs x estimates: whether a PSU has a record that counts.
        stratum: PSUs -> number of the stratum.
        fixed: degrees of freedom to take instead, of all or of each estimate; None to count.
    """

    present: Flags
    stratum: npt.NDArray[np.int64]
    fixed: float | Array | None = None

    def counts(self) -> tuple[Array, Array]:
        """Numbers of PSUs and strata with members."""
        starts = np.flatnonzero(np.diff(self.stratum, prepend=-1))
        occupied = np.logical_or.reduceat(self.present, starts, axis=0)
        return self.present.sum(axis=0).astype(float), occupied.sum(axis=0).astype(float)

    def degrees_of_freedom(self) -> Array:
        """PSUs minus strata with members, R's ``degf``; source: Korn and Graubard (1999), section 2.4."""
        psus, strata = self.counts()
        return psus - strata if self.fixed is None else np.broadcast_to(self.fixed, psus.shape).astype(float)

    def joined(self, groups: Flags) -> Support:
        """Return the support of combinations: rows of ``groups`` say which estimates enter (k' x k)."""
        present = np.stack([self.present[:, group].any(axis=1) for group in groups], axis=1)
        fixed = self.fixed
        if isinstance(fixed, np.ndarray):
            fixed = np.array([fixed[group].min(initial=np.inf) for group in groups])
        return replace(self, present=present, fixed=fixed)
