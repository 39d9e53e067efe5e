"""Holds the weighted children by sex and age against a reference population (ESS level 4)."""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow as pa

from copstats.errors import DefinitionError
from copstats.framework import manifest as says
from copstats.framework.definitions import Ages
from copstats.process.compiled import Judged, Parameter
from copstats.process.figures import SEX, significant
from copstats.process.judging import decided, undecided
from copstats.process.makers.weights import kish_effect, usable
from copstats.process.phrases import label_of
from copstats.process.previous import CLUSTERING, distance
from copstats.process.records import AGE, WEIGHTS, RecordTable

POPULATION = pa.schema(
    [
        pa.field("ref_area", pa.string(), nullable=False),
        pa.field("year", pa.int32(), nullable=False),
        # Identifier of CL_SEX: F, M.
        pa.field("sex", pa.string(), nullable=False),
        # Completed years; both ends included.
        pa.field("age_from", pa.int32(), nullable=False),
        pa.field("age_to", pa.int32(), nullable=False),
        pa.field("population", pa.float64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
    ]
)
"""Reference population: persons by area, year, sex and age."""
STRUCTURE, TOTAL = "population_structure", "population_total"
_CELLS = 2
"""Of one cell alone there is no distribution."""
EXPANDED = 2.0
"""Weights whose sum is within this factor of the population are taken to add up to it; our choice."""
_LARGEST_INTEGER = 9999
"""Of years and ages."""
_NAME = "reference_population"


@dataclass(frozen=True)
class Cell:
    """Children of one sex in an age band.

    Attributes:
        sex: code of the framework.
        ages: both ends included.
        population: reference population.
        weight: sum of the weights.
    """

    sex: int
    ages: tuple[int, int]
    population: float
    weight: float


def read_population(path: Path) -> pa.Table:
    """Read a reference population: a CSV file in UTF-8 with the columns of `POPULATION`.

    Raises:
        DefinitionError: a column is missing (D210), a cell cannot be read (D211, with line and column), or
            ages of one area, year and sex overlap (D212).
    """
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        if lacking := [name for name in POPULATION.names if name not in (reader.fieldnames or ())]:
            raise DefinitionError("D210", where=path.name, columns=", ".join(lacking))
        rows = [_row(row, f"{path.name}:{reader.line_num}") for row in reader]
    _check_overlaps(rows, path.name)
    return pa.Table.from_pylist(rows, schema=POPULATION)


def _row(row: Mapping[str, str | None], where: str) -> dict[str, str | int | float]:
    out: dict[str, str | int | float] = {}
    for column in POPULATION:
        text = (row[column.name] or "").strip()
        try:
            out[column.name] = _number(text, column.type) if column.type != pa.string() else text
        except ValueError:
            raise DefinitionError("D211", where=where, column=column.name) from None
        if not text:
            raise DefinitionError("D211", where=where, column=column.name)
    if int(out["age_to"]) < int(out["age_from"]):
        raise DefinitionError("D211", where=where, column="age_to")
    return out


def _number(text: str, kind: pa.DataType) -> int | float:
    number = int(text) if kind == pa.int32() else float(text)
    if not math.isfinite(number) or not 0 <= number <= (_LARGEST_INTEGER if kind == pa.int32() else number):
        raise ValueError
    return number


def _check_overlaps(rows: Sequence[Mapping[str, str | int | float]], name: str) -> None:
    ages = sorted((r["ref_area"], r["year"], r["sex"], r["age_from"], r["age_to"]) for r in rows)
    for one, other in pairwise(ages):
        if one[:3] == other[:3] and int(other[3]) <= int(one[4]):
            raise DefinitionError("D212", where=name, area=str(one[0]), year=int(one[1]), sex=str(one[2]))


def judge_population(
    connection: duckdb.DuckDBPyConnection, table: RecordTable, population: pa.Table | None
) -> Iterator[Judged]:
    """Yield the outcomes of the rules on the reference population.

    Args:
        connection: holds the table ``child``.
        table: the file of children.
        population: see `POPULATION`; None if there is none.
    """

    def neither(reason: str, *, applies: bool) -> Iterator[Judged]:
        for rule_class in (STRUCTURE, TOTAL):
            yield undecided(table, rule_class, reason, state="not_supported" if applies else "not_applicable")

    if not _of_all_children(table.manifest.population):
        yield from neither("not_all_children", applies=False)
    elif not {SEX, AGE, WEIGHTS["child"]} <= table.present:
        yield from neither("variable_absent", applies=False)
    elif len(cells := _cells(connection, table, population)) < _CELLS:
        yield from neither("no_population", applies=True)
    elif not any(cell.weight for cell in cells):
        yield from neither("weights_not_expanded", applies=False)
    else:
        yield _structure(table, cells, _effective_size(connection))
        yield _total(table, cells)


def _of_all_children(population: says.Population) -> bool:
    everybody = population.universe == "all_children" and population.setting == "household"
    return everybody and population.coverage == "national"


def _cells(
    connection: duckdb.DuckDBPyConnection, table: RecordTable, population: pa.Table | None
) -> list[Cell]:
    """Return the cells that lie within the ages of the survey, joined to bands of the framework."""
    reference = _reference(table, population)
    if not reference:
        return []
    connection.register(_NAME, pa.Table.from_pylist(reference))
    weight = WEIGHTS["child"]
    query = (
        f"WITH cells AS (SELECT sex_code, low, high, sum(population) AS population\n"
        f"    FROM {_NAME} GROUP BY ALL),\n"
        f"weighted AS (SELECT {SEX} AS sex_code, low, high, fsum({weight}) AS weight FROM child\n"
        f"    JOIN {_NAME} ON {SEX} = sex_code AND {AGE} BETWEEN age_from AND age_to\n"
        f"    WHERE {usable(weight)} GROUP BY ALL)\n"
        "SELECT sex_code, low, high, population, coalesce(weight, 0)\n"
        "FROM cells LEFT JOIN weighted USING (sex_code, low, high) ORDER BY ALL"
    )
    try:
        rows = connection.execute(query).fetchall()
    finally:
        connection.unregister(_NAME)
    return [Cell(sex, (low, high), people, weight) for sex, low, high, people, weight in rows]


def _reference(table: RecordTable, population: pa.Table | None) -> list[dict[str, int | float]]:
    manifest, framework = table.manifest, table.framework
    ages = manifest.population.ages
    # A code that also holds younger or older persons is no age of the reference population.
    lowest, highest = ages.min + ages.bottom_coded, ages.max - ages.top_coded
    codes = framework.codes(framework.variables("child")[SEX]).items()
    sexes = {code.sdmx: number for number, code in codes if code.sdmx}
    out = []
    for row in population.to_pylist() if population is not None else ():
        own = row["ref_area"] == manifest.ref_area and row["year"] == manifest.reference_year
        if own and row["sex"] in sexes and lowest <= row["age_from"] and row["age_to"] <= highest:
            low, high = _band(framework.head.ages, row["age_from"], row["age_to"])
            kept = {name: row[name] for name in ("age_from", "age_to", "population")}
            out.append({"sex_code": sexes[row["sex"]], "low": low, "high": high} | kept)
    return out


def _band(ages: Ages, age_from: int, age_to: int) -> tuple[int, int]:
    """Return the band of the framework that holds these ages, or the ages themselves."""
    holding = ((b.minimum, b.maximum) for b in ages.bands if b.minimum <= age_from and age_to <= b.maximum)
    return next(holding, (age_from, age_to))


def _effective_size(connection: duckdb.DuckDBPyConnection) -> float:
    weight = WEIGHTS["child"]
    query = f"SELECT count(*), {kish_effect(weight)} FROM child WHERE {usable(weight)}"
    records, kish = connection.execute(query).fetchall()[0]
    return float(records / kish / CLUSTERING)


def _structure(table: RecordTable, cells: Sequence[Cell], size: float) -> Judged:
    """Compare the shares by the index of dissimilarity; see `copstats.process.previous.distance`."""
    people, weights = sum(cell.population for cell in cells), sum(cell.weight for cell in cells)
    reference = {cell: cell.population / people for cell in cells}
    now = {cell: cell.weight / weights for cell in cells}
    dissimilarity = _distance(now, reference)
    if dissimilarity <= (table.framework.rules.classes[STRUCTURE].share or 0) + _by_chance(reference, size):
        return decided(table, STRUCTURE, None, None)
    # The first of several; the last bits of a sum are no difference.
    largest = max(cells, key=lambda cell: round(abs(now[cell] - reference[cell]), 9))
    variable = table.framework.variables("child")[SEX]
    sex = table.framework.codes(variable)[largest.sex].label
    low, high = largest.ages
    params: dict[str, Parameter] = {
        "dissimilarity": round(100 * dissimilarity),
        "sex": sex,
        "ages": str(low) if low == high else f"{low}-{high}",
        "now": round(100 * now[largest]),
        "reference": round(100 * reference[largest]),
    }
    return decided(table, STRUCTURE, None, params, told={"sex": partial(label_of, sex, variable.codelist)})


def _distance(now: Mapping[Cell, float], reference: Mapping[Cell, float]) -> float:
    names = {cell: str(number) for number, cell in enumerate(reference)}
    return distance({names[c]: s for c, s in now.items()}, {names[c]: s for c, s in reference.items()})


def _by_chance(reference: Mapping[Cell, float], size: float) -> float:
    """Return the index of dissimilarity to expect of a sample of this effective size from the population.

    The mean absolute deviation of a share that is normally distributed is sqrt(2 / pi) standard errors.
    """
    return sum(math.sqrt(2 / math.pi * share * (1 - share) / size) for share in reference.values()) / 2


def _total(table: RecordTable, cells: Sequence[Cell]) -> Judged:
    people, weights = sum(cell.population for cell in cells), sum(cell.weight for cell in cells)
    ratio = weights / people if people else 0
    if not 1 / EXPANDED <= ratio <= EXPANDED:
        return undecided(table, TOTAL, "weights_not_expanded", state="not_applicable")
    off = round(abs(ratio - 1), 9) > (table.framework.rules.classes[TOTAL].share or 0)
    told = {"now": significant(weights, 3) or 0, "reference": significant(people, 3) or 0}
    return decided(table, TOTAL, None, told if off else None)
