"""Tests of independence of two classifications, with the corrections of Rao and Scott.

Pearson's statistic of a weighted table does not have the distribution that it has under simple random
sampling: it is a sum of chi-squared variables, each times a generalised design effect. The design effects
    come from the
covariance matrix of the estimated cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, fdtrc

from copstats.analyse.survey.columns import guarded, quoted
from copstats.analyse.survey.covariance import degrees_of_freedom, taylor_covariance
from copstats.analyse.survey.domains import Domains
from copstats.analyse.survey.mixtures import exact_tail, saddlepoint_tail
from copstats.analyse.survey.sample import Sample, Totals
from copstats.errors import EstimationError

Array = npt.NDArray[np.float64]

IndependenceStatistic = Literal["F", "Chisq", "Wald", "adjWald", "lincom", "saddlepoint"]
"""As in R ``svychisq``."""

LEAST_CATEGORIES = 2


@dataclass(frozen=True)
class Independence:
    """A test of independence.

    Attributes:
        method: which of the statistics.
        statistic: its value; NaN with a note.
        df: degrees of freedom of the numerator, or of chi-squared.
        df_error: those of the denominator of F; infinite for chi-squared.
        p: probability of a value at least as large if the classifications are independent; NaN with a note.
        n: records with both answers.
        design_effects: generalised design effects; empty for the Wald statistics.
        note: why there is no p: ``no_degrees_of_freedom`` (as many strata as PSUs, or fewer degrees of
            freedom than the test needs) or ``singular`` (covariance of the cells); else empty.
    """

    method: IndependenceStatistic
    statistic: float
    df: float
    df_error: float
    p: float
    n: int
    design_effects: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class _Table:
    """A weighted two-way table.

    Attributes:
        totals: weighted numbers in cells, rows x columns.
        covariance: of the shares of cells.
        total_covariance: of the totals.
        records: records of the domain.
        n: records with both answers.
        df: degrees of freedom of the design.
    """

    totals: Array
    covariance: Array
    total_covariance: Array
    records: int
    n: int
    df: float

    @property
    def shares(self) -> Array:
        shares: Array = self.totals / self.totals.sum()
        return shares


def independence(
    sample: Sample,
    rows: str,
    columns: str,
    *,
    statistic: IndependenceStatistic = "F",
    where: str | None = None,
    df: float | None = None,
) -> Independence:
    """Test whether two classifications are independent in the population.

    Records without one of the two answers are left out; the statistic of chi-squared is scaled to the records
    of the domain, those included, as R scales it, which does not change p.

    Args:
        sample: records and design.
        rows: column or SQL expression.
        columns: another.
        statistic: ``F``: second-order correction of Rao and Scott (with Satterthwaite's degrees of freedom),
            the default; ``Chisq``: first-order correction; ``Wald`` and ``adjWald``: of the differences from
            independence (the latter corrected for few degrees of freedom); ``lincom``: the distribution of
            the sum of chi-squared variables itself; ``saddlepoint``: an approximation to it.
        where: SQL condition; the part of the population that is tested.
        df: degrees of freedom of the design: PSUs minus strata of the domain if not given.

    Raises:
        EstimationError: E031 to E033, the expressions; E060, unknown statistic; E073, fewer than two
            categories.

    Source: Rao and Scott (1984), Annals of Statistics 12, 46-60; Thomas and Rao (1987), Journal of the
    American Statistical Association 82, 630-636; R survey ``svychisq``.
    """
    if statistic not in get_args(IndependenceStatistic):
        known = ", ".join(get_args(IndependenceStatistic))
        raise EstimationError("E060", option=statistic, known=known)
    table = _table(sample, rows, columns, where, df)
    if table.df <= 0:
        return Independence(statistic, np.nan, np.nan, np.nan, np.nan, table.n, note="no_degrees_of_freedom")
    try:
        if statistic in ("Wald", "adjWald"):
            return _wald(table, statistic)
        return _rao_scott(table, statistic)
    except np.linalg.LinAlgError:
        return Independence(statistic, np.nan, np.nan, np.nan, np.nan, table.n, note="singular")


def _table(sample: Sample, rows: str, columns: str, where: str | None, df: float | None) -> _Table:
    r, c = sample.check(rows), sample.check(columns)
    domain = Domains.whole(f"coalesce({sample.check(where)}, FALSE)" if where else None)
    row_levels, column_levels = (_levels(sample, of, other, domain) for of, other in ((r, c), (c, r)))
    for name, levels in ((rows, row_levels), (columns, column_levels)):
        if len(levels) < LEAST_CATEGORIES:
            raise EstimationError("E073", column=name, count=len(levels))
    both = f"({r} IS NOT NULL AND {c} IS NOT NULL)"
    cells = [
        f"CASE WHEN {both} THEN (({r})::VARCHAR = {quoted(row, chr(39))}"
        f" AND ({c})::VARCHAR = {quoted(column, chr(39))})::INTEGER END"
        for row in row_levels
        for column in column_levels
    ]
    totals = sample.totals([*cells, f"CASE WHEN {both} THEN 1 END", "1"], domain)
    return _Table(
        totals=totals.grand[0, :-2].reshape(len(row_levels), len(column_levels)),
        covariance=_covariance(sample, totals, as_shares=True),
        total_covariance=_covariance(sample, totals, as_shares=False),
        records=int(totals.counts[:, 0, -1].sum()),
        n=int(totals.counts[:, 0, -2].sum()),
        df=_design_df(sample, totals) if df is None else float(df),
    )


def _levels(sample: Sample, of: str, other: str, domain: Domains) -> Sequence[str]:
    query = f"""
        SELECT ({of})::VARCHAR AS level
        FROM records
        WHERE {domain.where} AND ({of}) IS NOT NULL AND ({other}) IS NOT NULL AND copstats_weight > 0
        GROUP BY ALL
        ORDER BY level
    """  # noqa: S608
    with guarded():
        return [row[0] for row in sample.connection.sql(query).fetchall()]


def _covariance(sample: Sample, totals: Totals, *, as_shares: bool) -> Array:
    """Covariance of the cells; the last total but one is the number of units with both answers."""
    cells, size = totals.grand[0, :-2], totals.grand[0, -2]
    value, z = cells, totals.by_cluster[:, 0, :-2]
    if as_shares:
        value, z = cells / size, (z - cells / size * totals.by_cluster[:, 0, -2:-1]) / size
    if sample.replication is None or totals.replicated is None:
        members = np.repeat(totals.counts[:, 0, -2:-1] > 0, len(cells), axis=1)
        return taylor_covariance(z, members, sample.clusters, sample.design)
    replicated = totals.replicated[:, 0, :-2]
    if as_shares:
        replicated = replicated / totals.replicated[:, 0, -2:-1]
    return sample.replication.covariance(value, replicated)


def _design_df(sample: Sample, totals: Totals) -> float:
    """PSUs minus strata of the records in the domain, those without an answer included, as R counts them."""
    if (replicates := sample.design.replicates) is not None:
        return float(sample.replicate_ranks()[0] - 1 if replicates.df is None else replicates.df)
    psus, strata = degrees_of_freedom(totals.counts[:, 0, -1:] > 0, sample.clusters)
    return float(psus[0] - strata[0])


def _rao_scott(table: _Table, method: IndependenceStatistic) -> Independence:
    p, n = table.shares, table.records
    expected = np.outer(p.sum(axis=1), p.sum(axis=0))
    pearson = n * float(((p - expected) ** 2 / expected).sum())
    delta = np.linalg.eigvals(_design_effect_matrix(table)).real.astype(np.float64)
    df = float(delta.sum() ** 2 / (delta**2).sum())
    effects = tuple(float(effect) for effect in sorted(delta, reverse=True))
    if method == "F":
        value = pearson / float(delta.sum())
        chance = float(fdtrc(df, df * table.df, value))
        return Independence(method, value, df, df * table.df, chance, table.n, effects)
    if method == "Chisq":
        chance = float(chdtrc(len(delta), pearson / float(delta.mean())))
        return Independence(method, pearson, float(len(delta)), np.inf, chance, table.n, effects)
    tail = exact_tail if method == "lincom" else saddlepoint_tail
    chance = tail(pearson, delta, df * table.df)
    return Independence(method, pearson, float(len(delta)), df * table.df, chance, table.n, effects)


def _design_effect_matrix(table: _Table) -> Array:
    """Covariance of the interactions over what it would be in a simple random sample; empty cells drop out.

    Source: Rao and Scott (1984), section 4; the interactions are what is orthogonal to rows and columns.
    """
    rows, columns = table.shares.shape
    inverse = np.zeros(table.shares.size)
    np.divide(1, table.shares.ravel(), out=inverse, where=table.shares.ravel() > 0)
    interaction = np.kron(_contrasts(rows), _contrasts(columns))
    weighted = interaction * inverse[:, None]
    simple = interaction.T @ weighted / table.records
    effects: Array = np.linalg.solve(simple, weighted.T @ table.covariance @ weighted).astype(np.float64)
    return effects


def _contrasts(count: int) -> Array:
    """Orthonormal columns (count x count - 1), each orthogonal to a column of ones."""
    full = np.column_stack([np.ones(count), np.eye(count)[:, 1:]])
    contrasts: Array = np.linalg.qr(full)[0][:, 1:]
    return contrasts


def _wald(table: _Table, method: IndependenceStatistic) -> Independence:
    """Wald test of N_rc - N_r N_c / N = 0 for all rows and columns but the first.

    Source: Fellegi (1980), Journal of the American Statistical Association 75, 261-268; Thomas and Rao
    (1987).
    """
    columns = table.totals.shape[1]
    all_units = table.totals.sum()
    row, column = table.totals.sum(axis=1) / all_units, table.totals.sum(axis=0) / all_units
    difference = (table.totals - np.outer(row, column) * all_units).ravel()
    row_of, column_of = np.divmod(np.arange(table.totals.size), columns)
    same_row, same_column = row_of[:, None] == row_of, column_of[:, None] == column_of
    # d(N_rc - N_r N_c / N) by each of the totals of cells.
    jacobian = (
        np.eye(table.totals.size)
        - column[column_of][:, None] * same_row
        - row[row_of][:, None] * same_column
        + (row[row_of] * column[column_of])[:, None]
    )
    use = (row_of > 0) & (column_of > 0)
    covariance = (jacobian @ table.total_covariance @ jacobian.T)[np.ix_(use, use)]
    value = float(difference[use] @ np.linalg.solve(covariance, difference[use]))
    df = float(use.sum())
    df_error = table.df if method == "Wald" else table.df - df + 1
    if df_error <= 0:
        return Independence(method, np.nan, df, df_error, np.nan, table.n, note="no_degrees_of_freedom")
    value *= df_error / (df * table.df)
    return Independence(method, value, df, df_error, float(fdtrc(df, df_error, value)), table.n)
