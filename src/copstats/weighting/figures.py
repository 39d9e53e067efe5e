"""The figures that terminal and report show: counts and sums, never a person's record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from copstats.analyse.weighting.diagnostics import QUANTILES, Diagnostics
from copstats.analyse.weighting.margins import TOTAL, comparable
from copstats.weighting.computing import StepName, Weighing
from copstats.weighting.sample import BASE, RESPONDED

Array = npt.NDArray[np.float64]
Reason = Literal["", "nobody", "few", "factor", "neighbour"]
Stage = Literal["sampled", "base", "nonresponse", "trimming", "calibration"]


@dataclass(frozen=True)
class Category:
    """A row of a population table.

    Attributes:
        names: categories, one for each column; NULL cannot occur.
        respondents: number of them.
        population: the total to meet.
        before: sum of the weights before the calibration.
        after: sum of the final weights.
    """

    names: tuple[str, ...]
    respondents: int
    population: float
    before: float
    after: float

    @property
    def gap_before(self) -> float | None:
        """Relative difference from the population before the calibration; None where nobody is expected."""
        return self.before / self.population - 1 if self.population else None

    @property
    def gap_after(self) -> float | None:
        """Relative difference from the population that is left."""
        return self.after / self.population - 1 if self.population else None


@dataclass(frozen=True)
class Combination:
    """A combination of the class columns, and the weighting class that it became part of.

    Attributes:
        names: categories, one for each column; None is a missing value.
        units: eligible persons.
        respondents: among them.
        own_factor: sum of base weights over that of the respondents; None without respondents.
        reason: why it was joined to another, empty if it stands alone: ``nobody`` responded, ``few``
            respondents, too great a ``factor``, or the ``neighbour`` of such a one.
        number: of the weighting class.
        factor: that its respondents got.
    """

    names: tuple[str | None, ...]
    units: int
    respondents: int
    own_factor: float | None
    reason: Reason
    number: int
    factor: float


def stages(weighing: Weighing) -> list[tuple[Stage, Diagnostics]]:
    """Return the diagnostics of the weights at the start and after every step."""
    found: list[tuple[Stage, Diagnostics]] = []
    if weighing.plan.says.respondent is not None:
        found.append(("sampled", weighing.sampled_diagnostics))
    found.append(("base", weighing.base_diagnostics))
    return found + [(step.name, step.diagnostics) for step in weighing.steps]


def factors(weighing: Weighing) -> list[tuple[StepName | Literal["all"], tuple[float, ...]]]:
    """Return the distribution of the factors of every step, and of all steps together."""
    found: list[tuple[StepName | Literal["all"], tuple[float, ...]]] = [
        (step.name, tuple(float(one) for one in np.quantile(step.factors, QUANTILES)))
        for step in weighing.steps
    ]
    return [*found, ("all", weighing.final_diagnostics.factors)]


def margins(weighing: Weighing) -> list[tuple[str, list[Category]]]:
    """Return each population table by name, with the sums of weights before and after the calibration."""
    step = weighing.step("calibration")
    if step is None:
        return []
    records = weighing.respondents.records
    return [
        (" x ".join(_names(table)), _categories(records, table, step.before, step.after))
        for table in weighing.tables
    ]


def _categories(records: pa.Table, table: pa.Table, before: Array, after: Array) -> list[Category]:
    names = _names(table)
    own = {name: comparable(records[name], table[name])[0] for name in names}
    sums = pa.table({**own, "copstats before": before, "copstats after": after}).group_by(
        names, use_threads=False
    )
    counted = sums.aggregate([([], "count_all"), ("copstats before", "sum"), ("copstats after", "sum")])
    by_category = {
        tuple(str(row[name]) for name in names): (
            row["count_all"],
            row["copstats before_sum"],
            row["copstats after_sum"],
        )
        for row in counted.to_pylist()
    }
    rows = []
    for row in table.to_pylist():
        key = tuple(str(row[name]) for name in names)
        rows.append(Category(key, *_reordered(row[TOTAL], by_category.get(key, (0, 0.0, 0.0)))))
    return rows


def _reordered(total: float, sums: tuple[int, float, float]) -> tuple[int, float, float, float]:
    respondents, before, after = sums
    return respondents, float(total), before, after


def _names(table: pa.Table) -> list[str]:
    return [name for name in table.column_names if name != TOTAL]


def combinations(weighing: Weighing) -> list[Combination]:
    """Return the combinations of the class columns, in the order in which neighbours were looked for."""
    names = weighing.plan.says.classes
    if weighing.classes is None or not names:
        return []
    records = weighing.sample.records.select([*names, BASE, RESPONDED])
    responded = pc.cast(records[RESPONDED], pa.float64())
    records = records.append_column("copstats n", responded)
    records = records.append_column("copstats w", pc.multiply(records[BASE], responded))
    counted = records.group_by(names, use_threads=False).aggregate(
        [([], "count_all"), ("copstats n", "sum"), (BASE, "sum"), ("copstats w", "sum")]
    )
    counted = counted.sort_by([(name, "ascending") for name in names])
    sizes = np.bincount(weighing.classes["class_no"].to_numpy())
    found = []
    for own, joined in zip(counted.to_pylist(), weighing.classes.to_pylist(), strict=True):
        respondents, carried = int(own["copstats n_sum"]), own["copstats w_sum"]
        factor = own[f"{BASE}_sum"] / carried if carried else None
        alone = sizes[joined["class_no"]] == 1
        found.append(
            Combination(
                tuple(None if own[name] is None else str(own[name]) for name in names),
                own["count_all"],
                respondents,
                factor,
                "" if alone else _reason(weighing, respondents, factor),
                joined["class_no"],
                joined["factor"],
            )
        )
    return found


def _reason(weighing: Weighing, respondents: int, factor: float | None) -> Reason:
    if factor is None:
        return "nobody"
    if respondents < weighing.plan.says.least_respondents:
        return "few"
    return "factor" if factor > weighing.plan.says.greatest_factor else "neighbour"


def bars(weights: Array, most: int = 24) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return round limits, one more than bars, and how many weights lie between them.

    Args:
        weights: above 0.
        most: number of bars.
    """
    low, high = float(weights.min()), float(weights.max())
    span = high - low if high - low > 1e-9 * high else high
    magnitude = 10.0 ** np.floor(np.log10(span / most))
    step = next(float(times * magnitude) for times in (1, 2, 5, 10) if span / (times * magnitude) <= most)
    limits = np.arange(np.floor(low / step), np.floor(high / step) + 2) * step
    counts, _ = np.histogram(weights, limits)
    return tuple(float(f"{limit:.12g}") for limit in limits), tuple(int(count) for count in counts)
