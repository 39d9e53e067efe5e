"""How many children and primary sampling units a survey needs, and how precise a given sample is.

The steps and where they come from:

1. Simple random sample of a proportion: n0 = z^2 p (1 - p) / e^2 (Cochran 1977, Sampling Techniques, 3rd
   edition, section 4.4).
2. Design effect: n0 is multiplied by deff, or by 1 + (b - 1) rho, with b children of the indicator's base in
   a primary sampling unit and rho the intracluster correlation (Kish 1965, Survey Sampling, section 5.4).
3. Finite population: n = n0 / (1 + (n0 - 1) / N) (Cochran 1977, formula 4.3; here with deff in n0, as the
   design effect compares with sampling without replacement).
4. From answers to households: divided by the share of children in the base, the response of children and of
   households, and the share of households with an eligible child (United Nations 2005, Designing Household
   Survey Samples: Practical Guidelines, Series F no. 98, chapter 3). The sample size formula of UNICEF's
   Multiple Indicator Cluster Surveys is the same with z = 2.

All of it is for a proportion and planned with the normal distribution; estimates are published with intervals
that suit small shares better (docs/estimation.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from copstats.errors import UsageError
from copstats.framework.sampling_design import Design, Fieldwork, Precision, SampleSize

SIMPLE = Design()
"""A simple random sample of a large population, 95 per cent confidence."""
NO_LOSSES = Fieldwork()
"""Everybody who is drawn is eligible and answers."""
_ALMOST = 1e-9
"""Rounding up must not add a child for the last digit of a division."""


def sample_size(
    prevalence: float,
    *,
    margin: float | None = None,
    relative_margin: float | None = None,
    design: Design = SIMPLE,
    fieldwork: Fieldwork = NO_LOSSES,
    domains: int = 1,
) -> SampleSize:
    """Return the sample that estimates a share with a given margin of error in each domain.

    Args:
        prevalence: expected share, above 0 and below 1; 0.5 is the most demanding for ``margin``.
        margin: half-width of the confidence interval, as a share (0.03 is 3 percentage points).
        relative_margin: half-width as a share of the prevalence (0.2 is a fifth of it).
        design: how the sample is drawn.
        fieldwork: losses on the way.
        domains: number of separate domains, each of which gets this precision.

    Raises:
        UsageError: U150 to U155, what is given is impossible or leaves the size open.
    """
    _check_design(prevalence, design)
    _check_fieldwork(fieldwork)
    _require("domains", domains, domains >= 1, "1 or more")
    half_width = _half_width(prevalence, margin, relative_margin)
    unrounded = _valid_answers(prevalence, half_width, design)
    to_ask = unrounded / fieldwork.child_response
    if design.population is not None and to_ask > design.population * (1 + _ALMOST):
        raise UsageError("U153", children=_up(to_ask), population=design.population)
    interviews = unrounded / design.base_share
    b = design.children_per_psu
    psus = None if b is None else _up(_up(interviews) / b)
    return SampleSize(
        prevalence=prevalence,
        margin=half_width,
        deff=design.effect,
        unrounded=unrounded,
        valid_answers=_up(unrounded),
        children=_up(interviews),
        children_to_select=_up(interviews / fieldwork.child_response),
        households_to_select=_up(interviews / fieldwork.children_from_household),
        psus=psus,
        psus_to_select=None if psus is None else _up(psus / fieldwork.psu_response),
        households_per_psu=None if b is None else _up(b / fieldwork.children_from_household),
        domains=domains,
    )


def precision(prevalence: float, children: float, *, design: Design = SIMPLE) -> Precision:
    """Return how precisely a number of interviews in a domain estimates a share.

    The inverse of :func:`sample_size`: SE = sqrt(deff (N - n) / (N - 1) p (1 - p) / n) with n valid answers
    (Cochran 1977, theorem 3.2, times the design effect).

    Args:
        prevalence: expected share, above 0 and below 1.
        children: interviews in the domain.
        design: how the sample is drawn.

    Raises:
        UsageError: U150, U152, U153 or U155.
    """
    _check_design(prevalence, design)
    _require("children", children, children > 0, "more than 0")
    answers = children * design.base_share
    variance = design.effect * prevalence * (1 - prevalence) / answers
    if design.population is not None:
        if answers > design.population:
            raise UsageError("U153", children=_up(answers), population=design.population)
        variance *= (design.population - answers) / max(design.population - 1, 1)
    error = math.sqrt(variance)
    return Precision(
        prevalence=prevalence,
        valid_answers=answers,
        effective=answers / design.effect,
        deff=design.effect,
        standard_error=error,
        margin=design.z * error,
        relative_margin=design.z * error / prevalence,
    )


def sizes(
    prevalences: Iterable[float],
    *,
    margin: float | None = None,
    relative_margin: float | None = None,
    design: Design = SIMPLE,
    fieldwork: Fieldwork = NO_LOSSES,
    domains: int = 1,
) -> list[SampleSize]:
    """Return the sample for each of several prevalences; arguments and errors of :func:`sample_size`."""
    return [
        sample_size(
            prevalence,
            margin=margin,
            relative_margin=relative_margin,
            design=design,
            fieldwork=fieldwork,
            domains=domains,
        )
        for prevalence in prevalences
    ]


def precisions(prevalences: Iterable[float], children: float, *, design: Design = SIMPLE) -> list[Precision]:
    """Return the precision for each of several prevalences; arguments and errors of :func:`precision`."""
    return [precision(prevalence, children, design=design) for prevalence in prevalences]


def _valid_answers(prevalence: float, half_width: float, design: Design) -> float:
    wanted = design.effect * design.z**2 * prevalence * (1 - prevalence) / half_width**2
    if design.population is None:
        return wanted
    return wanted / (1 + (wanted - 1) / design.population)


def _half_width(prevalence: float, margin: float | None, relative_margin: float | None) -> float:
    if (margin is None) == (relative_margin is None):
        raise UsageError("U151", names="margin, relative_margin")
    if margin is None:
        assert relative_margin is not None  # noqa: S101
        _require("relative_margin", relative_margin, relative_margin > 0, "more than 0")
        margin = relative_margin * prevalence
    _require("margin", margin, margin > 0, "more than 0")
    if margin >= min(prevalence, 1 - prevalence):
        raise UsageError("U154", margin=f"{margin:g}", prevalence=f"{prevalence:g}")
    return margin


def _check_design(prevalence: float, design: Design) -> None:
    _require("prevalence", prevalence, 0 < prevalence < 1, "more than 0 and less than 1")
    _require("confidence", design.confidence, 0 < design.confidence < 1, "more than 0 and less than 1")
    _check_shares({"base_share": design.base_share})
    if design.population is not None:
        _require("population", design.population, design.population >= 1, "1 or more")
    if design.children_per_psu is not None:
        _require("children_per_psu", design.children_per_psu, design.children_per_psu >= 1, "1 or more")
    if design.deff is not None:
        _require("deff", design.deff, design.deff > 0, "more than 0")
    if design.icc is None:
        return
    if design.deff is not None:
        raise UsageError("U151", names="deff, icc")
    _require("icc", design.icc, -1 <= design.icc <= 1, "from -1 to 1")
    if design.children_per_psu is None:
        raise UsageError("U152")
    if design.effect <= 0:
        raise UsageError("U155", deff=f"{design.effect:g}", children=f"{design.children_per_psu:g}")


def _check_fieldwork(fieldwork: Fieldwork) -> None:
    shares = ("psu_response", "household_response", "child_response", "eligible_share")
    _check_shares({name: getattr(fieldwork, name) for name in shares})
    per_household = fieldwork.children_per_household
    _require("children_per_household", per_household, per_household >= 1, "1 or more")


def _check_shares(shares: dict[str, float]) -> None:
    for name, share in shares.items():
        _require(name, share, 0 < share <= 1, "more than 0 and at most 1")


def _require(name: str, value: float, holds: bool, allowed: str) -> None:
    if not (math.isfinite(value) and holds):
        raise UsageError("U150", name=name, value=f"{value:g}", allowed=allowed)


def _up(number: float) -> int:
    return math.ceil(number - _ALMOST * max(1.0, number))
