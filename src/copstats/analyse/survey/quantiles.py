"""Quantiles with the interval of Woodruff, or of the score test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from copstats.analyse.intervals import LEVEL, ProportionMethod, proportion_limits, t_quantile
from copstats.analyse.survey.columns import guarded
from copstats.analyse.survey.covariance import degrees_of_freedom, taylor_covariance
from copstats.analyse.survey.distribution import Distribution, QuantileRule
from copstats.analyse.survey.domains import Domains
from copstats.analyse.survey.sample import Sample
from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]

QuantileInterval = ProportionMethod | Literal["score"]


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of one variable, domain by domain; every array is domains x shares.

    Attributes:
        variable: as the user wrote it.
        shares: of the population at or below.
        domains: parts of the population.
        estimate: quantiles.
        lower: lower confidence limits.
        upper: upper ones.
        se: standard errors: the length of the interval over twice the quantile of t.
        df: degrees of freedom.
        n: records with a value.
        psus: PSUs with such a record.
        strata: strata with such a PSU.
    """

    variable: str
    shares: Array
    domains: Domains
    estimate: Array
    lower: Array
    upper: Array
    se: Array
    df: Array
    n: Array
    psus: Array
    strata: Array

    @property
    def table(self) -> pa.Table:
        """One row a domain and share, with the columns of `Estimates.table`; ``category`` is the share.

        What does not exist is NULL, and ``note`` says why: ``no_valid_answers``, ``no_degrees_of_freedom``,
        or ``limits_undefined``, where the limit of the share lies outside 0 to 1 or has no value.
        """
        rows = [(labels, share) for labels in self.domains.labels for share in self.shares]
        texts = {
            "statistic": ["quantile"] * len(rows),
            "variable": [self.variable] * len(rows),
            "category": [f"{share:g}" for _, share in rows],
        }
        texts |= {name: [labels[i] for labels, _ in rows] for i, name in enumerate(self.domains.by)}
        with np.errstate(divide="ignore", invalid="ignore"):
            cv = self.se / np.abs(self.estimate)
        numbers = {
            "estimate": self.estimate,
            "se": self.se,
            "ci_lower": self.lower,
            "ci_upper": self.upper,
            "df": self.df,
            "n": self.n.astype(np.int64),
            "deff": np.full(self.estimate.shape, np.nan),
            "psus": self.psus.astype(np.int64),
            "strata": self.strata.astype(np.int64),
            "cv": cv,
        }
        columns = {name: pa.array(values, pa.string()) for name, values in texts.items()}
        columns |= {name: _column(values.ravel()) for name, values in numbers.items()}
        return pa.table(columns | {"note": pa.array(self._notes(), pa.string())})

    def _notes(self) -> npt.NDArray[np.str_]:
        conditions = [self.n == 0, self.df <= 0, np.isnan(self.lower) | np.isnan(self.upper)]
        reasons = ["no_valid_answers", "no_degrees_of_freedom", "limits_undefined"]
        notes: npt.NDArray[np.str_] = np.select(conditions, reasons, "").ravel()
        return notes


def quantiles(
    sample: Sample,
    variable: str,
    shares: Sequence[float],
    domains: Domains | None = None,
    *,
    rule: QuantileRule = "math",
    interval: QuantileInterval = "mean",
    level: float = LEVEL,
    df: float | None = None,
) -> Quantiles:
    """Estimate quantiles of a variable.

    The share of the population at or below the quantile is estimated with its limits, and these are carried
    back by the rule that gave the quantile (Woodruff). ``score`` takes the values whose score test does not
    reject.

    Args:
        sample: records and design.
        variable: column or SQL expression, a number; records where it is NULL do not count.
        shares: between 0 and 1.
        domains: parts of the population; the whole if not given.
        rule: definition of a quantile, see `Distribution.quantiles`.
        interval: method for the limits of the share (R has ``mean``, ``beta``, ``xlogit``, ``asin``), or
            ``score``.
        level: of confidence.
        df: degrees of freedom; counted in each domain if not given.

    Raises:
        EstimationError: E031 to E033, the variable; E072, a share outside 0 to 1; E060, unknown rule or
            interval.

    Source: Woodruff (1952), Journal of the American Statistical Association 47, 635-646; Francisco and Fuller
    (1991), Annals of Statistics 19, 454-469.
    """
    at = np.asarray(shares, dtype=np.float64)
    for share in at[~((at >= 0) & (at <= 1))]:
        raise EstimationError("E072", share=f"{share:g}")
    shared = _Shares(sample, f"({sample.check(variable)})::DOUBLE", domains or Domains.whole(), df)
    estimate = shared.carried(np.broadcast_to(at, (len(shared.distributions), len(at))), rule)
    if interval == "score":
        lower, upper = _score_limits(shared, at, level)
        df_of = np.broadcast_to(shared.df[:, None], estimate.shape)
    else:
        below, se = shared.at_or_below(estimate)
        n, df_of = (np.broadcast_to(of[:, None], estimate.shape) for of in (shared.n, shared.df))
        low, high = proportion_limits(interval, below, se, n, df_of, level=level)
        lower, upper = shared.carried(low, rule), shared.carried(high, rule)
    return Quantiles(
        variable=variable,
        shares=at,
        domains=shared.domains,
        estimate=estimate,
        lower=lower,
        upper=upper,
        se=(upper - lower) / (2 * t_quantile(df_of, level)),
        df=df_of,
        **{
            name: np.broadcast_to(getattr(shared, name)[:, None], estimate.shape)
            for name in ("n", "psus", "strata")
        },
    )


