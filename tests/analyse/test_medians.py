"""Medians of a wave: against the estimates of an analyst's own data, R survey, and numbers by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats import Design, ReplicateWeights, estimate
from copstats.analyse.cells import Measure
from copstats.analyse.design import design_sql
from copstats.analyse.domains import Axis, Disaggregation
from copstats.analyse.estimates import finished
from copstats.analyse.intervals import t_quantile
from copstats.analyse.medians import estimate_medians
from copstats.analyse.plan import explain_sql
from copstats.analyse.reliability import load_standard
from copstats.analyse.replicates import estimate_measures_replicated
from copstats.analyse.variance import estimate_measures
from copstats.analyse.wave import estimate_wave
from copstats.collect.harmonise import harmonise
from copstats.collect.submission import open_submission
from copstats.disclose import ConsentLevel, load_profile, protect
from copstats.framework.areas import load_areas
from copstats.framework.loader import Framework
from copstats.framework.manifest import SurveyManifest
from copstats.store.engine import memory_connection
from copstats.store.schemas import DIMENSIONS
from tests.analyse.test_replicate_waves import PSUS, described, rows_of
from tests.analyse.test_replicate_waves import children as replicated_children
from tests.analyse.test_wave import synthetic
from tests.reference.r_survey import CASES, DESIGNS, design_of, records_of

Make = Callable[..., SurveyManifest]
Row = dict[str, Any]

COMPARED = ("estimate", "se", "ci_lower", "ci_upper", "df", "n", "psus", "strata")
PLACE = Design(weight="weight", strata="stratum", psu="psu", fpc="fpc_psu")
ANSWERED = "net_3m = 1 AND net_age1 >= 0"
VARIABLE = {"sex": "sex", "residence": "area = 3", "disability": "disability", "region": "adm1"}


@pytest.fixture(scope="module")
def child(framework: Framework) -> pa.Table:
    """Synthetic records, of whom some do not know, with the number of PSUs of the stratum in the frame."""
    table = synthetic(framework, "child", 1500)
    answer = table["net_age1"].to_numpy().copy()
    answer[::17] = -8
    place = table.schema.get_field_index("net_age1")
    table = table.set_column(place, "net_age1", pa.array(answer))
    return table.append_column("fpc_psu", pa.array([30 + 5 * (i % 4) for i in range(1500)]))


def medians_of(table: pa.Table, disaggregation: str) -> list[Row]:
    return [
        row
        for row in table.to_pylist()
        if (row["indicator"], row["disaggregation"]) == ("ACC5", disaggregation)
    ]


def same(row: Row, wanted: Row) -> None:
    for name in COMPARED:
        assert row[name] == pytest.approx(wanted[name], rel=1e-12), name


@pytest.fixture(scope="module")
def wave(framework: Framework, manifest: Make, child: pa.Table) -> pa.Table:
    return estimate_wave(child, None, manifest(), None, framework, as_of_year=2026)


@pytest.mark.parametrize("dimension", [None, *VARIABLE])
def test_a_wave_gives_what_an_analyst_gets_from_the_records(
    wave: pa.Table, child: pa.Table, dimension: str | None
) -> None:
    by = () if dimension is None else VARIABLE[dimension]
    wanted = estimate(child, PLACE, "median(net_age1)", by=by, where=ANSWERED).table.to_pylist()
    rows = medians_of(wave, dimension or "total")
    assert len(rows) == len(wanted) > 0
    key = partial(sorted, key=lambda row: (row["n"], row["estimate"]))
    for row, other in zip(key(rows), key(wanted), strict=True):
        same(row, other)


def test_ages_and_crossed_domains_are_those_of_the_same_children(wave: pa.Table, child: pa.Table) -> None:
    for row in medians_of(wave, "age"):
        low, high = row["age"].removeprefix("Y").split("T")
        where = f"{ANSWERED} AND age BETWEEN {low} AND {high}"
        same(row, estimate(child, PLACE, "median(net_age1)", where=where).table.to_pylist()[0])
    assert len(medians_of(wave, "age")) == 3
    assert len(medians_of(wave, "sex_age")) >= 6


def test_what_a_median_has_no_figure_for_is_null(wave: pa.Table, child: pa.Table) -> None:
    (row,) = medians_of(wave, "total")
    assert [row[name] for name in ("deff", "n_effective", "kg_lower", "kg_upper")] == [None] * 4
    assert (row["unit"], row["tier"], row["state"]) == ("YEARS", "A", "estimated")
    users = child.filter(pc.equal(child["net_3m"], 1))
    answers = users["net_age1"].to_numpy()
    below = np.count_nonzero((answers >= 0) & (answers < row["ci_lower"]))
    assert row["events"] == min(below, np.count_nonzero(answers > row["ci_upper"]))
    assert (row["n"], row["eligible"]) == (np.count_nonzero(answers >= 0), len(answers))
    assert row["nonresponse"] > 0


def test_the_other_indicators_are_as_they_were_without_it(
    framework: Framework, manifest: Make, child: pa.Table, wave: pa.Table
) -> None:
    without = replace(framework, indicators={c: i for c, i in framework.indicators.items() if c != "ACC5"})
    found = estimate_wave(child, None, manifest(), None, without, as_of_year=2026)
    assert found.equals(wave.filter(pc.not_equal(wave["indicator"], "ACC5")))


def test_no_digit_depends_on_the_number_of_threads(
    framework: Framework, manifest: Make, child: pa.Table
) -> None:
    one, two = (
        estimate_wave(
            child,
            None,
            manifest(),
            None,
            framework,
            as_of_year=2026,
            connection=memory_connection(threads=threads),
        )
        for threads in (1, 2)
    )
    assert one.equals(two)


def test_kept_sums_hold_no_median(framework: Framework, manifest: Make, child: pa.Table) -> None:
    kept: dict[str, pa.Table] = {}
    estimate_wave(child, None, manifest(), None, framework, as_of_year=2026, keep=kept.update)
    names = kept["child_psu_cells"].column_names
    assert "wy_ACC4" in names
    assert not [name for name in names if "ACC5" in name], "a contrast would take it for a mean"


def users(*answers: int | None, weight: float = 1.0) -> list[Row]:
    return [
        {"weight": weight, "stratum": "1", "psu": str(i % 4), "age": 13, "net_3m": 1, "net_age1": answer}
        for i, answer in enumerate(answers)
    ]


def estimated(rows: list[Row], framework: Framework, survey: SurveyManifest) -> Row:
    table = pa.Table.from_pylist(rows)
    (row,) = medians_of(estimate_wave(table, None, survey, None, framework, as_of_year=2026), "total")
    return row


def test_missing_codes_and_those_who_are_no_users_have_no_part(framework: Framework, manifest: Make) -> None:
    rows = users(6, 7, 8, 9, -8, -9, None, 10)
    rows.append(rows[0] | {"net_3m": 0, "net_age1": -7})
    rows.append(rows[0] | {"net_3m": -9, "net_age1": -9})
    row = estimated(rows, framework, manifest())
    assert (row["estimate"], row["n"], row["eligible"], row["psus"]) == (8, 5, 9, 4)


@pytest.mark.parametrize(
    ("answers", "psus"), [((5,) * 9, 1), ((4, 9), 2), ((7,), 1)], ids=["one PSU", "two answers", "one answer"]
)
def test_an_interval_that_cannot_be_had_is_null_and_the_row_flagged(
    framework: Framework, manifest: Make, answers: tuple[int, ...], psus: int
) -> None:
    rows = [row | {"psu": str(i % psus)} for i, row in enumerate(users(*answers))]
    row = estimated(rows, framework, manifest())
    assert row["estimate"] == min(answers)
    assert [row[name] for name in ("se", "ci_lower", "ci_upper")] == [None] * 3
    assert row["reliability"] == "unreliable"
    assert not [name for name, value in row.items() if isinstance(value, float) and math.isnan(value)]


def test_without_an_answer_there_is_no_median(framework: Framework, manifest: Make) -> None:
    row = estimated(users(-8, -9, None), framework, manifest())
    assert (row["n"], row["events"], row["eligible"], row["estimate"]) == (0, 0, 3, None)
    assert [row[name] for name in ("se", "ci_lower", "ci_upper", "reliability")] == [None] * 4


@given(
    records=st.lists(st.tuples(st.integers(0, 17), st.integers(1, 50)), min_size=1, max_size=60),
)
@settings(max_examples=30, deadline=None)
def test_half_of_the_weight_is_at_or_below_and_less_than_half_below(records: list[tuple[int, int]]) -> None:
    rows = [
        {"stratum": "1", "psu": str(i % 5), "weight": float(weight), "answer": answer}
        for i, (answer, weight) in enumerate(records)
    ]
    connection = memory_connection(threads=1)
    connection.register("records", pa.Table.from_pylist(rows))
    row = numbers(connection, partial(estimate_measures), "answer", [Disaggregation("total")])[0]
    middle, whole = row["estimate"], sum(weight for _, weight in records)
    assert 2 * sum(weight for answer, weight in records if answer <= middle) >= whole
    assert 2 * sum(weight for answer, weight in records if answer < middle) < whole
    if row["ci_lower"] is not None:
        assert row["ci_lower"] <= middle <= row["ci_upper"]
        assert row["events"] <= row["n"] // 2


# A delivered survey, up to what is published ---------------------------------------------------------------


def test_a_delivered_survey_has_its_median_published(root: Path, framework: Framework) -> None:
    areas = load_areas(root / "schemas" / "areas.csv", root / "sample_data" / "areas.csv")
    delivery = open_submission(root / "sample_data" / "submissions" / "XAA_2025_COPS_v01", areas=areas)
    connection = memory_connection(threads=2)
    harmonise(delivery, framework, connection)
    records = connection.table("child").to_arrow_table()
    table = estimate_wave(records, None, delivery.manifest, delivery.crosswalk, framework, as_of_year=2026)
    (row,) = medians_of(table, "total")
    design = Design(weight="weight", strata="stratum", psu="psu")
    same(row, estimate(records, design, "median(net_age1)", where=ANSWERED).table.to_pylist()[0])
    consent: dict[str, ConsentLevel] = {delivery.manifest.submission_id: "disaggregated"}
    cells = protect(table, load_profile(), consent_level=consent, framework=framework).values.to_pylist()
    published = [cell for cell in cells if cell["indicator"] == "ACC5"]
    restricted = {tuple(r[d] for d in DIMENSIONS): r for r in table.to_pylist() if r["indicator"] == "ACC5"}
    assert len(published) == len(restricted) > 10
    for cell in published:
        own = restricted[tuple(cell[d] for d in DIMENSIONS)]
        assert (cell["value"] is None) == (cell["reason"] is not None)
        if cell["value"] is not None:
            assert [cell[n] for n in ("value", "ci_lower", "ci_upper")] == [
                own[n] for n in ("estimate", "ci_lower", "ci_upper")
            ]
            assert own["events"] >= 25
    (whole,) = (cell for cell in published if all(cell[d] == "_T" for d in DIMENSIONS))
    assert (whole["unit_measure"], whole["value"]) == ("YR", row["estimate"])


# R survey ------------------------------------------------------------------------------------------------


def numbers(
    connection: Any, engine: Callable[..., pa.Table], variable: str, domains: list[Disaggregation]
) -> list[Row]:
    wave, place = "SELECT * FROM records", design_sql(["(SELECT stratum, psu FROM records)"])
    run = partial(engine, connection, wave, place, disaggregations=domains)
    table = estimate_medians(connection, wave, [Measure("M", variable, proportion=False)], domains, run)
    rows: list[Row] = finished(table, {"M": False}, load_standard()).to_pylist()
    return rows


def of_r(design: str) -> Any:
    connection = memory_connection(threads=2)
    connection.register("source", records_of(design))
    connection.execute(
        "CREATE VIEW records AS"
        " SELECT * EXCLUDE (stratum, psu), w AS weight, strat_id AS stratum, psu_id AS psu FROM source"
    )
    return connection


def compare(row: Row, case: str, term: str) -> None:
    wanted = {r["stat"]: r["value"] for r in CASES[case]["results"] if r["term"] == term}
    assert wanted
    for name, value in wanted.items():
        own = row[{"est": "estimate"}.get(name, name)]
        assert math.isclose(own, value, rel_tol=1e-9), (term, name)


@pytest.mark.reference
def test_medians_are_those_of_r() -> None:
    sex = Axis("sex", "dim_sex", "CASE sex WHEN 'F' THEN 1 WHEN 'M' THEN 2 END", ("F", "M"))
    domains = [Disaggregation("total"), Disaggregation("sex", (sex,))]
    total, girls, boys = numbers(of_r("copA"), estimate_measures, "hours", domains)
    compare(total, "copA.quantile_hours", "hours@0.5")
    compare(girls, "copA.quantile_hours_by_sex", "F")
    compare(boys, "copA.quantile_hours_by_sex", "M")


@pytest.mark.reference
def test_medians_with_replicate_weights_are_those_of_r() -> None:
    replicates = design_of(DESIGNS["rep_jkn_A"]).replicates
    assert replicates is not None
    engine = partial(estimate_measures_replicated, replicates=replicates)
    (row,) = numbers(of_r("rep_jkn_A"), engine, "hours", [Disaggregation("total")])
    compare(row, "rep_jkn_A.quantile", "hours@0.5")


def test_a_wave_with_replicate_weights_uses_them(framework: Framework, manifest: Make) -> None:
    answers = [{"net_3m": 1, "net_age1": 4 + (i * i + i // 7) % 9} for i in range(90)]
    records = [row | own for row, own in zip(replicated_children(), answers, strict=True)]
    rows = rows_of(records, framework, manifest(design=described()))
    (row,) = (r for r in rows if (r["indicator"], r["disaggregation"]) == ("ACC5", "total"))
    columns = [f"repw_{r:03d}" for r in range(1, PSUS + 1)]
    design = Design(weight="weight", replicates=ReplicateWeights(columns, type="JK1", mse=True))
    # R counts the rank of the weights minus 1.
    (wanted,) = estimate(pa.Table.from_pylist(records), design, "median(net_age1)").table.to_pylist()
    for name in ("estimate", "ci_lower", "ci_upper", "se", "df", "n"):
        assert row[name] == pytest.approx(wanted[name], rel=1e-12), name


# What is printed, and what is refused --------------------------------------------------------------------


def test_the_sql_that_is_printed_gives_the_medians_that_are_returned(
    framework: Framework, manifest: Make, child: pa.Table, wave: pa.Table
) -> None:
    printed = explain_sql("ACC5", manifest(), framework, child.column_names)
    connection = memory_connection(threads=1)
    connection.register("child", child)
    *steps, last = [statement for statement in printed.split(";\n") if statement.strip()]
    for step in steps:
        connection.execute(step)
    by_hand = connection.sql(last).to_arrow_table().to_pylist()
    returned = [r for r in wave.to_pylist() if r["indicator"] == "ACC5"]

    def key(row: Row) -> tuple[Any, ...]:
        return row["n"], row["psus"], row["strata"], row["estimate"]

    assert sorted(map(key, by_hand)) == sorted(map(key, returned))
    (total,) = (row for row in by_hand if row["domain"] == 0)
    assert 0.5 <= total["at_or_below"] < 1
    assert total["variance"] > 0
    (found,) = medians_of(wave, "total")
    half = float(t_quantile(np.array([found["df"]]))[0]) * math.sqrt(total["variance"])
    for limit, share in (
        ("ci_lower", total["at_or_below"] - half),
        ("ci_upper", total["at_or_below"] + half),
    ):
        carried = f"SELECT min(answer) FROM cumulated WHERE domain = 0 AND share >= {share!r}"
        assert connection.sql(carried).fetchall() == [(found[limit],)]


@pytest.mark.parametrize("statistic", ["rate", "score"])
def test_a_statistic_that_is_not_estimated_is_absent_with_the_reason(
    framework: Framework, manifest: Make, child: pa.Table, statistic: str
) -> None:
    own = framework.indicators["ACC4"]
    definition = msgspec.structs.replace(own.definition, statistic=statistic)
    changed = replace(framework, indicators={"ACC4": replace(own, definition=definition)})
    (row,) = estimate_wave(child, None, manifest(), None, changed, as_of_year=2026).to_pylist()
    assert (row["state"], row["absent_reason"], row["absent_detail"]) == (
        "absent",
        "statistic_not_supported",
        statistic,
    )


@pytest.mark.parametrize("statistic", ["total", "ratio", "quantile"])
def test_a_definition_names_no_other_statistic(framework: Framework, statistic: str) -> None:
    entry = msgspec.to_builtins(framework.indicators["ACC4"].definition) | {"statistic": statistic}
    with pytest.raises(msgspec.ValidationError, match=statistic):
        msgspec.convert(entry, type(framework.indicators["ACC4"].definition))
