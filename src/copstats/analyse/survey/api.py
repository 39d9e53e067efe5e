"""``copstats.estimate``: estimates of an analyst's own survey data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from copstats.analyse.intervals import ProportionMethod
from copstats.analyse.survey.design import Design
from copstats.analyse.survey.domains import Domains, form_domains
from copstats.analyse.survey.effects import DesignEffect, design_effects
from copstats.analyse.survey.formula import Formula, read_formula
from copstats.analyse.survey.result import Estimates, joined
from copstats.analyse.survey.sample import Sample
from copstats.analyse.survey.smooth import estimate_smooth
from copstats.analyse.survey.statistics import Statistic, shares_of, statistic_of
from copstats.analyse.survey.support import Support
from copstats.errors import EstimationError

if TYPE_CHECKING:
    from copstats.analyse.survey.distribution import QuantileRule
    from copstats.analyse.survey.quantiles import QuantileInterval

Array = npt.NDArray[np.float64]

Missing = Literal["drop", "propagate"]
DegreesOfFreedom = Literal["domain", "design"]

QUANTILES = ("quantile", "median")

RESULT_COLUMNS = frozenset(
    {"statistic", "variable", "category", "estimate", "se", "ci_lower", "ci_upper"}
    | {"df", "n", "deff", "psus", "strata", "cv", "note"}
)


@dataclass(frozen=True)
class _Options:
    interval: ProportionMethod | None
    level: float
    deff: DesignEffect | None
    df: DegreesOfFreedom | float
    missing: Missing
    quantile_rule: QuantileRule
    quantile_interval: QuantileInterval


def estimate(
    data: Any,
    design: Design | None,
    *formulas: str,
    by: str | Sequence[str] = (),
    where: str | None = None,
    interval: ProportionMethod | None = None,
    level: float = 0.95,
    deff: DesignEffect | bool = False,
    df: DegreesOfFreedom | float = "domain",
    missing: Missing = "drop",
    quantile_rule: QuantileRule = "math",
    quantile_interval: QuantileInterval = "mean",
) -> Estimates:
    """Estimate from survey data, with standard errors that follow the design.

    Formulas: ``mean(y)``, ``proportion(q)`` (every category), ``count(q)``, ``total(x)``, ``ratio(x, y)``,
    ``median(x)``, ``quantile(x, 0.25, 0.75)``. The arguments are columns or SQL expressions over one record.
    Each formula is estimated on the records that have its own answers; domains keep the whole design.

    Args:
        data: DuckDB relation, pair of a connection and the name of a table, Arrow table, record batch reader
            or dataset, pandas or polars frame; or a `Sample`, to read the data once for several calls.
        design: how the sample was drawn; None with a `Sample`.
        *formulas: what to estimate.
        by: columns or SQL expressions whose crossed levels are the domains.
        where: SQL condition that describes the part of the population of interest.
        interval: method of the limits of means and proportions, as R's ``svyciprop`` names them, or
            ``korn_graubard``; None takes logit for proportions and t limits for means.
        level: of confidence.
        deff: design effect: True against simple random sampling without replacement, ``replace`` with.
        df: degrees of freedom: counted in each ``domain``, in the ``design``, or a number (may be ``inf``).
        missing: ``drop`` records without an answer, or ``propagate``: no estimate where one is missing
            (quantiles always drop).
        quantile_rule: definition of a quantile.
        quantile_interval: method of the limits of quantiles.

    Returns:
        Estimates with a table, their covariance, contrasts and standardisation.

    Raises:
        EstimationError: E002 to E006, E013, E020 to E028, E030 to E039: the call or the data cannot give it.
    """
    options = _Options(
        interval,
        level,
        "without" if deff is True else deff or None,
        df,
        missing,
        quantile_rule,
        quantile_interval,
    )
    _check_options(options)
    asked = [read_formula(formula) for formula in formulas]
    if not asked:
        raise EstimationError("E030", formula="", caret="^", wanted="at least one formula")
    sample = data if isinstance(data, Sample) else Sample(data, design or Design())
    by = (by,) if isinstance(by, str) else tuple(by)
    if doubled := [name for name in by if name.lower() in RESULT_COLUMNS]:
        raise EstimationError("E023", column=doubled[0])
    domains = form_domains(sample.connection, by, where)
    blocks: list[Estimates] = []
    smooth = [formula for formula in asked if formula.name not in QUANTILES]
    if smooth:
        statistics = [statistic_of(sample, formula) for formula in smooth]
        blocks.append(_smooth_estimates(sample, domains, statistics, options))
    blocks.extend(
        _quantile_estimates(sample, domains, formula, options)
        for formula in asked
        if formula.name in QUANTILES
    )
    return joined(blocks)


def _check_options(options: _Options) -> None:
    allowed = {"missing": Missing, "df": DegreesOfFreedom, "deff": DesignEffect, "interval": ProportionMethod}
    for name, values in allowed.items():
        value = getattr(options, name)
        if isinstance(value, str) and value not in get_args(values):
            raise EstimationError("E021", option=name, value=value, known=", ".join(get_args(values)))


def _smooth_estimates(
    sample: Sample, domains: Domains, statistics: Sequence[Statistic], options: _Options
) -> Estimates:
    found = estimate_smooth(sample, domains, statistics)
    lacking = (found.n < found.records) & (options.missing == "propagate")
    value = np.where(lacking, np.nan, found.value)
    unknown = np.isnan(value)
    covariance = np.where(unknown[:, None] | unknown, np.nan, found.covariance(sample))
    effects = None
    if options.deff:
        variances = np.diag(covariance)
        effects = design_effects(sample, domains, statistics, variances, options.deff)
    places = range(len(domains.labels))
    rows = [place for statistic in statistics for place in places for _ in statistic.categories]
    return Estimates(
        keys=tuple(
            {"statistic": statistic.name, "variable": statistic.variable, "category": category}
            | dict(zip(domains.by, labels, strict=True))
            for statistic in statistics
            for labels in domains.labels
            for category in statistic.categories
        ),
        estimate=value,
        covariance=covariance,
        n=found.n,
        support=_support(sample, found.members, domains, rows, options),
        limits=tuple(s.limits for s in statistics for _ in domains.labels for _ in s.categories),
        interval=options.interval,
        level=options.level,
        deff=effects,
        logit_se=found.logit_errors(sample),
        reasons=tuple("missing_answers" if lacks else "" for lacks in lacking),
    )


def _quantile_estimates(sample: Sample, domains: Domains, formula: Formula, options: _Options) -> Estimates:
    """Quantiles have a standard error from their interval, and no covariance with anything else."""
    from copstats.analyse.survey.quantiles import quantiles

    variable, shares = shares_of(formula)
    found = quantiles(
        sample,
        variable,
        shares,
        domains,
        rule=options.quantile_rule,
        interval=options.quantile_interval,
        level=options.level,
        df=_fixed(sample, options.df),
    )
    valid = f"CASE WHEN {sample.check(variable)} IS NOT NULL THEN 1 END"
    members = np.repeat(sample.totals([valid], domains).counts[..., 0], len(shares), axis=1)
    rows = [place for place in range(len(domains.labels)) for _ in shares]
    se = found.se.ravel()
    covariance = np.full((se.size, se.size), np.nan)
    np.fill_diagonal(covariance, se**2)
    return Estimates(
        keys=tuple(
            {"statistic": formula.name, "variable": variable, "category": f"{share:g}"}
            | dict(zip(domains.by, labels, strict=True))
            for labels in domains.labels
            for share in shares
        ),
        estimate=found.estimate.ravel(),
        covariance=covariance,
        n=found.n.ravel(),
        support=_support(sample, members, domains, rows, options),
        limits=("given",) * se.size,
        level=options.level,
        given=np.stack([found.lower.ravel(), found.upper.ravel()]),
    )


def _support(
    sample: Sample, members: npt.NDArray[Any], domains: Domains, rows: Sequence[int], options: _Options
) -> Support:
    """What degrees of freedom are counted from; ``rows`` gives the domain of each estimate."""
    present = sample.clusters.by_psu(members.astype(float)) > 0
    fixed: float | Array | None = _fixed(sample, options.df)
    replicates = sample.design.replicates
    if options.df == "domain" and replicates is not None and replicates.df is None:
        fixed = (sample.replicate_ranks(domains) - 1)[list(rows)]
    return Support(present, sample.clusters.stratum, fixed)


def _fixed(sample: Sample, df: DegreesOfFreedom | float) -> float | None:
    """Degrees of freedom that hold for every estimate; None where they are counted in each domain."""
    if not isinstance(df, str):
        return float(df)
    if (replicates := sample.design.replicates) is not None:
        return float(replicates.df if replicates.df is not None else sample.replicate_ranks()[0] - 1)
    if df == "domain":
        return None
    return float(len(sample.clusters.stratum) - len(sample.clusters.psus))
