"""Medians of a wave, with the interval of Woodruff.

The median is the smallest answer with at least half of the weight at or below it. The share of the weight at
or below it is a proportion like any other and has its variance from the same engine, by linearisation or by
replicate weights; its limits are carried back to answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from copstats.analyse.blocks import distinct
from copstats.analyse.cells import Measure, answers_sql, cells_sql
from copstats.analyse.design import SinglePsu
from copstats.analyse.domains import NO_DOMAIN, Disaggregation, disaggregation_of, number_of, number_sql
from copstats.analyse.intervals import mean_limits, t_quantile
from copstats.analyse.records import Floats, Integers
from copstats.analyse.sql import render
from copstats.analyse.survey.distribution import Distribution
from copstats.analyse.variance import variance_sql

HALF = np.array([0.5])

Estimate = Callable[[Sequence[Measure]], pa.Table]
"""Estimates measures, as `copstats.analyse.variance.estimate_measures` does, in all domains of a wave."""


@dataclass(frozen=True)
class _Answers:
    """Answers of a domain.

    Attributes:
        distribution: distinct answers with their weights.
        counts: number of records of each.
    """

    distribution: Distribution
    counts: Integers

    @property
    def median(self) -> float:
        return float(self.distribution.quantiles(HALF)[0])

    def smaller_side(self, lower: float, upper: float) -> int:
        """Return the number of answers below the lower limit, or above the upper one if these are fewer."""
        if np.isnan(lower) or np.isnan(upper):
            lower = upper = self.median
        values = self.distribution.values
        return int(min(self.counts[values < lower].sum(), self.counts[values > upper].sum()))


def estimate_medians(
    connection: duckdb.DuckDBPyConnection,
    wave: str,
    measures: Sequence[Measure],
    disaggregations: Sequence[Disaggregation],
    estimate: Estimate,
    *,
    skips: Mapping[str, str] | None = None,
) -> pa.Table:
    """Estimate medians of measures in domains.

    Args:
        connection: holds what the queries name; the number of its threads changes no digit.
        wave: query of the records, with ``weight``, ``stratum`` and ``psu``.
        measures: of whose answers the median is taken; their values are numbers.
        disaggregations: the domains.
        estimate: estimates other measures of the same records in the same domains; whatever replicate weights
            and treatment of single PSUs it has hold for the medians too.
        skips: see `copstats.analyse.cells.answers_sql`.

    Returns:
        The columns of ``estimate``, where ``estimate`` is the median and ``events`` the number of valid
        answers below the lower limit, or above the upper one where these are fewer (below or above the median
        where there are no limits); ``mean_square`` and ``variance`` are NULL.
        Added are ``ci_lower`` and ``ci_upper``, and ``se``, their distance over twice the quantile of t. All
        three are NULL where there are no degrees of freedom, or a limit of the share lies outside 0 to 1.

    Raises:
        EstimationError: as ``estimate``.

    Source: Woodruff (1952), Journal of the American Statistical Association 47, 635-646; R survey 4.5
    ``svyquantile`` with ``qrule = "math"`` and ``interval.type = "mean"``.
    """
    rows = estimate(measures)
    query = answers_sql(wave, measures, disaggregations, skips=skips)
    answers = _answers(connection.sql(query).to_arrow_table(), measures, disaggregations)
    keys = list(zip(rows["measure"].to_pylist(), rows["domain"].to_pylist(), strict=True))
    found = [answers.get(key) for key in keys]
    shares, df = _limits_of_shares(estimate(_shares_below(measures, disaggregations, answers)), keys)
    lower, upper = (_carried(found, limit) for limit in shares)
    lacking = np.isnan(lower) | np.isnan(upper)
    lower[lacking] = upper[lacking] = np.nan
    none = np.full(len(found), np.nan)
    numbers = {
        "estimate": np.array([np.nan if one is None else one.median for one in found]),
        "mean_square": none,
        "variance": none,
        "se": (upper - lower) / (2 * t_quantile(df)),
        "ci_lower": lower,
        "ci_upper": upper,
    }
    sides = zip(found, lower, upper, strict=True)
    events = [0 if one is None else one.smaller_side(low, high) for one, low, high in sides]
    columns = {name: rows[name] for name in rows.column_names} | {"events": pa.array(events, pa.int64())}
    return pa.table(columns | {name: pa.array(v, mask=np.isnan(v)) for name, v in numbers.items()})


def name_below(measure: str, domain: int) -> str:
    """Return the name of the measure "at or below the median" that is meant for a domain."""
    return f"{measure}__{disaggregation_of(domain)}"


def at_or_below(measure: Measure, which: int, median: str) -> Measure:
    """Return the measure whose mean is the share of the weight at or below the median of the own domain.

    Args:
        measure: of whose answers the median is taken.
        which: position of the disaggregation for which the measure is meant.
        median: SQL of the median of the record's domain, NULL outside all domains.
    """
    value = f"CASE WHEN ({measure.value}) IS NOT NULL THEN ({measure.value}) <= {median} END"
    return Measure(name_below(measure.name, which), value)


def explained(
    wave: str,
    measure: Measure,
    disaggregations: Sequence[Disaggregation],
    *,
    skips: Mapping[str, str] | None = None,
    single_psu: SinglePsu = "adjust",
) -> list[str]:
    """Return the statements that make the medians of a measure, once ``psu_design`` is there.

    They say in SQL what `estimate_medians` computes with linearisation. The last gives the medians, and for
    each the share at or below it and the variance of that share; ``cumulated`` carries limits back.
    """
    records = answers_sql(wave, [measure], disaggregations, skips=skips)
    numbers = [number_sql(i, [axis.column for axis in d.axes]) for i, d in enumerate(disaggregations)]
    below = []
    for which, disaggregation in enumerate(disaggregations):
        number = number_sql(which, [f"({axis.level})" for axis in disaggregation.axes])
        median = f"(SELECT median FROM medians WHERE domain = {number})"  # noqa: S608
        below.append(at_or_below(measure, which, median))
    return [
        render(
            "cumulated", [measure.name], records=records.replace("\n", "\n  "), numbers=", ".join(numbers)
        ),
        render("medians"),
        cells_sql(wave, below, disaggregations, skips=skips),
        render("shares", shares=variance_sql(below, single_psu).replace("\n", "\n  ")),
    ]


def _shares_below(
    measures: Sequence[Measure],
    disaggregations: Sequence[Disaggregation],
    answers: Mapping[tuple[str, int], _Answers],
) -> list[Measure]:
    out = []
    for measure in measures:
        for which, disaggregation in enumerate(disaggregations):
            medians = {
                domain: one.median
                for (name, domain), one in answers.items()
                if name == measure.name and disaggregation_of(domain) == which
            }
            known = " ".join(f"WHEN {domain} THEN {median!r}::DOUBLE" for domain, median in medians.items())
            number = number_sql(which, [f"({axis.level})" for axis in disaggregation.axes])
            out.append(at_or_below(measure, which, f"CASE {number} {known} END" if known else "NULL::DOUBLE"))
    return out


def _answers(
    table: pa.Table, measures: Sequence[Measure], disaggregations: Sequence[Disaggregation]
) -> dict[tuple[str, int], _Answers]:
    """Return measure and domain -> its valid answers.

    Weights are added in the order of the records, whatever the number of threads.
    """
    weight = table["w"].to_numpy()
    domains = [_domain_numbers(table, which, one) for which, one in enumerate(disaggregations)]
    out = {}
    for measure in measures:
        column = table[f"y_{measure.name}"]
        valid = np.flatnonzero(column.is_valid().to_numpy())
        answer = column.to_numpy()[valid].astype(np.float64)
        values, place = np.unique(answer, return_inverse=True)
        for number in domains:
            for domain, found in _by_domain(number[valid], values, place, weight[valid]):
                out[measure.name, domain] = found
    return out


def _domain_numbers(table: pa.Table, which: int, disaggregation: Disaggregation) -> Integers:
    levels = [table[axis.column].fill_null(0).to_numpy().astype(np.int64) for axis in disaggregation.axes]
    whole = np.logical_and.reduce([np.ones(table.num_rows, bool), *(level > 0 for level in levels)])
    return np.where(whole, number_of(which, levels, table.num_rows), NO_DOMAIN)


def _by_domain(
    number: Integers, values: Floats, place: Integers, weight: Floats
) -> list[tuple[int, _Answers]]:
    """Return the domains of one disaggregation with their answers."""
    inside = number != NO_DOMAIN
    domains, position = distinct(number[inside])
    cells, cell = distinct(position.astype(np.int64) * len(values) + place[inside])
    weights = np.bincount(cell, weight[inside], len(cells)).astype(np.float64)
    counts = np.bincount(cell, minlength=len(cells))
    starts = np.searchsorted(cells, np.arange(len(domains) + 1) * len(values))
    out = []
    for domain, start, end in zip(domains.tolist(), starts, starts[1:], strict=False):
        own = weights[start:end]
        # The rule of the median needs no weights of single records.
        distribution = Distribution(values[cells[start:end] % len(values)], own, own, own)
        out.append((domain, _Answers(distribution, counts[start:end])))
    return out


def _carried(answers: Sequence[_Answers | None], shares: Floats) -> Floats:
    """Return the answers at shares of the weight."""
    found = [
        np.nan if one is None else one.distribution.quantiles(share)[0]
        for one, share in zip(answers, shares[:, None], strict=True)
    ]
    return np.array(found, np.float64)


def _limits_of_shares(
    shares: pa.Table, keys: Sequence[tuple[str, int]]
) -> tuple[tuple[Floats, Floats], Floats]:
    """Return the limits of the share at or below the median of each measure and domain, and its df."""
    rows = {(row["measure"], row["domain"]): row for row in shares.to_pylist()}
    own = [rows[name_below(name, domain), domain] for name, domain in keys]
    df = _floats([row["df"] if "df" in row else row["psus"] - row["strata"] for row in own])
    share, variance = (_floats([row[column] for row in own]) for column in ("estimate", "variance"))
    return mean_limits(share, np.sqrt(variance), df), df


def _floats(values: Sequence[Any]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], np.float64)
