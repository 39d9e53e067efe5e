"""Rates and ratios of administrative counts, computed from published figures: they tell nothing more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from copstats.disclose import DisclosureProfile
from copstats.framework.counts import TOTAL, UNKNOWN, USERS, CountDefinitions, Derived
from copstats.framework.denominators import POPULATION_REFERENCE, Denominators
from copstats.store.counts import CELL

_PER = 100_000
_LEAST_DIVISOR = 20
"""Steps of rounding below which nothing is divided by a count: a ratio may then be off by four per cent."""
_AGE = re.compile(r"Y([0-9]{1,2})(?:T([0-9]{1,2}))?")

Row = Mapping[str, Any]
Found = tuple[Row, float | None, float | None, str | None]
"""Count, what it is divided by, the quotient, and the reason why there is none."""


def derived_values(
    counts: pa.Table, definitions: CountDefinitions, profile: DisclosureProfile, denominators: Denominators
) -> Iterable[Row]:
    """Yield the rates and ratios of whole years, over all categories, from published counts alone.

    Args:
        counts: schema ``PROTECTED_COUNTS``.
        definitions: what is computed from what.
        profile: gives the step of rounding and the reasons.
        denominators: children by area, year, sex and age; those that offices reported come second.

    Yields:
        The row of the numerator with the columns ``measure``, ``unit_measure``, ``value``, ``denominator``,
        ``obs_status``, ``obs_conf`` and ``reason`` of what is computed.
    """
    rows = [
        row
        for row in counts.to_pylist()
        if row["code"] == TOTAL and "-Q" not in row["time_period"] and UNKNOWN not in (row["sex"], row["age"])
    ]
    for code, derived in definitions.derived.items():
        own = (row for row in rows if row["variable"] == derived.numerator)
        found = (
            _rates(own, rows, derived, denominators)
            if derived.is_rate
            else _ratios(own, rows, derived, profile)
        )
        for row, persons, value, reason in found:
            if persons is not None or row["sex"] == row["age"] == TOTAL:
                status = {name: row[name] for name in ("obs_status", "obs_conf")}
                if reason is not None:
                    why = profile.reasons[reason]
                    status = {"obs_status": why.obs_status, "obs_conf": why.obs_conf}
                computed = {"value": value, "denominator": persons, "reason": reason}
                yield {
                    **row,
                    **status,
                    **computed,
                    "measure": code,
                    "unit_measure": unit_of(derived, definitions),
                }


def _rates(
    own: Iterable[Row], rows: Sequence[Row], derived: Derived, denominators: Denominators
) -> Iterable[Found]:
    reported = _reported(rows)
    for row in own:
        persons = _persons(row, derived, (denominators, reported), rows)
        yield row, persons, *_rate(row, persons)


def _ratios(
    own: Iterable[Row], rows: Sequence[Row], derived: Derived, profile: DisclosureProfile
) -> Iterable[Found]:
    by_cell = {(row["source"], *(row[name] for name in CELL)): row for row in rows}
    for row in own:
        cell = (row["source"], row["ref_area"], derived.denominator, *(row[name] for name in CELL[2:]))
        yield row, *_ratio(row, by_cell.get(cell), profile)


def _rate(row: Row, persons: float | None) -> tuple[float | None, str | None]:
    if row["value"] is None:
        return None, row["reason"]
    if not persons:
        return None, "no_denominator"
    # Three significant digits: the count behind it is rounded itself.
    return float(f"{row['value'] / persons * _PER:.3g}"), None


def _ratio(
    row: Row, divisor: Row | None, profile: DisclosureProfile
) -> tuple[float | None, float | None, str | None]:
    """Return divisor, ratio in whole per cents, reason."""
    persons = divisor["value"] if divisor is not None else None
    if row["value"] is None:
        return persons, None, row["reason"]
    if divisor is not None and persons is None:
        return None, None, divisor["reason"]
    if persons is None or persons < _LEAST_DIVISOR * profile.limits.rounding_base.value:
        return persons, None, "no_denominator"
    return persons, float(round(100 * row["value"] / persons)), None


def _persons(row: Row, derived: Derived, known: Iterable[Denominators], rows: Sequence[Row]) -> float | None:
    """Return the persons to whom a count is related, from the first table that says how many there are."""
    if derived.denominator == USERS:
        cell = ("pop_users_all", *(row[name] for name in CELL if name != "variable"))
        of_cell = ("variable", *(name for name in CELL if name != "variable"))
        found = [r["value"] for r in rows if tuple(r[name] for name in of_cell) == cell]
        return found[0] if found else None
    if (ages := _ages(row["age"], derived.ages)) is None or row["sex"] not in (TOTAL, "M", "F"):
        return None
    year = int(row["time_period"][:4])
    found = [table.persons(row["ref_area"], year, ages, sex=row["sex"]) for table in known]
    return next((number for number in found if number), None)


def _ages(code: str, all_ages: Sequence[int] | None) -> tuple[int, int] | None:
    if code == TOTAL and all_ages is not None:
        return all_ages[0], all_ages[1]
    match = _AGE.fullmatch(code)
    return (int(match[1]), int(match[2] or match[1])) if match else None


def _reported(rows: Iterable[Row]) -> Denominators:
    """Return the child population that offices reported with their counts."""
    found: dict[tuple[str | int, ...], Row] = {}
    for row in rows:
        ages = _ages(row["age"], None)
        told = row["variable"] == "pop_child" and row["value"] is not None
        if not told or ages is None or row["sex"] not in (TOTAL, "M", "F"):
            continue
        key = (row["ref_area"], int(row["time_period"][:4]), row["sex"], *ages)
        cells = (*key, row["value"], None, row["source"], "")
        found.setdefault(key, dict(zip(POPULATION_REFERENCE.names, cells, strict=True)))
    return Denominators(pa.Table.from_pylist(list(found.values()), schema=POPULATION_REFERENCE))


def unit_of(derived: Derived, definitions: CountDefinitions) -> str:
    """Return the code of the unit of a rate or ratio."""
    if not derived.is_rate:
        return "PCNT"
    unit = definitions.variables[derived.numerator].unit.upper()
    return f"{unit}_PER_100K_{derived.denominator.upper()}"
