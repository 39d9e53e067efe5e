"""Second stage: from PSU sums to ratios with their linearised variance.

Ratio estimator and Taylor linearisation with PSUs as ultimate clusters (Woodruff 1971; Binder 1983;
Lumley 2004), with the full design's number of PSUs in every domain:

    z_hi = (a_hi - R b_hi) / B,    V = sum_h (1 - f_h) n_h / (n_h - 1) sum_i (z_hi - mean_h)^2

with a the sum of weight times value and b the sum of weights of a PSU, R = A / B their ratio in the domain.
The variance comes from residuals, not from moments, which would lose digits where weights differ much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from copstats.analyse.blocks import Cells, Crossings, added, belonging, distinct, largest, levels_of, pieces
from copstats.analyse.design import SinglePsu
from copstats.analyse.domains import Disaggregation
from copstats.analyse.records import Columns, Design, Floats, Integers, Records

_SINGLE: dict[SinglePsu, float] = {
    "fail": np.nan,
    "remove": 0.0,
    "certainty": 0.0,
    "adjust": 1.0,
    "average": 0.0,
}


CELLS_TOGETHER = 4_096
"""Cells of a piece of work."""


@dataclass(frozen=True)
class Domains:
    """The domains of one disaggregation that have records, by wave and level.

    Attributes:
        wave_no: of each domain.
        level: of each domain.
        of_cell: position of each cell's domain.
        of_crossing: position of each crossing's domain.
    """

    wave_no: Integers
    level: Integers
    of_cell: Integers
    of_crossing: Integers


def domains_of(
    records: Records, disaggregation: Disaggregation, cells: Cells, crossings: Crossings, design: Design
) -> Domains:
    """Return the domains in which cells lie, and crossings: both have all the records."""
    of_cell = levels_of(records, disaggregation.axes, cells.record)
    of_crossing = levels_of(records, disaggregation.axes, crossings.record)
    first, levels = design.wave_no.min(initial=0), int(of_cell.max(initial=0)) + 1
    found, position = distinct((design.wave_no[cells.unit] - first) * levels + of_cell)
    own = np.searchsorted(found, (crossings.wave_no - first) * levels + of_crossing)
    return Domains(found // levels + first, found % levels, position, own)


def second_stage(
    cells: Cells,
    crossings: Crossings,
    domains: Domains,
    design: Design,
    columns: Columns,
    *,
    single_psu: SinglePsu = "adjust",
) -> Mapping[str, Floats]:
    """Return the columns of `copstats.analyse.variance.estimate_measures`: domains x ``columns.measures``.

    Where a measure has no valid answer, estimate, mean square, weight and variance are NaN.
    """
    size = len(domains.level)
    in_domain = belonging([domains.of_cell], size, np.float64)
    sums = np.hstack([in_domain @ part for part in (cells.values, cells.weights, cells.others)])
    counts = added([domains.of_crossing], crossings.counts.astype(np.float64), size)
    valid, eligible = _columns("w", columns), _columns("we", columns)
    own = [place - len(columns.values) for place in valid]
    top_psu = largest(domains.of_cell, cells.counts, size)
    top_weight = largest(domains.of_crossing, crossings.largest, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.where(sums[:, valid] > 0, sums[:, valid], np.nan)
        ratio = sums[:, : len(valid)] / total
        has = (cells.counts > 0).astype(np.float32)
        strata = _strata(cells, domains, design, ratio, has=has, columns=columns)
        variance, represented = _variance(strata, design, size, own, single_psu)
        return {
            "n": counts[:, valid],
            "events": counts[:, : len(valid)],
            "eligible": counts[:, eligible],
            "sum_w": total,
            "sum_w_eligible": sums[:, eligible],
            "psus": (in_domain.astype(np.float32) @ has)[:, own],
            "strata": represented,
            "largest_psu_share": top_psu[:, own] / counts[:, valid],
            "largest_weight_share": top_weight[:, own] / total,
            "estimate": ratio,
            "mean_square": sums[:, _columns("wyy", columns)] / total,
            "variance": variance / total / total,
        }


def _columns(kind: str, columns: Columns) -> list[int]:
    """Return where each measure's sum of a kind stands: its own, or the one that it shares."""
    place = {name: i for i, name in enumerate((*columns.values, *columns.weights, *columns.others))}
    shared = {"w": "w", "we": "w", "wyy": "wy_{}"}[kind]
    return [place.get(f"{kind}_{name}", place[shared.format(name)]) for name in columns.measures]


