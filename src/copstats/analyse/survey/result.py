"""Estimates with their covariance: a table to read, and what may be computed from it without the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from copstats.analyse.intervals import ProportionMethod, mean_limits, proportion_limits
from copstats.analyse.survey import contrasts
from copstats.analyse.survey.rendering import as_text
from copstats.analyse.survey.support import Support
from copstats.errors import EstimationError

if TYPE_CHECKING:
    import pandas as pd

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NOTES = {
    "no_valid_answers": "no record has an answer",
    "missing_answers": "answers are missing, and they were not to be dropped",
    "no_degrees_of_freedom": "as many strata as PSUs have members: no limits",
    "no_stratum_with_two_psus": "every stratum has one PSU: no standard error",
    "replicate_without_answers": "a replicate weight leaves no record with an answer: no standard error",
    "limits_undefined": "the interval asked for has no limits at 0 and 1 or outside",
    "empty_cell": "a part of the combination has no estimate",
}
"""Why a number is missing: code of the column ``note`` -> reason."""


@dataclass(frozen=True)
class Estimates:
    """Estimates, one a row.

    Attributes:
        keys: of each row: ``statistic``, ``variable``, ``category`` and the columns of the domains.
        estimate: point estimates.
        covariance: design-based covariance of all rows.
        n: numbers of records with an answer.
        support: PSUs behind each row.
        limits: of each row: ``proportion`` or ``mean``, which the interval asked for suits, ``number``, or
            ``given``.
        given: limits that are known beforehand, as those of quantiles (2 x k).
        interval: method of the limits; None takes logit for proportions and t limits for the rest.
        level: of confidence.
        deff: design effects, NaN where none was asked for.
        logit_se: of designs with replicate weights: the standard errors that logit limits take.
        reasons: of each row: why a number is missing, known beforehand.
    """

    keys: tuple[Mapping[str, str], ...]
    estimate: Array
    covariance: Array
    n: Array
    support: Support
    limits: tuple[str, ...]
    interval: ProportionMethod | None = None
    level: float = 0.95
    deff: Array | None = None
    logit_se: Array | None = None
    given: Array | None = None
    reasons: tuple[str, ...] = field(default=())

    @property
    def se(self) -> Array:
        """Standard errors."""
        with np.errstate(invalid="ignore"):
            root: Array = np.sqrt(np.diag(self.covariance))
        return root

    @property
    def df(self) -> Array:
        """Degrees of freedom."""
        return self.support.degrees_of_freedom()

    def confidence_limits(self) -> tuple[Array, Array]:
        """Return lower and upper limits: t limits, but of proportions by the method asked for."""
        estimate, se, df = self.estimate, self.se, self.df
        lower, upper = mean_limits(estimate, se, df, self.level)
        chosen = {"proportion": self.interval or "logit", "mean": self.interval or "mean", "number": "mean"}
        for kind in ("proportion", "mean"):
            rows = np.array([limits == kind for limits in self.limits], dtype=bool)
            if rows.any() and chosen[kind] != "mean":
                inside = np.where((estimate >= 0) & (estimate <= 1), estimate, np.nan)
                own = self.logit_se if chosen[kind] == "logit" and self.logit_se is not None else se
                low, high = proportion_limits(chosen[kind], inside, own, self.n, df, level=self.level)
                lower, upper = np.where(rows, low, lower), np.where(rows, high, upper)
        if self.given is not None:
            known = np.array([limits == "given" for limits in self.limits], dtype=bool)
            lower, upper = np.where(known, self.given, [lower, upper])
        return lower, upper

    @property
    def table(self) -> pa.Table:
        """One row an estimate; what does not exist is NULL, and ``note`` says why (`NOTES`).

        Columns: ``statistic, variable, category``, those of the domains, ``estimate, se, ci_lower, ci_upper,
        df, n, deff, psus, strata, cv, note``. Proportions are between 0 and 1; ``cv`` is ``se / estimate``.
        """
        lower, upper = self.confidence_limits()
        psus, strata = self.support.counts()
        with np.errstate(divide="ignore", invalid="ignore"):
            cv = self.se / np.abs(self.estimate)
        deff = self.deff if self.deff is not None else np.full(len(self.keys), np.nan)
        numbers = {
            "estimate": self.estimate,
            "se": self.se,
            "ci_lower": lower,
            "ci_upper": upper,
            "df": self.df,
            "n": self.n.astype(np.int64),
            "deff": deff,
            "psus": psus.astype(np.int64),
            "strata": strata.astype(np.int64),
            "cv": cv,
        }
        names = list(self.keys[0]) if self.keys else ["statistic", "variable", "category"]
        columns = {name: pa.array([key[name] for key in self.keys], pa.string()) for name in names}
        columns |= {name: _column(values) for name, values in numbers.items()}
        return pa.table(columns | {"note": pa.array(self._notes(lower), pa.string())})

    def _notes(self, lower: Array) -> list[str]:
        notes = []
        for row, limit in enumerate(lower):
            known = self.reasons[row] if self.reasons else ""
            if not known and np.isnan(self.estimate[row]):
                known = "no_valid_answers"
            elif not known and not self.df[row] > 0:
                known = "no_degrees_of_freedom"
            elif not known and np.isnan(self.se[row]):
                known = self._without_error(row)
            elif not known and np.isnan(limit):
                known = "limits_undefined"
            notes.append(known)
        return notes

    def _without_error(self, row: int) -> str:
        if self.limits[row] == "given":
            return "limits_undefined"
        return "replicate_without_answers" if self.logit_se is not None else "no_stratum_with_two_psus"

    def find(self, **description: str) -> int:
        """Return the position of the only row that has these texts in these columns.

        Raises:
            EstimationError: E020, no row or several.
        """
        rows = [
            row
            for row, key in enumerate(self.keys)
            if all(key.get(name) == str(text) for name, text in description.items())
        ]
        if len(rows) != 1:
            told = ", ".join(f"{name} = {text}" for name, text in description.items())
            columns = ", ".join(self.keys[0]) if self.keys else ""
            raise EstimationError("E020", description=told or "nothing", columns=columns)
        return rows[0]

    def contrast(
        self,
        what: Sequence[float] | npt.ArrayLike | Callable[[Any], Any],
        name: str = "contrast",
    ) -> Estimates:
        """Return a linear combination or a smooth function of the rows, with its standard error.

        Args:
            what: one coefficient a row; or a function of the vector of estimates, written with numpy
                functions, that returns one number (delta method).
            name: for the column ``variable`` of the result.

        Raises:
            EstimationError: E022, not one coefficient a row.
        """
        if callable(what):
            value, gradient = contrasts.function_and_gradient(what, self.estimate)
        else:
            gradient = np.asarray(what, dtype=float)
            if gradient.shape != self.estimate.shape:
                raise EstimationError("E022", count=int(gradient.size), wanted=len(self.estimate))
            value = contrasts.combined(gradient[None], self.estimate)[0]
        key = {"statistic": "contrast", "variable": name, "category": ""}
        return self._combined([key], np.array([value]), gradient[None])

    def difference(self, first: Mapping[str, str], second: Mapping[str, str]) -> Estimates:
        """Return first minus second; each is described by columns of the table, see `find`."""
        coefficients = np.zeros(len(self.keys))
        coefficients[self.find(**first)] += 1
        coefficients[self.find(**second)] -= 1
        return self.contrast(coefficients, name="difference")

    def ratio(self, first: Mapping[str, str], second: Mapping[str, str]) -> Estimates:
        """Return first divided by second (delta method); each is described by columns of the table."""
        top, bottom = self.find(**first), self.find(**second)
        return self.contrast(lambda theta: theta[top] / theta[bottom], name="ratio")

    def standardise(
        self, by: str | Sequence[str], weights: Mapping[Any, float], *, name: str = "standardised"
    ) -> Estimates:
        """Return directly standardised estimates: fixed shares of the levels of ``by``, the rest kept.

        A level without an estimate makes the combination NULL: the standard population has it.
        Source: Korn and Graubard (1999), section 3.4; the variance is that of a linear contrast.

        Args:
            by: column or columns of the domains that are combined.
            weights: level, or tuple of levels, -> share of the standard population; need not add up to 1.
            name: for the column ``statistic`` of the result, before the name of the statistic.

        Raises:
            EstimationError: E020, ``by`` is no column of the domains; E022, a level has no weight.
        """
        columns = (by,) if isinstance(by, str) else tuple(by)
        keys, coefficients = contrasts.standardising(self.keys, columns, weights)
        keys = [dict(key) | {"statistic": f"{name} {key['statistic']}"} for key in keys]
        return self._combined(keys, contrasts.combined(coefficients, self.estimate), coefficients)

    def _combined(self, keys: Sequence[Mapping[str, str]], value: Array, gradient: Array) -> Estimates:
        groups = gradient != 0
        reasons = tuple("empty_cell" if np.isnan(number) else "" for number in value)
        covariance = contrasts.propagated(gradient, self.covariance)
        return Estimates(
            keys=tuple(keys),
            estimate=value,
            covariance=covariance,
            n=np.array([self.n[group].sum() for group in groups]),
            support=self.support.joined(groups),
            limits=("number",) * len(keys),
            level=self.level,
            reasons=reasons,
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a data frame; needs pandas."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        """Return the first rows as text."""
        return as_text(self.table)


def joined(blocks: Sequence[Estimates]) -> Estimates:
    """Return blocks of estimates of the same call as one; between blocks no covariance is known."""
    if len(blocks) == 1:
        return blocks[0]
    sizes = [len(block) for block in blocks]
    size, first = sum(sizes), 0
    covariance, given = np.full((size, size), np.nan), np.full((2, size), np.nan)
    for block, count in zip(blocks, sizes, strict=True):
        own = slice(first, first + count)
        covariance[own, own] = block.covariance
        if block.given is not None:
            given[:, own] = block.given
        first += count

    def placed(name: str) -> Array | None:
        values = [getattr(block, name) for block in blocks]
        if all(value is None for value in values):
            return None
        missing = [np.full(count, np.nan) for count in sizes]
        return np.concatenate([m if v is None else v for v, m in zip(values, missing, strict=True)])

    return replace(
        blocks[0],
        keys=tuple(key for block in blocks for key in block.keys),
        estimate=np.concatenate([block.estimate for block in blocks]),
        covariance=covariance,
        n=np.concatenate([block.n for block in blocks]),
        support=replace(
            blocks[0].support, present=np.concatenate([block.support.present for block in blocks], axis=1)
        ),
        limits=tuple(limits for block in blocks for limits in block.limits),
        deff=placed("deff"),
        logit_se=placed("logit_se"),
        given=given,
        reasons=tuple(reason for block in blocks for reason in (block.reasons or ("",) * len(block))),
    )


def _column(values: npt.NDArray[Any]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values) if values.dtype.kind == "f" else None)
