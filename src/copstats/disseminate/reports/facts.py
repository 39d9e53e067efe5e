"""What reports read of a release: counts and rows, computed once for all languages."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from copstats.disseminate.published import Published
from copstats.disseminate.release_calendar import Quarter
from copstats.disseminate.site.names import DOMAINS
from copstats.disseminate.site.reading import Content, Value
from copstats.framework.aggregation import WORLD, load_aggregation
from copstats.framework.denominators import Denominators
from copstats.store.schemas import DIMENSIONS

REGIONS = "itu_region"
"""Classification of areas by which members of the working group are grouped."""

COMPARABLE = ("A", "B")
_MODULE_REASONS = ("module_not_covered", "no_parent_file")
_YEAR = dt.timedelta(days=366)
_TOTAL = " AND ".join(f"{name} = '_T'" for name in DIMENSIONS)


class Source(NamedTuple):
    """A row of ``source``."""

    source: str
    ref_area: str
    survey: str
    time_period: str
    title: str | None
    organisation: str | None
    fieldwork_start: dt.date | None
    fieldwork_end: dt.date | None
    age_minimum: int | None
    age_maximum: int | None
    universe: str | None
    setting: str | None
    coverage: str | None
    sampling: str | None
    mode: str | None
    response_rate: float | None
    coverage_share: float | None
    child_records: str | None
    parent_records: str | None
    custody: str | None


class Change(NamedTuple):
    """A row of ``change`` at the national total."""

    ref_area: str
    indicator: str
    time_period_from: str
    time_period_to: str
    value_from: float | None
    value_to: float | None
    change: float | None
    ci_lower: float | None
    ci_upper: float | None
    comparability: str | None
    reason: str | None


class Withheld(NamedTuple):
    """Cells of ``suppression`` by reason."""

    ref_area: str
    indicator: str
    reason: str
    cells: int
    n_band_needed: str | None


class Coverage(NamedTuple):
    """How much of a group of areas the release covers.

    Attributes:
        scheme: classification.
        group: code in it.
        areas: areas of the group.
        with_values: those with a value of a survey.
        comparable: those with a value of class A or B.
        share: share of the group's children who live in areas with values; None where a number is not known.
    """

    scheme: str
    group: str
    areas: int
    with_values: int
    comparable: int
    share: float | None


class Facts:
    """A release as reports see it.

    Args:
        published: the release.
    """

    def __init__(self, published: Published) -> None:
        self.published = published
        self.content = Content(published)

    @cached_property
    def received(self) -> Sequence[Mapping[str, str]] | None:
        """One row a submission, as `Published` has it; None where that is not told."""
        rows = self.published.received
        return None if rows is None else rows.to_pylist()

    @cached_property
    def received_now(self) -> Sequence[Mapping[str, str]]:
        """Those that were received in the quarter of the release."""
        quarter = str(Quarter.named_by(self.label))
        return [row for row in self.received or () if row["quarter"] == quarter]

    @property
    def label(self) -> str:
        """Label of the release."""
        return self.published.label

    @cached_property
    def quarter_end(self) -> dt.date | None:
        """Last day of the quarter that the label names; None if it names none."""
        days = self.published.tables["release"]["quarter_end"].to_pylist()
        return days[0] if days else None

    @cached_property
    def values(self) -> Sequence[Value]:
        """Newest national row of every area and indicator."""
        return [row for rows in self.content.newest.values() for row in rows]

    @cached_property
    def shown(self) -> Sequence[Value]:
        """Those of :attr:`values` that have a value."""
        return [row for row in self.values if row.value is not None]

    @cached_property
    def countries(self) -> Sequence[str]:
        """Areas with a value of a survey, in the order of their codes."""
        return sorted({row.ref_area for row in self.shown})

    @cached_property
    def sources(self) -> Sequence[Source]:
        """Surveys behind the values, by area and newest year first."""
        return self.content.rows("FROM source ORDER BY ref_area, time_period DESC, survey, source", Source)

    @cached_property
    def newest_sources(self) -> Sequence[Source]:
        """The newest survey of every area."""
        return list({row.ref_area: row for row in reversed(self.sources)}.values())[::-1]

    @cached_property
    def recent_sources(self) -> Sequence[Source]:
        """Surveys whose data collection ended in the twelve months before the end of the quarter."""
        if (end := self.quarter_end) is None:
            return []
        return [row for row in self.sources if row.fieldwork_end and end - _YEAR < row.fieldwork_end <= end]

    @cached_property
    def headlines(self) -> Mapping[str, str]:
        """Domain -> its headline indicator: the composite of the domain, else its first indicator."""
        chosen: dict[str, str] = {}
        for code, parsed in self.published.framework.indicators.items():
            domain = parsed.definition.domain
            if domain not in chosen or (parsed.members and not self._is_composite(chosen[domain])):
                chosen[domain] = code
        order = {domain: at for at, domain in enumerate(DOMAINS)}
        return dict(sorted(chosen.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))

    def _is_composite(self, code: str) -> bool:
        return bool(self.published.framework.indicators[code].members)

    def newest(self, indicator: str) -> Sequence[Value]:
        """Return the newest national rows of an indicator."""
        return self.content.newest.get(indicator, [])

    @cached_property
    def statuses(self) -> Mapping[str, int]:
        """Status of an observation -> number of published cells, standardised ones not counted."""
        query = "SELECT obs_status FROM indicator_value WHERE standardised = 'N'"
        return Counter(str(code) for code in self.content.table(query)["obs_status"].to_pylist())

    @cached_property
    def withheld(self) -> Sequence[Withheld]:
        """What disclosure control withheld."""
        return self.content.rows("FROM suppression ORDER BY ALL", Withheld)

    @cached_property
    def changes(self) -> Sequence[Change]:
        """Changes of national values between consecutive rounds."""
        query = (
            f"FROM change WHERE standardised = 'N' AND {_TOTAL} ORDER BY ref_area, indicator, time_period_to"
        )
        return self.content.rows(query, Change)

    @cached_property
    def coverage(self) -> Sequence[Coverage]:
        """Groups of areas: regions, the publisher's own, those in a special situation, and all areas."""
        known = load_aggregation(self.published.framework.id).schemes
        groups: dict[tuple[str, str], set[str]] = {}
        for area in self.published.areas.values():
            for scheme, group in area.groups.items():
                groups.setdefault((scheme, group), set()).add(area.code)
        listed = [key for key in sorted(groups) if key[0] == REGIONS]
        listed += [key for key in sorted(groups) if key[0] not in known]
        listed += [key for key in sorted(groups) if key[0] in ("ldc", "lldc", "sids")]
        groups[(WORLD, self.world)] = set(self.published.areas)
        return [self._coverage(key, groups[key]) for key in [*listed, (WORLD, self.world)]]

    @property
    def world(self) -> str:
        """Code of all areas."""
        return load_aggregation(self.published.framework.id).world

    def _coverage(self, key: tuple[str, str], areas: set[str]) -> Coverage:
        with_values = areas & set(self.countries)
        comparable = {row.ref_area for row in self.shown if row.comparability in COMPARABLE} & areas
        numbers = {area: self._children.get(area) for area in sorted(areas)}
        known = [number for number in numbers.values() if number is not None]
        whole = sum(known) if len(known) == len(numbers) else 0
        share = sum(numbers[area] or 0 for area in sorted(with_values)) / whole if whole else None
        return Coverage(*key, len(areas), len(with_values), len(comparable), share)

    @cached_property
    def _children(self) -> Mapping[str, float | None]:
        persons = Denominators(self.published.tables["population_reference"])
        ages = self.published.framework.head.ages
        last = self.quarter_end.year if self.quarter_end else max(map(int, self._years), default=0)
        if (year := persons.newest_year(last)) is None:
            return {}
        return {
            area: persons.persons(area, year, (ages.minimum, ages.maximum)) for area in self.published.areas
        }

    @property
    def _years(self) -> Iterable[str]:
        return (row.time_period for row in self.sources)

    @cached_property
    def own_schemes(self) -> frozenset[str]:
        """Classifications of areas that the publisher added to those of the framework."""
        known = load_aggregation(self.published.framework.id).schemes
        return frozenset(row.scheme for row in self.coverage) - known.keys()

    @cached_property
    def without_values(self) -> Mapping[str, int]:
        """Region -> its countries without published values; all areas where no region is known."""
        regions = [row for row in self.coverage if row.scheme == REGIONS] or self.coverage[-1:]
        return {row.group: row.areas - row.with_values for row in regions if row.areas > row.with_values}

    @cached_property
    def region_of(self) -> Mapping[str, str]:
        """Area -> its region."""
        areas = self.published.areas.values()
        return {area.code: area.groups[REGIONS] for area in areas if REGIONS in area.groups}

    @cached_property
    def criteria(self) -> Sequence[tuple[str, int]]:
        """Codes of what keeps newest national values from class A, each with their number; frequent first."""
        return frequent(code for row in self.shown for code in codes(row.comparability_reasons))

    def modules_missing(self, rows: Iterable[Value]) -> Mapping[str, set[str]]:
        """Return module -> areas whose newest survey does not cover it.

        Args:
            rows: newest national rows.
        """
        framework = self.published.framework
        out: dict[str, set[str]] = {}
        for row in rows:
            if row.reason not in _MODULE_REASONS or row.indicator not in framework.indicators:
                continue
            parsed = framework.indicators[row.indicator]
            record = parsed.definition.record
            covered = ("parent",) if row.reason == "no_parent_file" else ("child", "parent")
            for name, module in framework.modules.items():
                asked = (
                    module.record in covered
                    and not module.always
                    and module.variables.keys() & parsed.variables
                )
                if asked and record in (module.record, "dyad"):
                    out.setdefault(name, set()).add(row.ref_area)
        return dict(sorted(out.items(), key=lambda item: (-len(item[1]), item[0])))


def codes(joined: str | None) -> list[str]:
    """Return codes that stand in one text, separated by semicolons."""
    return [code for code in (joined or "").split(";") if code]


def frequent(found: Iterable[str]) -> list[tuple[str, int]]:
    """Return what was found with its number, most frequent first, equals in alphabetical order."""
    return sorted(Counter(found).items(), key=lambda item: (-item[1], item[0]))
