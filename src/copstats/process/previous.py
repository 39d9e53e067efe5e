"""Holds a submission against the summary of the previous round, or of an earlier version (ESS level 2)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from copstats.process.compiled import Judged, Parameter
from copstats.process.figures import RecordFigures, Shares
from copstats.process.judging import decided, undecided
from copstats.process.records import PSU, STRATUM, WEIGHTS, RecordTable
from copstats.process.summary import Summary

ROUND = (
    "round_records",
    "round_weight_sum",
    "round_sample",
    "round_variable_gone",
    "round_distribution",
    "round_reversed",
)
VERSION = ("version_records", "version_weight_sum", "version_variable")

WEIGHT_FACTOR = 2.0
"""A sum of weights that grew or fell by more than this factor speaks of another population; our choice."""
CLUSTERING = 1.5
"""Design effect of clusters that is assumed beside the Kish effect; MICS plans its samples with 1.5 (UNICEF,
MICS sampling guidance, design effect where none is known)."""
STANDARD_ERRORS = 3.0
"""A change by more is no chance; high, because all codes of all variables are compared."""
MIRROR = 1 / 3
"""Reversed answers are at most this share as far from the earlier ones as the answers as they stand."""


def judge_round(table: RecordTable, now: RecordFigures, previous: Summary) -> Iterator[Judged]:
    """Yield the outcomes of the rules on the previous round of the survey, for one file.

    Args:
        table: the file.
        now: its figures.
        previous: summary of the previous round.
    """
    before = previous.figures.get(table.record)
    if before is None:
        yield from (undecided(table, rule_class, "no_previous_round") for rule_class in ROUND)
        return
    weight = WEIGHTS[table.record]
    yield _changed(table, "round_records", None, now.records, before.records)
    yield _weight_sum(table, weight, now.weight_sum, before.weight_sum)
    if table.record == "child":
        yield _changed(table, "round_sample", PSU, now.psus, before.psus)
        yield _changed(table, "round_sample", STRATUM, now.strata, before.strata)
    for name in before.variables:
        if name in table.framework.variables(table.record):
            gone = name not in now.variables and name not in table.manifest.not_asked
            yield decided(table, "round_variable_gone", name, {} if gone else None)
    yield from _distributions(table, now, before, previous.framework)


def judge_version(table: RecordTable, now: RecordFigures, earlier: Summary) -> Iterator[Judged]:
    """Yield the outcomes of the rules on an earlier version of the same round, for one file."""
    before = earlier.figures.get(table.record)
    if before is None:
        yield from (undecided(table, rule_class, "no_previous_version") for rule_class in VERSION)
        return
    yield decided(table, "version_records", None, _told(now.records, before.records))
    sums = _told(now.weight_sum, before.weight_sum)
    yield decided(table, "version_weight_sum", None, sums)
    for name in sorted(now.variables.keys() | before.variables.keys()):
        if name in table.framework.variables(table.record):
            same = now.variables.get(name) == before.variables.get(name)
            yield decided(table, "version_variable", name, None if same else {})


def _told(now: Parameter | None, before: Parameter | None) -> dict[str, Parameter] | None:
    if now == before:
        return None
    return {"now": "?" if now is None else now, "before": "?" if before is None else before}


def _changed(
    table: RecordTable,
    rule_class: str,
    variable: str | None,
    now: Parameter | None,
    before: Parameter | None,
) -> Judged:
    if not isinstance(now, int) or not isinstance(before, int) or before == 0:
        return undecided(table, rule_class, "figures_withheld", variable)
    limit = table.framework.rules.classes[rule_class].share or 0
    moved = abs(now - before) > limit * before
    return decided(table, rule_class, variable, {"now": now, "before": before} if moved else None)


def _weight_sum(table: RecordTable, weight: str, now: float | None, before: float | None) -> Judged:
    if not now or not before:
        return undecided(table, "round_weight_sum", "figures_withheld", weight)
    moved = not 1 / WEIGHT_FACTOR <= now / before <= WEIGHT_FACTOR
    return decided(table, "round_weight_sum", weight, {"now": now, "before": before} if moved else None)


def _distributions(
    table: RecordTable, now: RecordFigures, before: RecordFigures, framework: str
) -> Iterator[Judged]:
    for name, figures in now.variables.items():
        earlier = before.variables.get(name)
        described = table.framework.variables(table.record)[name]
        if earlier is None or described.type != "code" or described.tier == "B":
            continue
        shares, former = figures.categories, earlier.categories
        reason = "other_framework" if framework != table.framework.id else "figures_withheld"
        if framework != table.framework.id or shares is None or former is None:
            yield undecided(table, "round_distribution", reason, name)
            yield undecided(table, "round_reversed", reason, name)
            continue
        code, points = largest_change(shares, former)
        share_now, share_before = shares.per_cent.get(code, 0), former.per_cent.get(code, 0)
        told: dict[str, Parameter] = {"code": code, "before": share_before, "now": share_now}
        if described.role == "measure" and reversed_scale(table, shares, former):
            yield decided(table, "round_reversed", name, told)
            yield undecided(table, "round_distribution", "reversed", name, "blocked")
            continue
        yield decided(table, "round_reversed", name, None)
        limit = 100 * (table.framework.rules.classes["round_distribution"].share or 0)
        by_chance = chance(share_now, _effective(now, name), share_before, _effective(before, name))
        rounding = (shares.step + former.step) / 2
        moved = points > max(limit, by_chance) + rounding
        yield decided(table, "round_distribution", name, told if moved else None)


def largest_change(now: Shares, before: Shares) -> tuple[str, int]:
    """Return the code whose share changed most, and by how many points; the first one where several did."""
    codes = {**before.per_cent, **now.per_cent}
    return max(
        ((code, abs(now.per_cent.get(code, 0) - before.per_cent.get(code, 0))) for code in codes),
        key=lambda change: change[1],
    )


def reversed_scale(table: RecordTable, now: Shares, before: Shares) -> bool:
    """Whether the answers are far from the earlier ones and close to them in reversed order.

    The distance is the index of dissimilarity, half the sum of the absolute differences of the shares.
    """
    codes = sorted({**before.per_cent, **now.per_cent}, key=int)
    mirrored = {
        code: before.per_cent.get(other, 0) for code, other in zip(codes, reversed(codes), strict=True)
    }
    straight, turned = distance(now.per_cent, before.per_cent), distance(now.per_cent, mirrored)
    limit = 100 * (table.framework.rules.classes["round_reversed"].share or 0)
    return straight > limit + (now.step + before.step) / 2 and turned <= MIRROR * straight


def distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return the index of dissimilarity of two distributions (Duncan and Duncan 1955), in their unit."""
    return sum(abs(one.get(key, 0) - other.get(key, 0)) for key in {**one, **other}) / 2


def chance(now: float, size_now: float, before: float, size_before: float) -> float:
    """Return so many points that a share may differ between two samples by chance.

    Three standard errors of a difference of two proportions from independent samples, whose variances are
    those of simple random samples of the effective sizes.

    Args:
        now: per cent.
        size_now: effective number of answers.
        before: per cent.
        size_before: effective number of answers.
    """
    variance = _variance(now, size_now) + _variance(before, size_before)
    return STANDARD_ERRORS * math.sqrt(variance)


def _variance(per_cent: float, size: float) -> float:
    # Of a share that was rounded to 0 or 100 too something is unknown: one answer's worth.
    inside = min(max(per_cent, 100 / size), 100 - 100 / size)
    return inside * (100 - inside) / size


def _effective(figures: RecordFigures, name: str) -> float:
    """Return the effective number of answers: valid ones, by the Kish effect and that of clusters.

    Where their share is withheld all records are taken, which makes the limit of chance smaller.
    """
    records = figures.records if isinstance(figures.records, int) else 0
    response = figures.variables[name].response
    valid = response.per_cent.get("valid", 100) if response else 100
    size = records * valid / 100 / ((figures.kish_effect or 1) * CLUSTERING)
    return max(size, 2.0)
