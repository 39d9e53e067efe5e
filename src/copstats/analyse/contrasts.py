"""Differences, ratios, trends and standardised rates from kept PSU cells, without the records.

The covariance of two ratios comes from the products of their linearised values in each PSU (Woodruff 1971;
Särndal, Swensson and Wretman 1992, section 5.5), so that it holds for any two domains, also overlapping ones,
and for any two measures of a wave. Waves of different samples are independent; waves that share PSUs are one
sample in which a PSU has a value for each wave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from copstats.analyse.blocks import added
from copstats.analyse.design import SinglePsu
from copstats.analyse.records import Floats, Integers
from copstats.errors import EstimationError


@dataclass(frozen=True)
class Term:
    """One estimate: a measure in a domain, by its number."""

    measure: str
    domain: int


@dataclass(frozen=True)
class Kept:
    """The kept tables of one wave and record kind; see `copstats.analyse.kept`.

    Attributes:
        design: ``unit, stratum_no, psus, taken``; for a panel also ``panel_stratum, panel_psu``: keys that
            are the same in all waves of the panel.
        cells: ``domain, unit, w, n, wy_M, w_M, n_M``.
    """

    design: pa.Table
    cells: pa.Table


@dataclass(frozen=True)
class Estimates:
    """Several estimates with their covariance.

    Attributes:
        value: k estimates; NaN where a domain has no valid answer.
        covariance: k x k.
        df: PSUs less strata with valid answers to any of them.
    """

    value: Floats
    covariance: Floats
    df: int


@dataclass(frozen=True)
class Contrast:
    """A function of estimates.

    Attributes:
        value: NaN where one of them is missing.
        se: standard error; NaN also where there are no degrees of freedom.
        df: degrees of freedom.
    """

    value: float
    se: float
    df: int


@dataclass(frozen=True)
class _Sample:
    """Linearised values of every PSU of a design, PSUs x terms."""

    value: Floats
    scores: Floats
    has: npt.NDArray[np.bool_]
    stratum: Integers
    taken: Floats


def estimates(kept: Kept, terms: Sequence[Term], single_psu: SinglePsu = "adjust") -> Estimates:
    """Estimate ratios of one wave with their covariance.

    Args:
        kept: tables of the wave.
        terms: what is estimated.
        single_psu: what a stratum with one PSU contributes.

    Raises:
        EstimationError: E005, a stratum with one PSU where the treatment is to fail; E010, a measure that the
            cells do not hold.
    """
    return _covariance(_sample(kept, terms), single_psu)


def independent(parts: Sequence[Estimates]) -> Estimates:
    """Join estimates of samples drawn independently: countries, or waves with new PSUs."""
    sizes = np.cumsum([0, *(len(part.value) for part in parts)])
    covariance = np.zeros((sizes[-1], sizes[-1]))
    for start, end, part in zip(sizes, sizes[1:], parts, strict=False):
        covariance[start:end, start:end] = part.covariance
    return Estimates(np.concatenate([part.value for part in parts]), covariance, sum(p.df for p in parts))


def panel(parts: Sequence[tuple[Kept, Sequence[Term]]], single_psu: SinglePsu = "adjust") -> Estimates:
    """Estimate ratios of waves that share PSUs, matched by ``panel_stratum`` and ``panel_psu``.

    The strata's numbers of PSUs are those of all waves together. PSUs that left or joined count as zeros in
    the waves without them.

    Raises:
        EstimationError: E005, E010, as `estimates`; E011, the design of a wave has no panel keys.
    """
    for kept, _ in parts:
        if not {"panel_stratum", "panel_psu"} <= set(kept.design.column_names):
            raise EstimationError("E011")
    samples = [_sample(kept, terms) for kept, terms in parts]
    keys = [list(zip(*_panel_keys(kept), strict=True)) for kept, _ in parts]
    units = sorted({key for one in keys for key in one})
    place = {key: i for i, key in enumerate(units)}
    strata = {stratum: i for i, stratum in enumerate(sorted({stratum for stratum, _ in units}))}
    width = sum(len(sample.value) for sample in samples)
    scores, has, taken = (
        np.zeros((len(units), width)),
        np.zeros((len(units), width), bool),
        np.zeros(len(units)),
    )
    start = 0
    for sample, one in zip(samples, keys, strict=True):
        rows, end = np.array([place[key] for key in one]), start + len(sample.value)
        scores[rows, start:end], has[rows, start:end], taken[rows] = sample.scores, sample.has, sample.taken
        start = end
    stratum = np.array([strata[stratum] for stratum, _ in units])
    value = np.concatenate([sample.value for sample in samples])
    return _covariance(_Sample(value, scores, has, stratum, taken), single_psu)


def linear(found: Estimates, coefficients: Sequence[float]) -> Contrast:
    """Return a linear contrast: a difference is (1, -1), a gap of gaps (1, -1, -1, 1)."""
    c = np.array(coefficients, dtype=float)
    return _contrast(float(c @ found.value), float(c @ found.covariance @ c), found.df)


def ratio(found: Estimates) -> Contrast:
    """Return the ratio of the first estimate to the second, its variance by the delta method on the log."""
    first, second = found.value[:2]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = first / second
        gradient = np.array([1 / first, -1 / second]) * value
    variance = gradient @ found.covariance[:2, :2] @ gradient
    return _contrast(float(value), float(variance), found.df)


def standardised(found: Estimates, population: Sequence[float]) -> Contrast:
    """Return the rate that the groups would have in a standard population.

    Direct standardisation as a contrast of the groups' estimates with fixed shares (Korn and Graubard 1999,
    section 3.2): equal to what re-weighting gives. A group without an estimate leaves none.

    Args:
        found: one estimate a group.
        population: size of each group in the standard population.
    """
    shares = np.array(population, dtype=float)
    return linear(found, list(shares / shares.sum()))


def _contrast(value: float, variance: float, df: int) -> Contrast:
    known = np.isfinite(value) and df > 0
    return Contrast(value, float(np.sqrt(max(variance, 0.0))) if known else float("nan"), df)


def _sample(kept: Kept, terms: Sequence[Term]) -> _Sample:
    unit = kept.design["unit"].to_numpy()
    position = np.empty(int(unit.max(initial=-1)) + 1, np.int64)
    position[unit] = np.arange(len(unit))
    columns = set(kept.cells.column_names)
    values, scores, has = [], np.zeros((len(unit), len(terms))), np.zeros((len(unit), len(terms)), bool)
    for i, term in enumerate(terms):
        if f"wy_{term.measure}" not in columns:
            raise EstimationError("E010", measure=term.measure)
        own = f"w_{term.measure}" in columns
        cells = kept.cells.filter(pc.equal(kept.cells["domain"], term.domain))
        a = cells[f"wy_{term.measure}"].to_numpy()
        b = cells[f"w_{term.measure}" if own else "w"].to_numpy()
        rows = position[cells["unit"].to_numpy()]
        weight = b.sum()
        value = a.sum() / weight if weight > 0 else np.nan
        values.append(value)
        scores[rows, i] = (a - value * b) / (weight if weight > 0 else np.nan)
        has[rows, i] = cells[f"n_{term.measure}" if own else "n"].to_numpy() > 0
    _, stratum = np.unique(kept.design["stratum_no"].to_numpy(), return_inverse=True)
    return _Sample(np.array(values), scores, has, stratum, kept.design["taken"].to_numpy())


def _covariance(sample: _Sample, single_psu: SinglePsu) -> Estimates:
    strata = int(sample.stratum.max(initial=-1)) + 1
    psus = np.bincount(sample.stratum, minlength=strata)
    taken = np.zeros(strata)
    np.maximum.at(taken, sample.stratum, sample.taken)
    single = (psus == 1) & (taken < 1)
    if single_psu == "fail" and single.any():
        raise EstimationError("E005", count=int(single.sum()))
    mean = added([sample.stratum], sample.scores, strata) / psus[:, None]
    scale = np.where(taken >= 1, 0, (1 - taken) * psus / np.maximum(psus - 1, 1))
    centre = np.where(single[:, None], 0, mean)[sample.stratum]
    weight = np.where(single & (single_psu != "adjust"), 0, scale)[sample.stratum]
    deviation = sample.scores - centre
    covariance = (deviation * weight[:, None]).T @ deviation
    if single_psu == "average":
        factor = _average_factor(sample, single, strata)
        covariance *= np.sqrt(np.outer(factor, factor))
    present = sample.has.any(axis=1)
    df = int(present.sum()) - len(np.unique(sample.stratum[present]))
    return Estimates(sample.value, covariance, df)


def _average_factor(sample: _Sample, single: npt.NDArray[np.bool_], strata: int) -> Floats:
    """Return, for each term, its strata over those of them with several PSUs; NaN where all have one."""
    present = added([sample.stratum], sample.has.astype(float), strata) > 0
    others = (present & ~single[:, None]).sum(axis=0)
    factor: Floats = np.where(others > 0, present.sum(axis=0) / np.maximum(others, 1), np.nan)
    return factor


def _panel_keys(kept: Kept) -> tuple[list[str], list[str]]:
    return kept.design["panel_stratum"].to_pylist(), kept.design["panel_psu"].to_pylist()
