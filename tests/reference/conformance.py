"""The table of covered and not covered reference cases: `python -m tests.reference.conformance`."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable

from tests.reference.r_survey import CASES, translated

_FAMILY = re.compile("api|cop|[a-z0-9]+")

NOT_COVERED = {
    "apiclus1.var": "The variance of a variable in the population is no statistic that is published.",
    "wave_indep.glm_slope": "Regression models are left to R. The linear trend of waves is a contrast.",
    "copA.kish_deff": "Kish's effect is a diagnostic of weights, see [Weighting](weighting.md).",
}

DIFFERENT = {
    "apisrs.quantile": "The share asked for falls on a record exactly. R's cumulated weights pass it by a"
    " rounding error and R returns the next value; here shares that differ by less than 1e-12 are equal.",
    "apiclus1.quantile_score": "R approaches the limit by halving and returns the value before it; here the"
    " limit is the least value that the test does not reject.",
    "apiclus1.chisq_saddlepoint": "R cuts the degrees of freedom of the denominator (20.9) to a whole number"
    " after it has divided by them: 0.0264. The exact probability is 0.0220, the approximation here 0.0229.",
}

INTRODUCTION = """\
# Conformance with R survey

Each case is a call of R `survey` 4.5 on open or synthetic data. Its R code is translated to
`copstats.estimate` (`tests/reference/r_survey.py`), and every number that R returned is compared: estimates,
standard errors, covariances, limits, degrees of freedom, design effects and coefficients of variation.

Equal means: to a relative difference of 1e-9, or 1e-12 where R has 0. Two methods of R stop an iteration
earlier: logit limits are compared to 1e-6, likelihood limits to 1e-4. Where R returns `NA`, `NaN` or `Inf`,
there is no value here, with a note. R's coefficient of variation has the sign of the estimate, here it has
none. Logit limits of exactly 0 % or 100 % do not exist here; R returns where its iteration ended.

Designs: `api` stratified, one- and two-stage cluster and simple random samples of schools (with and without
finite population correction), `mu284` and `fpc` two-stage textbook samples, `nhanes`, `scd`, `cop` synthetic
surveys of children in four countries (take-all strata, strata with one PSU, multiple imputation), `wave` a
panel and independent waves, `rep` twelve sets of replicate weights.

This page is generated: `python -m tests.reference.conformance > docs/conformance.md`.
"""

_TITLES = {
    "means_and_totals": "Means and totals, shares and totals of categories",
    "ratios": "Ratios",
    "domains": "Domains, with their covariance",
    "proportions": "Limits of proportions",
    "proportions_of_valid_answers": "Limits of proportions, valid answers",
    "presentation_standard": "Korn-Graubard limits (NCHS, NHIS)",
    "counts_of_small_domains": "Degrees of freedom of small domains",
    "linear_contrasts": "Linear contrasts",
    "smooth_contrasts": "Smooth functions of estimates",
    "subgroup_minus_all": "A group minus all",
    "geometric_mean": "Composite, geometric mean",
    "difference_without_covariance": "Documented mistake: a difference without covariance",
    "country_contrasts": "Countries: difference and weighted mean",
    "parity_ratios": "Countries: parity ratios",
    "gaps_of_quintiles": "Countries: gaps of quintiles",
    "t_tests": "t tests as contrasts",
    "ratios_by_stratum": "Ratios by stratum",
    "two_way_table": "Two-way table",
    "standardised_mean": "Direct standardisation",
    "standardised_domains": "Direct standardisation of domains",
    "standardised_difference": "Difference of standardised estimates",
    "standardised_sexes": "Standardisation as a contrast",
    "quantiles": "Quantiles",
    "medians_of_domains": "Medians of domains",
    "tests_of_independence": "Rao-Scott tests",
    "calibrated": "Post-stratified, raked and calibrated weights",
    "gap_of_replicates": "Replicates of a gap",
    "domain_of_replicates": "Degrees of freedom of a domain, replicate weights",
    "imputations": "Multiple imputation",
}


def page() -> str:
    """The page, as it stands in the docs."""
    cases: dict[str, list[str]] = defaultdict(list)
    for name in CASES:
        if name not in NOT_COVERED and (found := translated(name)):
            cases[found[0].__name__].append(name)
    lines = [INTRODUCTION, "## Covered", "", "| What | Cases | Equal | Designs |", "|---|---:|---:|---|"]
    for kind, title in _TITLES.items():
        names = cases.pop(kind)
        equal = sum(name not in DIFFERENT for name in names)
        lines.append(f"| {title} | {len(names)} | {equal} | {_designs(names)} |")
    assert not cases, f"no title: {sorted(cases)}"
    covered = len(CASES) - len(NOT_COVERED)
    lines.append(f"| **All** | **{covered}** | **{covered - len(DIFFERENT)}** | |")
    lines += ["", "## Covered, and different on purpose", "", "| Case | R code | Why |", "|---|---|---|"]
    lines += _rows(DIFFERENT)
    lines += ["", "## Not covered", "", "| Case | R code | Why |", "|---|---|---|", *_rows(NOT_COVERED), ""]
    return "\n".join(lines)


def _designs(names: Iterable[str]) -> str:
    families = sorted({_FAMILY.match(CASES[name]["design"])[0] for name in names})  # type: ignore[index]
    return ", ".join(families)


def _rows(reasons: dict[str, str]) -> list[str]:
    return [
        f"| {name} | `{' '.join(CASES[name]['r_code'].split())}` | {reason} |"
        for name, reason in reasons.items()
    ]


if __name__ == "__main__":
    sys.stdout.write(page())
