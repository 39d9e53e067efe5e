"""What a release tells of the value of a group of areas: rules, coverage, and the countries behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from copstats.errors import UsageError
from copstats.explaining.published import TOTAL, Asked, Ground, OpenRelease, Row, RuleText
from copstats.framework.aggregation import load_aggregation

_RULES = ("minimum_countries", "minimum_coverage", "oldest")
_NAMES = ("area_group", "scheme", "label")


@dataclass(frozen=True)
class AggregateFacts:
    """What a release tells of one of its aggregates.

    Attributes:
        value: its row in ``aggregate_value``.
        indicator: row of the table ``indicator``.
        members: rows of ``aggregate_member``, the largest share first; none where there is no value.
        areas: code -> name of the members.
        reason: why there is no value, in words; None where there is one.
        rules: by which an aggregate is published.
        grounds: why its class of comparability is not A.
        release: row of the table ``release``.
    """

    value: Row
    indicator: Row
    members: tuple[Row, ...]
    areas: dict[str, str]
    reason: str | None
    rules: tuple[RuleText, ...]
    grounds: tuple[Ground, ...]
    release: Row


def names_group(release: OpenRelease, area: str) -> bool:
    """Say whether a code or name is that of a group of areas in a release, and of no country."""
    return area not in release.areas and any(_named(row, area) for row in _table(release, "aggregate_value"))


def aggregate_facts(release: OpenRelease, asked: Asked) -> list[AggregateFacts]:
    """Return what a release tells of the aggregates that answer a question.

    Args:
        release: open.
        asked: ``area`` is the code or name of a group, or a scheme, all of whose groups are meant; ``year``
            that of the release.

    Raises:
        UsageError: U103, no such indicator; U380, there is no such aggregate.
    """
    if asked.indicator not in release.indicators:
        raise UsageError("U103", name=asked.indicator)
    of_group = [
        row
        for row in _table(release, "aggregate_value")
        if row["indicator"] == asked.indicator and _named(row, asked.area)
    ]
    sex = asked.group.get("sex", TOTAL)
    found = [row for row in of_group if row["time_period"] == asked.year and row["sex"] == sex]
    if not found or asked.group.keys() - {"sex"}:
        years = ", ".join(sorted({row["time_period"] for row in of_group})) or "-"
        facts = {"indicator": asked.indicator, "area": asked.area, "year": asked.year}
        raise UsageError("U380", release=release.folder.name, years=years, **facts)
    return [_facts(release, row) for row in found]


def _facts(release: OpenRelease, value: Row) -> AggregateFacts:
    key = {name: value[name] for name in ("scheme", "area_group", "indicator", "sex")}
    members = [row for row in _table(release, "aggregate_member") if key.items() <= row.items()]
    reason = value["reason"]
    return AggregateFacts(
        value=value,
        indicator=release.indicators[value["indicator"]],
        members=tuple(sorted(members, key=lambda row: (-row["share"], row["ref_area"]))),
        areas={row["ref_area"]: release.areas.get(row["ref_area"]) or row["ref_area"] for row in members},
        reason=None if reason is None else release.codes.get(("reason", reason)) or reason,
        rules=tuple(_rules(release.release["framework"])),
        grounds=tuple(release.grounds(value)),
        release=release.release,
    )


def _rules(framework: str) -> Iterator[RuleText]:
    rules = load_aggregation(framework)
    for name in _RULES:
        limit = getattr(rules, name)
        yield RuleText(name, limit.text, limit.source, limit.value)


def _named(row: Row, area: str) -> bool:
    return area.casefold() in {str(row[name]).casefold() for name in _NAMES}


def _table(release: OpenRelease, name: str) -> list[Row]:
    """Return a table of aggregates; a release of an earlier version of copstats has none."""
    return release.table(name) if name in release.tables else []
