"""What a release says of each cell of a wave, as arrays of indicators by groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from copstats.disclose.audit.groups import Groups, groups_of
from copstats.disclose.profile import TIERS, DisclosureProfile
from copstats.framework.loader import Framework
from copstats.store.engine import memory_connection
from copstats.store.schemas import ATTACKER, DIMENSIONS

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.str_]

_QUERY = Path(__file__).with_name("statements.sql")
_LAST_DIGIT = 1e-6
LOW, HIGH = "low", "high"


class WaveKey(NamedTuple):
    """A survey round, whichever version of its records was used."""

    ref_area: str
    survey: str
    time_period: str


@dataclass(frozen=True, kw_only=True)
class Statements:
    """What is said of the cells of a wave: arrays of indicators by published groups, NaN or "" for nothing.

    Attributes:
        key: the wave.
        source: submission behind it.
        indicators: codes, in order.
        groups: the groups and how they add up.
        tier: of each indicator.
        value: shown values, as shares.
        step: rounding of shown values, as shares; 0 for a value with more digits than any rounding leaves.
        off_grid: the cell shows more digits than its number of answers permits.
        reason: why a cell shows no figure.
        published: the cell is in the release.
        known: the attacker's file has it.
        disagrees: the attacker's file has another reason.
        n: number of valid answers, from the attacker's file.
        weight: their weight.
        coded_limit: largest share that the smaller side of a coded cell may have.
        n_lower: least number of valid answers that the band permits.
        n_upper: largest one.
        nonresponse: largest share of item non-response that the band permits.
    """

    key: WaveKey
    source: str
    indicators: tuple[str, ...]
    groups: Groups
    tier: Texts
    value: Floats
    step: Floats
    off_grid: Flags
    reason: Texts
    published: Flags
    known: Flags
    disagrees: Flags
    n: Floats
    weight: Floats
    coded_limit: Floats
    n_lower: Floats
    n_upper: Floats
    nonresponse: Floats

    @cached_property
    def shown(self) -> Flags:
        """Cells with a figure."""
        return np.asarray(self.published & (self.reason == ""))

    @property
    def complete(self) -> bool:
        """Whether the attacker's file speaks of every published cell."""
        return bool((self.known | ~self.published).all())

    def same_as(self, other: Statements) -> bool:
        """Whether exactly the same is published."""
        return (
            self.indicators == other.indicators
            and self.groups.codes == other.groups.codes
            and np.array_equal(self.value, other.value, equal_nan=True)
            and np.array_equal(self.reason, other.reason)
            and np.array_equal(self.published, other.published)
        )


def read_statements(
    values: pa.Table, attacker: pa.Table | None, framework: Framework, profile: DisclosureProfile
) -> list[Statements]:
    """Return what a release says, wave by wave.

    Medians and what the survey did not collect are left out: other rules hold for them.

    Args:
        values: schema ``INDICATOR_VALUE``.
        attacker: schema ``ATTACKER``, or None.
        framework: age groups and tiers.
        profile: units, reasons, bands.
    """
    units = {name: unit for name, unit in profile.units.items() if unit.statistic == "proportion"}
    not_collected = {reason.obs_status for reason in profile.reasons.values()} - {"Q"}
    with memory_connection(threads=1) as connection:
        connection.register("indicator_value", values)
        connection.register("attacker", ATTACKER.empty_table() if attacker is None else attacker)
        query = Template(_QUERY.read_text("utf-8")).substitute(
            units=_quoted(units),
            unit_codes=_quoted(unit.code for unit in units.values()),
            not_collected=_quoted(sorted(not_collected)) or "''",
            dimensions=", ".join(f"coalesce(published.{d}, known.{d}) AS {d}" for d in DIMENSIONS),
            group=", ".join(DIMENSIONS),
            same_group=" AND ".join(f"published.{d} = known.{d}" for d in DIMENSIONS),
        )
        table = connection.sql(query).to_arrow_table()
    return [_Reader(part, framework, profile).statements() for part in _by_wave(table)]


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _by_wave(table: pa.Table) -> Iterator[pa.Table]:
    columns = [np.asarray(table[name].to_pylist(), dtype=str) for name in ("source", *WaveKey._fields)]
    if not len(columns[0]):
        return
    changes = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    bounds = [0, *(np.flatnonzero(changes) + 1), table.num_rows]
    for start, end in pairwise(bounds):
        yield table.slice(start, end - start)


