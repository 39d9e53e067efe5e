"""What the pages read of a release: typed rows, computed once for all languages."""

# ruff: noqa: S608 - every name in the SQL is a column or table of this package, or a band of the framework

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeVar, cast

import pyarrow as pa

from copstats.disseminate.published import Published
from copstats.framework.export.published import code_tables
from copstats.framework.structure import load_structure
from copstats.store.engine import memory_connection

Row = TypeVar("Row", bound=NamedTuple)
Made = TypeVar("Made")


class Value(NamedTuple):
    """A row of ``indicator_value``."""

    ref_area: str
    indicator: str
    time_period: str
    survey: str
    sex: str
    age: str
    residence: str
    wealth_quintile: str
    disability: str
    education: str
    region: str
    unit_measure: str
    value: float | None
    se: float | None
    ci_lower: float | None
    ci_upper: float | None
    n_band: str | None
    nonresponse_band: str | None
    obs_status: str
    reason: str | None
    reliability: str | None
    comparability: str | None
    comparability_reasons: str | None
    source: str


class Mean(NamedTuple):
    """A row of ``aggregate_value``."""

    scheme: str
    area_group: str
    indicator: str
    sex: str
    value: float | None
    se: float | None
    ci_lower: float | None
    ci_upper: float | None
    country_mean: float | None
    areas: int
    countries: int
    coverage: float | None
    weighted_by: str
    earliest_period: str | None
    latest_period: str | None
    obs_status: str
    reason: str | None
    comparability: str | None
    comparability_reasons: str | None


class Difference(NamedTuple):
    """A row of ``group_difference``."""

    ref_area: str
    indicator: str
    dimension: str
    group_a: str
    group_b: str
    difference: float | None
    ci_lower: float | None
    ci_upper: float | None
    reason: str | None
    source: str


class Change(NamedTuple):
    """A row of ``change`` at the total."""

    ref_area: str
    indicator: str
    survey: str
    time_period_from: str
    time_period_to: str
    value_from: float | None
    value_to: float | None
    change: float | None
    ci_lower: float | None
    ci_upper: float | None
    samples: str | None
    comparability: str | None
    comparability_reasons: str | None
    reason: str | None


# Of several rows of an area the newest with a value counts, of one year the more comparable; else the newest.
_NEWEST = """
SELECT *
FROM indicator_value
WHERE standardised = 'N' AND {total}
QUALIFY row_number() OVER (
  PARTITION BY indicator, ref_area
  ORDER BY value IS NULL, time_period DESC, comparability, survey, source
) = 1
ORDER BY indicator, ref_area
"""
# Cells of one dimension alone, of the same survey as the total that is shown. Bands of age that are not the
# framework's are common bands: they stand beside the total and are no group.
_GROUPS = """
WITH shown AS ({newest})
SELECT v.*
FROM indicator_value AS v
JOIN shown AS s USING (indicator, ref_area, time_period, survey, source)
WHERE v.standardised = 'N' AND ({one_dimension}) AND v.age IN ({bands}, '_T')
ORDER BY v.indicator, v.ref_area, v.age, v.sex, v.residence, v.wealth_quintile, v.disability, v.education,
  v.region
"""
_DIMENSIONS = ("sex", "age", "residence", "wealth_quintile", "disability", "education", "region")
_REASONS = "CL_COMPARABILITY_REASON"
"""List of the single reasons: their column holds several, so that no code list is bound to it."""


