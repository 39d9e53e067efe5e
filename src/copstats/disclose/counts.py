"""The disclosure gate of administrative counts: small counts, dominance, rounding, complementary suppression.

Counts are complete, not sampled, so that the count itself is the secret. A count by sex or age below a
minimum (R14) is withheld, and so is a count that a few services make up (R15); the rest is rounded. Then
further counts are withheld until the feasibility interval of each withheld one is wide enough (R10).

One reason stands for small counts and for those withheld for their sake: two reasons would tell which of two
groups is the small one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import csr_array

from copstats.disclose.intervals import InfeasibleSystem, LinearSystem
from copstats.disclose.profile import DisclosureProfile
from copstats.disclose.suppression import Problem, suppress
from copstats.disclose.suppression.problem import ALWAYS
from copstats.errors import ConfidentialityError
from copstats.framework.counts import TOTAL
from copstats.framework.disclosure import Limits
from copstats.store.counts import CELL, PROTECTED_COUNTS, relations

SMALL, SERVICES = "count", "services"
"""Reasons of the profile."""

_GROUPS = ("sex", "age")
_COSTLY = 1000.0
"""Factor by which a national total is worth more: it is withheld where nothing else helps."""

Row = Mapping[str, Any]


def protect_counts(
    counts: pa.Table,
    profile: DisclosureProfile,
    *,
    whole_of: Mapping[str, str] | None = None,
    earlier: pa.Table | None = None,
) -> pa.Table:
    """Return what may be published of some counts.

    Args:
        counts: schema ``COUNTS``; within a submission, parts add up to their totals.
        profile: limits (R14, R15) and reasons.
        whole_of: variable -> variable that counts all that it counts.
        earlier: schema ``PROTECTED_COUNTS`` (more columns do no harm): what earlier releases published. It is
            known for good: where a count is still what was published, it is published again, and what
            follows from it cannot be taken back.

    Returns:
        Schema ``PROTECTED_COUNTS``, ordered by source and cell. A withheld count has no value but a reason.

    Raises:
        ConfidentialityError: C360, the counts of a submission contradict each other.
    """
    known = Counter[tuple[Any, ...]]()
    for row in earlier.to_pylist() if earlier is not None else []:
        known[(*_cell(row, row["source"]), row["value"])] += row["value"] is not None
    ordered = counts.sort_by([(name, "ascending") for name in ("submission_id", *CELL)])
    published: list[Row] = []
    for submission in ordered["submission_id"].unique().to_pylist():
        own = ordered.filter(pa.compute.equal(ordered["submission_id"], submission))
        published += _protect(submission, own, profile, whole_of or {}, known)
    return pa.Table.from_pylist(published, schema=PROTECTED_COUNTS)


def _protect(
    submission: str,
    counts: pa.Table,
    profile: DisclosureProfile,
    whole_of: Mapping[str, str],
    known: Mapping[tuple[Any, ...], int],
) -> list[Row]:
    """Return the rows of one submission, in the order of its counts."""
    rows = counts.to_pylist()
    parts = relations(counts, whole_of)
    if not _agree(rows, parts):
        raise ConfidentialityError("C360", where=submission)
    problem, reasons = count_problem(rows, parts, profile.limits, known)
    try:
        secondary = suppress(problem).secondary
    except InfeasibleSystem:
        raise ConfidentialityError("C360", where=submission) from None
    for cell in np.flatnonzero(secondary):
        reasons[cell] = SMALL
    return [_published(row, reason, profile) for row, reason in zip(rows, reasons, strict=True)]


def count_problem(
    rows: Sequence[Row],
    parts: pa.Table,
    limits: Limits,
    known: Mapping[tuple[Any, ...], int] | None = None,
) -> tuple[Problem, list[str | None]]:
    """Return the counts of a submission as a problem of suppression, and the primary reason of each.

    The unknowns are the counts themselves. Always in force: that none is negative, how they add up, and the
    figures that cannot be taken back. In force while a count is published: the whole numbers that are rounded
    to its figure and reach the minimum, if it must. What is withheld tells nothing of its own size.

    Args:
        rows: of schema ``COUNTS``.
        parts: see `copstats.store.counts.relations`.
        limits: of the profile.
        known: (collection, cell, figure) -> how often earlier releases published it.
    """
    reasons = [_primary(row, limits) for row in rows]
    value = np.array([row["value"] for row in rows], dtype=float)
    shown = np.array([_shown(row, limits) for row in rows], dtype=float).reshape(-1, 2)
    fixed = np.array([_is_fixed(row, limits, known or {}) for row in rows], dtype=bool)
    withheld = np.array([reason is not None for reason in reasons], dtype=bool) & ~fixed
    shown[withheld] = -np.inf, np.inf
    sums = _sums(parts, len(rows))
    least = np.zeros(len(parts))
    most = np.where(np.array(parts["complete"].to_pylist(), dtype=bool), 0.0, np.inf)
    secret = np.flatnonzero(withheld)
    margin = np.array([_margin(row, limits) for row in rows])[secret]
    small = np.array([reason == SMALL for reason in reasons], dtype=bool)[secret]
    system = LinearSystem(
        rows=csr_array(np.vstack([np.eye(len(rows)), sums])),
        row_lower=np.concatenate([shown[:, 0], least]),
        row_upper=np.concatenate([shown[:, 1], most]),
        lower=np.zeros(len(rows)),
        # Far beyond anything that a limit asks for, so that every program has a solution.
        upper=np.full(len(rows), 3 * value.max(initial=0) + 3 * limits.minimum_count.value),
    )
    problem = Problem(
        system=system,
        cell_of_row=np.concatenate(
            [np.where(fixed, ALWAYS, np.arange(len(rows))), np.full(len(parts), ALWAYS)]
        ),
        measured=csr_array(np.eye(len(rows))[secret]),
        value=value[secret],
        below=np.minimum(margin, value[secret]),
        above=margin,
        width=np.where(small, limits.minimum_count.value, 0.0),
        spared=np.tile([-np.inf, np.inf], (len(secret), 1)),
        costs=np.where(fixed, np.inf, [_cost(row) for row in rows]),
        withheld=withheld,
    )
    return problem, [None if fixed[cell] else reason for cell, reason in enumerate(reasons)]


def _agree(rows: Sequence[Row], parts: pa.Table) -> bool:
    """Say whether parts add up to their wholes; facts (yes or no), which add up to nothing, are no matter."""
    secret = np.array([row["protected"] for row in rows], dtype=bool)
    sums = _sums(parts, len(rows))
    left = sums @ np.array([row["value"] for row in rows], dtype=float)
    complete = np.array(parts["complete"].to_pylist(), dtype=bool)
    concerned = (sums[:, secret] != 0).any(axis=1)
    return not (concerned & ((left < 0) | (complete & (left > 0)))).any()


def _sums(parts: pa.Table, cells: int) -> npt.NDArray[np.float64]:
    """Return whole less parts, one row a relation."""
    sums = np.zeros((len(parts), cells))
    for number, relation in enumerate(parts.to_pylist()):
        sums[number, relation["whole"]] = 1
        sums[number, relation["parts"]] -= 1
    return sums


def _primary(row: Row, limits: Limits) -> str | None:
    if not row["protected"]:
        return None
    if _margin(row, limits) > 0:
        return SERVICES
    return SMALL if _has_minimum(row) and row["value"] < limits.minimum_count.value else None


def _has_minimum(row: Row) -> bool:
    return bool(row["protected"]) and any(row[name] != TOTAL for name in _GROUPS)


def _margin(row: Row, limits: Limits) -> float:
    """Return how far the interval of a count must reach beyond it on either side; 0 where nobody dominates.

    The (n, k) rule and the p % rule, and their protection levels: Hundepool et al. 2012, section 4.2.2 and
    4.3. The n largest services are the two that are reported; with n above 2 they count as all that is known.
    """
    if not row["protected"] or row["services"] is None or row["value"] == 0:
        return 0.0
    total, largest = row["value"], row["largest"] if row["largest"] is not None else row["value"]
    second = row["second"] or 0
    together = largest + (second if limits.dominant_units.value > 1 else 0)
    dominance = together / limits.dominant_share.value - total
    estimation = limits.estimation_margin.value * largest - (total - largest - second)
    return float(max(dominance, estimation, 0.0))


def _is_fixed(row: Row, limits: Limits, known: Mapping[tuple[Any, ...], int]) -> bool:
    """Say whether a figure is known for good: shown as it is, or published before and still right."""
    if not row["protected"]:
        return True
    lower, upper = _shown(row, limits)
    return lower <= row["value"] <= upper and known.get(_said(row, limits), 0) > 0


def _figure(row: Row, limits: Limits) -> int:
    if not row["protected"]:
        return int(row["value"])
    base = int(limits.rounding_base.value)
    return (int(row["value"]) + base // 2) // base * base


def _shown(row: Row, limits: Limits) -> Sequence[float]:
    """Return the least and the largest count that would show the same figure."""
    figure, base = _figure(row, limits), int(limits.rounding_base.value)
    if not row["protected"]:
        return figure, figure
    least = limits.minimum_count.value if _has_minimum(row) else 0
    return max(figure - base // 2, least), figure + (base - 1) // 2


def _cost(row: Row) -> float:
    national = all(row[name] == TOTAL for name in (*_GROUPS, "code"))
    return float((1 + row["value"]) * (_COSTLY if national else 1))


def _said(row: Row, limits: Limits) -> tuple[Any, ...]:
    return (*_cell(row, row["submission_id"]), _figure(row, limits))


def _cell(row: Row, submission: str) -> tuple[Any, ...]:
    """Return what names a count in every version of a collection."""
    return (submission.rpartition("_v")[0], *(row[name] for name in CELL))


def _published(row: Row, reason: str | None, profile: DisclosureProfile) -> Row:
    status = {"obs_status": "P" if row["provisional"] else "A", "obs_conf": "F"}
    if reason is not None:
        why = profile.reasons[reason]
        status = {"obs_status": why.obs_status, "obs_conf": why.obs_conf}
    return {
        **{name: row[name] for name in CELL},
        "value": _figure(row, profile.limits) if reason is None else None,
        **status,
        "reason": reason,
        "deviation": row["deviation"],
        "source": row["submission_id"],
    }
