"""The engine of the waves against the reference cases of R survey 4.5 that it covers, one item a case."""

from __future__ import annotations

import json
import math
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from copstats.analyse.cells import Measure
from copstats.analyse.design import SinglePsu, design_sql
from copstats.analyse.domains import Axis, Disaggregation
from copstats.analyse.intervals import (
    adjusted_size,
    beta_limits,
    effective_size,
    korn_graubard_limits,
    logit_limits,
    mean_limits,
)
from copstats.analyse.reliability import load_standard, reliability_flags
from copstats.analyse.variance import estimate_measures
from copstats.errors import EstimationError
from copstats.store.engine import memory_connection

pytestmark = pytest.mark.reference

FOLDER = (
    Path(os.environ.get("COPSTATS_SHARED", Path(__file__).resolve().parents[3] / "shared"))
    / "reference"
    / "estimation"
)
REFERENCE = FOLDER / "reference.json"
CONTENT: dict[str, Any] = (
    json.loads(REFERENCE.read_text("utf-8")) if REFERENCE.is_file() else {"designs": [], "cases": []}
)
DESIGNS = {design["id"]: design for design in CONTENT["designs"]}
CASES = {case["id"]: case for case in CONTENT["cases"]}

TOLERANCE = 1e-9
EXACT_ZERO = 1e-15
# svyciprop(method = "logit") fits a logistic regression and stops when it has converged.
LOGIT_TOLERANCE = 1e-6

NOT_COVERED = {
    "copA.trap_listwise": "documents what not to do: both variables are estimated on the rows valid for both",
    "apiclus1.poststratify_mean": "calibration",
    "apiclus1.rake": "calibration",
    "apiclus1.rake_domain": "calibration",
    "apiclus1.calibrate_linear": "calibration",
    "apiclus1.calibrate_raking": "calibration",
}

MEAN = re.compile(
    r"svymean\(~(?P<y>[\w +]+), (?:D|\w+|(?P<subset>subset\(.*\)))(?:, na\.rm = TRUE)?(?:, deff = .*)?\)"
)
BY = re.compile(
    r"svyby\(~(?P<y>\w+), ~(?P<by>[\w +]+), \w+, svymean(?:, na\.rm = TRUE)?(?:, covmat = TRUE)?\)"
)
SUBSET = re.compile(r"subset\(\w+, (?P<where>.*?)\)(?:, na\.rm = TRUE|, method = m)?\)$")


def single_stage(design: dict[str, Any]) -> bool:
    """A stratified or clustered first stage, with weights, and no correction at a later stage."""
    return (
        not design.get("rep")
        and not design.get("mi")
        and len(design.get("fpc") or []) <= 1
        and "weights" in design
    )


def covered(kind: str) -> list[str]:
    out = []
    for name, case in CASES.items():
        if not single_stage(DESIGNS[case["design"]]):
            continue
        if (case["options"] or {}).get("survey.adjust.domain.lonely") or name in NOT_COVERED:
            continue
        code = case["r_code"]
        found = {
            "mean": bool(MEAN.fullmatch(code)) or code == "svymean(f, D, na.rm = TRUE, deff = TRUE)",
            "by": bool(BY.fullmatch(code)) or code.startswith("svyby(f, bf, D, svymean"),
            "ciprop": ".ciprop_" in name and name.rsplit("_", 1)[1] in ("logit", "xlogit", "beta", "mean"),
            "kg": ".kg_" in name,
            "df": name.endswith(".domain_df"),
        }
        if found[kind]:
            out.append(name)
    return out


@cache
def data(name: str) -> pa.Table:
    table = pa.csv.read_csv(FOLDER / "data" / f"{name}.csv")
    # `nh` and `Nh` of one file are the same name in SQL; weight, stratum and psu are named by the design.
    taken = {"nh", "stratum", "psu", "weight"}
    return table.rename_columns([f"{c}_in_file" if c in taken else c for c in table.column_names])


