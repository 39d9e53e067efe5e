"""How a sample is drawn, and what follows from it: inputs and results of planning a survey."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class Fieldwork:
    """What is lost between the units that are drawn and the children who are interviewed.

    Attributes:
        psu_response: share of primary sampling units that take part (schools that agree, areas reached).
        household_response: share of households with an eligible child that take part; 1 in schools.
        child_response: share of children who take part, after the consent of parent and child.
        eligible_share: share of households with at least one eligible child; 1 in schools.
        children_per_household: children asked in such a household.
    """

    psu_response: float = 1.0
    household_response: float = 1.0
    child_response: float = 1.0
    eligible_share: float = 1.0
    children_per_household: float = 1.0

    @property
    def children_from_household(self) -> float:
        """Interviews that a household that is drawn gives on average."""
        eligible = self.eligible_share * self.children_per_household
        return self.household_response * self.child_response * eligible


@dataclass(frozen=True)
class Design:
    """How a sample is drawn; the same for :func:`sample_size` and :func:`precision`.

    Attributes:
        deff: design effect of the indicator, if known from an earlier survey.
        icc: intracluster correlation rho of the indicator, in place of ``deff``.
        children_per_psu: children interviewed in each primary sampling unit that takes part.
        base_share: share of interviewed children who belong to the indicator's base and give a valid answer.
        population: children of the domain in the population who belong to the base; None: many.
        confidence: of the interval.
    """

    deff: float | None = None
    icc: float | None = None
    children_per_psu: float | None = None
    base_share: float = 1.0
    population: int | None = None
    confidence: float = 0.95

    @property
    def z(self) -> float:
        """Quantile of the normal distribution."""
        return NormalDist().inv_cdf((1 + self.confidence) / 2)

    @property
    def effect(self) -> float:
        """The design effect: as given, or 1 + (b - 1) rho with b children of the base; 1 for neither."""
        if self.deff is not None:
            return self.deff
        if self.icc is None or self.children_per_psu is None:
            return 1.0
        return 1 + (max(self.children_per_psu * self.base_share, 1.0) - 1) * self.icc


@dataclass(frozen=True)
class SampleSize:
    """What a margin of error asks for.

    Numbers of units are whole and for one domain; those that begin with ``total`` are for all domains.

    Attributes:
        prevalence: expected share.
        margin: half-width of the interval, as a share.
        deff: design effect.
        unrounded: valid answers before rounding up.
        valid_answers: valid answers needed.
        children: interviews needed.
        children_to_select: children to be asked, before refusals.
        households_to_select: households (with and without children) to be drawn.
        psus: primary sampling units that must take part; None without ``children_per_psu``.
        psus_to_select: primary sampling units to be drawn.
        households_per_psu: households to be drawn in each of them.
        domains: number of domains that get this precision.
    """

    prevalence: float
    margin: float
    deff: float
    unrounded: float
    valid_answers: int
    children: int
    children_to_select: int
    households_to_select: int
    psus: int | None
    psus_to_select: int | None
    households_per_psu: int | None
    domains: int

    @property
    def total_children(self) -> int:
        """Interviews in all domains."""
        return self.children * self.domains

    @property
    def total_children_to_select(self) -> int:
        """Children to be asked in all domains."""
        return self.children_to_select * self.domains

    @property
    def total_households_to_select(self) -> int:
        """Households to be drawn in all domains."""
        return self.households_to_select * self.domains

    @property
    def total_psus_to_select(self) -> int | None:
        """Primary sampling units to be drawn in all domains; None without ``children_per_psu``."""
        return None if self.psus_to_select is None else self.psus_to_select * self.domains


@dataclass(frozen=True)
class Precision:
    """What a number of interviews in a domain gives.

    Attributes:
        prevalence: expected share.
        valid_answers: expected number of valid answers.
        effective: size of a simple random sample of the same precision.
        deff: design effect.
        standard_error: of the share.
        margin: half-width of the interval.
        relative_margin: margin / prevalence.
    """

    prevalence: float
    valid_answers: float
    effective: float
    deff: float
    standard_error: float
    margin: float
    relative_margin: float
