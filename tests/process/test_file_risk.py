"""Disclosure risk against sdcMicro, against a plain enumeration, and by hand."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv

from copstats.language import translations
from copstats.process.file_risk import FileRisk, file_risk, key_risk_sql
from copstats.store.engine import memory_connection

SENSITIVE = {"testdata": ("electcon",), "francdat": ()}
KEYS = {
    "testdata": ("urbrur", "water", "sex", "age", "relat"),
    "francdat": ("Key1", "Key2", "Key3", "Key4"),
}
WEIGHT = {"testdata": "sampling_weight", "francdat": "w"}


def holding(table: pa.Table) -> duckdb.DuckDBPyConnection:
    connection = memory_connection()
    connection.register("persons", table)
    return connection


@pytest.mark.reference
@pytest.mark.parametrize("name", KEYS)
def test_each_record_as_in_sdcmicro(shared: Path, name: str) -> None:
    table = csv.read_csv(shared / "reference" / "sdc" / "sdcMicro" / f"{name}_ref.csv")
    score = "suda" if "suda" in table.column_names else "suda_score"
    diversity = "ldiv_distinct" if SENSITIVE[name] else "-1"
    same_key = " AND ".join(f"r.{key} IS NOT DISTINCT FROM t.{key}" for key in KEYS[name])
    sql = key_risk_sql("persons", KEYS[name], WEIGHT[name], SENSITIVE[name])
    found = (
        holding(table.rename_columns(_distinct(table.column_names)))
        .sql(
            f"SELECT frequency, population, risk, r.suda, diversity, fk_sample, fk_population, indiv_risk,\n"
            f"t.{score}, {diversity} FROM persons AS t JOIN ({sql}) AS r ON {same_key}"
        )
        .fetchnumpy()
    )
    frequency, population, risk, suda, diverse, *reference = found.values()
    assert len(frequency) == table.num_rows
    np.testing.assert_array_equal(frequency, reference[0])
    np.testing.assert_array_equal(population, reference[1])
    np.testing.assert_allclose(risk, reference[2], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(suda, reference[3])
    np.testing.assert_array_equal(diverse, reference[4])


def _distinct(names: list[str]) -> list[str]:
    """DuckDB does not tell ``fk`` from ``Fk``."""
    return [{"fk": "fk_sample", "Fk": "fk_population"}.get(name, name) for name in names]


@pytest.mark.reference
def test_the_whole_file_as_in_sdcmicro(shared: Path) -> None:
    table = csv.read_csv(shared / "reference" / "sdc" / "sdcMicro" / "testdata_ref.csv")
    renamed = table.rename_columns(_distinct(table.column_names))
    risk = file_risk(holding(renamed), "persons", KEYS["testdata"], "sampling_weight", ("electcon",))
    assert risk.records == 4580
    assert risk.expected == pytest.approx(40.41778, abs=5e-6)  # global expected re-identifications
    frequency = table["fk"].to_numpy()
    assert (risk.alone, risk.below_3, risk.below_5) == tuple((frequency < k).sum() for k in (2, 3, 5))
    assert risk.at_risk == (table["indiv_risk"].to_numpy() > 0.05).sum()
    assert risk.same_answer == (table["ldiv_distinct"].to_numpy() < 2).sum()
    assert risk.smallest_diversity == 1
    assert risk.expanded_weights


SMALL = pa.table(
    {
        "age": [9, 9, 9, 10, 10, None, -8],
        "sex": [1, 1, 2, 2, 2, 2, 2],
        "school": ["a", "b", "a", "a", "a", "b", None],
        "met": [0, 1, 0, -9, -9, None, 1],
        "weight": [10.0, 30.0, 20.0, 5.0, 5.0, 100.0, 50.0],
    }
)


def small() -> FileRisk:
    return file_risk(holding(SMALL), "persons", ("age", "sex"), "weight", ("met",), cluster="school")


def test_by_hand() -> None:
    """Keys (9, 1) and (10, 2) are shared by two; (9, 2), (blank, 2) and (-8, 2) are of one child each."""
    risk = small()
    two_of = {persons: 2 / persons / (1 - 2 / persons) for persons in (40, 10)}
    one_of = {persons: 1 / persons / (1 - 1 / persons) * math.log(persons) for persons in (20, 100, 50)}
    pairs = {n: odds - odds**2 * math.log(n / 2) for n, odds in two_of.items()}
    assert risk.records == 7
    assert (risk.smallest_group, risk.alone, risk.below_3, risk.below_5) == (1, 3, 7, 7)
    assert risk.expected == pytest.approx(2 * sum(pairs.values()) + sum(one_of.values()))
    assert risk.largest_risk == pytest.approx(max(*pairs.values(), *one_of.values()))
    assert risk.at_risk == 2 * sum(r > 0.05 for r in pairs.values()) + sum(r > 0.05 for r in one_of.values())
    assert risk.special_uniques == 2  # blank and -8 by the age alone; 9 and 2 only together
    assert risk.suda_top == 1  # K = 2, sets of one: (2 - 1)!
    assert (risk.smallest_diversity, risk.same_answer) == (1, 5)  # the three, and two who refused alike
    # in a: (9, 1) and (9, 2), while two share (10, 2); in b: (9, 1) and (blank, 2); one child has no school
    assert risk.alone_in_cluster == 4
    assert not risk.acceptable


def test_different_answers_hide_what_a_child_said() -> None:
    hidden = pa.table({"sex": [1, 1, 2, 2], "met": [0, 1, None, 0], "weight": [9.0] * 4})
    risk = file_risk(holding(hidden), "persons", ("sex",), "weight", ("met",))
    assert (risk.smallest_diversity, risk.same_answer, risk.alone) == (2, 0, 0)


def test_words_speak_of_children_and_hold_every_figure() -> None:
    lines = small().in_words(translations("en"), {"age": "Age", "sex": "Sex"})
    assert lines[0] == "What somebody who knows a child may know: Age and Sex."
    assert lines[1] == "Children who are the only ones in this file with all of that: 3 (42.9 %)."
    assert any("gave the same: 2 (28.6 %)" in line for line in lines)
    assert any("would recognise them: 4 (57.1 %)" in line for line in lines)
    without = file_risk(holding(SMALL), "persons", ("sex",), "weight")
    assert (without.smallest_diversity, without.same_answer, without.alone_in_cluster) == (None, None, None)
    assert len(without.in_words(translations("en"))) == len(lines) - 2


def test_what_may_leave_holds_no_count() -> None:
    told = small().coarse()
    assert told["alone"] == "20-50%"
    assert told["below_3"] == ">50%"
    assert told["acceptable"] == "no"
    bands = {"none", "<1%", "1-5%", "5-20%", "20-50%", ">50%"}
    measures = {k: v for k, v in told.items() if k not in ("keys", "acceptable", "weights")}
    assert set(measures.values()) <= bands


def test_weights_scaled_to_the_sample_are_the_risk_of_a_child_known_to_be_in_it() -> None:
    scaled = SMALL.set_column(4, "weight", pa.array([1.0] * 7))
    risk = file_risk(holding(scaled), "persons", ("age", "sex"), "weight")
    assert not risk.expanded_weights
    assert risk.expected == pytest.approx(5)  # 1 / f for each record: the number of keys
    assert any("knowing who was interviewed" in line for line in risk.in_words(translations("en")))


def test_an_unusable_weight_makes_no_child_safer() -> None:
    weights = [None, float("nan"), -5.0, 0.0, float("inf"), 100.0, 50.0]
    broken = SMALL.set_column(4, "weight", pa.array(weights, pa.float64()))
    risk = file_risk(holding(broken), "persons", ("age", "sex"), "weight")
    assert risk.largest_risk == 1
    assert math.isfinite(risk.expected)


def test_an_empty_file_has_no_risk() -> None:
    risk = file_risk(
        holding(SMALL.slice(0, 0)), "persons", ("age", "sex"), "weight", ("met",), cluster="school"
    )
    assert (risk.records, risk.alone, risk.expected, risk.alone_in_cluster) == (0, 0, 0, 0)
    assert risk.coarse()["alone"] == "none"


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(*[st.sampled_from([None, -8, 0, 1])] * 4, st.sampled_from([None, -9, 0, 1])),
        min_size=1,
        max_size=9,
    )
)
def test_scores_and_diversity_as_enumerated(rows: list[tuple[int | None, ...]]) -> None:
    """Elliot et al.: a set is minimal if it is unique and none of its parts is."""
    names = ("a", "b", "c", "d")
    arrays = [pa.array(column, pa.int32()) for column in zip(*rows, strict=True)]
    table = pa.table(dict(zip((*names, "item"), arrays, strict=True))).append_column(
        "weight", pa.array([7.0] * len(rows))
    )
    sql = key_risk_sql("persons", names, "weight", ("item",))
    found = holding(table).sql(f"SELECT a, b, c, d, suda, special, diversity FROM ({sql})").fetchall()
    assert {row[:4]: row[4:] for row in found} == {row[:4]: _enumerated(row[:4], rows) for row in rows}


def _enumerated(key: tuple[int | None, ...], rows: list[tuple[int | None, ...]]) -> tuple[float, bool, int]:
    def unique(places: tuple[int, ...]) -> bool:
        return sum(all(row[i] == key[i] for i in places) for row in rows) == 1

    sets = [places for size in range(1, 5) for places in combinations(range(4), size) if unique(places)]
    minimal = [s for s in sets if not any(set(other) < set(s) for other in sets)]
    answers = {row[4] for row in rows if row[:4] == key}
    score = float(sum(math.factorial(4 - len(s)) for s in minimal))
    return score, any(len(s) < 4 for s in minimal), len(answers)


@pytest.mark.nightly
def test_a_hundred_thousand_records_and_six_keys_take_less_than_three_seconds() -> None:
    import time

    random, count = np.random.default_rng(3), 100_000
    sizes = {"age": 9, "sex": 2, "area": 3, "adm1": 40, "in_school": 2, "live_parents": 4}
    columns = {name: random.integers(0, size, count) for name, size in sizes.items()}
    columns |= {f"b{i}": random.integers(0, 2, count) for i in range(15)}
    connection = holding(pa.table(columns | {"weight": random.uniform(50, 150, count)}))
    start = time.process_time()
    file_risk(connection, "persons", list(sizes), "weight", [f"b{i}" for i in range(15)])
    assert time.process_time() - start < 3
