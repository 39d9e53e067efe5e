"""Waves with replicate weights: against R survey, against the jackknife by hand, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from copstats.analyse.cells import Measure
from copstats.analyse.design import design_sql
from copstats.analyse.domains import Axis, Disaggregation
from copstats.analyse.estimates import finished
from copstats.analyse.reliability import load_standard
from copstats.analyse.replicates import estimate_measures_replicated, replicates_of
from copstats.analyse.survey.design import ReplicateWeights
from copstats.analyse.wave import estimate_wave
from copstats.errors import EstimationError
from copstats.framework.loader import Framework
from copstats.framework.manifest import SurveyManifest
from copstats.store.engine import memory_connection
from tests.analyse.test_wave import synthetic
from tests.reference.r_survey import CASES, DESIGNS, design_of, records_of

Make = Callable[..., SurveyManifest]
Row = dict[str, Any]

SEX = Axis("sex", "dim_sex", "CASE sex WHEN 'F' THEN 1 WHEN 'M' THEN 2 END", ("F", "M"))
DISABLED = Axis("disability", "dim_disability", "CASE disab WHEN 1 THEN 1 END", ("1",))
DISAGGREGATIONS = [
    Disaggregation("total"),
    Disaggregation("sex", (SEX,)),
    Disaggregation("disability", (DISABLED,)),
]
MEASURES = [
    Measure(name, name, proportion=name != "hours") for name in ("y_online", "y_rare", "y_bully", "hours")
]
REPLICATED = sorted(name for name, design in DESIGNS.items() if design.get("rep") and name != "scd_brr")


def through_the_wave(design: str, threads: int = 2) -> pa.Table:
    """Rows of the wave engine for a design of R's."""
    replicates = design_of(DESIGNS[design]).replicates
    assert replicates is not None
    connection = memory_connection(threads=threads)
    connection.register("records", records_of(design))
    wave = "SELECT *, w AS weight FROM records"
    place = "(SELECT stratum, psu FROM records)"
    return estimate_measures_replicated(
        connection, wave, design_sql([place]), MEASURES, DISAGGREGATIONS, replicates=replicates
    )


def numbers(table: pa.Table) -> dict[tuple[str, int], Row]:
    """Estimate, variance, limits and df by measure and domain."""
    shares = {measure.name: measure.proportion for measure in MEASURES}
    rows = finished(table, shares, load_standard()).to_pylist()
    return {(row["measure"], row["domain"]): row for row in rows}


@pytest.mark.reference
@pytest.mark.parametrize("design", REPLICATED)
def test_the_wave_engine_gives_the_numbers_of_r(design: str) -> None:
    found = numbers(through_the_wave(design))
    names = {"mean": (0, None), "mean_missing": (0, None), "by_sex": (1, None), "subset_df": (2, "y_online")}
    compared = 0
    for case, (which, measure) in names.items():
        for result in CASES.get(f"{design}.{case}", {"results": []})["results"]:
            term, stat = result["term"], result["stat"]
            if stat not in ("est", "se", "df") or term == "design":
                continue
            level = {0: 0, 1: "FM".find(term) + 1, 2: 1}[which]
            name = measure or (term if which == 0 else "y_online")
            row = found[name, which + 100 * level]
            value = row[{"est": "estimate"}.get(stat, stat)]
            assert math.isclose(value, result["value"], rel_tol=1e-9, abs_tol=1e-12), (case, term, stat)
            compared += 1
    assert compared >= 4
    assert found["y_online", 0]["df"] == DESIGNS[design]["rep"]["degf"]


@pytest.mark.reference
@pytest.mark.parametrize("design", [name for name in REPLICATED if f"{name}.ciprop_logit" in CASES])
def test_logit_limits_are_those_of_r(design: str) -> None:
    case = CASES[f"{design}.ciprop_logit"]
    wanted = {result["stat"]: result["value"] for result in case["results"]}
    assert case["params"]["df"] == DESIGNS[design]["rep"]["degf"]
    row = numbers(through_the_wave(design))["y_online", 0]
    for limit in ("ci_lower", "ci_upper"):
        # R stops its iteration for the model before the last digits.
        assert math.isclose(row[limit], wanted[limit], rel_tol=1e-6)


