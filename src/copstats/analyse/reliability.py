"""Reliability of estimates, by sets of rules that producers of statistics have published.

The rules stand in ``schemas/<framework>/reliability.yaml``. The flag says how precise an estimate is; whether
it may be published is for the disclosure profile.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from copstats.errors import DefinitionError
from copstats.framework.definitions import Definition
from copstats.framework.loader import DEFAULT_FRAMEWORK
from copstats.framework.located import Located
from copstats.project import project_root

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

Status = Literal["unreliable", "review"]

FIGURES = (
    "n",
    "n_effective",
    "events",
    "others",
    "records",
    "df",
    "cv",
    "width",
    "relative_width",
    "kg_width",
    "relative_kg_width",
    "nonresponse",
)
"""What a condition may compare."""

_COMPARISON = re.compile(
    rf"(?P<figure>{'|'.join(FIGURES)})\s+(?:(?P<missing>missing)|(?P<sign><=|>=|<|>|=)\s*(?P<number>\d+(?:\.\d+)?))"
)
_COMPARE = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "=": np.equal,
}


class Rule(Definition, frozen=True, kw_only=True):
    """One rule: what is said of an estimate for which the condition holds."""

    when: str
    status: Status
    reason: str


class Standard(Definition, frozen=True, kw_only=True):
    """A set of rules; the first that holds counts, and without one an estimate is reliable."""

    title: str
    proportion: list[Rule]
    mean: list[Rule]
    source: list[str]


class Standards(Definition, frozen=True, kw_only=True):
    """``reliability.yaml``."""

    default: str
    sets: dict[str, Standard]


@cache
def load_standards(version: str = DEFAULT_FRAMEWORK, root: Path | None = None) -> Standards:
    """Read ``reliability.yaml`` of a framework version.

    Raises:
        DefinitionError: D001 to D003, the file is malformed; E074, its default is not among its sets; E075, a
            condition that cannot be read.
    """
    located = Located((root or project_root()) / "schemas" / version / "reliability.yaml")
    try:
        standards = msgspec.convert(located.data, Standards)
    except msgspec.ValidationError as problem:
        raise DefinitionError("D002", where=located.where(), problem=str(problem)) from None
    if standards.default not in standards.sets:
        known = ", ".join(standards.sets)
        raise DefinitionError("E074", where=located.where("default"), option=standards.default, known=known)
    for name, standard in standards.sets.items():
        for kind in ("proportion", "mean"):
            for place, rule in enumerate(getattr(standard, kind)):
                if not all(_COMPARISON.fullmatch(part) for part in _parts(rule.when)):
                    where = located.where("sets", name, kind, place)
                    raise DefinitionError("E075", where=where, problem=rule.when)
    return standards


def load_standard(
    version: str = DEFAULT_FRAMEWORK, root: Path | None = None, *, name: str | None = None
) -> Standard:
    """Return a set of rules: the one named, or the framework's default.

    Raises:
        DefinitionError: as `load_standards`; E074, there is no such set.
    """
    standards = load_standards(version, root)
    chosen = standards.default if name is None else name
    if chosen not in standards.sets:
        raise DefinitionError("E074", option=chosen, known=", ".join(standards.sets))
    return standards.sets[chosen]


def reliability_flags(estimates: pa.Table, standard: Standard) -> list[str | None]:
    """Return ``reliable``, ``review`` or ``unreliable`` for every row; None where there is no estimate.

    Args:
        estimates: see `assess_reliability`.
        standard: the rules.
    """
    statuses: list[str | None] = assess_reliability(estimates, standard)["status"].to_pylist()
    return statuses


def assess_reliability(estimates: pa.Table, standard: Standard) -> pa.Table:
    """Apply a set of rules to estimates.

    Args:
        estimates: column ``proportion`` (truth value) and ``estimate``; of ``se, n, events, df, n_effective,
            kg_lower, kg_upper, ci_lower, ci_upper, nonresponse, records`` those that exist: figures that
            follow from others are missing.
        standard: the rules.

    Returns:
        One row an estimate: ``status`` (``reliable``, ``review``, ``unreliable``) and ``reason`` (of the
            rule; NULL if
        reliable); both are NULL where there is no estimate.
    """
    figures = _figures(estimates)
    proportion = _numbers(estimates, "proportion") > 0
    status = np.full(len(estimates), "reliable", dtype=object)
    reason = np.full(len(estimates), None, dtype=object)
    open_rows = np.ones(len(estimates), bool)
    for rules, kind in ((standard.proportion, proportion), (standard.mean, ~proportion)):
        for rule in rules:
            holds = open_rows & kind & _holds(rule.when, figures)
            status[holds], reason[holds] = rule.status, rule.reason
            open_rows &= ~holds
    absent = np.isnan(_numbers(estimates, "estimate"))
    status[absent] = reason[absent] = None
    return pa.table({"status": pa.array(status, pa.string()), "reason": pa.array(reason, pa.string())})


def _figures(estimates: pa.Table) -> dict[str, Array]:
    given = {
        name: _numbers(estimates, name)
        for name in ("n", "n_effective", "events", "records", "df", "nonresponse")
    }
    estimate = np.abs(_numbers(estimates, "estimate"))
    width = _numbers(estimates, "ci_upper") - _numbers(estimates, "ci_lower")
    kg_width = _numbers(estimates, "kg_upper") - _numbers(estimates, "kg_lower")
    with np.errstate(divide="ignore", invalid="ignore"):
        return given | {
            "others": given["n"] - given["events"],
            "cv": _numbers(estimates, "se") / estimate,
            "width": width,
            "relative_width": width / estimate,
            "kg_width": kg_width,
            "relative_kg_width": kg_width / estimate,
        }


def _numbers(estimates: pa.Table, name: str) -> Array:
    if name not in estimates.column_names:
        return np.full(len(estimates), np.nan)
    values: Array = estimates[name].to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def _parts(condition: str) -> list[str]:
    return re.split(r"\s+and\s+", condition.strip())


def _holds(condition: str, figures: dict[str, Array]) -> Flags:
    """Return where all comparisons hold; a figure that is missing meets none."""
    met = []
    for part in _parts(condition):
        found = _COMPARISON.fullmatch(part)
        if found is None:
            raise DefinitionError("E075", problem=condition)
        values = figures[found["figure"]]
        if found["missing"]:
            met.append(np.isnan(values))
        else:
            met.append(_COMPARE[found["sign"]](values, float(found["number"])))
    holds: Flags = np.logical_and.reduce(met)
    return holds
