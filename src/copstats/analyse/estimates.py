"""From rows of the second stage to the table of estimates: limits, design effect, flags and classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from copstats.analyse.comparability import Verdict
from copstats.analyse.domains import TOTAL, Domain
from copstats.analyse.indicators import Absence
from copstats.analyse.intervals import effective_size, korn_graubard_limits, logit_limits, mean_limits
from copstats.analyse.reliability import Standard, reliability_flags
from copstats.framework.definitions import Indicator
from copstats.framework.manifest import SurveyManifest
from copstats.store.schemas import DIMENSIONS, ESTIMATES

Array = npt.NDArray[np.float64]

_COPIED = ("n", "eligible", "psus", "strata", "estimate", "largest_psu_share", "largest_weight_share")


def finished(rows: pa.Table, proportions: Mapping[str, bool], standard: Standard) -> pa.Table:
    """Return second-stage rows with everything that follows from them alone.

    Args:
        rows: what `copstats.analyse.variance.estimate_measures`, its replicated counterpart or
            `copstats.analyse.medians.estimate_medians` returned.
        proportions: measure -> whether it is a proportion.
        standard: thresholds of reliability.

    Returns:
        Columns ``measure, domain`` and those of the estimates table from ``n`` to ``reliability``. There is
        no standard error and no interval where the degrees of freedom are 0 or fewer; at 0 and 1 the interval
        is the Korn-Graubard one, as the logit is not defined there. Degrees of freedom are PSUs minus strata,
        unless the rows have ``df``; logit limits follow from ``logit_variance`` where the rows have it.
        Medians bring ``events``, standard errors and limits of their own; they have no design effect, hence
        no effective size, and the rules of reliability are those of means.
    """
    share = np.array([proportions[name] for name in rows["measure"].to_pylist()], dtype=bool)
    n, p, square = _floats(rows, "n"), _floats(rows, "estimate"), _floats(rows, "mean_square")
    given = rows.column_names
    df = _floats(rows, "df") if "df" in given else _floats(rows, "psus") - _floats(rows, "strata")
    variance = np.where(df > 0, _floats(rows, "variance"), np.nan)
    se = np.sqrt(variance)
    spread = np.where(share, p * (1 - p), square - p * p)
    with np.errstate(divide="ignore", invalid="ignore"):
        deff = np.where((spread > 0) & (n > 1), variance / (spread / (n - 1)), np.nan)
        weight, eligible = np.nan_to_num(_floats(rows, "sum_w")), _floats(rows, "sum_w_eligible")
        nonresponse = np.clip(1 - weight / eligible, 0, 1)
        size = np.where(share, effective_size(p, variance, n), n / deff)
    size = np.where(np.isnan(variance), np.nan, np.fmin(size, n))
    kg_lower, kg_upper = korn_graubard_limits(np.where(share, p, np.nan), variance, n, df)
    own = np.sqrt(_floats(rows, "logit_variance")) if "logit_variance" in given else se
    logit = logit_limits(p, np.where(np.isnan(own) | np.isnan(se), se, own), df)
    lower, upper = _limits(share, p, logit, mean_limits(p, se, df), (kg_lower, kg_upper))
    if medians := "ci_lower" in given:
        se, lower, upper = (_floats(rows, name) for name in ("se", "ci_lower", "ci_upper"))
    columns: dict[str, Any] = {name: rows[name] for name in ("measure", "domain", *_COPIED)}
    columns["events"] = np.where(share | medians, _floats(rows, "events"), n).astype(np.int64)
    columns["df"] = pa.array(df.astype(np.int64), mask=n == 0)
    computed = {
        "weight": _floats(rows, "sum_w"),
        "nonresponse": nonresponse,
        "se": se,
        "ci_lower": lower,
        "ci_upper": upper,
        "deff": deff,
        "n_effective": size,
        "kg_lower": kg_lower,
        "kg_upper": kg_upper,
    }
    columns |= {name: _nullable(values) for name, values in computed.items()}
    flags = reliability_flags(pa.table({"proportion": share, **columns}), standard)
    return pa.table({**columns, "reliability": pa.array(flags, pa.string())})


def _floats(rows: pa.Table, name: str) -> Array:
    values: Array = rows[name].to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def _nullable(values: Array) -> pa.Array:
    return pa.array(values, pa.float64(), mask=np.isnan(values))


def _limits(
    share: npt.NDArray[np.bool_],
    p: Array,
    logit: tuple[Array, Array],
    means: tuple[Array, Array],
    korn_graubard: tuple[Array, Array],
) -> tuple[Array, Array]:
    extreme = share & ((p <= 0) | (p >= 1))
    lower, upper = (
        np.where(extreme, kg, np.where(share, by_logit, by_mean))
        for kg, by_logit, by_mean in zip(korn_graubard, logit, means, strict=True)
    )
    # Where the standard error is 0, the way to the logit and back may pass the estimate by a last digit.
    return np.minimum(lower, p), np.maximum(upper, p)


def estimate_rows(
    table: pa.Table,
    domain_of: Callable[[int], Domain],
    indicators: Mapping[str, Indicator],
    manifest: SurveyManifest,
    verdict: Callable[[str, Domain, float | None], Verdict],
) -> list[dict[str, Any]]:
    """Return rows of the estimates table.

    Args:
        table: what `finished` returned.
        domain_of: number -> domain.
        indicators: definitions by code.
        manifest: of the wave.
        verdict: indicator code, domain and item non-response -> class of comparability.
    """
    out = []
    for row in table.to_pylist():
        code, domain = row.pop("measure"), domain_of(row.pop("domain"))
        found = verdict(code, domain, row["nonresponse"])
        out.append(
            _key(indicators[code], manifest, domain)
            | row
            | {
                "state": "estimated",
                "comparability": found.grade,
                "comparability_reasons": found.reasons,
            }
        )
    return out


def absent_row(indicator: Indicator, manifest: SurveyManifest, why: Absence) -> dict[str, Any]:
    """Return the one row of an absent indicator, at the total; its class is empty."""
    counts = dict.fromkeys(("n", "events", "eligible", "psus", "strata"), 0)
    reason = {"absent_reason": why.reason, "absent_detail": why.detail}
    empty = {"comparability": "", "comparability_reasons": ""}
    return _key(indicator, manifest, Domain("total")) | {"state": "absent"} | reason | counts | empty


def _key(indicator: Indicator, manifest: SurveyManifest, domain: Domain) -> dict[str, Any]:
    return {
        "submission_id": manifest.submission_id,
        "ref_area": manifest.ref_area,
        "survey": manifest.survey,
        "reference_year": manifest.reference_year,
        "indicator": indicator.code,
        "tier": indicator.tier,
        "unit": indicator.unit,
        "disaggregation": domain.disaggregation,
        **{name: domain.codes.get(name, TOTAL) for name in DIMENSIONS},
    }


def as_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return rows as the estimates table, ordered by indicator, disaggregation and dimensions."""
    order = ("indicator", "disaggregation", *DIMENSIONS)
    return pa.Table.from_pylist(sorted(rows, key=lambda row: [row[name] for name in order]), ESTIMATES)