@pytest.mark.reference
def test_no_digit_depends_on_the_number_of_threads() -> None:
    assert through_the_wave("rep_boot_A", threads=1).equals(through_the_wave("rep_boot_A", threads=2))


# A small wave, with the jackknife written out by hand ----------------------------------------------------

PSUS = 6


def children(n: int = 90) -> list[Row]:
    """One stratum of six PSUs; a replicate leaves one out and gives its weight to the others (JK1)."""
    rows = []
    for i in range(n):
        psu, weight = i // 2 % PSUS, 1.0 + i % 3
        row: Row = {
            "weight": weight,
            "stratum": "1",
            "psu": str(psu),
            "age": 9 + i % 9,
            "sex": 1 + i % 2,
            "residence": 1 + i % 2,
            "own_phone": int((i * i + psu) % 4 < 2),
        }
        for r in range(PSUS):
            row[f"repw_{r + 1:03d}"] = 0.0 if r == psu else weight * PSUS / (PSUS - 1)
        rows.append(row)
    return rows


def described(**change: Any) -> dict[str, Any]:
    columns = [f"R{r}" for r in range(PSUS)]
    return {"replicate_weights": {"columns": columns, "type": "JK1", "mse": True} | change}


def rows_of(records: list[Row], framework: Framework, survey: SurveyManifest) -> list[Row]:
    types = {"stratum": pa.string(), "psu": pa.string()}
    schema = pa.schema(
        [
            (name, types.get(name, pa.float64() if name == "weight" or "repw" in name else pa.int64()))
            for name in records[0]
        ]
    )
    table = pa.Table.from_pylist(records, schema)
    found: list[Row] = estimate_wave(table, None, survey, None, framework, as_of_year=2026).to_pylist()
    return found


def total(rows: list[Row], disaggregation: str = "total") -> list[Row]:
    return [r for r in rows if (r["indicator"], r["disaggregation"]) == ("ACC4", disaggregation)]


def share(records: list[Row], weight: str) -> float:
    return math.fsum(r[weight] * r["own_phone"] for r in records) / math.fsum(r[weight] for r in records)


@pytest.mark.parametrize("mse", [True, False])
def test_a_wave_has_the_jackknife_by_hand(mse: bool, framework: Framework, manifest: Make) -> None:
    records = children()
    rows = rows_of(records, framework, manifest(design=described(mse=mse)))
    parts = {"total": [records], "sex": [[r for r in records if r["sex"] == s] for s in (1, 2)]}
    for disaggregation, members in parts.items():
        found = total(rows, disaggregation)
        assert len(found) == len(members)
        by_size = {(row["n"], round(row["estimate"], 9)): row for row in found}
        for domain in members:
            theta = share(domain, "weight")
            moved = [share(domain, f"repw_{r + 1:03d}") for r in range(PSUS)]
            centre = theta if mse else math.fsum(moved) / PSUS
            se = math.sqrt((PSUS - 1) / PSUS * math.fsum((m - centre) ** 2 for m in moved))
            row = by_size[len(domain), round(theta, 9)]
            assert math.isclose(row["se"], se, rel_tol=1e-12)
            assert row["df"] == PSUS - 1


def test_the_jackknife_is_near_linearisation(framework: Framework, manifest: Make) -> None:
    """Both have the same limit; with 6 PSUs they differ by a term of the second order."""
    records = children()
    (jackknife,) = total(rows_of(records, framework, manifest(design=described())))
    (taylor,) = total(rows_of(records, framework, manifest()))
    assert jackknife["estimate"] == taylor["estimate"]
    assert 1 - 1 / PSUS < jackknife["se"] / taylor["se"] < 1 + 1 / PSUS
    assert jackknife["se"] != taylor["se"]