class Content:
    """A release as the pages read it.

    Args:
        published: the release.
    """

    def __init__(self, published: Published) -> None:
        self.published = published
        self._connection = memory_connection()
        self._made: dict[Callable[[Content], Any], Any] = {}
        for name, table in published.tables.items():
            self._connection.register(name, table)

    def rows(self, query: str, kind: type[Row]) -> list[Row]:
        """Return the rows of a query as named tuples.

        Args:
            query: SQL over the tables of the release; its columns are those of ``kind``, in any order.
            kind: named tuple with the columns.
        """
        names = ", ".join(f'"{name}"' for name in kind._fields)
        found = self._connection.sql(f"SELECT {names} FROM ({query})").fetchall()
        return [kind(*row) for row in found]

    def table(self, query: str) -> pa.Table:
        """Return the rows of a query as a table."""
        return self._connection.sql(query).to_arrow_table()

    def once(self, make: Callable[[Content], Made]) -> Made:
        """Return what a function makes of the release; it is called for the first language only."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast(Made, self._made[make])

    def has(self, table: str) -> bool:
        """Whether the release has a table, and rows in it."""
        return table in self.published.tables and self.published.tables[table].num_rows > 0

    @cached_property
    def newest(self) -> Mapping[str, Sequence[Value]]:
        """Indicator -> newest value at the total of every area, areas in the order of their codes."""
        return grouped(self.rows(_newest(), Value), "indicator")

    @cached_property
    def groups(self) -> Mapping[str, Sequence[Value]]:
        """Indicator -> cells of one dimension, of the surveys of :attr:`newest`."""
        bands = ", ".join(f"'{band.code}'" for band in self.published.framework.head.ages.bands)
        query = _GROUPS.format(newest=_newest(), one_dimension=_one_dimension(), bands=bands)
        return grouped(self.rows(query, Value), "indicator")

    @cached_property
    def means(self) -> Mapping[str, Sequence[Mean]]:
        """Indicator -> means of groups of areas, both sexes together first."""
        return grouped(
            self.rows("FROM aggregate_value ORDER BY scheme, area_group, indicator, sex DESC", Mean),
            "indicator",
        )

    @cached_property
    def differences(self) -> Mapping[str, Sequence[Difference]]:
        """Indicator -> differences between groups, of all surveys."""
        return grouped(self.rows("FROM group_difference", Difference), "indicator")

    @cached_property
    def changes(self) -> Mapping[str, Sequence[Change]]:
        """Indicator -> changes at the total, by area and time."""
        query = f"""
        FROM change WHERE standardised = 'N' AND {total()}
        ORDER BY ref_area, survey, time_period_to
        """
        return grouped(self.rows(query, Change), "indicator")

    @cached_property
    def areas(self) -> Sequence[str]:
        """Codes of the areas with anything published: each has a page."""
        parts = [
            f"SELECT DISTINCT ref_area FROM {name}"
            for name in ("indicator_value", "administrative_value", "policy_answer")
            if self.has(name)
        ]
        if not parts:
            return []
        found = self._connection.sql(" UNION ".join(parts)).fetchall()
        return sorted(area for (area,) in found if area in self.published.areas)

    @cached_property
    def area_groups(self) -> Sequence[tuple[str, str]]:
        """Scheme and code of the groups of areas with a row in ``aggregate_value``: each has a page."""
        if not self.has("aggregate_value"):
            return []
        query = "SELECT DISTINCT scheme, area_group FROM aggregate_value ORDER BY ALL"
        return [(scheme, group) for scheme, group in self._connection.sql(query).fetchall()]

    @cached_property
    def codes(self) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
        """Column of ``indicator_value`` -> code -> language -> label."""
        framework = self.published.framework
        tables = code_tables(framework, areas={}, indicators={})
        columns = load_structure(framework.id).components.values()
        labelled = {c.column: tables[c.codelist].codes for c in columns if c.column and c.codelist}
        return labelled | {"comparability_reasons": tables[_REASONS].codes}

    @cached_property
    def criteria(self) -> Mapping[str, str]:
        """Code of ``comparability_reasons`` -> English name of the criterion."""
        rows = self._connection.sql("SELECT code, criterion FROM comparability").fetchall()
        return dict(rows)


def grouped(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    """Return rows by the value of a column, in their order."""
    out: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        out[getattr(row, column)].append(row)
    return dict(out)


def total() -> str:
    """Return a condition that holds for cells of nothing but the total."""
    return " AND ".join(f"{name} = '_T'" for name in _DIMENSIONS)


def _newest() -> str:
    return _NEWEST.format(total=total())


def _one_dimension() -> str:
    """Return a condition on ``v``: it is broken down by one dimension and no other."""
    broken_down = " + ".join(f"(v.{name} <> '_T')::INTEGER" for name in _DIMENSIONS)
    return f"{broken_down} = 1"
