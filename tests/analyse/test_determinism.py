"""The same digits from any number of threads and any division of the work, and none lost to cancellation."""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from copstats.analyse import blocks, linearise
from copstats.analyse.cells import Measure, cells_sql
from copstats.analyse.design import create_design, design_sql
from copstats.analyse.domains import Axis, Disaggregation
from copstats.analyse.variance import estimate_measures, variance_sql
from copstats.store.engine import memory_connection

MEASURES = [Measure("Y", "y"), Measure("GAPS", "g = 1", "e"), Measure("HOURS", "h", proportion=False)]
AXES = {
    name: Axis(name, f"dim_{name}", name, tuple(str(n) for n in range(1, size + 1)))
    for name, size in {"sex": 2, "age": 3, "region": 4, "quint": 5}.items()
}
DOMAINS = [
    Disaggregation("total"),
    *(Disaggregation(name, (axis,)) for name, axis in AXES.items()),
    Disaggregation("sex_age", (AXES["sex"], AXES["age"])),
]


def wave(n: int, *, shuffled: bool) -> pa.Table:
    random = np.random.default_rng(5)
    psu = np.sort(random.integers(0, n // 20, n))
    table = pa.table(
        {
            "country": psu % 3,
            "stratum": [f"s{p % 12}" for p in psu],
            "psu": [f"p{p}" for p in psu],
            "weight": random.lognormal(0, 2, n),
            "sex": pa.array(random.integers(1, 3, n), mask=random.random(n) < 0.02),
            "age": random.integers(1, 4, n),
            "region": 1 + psu % 4,
            "quint": random.integers(1, 6, n),
            "y": random.integers(0, 2, n),
            "g": pa.array(random.integers(0, 2, n), mask=random.random(n) < 0.1),
            "e": random.random(n) < 0.9,
            "h": pa.array(random.gamma(2, 3, n), mask=random.random(n) < 0.1),
        }
    )
    return table.take(random.permutation(n)) if shuffled else table


def estimated(table: pa.Table, threads: int) -> pa.Table:
    connection = memory_connection(threads=threads)
    connection.register("source", table)
    connection.execute("CREATE TABLE t AS SELECT * FROM source")
    return estimate_measures(
        connection,
        "SELECT * FROM t",
        design_sql(["t"], wave_no="country"),
        MEASURES,
        DOMAINS,
        wave_no="country",
    )


@pytest.mark.parametrize("shuffled", [False, True])
def test_no_digit_depends_on_threads_or_on_the_division_of_the_work(
    shuffled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More records than a row group of the engine, so that it does share the work.
    table = wave(150_000, shuffled=shuffled)
    once = estimated(table, 1)
    assert once.equals(estimated(table, 1))
    assert once.equals(estimated(table, 2))
    assert once.equals(estimated(table, 4))
    monkeypatch.setattr(blocks, "RECORDS_TOGETHER", 1_000)
    monkeypatch.setattr(linearise, "CELLS_TOGETHER", 500)
    assert once.equals(estimated(table, 2))
    monkeypatch.setattr(blocks, "_CODES", 20)  # crossings numbered anew after each axis
    monkeypatch.setattr(blocks, "_HEAVY", 2.0)  # no weight is looked at first
    assert once.equals(estimated(table, 2))


def test_the_sums_said_in_sql_are_the_sums_computed() -> None:
    table = wave(4_000, shuffled=True)
    connection = memory_connection(threads=1)
    connection.register("t", table)
    found = estimate_measures(connection, "SELECT * FROM t", design_sql(["t"]), MEASURES, DOMAINS)
    create_design(connection, design_sql(["t"]))
    connection.execute(cells_sql("SELECT * FROM t", MEASURES, DOMAINS))
    said = connection.sql(variance_sql(MEASURES)).to_arrow_table().to_pylist()
    assert len(said) == found.num_rows == 3 * (1 + 2 + 3 + 4 + 5 + 6)
    computed = {(row["measure"], row["domain"]): row for row in found.to_pylist()}
    for row in said:
        other = computed[row["measure"], row["domain"]]
        for name, value in row.items():
            if isinstance(value, float):
                assert math.isclose(value, other[name], rel_tol=1e-10), name
            else:
                assert value == other[name], name


def test_a_block_of_waves_gives_what_each_wave_gives() -> None:
    table = wave(6_000, shuffled=True)
    together = estimated(table, 1)
    for country in range(3):
        one = pa.compute.equal(table["country"], country)
        alone = estimated(table.filter(one), 1).to_pylist()
        block = together.filter(pa.compute.equal(together["wave_no"], country)).to_pylist()
        assert alone == block


def exact(rows: list[dict[str, Any]]) -> tuple[Fraction, Fraction]:
    """The ratio and its variance in exact fractions."""
    weight = sum(Fraction(r["weight"]) for r in rows)
    p = sum(Fraction(r["weight"]) * Fraction(r["y"]) for r in rows) / weight
    strata: dict[str, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for r in rows:
        strata[r["stratum"]][r["psu"]] += Fraction(r["weight"]) * (Fraction(r["y"]) - p) / weight
    variance = Fraction(0)
    for psus in strata.values():
        n, mean = len(psus), sum(psus.values()) / len(psus)
        variance += Fraction(n, n - 1) * sum((z - mean) ** 2 for z in psus.values())
    return p, variance


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rare", [False, True])
def test_weights_over_eight_orders_of_magnitude_lose_no_digits(seed: int, rare: bool) -> None:
    random = np.random.default_rng(seed)
    rows = [
        {
            "stratum": f"s{i % 3}",
            "psu": f"p{i % 24}",
            "weight": float(10 ** random.uniform(-4, 4)),
            "y": float(random.random() < (0.02 if rare else 0.4)),
            "grp": 1 + int(i % 7 == 0),
        }
        for i in range(240)
    ]
    rows[0]["y"] = 1.0
    light = [r for r in rows if r["weight"] < 1]
    for chosen in (rows, light):
        connection = memory_connection(threads=1)
        # A heavy answer that is missing must not drown the light ones that are there.
        missing = [r | {"y": None, "weight": 1e9} for r in chosen]
        connection.register("t", pa.Table.from_pylist([*chosen, *missing]))
        found = estimate_measures(
            connection, "SELECT * FROM t", design_sql(["t"]), [Measure("Y", "y")], [Disaggregation("total")]
        ).to_pylist()[0]
        p, variance = exact(chosen)
        assert math.isclose(found["estimate"], float(p), rel_tol=1e-12)
        assert math.isclose(found["variance"], float(variance), rel_tol=1e-11)


def test_an_estimate_next_to_one_keeps_its_variance() -> None:
    # p differs from 1 by 1e-10: a quadratic form of moments would have no correct digit left.
    rows = [
        {"stratum": "1", "psu": str(i), "weight": 1e10 if i else 1.0, "y": float(i > 0)} for i in range(4)
    ]
    connection = memory_connection(threads=1)
    connection.register("t", pa.Table.from_pylist(rows))
    found = estimate_measures(
        connection, "SELECT * FROM t", design_sql(["t"]), [Measure("Y", "y")], [Disaggregation("total")]
    ).to_pylist()[0]
    p, variance = exact(rows)
    assert math.isclose(found["estimate"], float(p), rel_tol=1e-15)
    assert math.isclose(found["variance"], float(variance), rel_tol=1e-5)
