"""Reliability of estimates by the presentation standards of the US National Center for Health Statistics.

The numbers stand in ``schemas/<framework>/reliability.yaml``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

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


class ProportionStandard(Definition, frozen=True, kw_only=True):
    """When a proportion is shown, shown after review, or not relied on."""

    minimum_n: int
    minimum_n_effective: float
    narrow_width: float
    """An interval of at most this width is precise enough."""
    wide_width: float
    """An interval of at least this width is not."""
    relative_width: float
    """Between the two: the width relative to the estimate at most."""
    review_df: int
    """Fewer degrees of freedom call for review."""
    source: list[str]


class MeanStandard(Definition, frozen=True, kw_only=True):
    """When a mean is shown, shown after review, or not relied on."""

    minimum_n: int
    review_n: int
    review_relative_error: float
    """A standard error of at least this share of the estimate calls for review."""
    review_df: int
    source: list[str]


class Standard(Definition, frozen=True, kw_only=True):
    """``reliability.yaml``."""

    proportion: ProportionStandard
    mean: MeanStandard


@cache
def load_standard(version: str = DEFAULT_FRAMEWORK, root: Path | None = None) -> Standard:
    """Read ``reliability.yaml`` of a framework version.

    Raises:
        DefinitionError: D001 to D003, the file is malformed.
    """
    located = Located((root or project_root()) / "schemas" / version / "reliability.yaml")
    try:
        return msgspec.convert(located.data, Standard)
    except msgspec.ValidationError as problem:
        raise DefinitionError("D002", where=located.where(), problem=str(problem)) from None


def reliability_flags(estimates: pa.Table, standard: Standard) -> list[str | None]:
    """Return ``reliable``, ``review`` or ``unreliable`` for every row; None where there is no estimate.

    Args:
        estimates: columns ``proportion`` (truth value), ``estimate, se, n, events, df, n_effective, kg_lower,
            kg_upper``; a row of a mean needs no Korn-Graubard limits.
        standard: the thresholds.

    Source: Parker et al. (2017), Vital and Health Statistics 2(175), table II.
    """
    columns = {
        name: estimates[name].to_numpy(zero_copy_only=False).astype(np.float64)
        for name in (
            "proportion",
            "estimate",
            "se",
            "n",
            "events",
            "df",
            "n_effective",
            "kg_lower",
            "kg_upper",
        )
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        proportions = _proportions(columns, standard.proportion)
        means = _means(columns, standard.mean)
    flags = np.where(columns["proportion"] > 0, proportions, means)
    return [None if np.isnan(p) else str(flag) for p, flag in zip(columns["estimate"], flags, strict=True)]


def _proportions(of: dict[str, Array], rule: ProportionStandard) -> npt.NDArray[np.str_]:
    width = of["kg_upper"] - of["kg_lower"]
    imprecise = (width >= rule.wide_width) | (
        (width > rule.narrow_width) & ~(width / of["estimate"] <= rule.relative_width)
    )
    too_few = (of["n"] < rule.minimum_n) | ~(of["n_effective"] >= rule.minimum_n_effective)
    review = (of["df"] < rule.review_df) | (of["events"] == 0) | (of["events"] == of["n"])
    return _flags(too_few | imprecise | np.isnan(width), review)


def _means(of: dict[str, Array], rule: MeanStandard) -> npt.NDArray[np.str_]:
    relative = of["se"] / np.abs(of["estimate"])
    review = (
        (of["n"] < rule.review_n) | (relative >= rule.review_relative_error) | (of["df"] < rule.review_df)
    )
    return _flags((of["n"] < rule.minimum_n) | np.isnan(relative), review)


def _flags(unreliable: npt.NDArray[np.bool_], review: npt.NDArray[np.bool_]) -> npt.NDArray[np.str_]:
    return np.where(unreliable, "unreliable", np.where(review, "review", "reliable"))
