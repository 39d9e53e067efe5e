"""How a sample was drawn, said once and used by every estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from copstats.errors import EstimationError

SinglePsu = Literal["fail", "remove", "certainty", "adjust", "average"]
"""What a stratum with one PSU contributes to the variance; the options of R survey 4.5."""

ReplicateType = Literal["JK1", "JK2", "JKn", "BRR", "Fay", "bootstrap", "successive-difference", "other"]


@dataclass(frozen=True)
class ReplicateWeights:
    """Replicate weights delivered with the data; they replace strata and PSUs in the variance.

    The variance is ``scale * sum_r rscales_r (theta_r - centre)^2`` (Wolter 2007, chapters 3 to 5).

    Attributes:
        columns: columns (or SQL expressions) of the replicate weights, in their order.
        type: method that made them; it gives ``scale`` and ``rscales`` where they are not named.
        scale: common factor of the squared deviations.
        rscales: factor of each replicate, or one for all.
        rho: Fay's coefficient, for the type ``Fay`` only.
        mse: centre the deviations at the estimate; otherwise at the mean of the replicates.
        combined: whether the columns include the sampling weight; otherwise they multiply it.
        df: degrees of freedom as the producer names them; the rank of the weights minus 1 if not named.
    """

    columns: Sequence[str]
    type: ReplicateType = "JKn"
    scale: float | None = None
    rscales: Sequence[float] | float | None = None
    rho: float = 0.0
    mse: bool = False
    combined: bool = True
    df: float | None = None


@dataclass(frozen=True)
class Calibration:
    """What weights were calibrated to; standard errors become smaller where this explains what is estimated.

    Attributes:
        base_weight: column (or SQL expression) of the weight before calibration.
        margins: for each population table that was met, its columns of categories.
        numbers: columns whose population total was met; ``"1"`` is the number of units.
    """

    base_weight: str
    margins: Sequence[Sequence[str]] = ()
    numbers: Sequence[str] = ()


@dataclass(frozen=True)
class Design:
    """A sample design: column names of the data, or SQL expressions over them.

    Attributes:
        weight: sampling weight. Without it: population over sample sizes where ``fpc`` is given, else 1.
        strata: first-stage strata; one stratum if not named.
        psu: primary sampling units, or a pair of primary and secondary units; every record is its own PSU
            if not named.
        fpc: number of PSUs of the stratum in the population, or a pair with the number of secondary units of
            the PSU. Without it PSUs count as drawn with replacement. Only where both numbers are given does
            the second stage have a variance of its own.
        replicates: replicate weights instead of strata and PSUs.
        jackknife: leave out each PSU in turn instead of linearising, and measure the deviations from the
            ``estimate`` or from the ``mean`` of the replicates. PSUs are ultimate clusters then.
        calibration: how ``weight`` was calibrated, raked or post-stratified.
        single_psu: what a stratum with one PSU contributes to the variance.
        single_psu_in_domain: treat strata in which a domain has members in one PSU only in the same way.
        nest: PSU codes may be used again in another stratum, where they are another PSU. Without it a code
            that stands in two strata is an error.
    """

    weight: str | None = None
    strata: str | None = None
    psu: str | tuple[str, str] | None = None
    fpc: str | tuple[str, str] | None = None
    replicates: ReplicateWeights | None = None
    jackknife: Literal["estimate", "mean"] | None = None
    calibration: Calibration | None = None
    single_psu: SinglePsu = "adjust"
    single_psu_in_domain: bool = False
    nest: bool = True

    def __post_init__(self) -> None:
        """Refuse an unknown option.

        Raises:
            EstimationError: E004, unknown treatment of strata with one PSU; E029, two ways to replicate.
        """
        if self.single_psu not in get_args(SinglePsu):
            known = ", ".join(get_args(SinglePsu))
            raise EstimationError("E004", option=str(self.single_psu), known=known)
        if self.jackknife is not None and self.replicates is not None:
            raise EstimationError("E029")

    @property
    def stages(self) -> tuple[str | None, str | None]:
        """Primary and secondary sampling units."""
        return (self.psu, None) if self.psu is None or isinstance(self.psu, str) else self.psu

    @property
    def population(self) -> tuple[str | None, str | None]:
        """Numbers of primary and secondary sampling units in the population."""
        return (self.fpc, None) if self.fpc is None or isinstance(self.fpc, str) else self.fpc

    @property
    def second_stage(self) -> bool:
        """Whether secondary units have a variance of their own: without both corrections they have none.

        Source: Särndal, Swensson and Wretman (1992), section 4.3.
        """
        return self.population[0] is not None and self.population[1] is not None
