"""What a release itself tells of a value: nothing but its folder is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from copstats.disclose import DisclosureProfile, load_profile
from copstats.disclose.profile import named_within
from copstats.disclose.shape import KEY
from copstats.disseminate import database
from copstats.disseminate.manifest import MANIFEST
from copstats.errors import ReleaseError, UsageError
from copstats.framework.disclosure import Statement, Threshold, Tier
from copstats.store.engine import published_connection
from copstats.store.schemas import DIMENSIONS

TOTAL = "_T"
_FLAGS_ONLY = "low_reliability_n"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """Which value is to be explained.

    Attributes:
        indicator: code, for example ``RCD4``.
        area: ISO 3166-1 alpha-3, or the code of a group of areas.
        year: reference year.
        survey: acronym; any survey by default.
        group: dimension -> code, for example ``sex`` -> ``F``; every other dimension is at its total.
        standardised: the value that is standardised by age and sex, in the place of the plain one.
    """

    indicator: str
    area: str
    year: str
    survey: str | None = None
    group: Mapping[str, str] = field(default_factory=dict)
    standardised: bool = False

    @classmethod
    def of(cls, value: Row) -> Asked:
        """Return the question to which a row of the table of values is an answer."""
        group = {name: value[name] for name in DIMENSIONS if value[name] != TOTAL}
        return cls(
            value["indicator"],
            value["ref_area"],
            value["time_period"],
            value["survey"],
            group,
            standardised=value["standardised"] == "Y",
        )

    def fits(self, value: Row) -> bool:
        """Whether a row of the table of values answers the question."""
        asked = {"time_period": self.year} | {name: self.group.get(name, TOTAL) for name in DIMENSIONS}
        asked["standardised"] = "Y" if self.standardised else "N"
        return all(value[name] == code for name, code in asked.items()) and (
            self.survey in (None, value["survey"])
        )


@dataclass(frozen=True)
class RuleText:
    """A statement of the disclosure profile.

    Attributes:
        rule: number of the rule.
        text: what it says.
        source: where it comes from.
        number: its threshold in the tier of the cell, where it has one.
    """

    rule: str
    text: str
    source: str
    number: float | None = None


@dataclass(frozen=True)
class Withheld:
    """Why a cell shows no figure.

    Attributes:
        reason: code.
        label: what it means.
        tier: by which the cell was judged; None where nothing was measured.
        rules: of the profile; none where it is not the one that this copstats knows.
        cells: cells of the indicator in the survey that are withheld for this reason.
        of_cells: cells of the indicator in the survey.
        n_band_needed: valid answers with which a cell would show a figure, as a band.
    """

    reason: str
    label: str
    tier: str | None = None
    rules: tuple[RuleText, ...] = ()
    cells: int | None = None
    of_cells: int | None = None
    n_band_needed: str | None = None


@dataclass(frozen=True)
class Ground:
    """One code of ``comparability_reasons`` in words."""

    code: str
    criterion: str
    text: str
    evidence: str


@dataclass(frozen=True)
class PublishedFacts:
    """What a release tells of one of its values.

    Attributes:
        value: its row in ``indicator_value``.
        labels: column -> meaning of the code that the row has in it.
        area: name of the area.
        indicator: row of the table ``indicator``.
        members: rows of the indicators that it combines.
        source: row of the table ``source``.
        grounds: why its class of comparability is not A.
        withheld: why it shows no figure; None where it shows one.
        release: row of the table ``release``.
    """

    value: Row
    labels: Mapping[str, str]
    area: str
    indicator: Row
    members: tuple[Row, ...]
    source: Row
    grounds: tuple[Ground, ...]
    withheld: Withheld | None
    release: Row


@dataclass
class OpenRelease:
    """A release that answers questions; see `open_release`.

    Attributes:
        folder: of the release.
        connection: to its database, read-only.
    """

    folder: Path
    connection: duckdb.DuckDBPyConnection
    _values: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    _tables: dict[str, list[Row]] = field(default_factory=dict)

    def values(self, asked: Asked) -> list[Row]:
        """Return the rows that answer a question, one a source.

        Raises:
            UsageError: U103, no such indicator; U380, there is no such value.
        """
        if asked.indicator not in self.indicators:
            raise UsageError("U103", name=asked.indicator)
        rows = self.of_area(asked.indicator, asked.area)
        found = [row for row in rows if asked.fits(row)]
        if not found:
            years = sorted({row["time_period"] for row in rows})
            facts = {"indicator": asked.indicator, "area": asked.area, "year": asked.year}
            raise UsageError("U380", release=self.folder.name, years=", ".join(years) or "-", **facts)
        return found

    def of_area(self, indicator: str, area: str) -> list[Row]:
        """Return all rows of an indicator in an area, in the order of their key."""
        if (indicator, area) not in self._values:
            order = ", ".join(KEY)
            query = f"FROM indicator_value WHERE indicator = $1 AND ref_area = $2 ORDER BY {order}"
            found = self.connection.sql(query, params=[indicator, area])
            self._values[indicator, area] = found.to_arrow_table().to_pylist()
        return self._values[indicator, area]

    def facts(self, value: Row) -> PublishedFacts:
        """Return what the release tells of a row of its table of values."""
        indicator = self.indicators[value["indicator"]]
        members = (indicator["members"] or "").split()
        return PublishedFacts(
            value=value,
            labels={
                name: self.codes[name, value[name]] for name in value if (name, value[name]) in self.codes
            },
            area=self.areas.get(value["ref_area"]) or value["ref_area"],
            indicator=indicator,
            members=tuple(self.indicators[code] for code in members),
            source=self.sources[value["source"]],
            grounds=tuple(self.grounds(value)),
            withheld=self._withheld(value),
            release=self.release,
        )

    @cached_property
    def indicators(self) -> dict[str, Row]:
        """Code -> row of ``indicator``."""
        return {row["indicator"]: row for row in self.table("indicator")}

    @cached_property
    def areas(self) -> dict[str, str]:
        """Code -> name."""
        return {row["ref_area"]: row["area"] for row in self.table("area")}

    @cached_property
    def sources(self) -> dict[str, Row]:
        """Submission -> row of ``source``."""
        return {row["source"]: row for row in self.table("source")}

    @cached_property
    def codes(self) -> dict[tuple[str, str], str]:
        """(column, code) -> meaning."""
        return {(row["codelist"], row["code"]): row["label"] for row in self.table("codelist")}

    @cached_property
    def release(self) -> Row:
        """The row of ``release``."""
        (row,) = self.table("release")
        return row

    @property
    def year(self) -> int:
        """Against which the age of the data was judged."""
        return int(self.release["label"][:4])

    @cached_property
    def profile(self) -> DisclosureProfile | None:
        """The disclosure profile of the release; None if this copstats has another version of it."""
        named = named_within(self.release["profile"])
        profile = load_profile(self.release["framework"], named=named)
        known = (profile.id, profile.version)
        return profile if known == (self.release["profile"], self.release["profile_version"]) else None

    @cached_property
    def _criteria(self) -> dict[str, Row]:
        return {row["code"]: row for row in self.table("comparability")}

    @cached_property
    def _suppression(self) -> dict[tuple[str, str, str], Row]:
        rows = self.table("suppression")
        return {(row["source"], row["indicator"], row["reason"]): row for row in rows}

    @cached_property
    def tables(self) -> frozenset[str]:
        """Names of its tables."""
        return frozenset(name for (name,) in self.connection.sql("SHOW TABLES").fetchall())

    def table(self, name: str) -> list[Row]:
        """Return the rows of a table, read once; not for the table of values, which may be long."""
        if name not in self._tables:
            self._tables[name] = self.connection.table(name).to_arrow_table().to_pylist()
        return self._tables[name]

    def grounds(self, value: Row) -> Iterator[Ground]:
        """Yield the reasons of comparability of a row in words."""
        for code in filter(None, (value["comparability_reasons"] or "").split(";")):
            row = self._criteria[code]
            yield Ground(code, row["criterion"], row["label"], row["evidence"])

    def _withheld(self, value: Row) -> Withheld | None:
        reason = value["reason"]
        if reason is None:
            return None
        label = self.codes.get(("reason", reason)) or str(reason)
        row = self._suppression.get((value["source"], value["indicator"], reason))
        if row is None:
            return Withheld(reason, label)
        rules = () if self.profile is None else rule_texts(self.profile, reason, row["tier"])
        told = {name: row[name] for name in ("tier", "cells", "of_cells", "n_band_needed")}
        return Withheld(reason, label, rules=rules, **told)


@contextmanager
def open_release(folder: Path) -> Iterator[OpenRelease]:
    """Open a release, unverified: `copstats audit` says whether it is as it was signed.

    Raises:
        ReleaseError: R024, there is no release in the folder.
    """
    if not (folder / MANIFEST).is_file() or not (folder / database.NAME).is_file():
        raise ReleaseError("R024", where=str(folder), folder=folder.name)
    with published_connection(folder / database.NAME) as connection:
        yield OpenRelease(folder, connection)


def rule_texts(profile: DisclosureProfile, reason: str, tier: Tier) -> tuple[RuleText, ...]:
    """Return the statements of a profile behind a reason, with the thresholds of a tier."""
    rule = profile.reasons[reason].rule
    return tuple(
        RuleText(one.rule, one.text, one.source, one.tiers[tier] if isinstance(one, Threshold) else None)
        for one in _statements(profile)
        if one.rule == rule
    )


def _statements(profile: DisclosureProfile) -> Iterator[Statement]:
    """Yield the rules that withhold a figure, in the order of the profile."""
    yield from (one for name, one in profile.thresholds.given() if name != _FLAGS_ONLY)
    for part in (profile.relations, profile.limits):
        yield from (getattr(part, name) for name in part.__struct_fields__)