def estimates(
    design: dict[str, Any],
    values: dict[str, str],
    by: list[str] | None = None,
    where: str | None = None,
    single_psu: SinglePsu = "adjust",
) -> dict[tuple[str, str], dict[str, Any]]:
    """(measure, category as R writes it) -> row of the estimator; ``values`` is measure -> SQL."""
    connection = memory_connection(threads=1)
    connection.register("source", data(design["dataset"]))
    connection.execute(
        "CREATE TABLE t AS SELECT *, row_number() OVER () AS row_no FROM source"
        + (f" WHERE {design['filter']}" if design.get("filter") else "")
    )
    fpc = design.get("fpc")
    weight = "weight_in_file" if design["weights"] == "weight" else design["weights"] or 1
    wave = (
        f"SELECT *, {weight} AS weight, {design.get('strata') or 1} AS stratum,"
        f" {(design['ids'] or ['row_no'])[0]} AS psu" + (f", {fpc[0]} AS fpc_psu" if fpc else "") + " FROM t"
    )
    categories: dict[str, list[Any]] = {
        name: [row[0] for row in connection.sql(f"SELECT DISTINCT {name} FROM t ORDER BY 1").fetchall()]
        for name in by or []
    }

    def level(name: str) -> str:
        whens = " ".join(f"WHEN '{code}' THEN {i}" for i, code in enumerate(categories[name], 1))
        return f"CASE {name}::VARCHAR {whens} END"

    axes = tuple(Axis(n, f"dim_{n}", level(n), tuple(str(c) for c in categories[n])) for n in by or [])
    measures = [
        Measure(y, f"CASE WHEN {where} THEN {sql} END" if where else sql) for y, sql in values.items()
    ]
    result = estimate_measures(
        connection,
        wave,
        design_sql([f"({wave})"], with_fpc=bool(fpc)),
        measures,
        [Disaggregation("by", axes)],
        single_psu=single_psu,
    )
    out = {}
    for row in result.to_pylist():
        number, label = row["domain"] // 100, []
        for axis in axes:
            number, position = divmod(number, 10_000)
            label.append(axis.codes[position - 1])
        out[row["measure"], ".".join(label)] = row | {"df": row["psus"] - row["strata"]}
    return out