@dataclass(frozen=True)
class _Strata:
    """What strata contribute to domains; one row a stratum with cells of a domain.

    Attributes:
        domain: position of the domain.
        unit: position of one of the stratum's PSUs.
        members: number of its PSUs with records of the domain.
        mean: of their residuals, for each measure.
        deviations: sum of squares about that mean, for each measure.
        present: whether there are valid answers: to complete measures, then to each of those with gaps.
    """

    domain: Integers
    unit: Integers
    members: Integers
    mean: Floats
    deviations: Floats
    present: npt.NDArray[np.bool_]


def _strata(
    cells: Cells,
    domains: Domains,
    design: Design,
    ratio: Floats,
    *,
    has: npt.NDArray[np.float32],
    columns: Columns,
) -> _Strata:
    """Sum residuals by stratum, some strata at a time: their cells stay in the processor's cache."""
    size = len(domains.level)
    stratum = design.stratum_no[cells.unit]
    found, group = distinct(stratum * np.int64(size) + domains.of_cell)
    unit = np.empty(len(found), np.int64)
    unit[group] = cells.unit
    members = np.bincount(group, minlength=len(found))
    complete = len(columns.complete)
    mean, deviations = np.empty((2, len(found), len(columns.measures)))
    for rows in pieces(stratum, CELLS_TOGETHER):
        groups = slice(int(group[rows].min()), int(group[rows].max()) + 1)
        of_row, number = group[rows] - groups.start, groups.stop - groups.start
        weights = cells.weights[rows]
        expected = ratio.take(domains.of_cell[rows], axis=0)
        expected[:, :complete] *= weights[:, :1]
        expected[:, complete:] *= weights[:, 1:]
        residual = np.subtract(cells.values[rows], expected, out=expected)
        in_stratum = belonging([of_row], number, np.float64)
        mean[groups] = in_stratum @ residual / members[groups, None]
        residual -= mean[groups].take(of_row, axis=0)
        residual *= residual
        deviations[groups] = in_stratum @ residual
    return _Strata(found % size, unit, members, mean, deviations, added([group], has, len(found)) > 0)


def _variance(
    strata: _Strata, design: Design, size: int, own: list[int], single_psu: SinglePsu
) -> tuple[Floats, Floats]:
    """Return the variance of the residuals' sum and the number of strata with valid answers, by domain.

    PSUs without members of the domain have no cell: their residuals are zeros, and enter by the number of
    PSUs.
    """
    psus, taken = design.psus[strata.unit, None], design.taken[strata.unit, None]
    members, squared_mean = strata.members[:, None], strata.mean * strata.mean
    single = (psus == 1) & (taken < 1)
    scale = np.where(taken >= 1, 0, (1 - taken) * psus / np.maximum(psus - 1, 1))
    several = scale * (strata.deviations + members * (1 - members / psus) * squared_mean)
    share = np.where(single, _SINGLE[single_psu] * scale * squared_mean, several)
    present = strata.present[:, own]
    variance = added([strata.domain], share, size)
    represented = added([strata.domain], present.astype(np.float64), size)
    if single_psu == "average":
        others = added([strata.domain], (present & ~single).astype(np.float64), size)
        variance = np.where(others > 0, variance * represented / others, np.nan)
    return variance, represented
