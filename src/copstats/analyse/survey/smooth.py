"""All smooth statistics of a call, in all domains, from one pass over the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from copstats.analyse.survey.covariance import taylor_covariance
from copstats.analyse.survey.domains import Domains
from copstats.analyse.survey.sample import Sample, Totals
from copstats.analyse.survey.statistics import Statistic

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """Estimates (k values: statistic by statistic, domain by domain), before their covariance.

    Attributes:
        value: estimates.
        z: linearised values, clusters x k.
        members: records that count, clusters x k.
        records: records of the domain.
        replicated: estimates with each replicate weight, replicates x k.
    """

    value: Array
    z: Array
    members: Array
    records: Array
    replicated: Array | None

    @property
    def n(self) -> Array:
        """Records that count."""
        total: Array = self.members.sum(axis=0)
        return total

    def covariance(self, sample: Sample) -> Array:
        """Return the covariance of the estimates (k x k)."""
        if sample.replication is None or self.replicated is None:
            return taylor_covariance(self.z, self.members > 0, sample.clusters, sample.design)
        return sample.replication.covariance(self.value, self.replicated)

    def logit_errors(self, sample: Sample) -> Array | None:
        """Return the standard errors that logit limits take, where they are not those of the estimates."""
        if sample.replication is None or self.replicated is None:
            return None
        return sample.replication.logit_errors(self.value, self.replicated)


def estimate_smooth(sample: Sample, domains: Domains, statistics: Sequence[Statistic]) -> Part:
    """Estimate all statistics in all domains."""
    terms = [term for statistic in statistics for term in statistic.terms]
    totals = sample.totals([*terms, "1"], domains)
    parts, first = [], 0
    for statistic in statistics:
        last = first + len(statistic.terms)
        parts.append(_estimate(statistic, totals, slice(first, last)))
        first = last
    return _joined(parts)


def _estimate(statistic: Statistic, totals: Totals, own: slice) -> Part:
    value = statistic.value(totals.grand[:, own])
    gradient = statistic.gradient(totals.grand[:, own])
    z = np.einsum("cdm,dkm->cdk", totals.by_cluster[..., own], gradient)
    members = np.repeat(totals.counts[..., own.stop - 1], value.shape[1], axis=1).astype(float)
    replicated = None
    if totals.replicated is not None:
        replicated = statistic.value(totals.replicated[..., own]).reshape(-1, value.size)
    return Part(
        value=np.where(members.sum(axis=0) > 0, value.ravel(), np.nan),
        z=z.reshape(len(z), -1),
        members=members,
        records=np.repeat(totals.counts[..., -1].sum(axis=0), value.shape[1]).astype(float),
        replicated=replicated,
    )


def _joined(parts: Sequence[Part]) -> Part:
    replicated = [part.replicated for part in parts if part.replicated is not None]
    return Part(
        value=np.concatenate([part.value for part in parts]),
        z=np.concatenate([part.z for part in parts], axis=1),
        members=np.concatenate([part.members for part in parts], axis=1),
        records=np.concatenate([part.records for part in parts]),
        replicated=np.concatenate(replicated, axis=1) if replicated else None,
    )
