"""`copstats.estimate` on small tables that can be checked by hand, and what it refuses."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pytest

from copstats import Design, ReplicateWeights, Sample, combine_imputations, estimate
from copstats.errors import EstimationError

# Two strata of two PSUs; the weights of a PSU are equal.
TABLE = pa.table(
    {
        "stratum": ["a", "a", "a", "b", "b", "b"],
        "psu": [1, 1, 2, 1, 2, 2],
        "w": [2.0, 2.0, 4.0, 1.0, 1.0, 3.0],
        "y": [1, 0, 1, 0, 1, None],
        "sex": ["F", "M", "F", "M", "F", "F"],
    }
)
DESIGN = Design(weight="w", strata="stratum", psu="psu")


def refusal(*formulas: str, design: Design = DESIGN, data: Any = TABLE, **options: Any) -> EstimationError:
    with pytest.raises(EstimationError) as refused:
        estimate(data, design, *formulas, **options)
    return refused.value


def test_a_mean_by_hand() -> None:
    (row,) = estimate(TABLE, DESIGN, "mean(y)").table.to_pylist()
    # Totals of (w y, w) by PSU: (2, 4), (4, 4), (0, 1), (1, 1); mean 7/10.
    z = [(2 - 0.7 * 4) / 10, (4 - 0.7 * 4) / 10, (0 - 0.7 * 1) / 10, (1 - 0.7 * 1) / 10]
    variance = (z[0] - z[1]) ** 2 + (z[2] - z[3]) ** 2  # n/(n-1) = 2, and deviations are half the distance
    assert row["estimate"] == 0.7
    assert math.isclose(row["se"], math.sqrt(variance), rel_tol=1e-14)
    assert (row["n"], row["psus"], row["strata"], row["df"]) == (5, 4, 2, 2.0)
    assert row["note"] == ""


def test_every_kind_of_table_gives_the_same() -> None:
    connection = duckdb.connect()
    connection.register("survey", TABLE)
    sources: list[Any] = [
        TABLE,
        TABLE.to_reader(),
        pyarrow.dataset.dataset(TABLE),
        TABLE.to_pandas(),
        connection.table("survey"),
        connection.sql("SELECT * FROM survey ORDER BY w"),
        (connection, "survey"),
        Sample(TABLE, DESIGN),
    ]
    tables = [estimate(data, DESIGN, "mean(y)", "total(1)").table for data in sources]
    assert all(table.equals(tables[0]) for table in tables)
    assert isinstance(estimate(TABLE, DESIGN, "mean(y)").to_pandas(), pd.DataFrame)


def test_formulas_stand_side_by_side_each_on_its_own_answers() -> None:
    both = estimate(TABLE, DESIGN, "mean(y)", "proportion(sex)", "count(sex)", "median(w)")
    assert [row["statistic"] for row in both.table.to_pylist()] == [
        "mean", "proportion", "proportion", "count", "count", "median",
    ]  # fmt: skip
    assert both.table.column("n").to_pylist() == [5, 6, 6, 6, 6, 6]
    assert both.table.column("estimate")[0].as_py() == 0.7
    assert both.find(statistic="proportion", category="F") == 1
    assert math.isclose(both.estimate[1] + both.estimate[2], 1, rel_tol=1e-15)


def test_expressions_conditions_and_domains() -> None:
    found = estimate(TABLE, DESIGN, "total(y = 1 AND w > 1)", by="upper(sex)", where="stratum = 'a'")
    rows = found.table.to_pylist()
    assert [(row["upper(sex)"], row["estimate"], row["n"]) for row in rows] == [("F", 6.0, 2), ("M", 0.0, 1)]


def test_answers_that_are_missing() -> None:
    (row,) = estimate(TABLE, DESIGN, "mean(y)", missing="propagate").table.to_pylist()
    assert (row["estimate"], row["se"], row["note"]) == (None, None, "missing_answers")
    (row,) = estimate(TABLE, DESIGN, "mean(y)", where="w = 3").table.to_pylist()
    assert (row["estimate"], row["n"], row["note"]) == (None, 0, "no_valid_answers")


@pytest.mark.parametrize(
    ("design", "formula", "note"),
    [
        (Design(weight="w", psu="stratum", strata="stratum"), "mean(y)", "no_degrees_of_freedom"),
        (
            Design(weight="w", psu="stratum", strata="stratum", single_psu="average"),
            "mean(y)",
            "no_degrees_of_freedom",
        ),
        (DESIGN, "proportion(y >= 0)", "limits_undefined"),
    ],
)
def test_no_number_is_missing_without_a_reason(design: Design, formula: str, note: str) -> None:
    for row in estimate(TABLE, design, formula).table.to_pylist():
        assert (row["ci_lower"], row["note"]) == (None, note)


def test_weights_follow_from_the_sizes_of_the_population() -> None:
    data = pa.table({"h": [1, 1, 2, 2], "N": [10, 10, 4, 4], "y": [1.0, 3.0, 5.0, 7.0]})
    (row,) = estimate(data, Design(strata="h", fpc="N"), "total(y)").table.to_pylist()
    assert row["estimate"] == 5 * 4 + 2 * 12
    # N^2 (1 - n/N) s^2 / n in each stratum; s^2 = 2.
    assert math.isclose(row["se"], math.sqrt(100 * 0.8 * 1 + 16 * 0.5 * 1), rel_tol=1e-14)


def test_weights_over_eight_orders_of_magnitude() -> None:
    """Against exact rational arithmetic."""
    from fractions import Fraction as F

    weights = [1e-4, 3e-4, 2.0, 5.0, 1e4, 7e3]
    values = [1, 0, 1, 1, 0, 1]
    table = pa.table({"w": weights, "y": values, "h": [1, 1, 2, 2, 3, 3]})
    (row,) = estimate(table, Design(weight="w", strata="h"), "mean(y)").table.to_pylist()
    w = [F(weight) for weight in weights]
    size = sum(w)
    mean = sum(a * b for a, b in zip(w, values, strict=True)) / size
    z = [a * (b - mean) / size for a, b in zip(w, values, strict=True)]
    variance = sum((z[i] - z[i + 1]) ** 2 for i in (0, 2, 4))
    assert math.isclose(row["estimate"], float(mean), rel_tol=1e-15)
    assert math.isclose(row["se"] ** 2, float(variance), rel_tol=1e-13)


def test_contrasts() -> None:
    by_sex = estimate(TABLE, DESIGN, "mean(w)", by="sex")
    difference = by_sex.difference({"sex": "F"}, {"sex": "M"})
    c = by_sex.covariance
    assert math.isclose(difference.se[0] ** 2, c[0, 0] + c[1, 1] - 2 * c[0, 1], rel_tol=1e-12)
    assert difference.estimate[0] == by_sex.estimate[0] - by_sex.estimate[1]
    ratio = by_sex.ratio({"sex": "F"}, {"sex": "M"})
    a, b = by_sex.estimate
    delta = c[0, 0] / b**2 + a**2 * c[1, 1] / b**4 - 2 * a * c[0, 1] / b**3
    assert math.isclose(ratio.se[0] ** 2, delta, rel_tol=1e-12)
    assert by_sex.standardise("sex", {"F": 1, "M": 1}).estimate[0] == pytest.approx((a + b) / 2, rel=1e-15)


def test_an_empty_cell_leaves_no_standardised_estimate() -> None:
    (row,) = (
        estimate(TABLE, DESIGN, "mean(y)", by="sex")
        .standardise("sex", {"F": 1, "M": 1, "X": 1})
        .table.to_pylist()
    )
    assert (row["estimate"], row["se"], row["note"]) == (None, None, "empty_cell")


def test_replicates_and_linearisation_agree_where_they_must() -> None:
    """A jackknife of a total is its linearisation."""
    factors = [[2, 1, 1, 0], [0, 1, 1, 2], [1, 2, 0, 1], [1, 0, 2, 1]]
    order = [("a", 1), ("b", 1), ("b", 2), ("a", 2)]
    place = [
        order.index(key) for key in zip(TABLE["stratum"].to_pylist(), TABLE["psu"].to_pylist(), strict=True)
    ]
    columns = {f"r{r}": [float(factors[r][p]) for p in place] for r in range(4)}
    data = pa.table({name: TABLE[name] for name in TABLE.column_names} | columns)
    weights = ReplicateWeights(list(columns), type="JKn", rscales=0.5, combined=False, mse=True)
    replicated = estimate(data, Design(weight="w", replicates=weights), "total(w)")
    assert math.isclose(replicated.se[0], estimate(TABLE, DESIGN, "total(w)").se[0], rel_tol=1e-14)


def test_imputations_of_equal_data_change_nothing() -> None:
    one = estimate(TABLE, DESIGN, "mean(y)")
    both = combine_imputations([one, one])
    assert (both.estimate[0], both.covariance[0, 0]) == (one.estimate[0], one.covariance[0, 0])


def test_it_reads_as_a_table() -> None:
    text = repr(estimate(TABLE, DESIGN, "mean(y)"))
    assert text.splitlines()[0].split()[:3] == ["statistic", "variable", "estimate"]
    assert "category" not in text


@pytest.mark.parametrize(
    ("formula", "caret"),
    [("mean y", 0), ("mean(y", 6), ("mean()", 5), ("mean(y) + 1", 8), ("mode(y)", 0), ("ratio(y)", 5)],
)
def test_a_formula_that_cannot_be_read_has_a_caret(formula: str, caret: int) -> None:
    error = refusal(formula)
    assert error.code == "E030"
    assert error.why.splitlines()[-2:] == [formula, " " * caret + "^"]


def test_an_unknown_column_is_named_with_those_that_are_near() -> None:
    error = refusal("mean(sexx)")
    assert (error.code, error.params["column"]) == ("E031", "sexx")
    assert "sex" in error.hint
    assert refusal("mean(y)", design=Design(weight="weigth")).code == "E031"
    assert refusal("mean(y)", where="agee > 3").code == "E031"


def test_what_cannot_be_estimated_is_refused() -> None:
    def table(**columns: Any) -> pa.Table:
        return pa.table(
            {
                name: columns[name] if name in columns else TABLE[name]
                for name in [*TABLE.column_names, *columns]
            }
        )

    w = [1.0, 1, 1, 1, 1]
    assert refusal("mean(y)", data=table(w=[*w, -1.0])).code == "E037"
    assert refusal("mean(y)", data=table(w=[*w, None])).code == "E037"
    assert refusal("mean(y)", data=table(stratum=["a", "a", "a", "b", "b", None])).code == "E003"
    assert refusal("mean(y)", data=TABLE.slice(0, 0)).code == "E035"
    assert (
        refusal("mean(y)", data=table(N=[1] * 6), design=Design(strata="stratum", psu="psu", fpc="N")).code
        == "E006"
    )
    assert refusal("mean(y)", design=Design(strata="psu", psu="stratum", nest=False)).code == "E036"
    assert refusal("mean(y)", design=Design(strata="w", single_psu="fail")).code == "E005"
    assert refusal("mean(y)", data=object()).code == "E034"
    assert refusal("mean(sum(y))").code == "E032"
    assert refusal("mean(y), mean(w)").code == "E030"
    assert refusal("mean(sex::INTEGER)").code == "E033"
    assert refusal("mean(y)", by="N", data=table(N=[1] * 6)).code == "E023"
    assert refusal("mean(y)", interval="exact").code == "E021"
    assert refusal("mean(y)", data=table(Y=[1] * 6)).code == "E024"
    assert refusal("mean(y)", design=Design(replicates=ReplicateWeights(["w", "w"]))).code == "E025"
    with pytest.raises(EstimationError) as refused:
        Design(single_psu="ignore")  # type: ignore[arg-type]
    assert refused.value.code == "E004"


def test_no_error_quotes_a_value() -> None:
    error = refusal("mean(sex::INTEGER)")
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert "'F'" not in str(error.as_dict())


def test_a_contrast_needs_single_rows() -> None:
    by_sex = estimate(TABLE, DESIGN, "mean(y)", by="sex")
    for code, call in (
        ("E020", lambda: by_sex.difference({"sex": "F"}, {"sex": "X"})),
        ("E020", lambda: by_sex.standardise("age", {"1": 1})),
        ("E022", lambda: by_sex.contrast([1.0])),
        ("E022", lambda: by_sex.standardise("sex", {"F": 1})),
        ("E022", lambda: combine_imputations([by_sex])),
    ):
        with pytest.raises(EstimationError) as refused:
            call()
        assert refused.value.code == code


def test_import_stays_light() -> None:
    code = "import sys, copstats; sys.exit('duckdb' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
