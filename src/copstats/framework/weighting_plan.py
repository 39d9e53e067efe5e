"""How weights are computed from base weights: the plan that a statistics office writes, as types.

The JSON Schema in ``schemas/json`` is generated from these classes (``make schemas``).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from copstats.framework.definitions import Definition
from copstats.framework.manifest import Column, DataFile, Share

Method = Literal["raking", "post_stratification", "linear", "logit"]
Outcome = str | int | float


class Reading(Definition, frozen=True, kw_only=True):
    """How a file is to be read, where that does not show in the file itself."""

    encoding: str | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'"] | None = None
    """Sign between groups of three digits; " " stands for spaces of every kind."""
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] | None = None
    sheet: str | None = None

    def of(self, path: str) -> DataFile:
        """Return what a manifest would say of the file."""
        return DataFile(
            path=path,
            encoding=self.encoding,
            decimal=self.decimal,
            thousands=self.thousands,
            delimiter=self.delimiter,
            sheet=self.sheet,
        )


class Respondent(Definition, frozen=True, kw_only=True):
    """The column that holds the outcome of every sampled person, and which outcome is a response."""

    column: Column
    values: list[Outcome]
    """Outcomes of those who responded."""
    ineligible: list[Outcome] = field(default_factory=list)
    """Outcomes of those who turned out not to belong to the population; they are left aside."""


class PopulationTable(Definition, frozen=True, kw_only=True):
    """A table of the population by category; crossed categories are several columns."""

    columns: list[Column]
    file: Annotated[str, Meta(min_length=1, description="path from the folder of the plan")]
    total: Column = "total"
    """Column of the table that holds the number of people."""
    read: Reading = field(default_factory=Reading)


class Bounds(Definition, frozen=True, kw_only=True):
    """Least and greatest factor of the calibration."""

    lower: float
    upper: float


class EarlierStages(Definition, frozen=True, kw_only=True):
    """Response at stages that the file does not hold; they enter the response rate only."""

    psu: Share | None = None
    household: Share | None = None


class WeightingPlan(Definition, frozen=True, kw_only=True):
    """``weighting.yaml``: from base weights to final weights. Every step may be left out."""

    key: Column | list[Column]
    """Column or columns that tell the records apart."""
    base_weight: Column
    """The inverse of the probability of selection."""
    file: Reading = field(default_factory=Reading)
    respondent: Respondent | None = None
    """Absent: every record is a respondent, and there is no adjustment for non-response."""
    classes: list[Column] = field(default_factory=list)
    """Columns that make the weighting classes, from the most to the least important."""
    least_respondents: Annotated[int, Meta(ge=1)] = 20
    greatest_factor: Annotated[float, Meta(ge=1)] = 3.0
    trim: Annotated[float, Meta(ge=1)] | None = None
    """Weights above so many medians are cut, before the calibration."""
    method: Method = "raking"
    margins: list[PopulationTable] = field(default_factory=list)
    totals: dict[Column, float] = field(default_factory=dict)
    """Population totals of number columns."""
    bounds: Bounds | None = None
    earlier_stages: EarlierStages = field(default_factory=EarlierStages)

    @property
    def keys(self) -> list[str]:
        """The columns that tell the records apart."""
        return [self.key] if isinstance(self.key, str) else list(self.key)

    @property
    def calibrated(self) -> bool:
        """Whether the weights are brought to population totals."""
        return bool(self.margins or self.totals)
