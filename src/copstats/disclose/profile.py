"""The disclosure profile of a framework version: thresholds, steps of rounding, bands, reasons."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from copstats.errors import DefinitionError
from copstats.framework.definitions import Definition
from copstats.framework.loader import DEFAULT_FRAMEWORK
from copstats.framework.located import Located
from copstats.project import project_root

FILE = "disclosure.yaml"
TIERS: tuple[Tier, ...] = ("A", "B")
_ROUNDS_EVENLY = 1e-9

Tier = Literal["A", "B"]
RuleId = Annotated[
    str, Meta(pattern=r"^R[0-9]{1,2}[a-z]?$", description="number of the rule in docs/disclosure.md")
]
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


class Thresholds(Definition, frozen=True, kw_only=True):
    """All thresholds of the primary rules."""

    minimum_n: Threshold
    low_reliability_n: Threshold
    minimum_events: Threshold
    minimum_psus: Threshold
    largest_psu_share: Threshold
    largest_weight_share: Threshold
    crossed_dimensions: Threshold


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


class DisclosureProfile(Definition, frozen=True, kw_only=True):
    """``disclosure.yaml``."""

    id: Annotated[str, Meta(pattern=r"^[a-z]+-[0-9]+$")]
    version: Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    title: str
    thresholds: Thresholds
    units: dict[str, Unit]
    n_bands: CountBands
    nonresponse_bands: ShareBands
    reasons: dict[str, Reason]
    reliable: list[str]
    tables: dict[str, list[str]]
    never_crossed: list[str] = field(default_factory=list)


REQUIRED_REASONS = ("n", "psus", "dominance", "low", "high", "crossing", "no_variance", "unknown")
"""Reasons that the primary rules give; those of absent indicators stand beside them."""


def load_profile(version: str = DEFAULT_FRAMEWORK, root: Path | None = None) -> DisclosureProfile:
    """Load the disclosure profile of a framework version.

    Args:
        version: folder name under ``schemas/``.
        root: folder that holds ``schemas/``; the project's own by default.

    Raises:
        DefinitionError: D001 to D003, D011 or D020 to D023; names file and line.
    """
    return read_profile((root or project_root()) / "schemas" / version / FILE)


@cache
def read_profile(path: Path) -> DisclosureProfile:
    """Read and check one profile file; raises as :func:`load_profile`."""
    if not path.is_file():
        raise DefinitionError("R010", where=path.name)
    located = Located(path)
    try:
        profile = msgspec.convert(located.data, DisclosureProfile)
    except msgspec.ValidationError as problem:
        text, _, place = str(problem).partition(" - at `$")
        raise DefinitionError("D002", where=located.where(*_keys(place)), problem=text) from None
    _refuse_missing_tiers(profile, located)
    _refuse_overlapping_codes(profile, located)
    _refuse_gaps_in_bands(profile, located)
    if missing := set(REQUIRED_REASONS) - profile.reasons.keys():
        raise DefinitionError("R014", where=located.where("reasons"), reasons=", ".join(sorted(missing)))
    return profile


def steps_per_unit(step: float) -> int:
    """Return how many steps make one unit: 1 for 1, 10 for 0.1, 2 for 0.5."""
    return round(1 / step)


def _keys(place: str) -> list[str]:
    """Return the keys of msgspec's path up to the first mapping key that it does not name."""
    known = place.rstrip("`").split("[", maxsplit=1)[0]
    return [key for key in known.split(".") if key]


def _refuse_missing_tiers(profile: DisclosureProfile, located: Located) -> None:
    """A tier without a threshold or a step would pass unprotected or unrounded."""
    for name in profile.thresholds.__struct_fields__:
        if getattr(profile.thresholds, name).tiers.keys() != set(TIERS):
            raise DefinitionError("R011", where=located.where("thresholds", name, "tiers"))
    for unit, published in profile.units.items():
        for kind in ("value", "error"):
            steps = getattr(published, kind).steps
            where = located.where("units", unit, kind, "steps")
            if steps.keys() != set(TIERS) or any(0 not in steps[tier] for tier in TIERS):
                raise DefinitionError("R011", where=where)
            used = [step for tier in TIERS for step in steps[tier].values()]
            if any(abs(1 / step - steps_per_unit(step)) > _ROUNDS_EVENLY for step in used):
                raise DefinitionError("R012", where=where)


def _refuse_overlapping_codes(profile: DisclosureProfile, located: Located) -> None:
    """No cell may be both low and high: that would say that it is nearly empty of both answers."""
    for tier in TIERS:
        events, n = profile.thresholds.minimum_events.tiers[tier], profile.thresholds.minimum_n.tiers[tier]
        if n < 2 * events:
            raise DefinitionError("R013", where=located.where("thresholds", "minimum_n"))


def _refuse_gaps_in_bands(profile: DisclosureProfile, located: Located) -> None:
    lower = [band.lower for band in profile.n_bands.bands]
    upper = [band.upper for band in profile.nonresponse_bands.bands]
    smallest = min(profile.thresholds.minimum_n.tiers.values())
    for name, ends, complete in (
        ("n_bands", lower, bool(lower) and lower[0] <= smallest),
        ("nonresponse_bands", upper, bool(upper) and upper[-1] == 1),
    ):
        if not complete or sorted(set(ends)) != ends:
            raise DefinitionError("R015", where=located.where(name, "bands"))