class _Reader:
    """Spreads the cells of one wave over arrays."""

    def __init__(self, table: pa.Table, framework: Framework, profile: DisclosureProfile) -> None:
        self.table = table
        self.framework = framework
        self.profile = profile
        codes = list(zip(*(table[name].to_pylist() for name in DIMENSIONS), strict=True))
        self.groups = groups_of(codes, framework.head.ages.bands)
        names = table["indicator"].to_pylist()
        self.indicators = tuple(sorted(set(names)))
        rows, columns = ({one: i for i, one in enumerate(of)} for of in (self.indicators, self.groups.codes))
        self.at = (np.array([rows[name] for name in names]), np.array([columns[one] for one in codes]))
        self.shape = (len(self.indicators), len(self.groups.codes))
        self._unit = next(unit for unit in profile.units.values() if unit.statistic == "proportion")

    def statements(self) -> Statements:
        first = self.table.slice(0, 1).to_pylist()[0]
        tier = self._tiers()
        reason, known = self._texts("reason"), self._flags("is_known")
        value = self._floats("value") / self._unit.factor
        n, (n_lower, n_upper) = self._floats("n"), self._n_limits(reason, tier)
        least, most = (np.where(np.isnan(n), limit, n) for limit in (n_lower, n_upper))
        step, off_grid = self._steps(value, least, most, tier)
        published = self._flags("is_published")
        return Statements(
            key=WaveKey(*(first[name] for name in WaveKey._fields)),
            source=first["source"],
            indicators=self.indicators,
            groups=self.groups,
            tier=tier,
            value=value,
            step=step,
            off_grid=off_grid,
            reason=reason,
            published=published,
            known=known,
            disagrees=known & published & (reason != self._texts("known_reason")),
            n=n,
            weight=self._floats("weight"),
            coded_limit=self._floats("coded_limit"),
            n_lower=n_lower,
            n_upper=n_upper,
            nonresponse=self._nonresponse(),
        )

    def _floats(self, name: str) -> Floats:
        out = np.full(self.shape, np.nan)
        out[self.at] = self.table[name].to_numpy(zero_copy_only=False).astype(np.float64)
        return out

    def _flags(self, name: str) -> Flags:
        out = np.zeros(self.shape, dtype=bool)
        out[self.at] = self.table[name].to_numpy(zero_copy_only=False)
        return out

    def _texts(self, name: str) -> Texts:
        out = np.full(self.shape, "", dtype="U32")
        out[self.at] = [text or "" for text in self.table[name].to_pylist()]
        return out

    def _tiers(self) -> Texts:
        """The tier of the attacker's file, as a whole wave may be tier B; else of the definition; else B."""
        definitions = self.framework.indicators
        own = [definitions[c].definition.tier if c in definitions else TIERS[-1] for c in self.indicators]
        stated = [max(row) for row in self._texts("tier").tolist()]
        return np.array([one or other for one, other in zip(stated, own, strict=True)], dtype=str)

    def _by_tier(self, numbers: Mapping[Any, float], tier: Texts) -> Floats:
        return np.array([[float(numbers[one])] for one in tier.tolist()])

    def _n_limits(self, reason: Texts, tier: Texts) -> tuple[Floats, Floats]:
        bands = self.profile.n_bands.bands
        lower = {band.code: float(band.lower) for band in bands}
        ends = [band.lower - 1.0 for band in bands[1:]] + [np.inf]
        upper = dict(zip((band.code for band in bands), ends, strict=True))
        band = self._texts("n_band")
        least = np.array([[lower.get(code, 1.0) for code in row] for row in band.tolist()])
        most = np.array([[upper.get(code, np.inf) for code in row] for row in band.tolist()])
        minimum = self._by_tier(self.profile.thresholds.minimum_n.tiers, tier)
        most = np.where(reason == "n", minimum - 1, most)
        shown_or_coded = band != ""
        return np.where(shown_or_coded, np.maximum(least, minimum), least), most

    def _nonresponse(self) -> Floats:
        upper = {band.code: band.upper for band in self.profile.nonresponse_bands.bands}
        bands = self._texts("nonresponse_band")
        return np.array([[upper.get(code, 1.0) for code in row] for row in bands.tolist()])

    def _steps(self, value: Floats, least: Floats, most: Floats, tier: Texts) -> tuple[Floats, Flags]:
        """Return the step of each shown value, and where it is finer than its number of answers permits."""
        unit = self._unit
        coarse, fine = (_widths(unit.value.steps, n, tier) / unit.factor for n in (least, most))
        step = np.where(_on_grid(value, coarse), coarse, np.where(_on_grid(value, fine), fine, 0.0))
        shown = ~np.isnan(value)
        return np.where(shown, step, np.nan), shown & (step == 0)


def _widths(steps: Mapping[Any, Mapping[int, float]], n: Floats, tier: Texts) -> Floats:
    """Return the step of rounding at these numbers of answers, in the published unit."""
    out = np.zeros(n.shape)
    for one in set(tier.tolist()):
        from_n, widths = zip(*sorted(steps[one].items()), strict=True)
        place = np.searchsorted(from_n, n[tier == one], side="right") - 1
        out[tier == one] = np.array(widths)[np.clip(place, 0, None)]
    return out


def _on_grid(value: Floats, width: Floats) -> Flags:
    steps = value / width
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(steps - np.round(steps)) < _LAST_DIGIT)