def test_everybody_or_nobody_has_no_spread(framework: Framework, manifest: Make) -> None:
    for answer in (0, 1):
        records = [row | {"own_phone": answer} for row in children()]
        (row,) = total(rows_of(records, framework, manifest(design=described())))
        assert (row["estimate"], row["se"]) == (answer, 0.0)
        assert 0 <= row["ci_lower"] <= row["estimate"] <= row["ci_upper"] <= 1
        assert row["ci_lower"] < row["ci_upper"]


def test_a_replicate_without_answers_gives_no_standard_error(framework: Framework, manifest: Make) -> None:
    """Only one PSU answers: the replicate that leaves it out has no estimate."""
    records = [row | ({} if row["psu"] == "0" else {"own_phone": -9}) for row in children()]
    (row,) = total(rows_of(records, framework, manifest(design=described())))
    assert (row["se"], row["ci_lower"], row["df"]) == (None, None, 0)
    assert row["reliability"] == "unreliable"
    answered = [r["own_phone"] for r in records if r["psu"] == "0"]
    assert row["n"] == len(answered)


def test_limits_where_one_replicate_has_everybody(framework: Framework, manifest: Make) -> None:
    """One PSU has the only events: the log-odds of its replicate do not exist, the limits do."""
    records = [row | {"own_phone": int(row["psu"] == "0")} for row in children()]
    (row,) = total(rows_of(records, framework, manifest(design=described())))
    assert 0 < row["ci_lower"] < row["estimate"] < row["ci_upper"] < 1


