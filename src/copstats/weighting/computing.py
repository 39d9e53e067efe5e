"""The steps of a plan, one after the other, with what each does to the weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from copstats.analyse.weighting.calibration import calibrate
from copstats.analyse.weighting.classes import adjust_nonresponse
from copstats.analyse.weighting.diagnostics import Diagnostics, Weighted, diagnose
from copstats.analyse.weighting.raking import post_stratify, rake
from copstats.analyse.weighting.trimming import trim
from copstats.errors import EstimationError, SubmissionError
from copstats.weighting.plan import Plan, read_plan
from copstats.weighting.population import population_tables
from copstats.weighting.sample import BASE, RESPONDED, Sample, read_sample

Array = npt.NDArray[np.float64]
StepName = Literal["nonresponse", "trimming", "calibration"]
STEPS: tuple[StepName, ...] = get_args(StepName)

_NOW = "copstats weight"


@dataclass(frozen=True)
class Step:
    """A step that was taken.

    Attributes:
        name: ``nonresponse``, ``trimming`` or ``calibration``, in this order.
        before: weights of the respondents before it.
        after: weights of the respondents after it.
        diagnostics: of the respondents.
    """

    name: StepName
    before: Array
    after: Array
    diagnostics: Diagnostics

    @property
    def factors(self) -> Array:
        """Weight after over weight before."""
        factors: Array = self.after / self.before
        return factors


@dataclass(frozen=True)
class Weighing:
    """What came of a plan.

    Attributes:
        data: name of the data file.
        plan: that was followed.
        sample: all eligible persons who were sampled.
        steps: that were taken.
        tables: the population tables, in the order of the plan.
        classes: combinations of the class columns with the class that each fell into; see
            `copstats.analyse.weighting.classes.adjust_nonresponse`; None without that step.
    """

    data: str
    plan: Plan
    sample: Sample
    steps: tuple[Step, ...]
    tables: tuple[pa.Table, ...]
    classes: pa.Table | None

    @cached_property
    def respondents(self) -> Sample:
        """Those who have a final weight, in the order of the file."""
        return self.sample.respondents()

    @cached_property
    def base(self) -> Array:
        """Base weights of the respondents."""
        return _floats(self.respondents.records[BASE])

    @property
    def final(self) -> Array:
        """Final weights of the respondents."""
        return self.steps[-1].after if self.steps else self.base

    def step(self, name: StepName) -> Step | None:
        """Return a step, or None if the plan does not ask for it."""
        return next((step for step in self.steps if step.name == name), None)

    @cached_property
    def sampled_diagnostics(self) -> Diagnostics:
        """Diagnostics of the base weights of all eligible persons."""
        return diagnose(_floats(self.sample.records[BASE]))

    @cached_property
    def base_diagnostics(self) -> Diagnostics:
        """Diagnostics of the base weights of the respondents."""
        return diagnose(self.base)

    @cached_property
    def final_diagnostics(self) -> Diagnostics:
        """Diagnostics of the final weights; the factors are final over base weight."""
        return diagnose(self.final, before=self.base)

    @property
    def response(self) -> float:
        """Share of the eligible persons who responded, each counted once."""
        return len(self.base) / len(self.sample.records)

    @property
    def weighted_response(self) -> float:
        """Share of the eligible persons who responded, by base weight."""
        return float(self.base.sum()) / self.sampled_diagnostics.sum_after


def weigh(data: Path, plan: Path) -> Weighing:
    """Compute final weights by a plan.

    Args:
        data: one record a sampled person, respondents and others, in any format that a submission may have.
        plan: ``weighting.yaml``; see docs/weighting.md.

    Raises:
        SubmissionError: a file cannot be read (S103 to S157; SubmissionErrors: several reasons).
        SubmissionErrors: S180 to S192, entries of the plan, columns, records or tables that cannot be used.
        SubmissionError: S194, a calibrated weight that is not above 0.
        EstimationError: E062 to E069 or E071, with the line of the plan; see `copstats.analyse.weighting`.
    """
    read = read_plan(plan)
    sample = read_sample(data, read)
    respondents = sample.respondents()
    tables = population_tables(read, respondents)
    steps: list[Step] = []
    classes = None
    records = respondents.records.append_column(_NOW, respondents.records[BASE])
    if read.says.respondent is not None:
        adjusted = _adjusted(read, sample)
        classes = adjusted.classes
        weights = adjusted.weights.filter(pc.cast(sample.records[RESPONDED].combine_chunks(), pa.bool_()))
        records = _taken(steps, "nonresponse", records, weights, adjusted.diagnostics)
    if read.says.trim is not None:
        with _placed(read, "trim"):
            cut = trim(records, _NOW, limit=read.says.trim)
        records = _taken(steps, "trimming", records, cut.weights, cut.diagnostics)
    if read.says.calibrated:
        met = _calibrated(read, records, tables)
        records = _taken(steps, "calibration", records, met.weights, met.diagnostics)
    return Weighing(data.name, read, sample, tuple(steps), tuple(tables), classes)


def _taken(
    steps: list[Step], name: StepName, records: pa.Table, weights: pa.DoubleArray, diagnostics: Diagnostics
) -> pa.Table:
    """Note a step and return the records with the weights after it."""
    steps.append(Step(name, _floats(records[_NOW]), _floats(weights), diagnostics))
    return records.set_column(records.column_names.index(_NOW), _NOW, weights)


def _adjusted(plan: Plan, sample: Sample) -> Weighted:
    with _placed(plan, "classes"):
        return adjust_nonresponse(
            sample.records,
            BASE,
            plan.says.classes,
            RESPONDED,
            least_respondents=plan.says.least_respondents,
            greatest_factor=plan.says.greatest_factor,
        )


def _calibrated(plan: Plan, records: pa.Table, tables: Sequence[pa.Table]) -> Weighted:
    says = plan.says
    bounds = (says.bounds.lower, says.bounds.upper) if says.bounds else None
    with _placed(plan, "bounds" if says.bounds else "margins" if says.margins else "totals"):
        if says.method == "post_stratification":
            found = post_stratify(records, _NOW, tables[0])
        elif says.method == "raking" and not says.totals and bounds is None:
            found = rake(records, _NOW, tables)
        else:
            found = calibrate(records, _NOW, tables, says.totals, method=says.method, bounds=bounds)
    if count := int((_floats(found.weights) <= 0).sum()):
        raise SubmissionError("S194", where=plan.where("method"), count=count)
    return found


@contextmanager
def _placed(plan: Plan, entry: str) -> Iterator[None]:
    """Name the line of the plan that an error of a method belongs to."""
    try:
        yield
    except EstimationError as error:
        raise EstimationError(error.code, where=plan.where(entry), **error.params) from None


def _floats(values: pa.ChunkedArray | pa.Array) -> Array:
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    found: Array = whole.to_numpy(zero_copy_only=False)
    return found
