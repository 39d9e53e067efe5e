"""Figures of a harmonised file that hold no small count and may leave the country.

Shares are rounded to whole per cents, or more coarsely where a per cent is fewer than ten records; the
number of records behind a share is not told. A distribution of which any part is one to nine records is
withheld as a whole, and so is one on fewer than fifty records.
"""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
from msgspec import Struct, field

from copstats.framework import Framework
from copstats.framework.definitions import RecordKind, Variable
from copstats.framework.expressions import DOES_NOT_KNOW, NOT_APPLICABLE, NOT_ASKED, REFUSED
from copstats.process.makers.literals import listed
from copstats.process.makers.weights import kish_effect, usable
from copstats.process.records import AGE, PSU, STRATUM, WEIGHTS, RecordTable

SEX = "sex"
BASE = 50
"""A distribution on fewer records is withheld."""
SMALL = 10
"""A distribution with a part of fewer records, but some, is withheld."""
FEW, ALL_BUT_FEW = "1-9", "all but 1-9"
Count = int | str
"""A number of records; one to nine, and all but one to nine, are told as `FEW` and `ALL_BUT_FEW`."""
_STEPS = (1, 2, 5, 10, 20)
_LAST_BITS = 1e-9
_MISSING = {NOT_APPLICABLE: "skipped", NOT_ASKED: "not_asked", DOES_NOT_KNOW: "unknown", REFUSED: "refused"}
_EMPTY, _INVALID = "blank", "invalid"
_WITHOUT_ANSWER = (*_MISSING.values(), _EMPTY, _INVALID)


class Shares(Struct, frozen=True, kw_only=True):
    """A distribution.

    Attributes:
        step: per cents to a multiple of which the shares are rounded; they need not add up to 100.
        per_cent: part -> share.
    """

    step: int
    per_cent: dict[str, int]


class VariableFigures(Struct, frozen=True, kw_only=True):
    """What is told of a variable; a distribution that is withheld is None.

    Attributes:
        response: of the records: valid, skipped, unknown, refused, not_asked, blank, invalid. Of a variable
            of tier B, or whose filter is one, of those asked: answered, unknown, refused, blank, invalid.
        categories: weighted shares of the codes among the valid answers; never for tier B.
    """

    response: Shares | None = None
    categories: Shares | None = None