def expected(case: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {(r["term"], r["stat"]): r["value"] for r in case["results"] if r["stat"] != "cov"}


def agrees(value: float, reference: float, tolerance: float = TOLERANCE) -> bool:
    return math.isclose(value, reference, rel_tol=tolerance, abs_tol=EXACT_ZERO)


def single_psu_of(case: dict[str, Any]) -> SinglePsu:
    option: SinglePsu = (case["options"] or {}).get("survey.lonely.psu", "adjust")
    return option


def r_condition(text: str) -> str:
    """An R condition as SQL."""
    text = re.sub(r"!is\.na\((\w+)\)", r"\1 IS NOT NULL", text)
    return text.replace("==", "=").replace('"', "'").replace("&", "AND")


def compare(
    rows: dict[tuple[str, str], dict[str, Any]], wanted: dict[tuple[str, str], float], term: Any
) -> int:
    """Compare estimate, standard error and t limits of every term; return the number of comparisons."""
    count = 0
    for (name, stat), reference in wanted.items():
        if stat not in ("est", "se"):
            continue
        row = rows[term(name)]
        value = row["estimate"] if stat == "est" else math.sqrt(row["variance"])
        assert agrees(value, reference), (name, stat, value, reference)
        count += 1
        if (name, "ci_lower") in wanted and ("design", "df") in wanted and stat == "se":
            df = np.array([wanted["design", "df"]], dtype=float)
            lower, upper = mean_limits(np.array([row["estimate"]]), np.array([value]), df)
            assert agrees(lower[0], wanted[name, "ci_lower"])
            assert agrees(upper[0], wanted[name, "ci_upper"])
    return count


def values_of(code: str, case: dict[str, Any]) -> dict[str, str]:
    found = MEAN.fullmatch(code)
    names = found["y"].split(" + ") if found else [case["params"]["y"]]
    if names == ["stype"]:
        return {f"stype{category}": f"(stype = '{category}')::INTEGER" for category in "EHM"}
    return {name: name for name in names}


def test_no_case_is_lost_from_view(shared: Path) -> None:
    assert (shared / "reference" / "estimation" / "reference.json").is_file()
    kinds = ("mean", "by", "ciprop", "kg", "df")
    assert {kind: len(covered(kind)) for kind in kinds} == {
        "mean": 46,
        "by": 72,
        "ciprop": 43,
        "kg": 18,
        "df": 3,
    }


@pytest.mark.parametrize("name", covered("mean"))
def test_mean(name: str) -> None:
    case = CASES[name]
    design, code, wanted = DESIGNS[case["design"]], case["r_code"], expected(case)
    subset = SUBSET.search(code)
    values = values_of(code, case)
    if case["error"]:
        with pytest.raises(EstimationError) as refused:
            estimates(design, values, single_psu=single_psu_of(case))
        assert refused.value.code == "E005"
        return
    rows = estimates(
        design, values, where=r_condition(subset["where"]) if subset else None, single_psu=single_psu_of(case)
    )
    assert compare(rows, wanted, lambda term: (term, "")) == 2 * len(values)
    for y in values:
        row = rows[y, ""]
        if subset:
            assert row["df"] == wanted["design", "df"]
        if isinstance(wanted.get((y, "deff")), float):
            spread = row["mean_square"] - row["estimate"] ** 2
            deff = row["variance"] / (spread / (row["n"] - 1))
            if "replace" not in code:
                deff *= row["sum_w"] / (row["sum_w"] - row["n"])
            assert agrees(deff, wanted[y, "deff"])


@pytest.mark.parametrize("name", covered("by"))
def test_domains(name: str) -> None:
    case = CASES[name]
    found = BY.fullmatch(case["r_code"])
    if found:
        y, by = found["y"], found["by"].split(" + ")
    else:
        y, by = case["params"]["y"], case["params"]["by"]
    by = [by] if isinstance(by, str) else by
    design, wanted = DESIGNS[case["design"]], expected(case)
    if case["error"]:
        with pytest.raises(EstimationError) as refused:
            estimates(design, {y: y}, by, single_psu=single_psu_of(case))
        assert refused.value.code == "E005"
        return
    rows = estimates(design, {y: y}, by, single_psu=single_psu_of(case))
    assert compare(rows, wanted, lambda term: (y, term)) == 2 * len(rows)


def limits_row(name: str) -> tuple[dict[str, Any], dict[tuple[str, str], float], str]:
    case = CASES[name]
    wanted = expected(case)
    y = next(term for term, stat in wanted if stat == "est")
    subset = SUBSET.search(case["r_code"]) if "race" in case["r_code"] else None
    where = r_condition(subset["where"]) if subset else None
    return estimates(DESIGNS[case["design"]], {y: y}, where=where)[y, ""], wanted, y


@pytest.mark.parametrize("name", covered("ciprop"))
def test_limits_of_proportions(name: str) -> None:
    row, wanted, y = limits_row(name)
    method = name.rsplit("_", 1)[1]
    p, variance, n, df = (np.array([float(row[c])]) for c in ("estimate", "variance", "n", "df"))
    if method in ("logit", "xlogit"):
        lower, upper = logit_limits(p, np.sqrt(variance), df)
    elif method == "beta":
        # R counts the rows of the design, those without an answer included.
        rows = np.array([float(row["eligible"])]) if name.startswith("nhanes.ciprop_beta") else n
        lower, upper = beta_limits(p, adjusted_size(effective_size(p, variance, n), rows, df))
    else:
        lower, upper = mean_limits(p, np.sqrt(variance), df)
    if p[0] in (0, 1):
        assert method in ("logit", "xlogit", "beta"), "only these are at issue where every answer is the same"
        if method != "beta":
            assert np.isnan([lower[0], upper[0]]).all()
        return
    tolerance = LOGIT_TOLERANCE if method == "logit" else TOLERANCE
    assert agrees(row["estimate"], wanted[y, "est"], tolerance)
    assert agrees(lower[0], wanted[y, "ci_lower"], tolerance), (lower[0], wanted[y, "ci_lower"])
    assert agrees(upper[0], wanted[y, "ci_upper"], tolerance), (upper[0], wanted[y, "ci_upper"])


@pytest.mark.parametrize("name", covered("kg"))
def test_presentation_standard(name: str) -> None:
    """Korn-Graubard limits and flags, as the CDC package `surveytable` computes them, from R's numbers."""
    case = CASES[name]
    wanted = {stat: value for (_, stat), value in expected(case).items()}
    domain = case["params"].get("domain")
    row = estimates(
        DESIGNS[case["design"]], {"y": case["params"]["y"]}, where=r_condition(domain) if domain else None
    )["y", ""]
    p, variance, n, df = (np.array([float(row[c])]) for c in ("estimate", "variance", "n", "df"))
    size = effective_size(p, variance, n)
    assert (row["n"], row["df"]) == (wanted["n"], wanted["df"])
    adjustment = case["params"].get("adj", "nchs")
    assert agrees(min(size[0], n[0]) if adjustment == "nchs" else size[0], wanted["n_eff"])
    if adjustment == "nchs":
        lower, upper = korn_graubard_limits(p, variance, n, df)
        columns = {
            "proportion": [True],
            "estimate": p,
            "se": np.sqrt(variance),
            "n": n,
            "events": [row["events"]],
            "df": df,
            "n_effective": np.minimum(size, n),
            "kg_lower": lower,
            "kg_upper": upper,
        }
        (flag,) = reliability_flags(pa.table(columns), load_standard())
        review = wanted["review_df"] or wanted["review_01"]
        assert flag == ("unreliable" if not wanted["show"] else "review" if review else "reliable")
    elif adjustment == "none":
        lower, upper = beta_limits(p, adjusted_size(size, n, df) if 0 < p[0] < 1 else size)
    else:
        lower, upper = beta_limits(p, size)
    assert agrees(lower[0], wanted["ci_lower"]), (lower[0], wanted["ci_lower"])
    assert agrees(upper[0], wanted["ci_upper"]), (upper[0], wanted["ci_upper"])


@pytest.mark.parametrize("name", covered("df"))
def test_degrees_of_freedom_of_small_domains(name: str) -> None:
    case = CASES[name]
    rows = estimates(DESIGNS[case["design"]], {"one": "one"}, by=["agegrp"], where="disab = 1")
    for (band, stat), reference in expected(case).items():
        row = rows["one", band]
        assert agrees(row[stat] or 0, reference), (band, stat)