@pytest.mark.parametrize("single", ["psus", "strata"])
def test_strata_and_psus_have_no_part_in_the_variance(
    single: str, framework: Framework, manifest: Make
) -> None:
    """A file with replicate weights need not give its design away."""
    survey = manifest(design=described())
    records = children()
    other = [row | ({"stratum": row["psu"]} if single == "strata" else {}) for row in records]
    before, after = (total(rows_of(r, framework, survey))[0] for r in (records, other))
    assert (before["se"], before["df"]) == (after["se"], after["df"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"columns": ["R1", "R2"]}, "E012"),
        ({"columns": [f"R{r}" for r in range(PSUS + 1)]}, "E012"),
        ({"type": "JKn"}, "E025"),
        ({"type": "JKn", "rscales": [0.5, 0.5]}, "E025"),
        ({"type": "Fay"}, "E026"),
        ({"type": "BRR", "rho": 0.3}, "E026"),
        ({"type": "Fay", "rho": 1.0}, "E026"),
        ({"scale": -1.0}, "E027"),
        ({"type": "JKn", "rscales": [1.0] * (PSUS - 1) + [-1.0]}, "E027"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(
    change: dict[str, Any], code: str, framework: Framework, manifest: Make
) -> None:
    with pytest.raises(EstimationError) as refused:
        rows_of(children(), framework, manifest(design=described(**change)))
    assert refused.value.code == code
    assert refused.value.hint


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_record_without_a_replicate_weight_is_refused(
    value: Any, framework: Framework, manifest: Make
) -> None:
    records = children()
    records[3]["repw_002"] = value
    with pytest.raises(EstimationError) as refused:
        rows_of(records, framework, manifest(design=described()))
    assert (refused.value.code, refused.value.params["count"]) == ("E013", 1)


@pytest.fixture(scope="module")
def whole(framework: Framework) -> tuple[pa.Table, pa.Table]:
    """Every indicator, for children and parents, with bootstrap weights of the children's PSUs."""
    child, parent = synthetic(framework, "child", 300), synthetic(framework, "parent", 200)
    random = np.random.default_rng(1)
    draws = {psu: random.multinomial(19, [1 / 20] * 20) for psu in set(zip(*_place(child), strict=True))}
    times = np.array([draws[psu] for psu in zip(*_place(child), strict=True)])
    for r in range(20):
        weights = child["weight"].to_numpy() * times[:, r]
        child = child.append_column(f"repw_{r + 1:03d}", pa.array(weights))
    return child, parent


def _place(table: pa.Table) -> tuple[list[str], list[str]]:
    return table["stratum"].to_pylist(), table["psu"].to_pylist()


BOOTSTRAP = {"replicate_weights": {"columns": [f"R{r}" for r in range(20)], "type": "bootstrap"}}


def estimated(sources: tuple[pa.Table, pa.Table], framework: Framework, survey: SurveyManifest) -> list[Row]:
    found: list[Row] = estimate_wave(*sources, survey, None, framework, as_of_year=2026).to_pylist()
    return [row for row in found if row["state"] == "estimated"]


def test_children_and_dyads_follow_the_replicates_and_parents_the_design(
    whole: tuple[pa.Table, pa.Table], framework: Framework, manifest: Make
) -> None:
    taylor = estimated(whole, framework, manifest())
    replicated = estimated(whole, framework, manifest(design=BOOTSTRAP))
    assert len(taylor) == len(replicated) > 1000
    kinds = set()
    for before, after in zip(taylor, replicated, strict=True):
        assert before["estimate"] == after["estimate"]
        kind = framework.indicators[before["indicator"]].definition.record
        kinds.add(kind)
        if kind == "parent":
            assert before == after
        else:
            assert after["df"] <= 19
        assert not any(isinstance(value, float) and not math.isfinite(value) for value in after.values())
        if after["se"] is not None and after["unit"] == "PERCENT":
            assert 0 <= after["ci_lower"] <= after["estimate"] <= after["ci_upper"] <= 1
    assert kinds == {"child", "parent", "dyad"}


def test_dyads_have_the_replicates_of_their_own_weight(
    whole: tuple[pa.Table, pa.Table], framework: Framework, manifest: Make
) -> None:
    """Only the ratio of a child's replicate weight to its weight matters for the parents' weights."""
    child, parent = whole
    scaled = child
    for name in child.column_names:
        if name == "weight" or name.startswith("repw_"):
            place = scaled.schema.get_field_index(name)
            scaled = scaled.set_column(place, name, pa.array(child[name].to_numpy() * 64))
    survey = manifest(design=BOOTSTRAP)
    before, after = (estimated((table, parent), framework, survey) for table in (child, scaled))
    # the sum of a child's weights alone is that of another scale
    assert [{**row, "weight": None} for row in before] == [{**row, "weight": None} for row in after]


def test_one_replicate_shows_no_spread(manifest: Make) -> None:
    survey = manifest(design=described(columns=["R1"])).design.replicate_weights
    assert survey is not None
    with pytest.raises(EstimationError) as refused:
        replicates_of(survey, ["repw_001", "weight"])
    assert refused.value.code == "E028"


def test_successive_differences_have_a_name_of_their_own_in_the_manifest(manifest: Make) -> None:
    survey = manifest(design=described(type="SDR")).design.replicate_weights
    assert survey is not None
    columns = [f"repw_{r + 1:03d}" for r in range(PSUS)]
    assert replicates_of(survey, columns).type == "successive-difference"


def test_degrees_of_freedom_are_those_that_the_producer_names() -> None:
    random = np.random.default_rng(7)
    table = pa.table(
        {"stratum": ["1"] * 40, "psu": [str(i % 10) for i in range(40)], "weight": np.ones(40)}
        | {"y": random.integers(0, 2, 40)}
        | {f"r{i}": random.integers(0, 3, 40).astype(float) for i in range(12)}
    )
    columns = [f"r{i}" for i in range(12)]
    connection = memory_connection()
    connection.register("records", table)

    def df(named: float | None) -> int:
        replicates = ReplicateWeights(columns, type="bootstrap", df=named)
        rows = estimate_measures_replicated(
            connection,
            "SELECT * FROM records",
            design_sql(["records"]),
            [Measure("y", "y")],
            [Disaggregation("total")],
            replicates=replicates,
        )
        return int(rows["df"][0].as_py())

    # Weights drawn for each record, as here, have their full rank, whatever the PSUs are.
    assert (df(None), df(4)) == (11, 4)
