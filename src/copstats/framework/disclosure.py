"""What a disclosure profile may say: ``disclosure.yaml``, and the named profiles beside it, as types.

The JSON Schemas in ``schemas/json`` are generated from these classes (``make schemas``). What the rules do is
the matter of ``copstats.disclose``, which reads and checks the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, field

from copstats.framework.definitions import Definition

Tier = Literal["A", "B"]
TIERS: tuple[Tier, ...] = ("A", "B")

RuleId = Annotated[
    str, Meta(pattern=r"^R[0-9]{1,2}[a-z]?$", description="number of the rule in docs/disclosure.md")
]
Version = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
Step = Annotated[float, Meta(gt=0, le=1)]
Share = Annotated[float, Meta(gt=0, le=1)]


class Statement(Definition, frozen=True, kw_only=True):
    """A rule in words, and why it is so."""

    rule: RuleId
    text: str
    source: str


class Threshold(Statement, frozen=True, kw_only=True):
    """A number by tier."""

    tiers: dict[Tier, Annotated[float, Meta(ge=0)]]


class Limit(Statement, frozen=True, kw_only=True):
    """A number that holds for both tiers."""

    value: Annotated[float, Meta(gt=0)]


class Tightened(Definition, frozen=True, kw_only=True):
    """Thresholds of the primary rules, any of them."""

    minimum_n: Threshold | None = None
    low_reliability_n: Threshold | None = None
    minimum_events: Threshold | None = None
    minimum_psus: Threshold | None = None
    largest_psu_share: Threshold | None = None
    largest_weight_share: Threshold | None = None
    crossed_dimensions: Threshold | None = None
    minimum_effective_n: Threshold | None = None
    widest_interval: Threshold | None = None
    """Of a proportion, Korn-Graubard, as a share: this width and wider ones are not published."""
    widest_relative_interval: Threshold | None = None
    """The same width by the proportion: wider ones are not published."""
    narrow_interval: Threshold | None = None
    """Up to this width the relative width is not asked for."""

    def given(self) -> Iterator[tuple[str, Threshold]]:
        """Yield name and threshold of those that there are, in the order of the rules."""
        for name in self.__struct_fields__:
            if (threshold := getattr(self, name)) is not None:
                yield name, threshold


class Thresholds(Tightened, frozen=True, kw_only=True):
    """All thresholds of the primary rules; those of precision (R8) only where a named profile sets them."""

    minimum_n: Threshold
    low_reliability_n: Threshold
    minimum_events: Threshold
    minimum_psus: Threshold
    largest_psu_share: Threshold
    largest_weight_share: Threshold
    crossed_dimensions: Threshold


class Relations(Definition, frozen=True, kw_only=True):
    """Rules on what follows from several cells; their numbers are those of R1 and R2."""

    differences: Statement
    categories: Statement
    protected_width: Statement


class Limits(Definition, frozen=True, kw_only=True):
    """Numbers on which whole survey rounds, and counts of services, turn."""

    sampling_fraction: Limit
    changed_records: Limit
    minimum_count: Limit
    rounding_base: Limit
    dominant_units: Limit
    dominant_share: Limit
    estimation_margin: Limit


class Rounding(Statement, frozen=True, kw_only=True):
    """Tier -> number of valid answers from which -> step of rounding, in the published unit."""

    steps: dict[Tier, dict[Annotated[int, Meta(ge=0)], Step]]


class Unit(Definition, frozen=True, kw_only=True):
    """How estimates of a unit are published; both limits are possible values.

    The statistic says which rules protect them: each needs rules of its own.
    """

    code: str
    label: str
    statistic: Literal["proportion", "median"]
    factor: float
    minimum: float
    maximum: float
    value: Rounding
    error: Rounding


class CountBand(Definition, frozen=True, kw_only=True, rename={"lower": "from"}):
    """Band of a number of answers, open upward to the next."""

    code: str
    label: str
    lower: Annotated[int, Meta(ge=0)]


class CountBands(Statement, frozen=True, kw_only=True):
    """Bands in ascending order."""

    bands: list[CountBand]


class ShareBand(Definition, frozen=True, kw_only=True, rename={"upper": "to"}):
    """Band of a share, its upper end included."""

    code: str
    label: str
    upper: Share


class ShareBands(Statement, frozen=True, kw_only=True):
    """Bands in ascending order; the last ends at 1."""

    bands: list[ShareBand]


class Reason(Definition, frozen=True, kw_only=True):
    """Why a cell shows no figure."""

    label: str
    sign: Annotated[str, Meta(max_length=6, description="stands for the value in tables")]
    obs_status: Literal["Q", "L", "M"]
    obs_conf: Literal["F", "N", "C", "A", "O", "D"]
    rule: RuleId | None = None
    coded: bool = False
    """The reason itself says something of the value; the bands of the cell are shown with it."""
    protected: bool = True
    """False: the figure is no secret; nothing else is withheld for its sake."""


class DisclosureProfile(Definition, frozen=True, kw_only=True):
    """``disclosure.yaml``, or what a named profile makes of it."""

    id: Annotated[str, Meta(pattern=r"^[a-z]+-[0-9]+$")]
    version: Version
    title: str
    thresholds: Thresholds
    relations: Relations
    limits: Limits
    units: dict[str, Unit]
    n_bands: CountBands
    nonresponse_bands: ShareBands
    reasons: dict[str, Reason]
    reliable: list[str]
    tables: dict[str, list[str]]
    never_crossed: list[str] = field(default_factory=list)

    def required_width(self, tier: Tier, reason: str | None, n: int) -> float:
        """Return how wide, in respondents, the interval of what may follow of a cell must be at least (R10).

        Args:
            tier: of the cell.
            reason: against its figure; None where it is shown.
            n: its valid answers.
        """
        known = self.reasons[reason] if reason is not None else None
        if known is None or known.obs_status != "Q" or not known.protected:
            return 0
        events = self.thresholds.minimum_events.tiers[tier]
        return events - 1 if known.coded else min(events, n)


class NamedProfile(Definition, frozen=True, kw_only=True):
    """``disclosure/NAME.yaml``: what the practice of some producer adds to ``disclosure.yaml``."""

    id: Annotated[str, Meta(pattern=r"^[a-z]+(_[a-z]+)*$", description="name of the file")]
    version: Version
    title: str
    thresholds: Tightened