class RecordFigures(Struct, frozen=True, kw_only=True):
    """What is told of a file.

    Attributes:
        records: number of records.
        psus: number of primary sampling units; None if the file holds no such variable.
        strata: number of strata.
        weight_sum: sum of the weights, three significant digits.
        weight_ratio: largest weight by the median, two significant digits.
        kish_effect: 1 + CV^2 of the weights, two decimals; see `copstats.process.makers.weights.kish_effect`.
        sex_by_age: weighted shares of sex and age band (``2 Y9T11``); sexes with fewer than 50 records are
            left out, as are other ages.
        variables: by name.
    """

    records: Count
    psus: int | None = None
    strata: int | None = None
    weight_sum: float | None = None
    weight_ratio: float | None = None
    kish_effect: float | None = None
    sex_by_age: Shares | None = None
    variables: dict[str, VariableFigures] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A part of a distribution, as counted.

    Attributes:
        records: number of records.
        weight: sum of their usable weights; their number, for a share that is not weighted.
    """

    records: int
    weight: float


def counted(number: int, total: int | None = None) -> Count:
    """Return a number of records, or the band that hides it."""
    if 0 < number < SMALL:
        return FEW
    if total is not None and 0 < total - number < SMALL:
        return ALL_BUT_FEW
    return number


def shares(parts: Mapping[str, Part], without: int = 0) -> Shares | None:
    """Return a distribution, or None if it must be withheld.

    Args:
        parts: part -> what was counted.
        without: records of the file that belong to no part. Where they are one to nine the distribution is
            told only if it could as well be that of all records: their number must not follow from it.
    """
    base = sum(part.records for part in parts.values())
    total = sum(part.weight for part in parts.values())
    if base < BASE or total <= 0 or any(0 < part.records < SMALL for part in parts.values()):
        return None
    step = _step(base)
    rounded = {name: _nearest(100 * part.weight / total / step) * step for name, part in parts.items()}
    published = Shares(step=step, per_cent=rounded)
    hidden = not 0 < without < SMALL or _could_be_of(published, base + without)
    return published if hidden else None


def _step(base: int) -> int:
    return next(step for step in _STEPS if base * step >= SMALL * 100)


def _could_be_of(published: Shares, base: int) -> bool:
    """Whether so many records, in parts of none or of ten and more, can have these shares."""
    if _step(base) != published.step:
        return False
    lowest = highest = 0
    for share in published.per_cent.values():
        low = math.ceil((share - published.step / 2) * base / 100 - _LAST_BITS)
        high = math.floor((share + published.step / 2) * base / 100 + _LAST_BITS)
        if high < SMALL and low > 0:
            return False
        if high >= SMALL:
            lowest += max(low, SMALL)
            highest += high
    return lowest <= base <= highest


def figures_of(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[RecordKind, RecordTable]
) -> dict[str, RecordFigures]:
    """Return the figures of the files of a submission by record kind.

    Args:
        connection: holds the harmonised tables.
        tables: what they hold, see `copstats.process.records.record_tables`.
    """
    return {str(kind): _of_table(connection, table) for kind, table in tables.items()}


def _of_table(connection: duckdb.DuckDBPyConnection, table: RecordTable) -> RecordFigures:
    described = {
        name: variable
        for name, variable in table.expected.items()
        if name in table.present
        and variable.type in ("code", "integer", "number")
        and variable.role not in ("identifier", "design")
    }
    parts = _parts(connection, table, described)
    psus, strata = _units(connection, table)
    return RecordFigures(
        records=counted(table.held.rows),
        psus=psus,
        strata=strata,
        **_weights(connection, table),
        sex_by_age=_sex_by_age(connection, table),
        variables={
            name: _of_variable(table, name, variable, parts.get(name, {}))
            for name, variable in described.items()
        },
    )


def _of_variable(
    table: RecordTable, name: str, variable: Variable, parts: Mapping[str, Part]
) -> VariableFigures:
    valid = {part: found for part, found in parts.items() if part not in _WITHOUT_ANSWER}
    answered = sum(part.records for part in valid.values())
    without = {part: parts[part].records for part in _WITHOUT_ANSWER if part in parts}
    if tells_of_tier_b(table.framework, table.record, name):
        asked = {part: number for part, number in without.items() if part not in ("skipped", "not_asked")}
        others = table.held.rows - answered - sum(asked.values())
        return VariableFigures(response=shares(_unweighted({"answered": answered} | asked), others))
    response = shares(_unweighted({"valid": answered} | without))
    if variable.type != "code":
        return VariableFigures(response=response)
    codes = {str(code): Part(0, 0.0) for code in table.framework.codes(variable)}
    return VariableFigures(response=response, categories=shares(codes | valid, table.held.rows - answered))


def tells_of_tier_b(framework: Framework, record: RecordKind, name: str) -> bool:
    """Whether a variable is of tier B, or asked by one that is: its skips would tell answers."""
    if framework.variables(record)[name].tier == "B":
        return True
    universe = framework.universes.get((record, name))
    others = universe.variables - {name} if universe else ()
    return any(tells_of_tier_b(framework, record, other) for other in others)


def _unweighted(numbers: Mapping[str, int]) -> dict[str, Part]:
    return {name: Part(number, float(number)) for name, number in numbers.items()}


def _parts(
    connection: duckdb.DuckDBPyConnection, table: RecordTable, described: Mapping[str, Variable]
) -> dict[str, dict[str, Part]]:
    """Count the answers of all variables: a code, a kind of missing answer, or ``valid``."""
    branches = [
        f"SELECT '{name}' AS variable, {_part(table, name, variable)} AS part, count(*), {_weight(table)}\n"
        f"FROM {table.record} GROUP BY ALL"
        for name, variable in described.items()
    ]
    out: dict[str, dict[str, Part]] = {}
    if branches:
        for name, part, records, weight in connection.execute("\nUNION ALL\n".join(branches)).fetchall():
            out.setdefault(name, {})[part] = Part(records, weight)
    return out


def _part(table: RecordTable, name: str, variable: Variable) -> str:
    kinds = " ".join(f"WHEN {name} = {code} THEN '{kind}'" for code, kind in _MISSING.items())
    valid = "'valid'"
    if variable.type == "code":
        known = listed(table.framework.codes(variable))
        valid = f"CASE WHEN {name} IN ({known}) THEN {name}::VARCHAR ELSE '{_INVALID}' END"
    return f"CASE WHEN {name} IS NULL THEN '{_EMPTY}' {kinds} ELSE {valid} END"


def _weight(table: RecordTable) -> str:
    """Return the sum of the usable weights; the number of records where the file holds no weight."""
    weight = WEIGHTS[table.record]
    if weight not in table.present:
        return "count(*)::DOUBLE"
    return f"coalesce(fsum({weight}) FILTER (WHERE {usable(weight)}), 0)"


def _units(connection: duckdb.DuckDBPyConnection, table: RecordTable) -> tuple[int | None, int | None]:
    def number(needed: Iterable[str], units: str) -> int | None:
        if not table.present.issuperset(needed):
            return None
        query = f"SELECT count(DISTINCT {units}) FROM {table.record}"
        return int(connection.execute(query).fetchall()[0][0])

    return number((STRATUM, PSU), f"({STRATUM}, {PSU})"), number((STRATUM,), STRATUM)


def _weights(connection: duckdb.DuckDBPyConnection, table: RecordTable) -> dict[str, float | None]:
    weight = WEIGHTS[table.record]
    if weight not in table.present:
        return {}
    query = (
        f"SELECT fsum({weight}), max({weight}) / median({weight}), {kish_effect(weight)}\n"
        f"FROM {table.record} WHERE {usable(weight)}"
    )
    total, ratio, kish = connection.execute(query).fetchall()[0]
    return {
        "weight_sum": significant(total, 3),
        "weight_ratio": significant(ratio, 2),
        "kish_effect": round(kish, 2) if kish is not None and math.isfinite(kish) else None,
    }


def _sex_by_age(connection: duckdb.DuckDBPyConnection, table: RecordTable) -> Shares | None:
    bands = table.framework.head.ages.bands
    if table.record != "child" or not bands or not {SEX, AGE} <= table.present:
        return None
    named = " ".join(f"WHEN {AGE} BETWEEN {b.minimum} AND {b.maximum} THEN '{b.code}'" for b in bands)
    codes = list(table.framework.codes(table.framework.variables("child")[SEX]))
    query = (
        f"SELECT {SEX}, CASE {named} END AS band, count(*), {_weight(table)} FROM {table.record}\n"
        f"WHERE {SEX} IN ({listed(codes)}) AND band IS NOT NULL GROUP BY ALL"
    )
    cells = connection.execute(query).fetchall()
    large = [code for code in codes if sum(cell[2] for cell in cells if cell[0] == code) >= BASE]
    empty = {f"{code} {band.code}": Part(0, 0.0) for code in large for band in bands}
    found = {f"{sex} {band}": Part(count, weight) for sex, band, count, weight in cells if sex in large}
    return shares(empty | found, table.held.rows - sum(part.records for part in found.values()))


def significant(number: float | None, digits: int) -> float | None:
    """Round to so many significant digits; None for no number and for one that is not finite."""
    if number is None or not math.isfinite(number):
        return None
    return float(f"{number:.{digits - 1}e}")


def _nearest(number: float) -> int:
    """Round half up, without the last bits of a sum that depend on the order of its terms."""
    return math.floor(round(number, 9) + 0.5)