class _Shares:
    """Shares of the population at or below values, with standard errors, in every domain at once."""

    def __init__(self, sample: Sample, x: str, domains: Domains, df: float | None) -> None:
        self._sample, self._x, self.domains = sample, x, domains
        self.distributions = _distributions(sample, x, domains)
        counts = sample.totals([x], domains).counts[..., 0].astype(np.float64)
        self.n: Array = counts.sum(axis=0)
        self._members = counts > 0
        self.psus, self.strata = degrees_of_freedom(self._members, sample.clusters)
        self.df: Array = _degrees_of_freedom(sample, domains, self.psus - self.strata, df)

    def carried(self, shares: Array, rule: QuantileRule) -> Array:
        """Return quantiles; shares and result are domains x shares."""
        found = zip(self.distributions, shares, strict=True)
        return np.array([distribution.quantiles(at, rule) for distribution, at in found])

    def at_or_below(self, values: Array) -> tuple[Array, Array]:
        """Return shares at or below values and their standard errors; all are domains x values."""
        terms = [f"({self._x} <= {self._by_domain(column)})" for column in values.T]
        totals = self._sample.totals([*terms, f"CASE WHEN {self._x} IS NOT NULL THEN 1 END"], self.domains)
        with np.errstate(divide="ignore", invalid="ignore"):
            size = totals.grand[:, -1:]
            share = totals.grand[:, :-1] / size
            z = (totals.by_cluster[..., :-1] - share * totals.by_cluster[..., -1:]) / size
        variance = np.empty(share.shape)
        for i in range(values.shape[1]):
            replicated = totals.replicated
            ratios = None if replicated is None else replicated[..., i] / replicated[..., -1]
            variance[:, i] = self._variance(share[:, i], z[..., i], ratios)
        return share, np.sqrt(variance)

    def _variance(self, value: Array, z: Array, replicated: Array | None) -> Array:
        sample = self._sample
        if sample.replication is None or replicated is None:
            return np.diag(taylor_covariance(z, self._members, sample.clusters, sample.design))
        return sample.replication.variance(value, replicated)

    def _by_domain(self, values: Array) -> str:
        """Return the SQL of the value that belongs to the domain of a record."""
        known = [
            f"WHEN {code} THEN {float(value)!r}::DOUBLE"
            for code, value in zip(self.domains.codes, values, strict=True)
            if np.isfinite(value)
        ]
        return f"(CASE {self.domains.number} {' '.join(known)} END)" if known else "NULL::DOUBLE"


def _degrees_of_freedom(sample: Sample, domains: Domains, counted: Array, df: float | None) -> Array:
    """Degrees of freedom of each domain: as asked for, of the replicate weights, or PSUs minus strata."""
    replicates = sample.design.replicates
    if df is None and replicates is not None:
        df = replicates.df
        counted = sample.replicate_ranks(domains) - 1 if df is None else counted
    return counted if df is None else np.full(len(counted), float(df))


def _distributions(sample: Sample, x: str, domains: Domains) -> list[Distribution]:
    query = f"""
        SELECT
          {domains.number} AS domain,
          {x} AS value,
          sum(copstats_weight) AS weights,
          arg_min(copstats_weight, copstats_record) AS first,
          arg_max(copstats_weight, copstats_record) AS last
        FROM records
        WHERE copstats_weight > 0 AND coalesce({domains.where}, FALSE) AND isfinite({x})
        GROUP BY ALL
        HAVING domain IS NOT NULL
        ORDER BY domain, value
    """  # noqa: S608
    with guarded():
        found = sample.connection.sql(query).fetchnumpy()
    ends = np.searchsorted(found["domain"], domains.codes, side="right")
    starts = np.searchsorted(found["domain"], domains.codes, side="left")
    names = ("value", "weights", "first", "last")
    return [
        Distribution(*(np.asarray(found[name][start:end], np.float64) for name in names))
        for start, end in zip(starts, ends, strict=True)
    ]


def _score_limits(shared: _Shares, shares: Array, level: float) -> tuple[Array, Array]:
    """Return the least and the greatest observed values that the score test does not reject.

    The test compares the share at or below a value with the share asked for, with the standard error at that
    value. (R approaches the limits from either side by halving and may return the value before.)
    """
    t = t_quantile(shared.df, level)[:, None]
    lower = _first_position(shared, len(shares), lambda below, se: shares - below <= t * se)
    above = _first_position(shared, len(shares), lambda below, se: shares - below < -t * se)
    found = (_values(shared, position) for position in (lower, np.maximum(above - 1, 0)))
    least, greatest = (np.where(np.isnan(t), np.nan, values) for values in found)
    return least, greatest


def _first_position(
    shared: _Shares, asked: int, reached: Callable[[Array, Array], npt.NDArray[np.bool_]]
) -> npt.NDArray[np.int64]:
    """Return where a condition on share and standard error first holds, for all at once, by halving."""
    sizes = np.array([len(distribution.values) for distribution in shared.distributions])
    low = np.zeros((len(sizes), asked), np.int64)
    high = np.broadcast_to(np.maximum(sizes - 1, 0)[:, None], low.shape).copy()
    while (low < high).any():
        middle = (low + high) // 2
        holds = reached(*shared.at_or_below(_values(shared, middle)))
        low, high = np.where(holds | (low == high), low, middle + 1), np.where(holds, middle, high)
    return low


def _values(shared: _Shares, positions: npt.NDArray[np.int64]) -> Array:
    return np.array(
        [
            distribution.values[at] if len(distribution.values) else np.full(len(at), np.nan)
            for distribution, at in zip(shared.distributions, positions, strict=True)
        ]
    )


def _column(values: npt.NDArray[np.generic]) -> pa.Array:
    if np.issubdtype(values.dtype, np.floating):
        return pa.array(values, mask=np.isnan(values.astype(np.float64)))
    return pa.array(values)
